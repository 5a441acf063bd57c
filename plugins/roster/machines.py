"""端末管理簿: which certificates are let in, as what, where they stand, when and for what."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, convert
from msgspec.structs import asdict, replace

from appliance.plugin_api import (
    HOURS_PATTERN,
    SYSTEM,
    Answer,
    AreaText,
    Arguments,
    BadCertificate,
    Case,
    Conflict,
    Malformed,
    NotFound,
    Roster,
    ShortText,
    TerminalKind,
    TerminalRecord,
    check_hours,
    peer_from_pem,
    terminal_named_in,
)

TerminalId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=16,
        pattern="^[A-Z0-9-]+$",
        description="1 to 16 of A-Z 0-9 -",
        examples=["TERM-0002"],
    ),
]
Kind = Literal["representative", "business", "municipality", "national"]
"""Every kind but the appliance itself."""


Certificate = Annotated[str, Meta(max_length=16384)]
Place = Annotated[str, Meta(max_length=200)]
Office = Annotated[str, Meta(max_length=200, title="所属")]
RequestNumber = Annotated[
    str,
    Meta(
        max_length=64,
        pattern="^[A-Za-z0-9._/-]*$",
        description="up to 64 of A-Z a-z 0-9 . _ / -",
        examples=["T-2026-003"],
    ),
]
Functions = Annotated[
    tuple[
        Annotated[
            str,
            Meta(
                max_length=81,
                pattern="^[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)?$",
                description="a function, or function/operation",
            ),
        ],
        ...,
    ],
    Meta(max_length=64, examples=[["search", "provision/inquire"]]),
]
Hours = Annotated[
    tuple[
        Annotated[
            str,
            Meta(
                max_length=14, pattern=HOURS_PATTERN, description="hours such as 平日 08:30-17:15"
            ),
        ],
        ...,
    ],
    Meta(max_length=16, examples=[["平日 08:30-17:15"]]),
]
Reason = Annotated[ShortText, Meta(title="理由")]
CHANGEABLE = ("place", "office", "own_office_only", "operations", "hours", "request_number")


class ListTerminals(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class TerminalState(Answer, frozen=True, kw_only=True):
    """One line of the register: one certificate."""

    terminal_id: str
    kind: str
    place: str
    municipality_code: str | None
    fingerprint: str
    revoked: str
    """Why, or empty."""
    office: str
    own_office_only: bool
    operations: tuple[str, ...]
    """Functions and operations for which it may be used; none: whatever the role allows."""
    hours: tuple[str, ...]
    """When it may be used; none: always."""
    not_after: datetime | None
    until: datetime | None
    """Of a renewed terminal's former certificate: until when it is still good."""
    request_number: str
    registered_at: datetime | None


class TerminalLine(TerminalState, frozen=True, kw_only=True):
    """A line of the whole register, with the last use of the terminal."""

    last_login: datetime | None
    """When somebody logged in there last, whatever the certificate; null: nobody has."""


class TerminalList(Answer, frozen=True, kw_only=True):
    """The register."""

    terminals: tuple[TerminalLine, ...]


class TerminalHistory(Arguments, frozen=True, kw_only=True):
    """Which terminal."""

    terminal_id: TerminalId


class TerminalRevision(Answer, frozen=True, kw_only=True):
    """One state of a line: when it was written, by whom (操作者ID), and why."""

    changed_at: datetime | None
    changed_by: str
    why: str
    state: TerminalState


class TerminalRevisions(Answer, frozen=True, kw_only=True):
    """Every state of a terminal, by certificate, the oldest first; and its last use."""

    revisions: tuple[TerminalRevision, ...]
    last_login: datetime | None


class EnrolTerminal(Arguments, frozen=True, kw_only=True):
    """操作端末ID, what it is, where it stands, for what and when, and its certificate (PEM)."""

    terminal_id: TerminalId
    kind: Kind
    place: Place = ""
    certificate: Certificate
    municipality_code: AreaText | None = None
    """Whose server it is; of a 指定都市 the city's, which covers its wards."""
    office: Office = ""
    own_office_only: bool = False
    operations: Functions = ()
    hours: Hours = ()
    request_number: RequestNumber = ""


