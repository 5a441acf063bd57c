"""What staff read of the comparisons, and plan: results, calendar, overdue municipalities (R95).

``reconcile/report`` shows residents and needs a 事務; ``reconcile/status`` and ``reconcile/plan``
show none, nor does ``reconcile/runs``.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import islice
from typing import Annotated, Any, Literal

from msgspec import Meta

from appliance.plugin_api import (
    JST,
    Answer,
    AnyOperation,
    AreaText,
    Arguments,
    Case,
    ItemName,
    Malformed,
    Operation,
    OperationName,
)
from plugins.reconcile import texts
from plugins.reconcile.runs import Due, Finding, Plan, Run, Runs
from plugins.reconcile.wire import Kind, Paired, RunNumber

CODE = ItemName("resident_code")
LONGEST_DAYS = 366


class Report(Arguments, frozen=True, kw_only=True):
    """Which run, and above which of its findings (``next`` of the answer before)."""

    run: RunNumber
    after: Annotated[str, Meta(max_length=64)] = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class Reported(Answer, frozen=True, kw_only=True):
    """Somebody about whom the files differ; ``here`` is how somebody missing stands with us."""

    resident_code: str | None
    """None if a plugin withholds it."""
    kind: Kind
    items: tuple[str, ...]
    here: Literal["", "here", "elsewhere", "dead", "struck-off", "unknown"]
    text: str


class Result(Answer, frozen=True, kw_only=True):
    """A run with its counts, what it found, and the result as the municipality was told it.

    Of the likely pairs, those with a number that may not be told are left out.
    """

    run: int
    municipality_code: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    theirs: int
    ours: int
    differing: int
    missing_here: int
    missing_there: int
    pairs: tuple[Paired, ...]
    findings: tuple[Reported, ...]
    next: str | None
    text: str


class Status(Arguments, frozen=True, kw_only=True):
    """One municipality, or all."""

    municipality_code: AreaText | None = None


class Standing(Answer, frozen=True, kw_only=True):
    """When a municipality was compared last, what came of it, and when it is due."""

    municipality_code: str
    every_days: int
    last_run: int | None
    last_on: str | None
    last_result: str | None
    age_days: int | None
    due: str
    overdue: bool
    text: str


class Calendar(Answer, frozen=True, kw_only=True):
    """Every municipality of the calendar; how many are overdue."""

    municipalities: tuple[Standing, ...]
    overdue: int


class AskRuns(Arguments, frozen=True, kw_only=True):
    """Finished from which day to which, of one municipality or all; those after a number."""

    since: Annotated[date, Meta(title="期間の始まり")]
    until: Annotated[date, Meta(title="期間の終わり")]
    municipality_code: AreaText | None = None
    after: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000


class Came(Answer, frozen=True, kw_only=True):
    """What a finished run came to, in numbers."""

    run: int
    municipality_code: str
    finished_at: datetime
    theirs: int
    ours: int
    differing: int
    missing_here: int
    missing_there: int


class FinishedRuns(Answer, frozen=True, kw_only=True):
    """Runs, the oldest first; ``next`` is the ``after`` of what follows, or null at the end."""

    runs: tuple[Came, ...]
    next: int | None


class PlanFor(Arguments, frozen=True, kw_only=True):
    """Which municipalities are to be compared how often, counted from today; 0: not any more."""

    municipality_codes: Annotated[tuple[AreaText, ...], Meta(min_length=1, max_length=200)]
    every_days: Annotated[int, Meta(ge=0, le=LONGEST_DAYS)]


def report(case: Case, asked: Report) -> Result:
    """Show a run and what it found; whoever is shown is in the ledger."""
    case.registry.require([CODE])
    runs = Runs(case.papers)
    run = runs.get(asked.run)
    found = list(islice(runs.findings(asked.run, asked.after), asked.limit + 1))
    shown = found[: asked.limit]
    case.note.hits = len(shown)
    finished = run.state in ("agreed", "differs")
    return Result(
        run=asked.run,
        municipality_code=run.municipality,
        state=run.state,
        started_at=run.started_at,
        finished_at=run.finished_at,
        theirs=run.theirs,
        ours=run.ours,
        differing=run.differing,
        missing_here=run.missing_here,
        missing_there=run.missing_there,
        pairs=tuple(_pairs(case, runs.pairs(asked.run))),
        findings=tuple(_reported(case, finding) for _, finding in shown),
        next=shown[-1][0] if len(found) > len(shown) else None,
        text=texts.result(run) if finished else "整合性確認は完了していません。",
    )


def status(case: Case, asked: Status) -> Calendar:
    """Tell when each municipality was compared last, and who is overdue."""
    runs = Runs(case.papers)
    only = asked.municipality_code
    dues = runs.calendar() if only is None else iter([runs.due(only)])
    rows = tuple(_standing(runs, due, case.request.today) for due in dues)
    return Calendar(municipalities=rows, overdue=sum(row.overdue for row in rows))


def finished(case: Case, asked: AskRuns) -> FinishedRuns:
    """Tell what the runs of a period came to, and nobody they were about."""
    only = asked.municipality_code
    found = [
        _came(number, run, run.finished_at)
        for number, run in Runs(case.papers).every(asked.after)
        if run.finished_at is not None
        and asked.since <= run.finished_at.astimezone(JST).date() <= asked.until
        and only in (None, run.municipality)
    ]
    case.note.hits = len(found[: asked.limit])
    more = len(found) > asked.limit
    return FinishedRuns(
        runs=tuple(found[: asked.limit]), next=found[asked.limit - 1].run if more else None
    )


def plan(case: Case, asked: PlanFor) -> Calendar:
    """Put municipalities into the calendar, or take them out.

    A municipality that was taken out is in the
    calendar again once it begins to compare by itself.

    Raises:
        Malformed: one is no municipality today, or not one of this prefecture.
    """
    runs, master = Runs(case.papers), case.registry.municipalities
    today = case.request.today
    if any(master.lookup(code, today) is None for code in asked.municipality_codes):
        raise Malformed("municipality_codes: one is no municipality today")
    if not all(_is_ours(case, code) for code in asked.municipality_codes):
        raise Malformed("municipality_codes: one is not of this prefecture")
    if not asked.every_days:
        for code in asked.municipality_codes:
            runs.take_out(code)
        return Calendar(municipalities=(), overdue=0)
    for code in asked.municipality_codes:
        runs.plan(code, Plan(every_days=asked.every_days, since=today))
    rows = tuple(_standing(runs, runs.due(code), today) for code in asked.municipality_codes)
    return Calendar(municipalities=rows, overdue=sum(row.overdue for row in rows))


def _is_ours(case: Case, code: str) -> bool:
    """Return whether this is a municipality, or a ward, of the prefecture of this office."""
    master = case.registry.municipalities
    entry = master.lookup(code, case.request.today)
    if entry is None or entry.is_prefecture:
        return False
    above = master.prefecture_of(entry)
    return above is not None and above.name == case.policy.office.prefecture


def _standing(runs: Runs, due: Due, today: date) -> Standing:
    last = due.last
    result: Run | None = None if last is None else runs.get(last.run)
    late = (today - due.on).days
    return Standing(
        municipality_code=due.municipality,
        every_days=due.every_days,
        last_run=None if last is None else last.run,
        last_on=None if last is None else last.on.isoformat(),
        last_result=None if result is None else result.state,
        age_days=None if last is None else (today - last.on).days,
        due=due.on.isoformat(),
        overdue=late > 0,
        text=texts.overdue(due, late) if late > 0 else "",
    )


def _came(number: int, run: Run, finished_at: datetime) -> Came:
    return Came(
        run=number,
        municipality_code=run.municipality,
        finished_at=finished_at,
        theirs=run.theirs,
        ours=run.ours,
        differing=run.differing,
        missing_here=run.missing_here,
        missing_there=run.missing_there,
    )


def _pairs(case: Case, pairs: Iterable[Mapping[str, Any]]) -> Iterator[Paired]:
    """Yield the pairs of which both numbers may be told; whoever is told of is a subject."""
    for pair in pairs:
        if not any(_is_withheld(case, pair[side]) for side in ("sent", "kept")):
            yield Paired(**pair)


def _is_withheld(case: Case, resident_code: str) -> bool:
    person = case.registry.by_code(resident_code)
    if person is None:
        return False
    return case.registry.is_guarded(person) or (CODE in case.registry.read(person, [CODE]).withheld)


def _reported(case: Case, finding: Finding) -> Reported:
    here: Literal["", "here", "elsewhere", "dead", "struck-off", "unknown"] = ""
    person = case.registry.by_code(finding.resident_code)
    guarded = person is not None and case.registry.is_guarded(person)
    withheld = _is_withheld(case, finding.resident_code)
    if finding.kind == "missing-here" and not guarded:
        # Staff must know whether a notice is missing or the code is wrong; the CS is not told.
        here = "unknown"
        if person is not None:
            here = case.registry.standing(person, case.request.today).value
    return Reported(
        resident_code=None if withheld else finding.resident_code,
        kind=finding.kind,
        items=finding.items,
        here=here,
        text=texts.TO_DO[finding.kind],
    )


REPORT = Operation(
    name=OperationName("reconcile/report"),
    summary="Show what a comparison with a municipality has found.",
    asks=Report,
    answers=Result,
    handler=report,
    records=("run", "limit"),
    drops=("after",),
)
STATUS = Operation(
    name=OperationName("reconcile/status"),
    summary="Tell when each municipality was compared last, and which are overdue.",
    asks=Status,
    answers=Calendar,
    handler=status,
    purposed=False,
    records=Status.__struct_fields__,
)
FINISHED = Operation(
    name=OperationName("reconcile/runs"),
    summary="Tell what the comparisons of a period came to, in numbers.",
    asks=AskRuns,
    answers=FinishedRuns,
    handler=finished,
    purposed=False,
    records=AskRuns.__struct_fields__,
)
PLAN = Operation(
    name=OperationName("reconcile/plan"),
    summary="Plan how often municipalities are compared.",
    asks=PlanFor,
    answers=Calendar,
    handler=plan,
    changes=True,
    purposed=False,
    records=PlanFor.__struct_fields__,
)
OPERATIONS: tuple[AnyOperation, ...] = (REPORT, STATUS, FINISHED, PLAN)
