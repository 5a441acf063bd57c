import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import ledger, note, tilecheck
from storage.engine import Engine, Entry, PersonId, View
from storage.errors import LedgerBroken, StorageError, StoreInUse, WrongKey
from storage.keyring import KeyRing
from storage.proof import Proof
from storage.terms import packed
from storage.vault import create, open_vault
from tests.storage.conformance import Conformance
from tests.storage.made import INSTALLATION, ROOT
from tests.storage.stores import (
    CODE,
    ENTRY,
    ITO,
    KANA,
    NAME,
    ORIGIN,
    SATO,
    Store,
    entered,
    fields_of,
)


class TestVaultIsAnEngine(Conformance):
    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[Engine]:
        with Store(tmp_path / "store").create().opened() as vault:
            yield vault


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store").create()


def test_what_was_committed_is_there_when_the_store_is_opened_again(store: Store) -> None:
    with store.opened() as vault:
        sato = store.new_person(vault, fields_of(SATO))
        entered(vault, lambda unit: unit.put_document("papers", b"k", b"body"))
        checkpoint = vault.checkpoint()
    with store.opened() as vault:
        assert vault.checkpoint() == checkpoint
        with vault.view() as view:
            assert view.read(sato, [NAME]).fields == {NAME: SATO[NAME].encode()}
        assert store.new_person(vault, fields_of(ITO)) == sato + 1
    assert store.check().clean


def test_a_store_is_readable_by_its_owner_alone(store: Store) -> None:
    with store.opened() as vault:
        store.new_person(vault, fields_of(SATO))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_there_is_one_store_in_a_folder(store: Store) -> None:
    before = store.file.read_bytes()
    with pytest.raises(StorageError, match="already"):
        store.create()
    assert store.file.read_bytes() == before


def test_a_creation_that_was_cut_off_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "juki.db.new").write_bytes(b"half")
    (tmp_path / "juki.db.new-wal").write_bytes(b"half")
    with Store(tmp_path).create().opened() as vault:
        assert vault.condition == "well"
    assert not list(tmp_path.glob("*.new*"))


def test_a_folder_without_a_store_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no store"):
        Store(tmp_path).open()


def test_the_store_says_when_it_was_made(store: Store) -> None:
    with store.opened() as vault:
        assert vault.made_ms == 1_775_000_000_001


def test_the_ring_of_another_store_does_not_open_it(store: Store) -> None:
    store.ring = KeyRing.create(ROOT, INSTALLATION, 20, 2026)
    with pytest.raises(WrongKey):
        store.open()


def test_another_name_of_the_ledger_does_not_open_it(store: Store) -> None:
    with pytest.raises(LedgerBroken, match="not signed"):
        open_vault(store.folder, store.ring, origin="other.test/g1", clock_ms=store.clock_ms)


def test_a_store_that_did_not_open_is_free_again(store: Store) -> None:
    ring, store.ring = store.ring, KeyRing.create(ROOT, INSTALLATION, 20, 2026)
    with pytest.raises(WrongKey):
        store.open()
    store.ring = ring
    store.open().close()


def test_a_second_opening_is_told_which_process_has_the_store(store: Store) -> None:
    with store.opened(), pytest.raises(StoreInUse, match=f"process {os.getpid()}$"):
        store.open()
    store.open().close()


def test_a_second_process_is_told_which_process_has_the_store(store: Store) -> None:
    store.ring.save(store.folder / "keyring.cbor")
    opener = (
        "import sys, pathlib, storage\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "ring = storage.KeyRing.open(folder / 'keyring.cbor', bytes.fromhex(sys.argv[2]))\n"
        "try: storage.open_vault(folder, ring, origin=sys.argv[3], clock_ms=lambda: 1)\n"
        "except storage.errors.StoreInUse as problem: print(problem)\n"
    )
    with store.opened():
        command = [sys.executable, "-c", opener, str(store.folder), ROOT.hex(), ORIGIN]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == f"the store is in use by process {os.getpid()}\n"


def test_creating_beside_a_running_store_is_refused(store: Store) -> None:
    with store.opened(), pytest.raises(StoreInUse):
        create(store.folder, store.ring, ORIGIN, store.clock_ms)


def test_keys_of_a_later_year_are_used_from_the_next_opening_on(store: Store) -> None:
    with store.opened() as vault:
        sato = store.new_person(vault, fields_of(SATO))
        vault.write(lambda unit: unit.enter(Entry(1, 0, b"2026", (sato,))))
    for name in ("kek/active/2027", "log-body/2027", "log-subj/2027"):
        store.ring.ensure(name)
    with store.opened() as vault:
        entered(vault, lambda unit: store.amend(unit, sato, fields_of(SATO, name="鈴木　花子")))
        index = vault.write(lambda unit: unit.enter(Entry(1, 0, b"2027", (sato,))))
        with vault.view() as view:
            assert view.entries_about(sato) == [1, index]
            assert [each.body for each in view.entries(0, 9)][1::2] == [b"2026", b"2027"]
            assert view.read(sato, [NAME], 1).fields == {NAME: SATO[NAME].encode()}
    assert store.check().clean


