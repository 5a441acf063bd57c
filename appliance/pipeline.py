"""The straight line: from an envelope to an audited answer. There is no other way in.

``Pipeline.answer`` is the function to read first. HTTP, jobs, the command line and tests all call
it. Whatever happens on the line, a ledger entry is on disk before anybody hears of it.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from appliance import authn, authz, wire
from appliance.approvals import Second, demanded
from appliance.audit import Account
from appliance.blindfold import blindfolded
from appliance.case import Case
from appliance.casework import Task, opened
from appliance.errors import (
    AtTheEdge,
    Damaged,
    Failed,
    Malformed,
    Refusal,
    Unavailable,
    UnknownOperation,
    Unregistered,
)
from appliance.model import (
    Actor,
    Envelope,
    OperationName,
    Peer,
    PurposeCode,
    Reply,
    Request,
    RequestId,
    Terminal,
)
from appliance.operation import Answer, AnyOperation, Arguments, recorded
from appliance.parts import Parts
from appliance.repeats import Repeats
from appliance.roster import Roster
from appliance.seating import Seated, seated
from appliance.traces import Note, Touched
from storage.engine import Engine, Unit, View
from storage.errors import (
    DeadlineExceeded,
    DiskFull,
    LedgerBroken,
    OutcomeUnknown,
    StorageError,
    Tampered,
)

log = logging.getLogger(__name__)


class Beside(Protocol):
    """What is written in the unit of a request that the appliance makes itself."""

    def answered(self, unit: Unit, data: Mapping[str, Any]) -> None:
        """Write what follows from the answer."""

    def refused(self, unit: Unit, refusal: Refusal) -> None:
        """Write what follows from the refusal."""


class Pipeline:
    """Answers requests, one at a time in each thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._engine = parts.engine
        self._repeats = Repeats()

    def answer(self, envelope: Envelope) -> Reply:
        """Return the answer to a request, once its ledger entry is on disk.

        Raises:
            Refusal: the answer is no; that is in the ledger too, from the known certificate on.
            OutcomeUnknown: the disk failed during the commit; the process must stop.
        """
        now = self._parts.clock()
        return self._recorded(self._account(envelope), lambda run: self._line(run, envelope, now))

    def seated(self, peer: Peer, bearer: str, *, attended: bool) -> Seated:
        """Return who is logged in, for the header and the menu of a page (``seating.py``).

        Raises:
            Unidentified: nobody.
        """
        return seated(self._parts, peer, bearer, attended=attended)

    def refuse(self, envelope: Envelope, refusal: AtTheEdge) -> None:
        """Enter in the ledger what was refused before the line, if a registered machine sent it.

        Raises:
            Unregistered: the certificate is not one of ours; it is noted, not entered.
            Unavailable: it could not be entered.
            OutcomeUnknown: as ``answer``.
        """

        def line(run: "_Run") -> Reply:
            with self._engine.view() as view:
                self._terminal(run, Roster(view, None), envelope.peer, self._parts.clock())
            raise refusal

        with suppress(AtTheEdge):
            self._recorded(self._account(envelope), line)

    def serve(
        self,
        operation: OperationName,
        arguments: Arguments,
        request_id: str,
        beside: Beside | None = None,
    ) -> Reply:
        """Carry out an operation for the appliance itself, down the same line (R34).

        Raises:
            Refusal, OutcomeUnknown: as ``answer``.
        """
        envelope = _service_envelope(operation, arguments, request_id)
        account = self._account(envelope)
        now = self._parts.clock()

        def line(run: "_Run") -> Reply:
            run.beside = beside
            account.terminal = authn.SERVICE.terminal
            account.actor = authn.SERVICE
            return self._carry_out(run, envelope, authn.SERVICE, now)

        return self._recorded(account, line)

    def _line(self, run: "_Run", envelope: Envelope, now: datetime) -> Reply:
        roster = Roster(run.look(self._engine), None)
        terminal = self._terminal(run, roster, envelope.peer, now)
        run.account.actor = actor = authn.identify(
            roster, self._parts.sessions, terminal, envelope, now
        )
        return self._carry_out(run, envelope, actor, now)

    def _terminal(self, run: "_Run", roster: Roster, peer: Peer, now: datetime) -> Terminal:
        try:
            run.account.terminal = terminal = authn.known_terminal(roster, peer, now)
        except Unregistered as stranger:
            self._parts.turned_away(peer.fingerprint, stranger.text)
            raise
        return terminal

    def _carry_out(self, run: "_Run", envelope: Envelope, actor: Actor, now: datetime) -> Reply:
        owner, operation = self._operation(envelope)
        run.account.changes = operation.changes
        if operation.changes and envelope.idempotency_key is None:
            raise Malformed("send an Idempotency-Key: this operation changes data")
        request = _request(envelope, now)
        grant = authz.permit(self._parts.policy, self._parts.hook, actor, operation, request)
        run.blind = grant.blind
        run.account.attended_by = grant.attended_by
        arguments = wire.parse(operation.asks, wire.decode(envelope.media_type, envelope.body))
        run.account.conditions = recorded(operation, arguments)
        second = self._demanded(operation, envelope.approval, actor, request, arguments)
        task = Task(owner, operation, actor, request, grant, arguments, envelope, second)
        return self._change(run, task) if operation.changes else self._look(run, task)

    def _demanded(
        self,
        operation: AnyOperation,
        number: int | None,
        actor: Actor,
        request: Request,
        arguments: Arguments,
    ) -> Second | None:
        if not operation.seconded and number is None:
            return None
        with self._engine.view() as view:
            roster, policy = Roster(view, None), self._parts.policy
            return demanded(policy, operation, number, actor, request, arguments, roster)

    def _look(self, run: "_Run", task: Task) -> Reply:
        """Handle in a view; only the ledger entry goes through the writer."""
        view = run.look(self._engine)
        task.must_be_agreed(view)
        case = run.case = opened(self._parts, task, view, None)
        data = _plain(task.operation.handler(case, task.arguments))
        run.look_away()

        def work(unit: Unit) -> int:
            run.use(task.second, unit)
            return run.enter(unit, case)

        return Reply(task.request.id, self._engine.write(work), data)

    def _change(self, run: "_Run", task: Task) -> Reply:
        """Handle in a unit of work; the change and its ledger entry are one commit."""
        run.look_away()
        before = self._prepared(run, task)

        def work(unit: Unit) -> Reply:
            if (known := self._repeats.recall(unit, task.repeat, task.request.now)) is not None:
                case = run.case = opened(self._parts, task, unit, unit)
                case.note.result = "repeated"
                case.registry.shown_again(known.persons, known.items)
                return Reply(task.request.id, run.enter(unit, case), known.answer)
            run.use(task.second, unit)
            case = run.case = opened(self._parts, task, unit, unit)
            if before is not None:
                case.prepared = before.prepared
                case.note = before.note
                case.together = before.together
                case.registry.touched.join(before.registry.touched)
            data = _plain(task.operation.handler(case, task.arguments))
            if run.beside is not None:
                run.beside.answered(unit, data)
            receipt = run.enter(unit, case)
            kept = None if task.operation.once else data
            touched = case.registry.touched
            self._repeats.remember(unit, task.repeat, kept, receipt, task.request.now, touched)
            return Reply(task.request.id, receipt, data)

        return self._engine.write(work)

    def _prepared(self, run: "_Run", task: Task) -> Case | None:
        """Do what takes long and changes nothing, without the writer; None if there is nothing."""
        if task.operation.prepare is None:
            return None
        with self._engine.view() as view:
            if self._repeats.recall(view, task.repeat, task.request.now) is not None:
                return None
            task.must_be_agreed(view)
            case = run.case = opened(self._parts, task, view, None)
            case.prepared = task.operation.prepare(case, task.arguments)
            return case

    def _recorded(self, account: Account, line: "Callable[[_Run], Reply]") -> Reply:
        """Walk the line; enter a refusal in the ledger before it is raised further."""
        run = _Run(account)
        try:
            with run.views:
                return line(run)
        except OutcomeUnknown:
            raise  # nothing true can be said to the caller or to the ledger
        except Unregistered:
            raise  # nobody who is not registered may fill the ledger
        except Refusal as refusal:
            self._enter_refusal(run, refusal, ours=False)
            raise
        except (DeadlineExceeded, DiskFull) as problem:
            busy = Unavailable(f"not carried out, nothing changed: {type(problem).__name__}")
            self._enter_refusal(run, busy, ours=True)
            raise busy from problem
        except (Tampered, LedgerBroken) as damage:
            log.critical("stored data does not open where it lies", exc_info=damage)
            damaged = Damaged("stored data is damaged; nothing of it is answered")
            self._enter_refusal(run, damaged, ours=True)
            raise damaged from damage
        except Exception as bug:
            log.exception("a request failed", extra={"request_id": account.request_id})
            failed = Failed("a fault of the appliance; nothing changed")
            self._enter_refusal(run, failed, ours=True)
            raise failed from bug

    def _enter_refusal(self, run: "_Run", refusal: Refusal, *, ours: bool) -> None:
        try:
            self._engine.write(lambda unit: run.enter_refusal(unit, refusal, ours=ours))
        except OutcomeUnknown:
            raise
        except StorageError as problem:
            log.critical("a refusal could not be entered in the ledger", exc_info=problem)
            raise Unavailable("the ledger takes no entry now; nothing is answered") from problem

    def _operation(self, envelope: Envelope) -> tuple[str, AnyOperation]:
        try:
            return self._parts.operations[envelope.operation]
        except KeyError:
            raise UnknownOperation("there is no such operation") from None

    def _account(self, envelope: Envelope) -> Account:
        return Account(
            request_id=envelope.request_id,
            operation=envelope.operation,
            policy=self._parts.policy.digest[:8],
            purpose=envelope.purpose,
            reason=envelope.reason,
            case_number=envelope.case_number,
            approval=envelope.approval,
        )


