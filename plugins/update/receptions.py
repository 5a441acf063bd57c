"""更新受信状況: what came from each municipality and what became of it, in numbers.

Every batch adds to the month of its sender in its own unit of work, so that the counts are those of
the answers. They tell of nobody: how many, when, and by which rule a notice was refused.

Papers::

    months   431001/2026-04   what came in a month; kept for a year after it
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.plugin_api import (
    JST,
    Answer,
    Arguments,
    Case,
    Operation,
    OperationName,
    Papers,
)
from plugins.update.held import WAITS_LONG, Waiting
from plugins.update.order import Receipts
from plugins.update.verdict import Outcome, Verdict

MONTHS = "months"
MOST_DAYS = 99
"""Of a lag; whatever took longer is counted as this."""
MonthText = Annotated[
    str,
    Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", max_length=7, title="月", description="YYYY-MM"),
]


class Refusal(Answer, frozen=True, kw_only=True):
    """When a notice was refused, by which rule, and for which item."""

    at: datetime
    rule: str
    item: str


class Month(msgspec.Struct, kw_only=True):
    """What came from one sender in one month."""

    last_at: datetime | None = None
    received: int = 0
    applied: int = 0
    held: int = 0
    rejected: int = 0
    duplicates: int = 0
    rules: dict[str, int] = {}
    """Of the refused, by the first rule against them."""
    lags: dict[int, int] = {}
    """Of the applied, by days from 異動年月日."""
    refusal: Refusal | None = None
    """The last one."""


class Counts:
    """What one request adds to the months of the senders; in memory until ``save``."""

    def __init__(self, papers: Papers, now: datetime) -> None:
        self._papers = papers
        self._now = now
        self._month = f"{now.astimezone(JST):%Y-%m}"
        self._months: dict[str, Month] = {}
        self._first: set[str] = set()

    def came(self, sender: str, verdict: Verdict) -> None:
        """Count a notice that has come, with what became of it at once."""
        month = self._of(sender)
        month.last_at = self._now
        if verdict.outcome is Outcome.DUPLICATE:
            month.duplicates += 1
            return
        month.received += 1
        month.held += verdict.outcome is Outcome.HELD
        if verdict.outcome is Outcome.REJECTED:
            month.rejected += 1
            month.rules[verdict.rule] = month.rules.get(verdict.rule, 0) + 1
            item = verdict.problems[0].item if verdict.problems else ""
            month.refusal = Refusal(at=self._now, rule=verdict.rule, item=item)

    def applied(self, sender: str, days: int | None) -> None:
        """Count a notice that was applied, now or after waiting, and how long it took if known."""
        month = self._of(sender)
        month.applied += 1
        if days is not None:
            lag = min(days, MOST_DAYS)
            month.lags[lag] = month.lags.get(lag, 0) + 1

    def save(self) -> None:
        """Write down what was counted."""
        for sender, month in sorted(self._months.items()):
            if sender in self._first:
                self._forget(sender)
            key = f"{sender}/{self._month}"
            self._papers.replace(MONTHS, key, msgspec.to_builtins(month))
        self._months.clear()
        self._first.clear()

    def _of(self, sender: str) -> Month:
        if sender not in self._months:
            kept = self._papers.get(MONTHS, f"{sender}/{self._month}")
            if kept is None:
                self._first.add(sender)
            self._months[sender] = Month() if kept is None else _read(kept)
        return self._months[sender]

    def _forget(self, sender: str) -> None:
        oldest = f"{sender}/{int(self._month[:4]) - 1}{self._month[4:]}"
        for key, _ in list(self._papers.every(MONTHS, f"{sender}/")):
            if key < oldest:
                self._papers.drop(MONTHS, key)


class AskReceptions(Arguments, frozen=True, kw_only=True):
    """Of which month; left out, of this one. A year back is kept."""

    month: MonthText | None = None


class ByRule(Answer, frozen=True, kw_only=True):
    """How many notices were refused by a rule, the first one against each."""

    rule: str
    count: int


class Reception(Answer, frozen=True, kw_only=True):
    """A municipality: its notices of the month, and how it stands now.

    ``received`` is without those that came again (``duplicates``). ``applied`` has those whose turn
    came in the month, whenever they had come, so the numbers of one month need not add up.
    """

    municipality_code: str
    received: int
    applied: int
    held: int
    """Had to wait when they came."""
    rejected: int
    duplicates: int
    refusals: tuple[ByRule, ...]
    """The most frequent first."""
    lag_median: int | None
    """Days from 異動年月日 to the record, of those applied; 99 is 99 or more."""
    lag_longest: int | None
    last_at: datetime | None
    """When a notice came last, in whichever month that is kept."""
    last_refusal: Refusal | None
    last_sequence: int
    missing: int
    """Sequence numbers below it that have not come."""
    waiting: int
    """Notices that wait now."""
    waiting_since: datetime | None
    """The oldest of them."""
    waits_long: bool
    """Longer than three days: somebody should ask the municipality."""


class Receptions(Answer, frozen=True, kw_only=True):
    """Every municipality of the prefecture, and whoever else has sent something, by code."""

    month: str
    municipalities: tuple[Reception, ...]


def receptions(case: Case, asked: AskReceptions) -> Receptions:
    """Tell what came from the municipalities, and of nobody whom it was about."""
    month = asked.month or f"{case.request.today:%Y-%m}"
    waiting = Waiting(case.papers, str)
    since = waiting.oldest_by_sender()
    rows = tuple(
        _reception(case, code, month, waiting.count(code), since.get(code))
        for code in sorted({*_municipalities(case), *Receipts.senders(case.papers)})
    )
    case.note.hits = len(rows)
    return Receptions(month=month, municipalities=rows)


def _reception(
    case: Case, code: str, month: str, waiting: int, since: datetime | None
) -> Reception:
    kept = {key[-len(month) :]: _read(body) for key, body in _months(case.papers, code)}
    asked, receipts = kept.get(month, Month()), Receipts(case.papers, code)
    lags = sorted(Counter(asked.lags).elements())
    refusals = sorted(asked.rules.items(), key=lambda each: (-each[1], each[0]))
    return Reception(
        municipality_code=code,
        received=asked.received,
        applied=asked.applied,
        held=asked.held,
        rejected=asked.rejected,
        duplicates=asked.duplicates,
        refusals=tuple(ByRule(rule=rule, count=count) for rule, count in refusals),
        lag_median=lags[(len(lags) - 1) // 2] if lags else None,
        lag_longest=lags[-1] if lags else None,
        last_at=max((each.last_at for each in kept.values() if each.last_at), default=None),
        last_refusal=max(
            (each.refusal for each in kept.values() if each.refusal),
            key=lambda refusal: refusal.at,
            default=None,
        ),
        last_sequence=receipts.last,
        missing=receipts.missing_count,
        waiting=waiting,
        waiting_since=since,
        waits_long=since is not None and case.request.now - since > WAITS_LONG,
    )


def _municipalities(case: Case) -> Iterator[str]:
    """Yield the municipalities of the prefecture that have a server of their own."""
    master, today = case.registry.municipalities, case.request.today
    for each in master.named(case.policy.office.prefecture, today):
        if master.office_of(each.code) == each.code:
            yield each.code


def _months(papers: Papers, code: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    return papers.every(MONTHS, f"{code}/")


def _read(body: Mapping[str, object]) -> Month:
    return msgspec.convert(body, Month)


RECEPTIONS = Operation(
    name=OperationName("update/receptions"),
    summary="Tell what came from each municipality in a month and what waits, in numbers",
    asks=AskReceptions,
    answers=Receptions,
    handler=receptions,
    purposed=False,
    records=AskReceptions.__struct_fields__,
)
