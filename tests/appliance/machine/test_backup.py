"""A backup is whole or not there, holds nothing in clear, and is proved by restoring it."""

import errno
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.audit import Result
from appliance.edge.metrics import Metrics
from appliance.errors import Conflict, NotPermitted, StartupError, Unavailable
from appliance.ledger_reader import LedgerReader
from appliance.machine import backing
from appliance.machine.backing import BackupFailed, Made, Point, make
from appliance.machine.backupdesk import LEASE, BackupStep
from appliance.machine.backupset import CHECKPOINT, IDENTITY, MANIFEST, STORE, WAL
from appliance.machine.config import Backup
from appliance.machine.gate import Appliance, Ending
from appliance.machine.init import Founded, StoreExists
from appliance.machine.keeper import Keeper, Shares
from appliance.machine.opening import open_store, system_entry
from appliance.machine.restoring import examine, prove, restore
from appliance.machine.running import Running
from appliance.machine.standing import Stopped
from appliance.machine.store import Layout
from storage import copying
from storage.errors import StoreInUse, Tampered
from storage.journal import FILE_NAME as JOURNAL
from storage.journal import Journal, read_journal
from storage.keyring import FILE_NAME as RING
from storage.keyring import read_header
from tests.appliance.founding import NOW, Site, make_site, root_of

CANARY = "金糸雀　花子"


def quietly(*_: object) -> None:
    """Tell nobody."""


class Unsealed:
    """An appliance without sockets that serves, and the copier beside it (``Holder``)."""

    def __init__(self, site: Site, founded: Founded, alarm_after: timedelta | None = None) -> None:
        self.site, self.founded, self.now = site, founded, NOW
        self.layout = Layout(site.data)
        self.settings = site.settings
        if alarm_after is not None:
            backup = Backup(folder=site.folder, alarm_after=alarm_after)
            self.settings = replace(self.settings, backup=backup)
        header = read_header(self.layout.ring)
        assert header.share_set is not None
        shares = Shares(header.share_set)
        self.journal = Journal(self.layout.journal, lambda: 1_775_000_000_000)
        self.metrics = Metrics()
        self.appliance = Appliance(self.settings, shares, self.journal, self.metrics, self.clock)
        self.keeper = Keeper(self.appliance, shares, self.layout.seal_token, self.journal)
        self.lease = ""
        self.steps: list[str] = []
        self.meanwhile: Callable[[str], None] = quietly

    def clock(self) -> datetime:
        return self.now

    @property
    def running(self) -> Running:
        assert self.appliance._running is not None
        return self.appliance._running

    def unseal(self) -> None:
        for share in self.founded.shares[:3]:
            self.keeper.unseal(share)

    def enter(self, times: int = 1) -> int:
        """Enter something in the ledger; return how many entries it has."""
        for _ in range(times):
            entry = system_entry("system/test", self.running.opened.firmware, CANARY)
            self.running.vault.write(lambda unit, entry=entry: unit.enter(entry))
        return self.size

    @property
    def size(self) -> int:
        return int(self.running.vault.checkpoint().splitlines()[1])

    def entered(self) -> list[tuple[Result, str]]:
        """Return what the ledger says of backups."""
        with self.running.vault.view() as view:
            found = LedgerReader(view).between(0, view.ledger_size())
            return [(each.result, each.note) for each in found if each.operation == BACKUP]

    # --- backing.Holder ---

    def ask(self, step: str, **told: Any) -> dict[str, Any]:
        self.steps.append(step)
        token = self.layout.seal_token.read_text()
        answer = self.keeper.backup(step, token, BackupStep(lease=self.lease, **told))
        self.meanwhile(step)
        return answer

    def begin(self) -> None:
        self.lease = self.ask("begin", uid=1001, sudo_uid=1002)["lease"]

    def go_on(self) -> None:
        self.ask("go-on")

    def point(self) -> Point:
        told = self.ask("point")
        checkpoint = told["checkpoint"]
        return Point(checkpoint, int(checkpoint.splitlines()[1]), told["wal_bytes"])

    def finish(self, digest: str) -> None:
        self.ask("finish", digest=digest)

    def give_up(self, code: str) -> None:
        self.ask("give-up", code=code)

    def make(self, to: Path) -> Made:
        return make(self.settings, to, self, quietly, self.clock)


