"""What the handler of a permitted request is given: its case, made anew for each request."""

from dataclasses import dataclass
from datetime import date

from appliance import authz
from appliance.approvals import Second
from appliance.blindfold import blindfolded
from appliance.case import Case, Powers
from appliance.keycare import Keys
from appliance.ledger_reader import LedgerReader
from appliance.marks import Marks
from appliance.model import Actor, Behalf, Envelope, Grant, Request
from appliance.national import Abroad
from appliance.operation import AnyOperation, Arguments
from appliance.outgoing import Outgoing
from appliance.papers import Papers
from appliance.parts import Parts
from appliance.policy import Policy
from appliance.protection import Guard, Protections
from appliance.recount import Recount, moved
from appliance.registry import Registry
from appliance.repeats import Repeat
from appliance.roster import Roster
from storage.engine import Unit, View

_NO_POWERS = Powers()


@dataclass(frozen=True, slots=True)
class Task:
    """A request that may be carried out."""

    owner: str
    operation: AnyOperation
    actor: Actor
    request: Request
    grant: Grant
    arguments: Arguments
    envelope: Envelope
    second: Second | None

    def must_be_agreed(self, view: View) -> None:
        """Refuse what takes a second person who has not agreed, before anything is done."""
        if self.second is not None:
            self.second.agreed(view)

    @property
    def repeat(self) -> Repeat:
        """What an answer given before is remembered by."""
        operator = self.actor.operator
        # Several people may hold one authority, and sit at one terminal one after another.
        who = f"{operator.person_id}/{operator.operator_id}" if operator else ""
        name = f"{who}/{self.operation.name}/{self.envelope.idempotency_key}"
        return Repeat(self.actor.terminal.fingerprint, name, self.envelope.body)


def opened(parts: Parts, task: Task, view: View, unit: Unit | None) -> Case:
    """Return the case of a request: all that its handler can reach, and nothing else.

    Without a unit it can only look. A blind role's case sees no resident's data (R130).
    """
    hook, uses = parts.hook, task.operation.uses
    today = task.request.today
    if task.grant.blind:
        view, unit = blindfolded(view), unit and blindfolded(unit)
    registry = Registry(
        view,
        unit,
        parts.tools,
        task.grant,
        lambda: authz.withheld(hook, task.actor, task.request),
        lambda change: [m for told in hook.messages(change=change) for m in told],
        lambda change: moved(hook, change, today),
        Guard(
            Protections(view, None),
            task.request.now,
            task.actor.session,
            watches=task.actor.operator is not None,
        ),
    )
    case = Case(
        actor=task.actor,
        request=task.request,
        grant=task.grant,
        policy=parts.policy,
        registry=registry,
        papers=Papers(view, unit, task.owner),
        refs=parts.refs,
        tallies=view.tallies,
        recount=Recount(view, hook, today, registry.touched),
        media=parts.media,
        is_ours=parts.is_ours,
        rights_of=lambda behalf: _rights_of(parts.policy, Roster(view, None), behalf, today),
        marks=Marks(
            view,
            parts.tools.marker,
            parts.tools.municipalities,
            task.actor.terminal.municipality_code,
        ),
        powers=_NO_POWERS
        if not uses
        else Powers(
            sessions=parts.sessions if "sessions" in uses else None,
            roster=Roster(view, unit) if "roster" in uses else None,
            ledger=LedgerReader(view, parts.witnessed()) if "ledger" in uses else None,
            outgoing=Outgoing(view, unit, registry) if "outgoing" in uses else None,
            protections=Protections(view, unit) if "protections" in uses else None,
            keys=Keys(view, unit) if "keys" in uses else None,
        ),
    )
    if parts.national is not None:
        line = parts.national
        case.national = Abroad(line, view, unit, registry, task.grant, task.request)
    return case


def _rights_of(policy: Policy, roster: Roster, behalf: Behalf, today: date) -> Grant:
    person = roster.person(behalf.person_id)
    authority = roster.operator(behalf.operator_id)
    return authz.on_behalf(policy, person, authority, behalf, today)
