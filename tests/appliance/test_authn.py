from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from appliance import authn
from appliance.errors import Malformed, Unidentified
from appliance.model import Envelope, OperationName, Peer, RequestId, Role, TerminalKind
from appliance.roster import Roster
from appliance.sessions import Limits, Session, Sessions, draw
from appliance.staff import OperatorRecord, PersonRecord
from appliance.terminals import TerminalRecord
from appliance.testing import PREPARED, Bench

NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
PEER = Peer("ab" * 32, NOW - timedelta(days=1), NOW + timedelta(days=1))
TERMINAL = TerminalRecord(
    fingerprint=PEER.fingerprint,
    terminal_id="TERM-0001",
    kind=TerminalKind.REPRESENTATIVE,
    place="市町村課",
)
PERSON = PersonRecord(person_id="P-0001", office="県税事務所", expires_on=date(2026, 4, 1))
OPERATOR = OperatorRecord(
    operator_id="OP-0001",
    office="県税事務所",
    roles=("clerk",),
    purposes=("tax",),
    holders=("P-0001",),
    expires_on=date(2026, 5, 1),
)


class Desk:
    """A roster to write in, and sessions."""

    def __init__(self, bench: Bench) -> None:
        self._vault = bench.vault
        self.sessions = Sessions(Limits())
        self.write(lambda roster: roster.enrol_terminal(TERMINAL))
        self.write(lambda roster: roster.put_person(PERSON))
        self.write(lambda roster: roster.put_operator(OPERATOR))

    def write(self, work) -> None:
        def unit_of_work(unit) -> None:
            work(Roster(unit, unit))
            unit.enter(PREPARED)

        self._vault.write(unit_of_work)

    def known(self, peer: Peer = PEER, now: datetime = NOW):
        with self._vault.view() as view:
            return authn.known_terminal(Roster(view, None), peer, now)

    def identify(self, bearer: str | None, now: datetime = NOW, kind: TerminalKind | None = None):
        terminal = self.known()
        if kind is not None:
            terminal = replace(terminal, kind=kind, municipality_code="432024")
        envelope = Envelope(
            request_id=RequestId("request-1"),
            peer=PEER,
            operation=OperationName("search/find"),
            media_type="application/json",
            body=b"{}",
            bearer=bearer,
        )
        with self._vault.view() as view:
            roster = Roster(view, None)
            return authn.identify(roster, self.sessions, terminal, envelope, now)


def opened(
    sessions: Sessions, operator_id: str, fingerprint: str, now: datetime
) -> tuple[str, Session]:
    token, session = draw("P-0001", operator_id, fingerprint, now)
    sessions.begin(session)
    return token, session


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Bench.open(tmp_path, {}) as bench:
        yield Desk(bench)


def test_a_registered_certificate_is_a_terminal(desk: Desk) -> None:
    terminal = desk.known()
    assert (terminal.terminal_id, terminal.kind, terminal.place) == (
        "TERM-0001",
        TerminalKind.REPRESENTATIVE,
        "市町村課",
    )


def test_a_strange_certificate_is_nobody(desk: Desk) -> None:
    with pytest.raises(Unidentified, match="not registered"):
        desk.known(replace(PEER, fingerprint="cd" * 32))


def test_a_revoked_terminal_is_nobody(desk: Desk) -> None:
    desk.write(lambda roster: roster.revoke_terminal("TERM-0001", "紛失"))
    with pytest.raises(Unidentified, match="not registered"):
        desk.known()


@pytest.mark.parametrize("days", [-2, 2])
def test_a_certificate_counts_only_while_it_is_in_force(desk: Desk, days: int) -> None:
    with pytest.raises(Unidentified, match="not in force"):
        desk.known(now=NOW + timedelta(days=days))
    desk.known(now=PEER.not_before)
    desk.known(now=PEER.not_after)


def test_without_a_session_one_may_only_log_in(desk: Desk) -> None:
    actor = desk.identify(None)
    assert actor.roles == {authn.AT_A_TERMINAL}
    assert actor.operator is None
    assert actor.purposes == frozenset()


def test_a_session_tells_person_and_authority(desk: Desk) -> None:
    token, session = opened(desk.sessions, "OP-0001", PEER.fingerprint, NOW)
    actor = desk.identify(token)
    assert actor.operator is not None
    assert (actor.operator.person_id, actor.operator.operator_id) == ("P-0001", "OP-0001")
    assert actor.roles == {authn.AT_A_TERMINAL, Role("clerk")}
    assert actor.purposes == {"tax"}
    assert actor.session == session.digest
    assert token not in repr(actor)


def test_an_unknown_token_is_nobodys(desk: Desk) -> None:
    with pytest.raises(Unidentified, match="log in first"):
        desk.identify("guess")


@pytest.mark.requirement("R123")
@pytest.mark.parametrize(
    "shut_out",
    [
        lambda roster: roster.change_person("P-0001", suspended="退職"),
        lambda roster: roster.change_operator("OP-0001", suspended="廃止"),
        lambda roster: roster.change_operator("OP-0001", holders=()),
    ],
    ids=["person", "authority", "not-his-any-more"],
)
def test_who_is_shut_out_is_out_and_so_is_the_session(desk: Desk, shut_out) -> None:
    token, _ = opened(desk.sessions, "OP-0001", PEER.fingerprint, NOW)
    desk.write(shut_out)
    with pytest.raises(Unidentified, match="log in first"):
        desk.identify(token)
    desk.write(lambda roster: roster.put_person(PERSON))
    desk.write(lambda roster: roster.put_operator(OPERATOR))
    with pytest.raises(Unidentified, match="log in first"):
        desk.identify(token)


def test_an_operator_who_is_in_no_roster_is_out(desk: Desk) -> None:
    token, _ = opened(desk.sessions, "OP-0009", PEER.fingerprint, NOW)
    with pytest.raises(Unidentified, match="log in first"):
        desk.identify(token)


def test_an_appointment_ends_at_midnight_in_japan(desk: Desk) -> None:
    evening = datetime(2026, 4, 1, 14, 59, tzinfo=UTC)
    token, _ = opened(desk.sessions, "OP-0001", PEER.fingerprint, evening)
    assert desk.identify(token, evening).operator is not None
    with pytest.raises(Unidentified):
        desk.identify(token, evening + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("kind", "role"),
    [(TerminalKind.MUNICIPALITY, "municipality"), (TerminalKind.NATIONAL, "national")],
)
def test_a_server_acts_in_its_own_role(desk: Desk, kind: TerminalKind, role: str) -> None:
    actor = desk.identify(None, kind=kind)
    assert actor.roles == {Role(role)}
    assert actor.operator is None
    assert actor.terminal.municipality_code == "432024"


def test_a_server_has_no_session(desk: Desk) -> None:
    token, _ = opened(desk.sessions, "OP-0001", PEER.fingerprint, NOW)
    with pytest.raises(Malformed, match="no session"):
        desk.identify(token, kind=TerminalKind.MUNICIPALITY)


def test_nobody_outside_acts_as_the_appliance(desk: Desk) -> None:
    with pytest.raises(Unidentified, match="appliance itself"):
        desk.identify(None, kind=TerminalKind.SERVICE)
    assert authn.SERVICE.roles == {Role("service")}