BACKUP = "system/backup"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path / "site")


@pytest.fixture
def unsealed(site: Site) -> Iterator[Unsealed]:
    made = Unsealed(site, site.found())
    made.unseal()
    yield made
    made.appliance.close(Ending.STOP)
    made.journal.close()


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    (tmp_path / "medium").mkdir()
    return tmp_path / "medium"


@pytest.fixture
def made(unsealed: Unsealed, medium: Path) -> Made:
    unsealed.enter(5)
    return unsealed.make(medium)


def findings(folder: Path, vkey: str | None = None) -> list[str]:
    _, _, found = examine(folder, vkey, quietly)
    return [f"{each.place} {each.what}" for each in found]


def proved(unsealed: Unsealed, folder: Path, scratch: Path) -> tuple[int, list[str]]:
    shares = unsealed.founded.shares[1:4]
    report, found = prove(unsealed.settings, folder, scratch, shares, quietly, quietly)
    return report.entries, [f"{each.place} {each.what}" for each in found]


# --- making ---


def test_a_backup_has_all_that_was_entered_before_it_was_copied(
    unsealed: Unsealed, medium: Path
) -> None:
    sizes = dict[str, int]()

    def meanwhile(step: str) -> None:
        sizes[step] = unsealed.enter(20)

    unsealed.meanwhile = meanwhile
    made = unsealed.make(medium)
    assert unsealed.steps == ["begin", "point", "go-on", "finish"]
    assert sizes["begin"] == made.manifest.ledger_size < sizes["point"]
    assert proved(unsealed, made.folder, medium) == (made.manifest.ledger_size, [])
    assert [path.name for path in medium.iterdir()] == [made.folder.name]
    size = made.manifest.ledger_size
    assert made.folder.name == f"juki-43-20260401T010000Z-{size}"


def test_r128_the_ledger_says_who_copied_what_before_and_after(
    unsealed: Unsealed, made: Made
) -> None:
    size = made.manifest.ledger_size
    assert unsealed.entered() == [
        (Result.OK, "begun by uid 1001, sudo uid 1002"),
        (Result.OK, f"made: {size} entries, manifest {made.digest}"),
    ]
    assert made.folder.parent.name not in str(unsealed.entered())
    with unsealed.running.vault.view() as view:
        last = [each.file for each in LedgerReader(view).between(0, view.ledger_size())]
    assert made.digest in last, "a proof of the entry shows whose manifest it is"


def test_r128_without_the_token_nothing_is_copied_and_it_is_noted(unsealed: Unsealed) -> None:
    with pytest.raises(NotPermitted):
        unsealed.keeper.backup("begin", "00" * 32, BackupStep())
    assert unsealed.entered() == []
    line = read_journal(unsealed.layout.journal)[-1]
    assert (line["event"], line["why"]) == ("refused", "backup: this is not the seal token")


def test_two_copiers_at_once_are_one_too_many_and_the_first_goes_on(
    unsealed: Unsealed, medium: Path
) -> None:
    other = Unsealed.__new__(Unsealed)
    vars(other).update(vars(unsealed) | {"lease": "", "meanwhile": quietly, "steps": []})

    def meanwhile(step: str) -> None:
        if step == "point":
            with pytest.raises(Conflict, match="under way"):
                other.make(medium)

    unsealed.meanwhile = meanwhile
    made = unsealed.make(medium)
    assert findings(made.folder) == []
    assert (Result.ERROR, "none: another is under way") in unsealed.entered()


