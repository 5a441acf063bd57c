import os
from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from storage import cells
from storage.cells import (
    FIELD_CLASSES,
    NO_SEAL,
    FieldKeys,
    Kek,
    Place,
    SealedVersion,
    field_key,
    open_cells,
    rewrap,
    seal_version,
    verify_seal,
)
from storage.errors import Tampered, WrongKey
from tests.storage.made import VECTORS, all_flips, flipped

ROOTS = {name: bytes.fromhex(root["key"]) for name, root in VECTORS["field_roots"].items()}
KEYS = FieldKeys(ROOTS)
KEK = Kek(7, bytes.fromhex(VECTORS["keks"]["7"]))
KEKS = {int(number): bytes.fromhex(key) for number, key in VECTORS["keks"].items()}
SEAL_KEY = bytes.fromhex(VECTORS["seal_key"])
DB = bytes.fromhex(VECTORS["db"])
PLACE = Place(DB, 1, 1001, 1)

values = st.none() | st.binary(max_size=120).filter(lambda value: value != b"\x00")
versions = st.dictionaries(st.sampled_from(sorted(FIELD_CLASSES)), values, min_size=1)
places = st.builds(
    Place,
    st.binary(min_size=16, max_size=16),
    st.just(1),
    st.integers(1, 2**63 - 1),
    st.integers(1, 4095),
)


def row(number: int) -> tuple[Place, SealedVersion, bytes]:
    """A row of the vectors: its place, its parts, the seal before it."""
    made = VECTORS["rows"][number]
    place = Place(DB, VECTORS["table"], made["person"], made["version"])
    sealed = SealedVersion(*(bytes.fromhex(made[part]) for part in SealedVersion._fields))
    return place, sealed, bytes.fromhex(made["prev_seal"])


def plaintext(number: int) -> dict[int, bytes]:
    return {int(n): text.encode() for n, text in VECTORS["rows"][number]["plaintext"].items()}


def sealed_at(place: Place, fields: dict[int, bytes | None]) -> SealedVersion:
    return seal_version(place, fields, KEYS, KEK, SEAL_KEY)


def spans(sealed: SealedVersion) -> dict[int, bytes]:
    """The cells by field."""
    places = cells._directory(PLACE, sealed.cells)
    return {field: sealed.cells[start:stop] for field, (start, stop) in places.items()}


def joined(bodies: dict[int, bytes]) -> bytes:
    """Cells put together again by a thief who knows the format."""
    directory = b"".join(bytes([f]) + len(b).to_bytes(2, "little") for f, b in bodies.items())
    return bytes([len(bodies)]) + directory + b"".join(bodies.values())


# --- the vectors


@pytest.mark.parametrize("number", [0, 1])
def test_seals_to_the_bytes_of_the_vectors(number: int) -> None:
    place, sealed, previous = row(number)
    made = VECTORS["rows"][number]
    secret, nonce = bytes.fromhex(made["row_secret"]), bytes.fromhex(made["wrap_nonce"])
    again = cells._sealed(place, plaintext(number), KEYS, KEK, SEAL_KEY, previous, secret, nonce)
    assert again == sealed


@pytest.mark.parametrize("number", [0, 1])
def test_opens_the_vectors(number: int) -> None:
    place, sealed, previous = row(number)
    assert open_cells(place, sealed, range(1, 25), KEYS, KEKS) == plaintext(number)
    verify_seal(place, sealed, SEAL_KEY, previous)


@pytest.mark.parametrize("number", [0, 1])
def test_the_keys_of_the_vectors(number: int) -> None:
    made = VECTORS["rows"][number]
    secret = bytes.fromhex(made["row_secret"])
    assert KEYS.cell_key(9, secret).hex() == made["cell_key_9"]
    for field, key in VECTORS["field_keys"].items():
        root = ROOTS[VECTORS["field_class"][field]]
        assert field_key(root, 1, int(field)).hex() == key


def test_the_classes_of_the_vectors() -> None:
    ours = {str(field): name for field, name in FIELD_CLASSES.items() if field <= 24}
    assert ours == VECTORS["field_class"]


def exchanged_wrap() -> None:
    (place, first, _), (_, second, _) = row(0), row(1)
    open_cells(place, first._replace(cells=second.cells), [9], KEYS, KEKS)


def other_version() -> None:
    (first, _, _), (_, second, _) = row(0), row(1)
    open_cells(first, second, [9], KEYS, KEKS)


def exchanged_cells() -> None:
    place, sealed, _ = row(0)
    bodies = spans(sealed)
    bodies[10], bodies[11] = bodies[11], bodies[10]
    open_cells(place, sealed._replace(cells=joined(bodies)), [10], KEYS, KEKS)


