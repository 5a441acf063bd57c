"""What the ledger says of a request: who, from where, for what, by which conditions, about whom.

The body is CBOR with unsigned keys, sealed by the storage. Arguments enter it only where the
operation declares them (``records``); items of residents that were answered never do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import cbor2

from appliance.errors import Refusal, TooMany
from appliance.items import BY_NAME, BY_NUMBER, ItemName
from appliance.model import Actor, Operator, Terminal
from appliance.traces import Note, Touched
from storage.engine import Entered, Entry, PersonId, VersionId

MOST_SUBJECTS = 1000


class Event(IntEnum):
    """Event class, in the clear header of a leaf."""

    SYSTEM = 0
    READ = 1
    CHANGE = 2


class Result(IntEnum):
    """Result, in the clear header of a leaf."""

    OK = 0
    DENIED = 1
    ERROR = 2


class _Key(IntEnum):
    REQUEST_ID = 0
    OPERATION = 1
    TERMINAL = 2
    PERSON = 3
    OPERATOR = 4
    OFFICE = 5
    SESSION = 6
    PURPOSE = 7
    REASON = 8
    CASE_NUMBER = 9
    CONDITIONS = 10
    ITEMS = 11
    HITS = 12
    CANDIDATES = 13
    REFUSAL = 14
    WHY = 15
    POLICY = 16
    SAVED = 17
    OUTCOMES = 18
    NOTE = 19
    COMPARED = 20
    APPROVAL = 21


@dataclass(slots=True)
class Account:
    """What becomes known of a request on its way; written down whatever its end."""

    request_id: str
    operation: str
    policy: bytes
    purpose: str | None = None
    reason: str | None = None
    case_number: str | None = None
    terminal: Terminal | None = None
    actor: Actor | None = None
    conditions: Mapping[str, Any] | None = None
    changes: bool = False
    approval: int | None = None
    approved_by: Operator | None = None
    """Who agreed, once the approval is shown to be good."""
    attended_by: str = ""

    def carried_out(self, touched: Touched, note: Note) -> list[Entry]:
        """Return the entries of a request that was answered."""
        event = Event.CHANGE if self.changes else Event.READ
        what = self._what(touched, note)
        first, *more = self._entries(event, Result.OK, touched, touched.saved, what)
        file = bytes.fromhex(note.file) or None
        return [replace(first, file=file), *more]

    def refused(self, refusal: Refusal, touched: Touched, note: Note, *, ours: bool) -> list[Entry]:
        """Return the entries of a request that was not; what it had saved was undone."""
        event = Event.CHANGE if self.changes else Event.READ
        result = Result.ERROR if ours else Result.DENIED
        what = self._what(touched, note)
        what |= {_Key.REFUSAL: refusal.code, _Key.WHY: refusal.text}
        if isinstance(refusal, TooMany):
            what[_Key.HITS] = refusal.count
        return self._entries(event, result, touched, [], what)

    def _entries(
        self,
        event: Event,
        result: Result,
        touched: Touched,
        saved: Sequence[VersionId],
        what: dict[_Key, Any],
    ) -> list[Entry]:
        # A leaf is at most 64 KiB, so a request about very many persons takes several.
        about, entries = list(touched.subjects), []
        for at in range(0, max(len(about), len(saved), 1), MOST_SUBJECTS):
            changed = [[each.person, each.number] for each in saved[at : at + MOST_SUBJECTS]]
            body = _encode({**self._who(), **what, _Key.SAVED: changed})
            entries.append(
                Entry(int(event), int(result), body, tuple(about[at : at + MOST_SUBJECTS]))
            )
            what = {**what, _Key.OUTCOMES: []}
        return entries

    def _who(self) -> dict[_Key, Any]:
        operator = self.actor.operator if self.actor else None
        return {
            _Key.REQUEST_ID: self.request_id,
            _Key.TERMINAL: self.terminal.terminal_id if self.terminal else None,
            _Key.PERSON: operator.person_id if operator else None,
            _Key.OPERATOR: operator.operator_id if operator else None,
            _Key.OFFICE: operator.office if operator else None,
            _Key.SESSION: self.actor.session[:16] if self.actor else None,
        }

    @property
    def _attended(self) -> str:
        return f"attended by {self.attended_by}" if self.attended_by else ""

    def _what(self, touched: Touched, note: Note) -> dict[_Key, Any]:
        return {
            _Key.OPERATION: self.operation,
            _Key.PURPOSE: self.purpose or note.purpose,
            _Key.REASON: self.reason or note.reason,
            _Key.CASE_NUMBER: self.case_number or note.case_number,
            _Key.CONDITIONS: {**(self.conditions or {}), **note.conditions},
            _Key.APPROVAL: self._agreed(),
            _Key.ITEMS: sorted(BY_NAME[name].number for name in touched.items),
            _Key.COMPARED: sorted(BY_NAME[name].number for name in touched.compared),
            _Key.HITS: note.hits,
            _Key.CANDIDATES: touched.candidates,
            _Key.POLICY: self.policy,
            _Key.OUTCOMES: [list(outcome) for outcome in note.outcomes],
            _Key.NOTE: "; ".join(
                filter(None, (note.result, _together(touched), _abroad(touched), self._attended))
            ),
        }

    def _agreed(self) -> list[Any]:
        """Return number, 照合ID and 操作者ID; the number alone if it was not good."""
        by = self.approved_by
        number = [] if self.approval is None else [self.approval]
        return number if by is None else [*number, by.person_id, by.operator_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A ledger entry as an auditor reads it."""

    index: int
    at_ms: int
    event: Event
    result: Result
    request_id: str
    operation: str
    terminal: str | None
    person: str | None
    operator: str | None
    office: str | None
    purpose: str | None
    reason: str | None
    case_number: str | None
    conditions: Mapping[str, Any]
    items: tuple[ItemName, ...]
    compared: tuple[ItemName, ...]
    """Items of which only was told whether they are as was claimed."""
    subjects: tuple[PersonId, ...]
    hits: int | None
    candidates: int
    refusal: str | None
    why: str | None
    note: str
    outcomes: tuple[tuple[int, str, str], ...]
    policy: bytes
    saved: tuple[VersionId, ...] = ()
    approval: int | None = None
    """Number of the approval it named."""
    approved_by: str | None = None
    """照合ID of whoever agreed; None if the approval was not good."""
    approved_as: str | None = None
    """操作者ID he agreed under."""
    file: str | None = None
    """SHA-256 (hex) of the file that was handed out."""
    session: str | None = None
    """The beginning of the session's digest: tells sessions apart, and opens none."""