def test_a_sealed_appliance_says_what_to_do(site: Site, medium: Path) -> None:
    sealed = Unsealed(site, site.found())
    with pytest.raises(Unavailable, match="unseal it first, or stop it"):
        sealed.make(medium)
    assert list(medium.iterdir()) == []
    sealed.journal.close()


# --- what goes wrong ---


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_medium_that_fails_leaves_nothing_and_serving_goes_on(
    unsealed: Unsealed, medium: Path, monkeypatch: pytest.MonkeyPatch, number: int, at: int
) -> None:
    unsealed.enter(200)
    writes, write = iter(range(1_000)), copying._write
    monkeypatch.setattr(copying, "CHUNK", 4096)

    def failing(to: Any, raw: bytes) -> None:
        if next(writes) == at:
            raise OSError(number, "the medium is not well")
        write(to, raw)

    monkeypatch.setattr(copying, "_write", failing)
    with pytest.raises(BackupFailed, match="the medium is not well; nothing of the backup is left"):
        unsealed.make(medium)
    assert list(medium.iterdir()) == []
    code = "disk-full" if number in (errno.ENOSPC, errno.EDQUOT) else "disk-failed"
    assert unsealed.entered()[-1] == (Result.ERROR, f"none: {code}")
    monkeypatch.undo()
    assert proved(unsealed, unsealed.make(medium).folder, medium)[1] == []


def test_room_is_asked_for_before_anything_is_written(
    unsealed: Unsealed, medium: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backing, "SPARE", 1 << 60)
    with pytest.raises(BackupFailed, match="bytes are needed"):
        unsealed.make(medium)
    assert list(medium.iterdir()) == []
    assert unsealed.entered()[-1] == (Result.ERROR, "none: disk-full")


def test_interrupted_it_leaves_nothing(unsealed: Unsealed, medium: Path) -> None:
    def meanwhile(step: str) -> None:
        if step == "point":
            raise KeyboardInterrupt

    unsealed.meanwhile = meanwhile
    with pytest.raises(KeyboardInterrupt):
        unsealed.make(medium)
    assert list(medium.iterdir()) == []
    assert unsealed.entered()[-1] == (Result.ERROR, "none: interrupted")


def test_a_copier_that_is_not_heard_of_is_given_up_and_his_copy_is_no_backup(
    unsealed: Unsealed, medium: Path
) -> None:
    hold = unsealed.running.vault._writer.hold

    def meanwhile(step: str) -> None:
        if step == "point":
            hold._monotonic = lambda: 1e12 + LEASE
            unsealed.running.backups.look()

    unsealed.meanwhile = meanwhile
    with pytest.raises(Conflict, match="not under way; what was copied is none"):
        unsealed.make(medium)
    assert list(medium.iterdir()) == []
    assert unsealed.entered()[-1] == (Result.ERROR, "none: not-heard-of")


def test_a_copier_so_slow_that_the_wal_fills_the_disk_is_given_up(
    unsealed: Unsealed, medium: Path
) -> None:
    def meanwhile(step: str) -> None:
        if step == "begin":
            unsealed.running.backups._most_wal = 0

    unsealed.meanwhile = meanwhile
    with pytest.raises(Conflict, match="the WAL would fill the disk"):
        unsealed.make(medium)
    assert list(medium.iterdir()) == []
    assert unsealed.entered()[-1] == (Result.ERROR, "none: too-slow")
    assert not unsealed.running.vault.is_held


def test_sealed_in_the_middle_there_is_no_backup(unsealed: Unsealed, medium: Path) -> None:
    def meanwhile(step: str) -> None:
        if step == "point":
            unsealed.meanwhile = quietly
            unsealed.appliance.close(Ending.SEAL)

    unsealed.meanwhile = meanwhile
    with pytest.raises((Unavailable, BackupFailed)):
        unsealed.make(medium)
    assert list(medium.iterdir()) == []