class ChangeTerminal(Arguments, frozen=True, kw_only=True):
    """Which, and what becomes of it; what is left out stays, an empty list lifts a limit."""

    terminal_id: TerminalId
    place: Place | None = None
    office: Office | None = None
    own_office_only: bool | None = None
    operations: Functions | None = None
    hours: Hours | None = None
    request_number: RequestNumber | None = None
    reason: Reason


class RenewTerminal(Arguments, frozen=True, kw_only=True):
    """Which, its next certificate (PEM), and under which 申請番号."""

    terminal_id: TerminalId
    certificate: Certificate
    request_number: RequestNumber = ""


class RevokeTerminal(Arguments, frozen=True, kw_only=True):
    """Which, and why."""

    terminal_id: TerminalId
    reason: Reason


def seats_people(roster: Roster, asked: EnrolTerminal) -> bool:
    """Return whether a machine is for people, who have no rights there before they log in."""
    return TerminalKind(asked.kind).is_staffed


def seats_people_already(roster: Roster, asked: RenewTerminal) -> bool:
    """Return the same of one that is registered; of one that is not, there is nothing to renew."""
    known = [each for each in roster.terminals() if each.terminal_id == asked.terminal_id]
    return all(each.kind.is_staffed for each in known)


def listed(case: Case, asked: ListTerminals) -> TerminalList:
    """List the register, in the order of 操作端末ID."""
    records = sorted(case.roster.terminals(), key=lambda record: record.terminal_id)
    return TerminalList(terminals=tuple(_line(case, record) for record in records))


def history(case: Case, asked: TerminalHistory) -> TerminalRevisions:
    """Tell every state a terminal was in.

    Raises:
        NotFound: no terminal has this 操作端末ID, or ever had.
    """
    revisions = [
        TerminalRevision(
            changed_at=record.changed_at,
            changed_by=record.changed_by,
            why=record.why,
            state=_state(record),
        )
        for record in case.roster.terminal_history(asked.terminal_id)
    ]
    if not revisions:
        raise NotFound("no terminal has this terminal_id")
    return TerminalRevisions(
        revisions=tuple(revisions), last_login=case.roster.terminal_used(asked.terminal_id)
    )


def enrol(case: Case, asked: EnrolTerminal) -> TerminalState:
    """Register a certificate.

    Raises:
        Malformed: not one certificate in force of an authority that the main port believes and of
            this 操作端末ID, a municipality that does not fit the kind, no place where people sit,
            or limits that cannot be kept to.
        Conflict: the certificate, or a live terminal of this 操作端末ID, is registered.
    """
    _check_municipality(case, asked)
    if asked.terminal_id == SYSTEM:
        raise Conflict("this terminal_id is the appliance's own; choose another")
    if TerminalKind(asked.kind).is_staffed and not asked.place.strip():
        raise Malformed(f"place is needed for kind {asked.kind}: where people sit (設置場所)")
    fingerprint, not_after = _certified(case, asked.terminal_id, asked.certificate)
    record = TerminalRecord(
        fingerprint=fingerprint,
        terminal_id=asked.terminal_id,
        kind=TerminalKind(asked.kind),
        place=asked.place,
        municipality_code=asked.municipality_code,
        office=asked.office,
        own_office_only=asked.own_office_only,
        operations=asked.operations,
        hours=asked.hours,
        not_after=not_after,
        request_number=asked.request_number,
        registered_at=case.request.now,
        why="登録",
        **_signed(case),
    )
    _must_hold(case, record)
    case.roster.enrol_terminal(record)
    case.note.result = fingerprint
    return _state(record)


def change(case: Case, asked: ChangeTerminal) -> TerminalState:
    """Change where a terminal stands or what it is for, from the next request on.

    How it was before stays on record.

    Raises:
        NotFound: no live terminal has this 操作端末ID.
        Malformed: nothing is to change, or as ``enrol``.
    """
    given = {name: getattr(asked, name) for name in CHANGEABLE}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise Malformed(f"say what changes: {', '.join(CHANGEABLE)}")
    record = case.roster.change_terminal(
        asked.terminal_id, **changes, why=asked.reason, **_signed(case)
    )
    if record.kind.is_staffed and not record.place.strip():
        raise Malformed(f"place is needed for kind {record.kind}: where people sit (設置場所)")
    _must_hold(case, record)
    case.note.result = record.fingerprint
    return _state(record)


