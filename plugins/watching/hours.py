"""When offices are open, in Japan: the day's class, and what part of it a minute is in."""

from datetime import date
from enum import StrEnum
from functools import lru_cache

from appliance.plugin_api import thresholds

SATURDAY = 5


class DayClass(StrEnum):
    """Days that are alike in how much is done."""

    MONDAY = "monday"
    MIDWEEK = "midweek"
    FRIDAY = "friday"
    OFF = "off"


class Part(StrEnum):
    """Of a day."""

    OPEN = "open"
    EVENING = "evening"
    """Outside office hours, and not at night."""
    NIGHT = "night"
    OFF_DAY = "off-day"


class Hours:
    """The calendar and the clock of the offices."""

    def __init__(self, rule: thresholds.Hours) -> None:
        self._holidays = frozenset(each.toordinal() for each in rule.holidays)
        self._closed = frozenset(rule.closed_days)
        self._opens, self._closes = _minute(rule.opens), _minute(rule.closes)
        self._night = _minute(rule.night_from), _minute(rule.night_until)
        self.class_of = lru_cache(maxsize=1000)(self._class_of)

    def _class_of(self, day: int) -> DayClass:
        """Return the class of a day, an ordinal."""
        on = date.fromordinal(day)
        weekday = on.weekday()
        if weekday >= SATURDAY or day in self._holidays or f"{on:%m-%d}" in self._closed:
            return DayClass.OFF
        if weekday == 0:
            return DayClass.MONDAY
        return DayClass.FRIDAY if weekday == SATURDAY - 1 else DayClass.MIDWEEK

    def part_of(self, day: int, minute: int) -> Part:
        """Return the part of a day that a minute of it is in."""
        if self.class_of(day) is DayClass.OFF:
            return Part.OFF_DAY
        if self._opens <= minute < self._closes:
            return Part.OPEN
        night_from, night_until = self._night
        return Part.NIGHT if minute >= night_from or minute < night_until else Part.EVENING


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
