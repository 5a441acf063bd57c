"""操作者ID: an authority is made, held by people, changed (人事異動), suspended, resumed (R125).

An authority says where it belongs, which roles and 事務 it has and who holds it (R126). No 操作者ID
is given out twice, and how it was before stays on record.
"""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from appliance.plugin_api import (
    SYSTEM,
    About,
    Answer,
    Arguments,
    Case,
    Conflict,
    Malformed,
    NotFound,
    OperatorRecord,
    Rejected,
    Roster,
    ShortText,
)
from plugins.roster.people import Form, PersonId, Reason, not_himself, revised
from plugins.roster.suitable import problems, roles_for_people

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
Names = Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=64)]
Roles = Annotated[Names, Meta(min_length=1)]
Holders = Annotated[tuple[PersonId, ...], Meta(min_length=1, max_length=256)]
CHANGEABLE = ("office", "roles", "purposes", "holders", "expires_on")


class ListOperators(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class OperatorState(Answer, frozen=True, kw_only=True):
    """One authority."""

    operator_id: str
    office: str
    roles: tuple[str, ...]
    purposes: tuple[str, ...]
    holders: tuple[str, ...]
    expires_on: date
    state: Literal["active", "over", "suspended"]
    suspended: str
    """Why, or empty."""


class OperatorList(Answer, frozen=True, kw_only=True):
    """Every authority, in the order of 操作者ID; and what an authority can be of."""

    operators: tuple[OperatorState, ...]
    roles: dict[str, str]
    """The roles that can be given, by name: what the staff calls them."""
    purposes: dict[str, str]
    """The 事務, by code."""


class AddOperator(Arguments, frozen=True, kw_only=True):
    """操作者ID, 所属, what for, who holds it, and by which paper."""

    operator_id: OperatorId
    office: ShortText
    roles: Roles
    purposes: Names = ()
    holders: Holders
    expires_on: date
    form: Form


class ChangeOperator(Arguments, frozen=True, kw_only=True):
    """Which authority, by which paper, and what becomes of it; what is left out stays."""

    operator_id: OperatorId
    office: ShortText | None = None
    roles: Roles | None = None
    purposes: Names | None = None
    holders: Holders | None = None
    expires_on: date | None = None
    form: Form


class SuspendOperator(Arguments, frozen=True, kw_only=True):
    """Which authority, and why."""

    operator_id: OperatorId
    reason: Reason


class ResumeOperator(Arguments, frozen=True, kw_only=True):
    """Which authority may be used again, and why."""

    operator_id: OperatorId
    reason: Reason


def about_new(roster: Roster, asked: AddOperator) -> About:
    """Return who is to hold an authority, and where."""
    return About(persons=frozenset(asked.holders), offices=frozenset({asked.office}))


def about_changed(roster: Roster, asked: ChangeOperator) -> About:
    """Return who holds an authority or is to hold it, and where it belongs or is to belong."""
    known = about_known(roster, asked)
    offices = frozenset({asked.office} if asked.office else ())
    return About(
        persons=known.persons | frozenset(asked.holders or ()), offices=known.offices | offices
    )


def about_known(roster: Roster, asked: ChangeOperator | ResumeOperator) -> About:
    """Return who holds an authority, and where it belongs."""
    record = roster.operator(asked.operator_id)
    if record is None:
        return About()
    return About(persons=frozenset(record.holders), offices=frozenset({record.office}))


def listed(case: Case, asked: ListOperators) -> OperatorList:
    """List every authority, suspended ones included, and what can be given."""
    states = (_state(record, case.request.today) for record in case.roster.operators())
    return OperatorList(
        operators=tuple(states),
        roles=roles_for_people(case.policy),
        purposes={str(code): rule.label for code, rule in case.policy.purposes.items()},
    )


def add(case: Case, asked: AddOperator) -> OperatorState:
    """Make an authority and let people hold it.

    Raises:
        NotPermitted: he would hold it himself.
        Conflict: the 操作者ID was given out before.
        Rejected: a role, a 事務 or a person does not exist, or duties do not go together (R127).
    """
    not_himself(case, *asked.holders, operator_id=asked.operator_id)
    if asked.operator_id == SYSTEM:
        raise Conflict("this operator_id is the appliance's own; choose another")
    if case.roster.operator(asked.operator_id) is not None:
        raise Conflict(
            "this operator_id was given out before: choose another, or change or resume that one"
        )
    record = OperatorRecord(
        operator_id=asked.operator_id,
        office=asked.office,
        roles=asked.roles,
        purposes=asked.purposes,
        holders=asked.holders,
        expires_on=asked.expires_on,
    )
    return _written(case, record, asked.form)


def change(case: Case, asked: ChangeOperator) -> OperatorState:
    """Change an authority, from the next request on; how it was before stays on record (R125).

    Whoever holds it no more is out at once.

    Raises:
        NotPermitted: he holds it himself, or would.
        NotFound: there is no such authority.
        Malformed: nothing is to change.
        Rejected: as ``add``.
    """
    record = _known(case, asked.operator_id)
    given = {name: getattr(asked, name) for name in CHANGEABLE}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise Malformed(f"say what changes: {', '.join(CHANGEABLE)}")
    changed = replace(record, **changes)
    not_himself(case, *record.holders, *changed.holders, operator_id=record.operator_id)
    return _written(case, changed, asked.form)


def suspend(case: Case, asked: SuspendOperator) -> OperatorState:
    """Let nobody work under an authority: sessions under it end at once (R123).

    Raises:
        NotPermitted: he holds it himself.
        NotFound, Conflict: there is no such authority, or it is suspended already.
    """
    record = _known(case, asked.operator_id)
    not_himself(case, *record.holders, operator_id=record.operator_id)
    if record.suspended:
        raise Conflict("this operator is suspended already; nothing needs to be done")
    changed = replace(record, suspended=asked.reason, **revised(case, ""))
    case.roster.put_operator(changed)
    case.sessions.close_all_of(operator_id=asked.operator_id)
    return _state(changed, case.request.today)


def resume(case: Case, asked: ResumeOperator) -> OperatorState:
    """Let those who hold a suspended authority work under it again.

    Raises:
        NotPermitted: he holds it himself.
        NotFound, Conflict: there is no such authority, or it is not suspended.
        Rejected: as ``add``: it is over by now, or no longer suits.
    """
    record = _known(case, asked.operator_id)
    not_himself(case, *record.holders, operator_id=record.operator_id)
    if not record.suspended:
        raise Conflict("this operator is not suspended; nothing needs to be done")
    return _written(case, replace(record, suspended=""), "")


def _written(case: Case, record: OperatorRecord, form: str) -> OperatorState:
    """Hold an authority against the rules and write it."""
    if found := [*problems(case, record)]:
        raise Rejected("this appointment cannot be made", found)
    written = replace(record, **revised(case, form))
    case.roster.put_operator(written)
    return _state(written, case.request.today)


def _known(case: Case, operator_id: str) -> OperatorRecord:
    record = case.roster.operator(operator_id)
    if record is None:
        raise NotFound("there is no such operator")
    return record


def _state(record: OperatorRecord, today: date) -> OperatorState:
    over = "over" if record.expires_on < today else "active"
    return OperatorState(
        operator_id=record.operator_id,
        office=record.office,
        roles=record.roles,
        purposes=record.purposes,
        holders=record.holders,
        expires_on=record.expires_on,
        state="suspended" if record.suspended else over,  # type: ignore[arg-type]
        suspended=record.suspended,
    )
