"""Who may agree to what was asked for: ``approves`` of ``roles.toml``, and nobody else (R127).

Nobody agrees to what he asked for himself, or to what is about himself, each by 照合ID. Without
``every_office = true`` a role agrees for its holder's own 所属 alone: to what was asked for from
there, or is about it.
"""

from appliance import wire
from appliance.approvals import Approval, Book
from appliance.case import Case
from appliance.errors import NotPermitted
from appliance.model import OperationName, Operator
from appliance.operation import About, AnyOperation
from appliance.policy import Policy, RoleRule, approves


def operator_of(case: Case) -> Operator:
    """Return the person who asks.

    Raises:
        NotPermitted: a machine does.
    """
    if case.actor.operator is None:
        raise NotPermitted("this takes two persons: no machine can do it by itself")
    return case.actor.operator


def must_decide(case: Case, approval: Approval, operation: AnyOperation) -> None:
    """Hold that whoever asks may agree to this, or not agree.

    Raises:
        NotPermitted: to one's own, to what is about oneself, or outside one's role or office.
    """
    me = operator_of(case)
    about = _about(case, approval, operation)
    if me.person_id == approval.asked.person:
        raise NotPermitted("nobody agrees to what he asked for himself")
    if me.person_id in about.persons:
        raise NotPermitted("nobody agrees to what is about himself")
    rules = _rules(case, operation.name)
    if not rules:
        raise NotPermitted(f"no role of yours may agree to {operation.name} at this terminal")
    offices = {approval.asked.office, *about.offices}
    if me.office not in offices and not any(rule.every_office for rule in rules):
        raise NotPermitted("this is a matter of another office; its security officer agrees")


def labels(policy: Policy, operation: OperationName) -> tuple[str, ...]:
    """Return the roles that may agree to an operation, in the staff's words."""
    return tuple(rule.label for rule in policy.roles.values() if approves(rule, operation))


def _about(case: Case, approval: Approval, operation: AnyOperation) -> About:
    plain = Book(case.papers).arguments(approval.number)
    if plain is None or operation.about is None:
        return About()
    return operation.about(case.roster, wire.parse(operation.asks, plain))


def _rules(case: Case, operation: OperationName) -> list[RoleRule]:
    """Return the roles of whoever asks that agree to an operation at this terminal."""
    return [
        rule
        for role in case.actor.roles
        if (rule := case.policy.roles.get(role)) is not None
        and case.actor.terminal.kind in rule.terminals
        and approves(rule, operation)
    ]
