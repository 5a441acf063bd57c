"""The book of flags: raised by the watching, decided by people, kept with every decision.

An auditor sees all; whoever else may ask sees those that are about his own 所属 alone. Nobody sees
or decides a flag about himself.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, convert

from appliance.plugin_api import (
    JST,
    Alarm,
    Answer,
    AnyOperation,
    Arguments,
    Case,
    Entry,
    NotPermitted,
    Operation,
    OperationName,
    Register,
    ShortText,
    Watch,
)
from plugins.watching.detectors import AT_ONCE
from plugins.watching.findings import Finding
from plugins.watching.staff import staff_names

BOOK, OPEN = "flags", "open"
Decision = Literal["justified", "misuse", "unclear"]
Number = Annotated[int, Meta(ge=1)]
Reason = Annotated[str, Meta(min_length=1, max_length=2000)]


class Flags(Arguments, frozen=True, kw_only=True):
    """Which flags; those after a number."""

    state: Literal["open", "decided", "all"] = "open"
    detector: ShortText | None = None
    after: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class Flag(Arguments, frozen=True, kw_only=True):
    """Which flag."""

    number: Number


class Decide(Arguments, frozen=True, kw_only=True):
    """What came of a flag, and why; it may be decided anew, and all is kept."""

    number: Number
    decision: Decision
    reason: Reason


class Figures(Arguments, frozen=True, kw_only=True):
    """Over how many weeks, this one with them."""

    weeks: Annotated[int, Meta(ge=1, le=520)] = 12


class Listed(Answer, frozen=True, kw_only=True):
    """A flag in a list."""

    number: int
    detector: str
    day: date
    """On which what was found had come together."""
    raised_at: datetime
    persons: tuple[str, ...]
    """照合ID"""
    operators: tuple[str, ...]
    offices: tuple[str, ...]
    terminals: tuple[str, ...]
    figures: dict[str, float]
    decision: str
    """Empty while nobody has decided."""


class Book(Answer, frozen=True, kw_only=True):
    """Flags, the oldest first; ``next`` is the ``after`` of what follows, or null at the end."""

    flags: tuple[Listed, ...]
    next: int | None


class Decided(Answer, frozen=True, kw_only=True):
    """One decision."""

    decision: str
    reason: str
    by: str
    at: datetime


class Shown(Answer, frozen=True, kw_only=True):
    """A flag whole: the entries of the ledger to be read, and every decision so far."""

    flag: Listed
    names: dict[str, str]
    """Of the persons, by 照合ID, as far as they are recorded."""
    evidence: tuple[int, ...]
    """Indices of ledger entries."""
    thresholds: int
    """Version of ``watching.toml``."""
    decide_by: date
    decisions: tuple[Decided, ...]


class OfWeek(Answer, frozen=True, kw_only=True):
    """How many flags of a detector were raised in a week that begins on a Monday."""

    week: date
    detector: str
    flags: int
    open: int


class Told(Answer, frozen=True, kw_only=True):
    """What the watching has come to."""

    weeks: tuple[OfWeek, ...]
    decisions: dict[str, int]
    open: int
    oldest_open_days: int | None


def raise_flag(case: Case, finding: Finding) -> int:
    """Enter a finding in the book; return its number."""
    rules = case.policy.watching
    number = Register(case.papers, BOOK).add(
        {
            "detector": finding.detector,
            "day": date.fromordinal(finding.day).isoformat(),
            "raised_at": case.request.now.isoformat(),
            "persons": list(finding.persons),
            "operators": list(finding.operators),
            "offices": list(finding.offices),
            "terminals": list(finding.terminals),
            "figures": dict(finding.figures),
            "evidence": list(finding.evidence),
            "thresholds": rules.version,
            "decide_by": (case.request.today + timedelta(rules.flags.open_days)).isoformat(),
            "decision": "",
        }
    )
    waiting = {
        "detector": finding.detector,
        "raised_at": case.request.now.isoformat(),
        "decide_by": (case.request.today + timedelta(rules.flags.open_days)).isoformat(),
    }
    case.papers.put(OPEN, f"{number:012}", waiting)
    return number


def list_flags(case: Case, asked: Flags) -> Book:
    """List flags that may be seen."""
    register = Register(case.papers, BOOK)
    found: list[Listed] = []
    for number in range(asked.after + 1, register.last + 1):
        entry = register.get(number)
        if _fits(entry, asked) and not _hindrance(case, entry):
            found.append(_listed(number, entry))
            if len(found) == asked.limit:
                return Book(flags=tuple(found), next=number)
    return Book(flags=tuple(found), next=None)


def show(case: Case, asked: Flag) -> Shown:
    """Show one flag.

    Raises:
        NotFound: there is no such flag.
        NotPermitted: it is about whoever asks, or not about his office alone.
    """
    return _shown(case, asked.number, _permitted(case, asked.number))


def decide(case: Case, asked: Decide) -> Shown:
    """Enter what came of a flag.

    Raises:
        NotFound, NotPermitted: as ``show``.
    """
    _permitted(case, asked.number)
    by = case.actor.operator
    entry = Register(case.papers, BOOK).amend(
        asked.number,
        decision=asked.decision,
        reason=asked.reason,
        by=by.person_id if by else "",
        at=case.request.now.isoformat(),
    )
    case.papers.drop(OPEN, f"{asked.number:012}")
    case.note.result = asked.decision
    return _shown(case, asked.number, entry)


def figures(case: Case, asked: Figures) -> Told:
    """Count flags by detector and week, and what came of them, as far as they may be seen."""
    monday = case.request.today - timedelta(days=case.request.today.weekday())
    since = monday - timedelta(weeks=asked.weeks - 1)
    raised: Counter[tuple[date, str]] = Counter()
    still_open: Counter[tuple[date, str]] = Counter()
    decisions: Counter[str] = Counter()
    ages: list[int] = []
    for _, entry in Register(case.papers, BOOK).every():
        if _hindrance(case, entry):
            continue
        day = datetime.fromisoformat(entry["raised_at"]).astimezone(JST).date()
        if not entry["decision"]:
            ages.append((case.request.today - day).days)
        if day >= since:
            week = (day - timedelta(days=day.weekday()), entry["detector"])
            raised[week] += 1
            still_open[week] += not entry["decision"]
            decisions[entry["decision"] or "open"] += 1
    return Told(
        weeks=tuple(
            OfWeek(week=week, detector=detector, flags=count, open=still_open[week, detector])
            for (week, detector), count in sorted(raised.items())
        ),
        decisions=dict(decisions),
        open=len(ages),
        oldest_open_days=max(ages, default=None),
    )


def alarms(watch: Watch) -> Iterator[Alarm]:
    """Say so when a canary was opened, and when flags wait for too long."""
    waiting = [entry for _, entry in watch.papers.every(OPEN)]
    today = watch.today.isoformat()
    late = [each for each in waiting if each["decide_by"] < today]
    urgent = [each for each in waiting if each["detector"] == AT_ONCE[0]]
    for name, which, text in (
        (
            "watching/canary-opened",
            urgent,
            "架空の住民が閲覧されました。juki watching flags で確認し、直ちに調査してください。",
        ),
        (
            "watching/flags-open",
            late,
            "判定期限を過ぎた監視結果があります。juki watching flags で確認し、判定してください。",
        ),
    ):
        if which:
            since = min(datetime.fromisoformat(each["raised_at"]) for each in which)
            yield Alarm(name=name, text=text, count=len(which), since=since)


def _fits(entry: Entry, asked: Flags) -> bool:
    if asked.detector is not None and entry["detector"] != asked.detector:
        return False
    return asked.state == "all" or (asked.state == "decided") is bool(entry["decision"])


def _permitted(case: Case, number: int) -> Entry:
    entry = Register(case.papers, BOOK).get(number)
    if hindrance := _hindrance(case, entry):
        raise NotPermitted(hindrance)
    return entry


def _hindrance(case: Case, entry: Entry) -> str:
    """Return why whoever asks must not see a flag; empty if he may."""
    me = case.actor.operator
    if me is None or me.person_id in entry["persons"] or me.operator_id in entry["operators"]:
        return "nobody sees or decides a flag about himself: somebody else must"
    everywhere = case.policy.watching.flags.everywhere
    if case.actor.roles.isdisjoint(everywhere) and set(entry["offices"]) != {me.office}:
        return "this flag is not about your office alone: it is for an auditor"
    return ""


def _listed(number: int, entry: Entry) -> Listed:
    names = set(Listed.__struct_fields__)
    told = {key: value for key, value in entry.items() if key in names}
    return convert({"number": number, **told}, Listed)


def _shown(case: Case, number: int, entry: Entry) -> Shown:
    names = staff_names(case)
    history = Register(case.papers, BOOK).history(number)
    return Shown(
        flag=_listed(number, entry),
        names={who: names[who].name for who in entry["persons"] if who in names},
        evidence=tuple(entry["evidence"]),
        thresholds=entry["thresholds"],
        decide_by=date.fromisoformat(entry["decide_by"]),
        decisions=tuple(
            Decided(
                decision=each["decision"],
                reason=each["reason"],
                by=each["by"],
                at=datetime.fromisoformat(each["at"]),
            )
            for each in history
            if each["decision"]
        ),
    )


OPERATIONS: tuple[AnyOperation, ...] = (
    Operation(
        name=OperationName("watching/flags"),
        summary="List flags that the watching of the ledger has raised.",
        asks=Flags,
        answers=Book,
        handler=list_flags,
        purposed=False,
        records=Flags.__struct_fields__,
    ),
    Operation(
        name=OperationName("watching/flag"),
        summary="Show one flag: which entries of the ledger it is about, and what came of it.",
        asks=Flag,
        answers=Shown,
        handler=show,
        purposed=False,
        uses=frozenset({"roster"}),
        records=("number",),
    ),
    Operation(
        name=OperationName("watching/decide"),
        summary="Enter what came of a flag, and why.",
        asks=Decide,
        answers=Shown,
        handler=decide,
        changes=True,
        purposed=False,
        uses=frozenset({"roster"}),
        records=("number", "decision"),
        # What is written of people is in the book of flags alone.
        drops=("reason",),
    ),
    Operation(
        name=OperationName("watching/figures"),
        summary="Count flags by detector and week, and how long they have been open.",
        asks=Figures,
        answers=Told,
        handler=figures,
        purposed=False,
        records=("weeks",),
    ),
)
