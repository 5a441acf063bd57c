"""操作履歴: who did what, who looked at whom, and proof that an entry is there (R134 to R138).

Reading the ledger is itself entered in the ledger. Items of residents are not in it; what was
asked by is (sealed), since an audit must compare it with the 使用簿.

A search reads the newest entries first and stops after ``SCANNED`` of them: ``next`` says from
where to go on.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any, Literal

from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    AnyOperation,
    Arguments,
    Case,
    NotFound,
    Operation,
    OperationName,
    Reading,
    ResidentCodeText,
    ShortText,
    check_digits,
    hookimpl,
)

SCANNED = 50_000
"""Entries opened in one search: about a second."""
CLOCK_SET_BACK = timedelta(days=1)
"""How far entries may be out of the order of time."""

Limit = Annotated[int, Meta(ge=1, le=1000)]
Index = Annotated[int, Meta(ge=0)]
Moment = Annotated[datetime, Meta(tz=True)]


class Search(Arguments, frozen=True, kw_only=True):
    """What an entry must be; everything given must hold."""

    operator: ShortText | None = None
    """操作者ID"""
    person: ShortText | None = None
    """照合ID"""
    terminal: ShortText | None = None
    operation: ShortText | None = None
    purpose: ShortText | None = None
    result: Literal["ok", "denied", "error"] | None = None
    request_id: ShortText | None = None
    """Of a request or a provision."""
    since: Moment | None = None
    until: Moment | None = None
    before: Index | None = None
    """Only entries below this number."""
    limit: Limit = 100


class Subject(Arguments, frozen=True, kw_only=True):
    """Whom the entries must be about."""

    resident_code: ResidentCodeText


class Person(Arguments, frozen=True, kw_only=True):
    """Who looked at whom."""

    by: Subject
    before: Index | None = None
    limit: Limit = 100


class LedgerEntry(Answer, frozen=True, kw_only=True):
    """One entry."""

    index: int
    at: datetime
    event: str
    result: str
    request_id: str
    operation: str
    terminal: str | None
    person: str | None
    operator: str | None
    office: str | None
    purpose: str | None
    reason: str | None
    case: str | None
    conditions: dict[str, Any]
    items: tuple[str, ...]
    compared: tuple[str, ...]
    subjects: int
    hits: int | None
    candidates: int
    refusal: str | None
    why: str | None
    note: str


class Entries(Answer, frozen=True, kw_only=True):
    """Entries, the newest first; ``next`` is the ``before`` of what follows, or null at the end."""

    entries: tuple[LedgerEntry, ...]
    next: int | None


class Prove(Arguments, frozen=True, kw_only=True):
    """Which entry."""

    index: Index


class Proved(Answer, frozen=True, kw_only=True):
    """Evidence that anybody can check, as text (C2SP tlog-proof)."""

    proof: str


def search(case: Case, asked: Search) -> Entries:
    """List entries."""
    found: list[LedgerEntry] = []
    last = None
    for reading in islice(case.ledger.newest_first(asked.before), SCANNED):
        if asked.since is not None and _at(reading) + CLOCK_SET_BACK < asked.since:
            return _entries(case, found, None)
        last = reading.index
        if _fits(reading, asked):
            found.append(_entry(reading))
            if len(found) == asked.limit:
                break
    return _entries(case, found, last)


def person(case: Case, asked: Person) -> Entries:
    """List the entries about one person; that this was asked is about the person too.

    Raises:
        Malformed: the 住民票コード is mistyped.
        NotFound: nobody has or had this 住民票コード.
    """
    check_digits(resident_code=asked.by.resident_code)
    subject = case.registry.by_code(asked.by.resident_code)
    if subject is None:
        raise NotFound("nobody has this resident_code")
    # Who asked about a protected person is what an auditor must see without opening him.
    case.registry.concerns(subject, opens=False)
    readings = islice(case.ledger.about(subject, asked.before), asked.limit)
    found = [_entry(reading) for reading in readings]
    more = found[-1].index if len(found) == asked.limit else None
    return _entries(case, found, more)


def prove(case: Case, asked: Prove) -> Proved:
    """Prove that an entry is in the ledger."""
    return Proved(proof=case.ledger.proof(asked.index))


def _entries(case: Case, found: Iterable[LedgerEntry], after: int | None) -> Entries:
    entries = tuple(found)
    case.note.hits = len(entries)
    return Entries(entries=entries, next=after or None)


def _fits(reading: Reading, asked: Search) -> bool:
    wanted = (
        (asked.operator, reading.operator),
        (asked.person, reading.person),
        (asked.terminal, reading.terminal),
        (asked.operation, reading.operation),
        (asked.purpose, reading.purpose),
        (asked.result, reading.result.name.lower()),
        (asked.request_id, reading.request_id),
    )
    if any(value is not None and value != found for value, found in wanted):
        return False
    at = _at(reading)
    return (asked.since is None or asked.since <= at) and (asked.until is None or at <= asked.until)


def _at(reading: Reading) -> datetime:
    return datetime.fromtimestamp(reading.at_ms / 1000, UTC)


def _entry(reading: Reading) -> LedgerEntry:
    return LedgerEntry(
        index=reading.index,
        at=_at(reading),
        event=reading.event.name.lower(),
        result=reading.result.name.lower(),
        request_id=reading.request_id,
        operation=reading.operation,
        terminal=reading.terminal,
        person=reading.person,
        operator=reading.operator,
        office=reading.office,
        purpose=reading.purpose,
        reason=reading.reason,
        case=reading.case_number,
        conditions=dict(reading.conditions),
        items=reading.items,
        compared=reading.compared,
        subjects=len(reading.subjects),
        hits=reading.hits,
        candidates=reading.candidates,
        refusal=reading.refusal,
        why=reading.why,
        note=reading.note,
    )


SEARCH = Operation(
    name=OperationName("ledger/search"),
    summary="List entries of the ledger, the newest first.",
    asks=Search,
    answers=Entries,
    handler=search,
    purposed=False,
    uses=frozenset({"ledger"}),
    records=Search.__struct_fields__,
)
PERSON = Operation(
    name=OperationName("ledger/person"),
    summary="List who looked at one person, for what and when.",
    asks=Person,
    answers=Entries,
    handler=person,
    purposed=False,
    uses=frozenset({"ledger"}),
    records=Person.__struct_fields__,
)
PROVE = Operation(
    name=OperationName("ledger/proof"),
    summary="Prove that an entry is in the ledger.",
    asks=Prove,
    answers=Proved,
    handler=prove,
    purposed=False,
    uses=frozenset({"ledger"}),
    records=("index",),
)


@hookimpl
def operations() -> list[AnyOperation]:
    return [SEARCH, PERSON, PROVE]
