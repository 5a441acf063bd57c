"""An entry of the ledger as it is told."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta

from appliance.plugin_api import Answer, Case, Policy, PurposeCode, Reading

Limit = Annotated[int, Meta(ge=1, le=1000)]
Index = Annotated[int, Meta(ge=0)]
Moment = Annotated[datetime, Meta(tz=True)]


LOGIN = "session/"


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
    named: str | None
    """照合ID that was typed in to log in or to enrol: proved if the result is ``ok``."""
    purpose: str | None
    purpose_label: str
    """What the 事務 is called today; its code if there is none any more."""
    reason: str | None
    reason_label: str
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
    file: str | None
    """SHA-256 of the file that was handed out with it."""
    approval: int | None
    approved_by: str | None
    """照合ID of the second person, where an operation takes two."""


class Entries(Answer, frozen=True, kw_only=True):
    """Entries, the newest first; ``next`` is the ``before`` of what follows, or null at the end."""

    entries: tuple[LedgerEntry, ...]
    next: int | None


def told(case: Case, readings: Sequence[Reading], after: int | None) -> Entries:
    """Return entries as they are told; how many is in the ledger."""
    case.note.hits = len(readings)
    return Entries(entries=tuple(_entry(each, case.policy) for each in readings), next=after)


def at(reading: Reading) -> datetime:
    """Return when an entry was made, in UTC."""
    return datetime.fromtimestamp(reading.at_ms / 1000, UTC)


def named(reading: Reading) -> str | None:
    """Return whose 照合ID was typed in where nobody was logged in yet."""
    if reading.person is not None or not reading.operation.startswith(LOGIN):
        return None
    said = reading.conditions.get("person")
    return said if isinstance(said, str) else None


def purpose(reading: Reading, policy: Policy) -> str:
    """Return the 事務, as it is called today; its code if there is none any more."""
    code = reading.purpose or ""
    rule = policy.purposes.get(PurposeCode(code))
    return code if rule is None else rule.label


def reason(reading: Reading, policy: Policy) -> str:
    """Return the 利用事由, as it is called today; its code if there is none any more."""
    code = reading.reason or ""
    rule = policy.purposes.get(PurposeCode(reading.purpose or ""))
    return code if rule is None else rule.reasons.get(code, code)


def _entry(reading: Reading, policy: Policy) -> LedgerEntry:
    return LedgerEntry(
        index=reading.index,
        at=at(reading),
        event=reading.event.name.lower(),
        result=reading.result.name.lower(),
        request_id=reading.request_id,
        operation=reading.operation,
        terminal=reading.terminal,
        person=reading.person,
        operator=reading.operator,
        office=reading.office,
        named=named(reading),
        purpose=reading.purpose,
        purpose_label=purpose(reading, policy),
        reason=reading.reason,
        reason_label=reason(reading, policy),
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
        file=reading.file,
        approval=reading.approval,
        approved_by=reading.approved_by,
    )
