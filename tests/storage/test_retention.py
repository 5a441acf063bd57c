"""Versions whose time is over: erased for good, in the file and in every copy of it."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import apsw
import pytest

from storage.engine import Unit, VersionId
from storage.errors import Tampered, WrongKey
from tests.storage.stores import ITO, NAME, SATO, Store, entered, fields_of

DUE = date(2176, 4, 1).toordinal()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Ito in one version, and Sato in two, of which the older has a term."""
    store = Store(tmp_path / "store").create()

    def work(unit: Unit) -> None:
        sato = store.admit(unit, fields_of(SATO)).person
        store.amend(unit, sato, fields_of(SATO, name="鈴木　花子"))
        store.admit(unit, fields_of(ITO))
        unit.retain(VersionId(sato, 1), DUE)

    with store.opened() as vault:
        entered(vault, work)
    return store


def erase(store: Store, version: VersionId) -> None:
    with store.opened() as vault:
        entered(vault, lambda unit: unit.erase(version))


OLD = VersionId(1, 1)  # type: ignore[arg-type]


@pytest.mark.requirement("R154")
def test_an_erased_version_leaves_a_clean_store(store: Store) -> None:
    assert store.check().clean
    erase(store, OLD)
    report = store.check()
    assert report.clean, report.findings
    assert (report.persons, report.versions, report.cells) == (2, 3, 50)


@pytest.mark.requirement("R154")
def test_not_a_byte_of_it_stays_in_the_file(store: Store) -> None:
    with store.thief() as thief:
        ((wrap, cells),) = thief.execute("SELECT wrap, cells FROM ver WHERE vid = 4097")
    erase(store, OLD)
    with store.thief() as thief:
        thief.pragma("wal_checkpoint", "truncate")
        assert thief.execute("SELECT wrap, cells FROM ver WHERE vid = 4097").fetchall() == [
            (b"", b"")
        ]
        ((plain,),) = thief.execute("SELECT group_concat(hex(cells) || hex(wrap)) FROM ver")
    assert cells.hex().upper() not in plain
    assert wrap.hex().upper() not in plain


@pytest.mark.requirement("R154")
def test_without_its_retention_key_no_copy_of_the_file_tells_anything(store: Store) -> None:
    store.ring.destroy("kek/exp/2176")
    with store.opened() as vault, vault.view() as view:
        assert view.read(OLD.person, [NAME]).fields[NAME]
        with pytest.raises(Tampered, match="which is not held"):
            view.read(OLD.person, [NAME], 1)


def test_a_year_without_a_key_takes_a_later_one_and_never_an_earlier(store: Store) -> None:
    second = VersionId(OLD.person, 2)
    with store.opened() as vault:
        with pytest.raises(WrongKey, match="2178"):
            entered(vault, lambda unit: unit.retain(second, date(2178, 1, 1).toordinal()))
        entered(vault, lambda unit: unit.retain(second, date(2150, 1, 1).toordinal()))
    assert store.check().clean


DEEDS: dict[str, tuple[Callable[[apsw.Connection], object], str]] = {
    "a version emptied as if it had been erased": (
        lambda thief: thief.execute("UPDATE ver SET wrap = x'', cells = x'' WHERE vid = 8193"),
        "digest",
    ),
    "an erased version counted as one that was": (
        lambda thief: thief.execute("UPDATE term SET vid = 8193"),
        "is not under the retention key of its term",
    ),
    "a term of nobody": (
        lambda thief: thief.execute("UPDATE term SET vid = 40961"),
        "has a term and is not there",
    ),
}


@pytest.mark.parametrize(("deed", "found"), DEEDS.values(), ids=DEEDS)
def test_what_a_thief_does_about_it_is_found(
    store: Store, deed: Callable[[apsw.Connection], object], found: str
) -> None:
    with store.thief() as thief:
        deed(thief)
    assert any(found in f"{each.place}: {each.what}" for each in store.check().findings)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ver SET cells = x'' WHERE vid = 8193",
        "UPDATE ver SET cells = x'01', wrap = x'' WHERE vid = 8193",
        "UPDATE ver SET cells = x'', wrap = x'', seal = x'' WHERE vid = 8193",
        "DELETE FROM ver WHERE vid = 8193",
        "DELETE FROM ident WHERE person = 2",
    ],
)
def test_the_tables_let_nothing_else_go(store: Store, statement: str) -> None:
    with store.opened() as vault, pytest.raises(apsw.ConstraintError):
        entered(vault, lambda unit: unit._connection.execute(statement))
