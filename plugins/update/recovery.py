"""Recovery: a municipality sends its full set again after data of the prefecture was lost.

Only while the prefecture has opened it for that municipality (``update/open-recovery``), and never
over newer data: each record is compared with ours by its 更新順番号, and one line says what came of
it. A record that is newer there is saved on top of ours, though the versions between are missing;
the history shows the gap. Sending a set, or a part of it, again changes nothing.

At the end of the set the CS says up to which sequence its notices are contained in it; what had not
arrived of those is no longer missing.

Papers::

    recovery   431001    until which day it is open
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from appliance.plugin_api import (
    Answer,
    AreaText,
    Arguments,
    Case,
    NotPermitted,
    Problem,
    Values,
    is_resident_code,
)
from plugins.update import checks, rules
from plugins.update.batch import Batch
from plugins.update.judging import Standing
from plugins.update.notice import (
    DESCRIBING,
    MOVING,
    MUNICIPALITY_CODE,
    REMOVED_FLAG,
    RESIDENT_CODE,
    UPDATE_NUMBER,
    Notice,
    told,
)
from plugins.update.rules import State
from plugins.update.sender import Sender, sender_in
from plugins.update.verdict import Finding, Outcome, Severity, Verdict

MOST_RECORDS = 1000
MOST_DAYS = 30
DIFFERENT = "同じ更新順番号の記録と異なります。内容を確認し、職権修正等(33)で通知してください。"
ELSEWHERE = (
    "他の市区町村の住民として現存しています。その市区町村の復旧の後にもう一度送ってください。"
)


class Kept(Notice, frozen=True, kw_only=True):
    """A record as the municipality keeps it: its last notice, and whether it is struck off."""

    removed: bool


class Recover(Arguments, frozen=True, kw_only=True):
    """Records of the set; with the last of them, up to which sequence the set goes."""

    records: Annotated[list[Kept], msgspec.Meta(max_length=MOST_RECORDS)]
    last_sequence: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Recovery(StrEnum):
    """What came of one record."""

    ENTERED = "entered"
    UPDATED = "updated"
    SAME = "same"
    NEWER = "newer"
    DIFFERENT = "different"
    ELSEWHERE = "elsewhere"
    REJECTED = "rejected"


class RecordResult(Answer, frozen=True, kw_only=True):
    """What came of one record, and why."""

    resident_code: str
    outcome: str
    problems: list[Problem]


class Recovered(Answer, frozen=True, kw_only=True):
    """Every record that is not simply the same, in their order, and how many of each there were."""

    results: list[RecordResult]
    counts: dict[str, int]


class OpenRecovery(Arguments, frozen=True, kw_only=True):
    """For which municipality (its own code, not a ward's), and for how many days from today."""

    municipality_code: AreaText
    days: Annotated[int, msgspec.Meta(ge=0, le=MOST_DAYS)]
    """0: only today."""


class RecoveryOpened(Answer, frozen=True, kw_only=True):
    """The last day on which it is open."""

    until: str


def open_recovery(case: Case, asked: OpenRecovery) -> RecoveryOpened:
    """Let a municipality send its full set, until a day; again for another day.

    Raises:
        NotPermitted: there is no such municipality.
    """
    if case.registry.municipalities.lookup(asked.municipality_code) is None:
        raise NotPermitted("there is no municipality of this code")
    until = (case.request.today + timedelta(days=asked.days)).isoformat()
    case.papers.put("recovery", asked.municipality_code, {"until": until})
    return RecoveryOpened(until=until)


def recover(case: Case, asked: Recover) -> Recovered:
    """Compare records with ours, and take over those that are newer or unknown here.

    Raises:
        NotPermitted: it is not open for this municipality.
    """
    sender = sender_in(case)
    if not _is_open(case, sender, case.request.today):
        raise NotPermitted("no recovery is open for this municipality; ask the prefecture")
    batch, results = Batch(case), []
    counts = dict.fromkeys(map(str, Recovery), 0)
    for kept in asked.records:
        outcome, problems = _Record(case, batch, sender, kept).settle()
        counts[outcome] += 1
        case.note.outcomes.append((kept.sequence, outcome, problems[0].rule if problems else ""))
        if outcome is not Recovery.SAME:
            results.append(
                RecordResult(
                    resident_code=kept.resident_code, outcome=outcome, problems=list(problems)
                )
            )
    if asked.last_sequence is not None:
        batch.receipts.settle(asked.last_sequence)
    batch.close()
    return Recovered(results=results, counts=counts)


class _Record:
    """One record of a set, beside ours."""

    def __init__(self, case: Case, batch: Batch, sender: Sender, kept: Kept) -> None:
        self._case = case
        self._batch = batch
        self._sender = sender
        self._kept = kept

    def settle(self) -> tuple[Recovery, tuple[Problem, ...]]:
        """Compare, save if theirs is newer, and return what came of it."""
        kept = self._kept
        against = checks.examine(kept, self._sender, self._case.request.today)
        if against or not is_resident_code(kept.known_by):
            return Recovery.REJECTED, _problems(against)
        standing = self._standing()
        before = standing.before
        if before is None:
            return self._save(standing, Recovery.ENTERED)
        if before[MUNICIPALITY_CODE] not in self._sender.covers:
            if standing.state is State.MOVED_OUT and kept.update_number > _number(before):
                return self._save(standing, Recovery.UPDATED)
            return Recovery.ELSEWHERE, (Problem("L-11", MUNICIPALITY_CODE, ELSEWHERE),)
        if kept.update_number > _number(before):
            if standing.state is State.REPLACED:
                # Only a change of the code gives somebody another one, a former one too.
                return Recovery.REJECTED, (Problem("G-10", RESIDENT_CODE, rules.TEXTS["G-10"]),)
            return self._save(standing, Recovery.UPDATED)
        if kept.update_number < _number(before):
            return Recovery.NEWER, ()
        return self._compare(before)

    def _standing(self) -> Standing:
        """Return who it is: known by the code now, or by the one before it was changed."""
        kept, judge = self._kept, self._batch.judge
        now = judge.standing(msgspec.structs.replace(kept, previous_resident_code=None))
        known = now.resident is not None and now.state is not State.REPLACED
        if known or kept.reason not in rules.CODE_CHANGES:
            return now
        return judge.standing(kept)

    def _compare(self, before: Values) -> tuple[Recovery, tuple[Problem, ...]]:
        theirs = {**told(self._kept), REMOVED_FLAG: self._kept.removed}
        differing = [
            item for item in (*DESCRIBING, *MOVING, REMOVED_FLAG) if theirs[item] != before[item]
        ]
        if not differing:
            return Recovery.SAME, ()
        return Recovery.DIFFERENT, tuple(Problem("G-06", item, DIFFERENT) for item in differing)

    def _save(self, standing: Standing, outcome: Recovery) -> tuple[Recovery, tuple[Problem, ...]]:
        against = self._batch.judge.not_unique(self._kept, standing, self._sender)
        if against:
            return Recovery.REJECTED, _problems(against)
        arrived = self._batch.arrived(self._kept)
        applied = Verdict(Outcome.APPLIED)
        verdict = self._batch.apply(arrived, standing, applied, removed=self._kept.removed)
        if verdict.outcome is Outcome.REJECTED:
            return Recovery.REJECTED, verdict.problems
        self._batch.release(arrived)
        return outcome, ()


def _is_open(case: Case, sender: Sender, today: date) -> bool:
    found = case.papers.get("recovery", sender.code)
    return found is not None and today.isoformat() <= found["until"]


def _number(before: Values) -> int:
    return int(before[UPDATE_NUMBER] or 0)


def _problems(findings: list[Finding]) -> tuple[Problem, ...]:
    return tuple(each.problem for each in findings if each.severity is Severity.ERROR)