def test_what_a_killed_copier_left_is_removed_by_the_next(unsealed: Unsealed, medium: Path) -> None:
    installation = json.loads(unsealed.layout.identity.read_bytes())["installation"]
    left = medium / f".unfinished-juki-43-{installation[:8]}-20260331T000000Z"
    of_another = medium / ".unfinished-juki-43-00000000-20260331T000000Z"
    for folder in (left, of_another):
        (folder / "store").mkdir(parents=True)
        (folder / STORE).touch()
    made = unsealed.make(medium)
    assert {path.name for path in medium.iterdir()} == {made.folder.name, of_another.name}


def test_what_was_made_and_cannot_be_recorded_is_kept_and_says_so(
    unsealed: Unsealed, medium: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(digest: str) -> None:
        raise Conflict("gone")

    monkeypatch.setattr(unsealed, "finish", silent)
    made = unsealed.make(medium)
    assert made.unrecorded == "conflict: gone"
    assert findings(made.folder) == []


# --- a stopped store ---


def test_a_stopped_store_is_copied_under_its_lock_and_the_journal_says_so(
    unsealed: Unsealed, medium: Path
) -> None:
    unsealed.enter(7)
    size = unsealed.size + 1  # system/stop
    unsealed.appliance.close(Ending.STOP)
    with Stopped(unsealed.settings, unsealed.clock) as stopped:
        with pytest.raises(StoreInUse), Stopped(unsealed.settings, unsealed.clock):
            pass
        made = make(unsealed.settings, medium, stopped, quietly, unsealed.clock)
    assert (made.manifest.exact, made.manifest.ledger_size) == (False, size)
    assert findings(made.folder) == []
    assert proved(unsealed, made.folder, medium) == (size, [])
    line = read_journal(unsealed.layout.journal)[-1]
    assert (line["event"], line["manifest"]) == ("backup", made.digest)


def test_a_store_that_was_killed_is_copied_with_its_wal(
    unsealed: Unsealed, medium: Path, tmp_path: Path
) -> None:
    unsealed.enter(7)
    killed = make_like(unsealed.site, tmp_path / "killed")
    with Stopped(killed, unsealed.clock) as stopped:
        made = make(killed, medium, stopped, quietly, unsealed.clock)
    assert made.manifest.files[WAL].size > 0
    entries, found = proved(unsealed, made.folder, medium)
    assert (entries, found) == (unsealed.size, [])


def make_like(site: Site, data: Path) -> Any:
    """Copy the data folder as it is, as if the power had gone; return settings for the copy."""
    shutil.copytree(site.data, data, ignore=shutil.ignore_patterns("*-shm", "lock"))
    return replace(site.settings, data=data)


# --- what is in it ---


@pytest.mark.requirement("R141")
def test_nothing_in_a_backup_is_in_clear_and_no_key_is(unsealed: Unsealed, made: Made) -> None:
    ring = unsealed.running.opened.ring
    root = root_of(unsealed.site.data, unsealed.founded.shares[:3])
    names = [name for name in ring.names() if "/" in name]
    secrets = [root, *(ring.key(name) for name in names), CANARY.encode(), CANARY[:3].encode()]
    for path in made.folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert not [secret for secret in secrets if secret in raw], path.name
            assert not raw.startswith(b"SQLite format 3"), path.name
            assert path.stat().st_mode & 0o077 == 0
    assert made.folder.stat().st_mode & 0o077 == 0
    assert unsealed.layout.seal_token.read_bytes() not in (made.folder / MANIFEST).read_bytes()


# --- verifying ---


def test_a_backup_is_sound_and_of_the_ledger_key_that_is_known(
    unsealed: Unsealed, made: Made
) -> None:
    key = json.loads(unsealed.layout.identity.read_bytes())["ledger_key"]
    assert findings(made.folder) == []
    assert findings(made.folder, key) == []
    other = make_site(unsealed.site.folder / "other").found().identity.ledger_key
    assert any(
        "identity.json names another ledger key" in each for each in findings(made.folder, other)
    )


@pytest.mark.parametrize("name", [STORE, WAL, RING, IDENTITY, JOURNAL, CHECKPOINT])
@pytest.mark.parametrize("damage", ["a bit", "cut", "gone", "a link"])
def test_every_damage_is_named_with_its_file(made: Made, name: str, damage: str) -> None:
    path = made.folder / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.unlink()
    match damage:
        case "a bit":
            path.write_bytes(raw)
        case "cut":
            path.write_bytes(raw[:-1])
        case "a link":
            path.symlink_to(made.folder.parent / "elsewhere")
    (found,) = findings(made.folder)
    assert found.startswith(f"{name} ")
    with pytest.raises(Tampered, match=name.rpartition("/")[2]):
        restore(made.folder, made.folder.parent / "data", quietly, lambda: NOW)
    assert not (made.folder.parent / "data").exists()


def test_what_does_not_belong_there_is_found(made: Made) -> None:
    (made.folder / "more").touch()
    assert findings(made.folder) == ["more does not belong to the backup"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"ledger_size": 1}, "checkpoint is of "),
        ({"origin": "audit.juki.other/g1"}, "identity.json is of another store"),
        ({"installation": "00" * 16}, "identity.json is of another store"),
    ],
    ids=["size", "origin", "installation"],
)
def test_a_manifest_that_lies_is_found(made: Made, change: dict[str, Any], found: str) -> None:
    lie(made.folder, **change)
    assert any(each.startswith(found) for each in findings(made.folder))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "juki-backup/2"},
        {"files": {}},
        {"more": 1},
        {"files": {"../../etc/passwd": {"size": 1, "sha256": "00"}}},
    ],
    ids=["later format", "no files", "unknown field", "a path that leads out"],
)
def test_what_is_no_manifest_is_refused(made: Made, change: dict[str, Any]) -> None:
    lie(made.folder, **change)
    with pytest.raises(StartupError):
        examine(made.folder, None, quietly)
    with pytest.raises(StartupError):
        restore(made.folder, made.folder.parent / "data", quietly, lambda: NOW)


