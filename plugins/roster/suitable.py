"""Whether an authority can be given: what the policy knows, who there is, and what goes together.

The duties that are kept apart (R127, R132), and the blind roles that are held alone (R142), are
those of ``appliance.duties``, which holds every signed role against them. Here it is the person
(照合ID) that counts, under however many 操作者ID. Whoever is of the 委託先 holds blind roles only.
"""

from collections.abc import Iterator, Sequence

from appliance.plugin_api import (
    AT_A_TERMINAL,
    Case,
    Duty,
    OperatorRecord,
    Policy,
    Problem,
    Role,
    duties_of,
    joins_blind,
)


def roles_for_people(policy: Policy) -> dict[str, str]:
    """Return the roles that somebody can be given, with what the staff calls them."""
    return {
        name: role.label
        for name, role in policy.roles.items()
        # What anybody may do who sits at a terminal is no role that somebody is given.
        if name != AT_A_TERMINAL and any(kind.is_staffed for kind in role.terminals)
    }


def problems(case: Case, wanted: OperatorRecord) -> Iterator[Problem]:
    """Yield every rule that an authority breaks, with what to do instead."""
    policy = case.policy
    people = sorted(roles_for_people(policy))
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
    if any(joins_blind(policy, map(Role, _held(case, wanted, h))) for h in wanted.holders):
        text = (
            "本人確認情報を取り扱わない役割(委託先)は、操作者IDを分けても他の役割と兼ねることは"
            "できません。別の人を充ててください"
        )
        yield Problem("blind-alone", "roles", text)
    if any(_is_contractor(case, h) for h in wanted.holders) and not _all_blind(policy, wanted):
        text = (
            "委託先の者に付与できるのは、本人確認情報を取り扱わない役割(委託先)に限ります。"
            "職員を充ててください"
        )
        yield Problem("contractor", "roles", text)


def _is_contractor(case: Case, holder: str) -> bool:
    person = case.roster.person(holder)
    return person is not None and person.contractor


def _all_blind(policy: Policy, wanted: OperatorRecord) -> bool:
    rules = [policy.roles.get(Role(name)) for name in wanted.roles]
    return all(rule is None or rule.blind for rule in rules)


def _joined(case: Case, wanted: OperatorRecord, holder: str) -> str:
    """Return the duties one person would join, or nothing if they go together."""
    names = [Role(name) for name in _held(case, wanted, holder) if name in case.policy.roles]
    union = frozenset[Duty]().union(*(duties_of(case.policy.roles[name]) for name in names))
    return "と".join(sorted(union)) if len(union) > 1 else ""


def _held(case: Case, wanted: OperatorRecord, holder: str) -> Iterator[str]:
    """Yield every role that somebody would hold, under whatever 操作者ID."""
    yield from wanted.roles
    for other in case.roster.held_by(holder):
        if other.operator_id != wanted.operator_id and other.may_work(case.request.today):
            yield from other.roles


def _listed(names: Sequence[str]) -> str:
    return "、".join(names)
