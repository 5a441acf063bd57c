from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, Malformed, NotFound, NotPermitted, Rejected, Unidentified
from appliance.roster import OperatorRecord
from appliance.testing import PIN, Bench, Seat
from plugins import roster
from tests.plugins.people import shipped_policy

NEW = {
    "operator_id": "OP-0002",
    "person_id": "P-0002",
    "office": "県税事務所",
    "roles": ["clerk"],
    "purposes": ["prefectural-tax"],
    "expires_on": "2027-03-31",
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"roster": roster}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def keeper(bench: Bench) -> Seat:
    return bench.clerk("ADMIN", roles=("system-administrator",), purposes=())


def listed(keeper: Seat) -> dict[str, dict[str, Any]]:
    answer = keeper.ask("roster/operators", {}).data
    return {operator["operator_id"]: operator for operator in answer["operators"]}


def log_in(bench: Bench, operator_id: str, terminal_id: str = "TERM-0002") -> Seat:
    seat = bench.seat(terminal_id)
    opened = seat.ask("session/open", {"operator": operator_id, "pin": PIN})
    return replace(seat, bearer=opened.data["token"])


def test_a_new_operator_sets_a_pin_with_the_code_and_logs_in(bench: Bench, keeper: Seat) -> None:
    answer = keeper.ask("roster/add-operator", NEW).data
    assert answer["operator_id"] == "OP-0002"
    assert answer["until"] == "2026-04-02T01:00:00Z"
    assert not listed(keeper)["OP-0002"]["enrolled"]
    seat = bench.seat("TERM-0002")
    seat.ask("session/enrol", {"code": answer["enrolment_code"], "pin": PIN})
    opened = seat.ask("session/open", {"operator": "OP-0002", "pin": PIN}).data
    assert (opened["roles"], opened["purposes"]) == (("clerk",), ("prefectural-tax",))
    line = listed(keeper)["OP-0002"]
    assert line["enrolled"]
    assert line["last_terminal"] == "TERM-0002"
    assert line["office"] == "県税事務所"


def test_the_roster_never_tells_a_pin_hash(keeper: Seat) -> None:
    assert "pin_hash" not in OperatorRecord.__struct_fields__
    assert all("pin_hash" not in line for line in listed(keeper).values())


def test_the_code_is_not_in_the_ledger(bench: Bench, keeper: Seat) -> None:
    code = keeper.ask("roster/add-operator", NEW).data["enrolment_code"]
    with bench.vault.view() as view:
        bodies = [entered.body for entered in view.entries(0, view.ledger_size())]
    assert not any(code.encode() in body for body in bodies)
    entry = bench.ledger()[-1]
    assert entry.conditions["roles"] == ["clerk"]
    assert entry.operator == "ADMIN"


def test_an_operator_id_is_given_out_once(keeper: Seat) -> None:
    keeper.ask("roster/add-operator", NEW)
    keeper.ask("roster/suspend-operator", {"operator_id": "OP-0002", "reason": "退職"})
    with pytest.raises(Conflict, match="given out"):
        keeper.ask("roster/add-operator", {**NEW, "person_id": "P-0003"})


def test_the_appliance_keeps_its_own_operator_id(keeper: Seat) -> None:
    with pytest.raises(Conflict):
        keeper.ask("roster/add-operator", {**NEW, "operator_id": "SYSTEM"})


@pytest.mark.parametrize(
    ("changed", "rule", "item"),
    [
        ({"roles": ["clerk", "king"]}, "unknown-role", "roles"),
        ({"roles": ["municipality"]}, "unknown-role", "roles"),
        ({"roles": ["service"]}, "unknown-role", "roles"),
        ({"purposes": ["curiosity"]}, "unknown-purpose", "purposes"),
        ({"expires_on": "2026-03-31"}, "past", "expires_on"),
        ({"roles": ["system-administrator", "clerk"]}, "separation", "roles"),
    ],
)
def test_an_appointment_that_cannot_be_made_says_why(
    keeper: Seat, changed: dict[str, Any], rule: str, item: str
) -> None:
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/add-operator", {**NEW, **changed})
    assert [(p.rule, p.item) for p in refused.value.problems] == [(rule, item)]


def test_every_problem_is_told_at_once(keeper: Seat) -> None:
    wrong = {**NEW, "roles": ["king"], "purposes": ["curiosity"], "expires_on": "2000-01-01"}
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/add-operator", wrong)
    assert len(refused.value.problems) == 3


def test_an_administrator_may_audit(keeper: Seat) -> None:
    roles = {"roles": ["system-administrator", "auditor"]}
    assert keeper.ask("roster/add-operator", {**NEW, **roles}).data["operator_id"] == "OP-0002"