def test_a_copy_of_the_files_of_a_running_store_is_no_backup(
    unsealed: Unsealed, medium: Path
) -> None:
    # What is being written meanwhile may be gone before it is copied.
    passing = shutil.ignore_patterns("*.new")
    shutil.copytree(unsealed.site.data, medium / "copied", ignore=passing)
    with pytest.raises(StartupError, match=r"is no backup: it has no manifest\.json"):
        examine(medium / "copied", None, quietly)


def test_a_ring_of_another_store_does_not_pass_though_its_digest_is_right(
    made: Made, tmp_path: Path
) -> None:
    other = make_site(tmp_path / "other")
    other.found()
    shutil.copy(other.data / RING, made.folder / RING)
    seal_anew(made.folder, RING)
    assert findings(made.folder) == [f"{RING} is of another store"]


def lie(folder: Path, **changes: Any) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))


def seal_anew(folder: Path, name: str) -> None:
    """Write the right digest of a changed file into the manifest."""
    digest = copying.digest_of(folder / name)
    files = json.loads((folder / MANIFEST).read_bytes())["files"]
    lie(folder, files=files | {name: {"size": digest.size, "sha256": digest.sha256}})


def test_a_forged_store_that_has_the_right_digest_does_not_open(
    unsealed: Unsealed, made: Made, medium: Path
) -> None:
    path = made.folder / STORE
    raw = bytearray(path.read_bytes())
    raw[3 * 8192 + 100] ^= 1
    path.write_bytes(raw)
    (made.folder / WAL).write_bytes(b"")
    seal_anew(made.folder, STORE)
    seal_anew(made.folder, WAL)
    assert findings(made.folder) == []
    try:
        _, found = proved(unsealed, made.folder, medium)
    except Exception as refused:
        found = [str(refused)]
    assert found
    assert not list(medium.glob("juki-verify-*"))


# --- restoring ---


