from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import aead
from storage.errors import LedgerBroken
from storage.leaf import (
    LARGEST_BODY,
    LARGEST_ENTRY,
    Header,
    body_key,
    open_leaf,
    parse_leaf,
    seal_leaf,
    subject_token,
)
from tests.storage.made import ORIGIN, all_flips

KEY = body_key(b"k" * 32)
KEYS = {2026: KEY}
HEADER = Header(index=5, at_ms=1_790_000_000_123, event=3, result=0, epoch=2026, digest=b"d" * 32)
BODY = b"who, what, why, whom"

numbers = st.integers(0, 2**64 - 1)
digests = st.none() | st.binary(min_size=32, max_size=32)
headers = st.builds(Header, numbers, numbers, numbers, numbers, st.just(2026), digests)


@given(headers, st.binary(max_size=300))
def test_what_was_entered_opens(header: Header, body: bytes) -> None:
    assert open_leaf(seal_leaf(header, body, KEY, ORIGIN), KEYS, ORIGIN) == (header, body)


def test_the_header_can_be_read_without_a_key() -> None:
    assert parse_leaf(seal_leaf(HEADER, BODY, KEY, ORIGIN)).header == HEADER


def test_the_same_twice_is_not_the_same_bytes() -> None:
    assert seal_leaf(HEADER, BODY, KEY, ORIGIN) != seal_leaf(HEADER, BODY, KEY, ORIGIN)


def test_any_flipped_bit_is_noticed() -> None:
    for changed in all_flips(seal_leaf(HEADER, BODY, KEY, ORIGIN)):
        with pytest.raises(LedgerBroken):
            open_leaf(changed, KEYS, ORIGIN)


