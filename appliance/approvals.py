"""The two-person rule: what one person asks for and another agrees to is carried out once (R127).

::

    asked ──> open ──> given ──> used      the request itself, with X-Approval
                │        └─────> over      nobody carried it out in time (VALID)
                ├──> refused, withdrawn
                └──> over                  nobody decided in time (WAITS)

An approval holds for one operation with the same arguments, 事務 and 利用事由, to the last letter:
what is compared is ``digest_of`` them. Whoever agreed did not ask for it, does not carry it out,
and it is not about him, each by 照合ID, for a person may have several 操作者ID; and his role still
agrees to it when it is used. The pipeline looks before the handler runs, and uses the approval up
in the unit of the ledger entry, which names both persons. The arguments lie sealed until the end
and are dropped with it; that they were asked for, by whom and on which paper form, stays. How one
asks and agrees stands in ``approvaldesk.py``, who may agree in ``approvers.py``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

import cbor2
import msgspec

from appliance.authn import authority_of
from appliance.errors import Malformed, NeedsApproval, NotFound, NotPermitted
from appliance.model import Actor, Operator, Request, Role
from appliance.operation import Answer, AnyOperation, Arguments
from appliance.papers import Papers
from appliance.policy import Policy, approves
from appliance.registers import Register
from appliance.roster import Roster
from storage.engine import Unit, View

OWNER = "approval"
WAITS = timedelta(days=7)
"""How long what was asked for waits for a decision."""
VALID = timedelta(hours=24)
"""How long an agreement holds."""
BOOK, ARGUMENTS = "asked", "arguments"

State = Literal["open", "given", "refused", "withdrawn", "used", "over"]


class Party(Answer, frozen=True, kw_only=True):
    """Who took part, and when."""

    person: str
    operator: str
    office: str
    at: datetime


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the book of what was asked for."""

    number: int = 0
    operation: str
    digest: bytes
    purpose: str | None
    reason: str | None
    form: str
    """Number of the paper form (照合ID付与申請書 ...)."""
    why: str
    asked: Party
    until: datetime
    """While open: for a decision; while given: to be used."""
    state: State = "open"
    decided: Party | None = None
    """Who agreed, refused or withdrew."""
    decided_why: str = ""
    used: Party | None = None

    def state_at(self, now: datetime) -> State:
        """Return the state, ``over`` if its time is."""
        return "over" if self.is_live and now > self.until else self.state

    @property
    def is_live(self) -> bool:
        """True while it can still come to something, but for its time."""
        return self.state in ("open", "given")


