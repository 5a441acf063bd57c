"""Who sits at a terminal, and what he may ask there: what a page says in its header and menu.

It tells nothing of any resident and permits nothing: every question goes down the line
(``pipeline.py``), which decides anew.
"""

from collections.abc import Mapping
from datetime import datetime

from appliance import authn, authz
from appliance.errors import Unidentified, Unregistered
from appliance.model import (
    AT_A_TERMINAL,
    Actor,
    Envelope,
    Grant,
    OperationName,
    Peer,
    PurposeCode,
    Request,
    RequestId,
)
from appliance.operation import AnyOperation
from appliance.parts import Parts
from appliance.policy import Policy
from appliance.roster import Roster
from appliance.screen import Ground, Who


class Seated:
    """Somebody who is logged in."""

    def __init__(self, who: Who, actor: Actor, parts: Parts, now: datetime) -> None:
        self.who = who
        self._actor = actor
        self._policy: Policy = parts.policy
        self._operations: Mapping[OperationName, tuple[str, AnyOperation]] = parts.operations
        self._now = now

    def may(self, operation: str) -> bool:
        """Return whether his roles reach this here and now, under some 事務 if it needs one."""
        return self._outlook(operation) is not None

    def grounds(self, operation: str) -> tuple[Ground, ...]:
        """Return under which 事務 he may ask this, and how far it then reaches."""
        found = self._outlook(operation) or {}
        rules = self._policy.purposes
        return tuple(
            Ground(purpose=code, label=rules[code].label, reasons=rules[code].reasons, grant=grant)
            for code, grant in found.items()
        )

    def _outlook(self, operation: str) -> Mapping[PurposeCode, Grant] | None:
        name = OperationName(operation)
        if name not in self._operations:
            return None
        request = Request(id=RequestId(""), operation=name, now=self._now)
        return authz.outlook(self._policy, self._actor, self._operations[name][1], request)


def seated(parts: Parts, peer: Peer, bearer: str, *, attended: bool) -> Seated:
    """Return who is logged in with this session at this terminal.

    ``attended`` counts as use of the session: somebody looks at a page.

    Raises:
        Unidentified: nobody; the session is over or another terminal's.
    """
    now = parts.clock()
    envelope = Envelope(
        request_id=RequestId(""),
        peer=peer,
        operation=OperationName(""),
        media_type="",
        body=b"",
        bearer=bearer,
        attended=attended,
    )
    with parts.engine.view() as view:
        roster = Roster(view, None)
        try:
            terminal = authn.known_terminal(roster, peer, now)
        except Unregistered as stranger:
            parts.turned_away(peer.fingerprint, stranger.text)
            raise
        actor = authn.identify(roster, parts.sessions, terminal, envelope, now)
        if actor.operator is None:
            raise Unidentified("log in first (session/open)")
        person = roster.person(actor.operator.person_id)
    operator, roles = actor.operator, parts.policy.roles
    session = parts.sessions.use(bearer, terminal.fingerprint, now, attended=False)
    who = Who(
        prefecture=parts.policy.office.prefecture,
        terminal_id=terminal.terminal_id,
        place=terminal.place,
        person_id=operator.person_id,
        operator_id=operator.operator_id,
        name=person.name if person else "",
        office=operator.office,
        roles=tuple(
            roles[role].label
            for role in sorted(actor.roles)
            if role in roles and role != AT_A_TERMINAL
        ),
        session=actor.session,
        ends=parts.sessions.until(session),
        idle=parts.sessions.idle,
        now=now,
    )
    return Seated(who, actor, parts, now)
