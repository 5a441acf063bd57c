import itertools
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from appliance.audit import Event
from appliance.errors import StartupError
from appliance.ledger_reader import LedgerReader
from appliance.machine import firmware, init
from appliance.machine.firmware import sign
from appliance.machine.init import Founded, found, write_shares
from appliance.machine.opening import Opened, installation, open_store
from appliance.machine.store import Layout, read_identity, sealed_store
from appliance.roster import Roster
from storage.errors import Tampered, WrongKey
from storage.keyring import KeyRing
from storage.note import Signer
from storage.unseal import new_root
from tests.appliance.founding import NOW, ORIGIN, Site, make_site, root_of


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


def opened(site: Site, founded: Founded, days: int = 0) -> Opened:
    root = root_of(site.data, founded.shares[:3])
    return open_store(site.settings, root, lambda: NOW + timedelta(days=days))


def left_overs(site: Site) -> list[str]:
    return [path.name for path in site.folder.iterdir() if path.name.startswith("data")]


def test_any_three_of_five_shares_open_the_store(site: Site) -> None:
    founded = site.found()
    roots = {root_of(site.data, three) for three in itertools.combinations(founded.shares, 3)}
    assert len(roots) == 1
    open_store(site.settings, roots.pop(), lambda: NOW).vault.close()


def test_a_store_of_an_earlier_version_draws_what_it_lacks_once(site: Site) -> None:
    founded = site.found()
    path = Layout(site.data).ring
    ring = KeyRing.open(path, root_of(site.data, founded.shares[:3]))
    del ring._entries["media/1"]
    ring.save(path)
    keys = []
    for _ in range(2):
        store = opened(site, founded)
        keys.append(store.ring.key("media/1"))
        store.vault.close()
    assert keys[0] == keys[1]


def test_a_new_store_knows_its_first_people_and_says_so_in_its_ledger(site: Site) -> None:
    founded = site.found()
    store = opened(site, founded)
    try:
        with store.vault.view() as view:
            roster = Roster(view, None)
            (terminal,) = roster.terminals()
            founders = [
                (person.person_id, authority.roles, state.has_pin)
                for person in roster.persons()
                for authority in roster.held_by(person.person_id)
                for state in [roster.login_state(person.person_id)]
            ]
            codes = (founded.enrolment_code, founded.officer_code)
            enrolments = [roster.enrolment(code) for code in codes]
            entries = list(LedgerReader(view).newest_first())[::-1]
            record = installation(view)
    finally:
        store.vault.close()
    assert terminal.kind == "representative"
    assert founders == [
        ("P-0001", ("system-administrator",), False),
        ("P-9001", ("security-officer",), False),
    ]
    assert [each and (each.person_id, each.methods) for each in enrolments] == [
        ("P-0001", ("device", "pin")),
        ("P-9001", ("device", "pin")),
    ]
    assert all(each and each.until == NOW + timedelta(hours=24) for each in enrolments)
    assert [entry.operation for entry in entries] == ["system/init", "system/unseal"]
    assert entries[0].event is Event.SYSTEM
    assert record.identity == founded.identity == read_identity(Layout(site.data))
    assert record.policy_serial == 1
    assert founded.identity.ledger_key.startswith(f"{ORIGIN}+")


