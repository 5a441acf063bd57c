"""Whatever is asked, and whenever, what is told fits any other small number as well."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.statistics.rounding import BASE, Lots, Place, lots_under, rounded
from plugins.statistics.tables import UPDATES, Cut, Finest, cut

pytestmark = pytest.mark.requirement("R171")

MONTHS, TOWNS, REASONS = ("2026-01", "2026-02", "2026-03"), ("A", "B", "C"), ("11", "21", "31")
KEYS = [bytes([number]) * 32 for number in range(200)]
SMALL = range(1, BASE)

keys = st.sampled_from(KEYS)
counts = st.one_of(st.integers(0, 12), st.integers(0, 200))
histories = st.dictionaries(
    st.tuples(*map(st.sampled_from, (MONTHS, TOWNS, REASONS))), counts, min_size=1, max_size=27
)


def told(count: int, lot: Lots) -> int:
    return rounded({("A",): count}, lot).get(("A",), 0)


def answers(finest: Finest, lot: Lots) -> Iterator[Cut]:
    """Return every table there is."""
    names = UPDATES.dimensions
    for by in chain.from_iterable(combinations(names, size) for size in (1, 2, 3)):
        yield cut(UPDATES, finest, by, lot)


def everything(history: Finest, lot: Lots) -> list[Cut]:
    """Return every answer to every question asked after each month, and for each month alone."""
    seen: list[Cut] = []
    for month in MONTHS:
        so_far = {place: count for place, count in history.items() if place[0] <= month}
        seen += answers(so_far, lot)
        seen += answers({place: so_far[place] for place in so_far if place[0] == month}, lot)
    return seen


def could_be(count: int) -> range:
    """Return every count that may be told as this."""
    return range(max(0, count - BASE + 1), count + BASE)


def drawn_otherwise(lot: Lots, place: Place, count: int, wanted: int) -> Lots:
    """Return lots that differ at one place alone, and there have ``count`` told as ``wanted``."""

    def other(where: Place, tens: int) -> int:
        if (where, tens) != (place, count // BASE):
            return lot(where, tens)
        return 0 if wanted > count else BASE - 1

    return other


@given(histories, keys, st.data())
def test_nobody_can_work_out_a_number_from_all_tables_of_all_times(
    history: dict[Place, int], key: bytes, data: st.DataObject
) -> None:
    """For each number all others it could be are shown to give the very same answers."""
    lot = lots_under(key, "update")
    place = data.draw(st.sampled_from(sorted(history)))
    told = rounded(history, lot).get(place, 0)
    seen = everything(history, lot)
    assert history[place] in could_be(told)
    assert set(SMALL) <= set(could_be(told)) or history[place] >= BASE
    for other in could_be(told):
        instead = {**history, place: other}
        assert everything(instead, drawn_otherwise(lot, place, other, told)) == seen


@pytest.mark.parametrize("count", SMALL)
def test_every_small_number_is_told_as_nought_or_ten_as_the_lot_falls(count: int) -> None:
    fell = Counter(told(count, lots_under(key, "update")) for key in KEYS)
    assert set(fell) == {0, BASE}
    assert abs(fell[BASE] / len(KEYS) - count / BASE) < 0.12, "on the average it is right"


def test_who_sees_a_number_grow_does_not_know_where_it_is_when_it_steps() -> None:
    steps = set()
    for key in KEYS:
        lot = lots_under(key, "update")
        seen = [told(count, lot) for count in range(BASE + 1)]
        assert seen == sorted(seen)
        assert set(seen) == {0, BASE}
        steps.add(seen.index(BASE))
    assert steps == set(range(1, BASE + 1))


@given(histories, keys)
def test_every_number_is_a_multiple_of_ten_and_every_total_the_sum_of_its_rows(
    history: dict[Place, int], key: bytes
) -> None:
    tables = list(answers(history, lots_under(key, "update")))
    for table in tables:
        assert all(count > 0 and count % BASE == 0 for _, count in table.rows)
        assert table.total == sum(count for _, count in table.rows) == tables[0].total


@given(st.integers(0, 30), keys)
def test_a_multiple_of_ten_is_told_as_it_is(tens: int, key: bytes) -> None:
    assert told(BASE * tens, lots_under(key, "update")) == BASE * tens


def test_lots_of_statistics_places_and_tens_have_nothing_to_do_with_one_another() -> None:
    lot, other = lots_under(KEYS[0], "update"), lots_under(KEYS[0], "population")
    assert len({lot((str(n),), 0) for n in range(100)}) == BASE
    assert len({lot(("A",), n) for n in range(100)}) == BASE
    assert [lot(("A",), n) for n in range(20)] != [other(("A",), n) for n in range(20)]


@pytest.mark.parametrize("count", [10, 14, 19], ids="{} ones".format)
def test_ones_under_a_known_total_are_not_given_away(count: int) -> None:
    """All tables fit a history in which one of them is nine, too."""
    ones = {("2026-01", "A", str(reason)): 1 for reason in range(count)}
    lot = lots_under(KEYS[1], "update")
    place = next(iter(ones))
    seen = list(answers(ones, lot))
    for other in SMALL:
        told = rounded(ones, lot).get(place, 0)
        instead = drawn_otherwise(lot, place, other, told)
        assert list(answers({**ones, place: other}, instead)) == seen
