"""From what TLS proved and what the session says to an ``Actor``; the only place that makes one."""

from datetime import datetime

from appliance.errors import Malformed, Unidentified, Unregistered
from appliance.model import (
    AT_A_TERMINAL,
    JST,
    SYSTEM,
    Actor,
    Envelope,
    Operator,
    Peer,
    PurposeCode,
    Role,
    Terminal,
    TerminalKind,
)
from appliance.roster import Roster
from appliance.sessions import Sessions
from appliance.terminals import TerminalRecord

MACHINE_ROLES = {
    TerminalKind.MUNICIPALITY: Role("municipality"),
    TerminalKind.NATIONAL: Role("national"),
}

SERVICE = Actor(
    terminal=Terminal(terminal_id=SYSTEM, kind=TerminalKind.SERVICE, fingerprint=""),
    operator=None,
    roles=frozenset({Role("service")}),
)
"""The appliance itself, for what it does without being asked (R34)."""


def known_terminal(roster: Roster, peer: Peer, now: datetime) -> Terminal:
    """Return the registered machine behind a certificate.

    Raises:
        Unregistered: the certificate is over, not registered, revoked, or was renewed long ago.
    """
    if not peer.is_in_force(now):
        raise Unregistered("the certificate of this terminal is not in force")
    record = roster.terminal(peer.fingerprint)
    if record is None or not record.is_live(now):
        raise Unregistered("the certificate of this terminal is not registered")
    return _terminal(record)


def identify(
    roster: Roster, sessions: Sessions, terminal: Terminal, envelope: Envelope, now: datetime
) -> Actor:
    """Return who is asking at a known terminal.

    Raises:
        Unidentified: the session is unknown, over or another terminal's, or its operator may not
            act any more; or the certificate is registered for what only the appliance itself does.
        Malformed: a machine that has no operators sent a session.
    """
    if not terminal.kind.is_staffed:
        return _machine(terminal, envelope)
    if envelope.bearer is None:
        return Actor(terminal=terminal, operator=None, roles=frozenset({AT_A_TERMINAL}))
    session = sessions.use(envelope.bearer, terminal.fingerprint, now)
    record = roster.operator(session.operator_id)
    if record is None or not record.may_work(now.astimezone(JST).date()):
        sessions.close(session.digest)
        raise Unidentified("log in first; a session ends when it is not used")
    return Actor(
        terminal=terminal,
        operator=Operator(
            person_id=record.person_id, operator_id=record.operator_id, office=record.office
        ),
        roles=frozenset({AT_A_TERMINAL, *map(Role, record.roles)}),
        purposes=frozenset(map(PurposeCode, record.purposes)),
        session=session.digest,
    )


def _machine(terminal: Terminal, envelope: Envelope) -> Actor:
    role = MACHINE_ROLES.get(terminal.kind)
    if role is None:
        raise Unidentified("nobody outside may act as the appliance itself")
    if envelope.bearer is not None:
        raise Malformed("a server's request carries no session")
    return Actor(terminal=terminal, operator=None, roles=frozenset({role}))


def _terminal(record: TerminalRecord) -> Terminal:
    return Terminal(
        terminal_id=record.terminal_id,
        kind=record.kind,
        fingerprint=record.fingerprint,
        place=record.place,
        municipality_code=record.municipality_code,
        office=record.office,
        own_office_only=record.own_office_only,
        operations=record.operations,
        hours=record.hours,
    )
