from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.hours import EVERY_DAY, FREE_DAYS, WORKDAYS, check, is_open, opens_next
from appliance.model import JST

WEDNESDAY = datetime(2026, 4, 1, 10, 0, tzinfo=JST)
CLOCKS = st.integers(0, 24 * 60)


@st.composite
def lines(draw: st.DrawFn) -> str:
    start, end = sorted(draw(st.lists(CLOCKS, min_size=2, max_size=2, unique=True)))
    days = draw(st.sampled_from([WORKDAYS, FREE_DAYS, EVERY_DAY]))
    return f"{days} {start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


def test_without_lines_it_is_always_open() -> None:
    assert is_open((), WEDNESDAY, ())


@pytest.mark.parametrize(
    ("line", "day", "open_at"),
    [
        ("平日 08:30-17:15", date(2026, 4, 1), True),
        ("休日 08:30-17:15", date(2026, 4, 1), False),
        ("毎日 08:30-17:15", date(2026, 4, 4), True),
        ("平日 08:30-17:15", date(2026, 4, 4), False),
        ("休日 08:30-17:15", date(2026, 4, 5), True),
        ("平日 08:30-17:15", date(2026, 4, 29), False),
        ("休日 08:30-17:15", date(2026, 4, 29), True),
    ],
)
def test_a_line_holds_on_its_days(line: str, day: date, open_at: bool) -> None:
    ten = datetime(day.year, day.month, day.day, 10, tzinfo=JST)
    assert is_open([line], ten.astimezone(UTC), {date(2026, 4, 29)}) is open_at


@given(st.lists(lines(), min_size=1, max_size=4), st.integers(0, 7 * 24 * 60))
def test_what_is_told_as_the_next_opening_is_open_and_nothing_before_it_is(
    hours: list[str], minutes: int
) -> None:
    check(hours)
    now = WEDNESDAY + timedelta(minutes=minutes)
    following = opens_next(hours, now, ())
    assert following is not None
    assert is_open(hours, following, ())
    if not is_open(hours, now, ()):
        gap = int((following - now).total_seconds()) // 60
        steps = range(0, gap, max(1, gap // 50))
        assert not any(is_open(hours, now + timedelta(minutes=each), ()) for each in steps)


@pytest.mark.parametrize("line", ["", "平日", "平日 8:30-17:15", "平日 24:00-24:00", "平日 1-2\n"])
def test_what_is_not_of_the_form_is_told_by_its_place(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        check(["毎日 00:00-24:00", line])


def test_hours_that_never_come_are_told_as_such() -> None:
    closed = {WEDNESDAY.date() + timedelta(days=each) for each in range(400)}
    assert opens_next(["平日 08:30-17:15"], WEDNESDAY, closed) is None