@dataclass(slots=True)
class _Run:
    """One request on the line: its account, and its case once there is one."""

    account: Account
    case: Case | None = None
    beside: Beside | None = None
    views: ExitStack = field(default_factory=ExitStack)
    view: View | None = None
    """Open from the first look to the last: who asks and what is answered are of one moment."""
    blind: bool = False
    """What a handler leaves to be done with the entry sees no more than the handler did."""

    def look(self, engine: Engine) -> View:
        """Return the view of this request, opened now if this is the first look."""
        if self.view is None:
            self.view = self.views.enter_context(engine.view())
        return self.view

    def look_away(self) -> None:
        """Close the view: nothing is held open while the writer is waited for."""
        self.views.close()
        self.view = None

    def use(self, second: Second | None, unit: Unit) -> None:
        """Use the approval up in the unit of the entry, which names who agreed."""
        if second is not None:
            self.account.approved_by = second.use(unit)

    def enter(self, unit: Unit, case: Case) -> int:
        """Do what belongs together with the entry, then make the entry; return its index."""
        for effect in case.together:
            effect(self._seen(unit))
        first, *more = self.account.carried_out(case.registry.touched, case.note)
        receipt = unit.enter(first)
        for entry in more:
            unit.enter(entry)
        return receipt

    def enter_refusal(self, unit: Unit, refusal: Refusal, *, ours: bool) -> None:
        case = self.case
        for effect in case.if_refused if case else ():
            effect(self._seen(unit))
        if self.beside is not None:
            self.beside.refused(unit, refusal)
        touched, note = (case.registry.touched, case.note) if case else (Touched(), Note())
        touched.undo(0)
        for entry in self.account.refused(refusal, touched, note, ours=ours):
            unit.enter(entry)

    def _seen(self, unit: Unit) -> Unit:
        return blindfolded(unit) if self.blind else unit


def _request(envelope: Envelope, now: datetime) -> Request:
    return Request(
        id=envelope.request_id,
        operation=envelope.operation,
        now=now,
        purpose=None if envelope.purpose is None else PurposeCode(envelope.purpose),
        reason=envelope.reason,
        case_number=envelope.case_number,
    )


def _service_envelope(operation: OperationName, arguments: Arguments, request_id: str) -> Envelope:
    return Envelope(
        request_id=RequestId(request_id),
        peer=Peer("", datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
        operation=operation,
        media_type=wire.JSON,
        body=wire.encode(wire.JSON, arguments),
        idempotency_key=request_id,
    )


def _plain(answered: Answer) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(answered, builtin_types=(bytes,))
    return data
