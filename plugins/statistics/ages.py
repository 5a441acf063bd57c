"""Ages by classes of five years (年齢5歳階級), from the month of birth.

Whoever has a birthday this month has had it. Of an unknown month July is taken, which is half a
year wrong at most; of an unknown year there is no age.
"""

from datetime import date

OLDEST = 100
UNKNOWN = "不詳"
MIDDLE_OF_YEAR = 7


def age_class(birth: str, today: date) -> str:
    """Return the class of somebody born in ``YYYY-MM`` (00 for what is not known)."""
    year, month = map(int, birth.split("-"))
    if not year:
        return UNKNOWN
    months = (today.year - year) * 12 + today.month - (month or MIDDLE_OF_YEAR)
    return class_of(max(0, months // 12))


def class_of(age: int) -> str:
    """Return the class of an age: ``000-004`` to ``095-099``, then ``100-``."""
    if age >= OLDEST:
        return f"{OLDEST}-"
    first = age - age % 5
    return f"{first:03}-{first + 4:03}"