def test_a_person_has_at_most_4095_versions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.unit.MOST_VERSIONS", 3)
    with store.opened() as vault:
        sato = store.new_person(vault, fields_of(SATO))
        for _ in range(2):
            entered(vault, lambda unit: store.amend(unit, sato, fields_of(SATO)))
        with pytest.raises(StorageError, match="all the versions"):
            entered(vault, lambda unit: store.amend(unit, sato, fields_of(SATO)))


def test_the_vault_proves_that_an_entry_is_in_its_ledger(store: Store) -> None:
    with store.opened() as vault:
        for number in range(5):
            vault.write(lambda unit, number=number: unit.enter(Entry(number, 0, b"")))
        proof = Proof.parse(vault.prove(3))
        with vault.view() as view:
            (entry,) = view.entries_raw(3, 4)
        assert proof.verify(entry, note.VerifierKey.parse(vault.vkey)).size == 5
        with pytest.raises(ValueError):
            vault.prove(5)


def test_the_exported_ledger_verifies_with_the_public_key_alone(
    store: Store, tmp_path: Path
) -> None:
    with store.opened() as vault:

        def many(unit) -> None:
            for _ in range(600):
                unit.enter(ENTRY)

        for _ in range(2):
            vault.write(many)
            vault.export_tiles(tmp_path / "tiles")
        report = tilecheck.verify_folder(tmp_path / "tiles", vault.vkey)
        assert report.sound
        assert report.checkpoint.size == 1200
        assert (tmp_path / "tiles" / "checkpoint").read_text("utf-8") == vault.checkpoint()


def test_views_of_threads_that_ended_hold_nothing_open(store: Store) -> None:
    with store.opened() as vault:
        open_before = len(os.listdir("/proc/self/fd"))

        def look() -> None:
            with vault.view() as view:
                view.ledger_size()

        for _ in range(10):
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
        assert len(os.listdir("/proc/self/fd")) <= open_before + 3


def test_a_store_closes_whole_though_somebody_holds_views_that_are_over(store: Store) -> None:
    kept: list[View] = []

    def look() -> None:
        with vault.view() as view:
            kept.append(view)

    with store.opened() as vault:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        store.new_person(vault, fields_of(SATO))
    assert sorted(path.name for path in store.folder.glob("juki.db*")) == ["juki.db"]
    assert kept


def test_a_view_that_is_open_when_the_store_is_closed_stays_good(store: Store) -> None:
    vault = store.open()
    store.new_person(vault, fields_of(SATO))
    with vault.view() as view:
        vault.close()
        assert view.latest(PersonId(1)) == 1
    store.open().close()


def test_no_value_is_in_any_file_not_even_while_the_store_is_open(store: Store) -> None:
    secrets = {"9123456789012": "a note", "session of 山田": "a document", "閲覧の事由": "an entry"}
    with store.opened() as vault:
        sato = store.new_person(vault, fields_of(SATO))
        ito = store.new_person(vault, fields_of(ITO))

        def more(unit) -> None:
            version = store.amend(unit, sato, fields_of(SATO, address="熊本市中央区水前寺６丁目"))
            unit.send("national", "update", version, b"9123456789012")
            unit.put_document("sessions", b"s1", "session of 山田".encode())
            unit.enter(Entry(4, 0, "閲覧の事由".encode(), (sato, ito)))

        vault.write(more)
        vault.export_tiles(store.folder / "tiles")
        files = [path for path in store.folder.rglob("*") if path.is_file()]
        assert {"juki.db", "juki.db-wal"} <= {path.name for path in files}
        everything = b"\n".join(path.read_bytes() for path in files)
        tokens = store.finder(fields_of(SATO))
    known = [*SATO.values(), *ITO.values(), "熊本", "水前寺", "912345678901", *secrets]
    known += [SATO[NAME][:2], SATO[KANA][:3]]
    for value in known:
        for encoding in ("utf-8", "utf-16-le", "euc_jp", "cp932"):
            assert value.encode(encoding) not in everything, f"a value, as {encoding}"
    for token in tokens:
        raw = token.value if isinstance(token.value, bytes) else packed(token).to_bytes(7, "big")
        assert raw not in everything
    assert b"CREATE TABLE" not in everything
    assert SATO[CODE].encode() not in store.file.read_bytes()


def test_the_body_of_an_entry_that_is_cut_is_noticed() -> None:
    for cut in (b"", b"\x01\x00", b"\x02\x00" + bytes(15)):
        with pytest.raises(LedgerBroken):
            ledger.unframed(cut)
