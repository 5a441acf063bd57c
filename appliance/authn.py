"""From what TLS proved and what the session says to an ``Actor``; the only place that makes one."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from appliance.errors import Malformed, Unidentified, Unregistered
from appliance.model import (
    AT_A_TERMINAL,
    JST,
    SYSTEM,
    Actor,
    Company,
    Envelope,
    Operator,
    Peer,
    PurposeCode,
    Role,
    Terminal,
    TerminalKind,
)
from appliance.roster import Roster
from appliance.sessions import Session, Sessions
from appliance.staff import OperatorRecord, PersonRecord
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
    session = sessions.use(envelope.bearer, terminal.fingerprint, now, attended=envelope.attended)
    today = now.astimezone(JST).date()
    person = roster.person(session.person_id)
    authority = authority_of(roster, person, session.operator_id, today)
    if person is None or authority is None:
        sessions.close(session.digest)
        raise Unidentified("log in first; a session ends when it is not used")
    return Actor(
        terminal=terminal,
        operator=_operator(person, authority),
        roles=frozenset({AT_A_TERMINAL, *map(Role, authority.roles)}),
        purposes=frozenset(map(PurposeCode, authority.purposes)),
        session=session.digest,
        proved=session.proved,
        company=tuple(_company(roster, sessions.beside(session, now), today)),
    )


def _company(roster: Roster, others: Iterable[Session], today: date) -> Iterator[Company]:
    """Yield whoever of these sessions may work."""
    for other in others:
        person = roster.person(other.person_id)
        authority = authority_of(roster, person, other.operator_id, today)
        if person is not None and authority is not None:
            roles = frozenset(map(Role, authority.roles))
            yield Company(operator=_operator(person, authority), roles=roles)


def _operator(person: PersonRecord, authority: OperatorRecord) -> Operator:
    return Operator(
        person_id=person.person_id, operator_id=authority.operator_id, office=authority.office
    )


def authority_of(
    roster: Roster, person: PersonRecord | None, operator_id: str, today: date
) -> OperatorRecord | None:
    """Return the authority if this person may work under it on this day, or None."""
    authority = roster.operator(operator_id)
    if person is None or authority is None or person.person_id not in authority.holders:
        return None
    return authority if person.may_work(today) and authority.may_work(today) else None


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
