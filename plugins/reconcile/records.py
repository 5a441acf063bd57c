"""Records against our file: what differs, item by item, without telling any value of ours.

A record is looked for among the *current residents of the caller's own municipality* and nowhere
else: whoever is somebody else's, struck off or unknown is "missing here", and nothing of him is
opened, so that no municipality learns anything about another's residents.
"""

from dataclasses import dataclass, field
from itertools import islice

from appliance.plugin_api import (
    AGREED,
    PLACE_SIZE,
    Case,
    Conflict,
    ItemName,
    Malformed,
    Mark,
    NotPermitted,
    Problem,
    Rejected,
    Value,
    Values,
    digest_of,
    place_of,
)
from plugins.reconcile.pairing import FOUR
from plugins.reconcile.runs import Finding, Progress, Run
from plugins.reconcile.tree import bounds
from plugins.reconcile.wire import Compare, Place, Range, Record

AS_WRITTEN = ItemName("birth_date_as_written")
OPENED = tuple(name for name in AGREED if name != AS_WRITTEN)
"""``birth_date`` brings its spelling with it."""
CODE = ItemName("resident_code")
MOST_FINDINGS = 10_000
"""Of a run; whoever differs in more needs another remedy (update/recover)."""
MOST_LEFT_OUT = 1000
LAST_PLACE = "f" * (2 * PLACE_SIZE)


@dataclass(slots=True)
class Outcome:
    """What one request comes to."""

    batches: int
    same: int = 0
    findings: list[Finding] = field(default_factory=list)
    sent: dict[str, dict[str, Value]] = field(default_factory=dict)
    """The four informations of those missing here, for the pairing."""


def compared(case: Case, asked: Compare, run: Run, progress: Progress) -> Outcome:
    """Compare; reads marks, and opens only records that differ.

    Raises:
        Malformed: a whole comparison is asked for in a run that is not one, or the other way.
        Conflict: a range does not begin where the one before ended.
        NotPermitted: a record is of another municipality.
    """
    if (asked.whole is not None) is not (run.mode == "whole"):
        raise Malformed("whole: goes with a run of mode whole, and every range of it")
    outcome = Outcome(progress.batches)
    absent = [_ours(case, place) for place in asked.absent]
    for record in asked.records:
        _compare(case, record, outcome)
    if asked.whole is not None:
        absent += _left_out(case, asked.whole, asked.records, progress)
    codes = {record.resident_code for record in asked.records}
    for mark in filter(None, absent):
        code = _code_of(case, mark)
        if code not in codes:
            outcome.findings.append(Finding(resident_code=code, kind="missing-there"))
    if progress.found + len(outcome.findings) > MOST_FINDINGS:
        raise Rejected(
            "more differences than a comparison is good for",
            [
                Problem(
                    "R92",
                    "resident_code",
                    f"差異が{MOST_FINDINGS:,}人を超えました。整合性確認を中止し、"
                    "全件の再送(回復)について都道府県の担当者と協議してください。",
                )
            ],
        )
    return outcome


def _code_of(case: Case, mark: Mark) -> str:
    shown = case.registry.read(mark.person, [CODE])
    if CODE in shown.withheld:
        raise NotPermitted("a plugin withholds 住民票コード; nothing can be told by it")
    return str(shown.values[CODE])


def _ours(case: Case, place: Place) -> Mark | None:
    return case.marks.at(place.municipality_code, bytes.fromhex(place.place))


def _compare(case: Case, record: Record, outcome: Outcome) -> None:
    values = record.values()
    group = record.municipality_code
    if group not in case.marks.groups:
        raise NotPermitted("records: municipality_code is not one of this certificate")
    key = case.marks.key(group)
    mark = case.marks.at(group, place_of(key, record.resident_code))
    if mark is not None and mark.digest == digest_of(key, values):
        outcome.same += 1
        return
    # Not in the group that was sent: perhaps in another ward of the same city.
    mark = mark or current(case, record.resident_code)
    if mark is None:
        four = {str(name): values[name] for name in FOUR}
        code = record.resident_code
        outcome.findings.append(Finding(resident_code=code, kind="missing-here"))
        outcome.sent[code] = four
    elif items := _differing(case, mark, values):
        outcome.findings.append(
            Finding(resident_code=record.resident_code, kind="differing", items=items)
        )
    else:
        outcome.same += 1


def current(case: Case, resident_code: str) -> Mark | None:
    """Return the mark of a current resident of the caller's municipality, or None."""
    for group in case.marks.groups:
        place = place_of(case.marks.key(group), resident_code)
        if (mark := case.marks.at(group, place)) is not None:
            return mark
    return None


def _differing(case: Case, mark: Mark, values: Values) -> tuple[str, ...]:
    ours = case.registry.read(mark.person, OPENED).values
    return tuple(str(name) for name in AGREED if name in ours and ours[name] != values[name])


def _left_out(
    case: Case, asked: Range, records: tuple[Record, ...], progress: Progress
) -> list[Mark | None]:
    """Return our marks in a range of which everything was sent, that were not sent."""
    group = asked.municipality_code
    key = case.marks.key(group)
    if progress.through.get(group) != asked.after:
        raise Conflict("whole.after: not where the range before ended; go on from there")
    if asked.through <= (asked.after or ""):
        raise Malformed("whole.through: not above whole.after")
    sent = {place_of(key, record.resident_code).hex() for record in records}
    elsewhere = any(record.municipality_code != group for record in records)
    if elsewhere or not all((asked.after or "") < each <= asked.through for each in sent):
        raise Malformed("records: one is not within the range")
    first = bounds(asked.after or "")[0]
    ours = case.marks.each(group, first, bytes.fromhex(asked.through))
    left = (
        mark for mark in ours if mark.place.hex() != asked.after and mark.place.hex() not in sent
    )
    found = list(islice(left, MOST_LEFT_OUT + 1))
    if len(found) > MOST_LEFT_OUT:
        raise Malformed(f"whole: more than {MOST_LEFT_OUT} of ours left out; send smaller ranges")
    return list(found)