@pytest.mark.requirement("R167")
def test_what_is_restored_opens_with_three_shares_and_stands_where_it_stood(
    unsealed: Unsealed, made: Made, tmp_path: Path
) -> None:
    checkpoint = (made.folder / CHECKPOINT).read_text()
    data = tmp_path / "new"
    restore(made.folder, data, quietly, unsealed.clock)
    assert data.stat().st_mode & 0o077 == 0
    settings = replace(unsealed.settings, data=data)
    line = read_journal(data / JOURNAL)[-1]
    assert (line["event"], line["manifest"]) == ("restored", made.digest)
    root = root_of(data, unsealed.founded.shares[2:])
    opened = open_store(settings, root, unsealed.clock)
    try:
        with opened.vault.view() as view:
            size = made.manifest.ledger_size
            raw = view.entries_raw(0, size)
            with unsealed.running.vault.view() as original:
                assert raw == original.entries_raw(0, size)
        assert checkpoint.splitlines()[1] == str(size)
    finally:
        opened.vault.close()


def test_nothing_is_restored_over_anything(unsealed: Unsealed, made: Made, tmp_path: Path) -> None:
    before = unsealed.layout.ring.read_bytes()
    with pytest.raises(StoreExists):
        restore(made.folder, unsealed.site.data, quietly, unsealed.clock)
    assert unsealed.layout.ring.read_bytes() == before
    (tmp_path / "empty").mkdir()
    restore(made.folder, tmp_path / "empty", quietly, unsealed.clock)
    with pytest.raises(StoreExists):
        restore(made.folder, tmp_path / "empty", quietly, unsealed.clock)


def test_an_older_backup_beside_newer_evidence_stays_sealed(
    unsealed: Unsealed, made: Made, tmp_path: Path
) -> None:
    unsealed.enter(3)
    data = tmp_path / "new"
    restore(made.folder, data, quietly, unsealed.clock)
    unsealed.running.vault.export_tiles(unsealed.layout.tiles)
    shutil.copytree(unsealed.layout.tiles, data / "tiles")
    root = root_of(data, unsealed.founded.shares[:3])
    with pytest.raises(Exception, match="an earlier or another ledger was put back"):
        open_store(replace(unsealed.settings, data=data), root, unsealed.clock)


# --- how old it is ---


def test_the_last_backup_is_told_with_its_age_and_is_an_alarm_when_it_is_old(
    site: Site, medium: Path
) -> None:
    unsealed = Unsealed(site, site.found(), alarm_after=timedelta(hours=26))
    unsealed.unseal()
    try:
        assert b"juki_backup_age_seconds NaN" in unsealed.metrics.text()
        assert unsealed.running.backups.alarms() == []
        unsealed.now += timedelta(hours=27)
        (alarm,) = unsealed.running.backups.alarms()
        assert (alarm["name"], alarm["age_seconds"]) == ("backup-old", 27 * 3600)
        made = unsealed.make(medium)
        assert unsealed.running.backups.alarms() == []
        unsealed.now += timedelta(hours=26)
        told = unsealed.keeper.health()[1]["backup"]
        assert (told["manifest"], told["age_seconds"]) == (made.digest, 26 * 3600)
        assert (told["ledger_size"], told["under_way"]) == (made.manifest.ledger_size, False)
        assert b"juki_backup_age_seconds 93600.0" in unsealed.metrics.text()
        assert unsealed.running.backups.alarms() == []
        unsealed.now += timedelta(seconds=1)
        assert [each["name"] for each in unsealed.running.alarms()][:1] == ["backup-old"]
    finally:
        unsealed.appliance.close(Ending.STOP)
        unsealed.journal.close()


def test_the_last_backup_is_known_after_a_restart(unsealed: Unsealed, made: Made) -> None:
    unsealed.appliance.close(Ending.STOP)
    unsealed.unseal()
    told = unsealed.running.backups.status()
    assert (told["manifest"], told["ledger_size"]) == (made.digest, made.manifest.ledger_size)
