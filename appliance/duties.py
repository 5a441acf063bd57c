"""Duties that no role and no person joins: a rule of every policy, not of the shipped file alone.

Whoever keeps the roster reads no residents and audits nobody; whoever audits reads no residents,
for nobody checks his own use of them (R127, R132). A blind role sees no resident by construction
(R140, R142, R146): it reaches only operations that show residents to no one, and is held alone. So
is what anybody may do who has not logged in. The custodians cannot sign these away: a policy that
breaks one stops the start.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from appliance.model import AT_A_TERMINAL, OperationName, Role
from appliance.operation import AnyOperation
from appliance.policy import Policy, RoleRule


class Duty(StrEnum):
    """What one person does not do beside another of these; in the words of the roster."""

    SEEING = "本人確認情報の利用"
    KEEPING = "操作者名簿の管理"
    AUDITING = "操作履歴の監査"


FUNCTIONS = {"roster/": Duty.KEEPING, "ledger/": Duty.AUDITING}
"""Whoever reaches any operation of a function has its duty."""


def duties_of(rule: RoleRule) -> frozenset[Duty]:
    """Return the duties that a role brings."""
    reached = {
        duty
        for function, duty in FUNCTIONS.items()
        if any(name.startswith(function) for name in rule.operations)
    }
    return frozenset(reached | ({Duty.SEEING} if rule.items else set()))


def is_blind(policy: Policy, roles: Iterable[Role]) -> bool:
    """Return whether any of these roles is blind; one is enough."""
    return any(policy.roles[role].blind for role in roles if role in policy.roles)


def joins_blind(policy: Policy, roles: Iterable[Role]) -> bool:
    """Return whether a blind role stands beside one that is not."""
    rules = [policy.roles[role] for role in roles if role in policy.roles and role != AT_A_TERMINAL]
    return len({rule.blind for rule in rules}) > 1


def misjoined(
    policy: Policy, operations: Mapping[OperationName, tuple[str, AnyOperation]]
) -> list[str]:
    """Return where a role joins what must stay apart, and what to do about it."""
    problems: list[str] = []
    for name, rule in policy.roles.items():
        where = f"roles.toml [{name}]"
        problems += (f"{where}: {problem}" for problem in _joined(rule, operations))
        if rule.blind or name == AT_A_TERMINAL:
            problems += (f"{where}: {problem}" for problem in _seeing(rule, operations))
    return problems


def _joined(
    rule: RoleRule, operations: Mapping[OperationName, tuple[str, AnyOperation]]
) -> Iterator[str]:
    duties = duties_of(rule)
    if {Duty.KEEPING, Duty.AUDITING} <= duties:
        yield "reaches roster/ and ledger/: whoever keeps the roster does not audit; make two roles"
    if Duty.KEEPING in duties:
        yield from _reaching(rule, "reaches roster/", ("items", "keys", "removed", "history"))
        yield from _for_a_purpose(rule, "reaches roster/", operations)
    if Duty.AUDITING in duties:
        yield from _reaching(rule, "reaches ledger/", ("items", "removed", "history"))
        yield from _for_a_purpose(rule, "reaches ledger/", operations)


def _seeing(
    rule: RoleRule, operations: Mapping[OperationName, tuple[str, AnyOperation]]
) -> Iterator[str]:
    yield from _reaching(rule, "sees no residents", ("items", "keys", "removed", "history"))
    for name in rule.operations:
        _, operation = operations.get(OperationName(name), (None, None))
        if operation is not None and not operation.blind:
            yield f"sees no residents, so it cannot reach {name}, which is not declared blind"


def _reaching(rule: RoleRule, why: str, names: Iterable[str]) -> Iterator[str]:
    yield from (
        f"{why}, so it has no {name}; leave it out" for name in names if getattr(rule, name)
    )


def _for_a_purpose(
    rule: RoleRule, why: str, operations: Mapping[OperationName, tuple[str, AnyOperation]]
) -> Iterator[str]:
    for name in rule.operations:
        _, operation = operations.get(OperationName(name), (None, None))
        if operation is not None and operation.purposed:
            yield f"{why}, so it cannot reach {name}, which is done for a 事務"
