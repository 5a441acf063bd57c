from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, Failed, NotFound
from appliance.model import TerminalKind
from appliance.proofs import Credential, Proofs
from appliance.roster import ENROLMENTS, Roster, enrolment_key, proofs_in
from appliance.staff import Device, OperatorRecord, PersonRecord, PinGrant
from appliance.terminals import TerminalRecord
from appliance.testing import PREPARED, Bench
from storage.engine import Unit

UNTIL = datetime(2026, 4, 2, tzinfo=UTC)
OPERATOR = OperatorRecord(
    operator_id="OP-0001",
    office="県税事務所",
    roles=("clerk", "auditor"),
    purposes=("tax",),
    holders=("P-0001", "P-0002"),
    expires_on=date(2027, 3, 31),
    form="照合付-2026-1",
)
PERSON = PersonRecord(
    person_id="P-0001",
    name="県税　花子",
    office="県税事務所",
    expires_on=date(2027, 3, 31),
    devices=(Device(device_id="0" * 16, label="1号", aaguid="", enrolled_at=UNTIL),),
    pin=PinGrant(reason="負傷", until=date(2026, 4, 30)),
)


def terminal(number: int, certificate: int | None = None) -> TerminalRecord:
    return TerminalRecord(
        fingerprint=f"{number if certificate is None else certificate:064x}",
        terminal_id=f"TERM-{number:04}",
        kind=TerminalKind.BUSINESS,
    )


class Office:
    def __init__(self, bench: Bench) -> None:
        self.vault = bench.vault

    def write(self, work: Callable[[Roster], Any]) -> Any:
        def unit_of_work(unit: Unit) -> Any:
            unit.enter(PREPARED)
            return work(Roster(unit, unit))

        return self.vault.write(unit_of_work)

    def read(self, work: Callable[[Roster], Any]) -> Any:
        with self.vault.view() as view:
            return work(Roster(view, None))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Bench.open(tmp_path, {}) as bench:
        yield Office(bench)


def test_an_operator_is_read_as_written(office: Office) -> None:
    office.write(lambda roster: roster.put_operator(OPERATOR))
    assert office.read(lambda roster: roster.operator("OP-0001")) == OPERATOR
    assert office.read(lambda roster: roster.operator("OP-0002")) is None
    assert office.read(lambda roster: list(roster.operators())) == [OPERATOR]


def test_a_change_writes_a_new_revision(office: Office) -> None:
    office.write(lambda roster: roster.put_operator(OPERATOR))
    office.write(lambda roster: roster.change_operator("OP-0001", suspended="異動"))
    changed = office.read(lambda roster: roster.operator("OP-0001"))
    assert changed.suspended == "異動"
    assert changed.roles == OPERATOR.roles
    with office.vault.view() as view:
        assert len(list(view.revisions("core.operators", b"OP-0001"))) == 2
    with pytest.raises(NotFound):
        office.write(lambda roster: roster.change_operator("OP-0002", suspended="異動"))


def test_a_person_is_read_as_written_and_every_revision_is_kept(office: Office) -> None:
    office.write(lambda roster: roster.put_person(PERSON))
    assert office.read(lambda roster: roster.person("P-0001")) == PERSON
    changed = office.write(lambda roster: roster.change_person("P-0001", suspended="異動"))
    assert office.read(lambda roster: list(roster.persons())) == [changed]
    history = office.read(lambda roster: list(roster.person_history("P-0001")))
    assert history == [PERSON, changed]
    with pytest.raises(NotFound):
        office.write(lambda roster: roster.change_person("P-0002", suspended="異動"))


def test_an_authority_is_found_by_each_of_those_who_hold_it(office: Office) -> None:
    office.write(lambda roster: roster.put_operator(OPERATOR))
    for holder in OPERATOR.holders:
        assert office.read(lambda roster, of=holder: list(roster.held_by(of))) == [OPERATOR]
    assert office.read(lambda roster: list(roster.held_by("P-0003"))) == []
    office.write(lambda roster: roster.change_operator("OP-0001", holders=("P-0002",)))
    assert office.read(lambda roster: list(roster.held_by("P-0001"))) == []
    assert len(office.read(lambda roster: list(roster.operator_history("OP-0001")))) == 2


