"""Whether an authority can be given: what the policy knows, who there is, and what goes together.

Three duties are kept apart (R127, R132): whoever keeps the roster reads no residents and audits
nobody; whoever audits reads no residents, for nobody checks his own use of them. What counts is
the person (照合ID), under however many 操作者ID. One role that joins duties was signed by the
custodians, who answer for it.
"""

from collections.abc import Iterator, Sequence

from appliance.plugin_api import AT_A_TERMINAL, Case, OperatorRecord, Policy, Problem, Role

KEEPING, AUDITING = "roster/", "ledger/"
SEEING = "本人確認情報の利用"
DUTIES = {KEEPING: "操作者名簿の管理", AUDITING: "操作履歴の監査"}


def problems(case: Case, wanted: OperatorRecord) -> Iterator[Problem]:
    """Yield every rule that an authority breaks, with what to do instead."""
    policy = case.policy
    people = sorted(name for name in policy.roles if _is_for_people(policy, name))
    if set(wanted.roles) - set(people):
        yield Problem("unknown-role", "roles", f"指定できる役割は次のとおりです: {_listed(people)}")
    if set(wanted.purposes) - set(policy.purposes):
        there = sorted(policy.purposes)
        yield Problem(
            "unknown-purpose", "purposes", f"指定できる事務は次のとおりです: {_listed(there)}"
        )
    if any(case.roster.person(holder) is None for holder in wanted.holders):
        text = "照合IDが付与されていない人がいます。先に照合IDを付与してください"
        yield Problem("unknown-person", "holders", text)
    if wanted.expires_on < case.request.today:
        yield Problem("past", "expires_on", "任期の末日には本日以降の日を指定してください")
    if joined := sorted({_joined(case, wanted, holder) for holder in wanted.holders} - {""}):
        text = (
            f"{'、'.join(joined)}は、操作者IDを分けても同じ人が兼ねることはできません。"
            "別の人を充ててください"
        )
        yield Problem("separation", "roles", text)


def _joined(case: Case, wanted: OperatorRecord, holder: str) -> str:
    """Return the duties one person would join, or nothing if they go together."""
    others = (
        role
        for other in case.roster.held_by(holder)
        if other.operator_id != wanted.operator_id and other.may_work(case.request.today)
        for role in other.roles
    )
    policy = case.policy
    held = [_duties(policy, name) for name in (*wanted.roles, *others) if name in policy.roles]
    union = frozenset[str]().union(*held)
    return "と".join(sorted(union)) if len(union) > 1 and union not in held else ""


def _duties(policy: Policy, name: str) -> frozenset[str]:
    role = policy.roles[Role(name)]
    reached = {
        duty
        for start, duty in DUTIES.items()
        if any(operation.startswith(start) for operation in role.operations)
    }
    return frozenset(reached | ({SEEING} if role.items else set()))


def _is_for_people(policy: Policy, name: str) -> bool:
    role = policy.roles[Role(name)]
    # What anybody may do who sits at a terminal is no role that somebody is given.
    return any(kind.is_staffed for kind in role.terminals) and name != AT_A_TERMINAL


def _listed(names: Sequence[str]) -> str:
    return "、".join(names)