def renew(case: Case, asked: RenewTerminal) -> TerminalState:
    """Register the next certificate of a terminal; the former one is good for seven days more.

    Raises:
        NotFound: no live terminal has this 操作端末ID.
        Malformed: as ``enrol``.
        Conflict: the certificate is registered, or was once.
    """
    former = case.roster.current_terminal(asked.terminal_id)
    fingerprint, not_after = _certified(case, asked.terminal_id, asked.certificate)
    record = replace(
        former,
        fingerprint=fingerprint,
        not_after=not_after,
        request_number=asked.request_number,
        registered_at=case.request.now,
        why="証明書の更新",
        **_signed(case),
    )
    case.roster.renew_terminal(record, case.request.now)
    case.note.result = fingerprint
    return _state(record)


def revoke(case: Case, asked: RevokeTerminal) -> TerminalState:
    """Refuse a terminal from the next request on, all its certificates; sessions there end.

    Raises:
        Conflict: it is the terminal this is asked from.
        NotFound: no live terminal has this 操作端末ID.
    """
    if asked.terminal_id == case.actor.terminal.terminal_id:
        raise Conflict("a terminal cannot revoke itself; use another one")
    for record in case.roster.terminals():
        if record.terminal_id == asked.terminal_id:
            # Whoever sat there may log in elsewhere at once.
            case.sessions.close_all_at(record.fingerprint)
    revoked = case.roster.revoke_terminal(asked.terminal_id, asked.reason, **_signed(case))
    case.note.result = revoked.fingerprint
    return _state(revoked)


def _certified(case: Case, terminal_id: str, certificate: str) -> tuple[str, datetime]:
    """Return fingerprint and end of a certificate that may be registered for this terminal."""
    try:
        peer, named = peer_from_pem(certificate), terminal_named_in(certificate)
    except BadCertificate:
        raise Malformed("certificate must be exactly one X.509 certificate in PEM form") from None
    if not peer.is_in_force(case.request.now):
        raise Malformed("certificate is not in force")
    if named not in (None, terminal_id):
        raise Malformed("certificate is of another terminal_id: it names whose it is (URI)")
    if not case.is_ours(certificate):
        raise Malformed(
            "certificate is of another authority: with it no connection could be opened "
            "(tls.client_ca)"
        )
    return peer.fingerprint, peer.not_after


def _must_hold(case: Case, record: TerminalRecord) -> None:
    """Refuse limits that cannot be kept to, or that would stop a server.

    Raises:
        Malformed: says which, and why.
    """
    limits = (record.hours, record.operations, record.office, record.own_office_only)
    if not record.kind.is_staffed and any(limits):
        raise Malformed("office, hours and operations go with kinds where people sit only")
    if record.own_office_only and not record.office.strip():
        raise Malformed("own_office_only needs office: whose terminal it is (所属)")
    known = {name for rule in case.policy.roles.values() for name in rule.operations}
    known |= {name.partition("/")[0] for name in known}
    if not known.issuperset(record.operations):
        raise Malformed("operations: one is neither a function nor an operation of any role")
    try:
        check_hours(record.hours)
    except ValueError as problem:
        raise Malformed(f"hours: {problem}") from None


def _signed(case: Case) -> dict[str, Any]:
    """Return who writes a line, and when."""
    by = case.actor.operator.operator_id if case.actor.operator else ""
    return {"changed_at": case.request.now, "changed_by": by}


def _check_municipality(case: Case, asked: EnrolTerminal) -> None:
    if asked.kind != "municipality":
        if asked.municipality_code is not None:
            raise Malformed("municipality_code goes with kind municipality only")
        return
    code = asked.municipality_code
    known = None if code is None else case.registry.municipalities.lookup(code)
    if known is None or known.is_prefecture:
        raise Malformed("municipality_code must be that of a municipality")


def _state(record: TerminalRecord) -> TerminalState:
    return convert(record, TerminalState, from_attributes=True)


def _line(case: Case, record: TerminalRecord) -> TerminalLine:
    used = case.roster.terminal_used(record.terminal_id)
    return TerminalLine(**asdict(_state(record)), last_login=used)
