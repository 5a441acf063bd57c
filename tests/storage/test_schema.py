from hashlib import sha256
from pathlib import Path

import apsw
import pytest

from storage import schema
from storage.connection import ask, open_writer
from storage.engine import PersonId, VersionId
from storage.errors import StorageError, Tampered
from storage.terms import packed
from tests.storage.frozen_v1 import make_v1
from tests.storage.stores import ITO, NAME, ORIGIN, SATO, Store, entered, fields_of

PUBLISHED = {
    1: "64baac7bac187983",
    2: "6bd262568785f10b",
    3: "370035a7b4c858c8",
    4: "a120b521ae8434c5",
}
"""Digests of the steps that have been published: a file in the field was made by these."""


def test_a_published_step_never_changes() -> None:
    digests = {
        number: sha256("\0".join(" ".join(each.split()) for each in step).encode()).hexdigest()[:16]
        for number, step in enumerate(schema.STEPS, start=1)
    }
    assert digests == PUBLISHED


def version_1(tmp_path: Path) -> Store:
    tmp_path.chmod(0o700)
    store = Store(tmp_path)
    tokens = store.finder(fields_of(SATO))
    identifiers = [(each.index, each.value) for each in tokens if isinstance(each.value, bytes)]
    postings = [packed(each) for each in tokens if not isinstance(each.value, bytes)]
    make_v1(store.file, store.ring, ORIGIN, fields_of(SATO), identifiers, postings)
    return store


def test_a_file_of_version_1_is_brought_forward_with_all_that_is_in_it(tmp_path: Path) -> None:
    store = version_1(tmp_path)
    with store.opened() as vault:
        sato = PersonId(1)
        with vault.view() as view:
            assert view.read(sato, [NAME]).fields == {NAME: SATO[NAME].encode()}
            assert all(
                view.identified(each) == sato
                if isinstance(each.value, bytes)
                else view.candidates([each], 9) == [sato]
                for each in store.finder(fields_of(SATO))
            )
            assert [each.body for each in view.documents("papers")] == [b"body"]
            (parcel,) = view.parcels("national", 0, 9)
            assert (parcel.note, parcel.version) == (b"note", VersionId(sato, 1))
            assert view.acknowledged("national") == 1
            assert [each.body for each in view.entries(0, 9)] == [b"entry"]
            assert view.entries_about(sato) == [0]
        store.new_person(vault, fields_of(ITO))
        entered(vault, lambda unit: store.amend(unit, sato, fields_of(SATO, name="鈴木　花子")))
    assert store.check().findings == ()


def test_a_file_that_is_brought_forward_is_made_as_a_new_one(tmp_path: Path) -> None:
    store = version_1(tmp_path)
    store.open().close()
    connection = open_writer(store.file, store.ring.key("page/main/1"))
    assert schema.version_of(connection) == schema.CURRENT
    assert schema.differences(connection) == []
    connection.close()


def test_going_forward_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = version_1(tmp_path)
    broken = ("CREATE TABLE more (x INTEGER) STRICT", "CREATE TABLE more (x INTEGER) STRICT")
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, broken))
    monkeypatch.setattr(schema, "CURRENT", len(schema.STEPS))
    with pytest.raises(StorageError):
        store.open()
    monkeypatch.undo()
    with store.thief() as connection:
        assert schema.version_of(connection) == 1
        assert not ask(connection, "SELECT 1 FROM sqlite_schema WHERE name = 'more'")
    store.open().close()


def test_a_file_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    store = Store(tmp_path).create()
    with store.thief() as connection:
        ask(connection, "PRAGMA user_version = 99")
    with pytest.raises(StorageError, match="version 99"):
        store.open()


@pytest.mark.parametrize("pragma", ["application_id = 7", "application_id = 0"])
def test_a_file_of_another_application_is_left_alone(tmp_path: Path, pragma: str) -> None:
    store = Store(tmp_path).create()
    with store.thief() as connection:
        ask(connection, f"PRAGMA {pragma}")
    with pytest.raises(Tampered, match="another application"):
        store.open()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaf SET entry = X'00'",
        "DELETE FROM leaf",
        "DELETE FROM tile_root",
        "UPDATE tile_root SET hash = X'00'",
        "DELETE FROM subj",
        "UPDATE subj SET idx = 7",
        "DELETE FROM ident",
        "UPDATE ident SET person = 7",
        "DELETE FROM parcel",
        "UPDATE parcel SET kind = ''",
        "DELETE FROM ver",
        "UPDATE ver SET cells = X'00'",
        "UPDATE ver SET seal = X'00'",
        "UPDATE ver SET vid = 5000",
        "UPDATE doc SET body = X'00'",
    ],
)
def test_what_was_written_cannot_be_rewritten_by_mistake(tmp_path: Path, statement: str) -> None:
    store = version_1(tmp_path)
    with store.opened() as vault:

        def many(unit) -> None:
            store.admit(unit, fields_of(ITO))

        for _ in range(256):
            entered(vault, lambda unit: unit.put_document("papers", b"k", b""))
        entered(vault, many)
        connection = vault._writer._connection
        with pytest.raises(StorageError, match="keeps what was written"):
            ask(connection, statement)


def test_a_retention_key_can_be_changed(tmp_path: Path) -> None:
    store = version_1(tmp_path)
    with store.opened() as vault:
        connection = vault._writer._connection
        ask(connection, "UPDATE ver SET hdr = hdr, wrap = wrap")
        assert connection.changes() == 1


def test_the_tables_are_made_strict(tmp_path: Path) -> None:
    connection = apsw.Connection(":memory:")
    schema.bring_forward(connection)
    tables = ask(connection, "SELECT name, \"strict\" FROM pragma_table_list WHERE schema = 'main'")
    assert {name for name, strict in tables if not strict} == {"sqlite_schema"}
    connection.close()
