"""Whether somebody is a resident of the prefecture today, and if not, why not.

A 転出 may be notified before its day (転出の予定年月日); until then the person is a resident.
"""

from datetime import date
from enum import StrEnum

from appliance.items import ItemName, Values
from appliance.values.dates import PartialDate

MOVED_OUT, DIED = "21", "22"
REMOVALS = frozenset({MOVED_OUT, DIED, "23"})
"""異動事由 that strike off: 転出, 死亡, 職権消除等."""

REASON = ItemName("reason")
EFFECTIVE_DATE = ItemName("effective_date")
REMOVED_FLAG = ItemName("removed_flag")
DECIDING = (REASON, EFFECTIVE_DATE, REMOVED_FLAG)


class Standing(StrEnum):
    """How a person stands to the prefecture on one day."""

    HERE = "here"
    ELSEWHERE = "elsewhere"
    DEAD = "dead"
    STRUCK_OFF = "struck-off"


def standing(values: Values, today: date) -> Standing:
    """Return the standing that a version with these ``DECIDING`` items gives."""
    day = until(values)
    if day is None or day > today:
        return Standing.HERE
    if values[REASON] == MOVED_OUT:
        return Standing.ELSEWHERE
    return Standing.DEAD if values[REASON] == DIED else Standing.STRUCK_OFF


def until(values: Values, before: date | None = None) -> date | None:
    """Return from which day on somebody is no resident any more; None while he stays.

    ``before`` is the day that the version before gives: a version that corrects a struck-off record
    changes nothing of it.
    """
    if not values[REMOVED_FLAG]:
        return None
    if values[REASON] not in REMOVALS and before is not None:
        return before
    written = values[EFFECTIVE_DATE]
    if values[REASON] != MOVED_OUT or not isinstance(written, str):
        return date.min
    return PartialDate.parse(written).lower()
