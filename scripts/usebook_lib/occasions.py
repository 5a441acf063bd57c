"""What the people of an office do at their terminals in a year, from a seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from appliance.model import JST

OPERATORS = tuple(f"OP-{number:04}" for number in range(1, 9))
GROUNDS = (
    ("prefectural-tax", "01"),
    ("prefectural-tax", "02"),
    ("prefectural-tax", "03"),
    ("designated-disease", "01"),
    ("designated-disease", "02"),
)
A_DAY = 96
"""Uses a working day: 23,453 a year."""
OPENS, SLOT, SLOTS = time(8, 30), timedelta(minutes=8), 67
"""The day in slots, one use of one person at most in each: to 17:26."""
STEP = timedelta(seconds=40)
"""From one request of a use to the next."""
WITHOUT_NUMBER, BY_SEARCH, AGAIN = 0.1, 0.3, 0.03
MOST_PERSONS = 3


class Ground(NamedTuple):
    """事務 and 利用事由."""

    purpose: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One use: who, when, for what, about which residents (by their place in the file)."""

    operator: str
    begins: datetime
    case: str
    ground: Ground
    persons: tuple[int, ...]
    by_search: bool
    """Found and opened, rather than inquired about."""

    @property
    def requests(self) -> int:
        """How many requests it takes."""
        return len(self.persons) * (2 if self.by_search else 1)

    @property
    def ends(self) -> datetime:
        """When the last request is made."""
        return self.begins + (self.requests - 1) * STEP


def occasions(rng: Random, uses: int, residents: int, first: date) -> list[Occasion]:
    """Return a year's uses, or fewer, in the order of time."""
    made: list[Occasion] = []
    for day in _working_days(first):
        made += _day(rng, day, min(A_DAY, uses - len(made)), residents, len(made))
        if len(made) >= uses:
            return made
    raise AssertionError("days never end")


def _working_days(first: date) -> Iterator[date]:
    day = first
    while True:
        if day.weekday() < 5:
            yield day
        day += timedelta(days=1)


def _day(rng: Random, day: date, uses: int, residents: int, before: int) -> list[Occasion]:
    places = [(slot, who) for slot in range(SLOTS) for who in OPERATORS]
    chosen = sorted(rng.sample(places, uses))
    made: list[Occasion] = []
    for at, (slot, operator) in enumerate(chosen):
        opens = datetime.combine(day, OPENS, JST)
        begins = opens + slot * SLOT + timedelta(seconds=rng.randrange(60))
        many = 1 + (rng.random() < 0.1) + (rng.random() < 0.03)
        case, ground = _grounds(rng, made, operator, f"R8-{before + at + 1:06}", begins)
        made.append(
            Occasion(
                operator=operator,
                begins=begins,
                case=case,
                ground=ground,
                persons=tuple(rng.sample(range(residents), many)),
                by_search=many == 1 and rng.random() < BY_SEARCH,
            )
        )
    return made


def _grounds(
    rng: Random, made: Sequence[Occasion], operator: str, number: str, begins: datetime
) -> tuple[str, Ground]:
    """Return number and ground: new ones, none, or those of a case of the same morning."""
    if rng.random() < WITHOUT_NUMBER:
        return "", Ground(*rng.choice(GROUNDS))
    earlier = [
        each
        for each in made
        if each.operator == operator and each.case and begins - each.begins > timedelta(hours=1)
    ]
    if earlier and rng.random() < AGAIN:
        same = rng.choice(earlier)
        return same.case, same.ground
    return number, Ground(*rng.choice(GROUNDS))
