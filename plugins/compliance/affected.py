"""How many persons an incident may concern: counted in the ledger, entered in the incident."""

from datetime import date

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    Malformed,
    Operation,
    OperationName,
    PersonId,
    Reading,
    ShortText,
)
from plugins.compliance import entries, reach
from plugins.compliance.books.incidents import COUNT, INCIDENTS
from plugins.compliance.handling import Number

FILTERS = ("operator", "person", "terminal", "office", "operation")


class Reach(Arguments, frozen=True, kw_only=True):
    """Of which entries of the ledger: days, and who or where; everything given must hold."""

    number: Number
    """Of the incident."""
    since: date
    until: date
    operator: ShortText | None = None
    """操作者ID"""
    person: ShortText | None = None
    """照合ID"""
    terminal: ShortText | None = None
    office: ShortText | None = None
    operation: ShortText | None = None


class Affected(Answer, frozen=True, kw_only=True):
    """How many different persons were shown or changed, in how many entries of the ledger."""

    number: int
    persons: int
    entries: int
    up_to: int
    """How long the ledger was when this was counted."""


def count(case: Case, asked: Reach) -> Affected:
    """Count the persons that entries are about, before the unit of work begins.

    Raises:
        Malformed: the period ends before it begins.
        NotFound: there is no such incident.
        Rejected: the period has too many entries.
    """
    if asked.since > asked.until:
        raise Malformed("since is after until")
    entries.entry_of(case, INCIDENTS, asked.number)
    subjects: set[PersonId] = set()
    found = 0
    for reading in reach.readings(case, asked.since, asked.until):
        if reading.subjects and _fits(reading, asked):
            subjects.update(reading.subjects)
            found += 1
    return Affected(
        number=asked.number, persons=len(subjects), entries=found, up_to=case.ledger.size
    )


def enter(case: Case, asked: Reach) -> Affected:
    """Enter in the incident what was counted, and by what."""
    counted: Affected = case.prepared
    given = {
        "counted": counted.persons,
        "counted_in": {
            "entries": counted.entries,
            "up_to": counted.up_to,
            "since": asked.since.isoformat(),
            "until": asked.until.isoformat(),
            **{name: getattr(asked, name) for name in FILTERS},
        },
    }
    entries.take_by_machine(case, INCIDENTS, asked.number, COUNT, given)
    case.note.result = f"incident {asked.number}: {counted.persons} persons"
    return counted


def _fits(reading: Reading, asked: Reach) -> bool:
    return all(getattr(asked, name) in (None, getattr(reading, name)) for name in FILTERS)


COUNT_AFFECTED = Operation(
    name=OperationName("compliance/count-affected"),
    summary="Count in the ledger whom an incident may concern, and enter the number in it.",
    asks=Reach,
    answers=Affected,
    handler=enter,
    prepare=count,
    changes=True,
    purposed=False,
    uses=frozenset({"ledger"}),
    records=Reach.__struct_fields__,
)
OPERATIONS = (COUNT_AFFECTED,)
