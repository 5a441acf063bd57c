"""Birth dates as a 住民票 holds them: mostly a day, sometimes less, sometimes no day of a calendar.

Unknown parts are 00; what the 住民票 says instead goes beside the date, in 和暦. Also found: the
border days that belong to two eras, and 29 February of a common year.
"""

from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple

_ERAS: Final = (
    (date(2019, 5, 1), "令和"),
    (date(1989, 1, 8), "平成"),
    (date(1926, 12, 25), "昭和"),
    (date(1912, 7, 30), "大正"),
    (date(1868, 1, 25), "明治"),
)

ODD_SHARE: Final = 0.006
"""How many of those over sixty have a birth date that is not simply a day."""


class Birth(NamedTuple):
    """A birth: the real day, the item 生年月日, and the spelling beside it where there is one."""

    day: date
    written: str
    as_written: str | None = None

    @property
    def is_plain(self) -> bool:
        """True where 生年月日 is simply the day."""
        return self.as_written is None


def draw(rng: Random, today: date, age: int, *, foreign: bool) -> Birth:
    """Draw the birth of somebody of this age (full years)."""
    day = _years_before(today, age) - timedelta(days=rng.randrange(365))
    if age > 60 and not foreign and rng.random() < ODD_SHARE:
        return _odd(rng, day)
    return Birth(day, day.isoformat())


def era_year(day: date) -> str:
    """Return the year in 和暦, such as 昭和15年 or 平成元年."""
    first, era = next(row for row in _ERAS if day >= row[0])
    year = day.year - first.year + 1
    return f"{era}{'元' if year == 1 else year}年"


def _odd(rng: Random, day: date) -> Birth:
    year = era_year(day)
    return rng.choice(
        (
            Birth(day, f"{day:%Y-%m}-00", f"{year}{day.month}月日不詳"),
            Birth(day, f"{day:%Y}-00-00", f"{year}月日不詳"),
            Birth(day, f"{day:%Y}-00-00", f"推定{year}"),
            Birth(day, f"{day:%Y-%m}-00", f"{year}{day.month}月頃"),
            Birth(day, "0000-00-00", "生年月日不詳"),
            Birth(date(1943, 3, 1), "1943-02-29", "昭和18年2月29日"),
            Birth(date(1926, 12, 25), "1926-12-25", "大正15年12月25日"),
        )
    )


def _years_before(day: date, years: int) -> date:
    return day.replace(year=day.year - years, day=min(day.day, 28))