def test_everything_is_its_owners_alone(site: Site) -> None:
    site.found()
    for path in (site.data, *site.data.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_an_existing_store_is_never_made_over(site: Site) -> None:
    founded = site.found()
    with pytest.raises(StartupError, match="is not empty"):
        site.found()
    opened(site, founded).vault.close()


def test_an_empty_folder_made_beforehand_is_taken(site: Site) -> None:
    site.data.mkdir()
    site.found()
    assert Layout(site.data).ring.is_file()


@pytest.mark.parametrize(
    "step", ["split", "create", "open_vault", "_first_entries", "_try_every_share", "_sync_all"]
)
def test_a_failure_at_any_step_leaves_no_store(
    site: Site, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(init, step, fail)
    with pytest.raises(OSError, match="No space"):
        site.found()
    assert left_overs(site) == []
    monkeypatch.undo()
    site.found()


def test_what_a_crash_left_behind_is_cleared_away(site: Site) -> None:
    half = site.folder / "data.unfinished"
    half.mkdir()
    (half / "keyring.cbor").write_bytes(b"half")
    site.found()
    assert left_overs(site) == ["data"]


def test_shares_that_cannot_be_handed_out_leave_no_store(site: Site) -> None:
    handed: list[Founded] = []

    def deliver(founded: Founded) -> None:
        handed.append(founded)
        assert not site.data.exists()
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        found(site.founding(), deliver, lambda: NOW)
    assert left_overs(site) == []
    assert len(handed[0].shares) == 5


def test_each_custodian_gets_a_file_of_his_own(site: Site) -> None:
    founded = site.found()
    paths = write_shares(site.custodians, founded)
    assert [path.name for path in paths] == [
        *(f"share-{number}.txt" for number in range(1, 6)),
        "policy-1.key",
        "policy-2.key",
    ]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in paths)
    assert site.custodians.stat().st_mode & 0o777 == 0o700
    assert root_of(site.data, (path.read_text() for path in paths[1:4]))
    with pytest.raises(StartupError) as caught:
        write_shares(site.custodians, founded)
    assert len(caught.value.problems) == 7


def test_a_policy_signed_elsewhere_is_taken_as_it_is(site: Site) -> None:
    center = [*map(Signer, firmware.SIGNER_NAMES, (bytes(range(32)), bytes(range(1, 33))))]
    for signer in center:
        sign(site.firmware, signer)
    keys = tuple(signer.vkey for signer in center)
    founded = site.found(policy_keys=keys)
    assert founded.policy_secrets == ()
    assert founded.identity.policy_keys == keys
    assert not any(path.suffix == ".key" for path in write_shares(site.custodians, founded))
    opened(site, founded).vault.close()


def test_a_policy_signed_by_somebody_else_founds_nothing(site: Site) -> None:
    known, stranger = (Signer(firmware.SIGNER_NAMES[0], seed) for seed in (bytes(32), b"s" * 32))
    sign(site.firmware, known)
    sign(site.firmware, stranger)
    expected = known.vkey, Signer(firmware.SIGNER_NAMES[1], bytes(range(32))).vkey
    with pytest.raises(StartupError, match="the signature of juki-policy-2 is missing"):
        site.found(policy_keys=expected)
    assert left_overs(site) == []


def test_a_policy_that_would_not_load_founds_nothing(site: Site) -> None:
    roles = site.firmware / "policy" / "roles.toml"
    roles.write_text(roles.read_text("utf-8").replace("session/close", "session/clsoe"))
    with pytest.raises(StartupError, match="session/clsoe"):
        site.found()
    assert left_overs(site) == []
    assert not (site.firmware / "MANIFEST").exists()


def test_a_plugin_that_is_not_installed_founds_nothing(site: Site) -> None:
    (site.firmware / "plugins.toml").write_text('version = 1\nplugins = ["nowhere"]\n')
    with pytest.raises(StartupError, match="plugin nowhere is not installed"):
        site.found()


def test_a_firmware_folder_that_cannot_be_written_founds_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(path: Path, content: bytes, mode: int) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(firmware, "replace_file", read_only)
    with pytest.raises(StartupError, match="MANIFEST: Read-only file system"):
        site.found()
    assert left_overs(site) == []


# --- what opening demands ---


def test_a_signed_change_of_the_policy_is_taken_and_remembered(site: Site) -> None:
    founded = site.found()
    old = {name: (site.firmware / name).read_bytes() for name in ("MANIFEST", "MANIFEST.sig")}
    with (site.firmware / "plugins.toml").open("a") as file:
        file.write("# another plugin\n")
    first, second = map(firmware.signer_of, founded.policy_secrets)
    sign(site.firmware, first)
    with pytest.raises(StartupError, match="signed by one person only"):
        opened(site, founded)
    sign(site.firmware, second)
    store = opened(site, founded)
    with store.vault.view() as view:
        assert installation(view).policy_serial == 2
    store.vault.close()
    for name, content in old.items():
        (site.firmware / name).write_bytes(content)
    with pytest.raises(StartupError, match="an old policy cannot be put back"):
        opened(site, founded)


def test_a_changed_policy_keeps_the_store_shut_and_the_lock_free(site: Site) -> None:
    founded = site.found()
    roles = site.firmware / "policy" / "roles.toml"
    good = roles.read_bytes()
    roles.write_bytes(good + b"\n")
    with pytest.raises(StartupError, match=r"policy/roles\.toml: was changed"):
        opened(site, founded)
    roles.write_bytes(good)
    opened(site, founded).vault.close()


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (ORIGIN, "audit.juki.test/g2", "origin"),
        ('prefecture = "43"', 'prefecture = "44"', "prefecture"),
        ("1_048_576", "100_000", "expected_residents"),
    ],
)
def test_what_was_fixed_at_init_cannot_be_changed(site: Site, old: str, new: str, key: str) -> None:
    founded = site.found()
    site.config.write_text(site.config.read_text().replace(old, new))
    with pytest.raises(StartupError, match=f"{key}: the store was made"):
        opened(site, founded)