def other_store() -> None:
    place, sealed, _ = row(0)
    open_cells(place._replace(db=bytes(16)), sealed, [9], KEYS, KEKS)


def key_of_another_root() -> None:
    place, sealed, _ = row(0)
    guessed = FieldKeys(ROOTS | {"mynumber": ROOTS["basic"]})
    open_cells(place, sealed, [9], guessed, KEKS)


def any_bit() -> None:
    """Raises Tampered only if every changed bit is noticed."""
    place, sealed, _ = row(0)
    changed = [sealed._replace(hdr=flipped(sealed.hdr, bit)) for bit in range(16, 48)]
    for part in ("wrap", "rsc", "cells"):
        changed += [sealed._replace(**{part: raw}) for raw in all_flips(getattr(sealed, part))]
    for version in changed:
        with pytest.raises(Tampered):
            open_cells(place, version, range(1, 25), KEYS, KEKS)
    raise Tampered


MUST_FAIL: dict[str, Callable[[], None]] = {
    "row 1 wrap with row 2 cells": exchanged_wrap,
    "version 2 opened as version 1": other_version,
    "cells 10 and 11 of a row exchanged": exchanged_cells,
    "any bit of hdr table or gen, wrap, rsc, cells changed": any_bit,
    "row opened under another db": other_store,
    "item 9 with a key from the basic root": key_of_another_root,
}


@pytest.mark.parametrize("case", VECTORS["must_fail"])
def test_what_the_vectors_say_must_fail_fails(case: str) -> None:
    with pytest.raises(Tampered):
        MUST_FAIL[case]()


# --- sealing and opening


@given(places, versions)
def test_what_was_sealed_opens(place: Place, fields: dict[int, bytes | None]) -> None:
    sealed = sealed_at(place, fields)
    assert open_cells(place, sealed, fields, KEYS, KEKS) == fields
    verify_seal(place, sealed, SEAL_KEY)


def test_opens_just_the_fields_that_are_wanted() -> None:
    sealed = sealed_at(PLACE, {1: b"1", 2: None, 9: b"9"})
    assert open_cells(PLACE, sealed, [2], KEYS, KEKS) == {2: None}
    assert open_cells(PLACE, sealed, [], KEYS, KEKS) == {}


@given(versions)
def test_sealing_twice_gives_no_equal_cell(fields: dict[int, bytes | None]) -> None:
    once, twice = sealed_at(PLACE, fields), sealed_at(PLACE, fields)
    assert not set(spans(once).values()) & set(spans(twice).values())
    assert once.rsc != twice.rsc
    assert once.wrap != twice.wrap


@given(versions, st.data())
def test_notices_any_flipped_bit(fields: dict[int, bytes | None], data: st.DataObject) -> None:
    sealed = sealed_at(PLACE, fields)
    part = data.draw(st.sampled_from(["hdr", "wrap", "rsc", "cells"]))
    raw = getattr(sealed, part)
    changed = flipped(raw, data.draw(st.integers(0, 8 * len(raw) - 1)))
    with pytest.raises(Tampered):
        open_cells(PLACE, sealed._replace(**{part: changed}), fields, KEYS, KEKS)


@given(st.sampled_from(SealedVersion._fields), st.data())
def test_the_seal_notices_any_flipped_bit(part: str, data: st.DataObject) -> None:
    sealed = sealed_at(PLACE, {1: b"1", 2: b"2"})
    raw = getattr(sealed, part)
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    changed = sealed._replace(**{part: flipped(raw, bit)})
    if part == "wrap" or (part == "hdr" and bit >= 48):
        verify_seal(PLACE, changed, SEAL_KEY)
    else:
        with pytest.raises(Tampered):
            verify_seal(PLACE, changed, SEAL_KEY)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 31, 32, 33, 65_487])
@pytest.mark.parametrize("field", [1, 2])
def test_the_length_of_a_cell_tells_only_its_block(field: int, length: int) -> None:
    sealed = sealed_at(PLACE, {field: b"x" * length})
    block = 32 if field == 2 else 16
    [body] = spans(sealed).values()
    assert len(body) == (length // block + 1) * block + 16
    assert open_cells(PLACE, sealed, [field], KEYS, KEKS) == {field: b"x" * length}


@pytest.mark.parametrize("field", FIELD_CLASSES)
def test_names_kana_and_address_have_wider_blocks(field: int) -> None:
    [body] = spans(sealed_at(PLACE, {field: b""})).values()
    assert len(body) == 16 + (32 if field in {2, 4, 7, 13} else 16)


def test_no_value_looks_longer_than_a_value_of_its_block() -> None:
    sealed = sealed_at(PLACE, {8: None, 9: b"", 10: b"0", 11: b"20260401"})
    assert {len(body) for body in spans(sealed).values()} == {32}


@pytest.mark.parametrize("value", [b"\x00", b"x" * 65_488], ids=["as None is", "too long"])
def test_a_value_that_cannot_be_told_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="field 1 "):
        sealed_at(PLACE, {1: value})


