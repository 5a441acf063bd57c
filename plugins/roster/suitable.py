"""Whether somebody can be appointed to something: what the policy knows, and what goes together.

The duties that are kept apart (R127, R132), and the blind roles that are held alone (R142), are
those of ``appliance.duties``, which holds every signed role against them. Here it is the person
(照合ID) that counts, under however many 操作者ID.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from appliance.plugin_api import (
    AT_A_TERMINAL,
    Duty,
    Policy,
    Problem,
    Role,
    duties_of,
    joins_blind,
)


class Appointment(NamedTuple):
    """What is asked for, and the roles the same person holds under other 操作者ID."""

    roles: Sequence[str]
    purposes: Sequence[str]
    expires_on: date
    others: Sequence[str]


def problems(policy: Policy, wanted: Appointment, today: date) -> Iterator[Problem]:
    """Yield every rule that an appointment breaks, with what to do instead."""
    people = sorted(name for name in policy.roles if _is_for_people(policy, name))
    if set(wanted.roles) - set(people):
        yield Problem("unknown-role", "roles", f"指定できる役割は次のとおりです: {_listed(people)}")
    if set(wanted.purposes) - set(policy.purposes):
        there = sorted(policy.purposes)
        yield Problem(
            "unknown-purpose", "purposes", f"指定できる事務は次のとおりです: {_listed(there)}"
        )
    if wanted.expires_on < today:
        yield Problem("past", "expires_on", "任期の末日には本日以降の日を指定してください")
    if joined := _joined(policy, wanted):
        text = (
            f"{joined}は、操作者IDを分けても同じ人が兼ねることはできません。別の人を充ててください"
        )
        yield Problem("separation", "roles", text)
    if joins_blind(policy, map(Role, (*wanted.roles, *wanted.others))):
        text = (
            "本人確認情報を取り扱わない役割(委託先)は、操作者IDを分けても他の役割と兼ねることは"
            "できません。別の人を充ててください"
        )
        yield Problem("blind-alone", "roles", text)


def _joined(policy: Policy, wanted: Appointment) -> str:
    """Return the duties one person would join, or nothing if they go together."""
    names = [Role(name) for name in (*wanted.roles, *wanted.others) if name in policy.roles]
    union = frozenset[Duty]().union(*(duties_of(policy.roles[name]) for name in names))
    return "と".join(sorted(union)) if len(union) > 1 else ""


def _is_for_people(policy: Policy, name: str) -> bool:
    role = policy.roles[Role(name)]
    # What anybody may do who sits at a terminal is no role that somebody is given.
    return any(kind.is_staffed for kind in role.terminals) and name != AT_A_TERMINAL


def _listed(names: Sequence[str]) -> str:
    return "、".join(names)
