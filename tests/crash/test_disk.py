"""The disk is broken at every write and every sync in turn; all or nothing survives."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import apsw
import pytest

from storage.engine import Entry, PersonId, Unit
from storage.errors import OutcomeUnknown, StorageError
from storage.vault import Vault
from tests.crash.breaking import DISK, VFS, Disk, Fault
from tests.storage.stores import ITO, SATO, Store, entered, fields_of


@pytest.fixture
def disk() -> Iterator[Disk]:
    DISK.reset()
    yield DISK
    DISK.reset()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("template") / "store").create()
    with store.opened() as vault:
        store.new_person(vault, fields_of(SATO))
    return store


def four_things(store: Store, unit: Unit) -> None:
    """Save a version, a document, a parcel and a ledger entry."""
    version = store.amend(unit, PersonId(1), fields_of(SATO, name="鈴木　花子"))
    unit.put_document("papers", b"k", b"body" * 1000)
    unit.send("national", "update", version, b"note")
    unit.enter(Entry(7, 0, b"four things", (PersonId(1),)))


def things_there(store: Store) -> list[bool]:
    with store.opened() as vault, vault.view() as view:
        return [
            view.latest(PersonId(1)) == 2,
            view.document("papers", b"k") is not None,
            len(view.parcels("national", 0, 9)) == 1,
            view.ledger_size() == 2,
            len(view.entries_about(PersonId(1))) == 1,
        ]


def copy_of(template: Store, folder: Path) -> Store:
    shutil.copytree(template.folder, folder)
    return Store(folder, template.ring)


def watch_commits(disk: Disk, vault: Vault) -> None:
    def committing() -> bool:
        disk.committing = True
        return False

    def committed(_connection: object, _name: str, _pages: int) -> int:
        disk.committing = False
        return vault._writer._wal_grew(_connection, _name, _pages)

    vault._writer._connection.set_commit_hook(committing)
    vault._writer._connection.set_wal_hook(committed)


def settle(vault: Vault) -> None:
    """Wait until the writer has nothing more to do: it carries the WAL after it has answered."""
    for _ in range(2):
        try:
            vault.write(lambda unit: None)
        except StorageError:
            assert vault.condition == "stopped"


def attempt(store: Store, disk: Disk, at: int, fault: Fault, *, lasting: bool) -> str:
    """Try the unit with a fault; return how it ended, and leave copies of what would survive."""
    vault = store.open(vfs=VFS)
    watch_commits(disk, vault)
    disk.arm(at, fault, lasting=lasting)
    try:
        vault.write(lambda unit: four_things(store, unit))
        ended = "acknowledged"
    except OutcomeUnknown:
        ended = "unknown"
    except StorageError:
        ended = "undone"
    settle(vault)
    # A fault after the commit is one in carrying the WAL into the file, which is tried again.
    expected = {"unknown": "stopped", "undone": "well"}
    assert vault.condition == expected.get(ended, "ailing" if disk.failed and lasting else "well")
    disk.copy_after_kill(store.folder, store.folder / "killed")
    disk.copy_after_power_cut(store.folder, store.folder / "cut")
    disk.at = None
    vault.close()
    return ended


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("fault", list(Fault), ids=[fault.value for fault in Fault])
@pytest.mark.parametrize("spills", [False, True], ids=["in memory", "spilling"])
def test_whatever_the_disk_does_all_of_a_unit_is_there_or_nothing(
    template: Store,
    disk: Disk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    lasting: bool,
    spills: bool,
) -> None:
    # The WAL is carried into the file after each commit, so that this is broken too.
    monkeypatch.setattr("storage.writer.WAL_PAGES", 1)
    if spills:
        monkeypatch.setattr("storage.connection.WRITER_CACHE_KIB", 40)
    ends, unknown_ends = set(), set()
    for at in count():
        disk.reset()
        store = copy_of(template, tmp_path / str(at))
        ended = attempt(store, disk, at, fault, lasting=lasting)
        assert (ended == "unknown") == disk.failed_committing, f"fault {at}"
        for survivor in ("killed", "cut"):
            after = Store(store.folder / survivor, store.ring)
            there = things_there(after)
            assert len(set(there)) == 1, f"fault {at}, {survivor}: half done, {there}"
            if ended == "unknown":
                unknown_ends.add(there[0])
            else:
                assert there[0] == (ended == "acknowledged"), f"fault {at}, {survivor}: {ended}"
            assert after.check().findings == (), f"fault {at}, {survivor}"
        # In this process, too, the file holds what it said.
        if ended != "unknown":
            assert things_there(store)[0] == (ended == "acknowledged")
        ends.add(ended)
        if not disk.failed:
            break
    assert ended == "acknowledged"
    assert ends == {"acknowledged", "unknown"} | ({"undone"} if spills else set())
    # It is called unknown because it is: some of those commits are there, others are not.
    assert unknown_ends == {True, False}


def test_after_a_failed_commit_nobody_is_answered(
    template: Store, disk: Disk, tmp_path: Path
) -> None:
    store = copy_of(template, tmp_path / "store")
    vault = store.open(vfs=VFS)
    checkpoint = vault.checkpoint()
    disk.arm(0)
    with pytest.raises(OutcomeUnknown):
        vault.write(lambda unit: four_things(store, unit))
    assert vault.condition == "stopped"
    assert vault.checkpoint() == checkpoint
    with pytest.raises(OutcomeUnknown):
        vault.write(lambda unit: unit.ledger_size())
    with pytest.raises(OutcomeUnknown), vault.view():
        pass
    before = {path.name: path.read_bytes() for path in store.folder.glob("juki.db*")}
    disk.at = None
    vault.close()
    after = {path.name: path.read_bytes() for path in store.folder.glob("juki.db*")}
    # Closing carries nothing into the file: what the failed commit left is for the next opening.
    assert after["juki.db"] == before["juki.db"]
    assert after["juki.db-wal"] == before["juki.db-wal"]


def test_a_disk_that_fails_before_the_commit_harms_one_unit_only(
    template: Store, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.connection.WRITER_CACHE_KIB", 40)
    store = copy_of(template, tmp_path / "store")
    with store.opened(vfs=VFS) as vault:
        disk.arm(0)
        with pytest.raises(StorageError, match="undone"):
            entered(vault, lambda unit: unit.put_document("papers", b"k", bytes(300_000)))
        assert vault.condition == "well"
        assert store.new_person(vault, fields_of(ITO)) == 2
    assert store.check().clean


def test_a_wal_that_cannot_be_carried_into_the_file_is_told_and_tried_again(
    template: Store, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.writer.WAL_PAGES", 1)
    store = copy_of(template, tmp_path / "store")
    with store.opened(vfs=VFS) as vault:

        def committed(connection: apsw.Connection, name: str, pages: int) -> int:
            disk.arm(0, lasting=True)
            return vault._writer._wal_grew(connection, name, pages)

        vault._writer._connection.set_wal_hook(committed)
        assert store.new_person(vault, fields_of(ITO)) == 2
        settle(vault)
        assert vault.condition == "ailing"
        with vault.view() as view:
            assert view.latest(PersonId(2)) == 1
        disk.at = None
        settle(vault)
        assert vault.condition == "well"
    assert store.check().clean


def test_a_disk_that_cannot_be_read_is_not_taken_for_another_key_or_a_thief(
    template: Store, disk: Disk, tmp_path: Path
) -> None:
    store = copy_of(template, tmp_path / "store")
    disk.readable = False
    with pytest.raises(StorageError) as caught:
        store.open(vfs=VFS)
    assert type(caught.value) is StorageError
    disk.readable = True
    store.open(vfs=VFS).close()
