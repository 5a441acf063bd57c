from hypothesis import given
from hypothesis import strategies as st

from storage.derive import check_value, derive, prefixed
from tests.storage.made import VECTORS

keys = st.binary(min_size=32, max_size=32)


def test_the_check_value_of_the_vectors() -> None:
    assert check_value(bytes.fromhex(VECTORS["kcv"]["key"])).hex() == VECTORS["kcv"]["kcv"]


@given(keys, st.binary(max_size=80))
def test_two_uses_of_one_key_never_give_the_same_bytes(key: bytes, data: bytes) -> None:
    assert derive(key, b"jk1.cell", data) != derive(key, b"jk1.field", data)


@given(keys, keys)
def test_the_check_value_tells_keys_apart(one: bytes, other: bytes) -> None:
    assert (check_value(one) == check_value(other)) == (one == other)


@given(st.lists(st.binary(max_size=20)), st.lists(st.binary(max_size=20)))
def test_two_lists_of_parts_never_look_alike(some: list[bytes], others: list[bytes]) -> None:
    alike = b"".join(map(prefixed, some)) == b"".join(map(prefixed, others))
    assert alike == (some == others)