def read_entry(entered: Entered) -> Reading:
    """Return an opened ledger entry as an auditor reads it."""
    body = cbor2.loads(entered.body)
    get = body.get
    approval, approved_by, approved_as = [*get(_Key.APPROVAL, ()), None, None, None][:3]
    return Reading(
        index=entered.index,
        at_ms=entered.at_ms,
        event=Event(entered.event),
        result=Result(entered.result),
        request_id=get(_Key.REQUEST_ID, ""),
        operation=get(_Key.OPERATION, ""),
        terminal=get(_Key.TERMINAL),
        person=get(_Key.PERSON),
        operator=get(_Key.OPERATOR),
        office=get(_Key.OFFICE),
        purpose=get(_Key.PURPOSE),
        reason=get(_Key.REASON),
        case_number=get(_Key.CASE_NUMBER),
        conditions=get(_Key.CONDITIONS, {}),
        items=tuple(BY_NUMBER[number].name for number in get(_Key.ITEMS, ())),
        compared=tuple(BY_NUMBER[number].name for number in get(_Key.COMPARED, ())),
        subjects=entered.subjects,
        hits=get(_Key.HITS),
        candidates=get(_Key.CANDIDATES, 0),
        refusal=get(_Key.REFUSAL),
        why=get(_Key.WHY),
        note=get(_Key.NOTE, ""),
        outcomes=tuple((s, o, r) for s, o, r in get(_Key.OUTCOMES, ())),
        policy=get(_Key.POLICY, b""),
        saved=tuple(VersionId(person, number) for person, number in get(_Key.SAVED, ())),
        approval=approval,
        approved_by=approved_by,
        approved_as=approved_as,
        file=None if entered.file is None else entered.file.hex(),
        session=get(_Key.SESSION),
    )


def _together(touched: Touched) -> str:
    """Return by which openings, and with whom, protected persons were opened."""
    return ", ".join(
        f"opening {number} with {second}" for number, second in sorted(touched.openings.items())
    )


def _abroad(touched: Touched) -> str:
    """Return what came of asking the national server; nothing if it was not asked."""
    told = ", ".join(
        result if times == 1 else f"{result} ×{times}"
        for result, times in sorted(touched.national.items())
    )
    return told and f"national server: {told}"


def _encode(body: dict[_Key, Any]) -> bytes:
    # Unsigned keys below 24 sort alike in both canonical orders of CBOR (RFC 7049, RFC 8949).
    kept = {int(key): value for key, value in body.items() if value not in (None, [], {}, "")}
    return cbor2.dumps(kept, canonical=True)
