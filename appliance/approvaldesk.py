"""``approval/…``: asking for another person's agreement, and giving it (R127, R128).

The appliance's own, offered through the same door as a plugin's. What is agreed to, and how it is
used, stands in ``approvals.py``.

Who may agree is written in ``roles.toml``: ``approves`` of a role names the operations, and nobody
else may. Without ``every_office = true`` he agrees for his own 所属 alone: to what was asked for
from there, or is about it. He sees what he agrees to: the arguments that the ledger keeps, those
the operation ``shows`` besides, and by name those that he is not shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Annotated, Any

import pluggy
from msgspec import Meta

from appliance import authz, wire
from appliance.approvals import (
    VALID,
    WAITS,
    Approval,
    Book,
    Party,
    State,
    digest_of,
    party,
    takes_two,
)
from appliance.case import Case, Power
from appliance.errors import Conflict, Malformed, NotFound, NotPermitted
from appliance.jobs import Job, Nothing, Step
from appliance.model import OperationName, Operator
from appliance.operation import (
    About,
    Answer,
    AnyOperation,
    Arguments,
    Operation,
    not_shown,
    recorded,
    shown,
)
from appliance.policy import approves
from appliance.vocabulary import ShortText
from appliance.watch import Watch

hookimpl = pluggy.HookimplMarker("appliance")
USES: frozenset[Power] = frozenset({"roster"})
RECENT = timedelta(days=30)
"""How long it is listed; longer than it waits."""

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
    """What waits for the one who asks, and what he asked for himself, the newest first."""

    to_decide: tuple[Asked, ...]
    mine: tuple[Asked, ...]


class Shown(Answer, frozen=True, kw_only=True):
    """What exactly would be done."""

    approval: Asked
    summary: str
    arguments: dict[str, Any] | None
    """None after the end: they are kept no longer."""
    not_shown: tuple[str, ...]
    """Arguments that whoever decides does not see."""


class ApprovalDesk:
    """The operations; ``operations`` and ``hook`` are set once all plugins are let in."""

    def __init__(self) -> None:
        self.catalogue: Mapping[OperationName, tuple[str, AnyOperation]] = {}
        self.hook: pluggy.HookRelay = pluggy.HookRelay()

    @hookimpl
    def operations(self) -> Iterable[AnyOperation]:
        """Offer the operations."""
        return (
            Operation(
                name=OperationName("approval/request"),
                summary="Ask another person to agree to an operation that takes two.",
                asks=Ask,
                answers=Asked,
                handler=self.request,
                changes=True,
                purposed=False,
                uses=USES,
                records=("operation", "form", "reason"),
                drops=("arguments",),
            ),
            Operation(
                name=OperationName("approval/list"),
                summary="List what waits for your decision, and what you asked for.",
                asks=Nothing,
                answers=Listed,
                handler=self.list,
                purposed=False,
                uses=USES,
            ),
            Operation(
                name=OperationName("approval/show"),
                summary="Show what exactly would be done.",
                asks=OfNumber,
                answers=Shown,
                handler=self.show,
                purposed=False,
                uses=USES,
                records=("number",),
            ),
            Operation(
                name=OperationName("approval/give"),
                summary="Agree, for one time within a day.",
                asks=OfNumber,
                answers=Asked,
                handler=self.give,
                changes=True,
                purposed=False,
                uses=USES,
                records=("number",),
            ),
            Operation(
                name=OperationName("approval/refuse"),
                summary="Do not agree, and say why.",
                asks=Decide,
                answers=Asked,
                handler=self.refuse,
                changes=True,
                purposed=False,
                uses=USES,
                records=("number", "reason"),
            ),
            Operation(
                name=OperationName("approval/withdraw"),
                summary="Take back what you asked for, agreed to or not.",
                asks=OfNumber,
                answers=Asked,
                handler=self.withdraw,
                changes=True,
                purposed=False,
                uses=USES,
                records=("number",),
            ),
            Operation(
                name=OperationName("approval/expire"),
                summary="Forget the arguments of what nobody decided or used in time.",
                asks=Nothing,
                answers=Step,
                handler=self.expire,
                changes=True,
                purposed=False,
            ),
        )

    @hookimpl
    def jobs(self) -> Iterable[Job]:
        """Offer the job."""
        return (
            Job(
                name="approval/expire",
                summary="Forget the arguments of approvals whose time is over.",
                operation=OperationName("approval/expire"),
                every=timedelta(hours=1),
                due=_is_any_over,
            ),
        )

    def request(self, case: Case, asked: Ask) -> Asked:
        """Ask for another person's agreement.

        Raises:
            NotFound: there is no such operation.
            Malformed: it takes one person only, or its arguments are not understood.
            NotPermitted: whoever asks could not carry it out.
        """
        operation = self._operation(asked.operation)
        enough = Malformed("operation: one person is enough for this; do it without approval")
        if not operation.seconded:
            raise enough
        arguments = wire.parse(operation.asks, asked.arguments)
        if not takes_two(operation, case.roster, arguments):
            raise enough
        request = replace(case.request, operation=operation.name)
        authz.permit(case.policy, self.hook, case.actor, operation, request)
        approval = Book(case.papers).add(
            Approval(
                operation=operation.name,
                digest=digest_of(operation, request, arguments),
                purpose=request.purpose,
                reason=request.reason,
                form=asked.form,
                why=asked.reason,
                asked=party(_operator(case), request.now),
                until=request.now + WAITS,
            ),
            arguments,
        )
        case.note.result = f"approval {approval.number}: asked for"
        case.note.conditions = {"arguments": recorded(operation, arguments)}
        return _told(approval, case)

    def list(self, case: Case, _: Nothing) -> Listed:
        """List what waits and what was asked for."""
        now, me = case.request.now, _operator(case).person_id
        newest = Book(case.papers).newest_first()
        recent = [*takewhile(lambda each: now - each.asked.at <= RECENT, newest)]
        waiting = [each for each in recent if each.state_at(now) == "open"]
        return Listed(
            to_decide=tuple(_told(each, case) for each in waiting if self._decides(case, each)),
            mine=tuple(_told(each, case) for each in recent if each.asked.person == me),
        )

    def show(self, case: Case, asked: OfNumber) -> Shown:
        """Show one to whoever asked for it, decided it, or may decide it.

        Raises:
            NotFound: there is none, or it is nobody's business who is neither.
        """
        book = Book(case.papers)
        approval = book.get(asked.number)
        took_part = [each.person for each in (approval.asked, approval.decided) if each]
        if _operator(case).person_id not in took_part and not self._decides(case, approval):
            raise NotFound("there is no approval of this number")
        operation = self._operation(approval.operation)
        plain = book.arguments(asked.number)
        return Shown(
            approval=_told(approval, case),
            summary=operation.summary,
            arguments=plain and shown(operation, wire.parse(operation.asks, plain)),
            not_shown=not_shown(operation),
        )

    def give(self, case: Case, asked: OfNumber) -> Asked:
        """Agree.

        Raises:
            NotFound: there is none of this number.
            NotPermitted: to one's own, to what is about oneself, or outside one's role or office.
            Conflict: it was decided already, or its time is over.
        """
        return self._decide(case, asked.number, "given", until=case.request.now + VALID)

    def refuse(self, case: Case, asked: Decide) -> Asked:
        """Do not agree, and say why.

        Raises:
            NotFound, NotPermitted, Conflict: as ``give``.
        """
        return self._decide(case, asked.number, "refused", decided_why=asked.reason)

    def withdraw(self, case: Case, asked: OfNumber) -> Asked:
        """Take back what one asked for oneself, agreed to or not.

        Raises:
            NotFound: there is none of this number.
            NotPermitted: somebody else asked for it.
            Conflict: it came to its end already.
        """
        approval = Book(case.papers).get(asked.number)
        if approval.asked.person != _operator(case).person_id:
            raise NotPermitted("only whoever asked for it takes it back")
        _expect(approval, case.request.now, "open", "given")
        return self._amended(case, approval, "withdrawn")

    def expire(self, case: Case, _: Nothing) -> Step:
        """Forget the arguments of what is over."""
        book = Book(case.papers)
        over = [*book.over(case.request.now)]
        for approval in over:
            book.amend(approval, state="over")
        return Step(done=len(over))

    def _decide(self, case: Case, number: int, state: State, **changes: Any) -> Asked:
        approval = Book(case.papers).get(number)
        self._must_decide(case, approval)
        _expect(approval, case.request.now, "open")
        return self._amended(case, approval, state, **changes)

    def _amended(self, case: Case, approval: Approval, state: State, **changes: Any) -> Asked:
        now = case.request.now
        decided = party(_operator(case), now)
        amended = Book(case.papers).amend(approval, state=state, decided=decided, **changes)
        case.note.result = f"approval {approval.number}: {approval.operation} {state}"
        return _told(amended, case)

    def _decides(self, case: Case, approval: Approval) -> bool:
        try:
            self._must_decide(case, approval)
        except (NotPermitted, NotFound):
            return False
        return True

    def _must_decide(self, case: Case, approval: Approval) -> None:
        me = _operator(case)
        operation = self._operation(approval.operation)
        plain = Book(case.papers).arguments(approval.number)
        about = About()
        if plain is not None and operation.about is not None:
            about = operation.about(case.roster, wire.parse(operation.asks, plain))
        if me.person_id == approval.asked.person:
            raise NotPermitted("nobody agrees to what he asked for himself")
        if me.person_id in about.persons:
            raise NotPermitted("nobody agrees to what is about himself")
        rules = [
            rule
            for role in case.actor.roles
            if (rule := case.policy.roles.get(role)) is not None
            and case.actor.terminal.kind in rule.terminals
            and approves(rule, operation.name)
        ]
        if not rules:
            raise NotPermitted(f"no role of yours may agree to {operation.name} at this terminal")
        offices = {approval.asked.office, *about.offices}
        if me.office not in offices and not any(rule.every_office for rule in rules):
            raise NotPermitted("this is a matter of another office; its security officer agrees")

    def _operation(self, name: str) -> AnyOperation:
        try:
            return self.catalogue[OperationName(name)][1]
        except KeyError:
            raise NotFound("there is no such operation") from None


def _is_any_over(watch: Watch) -> bool:
    return any(True for _ in Book(watch.papers).over(watch.now))


def _operator(case: Case) -> Operator:
    if case.actor.operator is None:
        raise NotPermitted("this takes two persons: no machine can do it by itself")
    return case.actor.operator


def _expect(approval: Approval, now: datetime, *states: State) -> None:
    if (state := approval.state_at(now)) not in states:
        raise Conflict(f"this approval is {state}: nothing is to be decided any more")


def _told(approval: Approval, case: Case) -> Asked:
    operation, rules = OperationName(approval.operation), case.policy.roles.values()
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
        approvers=tuple(rule.label for rule in rules if approves(rule, operation)),
    )
