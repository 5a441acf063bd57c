import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from storage import aead
from storage.bulk import Bulk, BulkUnit, open_bulk
from storage.engine import Fields, PersonId
from storage.errors import LedgerBroken, LoadUnfinished, StorageError, StoreInUse
from storage.keyring import KeyRing
from storage.sealing import Sealed, Sealer, SealingKeys
from tests.storage.made import INSTALLATION, ROOT
from tests.storage.stores import ENTRY, ITO, ORIGIN, SATO, Store, fields_of

PEOPLE = [fields_of(SATO), fields_of(ITO), fields_of(SATO, name="佐藤　次郎", number="9" * 12)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store").create()


def opened(store: Store) -> AbstractContextManager[Bulk]:
    return open_bulk(store.folder, store.ring, origin=ORIGIN, clock_ms=store.clock_ms)


def sealed(store: Store, people: Sequence[Fields], first: int = 1) -> Sealed:
    """Seal people as another process would."""

    def compounds(fields: Fields) -> list[tuple[int, int]]:
        found = store.finder(fields)
        return [(each.index, each.value) for each in found if isinstance(each.value, int)]

    return Sealer(SealingKeys.of(store.ring)).seal(
        (PersonId(first + at), fields, compounds(fields)) for at, fields in enumerate(people)
    )


def bring(store: Store, unit: BulkUnit, people: Sequence[Fields]) -> None:
    first = unit.following
    for at, fields in enumerate(people):
        for token in store.finder(fields):
            if isinstance(token.value, bytes):
                claimed = unit.is_claimed(token.index, token.value)
                if not claimed:
                    unit.claim(token.index, token.value, PersonId(first + at))
    unit.bring(sealed(store, people, first), [])
    unit.enter(ENTRY)


def differing(*people: Fields) -> list[Fields]:
    """Give each a 住民票コード of his own, without which nobody is anybody."""
    return [{**fields, 1: b"9%010d" % at} for at, fields in enumerate(people)]


def test_who_was_brought_is_found_and_the_store_is_clean(store: Store) -> None:
    people = differing(*PEOPLE)
    with opened(store) as bulk:
        with bulk.unit() as unit:
            bring(store, unit, people[:2])
            unit.send_all([("national", "change", 1, b"a"), ("national", "change", 2, b"b")])
            unit.tally_all({"population/432024": 2, "nothing": 0})
        with bulk.unit() as unit:
            bring(store, unit, people[2:])
        told: list[tuple[int, int]] = []
        bulk.post(lambda done, whole: told.append((done, whole)))
        bulk.post()
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1]
    report = store.check()
    assert report.findings == ()
    assert (report.persons, report.parcels, report.entries) == (3, 2, 2)
    assert report.tallies == {"population/432024": 2}
    with store.opened() as vault, vault.view() as view:
        for at, fields in enumerate(people, start=1):
            tokens = [each for each in store.finder(fields) if isinstance(each.value, int)]
            assert at in view.candidates(tokens, 10)
            assert view.read(PersonId(at), range(1, 26)).fields == fields
        assert [parcel.note for parcel in view.parcels("national", 0, 9)] == [b"a", b"b"]


def test_until_the_postings_are_in_their_places_nobody_else_opens_the_store(store: Store) -> None:
    with opened(store) as bulk, bulk.unit() as unit:
        bring(store, unit, differing(*PEOPLE))
    with pytest.raises(LoadUnfinished):
        store.open()
    with store.opened(unfinished=True) as vault, vault.view() as view:
        assert view.latest(PersonId(3)) == 1
    with opened(store) as bulk:
        # Killed after the first slice was put in; then it is put in again.
        rows = bulk._connection.execute("SELECT slice, rowid FROM staged LIMIT 1").fetchall()
        bulk._post(rows[0][0], [rows[0][1]])
    with opened(store) as bulk:
        bulk.post()
    assert store.check().findings == ()


def test_a_unit_that_raises_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with opened(store) as bulk, bulk.unit() as unit:
            bring(store, unit, differing(*PEOPLE))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    report = store.check()
    assert (report.persons, report.entries, report.findings) == (0, 0, ())
    store.open().close()


def test_an_identifier_is_claimed_once_in_the_file_and_in_the_unit(store: Store) -> None:
    code = b"twelve bytes"
    with opened(store) as bulk:
        with bulk.unit() as unit:
            assert not unit.is_claimed(1, code)
            unit.claim(1, code, PersonId(1))
            assert unit.is_claimed(1, code)
            unit.bring(sealed(store, differing(*PEOPLE)), [])
            unit.enter(ENTRY)
        with bulk.unit() as unit:
            assert unit.is_claimed(1, code)
            assert not unit.is_claimed(2, code)


def test_persons_are_brought_in_the_order_of_their_numbers(store: Store) -> None:
    with opened(store) as bulk, bulk.unit() as unit:
        unit.bring(Sealed([], unit.heads.digest, {}), [])
        with pytest.raises(StorageError, match="person 1 comes next"):
            unit.bring(sealed(store, PEOPLE, first=2), [])
        bring(store, unit, differing(*PEOPLE))


def test_a_unit_that_entered_nothing_is_refused(store: Store) -> None:
    refused = pytest.raises(StorageError, match="nothing in the ledger")
    with refused, opened(store) as bulk, bulk.unit() as unit:
        unit.bring(sealed(store, PEOPLE), [])


def test_one_process_has_the_file(store: Store) -> None:
    with store.opened(), pytest.raises(StoreInUse), opened(store):
        pass
    with opened(store), pytest.raises(StoreInUse):
        store.open()


def test_a_file_that_was_changed_is_not_loaded(store: Store) -> None:
    with opened(store) as bulk, bulk.unit() as unit:
        bring(store, unit, differing(*PEOPLE))
    with store.thief() as thief:
        thief.execute("DELETE FROM leaf")
    with pytest.raises(LedgerBroken), opened(store):
        pass


def test_tokens_too_wide_to_be_packed_are_refused() -> None:
    wide = KeyRing.create(ROOT, INSTALLATION, 40, 2026)
    with pytest.raises(ValueError, match="40 bits"):
        SealingKeys.of(wide)


def test_a_sealing_process_holds_no_key_that_reads_the_file(store: Store) -> None:
    ring, held = store.ring, repr(SealingKeys.of(store.ring))
    for name in ("page/main/1", "docs/1", "parcels/1", "log-sign", "media/1"):
        assert repr(ring.key(name)) not in held


@pytest.mark.parametrize(
    ("messages", "size"),
    [([(bytes(31), b"", b"")], 16), ([(bytes(32), b"long", b"")], 16), ([], 16)],
    ids=["a short key", "more than was said", "less than was said"],
)
def test_what_is_sealed_once_must_be_what_was_said(
    messages: list[tuple[bytes, bytes, bytes]], size: int
) -> None:
    with pytest.raises(ValueError, match=r"was said"):
        aead.seal_once(messages, size)


@pytest.mark.parametrize("sizes", [(31, 24), (32, 12)])
def test_a_key_or_a_nonce_of_another_size_seals_nothing(sizes: tuple[int, int]) -> None:
    key, nonce = map(os.urandom, sizes)
    with pytest.raises(ValueError, match="24 bytes"):
        aead.seal(b"", key, b"", nonce=nonce)
