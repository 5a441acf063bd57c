from hashlib import shake_128

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.lthash import STATE_SIZE, State

elements = st.lists(st.binary(min_size=1, max_size=40), unique=True, max_size=12)


def of(chosen: list[bytes]) -> State:
    state = State()
    for element in chosen:
        state = state.add(element)
    return state


def naive(chosen: list[bytes]) -> bytes:
    """The same by the definition: lanes added one by one."""
    lanes = [0] * 1024
    for element in chosen:
        raw = shake_128(b"jk1.lthash" + element).digest(STATE_SIZE)
        for lane in range(1024):
            its = int.from_bytes(raw[2 * lane : 2 * lane + 2], "little")
            lanes[lane] = (lanes[lane] + its) % 65_536
    return b"".join(lane.to_bytes(2, "little") for lane in lanes)


@settings(max_examples=25)
@given(elements)
def test_adds_lane_by_lane(chosen: list[bytes]) -> None:
    assert of(chosen).to_bytes() == naive(chosen)


@given(elements, st.randoms())
def test_the_order_does_not_matter(chosen: list[bytes], random: object) -> None:
    shuffled = list(chosen)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert of(shuffled) == of(chosen)


@given(elements, st.binary(max_size=40))
def test_removing_undoes_adding(chosen: list[bytes], element: bytes) -> None:
    state = of(chosen)
    assert state.add(element).remove(element) == state
    assert state.remove(element).add(element) == state


@given(elements, elements)
def test_other_sets_have_other_digests(some: list[bytes], others: list[bytes]) -> None:
    assert (of(some).digest() == of(others).digest()) == (set(some) == set(others))


@given(elements)
def test_a_state_can_be_put_away_and_taken_up(chosen: list[bytes]) -> None:
    state = of(chosen)
    assert State.from_bytes(state.to_bytes()) == state
    assert len(state.to_bytes()) == STATE_SIZE


def test_the_empty_set_is_all_zero() -> None:
    assert State().to_bytes() == bytes(STATE_SIZE)
    assert of([b"x"]).remove(b"x") == State()


def test_a_digest_once_made_stays_what_it_is() -> None:
    made = "f55a2b5f913ae12da4554fcffeb1ecdfe9d871ea2c11936564605d5f418f43fe"
    assert of([b"a", b"b"]).digest().hex() == made


def test_a_state_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="2048"):
        State.from_bytes(bytes(2047))


@given(elements, st.integers(0, 12))
def test_two_sets_are_joined_as_if_one_had_been_added_to_the_other(
    chosen: list[bytes], at: int
) -> None:
    assert of(chosen[:at]).joined(of(chosen[at:])) == of(chosen)
