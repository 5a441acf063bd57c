"""操作者名簿: appoint, give a new code, suspend."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated

from msgspec import Meta

from appliance.plugin_api import (
    MAX_FAILURES,
    Answer,
    Arguments,
    Case,
    Conflict,
    NotFound,
    NotPermitted,
    OperatorRecord,
    Policy,
    Problem,
    PurposeCode,
    Rejected,
    Role,
    ShortText,
)

CODE_LIFETIME = timedelta(hours=24)
KEEPING = "roster/"
SYSTEM = "SYSTEM"
"""The 操作者ID of what the appliance does by itself (R34)."""

OperatorId = Annotated[str, Meta(min_length=1, max_length=16, pattern="^[A-Za-z0-9-]+$")]
PersonId = Annotated[str, Meta(min_length=1, max_length=32, pattern="^[A-Za-z0-9-]+$")]
Names = Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=64)]


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
    roles: Annotated[Names, Meta(min_length=1)]
    purposes: Names = ()
    expires_on: date


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
    reason: ShortText


class Suspended(Answer, frozen=True, kw_only=True):
    """Who is suspended."""

    operator_id: str
    suspended: str


def listed(case: Case, asked: ListOperators) -> OperatorList:
    """List the roster."""
    return OperatorList(operators=tuple(map(_state, case.roster.operators())))


def add(case: Case, asked: AddOperator) -> Enrolment:
    """Appoint an operator.

    Raises:
        NotPermitted: it is himself.
        Conflict: the 操作者ID was given out before.
        Rejected: a role or 事務 does not exist, or roles do not go together.
    """
    _not_himself(case, asked.operator_id, asked.person_id)
    if asked.operator_id == SYSTEM or case.roster.operator(asked.operator_id) is not None:
        raise Conflict("this operator_id was given out before")
    if problems := [*_unsuitable(case, asked)]:
        raise Rejected("this appointment cannot be made", problems)
    case.roster.put_operator(
        OperatorRecord(
            operator_id=asked.operator_id,
            person_id=asked.person_id,
            office=asked.office,
            roles=asked.roles,
            purposes=asked.purposes,
            expires_on=asked.expires_on,
        )
    )
    return _code(case, asked.operator_id)


def enrol(case: Case, asked: EnrolOperator) -> Enrolment:
    """Issue a new code: to set another PIN, and to unlock.

    Raises:
        NotFound, Conflict: no such operator, or he may not log in any more.
    """
    record = _known(case, asked.operator_id)
    if record.suspended or record.expires_on < case.request.today:
        raise Conflict("this operator is suspended or the appointment is over")
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
        raise Conflict("this operator is suspended already")
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


def _unsuitable(case: Case, asked: AddOperator) -> Iterator[Problem]:
    policy = case.policy
    for name in asked.roles:
        if not _is_for_people(policy, name):
            yield Problem("unknown-role", "roles", "a role is not one that a person can hold")
    for name in asked.purposes:
        if PurposeCode(name) not in policy.purposes:
            yield Problem("unknown-purpose", "purposes", "a purpose is not in the policy")
    if asked.expires_on < case.request.today:
        yield Problem("past", "expires_on", "the appointment must not be over already")
    held = [policy.roles[Role(name)] for name in asked.roles if _is_for_people(policy, name)]
    keeps = [role for role in held if any(name.startswith(KEEPING) for name in role.operations)]
    others = [role for role in held if role not in keeps]
    if keeps and any(role.items for role in others):
        text = "who keeps the roster must not hold a role that sees residents"
        yield Problem("separation", "roles", text)


def _is_for_people(policy: Policy, name: str) -> bool:
    role = policy.roles.get(Role(name))
    return role is not None and any(kind.is_staffed for kind in role.terminals)


def _code(case: Case, operator_id: str) -> Enrolment:
    until = case.request.now + CODE_LIFETIME
    code = case.roster.issue_enrolment(operator_id, until)
    return Enrolment(operator_id=operator_id, enrolment_code=code, until=until)


def _state(record: OperatorRecord) -> OperatorState:
    return OperatorState(
        operator_id=record.operator_id,
        person_id=record.person_id,
        office=record.office,
        roles=record.roles,
        purposes=record.purposes,
        expires_on=record.expires_on,
        enrolled=record.enrolled,
        locked=record.failures >= MAX_FAILURES,
        suspended=record.suspended,
        last_login=record.last_login,
        last_terminal=record.last_terminal,
    )
