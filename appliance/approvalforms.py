"""What the operations of approvals ask and answer (``approvaldesk.py``)."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from appliance.approvals import Approval, Party, State
from appliance.approvers import labels
from appliance.case import Case
from appliance.model import OperationName, PurposeCode
from appliance.operation import Answer, Arguments
from appliance.policy import Policy
from appliance.vocabulary import ShortText

Number = Annotated[int, Meta(ge=1, le=999_999_999, title="承認番号")]
Why = Annotated[ShortText, Meta(title="理由")]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9/-]{3,81}$",
        max_length=81,
        description="the name of an operation",
        title="承認を求める機能",
        examples=["roster/add-operator"],
    ),
]


class Ask(Arguments, frozen=True, kw_only=True):
    """What is to be done, with which arguments; X-Purpose and X-Reason as it will carry them."""

    operation: Name
    arguments: Annotated[dict[str, Any], Meta(title="内容")]
    form: Annotated[ShortText, Meta(title="申請書の番号")]
    """Number of the paper form, such as 照合ID付与申請書."""
    reason: Why


class OfNumber(Arguments, frozen=True, kw_only=True):
    """Which approval."""

    number: Number


class Decide(Arguments, frozen=True, kw_only=True):
    """Which approval, and why."""

    number: Number
    reason: Why


class Asked(Answer, frozen=True, kw_only=True):
    """What was asked for, and how it stands."""

    number: int
    operation: str
    state: State
    form: str
    why: str
    purpose: str | None
    reason: str | None
    asked: Party
    until: datetime
    """While open: for a decision; while given: to be used."""
    decided: Party | None
    decided_why: str
    used: Party | None
    approvers: tuple[str, ...]
    """Whose agreement counts, by role, in the staff's words."""


class Listed(Answer, frozen=True, kw_only=True):
    """What waits for the one who asks, what he asked for, and what he decided; newest first."""

    to_decide: tuple[Asked, ...]
    mine: tuple[Asked, ...]
    decided: tuple[Asked, ...]


class Shown(Answer, frozen=True, kw_only=True):
    """What exactly would be done."""

    approval: Asked
    summary: str
    arguments: dict[str, Any] | None
    """None after the end: they are kept no longer."""
    not_shown: tuple[str, ...]
    """Arguments that whoever decides does not see."""
    words: dict[str, dict[str, str]]
    """What the staff calls the codes of ``roles``, ``purposes``, ``purpose`` and ``reason``."""


def told(approval: Approval, case: Case) -> Asked:
    """Return an approval as it is answered."""
    return Asked(
        number=approval.number,
        operation=approval.operation,
        state=approval.state_at(case.request.now),
        form=approval.form,
        why=approval.why,
        purpose=approval.purpose,
        reason=approval.reason,
        asked=approval.asked,
        until=approval.until,
        decided=approval.decided,
        decided_why=approval.decided_why,
        used=approval.used,
        approvers=labels(case.policy, OperationName(approval.operation)),
    )


def words(
    policy: Policy, arguments: Mapping[str, Any] | None, approval: Approval
) -> dict[str, dict[str, str]]:
    """Return what the staff calls the roles, 事務 and 利用事由 that an approval names by code."""
    purpose = policy.purposes.get(PurposeCode(approval.purpose or ""))
    purposes = {str(code): rule.label for code, rule in policy.purposes.items()}
    meant: Mapping[str, Mapping[str, str]] = {
        "roles": {str(code): rule.label for code, rule in policy.roles.items()},
        "purposes": purposes,
        "purpose": purposes,
        "reason": purpose.reasons if purpose else {},
    }
    named = {*_texts(arguments), approval.purpose, approval.reason}
    return {
        name: {code: label for code, label in known.items() if code in named}
        for name, known in meant.items()
    }


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value.values()])
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
