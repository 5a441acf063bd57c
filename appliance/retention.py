"""How long a version is kept: 住民基本台帳法施行令30条の6.

* 消除 (転出, 死亡, 職権消除): 150 years from the day its own notice was received.
* Any other version: 150 years from the day a newer notice about the person was received, and never
  less from the day of its own (the newer one may have come first and been held); the newest one is
  kept for as long as it is that.

「起算して」 counts the day itself as the first, so a period ends on the day before the same day
150 years later, or on the last day of that month if it has no such day (民法143条).
"""

from calendar import monthrange
from datetime import date, timedelta

from appliance.items import ItemName, Values

YEARS = 150
NOTIFIED_ON = ItemName("notified_on")


def received_on(values: Values) -> date:
    """Return the day a version's notice was received (item 19).

    Raises:
        ValueError: the version has none.
    """
    return date.fromisoformat(str(values.get(NOTIFIED_ON)))


def erasable_from(received: date) -> date:
    """Return the first day on which what was received on a day may be erased.

    2015-08-17 is kept until 2165-08-16, 2016-02-29 until 2166-02-28.
    """
    year = received.year + YEARS
    last = monthrange(year, received.month)[1]
    if received.day > last:
        return date(year, received.month, last) + timedelta(days=1)
    return received.replace(year=year)