@pytest.mark.parametrize(
    "changed",
    [
        {"operator_id": "op 2"},
        {"operator_id": "X" * 17},
        {"person_id": ""},
        {"roles": []},
        {"expires_on": "soon"},
        {"pin_hash": "x"},
    ],
)
def test_what_is_no_appointment_is_malformed(keeper: Seat, changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        keeper.ask("roster/add-operator", {**NEW, **changed})


def test_nobody_appoints_or_suspends_himself(bench: Bench, keeper: Seat) -> None:
    with pytest.raises(NotPermitted, match="himself"):
        keeper.ask("roster/add-operator", {**NEW, "operator_id": "ADMIN"})
    with pytest.raises(NotPermitted, match="himself"):
        keeper.ask("roster/add-operator", {**NEW, "person_id": "P-ADMIN"})
    with pytest.raises(NotPermitted, match="himself"):
        keeper.ask("roster/suspend-operator", {"operator_id": "ADMIN", "reason": "休み"})


def test_a_clerk_does_not_reach_the_roster(bench: Bench) -> None:
    clerk = bench.clerk(roles=("clerk",))
    with pytest.raises(NotPermitted):
        clerk.ask("roster/operators", {})


def test_the_roster_is_kept_at_a_representative_terminal(bench: Bench) -> None:
    from appliance.model import TerminalKind

    bench.seat("TERM-0003", TerminalKind.BUSINESS)
    keeper = bench.clerk("ADMIN", roles=("system-administrator",), terminal_id="TERM-0003")
    with pytest.raises(NotPermitted):
        keeper.ask("roster/operators", {})


def test_suspending_ends_sessions_at_once_and_voids_codes(bench: Bench, keeper: Seat) -> None:
    clerk = bench.clerk("OP-0002", roles=("system-administrator",), terminal_id="TERM-0002")
    code = keeper.ask("roster/enrol-operator", {"operator_id": "OP-0002"}).data["enrolment_code"]
    asked = {"operator_id": "OP-0002", "reason": "照合ID無効化依頼書 第3号"}
    assert keeper.ask("roster/suspend-operator", asked).data["suspended"] == asked["reason"]
    with pytest.raises(Unidentified):
        clerk.ask("roster/operators", {})
    with pytest.raises(Unidentified):
        log_in(bench, "OP-0002")
    with pytest.raises(NotPermitted, match="code"):
        bench.seat("TERM-0002").ask("session/enrol", {"code": code, "pin": PIN})
    assert listed(keeper)["OP-0002"]["suspended"] == asked["reason"]
    with pytest.raises(Conflict, match="already"):
        keeper.ask("roster/suspend-operator", asked)
    with pytest.raises(Conflict, match="suspended"):
        keeper.ask("roster/enrol-operator", {"operator_id": "OP-0002"})


def test_a_new_code_voids_the_one_before(bench: Bench, keeper: Seat) -> None:
    first = keeper.ask("roster/add-operator", NEW).data["enrolment_code"]
    second = keeper.ask("roster/enrol-operator", {"operator_id": "OP-0002"}).data["enrolment_code"]
    seat = bench.seat("TERM-0002")
    with pytest.raises(NotPermitted, match="code"):
        seat.ask("session/enrol", {"code": first, "pin": PIN})
    seat.ask("session/enrol", {"code": second, "pin": PIN})


def test_a_locked_operator_is_shown_and_unlocked_by_a_new_code(bench: Bench, keeper: Seat) -> None:
    bench.clerk("OP-0002", roles=("auditor",), terminal_id="TERM-0002")
    seat = bench.seat("TERM-0002")
    for _ in range(5):
        with pytest.raises(Unidentified):
            seat.ask("session/open", {"operator": "OP-0002", "pin": "00000000"})
    assert listed(keeper)["OP-0002"]["locked"]
    with pytest.raises(Unidentified):
        log_in(bench, "OP-0002")
    code = keeper.ask("roster/enrol-operator", {"operator_id": "OP-0002"}).data["enrolment_code"]
    seat.ask("session/enrol", {"code": code, "pin": PIN})
    assert not listed(keeper)["OP-0002"]["locked"]
    log_in(bench, "OP-0002")


def test_an_appointment_that_is_over_gets_no_code(bench: Bench, keeper: Seat) -> None:
    keeper.ask("roster/add-operator", {**NEW, "expires_on": "2026-04-01"})
    bench.now += timedelta(days=1)
    keeper = log_in(bench, "ADMIN", "TERM-0001")
    with pytest.raises(Conflict, match="over"):
        keeper.ask("roster/enrol-operator", {"operator_id": "OP-0002"})


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("roster/enrol-operator", {"operator_id": "OP-0099"}),
        ("roster/suspend-operator", {"operator_id": "OP-0099", "reason": "退職"}),
    ],
)
def test_unknown_operators_are_not_found(
    keeper: Seat, operation: str, body: dict[str, str]
) -> None:
    with pytest.raises(NotFound):
        keeper.ask(operation, body)


def test_a_code_is_told_once_and_lies_nowhere(bench: Bench, keeper: Seat) -> None:
    asked = ("roster/add-operator", NEW), ("roster/enrol-operator", {"operator_id": "OP-0002"})
    for number, (operation, body) in enumerate(asked):
        key = f"appointment-000000{number}"
        code = keeper.ask(operation, body, key=key).data["enrolment_code"]
        with pytest.raises(Conflict, match="carried out already"):
            keeper.ask(operation, body, key=key)
        with bench.vault.view() as view:
            kept = [paper.body for paper in view.documents("core.repeats")]
        assert len(kept) == number + 1
        assert not any(code.encode() in body for body in kept)


def test_every_revision_of_an_operator_is_kept(bench: Bench, keeper: Seat) -> None:
    keeper.ask("roster/add-operator", NEW)
    keeper.ask("roster/suspend-operator", {"operator_id": "OP-0002", "reason": "異動"})
    with bench.vault.view() as view:
        assert len(list(view.revisions("core.operators", b"OP-0002"))) == 2
    assert date(2027, 3, 31).isoformat() == listed(keeper)["OP-0002"]["expires_on"]