@pytest.mark.parametrize("length", [0, 62, 63, 64, 127])
def test_the_length_tells_only_blocks_of_64(length: int) -> None:
    leaf = parse_leaf(seal_leaf(HEADER, b"x" * length, KEY, ORIGIN))
    assert len(leaf.sealed) == (length // 64 + 1) * 64 + 16


def test_the_largest_body_fits_an_entry_bundle() -> None:
    most = 2**64 - 1
    header = Header(most, most, most, most, most, b"d" * 32)
    assert len(seal_leaf(header, b"x" * LARGEST_BODY, KEY, ORIGIN)) <= LARGEST_ENTRY
    with pytest.raises(ValueError, match="at most"):
        seal_leaf(header, b"x" * (LARGEST_BODY + 1), KEY, ORIGIN)


def test_the_file_that_was_handed_out_is_seen_without_a_key() -> None:
    header = replace(HEADER, file=b"f" * 32)
    assert parse_leaf(seal_leaf(header, BODY, KEY, ORIGIN)).header.file == b"f" * 32
    assert parse_leaf(entry_of(GOOD | {7: b"f" * 32})).header == replace(
        Header(5, 6, 7, 0, 2026), file=b"f" * 32
    )


def test_an_entry_of_another_ledger_does_not_open() -> None:
    with pytest.raises(LedgerBroken, match="entry 5 does not open"):
        open_leaf(seal_leaf(HEADER, BODY, KEY, "audit.other.example/g1"), KEYS, ORIGIN)


def test_the_origin_does_not_run_into_the_header() -> None:
    entry = seal_leaf(HEADER, BODY, KEY, ORIGIN)
    with pytest.raises(LedgerBroken):
        open_leaf(entry, KEYS, ORIGIN[:-1])


def test_an_entry_whose_key_was_destroyed_says_so() -> None:
    with pytest.raises(LedgerBroken, match="entry 5 is of 2026, whose key is not held"):
        open_leaf(seal_leaf(HEADER, BODY, KEY, ORIGIN), {}, ORIGIN)


@pytest.mark.parametrize(
    "header",
    [
        replace(HEADER, index=-1),
        replace(HEADER, at_ms=1 << 64),
        replace(HEADER, event=True),
        replace(HEADER, digest=b"short"),
        replace(HEADER, digest=bytearray(32)),  # type: ignore[arg-type]
        replace(HEADER, file=b"short"),
    ],
    ids=["negative", "too large", "not a number", "short digest", "no bytes", "short file"],
)
def test_a_header_that_cannot_be_written_is_refused(header: Header) -> None:
    with pytest.raises(ValueError):
        seal_leaf(header, BODY, KEY, ORIGIN)


def entry_of(header: Any, nonce: Any = bytes(24), sealed: Any = bytes(80)) -> bytes:
    clear = header if isinstance(header, bytes) else cbor2.dumps(header)
    return cbor2.dumps([clear, nonce, sealed])


GOOD = {0: 1, 1: 5, 2: 6, 3: 7, 4: 0, 5: 2026}


def test_the_least_entry_is_read() -> None:
    assert parse_leaf(entry_of(GOOD)).header == Header(5, 6, 7, 0, 2026)


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"\x83",
        cbor2.dumps("an"),
        cbor2.dumps([b"", b""]),
        cbor2.dumps([1, 2, 3]),
        cbor2.dumps({0: b"", 1: b"", 2: b""}),
        entry_of(GOOD, nonce=bytes(23)),
        entry_of(GOOD, sealed=bytes(79)),
        entry_of(GOOD, nonce="x" * 24),
        entry_of(b""),
        entry_of([1, 2, 3]),
        entry_of(GOOD | {0: 2}),
        entry_of(GOOD | {7: 1}),
        entry_of(GOOD | {7: b"short"}),
        entry_of(GOOD | {8: bytes(32)}),
        entry_of(GOOD | {"0": 1}),
        entry_of(GOOD | {1: 5.0}),
        entry_of(GOOD | {1: -5}),
        entry_of(GOOD | {1: True}),
        entry_of(GOOD | {6: None}),
        entry_of(GOOD | {6: b"short"}),
        entry_of({key: GOOD[key] for key in (0, 1, 2, 3, 4)}),
        entry_of({key: GOOD[key] for key in (1, 0, 2, 3, 4, 5)}),
        entry_of(GOOD) + b"\x00",
        entry_of(b"\xa6\x00\x01\x01\x18\x05\x02\x06\x03\x07\x04\x00\x05\x19\x07\xea"),
        b"\x9f" + entry_of(GOOD)[1:] + b"\xff",
    ],
)
def test_every_entry_has_one_form(entry: bytes) -> None:
    with pytest.raises(LedgerBroken, match="form"):
        parse_leaf(entry)


@given(st.binary(max_size=200))
def test_whatever_the_bytes_it_is_an_entry_or_refused(raw: bytes) -> None:
    with pytest.raises(LedgerBroken):
        parse_leaf(raw)


@settings(max_examples=200)
@given(st.data())
def test_an_entry_damaged_anyhow_is_refused(data: st.DataObject) -> None:
    entry = seal_leaf(HEADER, BODY, KEY, ORIGIN)
    start = data.draw(st.integers(0, len(entry) - 1))
    stop = data.draw(st.integers(start, min(start + 9, len(entry))))
    changed = entry[:start] + data.draw(st.binary(max_size=9)) + entry[stop:]
    if changed != entry:
        with pytest.raises(LedgerBroken):
            open_leaf(changed, KEYS, ORIGIN)


def test_a_body_without_its_padding_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # Only somebody with the key can make one: a faulty program of our own.
    right = aead.seal
    monkeypatch.setattr(aead, "seal", lambda padded, *rest: right(bytes(len(padded)), *rest))
    with pytest.raises(LedgerBroken, match="entry 5 has a body without its padding"):
        open_leaf(seal_leaf(HEADER, BODY, KEY, ORIGIN), KEYS, ORIGIN)


def test_subjects_have_one_token_a_year() -> None:
    one, other = b"2" * 32, b"3" * 32
    assert subject_token(one, 7) == subject_token(one, 7)
    assert len({subject_token(key, person) for key in (one, other) for person in (7, 8)}) == 4
    assert len(subject_token(one, 7)) == 16
