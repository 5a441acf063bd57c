import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.aead import OVERHEAD, DoesNotOpen, seal, unseal
from tests.storage.made import all_flips

KEY = bytes(range(32))


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_was_sealed_opens_at_its_place(plain: bytes, bound: bytes) -> None:
    sealed = seal(plain, KEY, bound)
    assert len(sealed) == len(plain) + OVERHEAD
    assert unseal(sealed, KEY, bound) == plain


@given(st.binary(max_size=40))
def test_the_same_twice_is_not_the_same_bytes(plain: bytes) -> None:
    assert seal(plain, KEY, b"") != seal(plain, KEY, b"")


def test_any_flipped_bit_is_noticed() -> None:
    for changed in all_flips(seal(b"a row secret", KEY, b"here")):
        with pytest.raises(DoesNotOpen):
            unseal(changed, KEY, b"here")


def test_another_place_or_another_key_does_not_open() -> None:
    sealed = seal(b"a row secret", KEY, b"here")
    with pytest.raises(DoesNotOpen):
        unseal(sealed, KEY, b"there")
    with pytest.raises(DoesNotOpen):
        unseal(sealed, bytes(32), b"here")


@pytest.mark.parametrize("length", [0, 23, 24, 39, 40, 51])
def test_cut_bytes_do_not_open(length: int) -> None:
    with pytest.raises(DoesNotOpen):
        unseal(seal(b"a row secret", KEY, b"here")[:length], KEY, b"here")
