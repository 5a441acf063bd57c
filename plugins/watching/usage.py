"""``watching/uses``: what was done in a period, in the counts that the nightly reading keeps.

Whoever may see every 所属 names one or none; whoever may not sees his own alone, and the notices of
the municipalities, which are nobody's of the staff.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from statistics import mean, pstdev
from typing import Annotated

from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    Malformed,
    NotPermitted,
    Operation,
    OperationName,
    ShortText,
)
from plugins.watching import days
from plugins.watching.hours import Hours
from plugins.watching.reading import read_until

LONGEST = 400
"""Days of a period."""
DEVIATIONS = 3
FEWEST = 4
"""Other days of the same class, for saying what is usual."""
FUNCTIONS = ("search", "provision", "disclosure")
FirstDay = Annotated[date, Meta(title="期間の始まり")]
LastDay = Annotated[date, Meta(title="期間の終わり")]


class Uses(Arguments, frozen=True, kw_only=True):
    """Of which days, both included, and which 所属."""

    since: FirstDay
    until: LastDay
    office: ShortText | None = None


class Usual(Answer, frozen=True, kw_only=True):
    """Mean and three deviations to both sides, of the other days of the same class."""

    low: float
    high: float


class OfDay(Answer, frozen=True, kw_only=True):
    """One day: uses by function, what would be usual, and how people proved who they are."""

    day: date
    day_class: str
    """``monday``, ``midweek``, ``friday`` or ``off``."""
    uses: dict[str, int]
    usual: dict[str, Usual]
    """Of search, provision and disclosure; without those of which too few days are known."""
    proofs: dict[str, int]
    """``device``, ``pin`` and ``failed``."""


class OfPerson(Answer, frozen=True, kw_only=True):
    """What somebody did in the period under one 所属."""

    person: str
    """照合ID"""
    office: str
    hours: tuple[int, ...]
    """Uses by the hour of the day, in Japan: 24 numbers."""
    outside: int
    """Uses outside office hours."""
    looks: int
    """At residents, of which it is known what followed."""
    looked_only: int
    """Looks that nothing followed from."""


class OfMunicipality(Answer, frozen=True, kw_only=True):
    """How many notices were applied after how many days from 異動年月日."""

    municipality_code: str
    lags: dict[int, int]


class Used(Answer, frozen=True, kw_only=True):
    """What was done, every day of the period in order, and everybody who did something."""

    office: str | None
    counted_until: date | None
    """The last day that the nightly reading has counted whole; null if there is none."""
    opens: str
    """Office hours."""
    closes: str
    days: tuple[OfDay, ...]
    persons: tuple[OfPerson, ...]
    hits: dict[str, int]
    """Searches by the class of their hits, the least first."""
    by_name: int
    """Searches by name alone."""
    updates: tuple[OfMunicipality, ...]


def uses(case: Case, asked: Uses) -> Used:
    """Tell what was done in a period.

    Raises:
        Malformed: it ends before it begins, or is longer than ``LONGEST``.
        NotPermitted: it is another office's.
    """
    if asked.until < asked.since:
        raise Malformed("until: must not be before since")
    if (asked.until - asked.since).days >= LONGEST:
        raise Malformed(f"until: at most {LONGEST} days are told at once")
    office = chosen_office(case, asked.office)
    counted = days.between(case.papers, asked.since, asked.until)
    mine = {day: _of_office(tables, office) for day, tables in counted}
    every = mine.values()
    hours, counted_until = case.policy.watching.hours, read_until(case.papers)
    return Used(
        office=office,
        counted_until=counted_until,
        opens=hours.opens,
        closes=hours.closes,
        days=tuple(_days(mine, asked, Hours(hours), counted_until)),
        persons=tuple(_persons(every)),
        hits=_hits(every),
        by_name=_each("by-name", *every).total(),
        updates=tuple(_updates(every)),
    )


def chosen_office(case: Case, office: str | None) -> str | None:
    """Return of which office somebody is told; None: of all.

    Raises:
        NotPermitted: it is not his own, and he may not see every one.
    """
    me = case.actor.operator
    if not case.actor.roles.isdisjoint(case.policy.watching.flags.everywhere):
        return office
    if me is None or office not in (None, me.office):
        raise NotPermitted("these uses are another office's: they are for an auditor")
    return me.office


def usual_of(values: Mapping[date, int], classes: Mapping[date, str]) -> dict[date, Usual]:
    """Return between what a day's value is usual, as the other days of its class say.

    The day itself has no say: one very large value would widen what it is held against.
    """
    alike: defaultdict[str, list[date]] = defaultdict(list)
    for day in values:
        alike[classes[day]].append(day)
    usual = {}
    for day in values:
        others = [values[each] for each in alike[classes[day]] if each != day]
        if len(others) >= FEWEST:
            spread = DEVIATIONS * pstdev(others)
            usual[day] = Usual(low=max(0.0, mean(others) - spread), high=mean(others) + spread)
    return usual


def _of_office(tables: days.Tables, office: str | None) -> days.Tables:
    if office is None:
        return tables
    return {
        what: places if what == "lag" else {office: places.get(office, {})}
        for what, places in tables.items()
    }


def _days(
    mine: Mapping[date, days.Tables], asked: Uses, hours: Hours, counted_until: date | None
) -> Iterator[OfDay]:
    span = [asked.since + timedelta(n) for n in range((asked.until - asked.since).days + 1)]
    classes = {day: hours.class_of(day.toordinal()).value for day in span}
    used = {day: _each("use", mine.get(day, {})) for day in span}
    # Before the first counted day nobody was at work, after the last one nobody has counted.
    known = [day for day in span if mine and min(mine) <= day <= (counted_until or date.min)]
    usual = {
        function: usual_of({day: used[day][function] for day in known}, classes)
        for function in FUNCTIONS
    }
    for day in span:
        yield OfDay(
            day=day,
            day_class=classes[day],
            uses=dict(used[day]),
            usual={name: those[day] for name, those in usual.items() if day in those},
            proofs=dict(_each("proof", mine.get(day, {}))),
        )


def _persons(every: Iterable[days.Tables]) -> Iterator[OfPerson]:
    table: defaultdict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for tables in every:
        for what in ("hour", "outside", "look"):
            for where, people in tables.get(what, {}).items():
                for who, ways in people.items():
                    for which, number in ways.items():
                        table[who, where][what, which] += number
    for (who, where), counts in sorted(table.items()):
        only = counts["look", "only"]
        yield OfPerson(
            person=who,
            office=where,
            hours=tuple(counts["hour", str(hour)] for hour in range(24)),
            outside=counts["outside", ""],
            looks=only + counts["look", "followed"],
            looked_only=only,
        )


def _hits(every: Iterable[days.Tables]) -> dict[str, int]:
    counts = _each("hits", *every)
    names: Sequence[str] = (*(name for _, name in days.CLASSES), days.BEYOND)
    return {name: counts[name] for name in names}


def _updates(every: Iterable[days.Tables]) -> Iterator[OfMunicipality]:
    lags: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for tables in every:
        for where, people in tables.get("lag", {}).items():
            for which, number in people.get("", {}).items():
                lags[where][int(which)] += number
    for code in sorted(lags):
        yield OfMunicipality(municipality_code=code, lags=dict(sorted(lags[code].items())))


def _each(what: str, *every: days.Tables) -> Counter[str]:
    """Return how often each ``which`` of something is counted, wherever and by whomever."""
    each: Counter[str] = Counter()
    for tables in every:
        for people in tables.get(what, {}).values():
            for counts in people.values():
                each.update(counts)
    return each


OPERATIONS = (
    Operation(
        name=OperationName("watching/uses"),
        summary="Count what was done by day, office, person and hour, as the nights have read it.",
        asks=Uses,
        answers=Used,
        handler=uses,
        purposed=False,
        records=Uses.__struct_fields__,
    ),
)