def test_of_proofs_only_the_latest_is_kept(office: Office) -> None:
    for pin_hash in ("$one", "$two"):
        kept = Proofs(pin_hash=pin_hash, credentials={"0" * 16: Credential(data=b"key")})
        office.write(lambda roster, kept=kept: proofs_in(roster).put("P-0001", kept))
    office.write(lambda roster: roster.forget_pin("P-0001"))
    office.write(lambda roster: proofs_in(roster).change("P-0001", failures=5))
    state = office.read(lambda roster: roster.login_state("P-0001"))
    assert (state.has_pin, state.failures) == (False, 5)
    office.write(lambda roster: roster.unlock("P-0001"))
    assert office.read(lambda roster: roster.login_state("P-0001")).failures == 0
    with office.vault.view() as view:
        (only,) = view.revisions("core.proofs", b"P-0001")
    assert b"$" not in only.body


def test_a_terminal_is_found_by_its_certificate(office: Office) -> None:
    office.write(lambda roster: roster.enrol_terminal(terminal(1)))
    assert office.read(lambda roster: roster.terminal(terminal(1).fingerprint)) == terminal(1)
    assert office.read(lambda roster: roster.terminal(terminal(2).fingerprint)) is None


def test_neither_certificate_nor_live_terminal_is_registered_twice(office: Office) -> None:
    office.write(lambda roster: roster.enrol_terminal(terminal(1)))
    for other in (terminal(1, 2), terminal(2, 1)):
        with pytest.raises(Conflict):
            office.write(lambda roster, other=other: roster.enrol_terminal(other))
    office.write(lambda roster: roster.enrol_terminal(terminal(2)))


def test_a_revoked_terminal_gets_another_certificate_never_the_same(office: Office) -> None:
    office.write(lambda roster: roster.enrol_terminal(terminal(1)))
    office.write(lambda roster: roster.enrol_terminal(terminal(2)))
    assert office.write(lambda roster: roster.revoke_terminal("TERM-0002", "紛失")).revoked
    with pytest.raises(NotFound):
        office.write(lambda roster: roster.revoke_terminal("TERM-0002", "紛失"))
    with pytest.raises(Conflict):
        office.write(lambda roster: roster.enrol_terminal(terminal(2)))
    office.write(lambda roster: roster.enrol_terminal(terminal(2, 3)))
    lines = office.read(lambda roster: list(roster.terminals()))
    assert sorted((line.terminal_id, bool(line.revoked)) for line in lines) == [
        ("TERM-0001", False),
        ("TERM-0002", False),
        ("TERM-0002", True),
    ]


def test_a_code_is_kept_as_its_digest(office: Office) -> None:
    code = office.write(lambda roster: roster.issue_enrolment("P-0001", UNTIL, "device"))
    assert len(code) == 19
    with office.vault.view() as view:
        (found,) = view.documents(ENROLMENTS)
    assert found.key == enrolment_key(code)
    assert code.encode() not in found.body
    enrolment = office.read(lambda roster: roster.enrolment(code))
    assert (enrolment.person_id, enrolment.until) == ("P-0001", UNTIL)
    assert enrolment.methods == ("device",)
    assert office.read(lambda roster: roster.enrolment("0000-0000-0000-0000")) is None


def test_somebody_has_one_code_at_a_time(office: Office) -> None:
    first = office.write(lambda roster: roster.issue_enrolment("P-0001", UNTIL, "device"))
    others = office.write(lambda roster: roster.issue_enrolment("P-0002", UNTIL, "pin"))
    second = office.write(lambda roster: roster.issue_enrolment("P-0001", UNTIL, "device"))
    assert office.read(lambda roster: roster.enrolment(first)) is None
    assert office.read(lambda roster: roster.enrolment(second))
    assert office.read(lambda roster: roster.enrolment(others))
    office.write(lambda roster: roster.void_enrolments("P-0001"))
    assert office.read(lambda roster: roster.enrolment(second)) is None
    assert office.read(lambda roster: roster.enrolment(others))


def test_a_used_code_is_gone(office: Office) -> None:
    code = office.write(lambda roster: roster.issue_enrolment("P-0001", UNTIL, "device"))
    office.write(lambda roster: roster.use_enrolment(code))
    assert office.read(lambda roster: roster.enrolment(code)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda roster: roster.put_operator(OPERATOR),
        lambda roster: roster.put_person(PERSON),
        lambda roster: proofs_in(roster).put("P-0001", Proofs()),
        lambda roster: roster.enrol_terminal(terminal(1)),
        lambda roster: roster.issue_enrolment("P-0001", UNTIL, "device"),
        lambda roster: roster.use_enrolment("0000"),
        lambda roster: roster.void_enrolments("P-0001"),
    ],
)
def test_who_only_looks_changes_nothing(office: Office, change: Callable[[Roster], Any]) -> None:
    with pytest.raises(Failed, match="changes nothing"):
        office.read(change)