class Book:
    """Every approval, by number from 1; what was asked for lies beside it while it lives."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers
        self._register = Register(papers, BOOK)

    @classmethod
    def within(cls, view: View, unit: Unit | None = None) -> "Book":
        """Return the book as a view or a unit of work sees it."""
        return cls(Papers(view, unit, OWNER))

    def add(self, approval: Approval, arguments: Arguments) -> Approval:
        """Enter what was asked for; return it with its number."""
        number = self._register.add(_kept(approval))
        self._papers.put(ARGUMENTS, _key(number), _plain(arguments))
        return msgspec.structs.replace(approval, number=number)

    def get(self, number: int) -> Approval:
        """Return an approval.

        Raises:
            NotFound: there is none of this number.
        """
        try:
            return _read(number, self._register.get(number))
        except NotFound:
            raise NotFound("there is no approval of this number") from None

    def newest_first(self) -> Iterator[Approval]:
        """Yield every approval, the newest first."""
        for number in range(self._register.last, 0, -1):
            yield self.get(number)

    def arguments(self, number: int) -> dict[str, Any] | None:
        """Return the arguments of what was asked for, as plain data; None after its end."""
        return self._papers.get(ARGUMENTS, _key(number))

    def amend(self, approval: Approval, **changes: Any) -> Approval:
        """Write another state of an approval; the arguments go with the last one."""
        changed = msgspec.structs.replace(approval, **changes)
        self._register.amend(approval.number, **_kept(changed))
        if not changed.is_live:
            self.forget(approval.number)
        return changed

    def forget(self, number: int) -> None:
        """Drop the arguments."""
        self._papers.drop(ARGUMENTS, _key(number))

    def over(self, now: datetime) -> Iterator[Approval]:
        """Yield those whose arguments are still kept, though their time is over."""
        for key, _ in self._papers.every(ARGUMENTS):
            approval = self.get(int(key))
            if approval.state_at(now) == "over":
                yield approval


@dataclass(frozen=True, slots=True)
class Second:
    """A request that is carried out only with another person's agreement."""

    number: int
    operator: Operator
    operation: AnyOperation
    request: Request
    arguments: Arguments
    policy: Policy

    def agreed(self, view: View) -> Approval:
        """Return the approval, once it is shown to be good for this request.

        Raises:
            NeedsApproval: it is not; says why.
        """
        try:
            approval = Book.within(view).get(self.number)
        except NotFound as problem:
            raise NeedsApproval(problem.text) from None
        asked_now = digest_of(self.operation, self.request, self.arguments)
        if approval.digest != asked_now:
            raise NeedsApproval(
                "this approval is for something else: operation, arguments, X-Purpose and X-Reason "
                "must be those that were agreed to"
            )
        state, decided = approval.state_at(self.request.now), approval.decided
        if state != "given" or decided is None:
            raise NeedsApproval(f"this approval is {state}, not given; it is good once")
        self._kept_apart(Roster(view, None), decided)
        return approval

    def use(self, unit: Unit) -> Operator:
        """Use the approval up; return who agreed.

        Raises:
            NeedsApproval: as ``agreed``.
        """
        approval = self.agreed(unit)
        used = party(self.operator, self.request.now)
        Book.within(unit, unit).amend(approval, state="used", used=used)
        by = approval.decided or approval.asked
        return Operator(person_id=by.person, operator_id=by.operator, office=by.office)

    def _kept_apart(self, roster: Roster, decided: Party) -> None:
        if decided.person == self.operator.person_id:
            raise NeedsApproval("whoever agreed cannot carry it out as well; another person must")
        if decided.person in persons_of(self.operation, roster, self.arguments):
            raise NeedsApproval("whoever agreed is the one whom it is about; another person must")
        person = roster.person(decided.person)
        authority = authority_of(roster, person, decided.operator, self.request.today)
        if authority is None:
            raise NeedsApproval("whoever agreed may not work any more; another person must")
        rules = (self.policy.roles.get(Role(name)) for name in authority.roles)
        if not any(rule is not None and approves(rule, self.operation.name) for rule in rules):
            raise NeedsApproval("whoever agreed has no role any more that may; another person must")


def takes_two(operation: AnyOperation, roster: Roster, arguments: Arguments) -> bool:
    """Return whether this request takes a second person."""
    if operation.alone is None:
        return operation.seconded
    return operation.seconded and not operation.alone(roster, arguments)


def demanded(
    policy: Policy,
    operation: AnyOperation,
    number: int | None,
    actor: Actor,
    request: Request,
    arguments: Arguments,
    roster: Roster,
) -> Second | None:
    """Return what a second person must have agreed to; None if one person is enough.

    Raises:
        Malformed: an approval is named where none is needed.
        NotPermitted: nobody is logged in who could ask a second person.
        NeedsApproval: one is needed and none is named.
    """
    if not takes_two(operation, roster, arguments):
        if number is not None:
            raise Malformed("X-Approval goes only with a request that takes a second person")
        return None
    if actor.operator is None:
        raise NotPermitted("this takes two persons: no machine can do it by itself")
    if number is None:
        raise NeedsApproval(
            "this takes a second person: ask for it with approval/request, and send the number as "
            "X-Approval once somebody else has agreed"
        )
    return Second(number, actor.operator, operation, request, arguments, policy)


def digest_of(operation: AnyOperation, request: Request, arguments: Arguments) -> bytes:
    """Return SHA-256 over what is agreed to: operation, 事務, 利用事由 and parsed arguments.

    Canonical CBOR; a default that is written out and one that is left out are the same.
    """
    agreed = [operation.name, request.purpose, request.reason, _plain(arguments)]
    return sha256(cbor2.dumps(agreed, canonical=True)).digest()


def persons_of(operation: AnyOperation, roster: Roster, arguments: Arguments) -> frozenset[str]:
    """Return the 照合ID of those whom a request is about."""
    return frozenset() if operation.about is None else operation.about(roster, arguments).persons


def party(operator: Operator, now: datetime) -> Party:
    """Return somebody as one who takes part now."""
    return Party(
        person=operator.person_id,
        operator=operator.operator_id,
        office=operator.office,
        at=now,
    )


def _key(number: int) -> str:
    return f"{number:012}"


def _plain(arguments: Arguments) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(arguments, builtin_types=(bytes,))
    return plain


def _kept(approval: Approval) -> dict[str, Any]:
    kept: dict[str, Any] = msgspec.to_builtins(approval, builtin_types=(bytes,))
    del kept["number"]
    return kept


def _read(number: int, entry: dict[str, Any]) -> Approval:
    return msgspec.convert({**entry, "number": number}, Approval)
