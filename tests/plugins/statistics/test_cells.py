"""Small numbers are not told, and cannot be worked out from those that are."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.statistics.ages import UNKNOWN, age_class
from plugins.statistics.cells import LEAST, Place, Table
from tests.plugins.statistics.today import TODAY

pytestmark = pytest.mark.requirement("R171")

TOWNS, SEXES, AGES = ("A", "B", "C"), ("1", "2"), ("000-004", "005-009", "010-014")


def by_two(**counts: int) -> Table:
    """Return a table by town and sex; ``A1=5`` is the men of A."""
    return Table({(name[0], name[1]): count for name, count in counts.items()}, 2)


def test_numbers_from_ten_on_and_noughts_are_told() -> None:
    table = by_two(A1=10, A2=40, B1=30, B2=20)
    assert table.hidden == set()
    assert table.told(("A", "1")) == 10
    assert table.told(("A", None)) == 50
    assert table.told((None, None)) == 100
    assert table.told(("C", "1")) == 0


def test_a_small_number_is_hidden_and_so_is_what_would_tell_it() -> None:
    table = by_two(A1=9, A2=40, B1=30, B2=20, C1=50, C2=60)
    # The row A, the column 1, and then the row of whom was hidden in that column.
    assert table.hidden == {("A", "1"), ("A", "2"), ("B", "1"), ("B", "2")}
    assert table.told((None, None)) == 209
    assert table.told(("A", None)) == 49


def test_two_small_numbers_that_come_to_less_than_ten_do_not_protect_each_other() -> None:
    table = by_two(A1=1, A2=1, B1=30, B2=20, C1=50, C2=60)
    assert ("A", None) in table.hidden
    two = by_two(A1=1, B1=1, C1=50)
    assert ("C", "1") in two.hidden


def test_what_is_hidden_is_the_same_in_every_table_it_stands_in() -> None:
    """A total that has a single part is that part, and is hidden with it."""
    table = by_two(A1=4, B1=30, C1=60)
    assert {("A", "1"), ("A", None)} <= table.hidden


def test_the_places_of_a_table_are_in_order() -> None:
    table = by_two(B2=20, A1=10, A2=0)
    assert table.places({0, 1}) == [("A", "1"), ("B", "2")]
    assert table.places({0}) == [("A", None), ("B", None)]
    assert table.places(()) == [(None, None)]


def lines(table: Table) -> list[tuple[Place, list[Place]]]:
    """Return every total with its parts, worked out anew."""
    found = []
    for total, at in product(table.counts, range(3)):
        if total[at] is None:
            parts = [
                place
                for place in table.counts
                if place[at] is not None and (*place[:at], None, *place[at + 1 :]) == total
            ]
            found.append((total, parts))
    return found


@given(
    st.dictionaries(
        st.tuples(*map(st.sampled_from, (TOWNS, AGES, SEXES))), st.integers(0, 60), max_size=18
    )
)
def test_no_line_tells_a_small_number(finest: dict[tuple[str, ...], int]) -> None:
    table = Table(finest, 3)
    for total, parts in lines(table):
        assert sum(table.counts[part] for part in parts) == table.counts[total]
        hidden = [part for part in parts if table.told(part) is None]
        shown = sum(table.told(part) or 0 for part in parts)
        left = table.told(total)
        if left is not None and hidden:
            assert len(hidden) > 1
            assert left - shown >= LEAST
        if left is None:
            assert hidden, "a hidden total would be the sum of what is shown"
    for place, count in table.counts.items():
        assert table.told(place) in (count, None)
        if 0 < count < LEAST:
            assert table.told(place) is None


@pytest.mark.parametrize(
    ("birth", "known_as"),
    [
        ("2026-04", "000-004"),
        ("2021-05", "000-004"),
        ("2021-04", "005-009"),
        ("1976-05", "045-049"),
        ("1976-04", "050-054"),
        ("1926-04", "100-"),
        ("1900-01", "100-"),
        ("1975-00", "050-054"),
        ("2026-12", "000-004"),
        ("0000-00", UNKNOWN),
    ],
)
def test_an_age_has_a_class_also_where_parts_of_the_birth_date_are_unknown(
    birth: str, known_as: str
) -> None:
    assert age_class(birth, TODAY) == known_as
