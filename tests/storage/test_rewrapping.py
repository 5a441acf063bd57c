"""The yearly sweep: whatever stops it, every version opens, and nothing sealed is changed."""

import shutil
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.engine import PersonId, Rewrapped, Unit, VersionId
from storage.errors import Tampered
from storage.keyring import KeyRing
from tests.storage.stores import ITO, NAME, SATO, Store, entered, fields_of

PERSONS = 7
DUE = date(2176, 4, 1).toordinal()
HELD, ERASED = VersionId(PersonId(1), 1), VersionId(PersonId(2), 1)
MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Seven persons of one to three versions, one of which has a term and one is erased."""
    store = Store(tmp_path_factory.mktemp("template") / "store").create()

    def work(unit: Unit) -> None:
        for number in range(PERSONS):
            codes = fields_of(SATO if number % 2 else ITO) | {1: b"%011d" % number, 9: None}
            person = store.admit(unit, codes).person
            for again in range(number % 3 + (number < 2)):
                store.amend(unit, person, codes | {NAME: f"鈴木　{again}".encode()})
        for version in (HELD, ERASED):
            unit.retain(version, DUE)
        unit.erase(ERASED)

    with store.opened() as vault:
        entered(vault, work)
    return store


@pytest.fixture
def store(template: Store, tmp_path: Path) -> Store:
    return copy_of(template, tmp_path / "store")


def copy_of(template: Store, folder: Path) -> Store:
    """Copy a store, with a ring of its own that has the keys of the next year."""
    shutil.copytree(template.folder, folder)
    ring = KeyRing(template.ring.header, template.ring._root, template.ring._entries.values())
    ring.ensure("kek/active/2027")
    return Store(folder, ring)


def rows(store: Store) -> dict[int, tuple[bytes, bytes, tuple[bytes, ...]]]:
    """Return of every version the number of its key, its wrap, and what is sealed."""
    with store.thief() as thief:
        found = thief.execute("SELECT vid, hdr, wrap, rsc, seal, cells FROM ver").fetchall()
    return {vid: (hdr[6:10], wrap, (hdr[:6], *sealed)) for vid, hdr, wrap, *sealed in found}


def swept(store: Store, after: VersionId | None, limit: int) -> Rewrapped:
    with store.opened() as vault:
        done: Rewrapped = entered(vault, lambda unit: unit.rewrap(after, limit))
        return done


def names(store: Store) -> list[bytes | None]:
    """Return what every version that is there says."""
    with store.opened() as vault, vault.view() as view:
        return [
            view.read(person, [NAME], number).fields[NAME]
            for person in view.persons(0, 100)
            for number in range(1, view.latest(person) + 1)
            if VersionId(person, number) != ERASED
        ]


def test_every_version_comes_under_the_newest_key_and_nothing_else_changes(store: Store) -> None:
    before, said = rows(store), names(store)
    done = swept(store, None, 100)
    after = rows(store)
    assert done == Rewrapped(len(before), len(before) - 2, VersionId(PersonId(7), 1), PERSONS)
    new = store.ring.kek("kek/active/2027").id.to_bytes(4, "little")
    for vid, (kek, wrap, sealed) in after.items():
        assert sealed == before[vid][2]
        if vid in (HELD.person * 4096 + 1, ERASED.person * 4096 + 1):
            assert (kek, wrap) == before[vid][:2]
        else:
            assert kek == new
            assert wrap != before[vid][1]
    assert names(store) == said
    assert store.check().clean


def test_the_older_key_is_needed_by_nobody_any_more(store: Store) -> None:
    said = names(store)
    swept(store, None, 100)
    store.ring.destroy("kek/active/2026")
    assert names(store) == said
    assert store.check().clean


def test_before_the_end_the_older_key_is_needed(store: Store) -> None:
    swept(store, None, 3)
    store.ring.destroy("kek/active/2026")
    with pytest.raises(Tampered, match="which is not held"):
        names(store)


def test_a_sweep_that_is_through_finds_nothing_more_to_do(store: Store) -> None:
    first = swept(store, None, 100)
    assert swept(store, first.through, 100) == Rewrapped(0, 0, first.through, PERSONS)
    assert swept(store, None, 100).moved == 0


def test_an_empty_store_is_through_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "store").create()
    store.ring.ensure("kek/active/2027")
    assert swept(store, None, 10) == Rewrapped(0, 0, None, 0)


def test_a_step_that_is_undone_leaves_everything_as_it_was(store: Store) -> None:
    before = rows(store)

    def fails(unit: Unit) -> None:
        assert unit.rewrap(None, 100).moved
        raise LookupError

    with store.opened() as vault, pytest.raises(LookupError):
        entered(vault, fails)
    assert rows(store) == before


def test_a_wrap_that_was_changed_is_not_passed_on(store: Store) -> None:
    with store.thief() as thief:
        thief.execute("UPDATE ver SET wrap = zeroblob(72) WHERE vid = 4098")
    before = rows(store)
    with pytest.raises(Tampered, match="person 1 version 2"):
        swept(store, None, 100)
    assert rows(store) == before


def test_the_years_there_are_keys_of_are_told(store: Store) -> None:
    with store.opened() as vault, vault.view() as view:
        assert view.key_years() == (2026, 2027)


@given(
    steps=st.lists(
        st.tuples(st.integers(1, 6), st.sampled_from(["", "amend", "retain", "year"])),
        max_size=8,
    )
)
def test_stopped_anywhere_and_whatever_happens_between_all_opens_and_follows(
    template: Store, steps: list[tuple[int, str]]
) -> None:
    base = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    try:
        store = copy_of(template, base / "store")
        after: VersionId | None = None
        kept = [VersionId(PersonId(5), 1), VersionId(PersonId(6), 1)]
        for limit, between in steps:
            # Each step is a process of its own: the store is opened and closed for it.
            after = swept(store, after, limit).through
            with store.opened() as vault:
                if between == "amend":
                    entered(vault, lambda unit: store.amend(unit, PersonId(3), fields_of(ITO)))
                elif between == "retain" and kept:
                    gone = kept.pop()
                    entered(vault, lambda unit, gone=gone: unit.retain(gone, DUE))
            if between == "year":
                newest = max(map(int, store.ring.family("kek/active")))
                store.ring.ensure(f"kek/active/{newest + 1}")
                after = None
            report = store.check()
            assert report.clean, report.findings
            names(store)
        while (done := swept(store, after, 4)).looked == 4:
            after = done.through
        for year in sorted(store.ring.family("kek/active"))[:-1]:
            store.ring.destroy(f"kek/active/{year}")
        names(store)
        assert store.check().clean
    finally:
        shutil.rmtree(base)
