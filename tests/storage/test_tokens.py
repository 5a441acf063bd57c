from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.tokens import identifier_token, index_key, token
from tests.storage.made import VECTORS

KEY = index_key(bytes(32), "kana2_birth")
parts_lists = st.lists(st.binary(max_size=30), min_size=1, max_size=4)


@pytest.mark.parametrize("case", VECTORS["tokens"], ids=lambda case: f"{case['bits']} bits")
def test_the_tokens_of_the_vectors(case: dict[str, Any]) -> None:
    key = index_key(bytes.fromhex(case["index_root"]), case["name"])
    assert key.hex() == case["index_key"]
    assert token(key, [part.encode() for part in case["parts"]], case["bits"]) == case["token"]


@given(parts_lists, st.integers(1, 62))
def test_a_token_fits_its_bits(parts: list[bytes], bits: int) -> None:
    assert 0 <= token(KEY, parts, bits) < 1 << bits


@given(parts_lists, st.integers(1, 61))
def test_a_narrower_token_is_the_beginning_of_a_wider_one(parts: list[bytes], bits: int) -> None:
    assert token(KEY, parts, bits + 1) >> 1 == token(KEY, parts, bits)


@given(parts_lists, parts_lists)
def test_other_parts_give_another_identifier(some: list[bytes], others: list[bytes]) -> None:
    same = identifier_token(KEY, some) == identifier_token(KEY, others)
    assert same == (some == others)


def test_parts_are_not_run_together() -> None:
    assert identifier_token(KEY, [b"ab", b"c"]) != identifier_token(KEY, [b"a", b"bc"])


def test_the_same_value_in_two_indexes_has_nothing_in_common() -> None:
    other = index_key(bytes(32), "kana_full")
    assert identifier_token(KEY, [b"x"]) != identifier_token(other, [b"x"])


def test_an_identifier_is_twelve_bytes() -> None:
    assert len(identifier_token(KEY, [b"90000000013"])) == 12


@pytest.mark.parametrize("bits", [0, 63, -1])
def test_a_width_out_of_range_is_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="bits"):
        token(KEY, [b"x"], bits)
