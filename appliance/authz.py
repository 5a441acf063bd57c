"""Whether this actor may do this, and how far: default no.

``permit`` raises where the answer is no; it never returns False. Everything here narrows: the
terminal's hours and functions, role, then 事務, then the plugins' vetoes. Whether a resident exists
is never looked at.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import date

import pluggy

from appliance.errors import NotPermitted, Unidentified
from appliance.items import ITEM_NAMES, ItemName
from appliance.model import Actor, Behalf, Grant, OperationName, PurposeCode, Request
from appliance.operation import AnyOperation
from appliance.policy import Policy, PurposeRule, RoleRule, items_of
from appliance.roster import OperatorRecord
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
        NotPermitted: not at this terminal or hour, no role, no 事務, or a plugin's veto; says
            which, never about whom.
    """
    _at_this_terminal(policy, actor, operation.name, request)
    roles = _roles(policy, actor, operation)
    grant = _together(roles)
    if operation.purposed:
        grant = narrowed(grant, _purpose(policy, actor, operation, request))
    _ask_plugins(hook, actor, request)
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


def on_behalf(policy: Policy, record: OperatorRecord | None, behalf: Behalf, today: date) -> Grant:
    """Return how far an operator's own rights reach for a 事務 today, though he is not there.

    A role counts that reaches the operation at any terminal with staff.

    Raises:
        NotPermitted: he may not work any more, no role of his reaches it, or the 事務 is not his
            or does not allow it.
    """
    if record is None or not record.may_work(today):
        raise NotPermitted("whoever asked for this may not work any more")
    if behalf.purpose not in record.purposes:
        raise NotPermitted("this purpose is no more among those of whoever asked for this")
    rule = in_force(policy, behalf.purpose, behalf.reason, behalf.operation, today)
    roles = [
        role
        for name, role in policy.roles.items()
        if name in record.roles
        and behalf.operation in role.operations
        and any(kind.is_staffed for kind in role.terminals)
    ]
    if not roles:
        raise NotPermitted("no role of whoever asked for this reaches it any more")
    return narrowed(_together(roles), rule)


def narrowed(grant: Grant, rule: PurposeRule) -> Grant:
    """Return how far rights reach for a 事務."""
    return Grant(
        items=grant.items & items_of(rule),
        keys=grant.keys & frozenset(rule.keys),
        removed=grant.removed,
        history=grant.history,
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