@pytest.mark.parametrize("value", [b"\x80", b"\x00\x00", b"x\x80\x00", b"\x80" * 40])
def test_values_that_look_like_padding_come_back(value: bytes) -> None:
    assert open_cells(PLACE, sealed_at(PLACE, {1: value}), [1], KEYS, KEKS) == {1: value}


# --- where a cell lies


ELSEWHERE = {
    "person": PLACE._replace(person=1002),
    "version": PLACE._replace(version=2),
    "table": PLACE._replace(table=2),
    "store": PLACE._replace(db=b"another store's!"),
}


@pytest.mark.parametrize("place", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_version_moved_does_not_open(place: Place) -> None:
    sealed = sealed_at(PLACE, {1: b"1"})
    with pytest.raises(Tampered):
        open_cells(place, sealed, [1], KEYS, KEKS)
    with pytest.raises(Tampered):
        verify_seal(place, sealed, SEAL_KEY)


@pytest.mark.parametrize("place", ELSEWHERE.values(), ids=ELSEWHERE)
def test_cells_moved_beside_another_wrap_do_not_open(place: Place) -> None:
    keys = FieldKeys(ROOTS, table=place.table)
    there = seal_version(place, {1: b"1"}, keys, KEK, SEAL_KEY)
    here = sealed_at(PLACE, {1: b"1"})
    with pytest.raises(Tampered):
        open_cells(place, there._replace(cells=here.cells), [1], keys, KEKS)


def test_a_cell_of_an_earlier_sealing_of_the_same_place_does_not_open() -> None:
    earlier, later = sealed_at(PLACE, {1: b"1", 2: b"2"}), sealed_at(PLACE, {1: b"1", 2: b"2"})
    mixed = later._replace(cells=joined(spans(later) | {2: spans(earlier)[2]}))
    assert open_cells(PLACE, mixed, [1], KEYS, KEKS) == {1: b"1"}
    with pytest.raises(Tampered, match="field 2 does not open"):
        open_cells(PLACE, mixed, [2], KEYS, KEKS)


@pytest.mark.parametrize(("one", "other"), list(combinations([1, 3, 8, 10], 2)))
def test_a_cell_moved_to_another_field_does_not_open(one: int, other: int) -> None:
    bodies = spans(sealed_at(PLACE, {one: b"same", other: b"same"}))
    sealed = sealed_at(PLACE, {one: b"same", other: b"same"})
    swapped = joined({one: bodies[other], other: bodies[one]})
    with pytest.raises(Tampered):
        open_cells(PLACE, sealed._replace(cells=swapped), [one], KEYS, KEKS)


def test_a_field_that_was_taken_out_is_missed() -> None:
    sealed = sealed_at(PLACE, {1: b"1", 2: b"2"})
    bodies = spans(sealed)
    del bodies[2]
    cut = sealed._replace(cells=joined(bodies))
    with pytest.raises(Tampered, match="no cell of field 2"):
        open_cells(PLACE, cut, [2], KEYS, KEKS)
    with pytest.raises(Tampered, match="does not follow"):
        verify_seal(PLACE, cut, SEAL_KEY)


@pytest.mark.parametrize(
    "broken",
    [b"", b"\x02\x01\x20\x00", b"\x00", "longer", "twice", "unordered"],
    ids=["empty", "cut directory", "no cells", "longer", "twice", "unordered"],
)
def test_cells_that_do_not_match_their_directory_are_refused(broken: Any) -> None:
    sealed = sealed_at(PLACE, {1: b"1", 2: b"2"})
    one, two = spans(sealed).values()
    made = {
        "longer": sealed.cells + b"\x00",
        "twice": b"\x02\x01\x20\x00\x01\x20\x00" + one + one,
        "unordered": joined({2: two, 1: one}),
    }
    changed = sealed._replace(cells=made.get(broken, broken))
    with pytest.raises(Tampered):
        open_cells(PLACE, changed, [1], KEYS, KEKS)


@pytest.mark.parametrize(
    "hdr",
    [b"", bytes(10), b"\x02" + bytes(9), b"\x01\x01\x01\x00\x01\x00\x07\x00\x00\x00"],
    ids=["empty", "format 0", "format 2", "flags"],
)
def test_a_header_of_no_known_format_is_refused(hdr: bytes) -> None:
    sealed = sealed_at(PLACE, {1: b"1"})._replace(hdr=hdr)
    with pytest.raises(Tampered, match="header"):
        open_cells(PLACE, sealed, [1], KEYS, KEKS)
    with pytest.raises(Tampered, match="header"):
        verify_seal(PLACE, sealed, SEAL_KEY)


@pytest.mark.parametrize("cut", [0, 10, 24, 71])
def test_a_cut_wrap_is_refused(cut: int) -> None:
    sealed = sealed_at(PLACE, {1: b"1"})
    with pytest.raises(Tampered):
        open_cells(PLACE, sealed._replace(wrap=sealed.wrap[:cut]), [1], KEYS, KEKS)


def test_a_cell_without_its_padding_is_refused() -> None:
    # Only somebody with the keys can make one: a faulty program of our own.
    secret = os.urandom(32)
    sealed = cells._sealed(PLACE, {1: b"1"}, KEYS, KEK, SEAL_KEY, NO_SEAL, secret, bytes(24))
    head = b"jk1c" + DB + sealed.hdr[2:6] + b"\x01\x00" + cells._CELL_PLACE.pack(1001, 1)
    body = ChaCha20Poly1305(KEYS.cell_key(1, secret)).encrypt(bytes(12), bytes(16), head)
    with pytest.raises(Tampered, match="padding"):
        open_cells(PLACE, sealed._replace(cells=joined({1: body})), [1], KEYS, KEKS)


# --- who may open what


def test_a_field_whose_key_is_not_held_cannot_be_opened() -> None:
    sealed = sealed_at(PLACE, {2: b"name", 9: b"900000000018"})
    granted = KEYS.only({2, 4})
    assert granted.fields == {2, 4}
    assert open_cells(PLACE, sealed, [2], granted, KEKS) == {2: b"name"}
    with pytest.raises(WrongKey, match="field 9"):
        open_cells(PLACE, sealed, [2, 9], granted, KEKS)


def test_without_its_root_a_field_is_out_of_reach() -> None:
    without = FieldKeys({name: root for name, root in ROOTS.items() if name != "mynumber"})
    assert without.fields == set(FIELD_CLASSES) - {9}
    with pytest.raises(WrongKey, match="field 9"):
        without.cell_key(9, bytes(32))


def test_nothing_can_be_sealed_without_its_key() -> None:
    with pytest.raises(WrongKey):
        seal_version(PLACE, {1: b"1", 9: b"9"}, KEYS.only({1}), KEK, SEAL_KEY)


def test_keys_of_another_generation_do_not_open() -> None:
    sealed = sealed_at(PLACE, {1: b"1"})
    with pytest.raises(Tampered, match="generation 1, not 2"):
        open_cells(PLACE, sealed, [1], FieldKeys(ROOTS, generation=2), KEKS)


# --- the chain, and retention


def test_versions_follow_one_another() -> None:
    (first, sealed, _), (second, newer, previous) = row(0), row(1)
    assert previous == sealed.seal
    verify_seal(second, newer, SEAL_KEY, sealed.seal)
    with pytest.raises(Tampered, match="person 1001 version 2 does not follow"):
        verify_seal(second, newer, SEAL_KEY, NO_SEAL)
    with pytest.raises(Tampered):
        verify_seal(first, sealed, SEAL_KEY, newer.seal)


def test_another_seal_key_does_not_verify() -> None:
    place, sealed, previous = row(0)
    with pytest.raises(Tampered):
        verify_seal(place, sealed, bytes(32), previous)


def test_a_rewrapped_version_is_the_same_under_another_retention_key() -> None:
    place, sealed, previous = row(0)
    later = Kek(9, KEKS[9])
    moved = rewrap(place, sealed, KEKS, later)
    assert (moved.cells, moved.seal, moved.rsc) == (sealed.cells, sealed.seal, sealed.rsc)
    assert open_cells(place, moved, [2], KEYS, {9: KEKS[9]}) == {2: plaintext(0)[2]}
    verify_seal(place, moved, SEAL_KEY, previous)
    with pytest.raises(Tampered, match="retention key 9, which is not held"):
        open_cells(place, moved, [2], KEYS, {7: KEKS[7]})
    with pytest.raises(Tampered):
        rewrap(place, sealed._replace(wrap=bytes(72)), KEKS, later)


def test_a_version_whose_retention_key_is_destroyed_is_gone_and_still_in_the_chain() -> None:
    place, sealed, previous = row(0)
    with pytest.raises(Tampered, match="retention key 7"):
        open_cells(place, sealed, [1], KEYS, {})
    verify_seal(place, sealed, SEAL_KEY, previous)


def test_no_error_holds_a_value_or_a_key() -> None:
    sealed = sealed_at(PLACE, {2: b"Yamada"})
    with pytest.raises(Tampered) as caught:
        open_cells(PLACE._replace(version=2), sealed, [2], KEYS, KEKS)
    assert str(caught.value) == "the row secret of table 1 person 1001 version 2 does not open"
    assert caught.value.__cause__ is None
