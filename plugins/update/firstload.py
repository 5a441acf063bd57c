"""The first load: a municipality's residents from a file, by the rules of ``update/notify``.

A line is a notice of somebody nobody knows yet (状態 S0). What ``notify`` would hold is refused
here, and whoever is known already is passed over with G-06; both are for ``notify``. A sequence
number that was decided here is decided, as there: sent again it is a duplicate.
"""

import msgspec

from appliance.plugin_api import (
    JST,
    FirstLoad,
    Judged,
    Malformed,
    Municipalities,
    Occasion,
    Papers,
    Problem,
    Turn,
    is_resident_code,
    strict_json,
)
from plugins.update import checks
from plugins.update.batch import OTHER_CONTENT, TOO_MANY_GAPS
from plugins.update.held import Waiting
from plugins.update.judging import ANOTHERS_NUMBER, USED_NUMBER, found
from plugins.update.notice import Notice, digest, record, told
from plugins.update.order import Receipts, Seen
from plugins.update.rules import State, removed_after
from plugins.update.sender import sender_of
from plugins.update.verdict import Outcome, Verdict

NOT_A_NOTICE = Problem(
    "line", "", "通知として読めない行です。JSON Linesの形式と項目の型を確認してください。"
)
AWAITED = Problem(
    "G-06",
    "update_number",
    "この人の通知を保留しています。この行は新しい連番でupdate/notifyにより送ってください。",
)
TAKEN = (
    Problem("G-06", "update_number", USED_NUMBER),
    Problem("L-30", "my_number", ANOTHERS_NUMBER),
)


def sender(line: bytes, municipalities: Municipalities) -> str | None:
    """Return the municipality that keeps the resident of a line; None if the line is no notice."""
    try:
        return municipalities.office_of(_notice(line).municipality_code)
    except (Malformed, msgspec.ValidationError):
        return None


def judge(line: bytes, occasion: Occasion) -> Judged:
    """Return what a line comes to, of somebody nobody knows."""
    try:
        notice = _notice(line)
    except (Malformed, msgspec.ValidationError):
        return Judged(None, b"", None, (NOT_A_NOTICE,))
    by = sender_of(occasion.sender, occasion.municipalities)
    day = occasion.now.astimezone(JST).date()
    values = told(notice)
    findings = checks.examine(notice, by, day)
    if is_resident_code(notice.known_by):
        findings += found(notice.update_number - 1, values, None, State.UNKNOWN, by)
    verdict = Verdict.of(findings)
    if verdict.outcome is not Outcome.APPLIED:
        return Judged(notice.sequence, digest(notice), None, verdict.problems)
    removed = removed_after(notice.reason, None)
    whole = record(values, removed=removed, received=day, now=occasion.now)
    return Judged(notice.sequence, digest(notice), whole, verdict.problems)


class Sequence:
    """The sequence numbers of one sender, kept as ``notify`` keeps them."""

    def __init__(self, papers: Papers, sent_by: str) -> None:
        self._papers = papers
        self._receipts = Receipts(papers, sent_by)
        self._waiting = Waiting(papers, str)
        self._nobody_waits = self._waiting.oldest() is None

    def turn(self, sequence: int, content: bytes, alias: str | None) -> Turn | Problem:
        """Return whether a line counts, or what is against it; one that counts is noted."""
        match self._receipts.seen(sequence, content):
            case Seen.SAME:
                return Turn.KNOWN
            case Seen.OTHER:
                return Problem("G-06", "sequence", OTHER_CONTENT)
            case Seen.TOO_MANY_GAPS:
                return Problem("G-06", "sequence", TOO_MANY_GAPS)
            case Seen.NEW:
                self._receipts.enter(sequence, content)
        if alias is not None and not self._nobody_waits and self._waiting.turns(alias):
            return AWAITED
        return Turn.NEW

    def save(self) -> None:
        """Write down which numbers have come."""
        self._receipts.save()


def _notice(line: bytes) -> Notice:
    return msgspec.convert(strict_json(line), Notice)


FIRST_LOAD = FirstLoad(sender=sender, judge=judge, order=Sequence, taken=TAKEN)
