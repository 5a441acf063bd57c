"""When a terminal may be used: ``平日 08:30-17:15``, in the time of Japan.

A line names the days and a range of one day; several lines add up, none means always. 平日 is
Monday to Friday without the days on which the office is closed (``office.toml``), 休日 every other
day, 毎日 both. The end is not within the range; 24:00 is the end of the day.
"""

import re
from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta

from appliance.model import JST

WORKDAYS, FREE_DAYS, EVERY_DAY = "平日", "休日", "毎日"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
PATTERN = f"^({WORKDAYS}|{FREE_DAYS}|{EVERY_DAY}) {_CLOCK}-({_CLOCK}|24:00)$"
"""The form of a line, for whoever asks for one."""
_LINE = re.compile(PATTERN)
_SATURDAY = 5
_FURTHEST = 366
"""Days ahead that are looked through; longer no office is closed."""


def check(lines: Collection[str]) -> None:
    """Hold lines of hours against their form.

    Raises:
        ValueError: a line is not of the form, or its range has no minute; says which line.
    """
    for place, line in enumerate(lines, start=1):
        if _LINE.fullmatch(line) is None:
            raise ValueError(f"line {place} is not of the form")
        start, end = _range(line)
        if start >= end:
            raise ValueError(f"line {place} ends before it begins; write two lines over midnight")


def is_open(lines: Collection[str], now: datetime, closed: Collection[date]) -> bool:
    """Return whether ``now`` (aware) is within one of the lines; always if there are none."""
    here = now.astimezone(JST)
    minute = here.hour * 60 + here.minute
    return not lines or any(start <= minute < end for start, end in _day(lines, here, closed))


def opens_next(lines: Collection[str], now: datetime, closed: Collection[date]) -> datetime | None:
    """Return when the next range begins after ``now`` (aware), in Japan; None: not within a year.

    A range that begins where another ends is told as a beginning of its own.
    """
    here = now.astimezone(JST)
    midnight = datetime.combine(here, time(), JST)
    for days in range(_FURTHEST):
        day = midnight + timedelta(days=days)
        starts = (day + timedelta(minutes=start) for start, _ in _day(lines, day, closed))
        if later := [start for start in starts if start > here]:
            return min(later)
    return None


def _day(lines: Collection[str], day: date, closed: Collection[date]) -> Iterator[tuple[int, int]]:
    free = day.weekday() >= _SATURDAY or date(day.year, day.month, day.day) in closed
    classes = (EVERY_DAY, FREE_DAYS if free else WORKDAYS)
    return (_range(line) for line in lines if line.partition(" ")[0] in classes)


def _range(line: str) -> tuple[int, int]:
    """Return the minutes of the day at which a line begins and ends."""
    start, _, end = line.partition(" ")[2].partition("-")
    return _minute(start), _minute(end)


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)
