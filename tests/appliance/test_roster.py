from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, Failed, NotFound
from appliance.model import TerminalKind
from appliance.roster import ENROLMENTS, OperatorRecord, Roster, enrolment_key
from appliance.terminals import TerminalRecord
from appliance.testing import PREPARED, Bench
from storage.engine import Unit

UNTIL = datetime(2026, 4, 2, tzinfo=UTC)
OPERATOR = OperatorRecord(
    operator_id="OP-0001",
    person_id="P-0001",
    office="県税事務所",
    roles=("clerk", "auditor"),
    purposes=("tax",),
    expires_on=date(2027, 3, 31),
    last_login=datetime(2026, 4, 1, 9, 0, tzinfo=UTC),
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
    code = office.write(lambda roster: roster.issue_enrolment("OP-0001", UNTIL))
    assert len(code) == 19
    with office.vault.view() as view:
        (found,) = view.documents(ENROLMENTS)
    assert found.key == enrolment_key(code)
    assert code.encode() not in found.body
    enrolment = office.read(lambda roster: roster.enrolment(code))
    assert (enrolment.operator_id, enrolment.until) == ("OP-0001", UNTIL)
    assert office.read(lambda roster: roster.enrolment("0000-0000-0000-0000")) is None


def test_an_operator_has_one_code_at_a_time(office: Office) -> None:
    first = office.write(lambda roster: roster.issue_enrolment("OP-0001", UNTIL))
    others = office.write(lambda roster: roster.issue_enrolment("OP-0002", UNTIL))
    second = office.write(lambda roster: roster.issue_enrolment("OP-0001", UNTIL))
    assert office.read(lambda roster: roster.enrolment(first)) is None
    assert office.read(lambda roster: roster.enrolment(second))
    assert office.read(lambda roster: roster.enrolment(others))
    office.write(lambda roster: roster.void_enrolments("OP-0001"))
    assert office.read(lambda roster: roster.enrolment(second)) is None
    assert office.read(lambda roster: roster.enrolment(others))


def test_a_used_code_is_gone(office: Office) -> None:
    code = office.write(lambda roster: roster.issue_enrolment("OP-0001", UNTIL))
    office.write(lambda roster: roster.use_enrolment(code))
    assert office.read(lambda roster: roster.enrolment(code)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda roster: roster.put_operator(OPERATOR),
        lambda roster: roster.enrol_terminal(terminal(1)),
        lambda roster: roster.issue_enrolment("OP-0001", UNTIL),
        lambda roster: roster.use_enrolment("0000"),
        lambda roster: roster.void_enrolments("OP-0001"),
    ],
)
def test_who_only_looks_changes_nothing(office: Office, change: Callable[[Roster], Any]) -> None:
    with pytest.raises(Failed, match="changes nothing"):
        office.read(change)
