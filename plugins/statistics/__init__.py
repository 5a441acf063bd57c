"""統計: how many live where, what was updated, what was provided (R171 to R173).

Nothing is counted by reading records: every save moves a few tallies in its own unit of work, and
every provision its own. Tables are of numbers only, all rounded so that small ones cannot be worked
out, and name nobody; no decision about a person can rest on them, for nobody can be found by them
(R173). Exact numbers stay inside: in the tallies, and in the recount that compares them, which
tells only how many records of persons there are, struck off or not. The one list of exact numbers
is ``provision/yearly``: how often the prefecture provided what to whom is a count of its own acts,
which the law has it publish every year (30条の16).

Read it in this order::

    counting.py   what a change counts for; the names of tallies
    ages.py       classes of age from the month of birth
    rounding.py   how numbers are rounded, and why none can be worked out
    tables.py     from tallies to a table, as rows or CSV
    rollover.py   what a new day moves
    recount.py    everything counted again, and compared
    screens.py    the tables at a terminal       wording.py  how it is read there
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from appliance.plugin_api import (
    Alarm,
    Answer,
    AnyOperation,
    Arguments,
    Case,
    Change,
    Job,
    NotFound,
    Operation,
    OperationName,
    Register,
    Screen,
    Watch,
    hookimpl,
)
from plugins.statistics import recount, rollover
from plugins.statistics.counting import POPULATION, tallies_of
from plugins.statistics.rounding import BASE, lots
from plugins.statistics.screens import SCREENS
from plugins.statistics.tables import (
    PROVISIONS,
    RESIDENTS,
    UPDATES,
    Finest,
    Kind,
    cut,
    names_of,
    residents,
    within,
)

MOST_BY = 5
Month = Annotated[
    str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", max_length=7, description="YYYY-MM")
]
Period = Annotated[
    str, Meta(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2]))?$", max_length=7, description="YYYY or YYYY-MM")
]
Form = Literal["json", "csv"]


class AskPopulation(Arguments, frozen=True, kw_only=True):
    """By what; ``period`` is a month, whose first day is meant, or nothing for today."""

    period: Month | None = None
    by: Annotated[
        tuple[Literal["municipality", "age", "sex"], ...],
        Meta(min_length=1, max_length=3, title="集計の区分"),
    ]
    format: Form = "json"


class AskUpdates(Arguments, frozen=True, kw_only=True):
    """Of which year or month, and by what."""

    period: Period
    by: Annotated[
        tuple[Literal["month", "municipality", "reason"], ...],
        Meta(min_length=1, max_length=3, title="集計の区分"),
    ]
    format: Form = "json"


class AskProvisions(Arguments, frozen=True, kw_only=True):
    """Of which year or month, and by what."""

    period: Period
    by: Annotated[
        tuple[Literal["month", "purpose", "agency", "method", "result"], ...],
        Meta(min_length=1, max_length=MOST_BY, title="集計の区分"),
    ]
    format: Form = "json"


class AskRecounts(Arguments, frozen=True, kw_only=True):
    """Nothing."""


Asked = AskPopulation | AskUpdates | AskProvisions


class Row(Answer, frozen=True, kw_only=True):
    """One number, rounded, and what it is of."""

    of: dict[str, str]
    count: int


class Statistic(Answer, frozen=True, kw_only=True):
    """A table, as rows or as CSV; all numbers are rounded, what comes to nought is left out."""

    period: str
    by: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    total: int = 0
    """The sum of the rows."""
    rounded_to: int = BASE
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    """By dimension, what the codes in the rows are called."""
    csv: str | None = None


class Recount(Answer, frozen=True, kw_only=True):
    """What a recount came to."""

    day: str
    persons: int
    tallies: int
    differing: int
    first: tuple[str, ...]
    """Names of tallies that differ, not all of them if there are many."""


class Recounts(Answer, frozen=True, kw_only=True):
    """The recounts so far, the newest first."""

    recounts: tuple[Recount, ...]


def population(case: Case, asked: AskPopulation) -> Statistic:
    """Count the residents of today, or of the first of a month.

    Raises:
        NotFound: the population of that month was not kept.
    """
    today = case.request.today
    if asked.period is None:
        finest = residents(case.tallies(f"{POPULATION}/"), today)
    elif (kept := rollover.kept(case, asked.period)) is not None:
        finest = kept
    else:
        raise NotFound("the population of that month was not kept; without period it is today's")
    return _answer(case, RESIDENTS, finest, asked, asked.period or today.isoformat())


def updates(case: Case, asked: AskUpdates) -> Statistic:
    """Count what was updated."""
    return _answer(case, UPDATES, within(case, UPDATES, asked.period), asked, asked.period)


def provisions(case: Case, asked: AskProvisions) -> Statistic:
    """Count what was provided."""
    finest = within(case, PROVISIONS, asked.period)
    return _answer(case, PROVISIONS, finest, asked, asked.period)


def recounts(case: Case, _: AskRecounts) -> Recounts:
    """Tell what the recounts came to."""
    entries = [entry for _, entry in Register(case.papers, recount.BOOK).every()]
    return Recounts(
        recounts=tuple(
            Recount(
                day=entry["day"],
                persons=entry["persons"],
                tallies=entry["tallies"],
                differing=entry["differing"],
                first=tuple(name for name, _, _ in entry["first"]),
            )
            for entry in reversed(entries)
        )
    )


def _answer(case: Case, kind: Kind, finest: Finest, asked: Asked, period: str) -> Statistic:
    table = cut(kind, finest, asked.by, lots(case, kind.name))
    case.note.hits = len(table.rows)
    answer = Statistic(period=period, by=table.by, total=table.total)
    if asked.format == "csv":
        return replace(answer, csv=table.csv(names_of(case)))
    rows = tuple(Row(of=of, count=count) for of, count in table.plain())
    return replace(answer, rows=rows, names=table.named(names_of(case)))


OPERATIONS: tuple[AnyOperation, ...] = (
    Operation(
        name=OperationName("statistics/population"),
        summary="Count residents by municipality, age and sex, rounded.",
        asks=AskPopulation,
        answers=Statistic,
        handler=population,
        purposed=False,
        records=AskPopulation.__struct_fields__,
    ),
    Operation(
        name=OperationName("statistics/updates"),
        summary="Count updates by month, municipality and reason, rounded.",
        asks=AskUpdates,
        answers=Statistic,
        handler=updates,
        purposed=False,
        records=AskUpdates.__struct_fields__,
    ),
    Operation(
        name=OperationName("statistics/provisions"),
        summary="Count provisions by month, purpose, agency, method and result, rounded.",
        asks=AskProvisions,
        answers=Statistic,
        handler=provisions,
        purposed=False,
        records=AskProvisions.__struct_fields__,
    ),
    Operation(
        name=OperationName("statistics/recounts"),
        summary="Tell what the recounts of the tallies came to.",
        asks=AskRecounts,
        answers=Recounts,
        handler=recounts,
        purposed=False,
    ),
    rollover.ROLL_OVER,
    recount.RECOUNT,
)


@hookimpl
def operations() -> Iterable[AnyOperation]:
    return OPERATIONS


@hookimpl
def tallies(change: Change, today: date) -> Mapping[str, int]:
    return tallies_of(change, today)


@hookimpl
def jobs() -> Iterable[Job]:
    return (rollover.JOB, recount.JOB)


@hookimpl
def alarms(watch: Watch) -> Iterable[Alarm]:
    return recount.alarms(watch)


@hookimpl
def screens() -> Iterable[Screen]:
    return SCREENS
