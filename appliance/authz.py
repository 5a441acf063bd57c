"""Whether this actor may do this, and how far: default no.

``permit`` raises where the answer is no; it never returns False. Everything here narrows: the
terminal's hours and functions, role, then 事務, then the plugins' vetoes. Whether a resident exists
is never looked at.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import pluggy

from appliance.duties import is_blind, joins_blind
from appliance.errors import NotPermitted, Unidentified, VerifyAgain
from appliance.items import ITEM_NAMES, ItemName
from appliance.model import (
    AT_A_TERMINAL,
    Actor,
    Behalf,
    Grant,
    OperationName,
    PurposeCode,
    Request,
    Role,
)
from appliance.operation import AnyOperation
from appliance.policy import Policy, PurposeRule, RoleRule, items_of
from appliance.staff import OperatorRecord, PersonRecord
from appliance.terminals import ALWAYS, must_be_of_its_office, must_be_open, must_serve

log = logging.getLogger(__name__)


def permit(
    policy: Policy,
    hook: pluggy.HookRelay,
    actor: Actor,
    operation: AnyOperation,
    request: Request,
) -> Grant:
    """Return how far this request may reach.

    Raises:
        Unidentified: nobody has logged in, and what is asked for needs that.
        VerifyAgain: he must have proved himself more recently than he has.
        NotPermitted: not at this terminal or hour, no role, no 事務, or a plugin's veto; says
            which, never about whom.
    """
    roles = _reaching(policy, actor, operation, request)
    _must_be_fresh(policy, actor, request)
    grant = _granted(policy, actor, operation, roles)
    if operation.purposed:
        grant = narrowed(grant, _purpose(policy, actor, operation, request))
    _ask_plugins(hook, actor, request)
    return grant


def outlook(
    policy: Policy, actor: Actor, operation: AnyOperation, request: Request
) -> Mapping[PurposeCode, Grant] | None:
    """Return how far somebody's rights would reach now, by 事務; None if they do not.

    What needs no 事務 is answered with an empty mapping. It is for showing him what he may ask, and
    permits nothing: a recent proof, 利用事由 and the plugins' vetoes are looked at when he asks.
    """
    try:
        roles = _reaching(policy, actor, operation, request)
        grant = _granted(policy, actor, operation, roles)
    except (NotPermitted, Unidentified):
        return None
    if not operation.purposed:
        return {}
    return {
        code: narrowed(grant, rule)
        for code, rule in policy.purposes.items()
        if code in actor.purposes
        and operation.name in rule.operations
        and rule.holds_on(request.today)
    } or None


def _reaching(
    policy: Policy, actor: Actor, operation: AnyOperation, request: Request
) -> list[RoleRule]:
    _at_this_terminal(policy, actor, operation.name, request)
    return _roles(policy, actor, operation)


def _granted(
    policy: Policy, actor: Actor, operation: AnyOperation, roles: Sequence[RoleRule]
) -> Grant:
    grant = _together(roles)
    if operation.blind or is_blind(policy, actor.roles):
        grant = _blind(policy, actor, operation)
    if all(role.attended for role in roles):
        grant = replace(grant, attended_by=_witness(policy, actor))
    return grant


def withheld(hook: pluggy.HookRelay, actor: Actor, request: Request) -> frozenset[ItemName]:
    """Return the items the plugins withhold in this request; all of them if one fails."""
    try:
        return _items(hook.withhold(actor=actor, request=request))
    except Exception:
        log.exception("a withhold hook failed; every item is withheld")
        return ITEM_NAMES


def _items(answers: Iterable[object]) -> frozenset[ItemName]:
    items = frozenset[ItemName]()
    for answer in answers:
        # Types are not checked on the way here; a text would be read as a set of letters.
        if not isinstance(answer, frozenset) or not answer <= ITEM_NAMES:
            raise TypeError("a plugin must answer a frozenset of items")
        items |= answer
    return items


def _at_this_terminal(
    policy: Policy, actor: Actor, operation: OperationName, request: Request
) -> None:
    must_be_open(actor.terminal, operation, request.now, policy.office.closed_days)
    must_serve(actor.terminal, operation)
    if actor.operator is not None and operation != ALWAYS:
        must_be_of_its_office(actor.terminal, actor.operator.office)


def _roles(policy: Policy, actor: Actor, operation: AnyOperation) -> list[RoleRule]:
    here = {
        name: role
        for name, role in policy.roles.items()
        if operation.name in role.operations and actor.terminal.kind in role.terminals
    }
    reaching = [here[role] for role in sorted(actor.roles) if role in here]
    if not reaching and here and actor.terminal.kind.is_staffed and actor.operator is None:
        raise Unidentified("log in first (session/open)")
    if not reaching:
        raise NotPermitted(f"no role of yours reaches {operation.name} at this terminal")
    return reaching


def _must_be_fresh(policy: Policy, actor: Actor, request: Request) -> None:
    access = policy.access
    if actor.operator is None or request.operation not in access.fresh:
        return
    if actor.proved is None or actor.proved < request.now - access.freshness:
        raise VerifyAgain("prove again who you are (session/verify), then ask once more")


def _blind(policy: Policy, actor: Actor, operation: AnyOperation) -> Grant:
    """Return the rights to nobody, whatever the roles say that he holds besides (R140, R142)."""
    if not operation.blind:
        raise NotPermitted(f"a role of yours sees no residents, and {operation.name} may")
    here = policy.roles.get(AT_A_TERMINAL)
    leaving = here is not None and operation.name in here.operations
    if joins_blind(policy, actor.roles) and not leaving:
        raise NotPermitted("a role that sees no residents is held alone; ask the administrator")
    return Grant(items=frozenset(), keys=frozenset(), blind=True)


def _witness(policy: Policy, actor: Actor) -> str:
    """Return the 操作者ID of who attends: somebody else, whom nobody has to attend (R147)."""
    himself = actor.operator.person_id if actor.operator else None
    for other in actor.company:
        rules = [policy.roles[role] for role in other.roles if role in policy.roles]
        if rules and other.operator.person_id != himself and not any(r.attended for r in rules):
            return other.operator.operator_id
    raise NotPermitted("staff must attend: one of the office logs in at this terminal too")


def _together(roles: Sequence[RoleRule]) -> Grant:
    return Grant(
        items=frozenset[ItemName]().union(*(items_of(role) for role in roles)),
        keys=frozenset(key for role in roles for key in role.keys),
        removed=any(role.removed for role in roles),
        history=any(role.history for role in roles),
    )


def _purpose(
    policy: Policy, actor: Actor, operation: AnyOperation, request: Request
) -> PurposeRule:
    if request.purpose is None or request.reason is None:
        raise NotPermitted("name the purpose (X-Purpose) and its reason (X-Reason)")
    rule = policy.purposes.get(request.purpose)
    if rule is None or request.purpose not in actor.purposes:
        raise NotPermitted("this purpose is not among yours")
    return in_force(policy, request.purpose, request.reason, operation.name, request.today)


def in_force(
    policy: Policy, purpose: PurposeCode, reason: str, operation: OperationName, today: date
) -> PurposeRule:
    """Return the rule of a 事務 that allows this operation for this reason today.

    Raises:
        NotPermitted: it does not; says why.
    """
    rule = policy.purposes.get(purpose)
    if rule is None or not rule.holds_on(today):
        raise NotPermitted("this purpose is not in force today")
    if operation not in rule.operations:
        raise NotPermitted(f"this purpose does not allow {operation}")
    if reason not in rule.reasons:
        raise NotPermitted("this reason does not belong to the purpose")
    return rule


def on_behalf(
    policy: Policy,
    person: PersonRecord | None,
    authority: OperatorRecord | None,
    behalf: Behalf,
    today: date,
) -> Grant:
    """Return how far somebody's own rights reach for a 事務 today, though he is not there.

    A role counts that reaches the operation at any terminal with staff.

    Raises:
        NotPermitted: he may not work any more, no role of his reaches it, or the 事務 is not his
            or does not allow it.
    """
    if person is None or not person.may_work(today):
        raise NotPermitted("whoever asked for this may not work any more")
    if authority is None or not authority.may_work(today):
        raise NotPermitted("whoever asked for this may not work any more")
    if person.person_id not in authority.holders:
        raise NotPermitted("whoever asked for this does not hold that authority any more")
    if behalf.purpose not in authority.purposes:
        raise NotPermitted("this purpose is no more among those of whoever asked for this")
    rule = in_force(policy, behalf.purpose, behalf.reason, behalf.operation, today)
    if is_blind(policy, map(Role, authority.roles)):
        raise NotPermitted("whoever asked for this sees no residents any more")
    roles = [
        role
        for name, role in policy.roles.items()
        if name in authority.roles
        and behalf.operation in role.operations
        and any(kind.is_staffed for kind in role.terminals)
    ]
    if not roles:
        raise NotPermitted("no role of whoever asked for this reaches it any more")
    return narrowed(_together(roles), rule)


def narrowed(grant: Grant, rule: PurposeRule) -> Grant:
    """Return how far rights reach for a 事務."""
    return replace(
        grant,
        items=grant.items & items_of(rule),
        keys=grant.keys & frozenset(rule.keys),
        most_results=rule.most_results,
    )


def _ask_plugins(hook: pluggy.HookRelay, actor: Actor, request: Request) -> None:
    try:
        reasons = [veto.reason for veto in hook.veto(actor=actor, request=request)]
    except Exception as problem:
        log.exception("a veto hook failed; the request is refused")
        raise NotPermitted("a plugin could not decide") from problem
    if reasons:
        raise NotPermitted("; ".join(reasons))