def test_the_identity_card_of_another_store_is_found_out(site: Site) -> None:
    founded = site.found()
    keys = founded.identity.policy_keys[0], Signer("thief", bytes(32)).vkey
    card = msgspec.structs.replace(founded.identity, policy_keys=keys)
    Layout(site.data).identity.write_bytes(msgspec.json.encode(card))
    with pytest.raises(Tampered, match="identity card"):
        opened(site, founded)


def test_a_store_without_its_record_is_not_believed(site: Site) -> None:
    founded = site.found()
    store = opened(site, founded)
    with store.vault.view() as view, pytest.raises(Tampered, match="no record"):
        installation(_Empty(view))  # type: ignore[arg-type]
    store.vault.close()


class _Empty:
    def __init__(self, view: object) -> None:
        pass

    def document(self, collection: str, key: bytes) -> None:
        return None


def test_a_wrong_root_opens_nothing(site: Site) -> None:
    site.found()
    with pytest.raises(WrongKey):
        open_store(site.settings, new_root(), lambda: NOW)


def test_a_new_year_draws_new_keys(site: Site) -> None:
    founded = site.found()
    store = opened(site, founded, days=300)
    assert sorted(store.ring.family("log-body")) == ["2026", "2027"]
    store.vault.close()
    again = opened(site, founded, days=301)
    assert sorted(again.ring.family("kek/active")) == ["2026", "2027"]
    again.vault.close()


@pytest.mark.parametrize("days", [-400, 5000])
def test_a_clock_that_leaps_draws_no_keys(site: Site, days: int) -> None:
    founded = site.found()
    store = opened(site, founded, days=days)
    assert sorted(store.ring.family("log-body")) == ["2026"]
    store.vault.close()


def test_two_keys_are_told_from_anything_else() -> None:
    one, other = (Signer(name, bytes(32)).vkey for name in firmware.SIGNER_NAMES)
    assert not firmware.are_two_keys((one, other)), "one key under two names"
    assert not firmware.are_two_keys((one,))
    assert not firmware.are_two_keys((one, "juki-policy-2"))
    assert firmware.are_two_keys((one, Signer("juki-policy-2", b"s" * 32).vkey))


def test_a_data_folder_that_is_no_store_says_how_to_make_one(site: Site) -> None:
    with pytest.raises(StartupError, match="juki init"):
        sealed_store(site.settings)


@pytest.mark.parametrize("card", [b"{}", b"\xff", b'{"colour": 1}'])
def test_what_is_no_identity_card_is_refused(site: Site, card: bytes) -> None:
    site.found()
    Layout(site.data).identity.write_bytes(card)
    with pytest.raises(StartupError, match="is not an identity card"):
        sealed_store(site.settings)


def test_what_cannot_be_read_is_named(site: Site) -> None:
    site.found()
    layout = Layout(site.data)
    layout.ring.unlink()
    with pytest.raises(StartupError, match=r"keyring\.cbor: No such file"):
        sealed_store(site.settings)
    layout.identity.unlink()
    layout.identity.mkdir()
    with pytest.raises(StartupError, match=r"identity\.json: Is a directory"):
        sealed_store(site.settings)
