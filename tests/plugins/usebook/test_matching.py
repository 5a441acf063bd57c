"""Properties of the matching itself."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.usebook import matching
from plugins.usebook.matching import DAY, Aspect, Line, Matching, Use, disagreements, match

pytestmark = pytest.mark.requirement("R136")
TOLERANCE = 15 * 60
MINUTE = 60

uses_of_a_month = st.lists(
    st.tuples(
        st.sampled_from(["OP-1", "OP-2", "OP-3"]),
        st.sampled_from(["", "", "R8-1", "R8-2", "R8-3"]),
        st.sampled_from(["tax/01", "tax/02"]),
        st.integers(0, 20 * DAY // MINUTE),
        st.integers(0, 3),
        st.integers(0, 40),
    ),
    max_size=30,
).map(
    lambda drawn: [
        Use(
            key=key,
            operator=operator,
            case=case,
            purpose=purpose,
            begins=minute * MINUTE,
            ends=(minute + lasts) * MINUTE,
            persons=frozenset(range(100 * key, 100 * key + persons)),
        )
        for key, (operator, case, purpose, minute, persons, lasts) in enumerate(drawn)
    ]
)


def line_of(use: Use) -> Line:
    """Return what a faithful clerk writes of a use."""
    begins = use.begins // MINUTE * MINUTE
    return Line(
        key=use.key,
        operator=use.operator,
        case=use.case,
        purpose=use.purpose,
        begins=begins,
        ends=use.ends // MINUTE * MINUTE + 59,
        spans=True,
        count=use.count,
    )


def parted(result: Matching) -> tuple[list[int], list[int]]:
    """Return the keys of all uses and of all lines in a result."""
    pairs = (*result.matched, *result.differing)
    uses = [use.key for pair in pairs for use in pair.uses]
    lines = [line.key for pair in pairs for line in pair.lines]
    uses += [left.use.key for left in result.leftovers if left.use]
    lines += [left.line.key for left in result.leftovers if left.line]
    return sorted(uses), sorted(lines)


@given(uses_of_a_month)
def test_a_faithful_book_leaves_nothing(uses: list[Use]) -> None:
    result = match(uses, [line_of(use) for use in uses], TOLERANCE)
    assert (result.differing, result.leftovers) == ((), ())


@given(uses_of_a_month, uses_of_a_month)
def test_everything_is_in_the_result_once(uses: list[Use], others: list[Use]) -> None:
    result = match(uses, [line_of(use) for use in others], TOLERANCE)
    assert parted(result) == ([use.key for use in uses], [use.key for use in others])


@given(uses_of_a_month, uses_of_a_month, st.randoms(use_true_random=False))
def test_the_order_they_come_in_does_not_matter(
    uses: list[Use], others: list[Use], chance: Random
) -> None:
    lines = [line_of(use) for use in others]
    result = match(uses, lines, TOLERANCE)
    chance.shuffle(uses)
    chance.shuffle(lines)
    assert match(uses, lines, TOLERANCE) == result


@given(uses_of_a_month, uses_of_a_month)
def test_what_is_matched_agrees(uses: list[Use], others: list[Use]) -> None:
    for pair in match(uses, [line_of(use) for use in others], TOLERANCE).matched:
        assert {(use.operator, use.case, use.purpose) for use in pair.uses} == {
            (line.operator, line.case, line.purpose) for line in pair.lines
        }
        assert len({use.begins // DAY for use in pair.uses}) <= 2
        assert sum(u.count for u in pair.uses) == sum(li.count for li in pair.lines)


@given(uses_of_a_month, st.integers(1, 5))
def test_with_numbers_of_their_own_just_the_missing_lines_are_told(
    uses: list[Use], missing: int
) -> None:
    uses = [replace(use, case=f"N-{use.key}") for use in uses]
    lines = [line_of(use) for use in uses[missing:]]
    result = match(uses, lines, TOLERANCE)
    assert [left.use for left in result.leftovers] == sorted(
        uses[:missing], key=lambda use: (use.begins, use.key)
    )
    assert result.differing == ()


def test_the_nearest_line_is_taken_so_that_the_missing_one_is_told() -> None:
    uses = [
        Use(
            key=at,
            operator="OP-1",
            case="",
            purpose="tax/01",
            begins=minute * MINUTE,
            ends=minute * MINUTE,
            persons=frozenset({at}),
        )
        for at, minute in enumerate((590, 600, 610))
    ]
    result = match(uses, [replace(line_of(use), spans=False) for use in uses[::2]], TOLERANCE)
    assert [left.use for left in result.leftovers] == [uses[1]]


def test_work_does_not_grow_with_the_square_of_a_month(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything has the same number, and nothing fits: the worst there is."""
    looks = 0

    def counted(use: Use, line: Line, tolerance: int) -> tuple[Aspect, ...]:
        nonlocal looks
        looks += 1
        return disagreements(use, line, tolerance)

    monkeypatch.setattr(matching, "disagreements", counted)
    uses = [
        Use(
            key=at,
            operator="OP-1",
            case="R8-1",
            purpose="tax/01",
            begins=at * 60 * MINUTE,
            ends=at * 60 * MINUTE,
            persons=frozenset({at}),
        )
        for at in range(1000)
    ]
    lines = [
        replace(line_of(use), operator="OP-2", purpose="tax/02", count=5, spans=False)
        for use in uses
    ]
    assert len(match(uses, lines, TOLERANCE).leftovers) == 2000
    assert looks < 60 * len(uses)
