"""操作者名簿: appoint, change, give a new code, suspend, resume."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from appliance.plugin_api import (
    MAX_FAILURES,
    SYSTEM,
    Answer,
    Arguments,
    Case,
    Conflict,
    Malformed,
    NotFound,
    NotPermitted,
    OperatorRecord,
    Rejected,
    ShortText,
)
from plugins.roster.suitable import Appointment, problems

CODE_LIFETIME = timedelta(hours=24)

OperatorId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=16,
        pattern="^[A-Z0-9-]+$",
        description="1 to 16 of A-Z 0-9 -",
        examples=["OP-0002"],
    ),
]
PersonId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        pattern="^[A-Z0-9-]+$",
        description="1 to 32 of A-Z 0-9 -",
        examples=["P-0002"],
    ),
]
Names = Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=64)]
Roles = Annotated[Names, Meta(min_length=1)]
CHANGEABLE = ("office", "roles", "purposes", "expires_on")
State = Literal["active", "not-enrolled", "locked", "over", "suspended"]


class ListOperators(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class OperatorState(Answer, frozen=True, kw_only=True):
    """One line of the roster; nothing of how the operator proves himself."""

    operator_id: str
    person_id: str
    office: str
    roles: tuple[str, ...]
    purposes: tuple[str, ...]
    expires_on: date
    state: State
    """Whether he may log in, and if not, why."""
    enrolled: bool
    """Has set a PIN."""
    locked: bool
    """Needs a new code, after too many wrong PINs."""
    suspended: str
    """Why, or empty."""
    last_login: datetime | None
    last_terminal: str


class OperatorList(Answer, frozen=True, kw_only=True):
    """The roster, in the order of 操作者ID."""

    operators: tuple[OperatorState, ...]


class AddOperator(Arguments, frozen=True, kw_only=True):
    """操作者ID and 照合ID, 所属, and what for."""

    operator_id: OperatorId
    person_id: PersonId
    office: ShortText
    roles: Roles
    purposes: Names = ()
    expires_on: date


class ChangeOperator(Arguments, frozen=True, kw_only=True):
    """Who, and what becomes of the appointment; what is left out stays (人事異動)."""

    operator_id: OperatorId
    office: ShortText | None = None
    roles: Roles | None = None
    purposes: Names | None = None
    expires_on: date | None = None


class EnrolOperator(Arguments, frozen=True, kw_only=True):
    """Who gets a new code."""

    operator_id: OperatorId


class Enrolment(Answer, frozen=True, kw_only=True):
    """A one-use code, until when it is good, and whose it is."""

    operator_id: str
    enrolment_code: str
    until: datetime


class SuspendOperator(Arguments, frozen=True, kw_only=True):
    """Who, and why (照合ID無効化依頼書)."""

    operator_id: OperatorId
    reason: Annotated[ShortText, Meta(title="理由")]


class ResumeOperator(Arguments, frozen=True, kw_only=True):
    """Who may come back, and why."""

    operator_id: OperatorId
    reason: Annotated[ShortText, Meta(title="理由")]


class Suspended(Answer, frozen=True, kw_only=True):
    """Who is suspended."""

    operator_id: str
    suspended: str


def listed(case: Case, asked: ListOperators) -> OperatorList:
    """List the roster."""
    lines = (_line(record, case.request.today) for record in case.roster.operators())
    return OperatorList(operators=tuple(lines))


def add(case: Case, asked: AddOperator) -> Enrolment:
    """Appoint an operator.

    Raises:
        NotPermitted: it is himself.
        Conflict: the 操作者ID was given out before.
        Rejected: a role or 事務 does not exist, or duties do not go together (R126, R127).
    """
    _not_himself(case, asked.operator_id, asked.person_id)
    if asked.operator_id == SYSTEM:
        raise Conflict("this operator_id is the appliance's own; choose another")
    if case.roster.operator(asked.operator_id) is not None:
        raise Conflict(
            "this operator_id was given out before: choose another, or change or resume that one"
        )
    record = OperatorRecord(
        operator_id=asked.operator_id,
        person_id=asked.person_id,
        office=asked.office,
        roles=asked.roles,
        purposes=asked.purposes,
        expires_on=asked.expires_on,
    )
    _must_suit(case, record)
    case.roster.put_operator(record)
    return _code(case, asked.operator_id)


def change(case: Case, asked: ChangeOperator) -> OperatorState:
    """Change an appointment, from the next request on; how it was before stays on record (R125).

    Whoever is suspended stays so.

    Raises:
        NotPermitted: it is himself.
        NotFound: no such operator.
        Malformed: nothing is to change.
        Rejected: as ``add``.
    """
    record = _known(case, asked.operator_id)
    _not_himself(case, record.operator_id, record.person_id)
    given = {name: getattr(asked, name) for name in CHANGEABLE}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise Malformed(f"say what changes: {', '.join(CHANGEABLE)}")
    _must_suit(case, replace(record, **changes))
    case.roster.change_operator(asked.operator_id, **changes)
    return _line(_known(case, asked.operator_id), case.request.today)


def resume(case: Case, asked: ResumeOperator) -> Enrolment:
    """Let a suspended operator come back, with a new PIN.

    Raises:
        NotPermitted: it is himself.
        NotFound, Conflict: no such operator, or he is not suspended.
        Rejected: as ``add``: the appointment is over by now, or no longer suits.
    """
    record = _known(case, asked.operator_id)
    _not_himself(case, record.operator_id, record.person_id)
    if not record.suspended:
        raise Conflict("this operator is not suspended; for a new code, enrol him")
    _must_suit(case, record)
    case.roster.change_operator(asked.operator_id, suspended="")
    case.roster.forget_pin(asked.operator_id)
    return _code(case, asked.operator_id)


def enrol(case: Case, asked: EnrolOperator) -> Enrolment:
    """Issue a new code: to set another PIN, and to unlock.

    Raises:
        NotFound, Conflict: no such operator, or he may not log in any more.
    """
    record = _known(case, asked.operator_id)
    if record.suspended:
        raise Conflict("this operator is suspended: resume him, which gives a code too")
    if record.expires_on < case.request.today:
        raise Conflict("this appointment is over: change its expires_on first")
    return _code(case, asked.operator_id)


def suspend(case: Case, asked: SuspendOperator) -> Suspended:
    """Shut an operator out: sessions end at once, codes are void (R123, R129).

    Raises:
        NotPermitted: it is himself.
        NotFound, Conflict: no such operator, or suspended already.
    """
    record = _known(case, asked.operator_id)
    _not_himself(case, record.operator_id, record.person_id)
    if record.suspended:
        raise Conflict("this operator is suspended already; nothing needs to be done")
    case.roster.change_operator(asked.operator_id, suspended=asked.reason)
    case.roster.void_enrolments(asked.operator_id)
    case.sessions.close_all_of(asked.operator_id)
    return Suspended(operator_id=asked.operator_id, suspended=asked.reason)


def _known(case: Case, operator_id: str) -> OperatorRecord:
    record = case.roster.operator(operator_id)
    if record is None:
        raise NotFound("there is no such operator")
    return record


def _not_himself(case: Case, operator_id: str, person_id: str) -> None:
    keeper = case.actor.operator
    if keeper is None or operator_id == keeper.operator_id or person_id == keeper.person_id:
        raise NotPermitted("nobody appoints or suspends himself")


def _must_suit(case: Case, record: OperatorRecord) -> None:
    """Hold an appointment against the rules, with all others that the person has now (R127)."""
    today = case.request.today
    others = [
        role
        for other in case.roster.operators()
        if other.person_id == record.person_id
        and other.operator_id != record.operator_id
        and other.may_work(today)
        for role in other.roles
    ]
    wanted = Appointment(record.roles, record.purposes, record.expires_on, others)
    if found := [*problems(case.policy, wanted, today)]:
        raise Rejected("this appointment cannot be made", found)


def _code(case: Case, operator_id: str) -> Enrolment:
    until = case.request.now + CODE_LIFETIME
    code = case.roster.issue_enrolment(operator_id, until)
    return Enrolment(operator_id=operator_id, enrolment_code=code, until=until)


def _state(record: OperatorRecord, today: date) -> State:
    if record.suspended:
        return "suspended"
    if record.expires_on < today:
        return "over"
    if record.failures >= MAX_FAILURES:
        return "locked"
    return "active" if record.enrolled else "not-enrolled"


def _line(record: OperatorRecord, today: date) -> OperatorState:
    return OperatorState(
        operator_id=record.operator_id,
        person_id=record.person_id,
        office=record.office,
        roles=record.roles,
        purposes=record.purposes,
        expires_on=record.expires_on,
        state=_state(record, today),
        enrolled=record.enrolled,
        locked=record.failures >= MAX_FAILURES,
        suspended=record.suspended,
        last_login=record.last_login,
        last_terminal=record.last_terminal,
    )
