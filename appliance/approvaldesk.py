"""``approval/…``: asking for another person's agreement, and giving it (R127, R128).

The appliance's own, offered through the same door as a plugin's. What is agreed to, and how it is
used, stands in ``approvals.py``.

Who may agree stands in ``approvers.py``. He sees what he agrees to: the arguments that the ledger
keeps, those the operation ``shows`` besides, and by name those that he is not shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

import pluggy

from appliance import authz, wire
from appliance.approvalforms import (
    Ask,
    Asked,
    Decide,
    Listed,
    OfNumber,
    Shown,
    told,
    words,
)
from appliance.approvals import (
    VALID,
    WAITS,
    Approval,
    Book,
    State,
    digest_of,
    party,
    takes_two,
)
from appliance.approvers import must_decide, operator_of
from appliance.case import Case, Power
from appliance.errors import Conflict, Malformed, NotFound, NotPermitted
from appliance.jobs import Job, Nothing, Step
from appliance.model import OperationName
from appliance.operation import (
    AnyOperation,
    Operation,
    not_shown,
    recorded,
    shown,
)
from appliance.watch import Watch

hookimpl = pluggy.HookimplMarker("appliance")
USES: frozenset[Power] = frozenset({"roster"})
RECENT = timedelta(days=30)
"""How long it is listed; longer than it waits."""


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
                summary="List what waits for your decision, what you asked for and decided.",
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
                asked=party(operator_of(case), request.now),
                until=request.now + WAITS,
            ),
            arguments,
        )
        case.note.result = f"approval {approval.number}: asked for"
        case.note.conditions = {"arguments": recorded(operation, arguments)}
        return told(approval, case)

    def list(self, case: Case, _: Nothing) -> Listed:
        """List what waits, what was asked for and what was decided."""
        now, me = case.request.now, operator_of(case).person_id
        newest = Book(case.papers).newest_first()
        recent = [*takewhile(lambda each: now - each.asked.at <= RECENT, newest)]
        waiting = [each for each in recent if each.state_at(now) == "open"]
        return Listed(
            to_decide=tuple(told(each, case) for each in waiting if self._decides(case, each)),
            mine=tuple(told(each, case) for each in recent if each.asked.person == me),
            decided=tuple(
                told(each, case)
                for each in recent
                if each.decided and each.decided.person == me != each.asked.person
            ),
        )

    def show(self, case: Case, asked: OfNumber) -> Shown:
        """Show one to whoever asked for it, decided it, or may decide it.

        Raises:
            NotFound: there is none, or it is nobody's business who is neither.
        """
        book = Book(case.papers)
        approval = book.get(asked.number)
        took_part = [each.person for each in (approval.asked, approval.decided) if each]
        if operator_of(case).person_id not in took_part and not self._decides(case, approval):
            raise NotFound("there is no approval of this number")
        operation = self._operation(approval.operation)
        plain = book.arguments(asked.number)
        arguments = plain and shown(operation, wire.parse(operation.asks, plain))
        return Shown(
            approval=told(approval, case),
            summary=operation.summary,
            arguments=arguments,
            not_shown=not_shown(operation),
            words=words(case.policy, arguments, approval),
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
        if approval.asked.person != operator_of(case).person_id:
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
        must_decide(case, approval, self._operation(approval.operation))
        _expect(approval, case.request.now, "open")
        return self._amended(case, approval, state, **changes)

    def _amended(self, case: Case, approval: Approval, state: State, **changes: Any) -> Asked:
        now = case.request.now
        decided = party(operator_of(case), now)
        amended = Book(case.papers).amend(approval, state=state, decided=decided, **changes)
        case.note.result = f"approval {approval.number}: {approval.operation} {state}"
        return told(amended, case)

    def _decides(self, case: Case, approval: Approval) -> bool:
        try:
            must_decide(case, approval, self._operation(approval.operation))
        except (NotPermitted, NotFound):
            return False
        return True

    def _operation(self, name: str) -> AnyOperation:
        try:
            return self.catalogue[OperationName(name)][1]
        except KeyError:
            raise NotFound("there is no such operation") from None


def _is_any_over(watch: Watch) -> bool:
    return any(True for _ in Book(watch.papers).over(watch.now))


def _expect(approval: Approval, now: datetime, *states: State) -> None:
    if (state := approval.state_at(now)) not in states:
        raise Conflict(f"this approval is {state}: nothing is to be decided any more")
