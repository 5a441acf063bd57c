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
        ({"roles": ["at-a-terminal"]}, "unknown-role", "roles"),
        ({"roles": ["system-administrator", "clerk"]}, "separation", "roles"),
        ({"roles": ["system-administrator", "auditor"]}, "separation", "roles"),
        ({"roles": ["registrar", "auditor"]}, "separation", "roles"),
        ({"roles": ["contractor", "clerk"]}, "blind-alone", "roles"),
        ({"roles": ["contractor", "statistician"]}, "blind-alone", "roles"),
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


def test_what_can_be_chosen_is_told(keeper: Seat) -> None:
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/add-operator", {**NEW, "roles": ["king"], "purposes": ["curiosity"]})
    roles, purposes = (problem.text for problem in refused.value.problems)
    assert {"auditor", "clerk", "registrar"} <= set(roles.split(": ")[1].split("、"))
    assert "at-a-terminal" not in roles
    assert "prefectural-tax" in purposes


SECOND = {**NEW, "operator_id": "OP-0003"}
"""Another 操作者ID of the same person."""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("clerk", "auditor", id="R132-clerk-auditor"),
        pytest.param("auditor", "registrar", id="R132-auditor-registrar"),
        pytest.param("clerk", "system-administrator", id="R127-clerk-administrator"),
        pytest.param("auditor", "system-administrator", id="R127-auditor-administrator"),
    ],
)
def test_duties_stay_apart_under_a_second_operator_id(
    keeper: Seat, first: str, second: str
) -> None:
    keeper.ask("roster/add-operator", {**NEW, "roles": [first]})
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/add-operator", {**SECOND, "roles": [second]})
    assert [problem.rule for problem in refused.value.problems] == ["separation"]
    keeper.ask("roster/add-operator", {**SECOND, "roles": [first]})
    keeper.ask(
        "roster/add-operator",
        {**SECOND, "operator_id": "OP-0004", "person_id": "P-0003", "roles": [second]},
    )
    with pytest.raises(Rejected):
        keeper.ask("roster/change-operator", {"operator_id": "OP-0003", "roles": [second]})


@pytest.mark.requirement("R142")
@pytest.mark.parametrize("other", ["clerk", "auditor", "statistician", "system-administrator"])
def test_the_contractor_holds_no_other_role_under_a_second_operator_id_either(
    keeper: Seat, other: str
) -> None:
    keeper.ask("roster/add-operator", {**NEW, "roles": ["contractor"]})
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/add-operator", {**SECOND, "roles": [other]})
    assert [problem.rule for problem in refused.value.problems] == ["blind-alone"]
    keeper.ask("roster/add-operator", {**SECOND, "roles": ["contractor"]})


def test_an_id_that_is_suspended_or_over_does_not_count_until_it_comes_back(
    bench: Bench, keeper: Seat
) -> None:
    keeper.ask("roster/add-operator", {**NEW, "expires_on": "2026-04-01"})
    keeper.ask("roster/suspend-operator", {"operator_id": "OP-0002", "reason": "異動"})
    keeper.ask("roster/add-operator", {**SECOND, "roles": ["auditor"]})
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/resume-operator", {"operator_id": "OP-0002", "reason": "復帰"})
    assert [problem.rule for problem in refused.value.problems] == ["separation"]
    bench.now += timedelta(days=1)
    keeper = log_in(bench, "ADMIN", "TERM-0001")
    keeper.ask("roster/add-operator", {**SECOND, "operator_id": "OP-0005", "roles": ["auditor"]})


@pytest.mark.requirement("R125")
def test_a_transfer_changes_what_it_says_and_keeps_how_it_was(bench: Bench, keeper: Seat) -> None:
    keeper.ask("roster/add-operator", NEW)
    moved = {"office": "パスポートセンター", "purposes": ["passport"], "expires_on": "2028-03-31"}
    line = keeper.ask("roster/change-operator", {"operator_id": "OP-0002", **moved}).data
    assert {name: line[name] for name in moved} == {**moved, "purposes": ("passport",)}
    assert (line["roles"], line["person_id"]) == (("clerk",), "P-0002")
    assert bench.ledger()[-1].conditions == {"operator_id": "OP-0002", **moved}
    with bench.vault.view() as view:
        assert len(list(view.revisions("core.operators", b"OP-0002"))) == 2


def test_a_transfer_counts_from_the_next_request_on(bench: Bench, keeper: Seat) -> None:
    other = bench.clerk(
        "OP-0002", roles=("system-administrator",), purposes=(), terminal_id="TERM-0002"
    )
    other.ask("roster/operators", {})
    keeper.ask("roster/change-operator", {"operator_id": "OP-0002", "roles": ["clerk"]})
    with pytest.raises(NotPermitted):
        other.ask("roster/operators", {})


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"roles": ["king"]}, "unknown-role"),
        ({"purposes": ["curiosity"]}, "unknown-purpose"),
        ({"expires_on": "2026-03-31"}, "past"),
        ({"roles": ["clerk", "auditor"]}, "separation"),
    ],
)
def test_a_change_is_held_against_the_rules_of_an_appointment(
    keeper: Seat, changed: dict[str, Any], rule: str
) -> None:
    keeper.ask("roster/add-operator", NEW)
    with pytest.raises(Rejected) as refused:
        keeper.ask("roster/change-operator", {"operator_id": "OP-0002", **changed})
    assert [problem.rule for problem in refused.value.problems] == [rule]


def test_a_change_must_change_something_and_never_oneself(keeper: Seat) -> None:
    keeper.ask("roster/add-operator", NEW)
    with pytest.raises(Malformed, match="office, roles, purposes, expires_on"):
        keeper.ask("roster/change-operator", {"operator_id": "OP-0002"})
    with pytest.raises(NotPermitted, match="himself"):
        keeper.ask("roster/change-operator", {"operator_id": "ADMIN", "office": "県税事務所"})


def test_who_was_suspended_comes_back_with_a_new_pin(bench: Bench, keeper: Seat) -> None:
    bench.clerk("OP-0002", roles=("auditor",), purposes=(), terminal_id="TERM-0002")
    asked = {"operator_id": "OP-0002", "reason": "復職 2026-04-01"}
    with pytest.raises(Conflict, match="not suspended"):
        keeper.ask("roster/resume-operator", asked)
    keeper.ask("roster/suspend-operator", {"operator_id": "OP-0002", "reason": "休職"})
    code = keeper.ask("roster/resume-operator", asked).data["enrolment_code"]
    assert listed(keeper)["OP-0002"]["state"] == "not-enrolled"
    with pytest.raises(Unidentified):
        log_in(bench, "OP-0002")
    bench.seat("TERM-0002").ask("session/enrol", {"code": code, "pin": PIN})
    log_in(bench, "OP-0002")
    assert listed(keeper)["OP-0002"]["state"] == "active"
    with pytest.raises(NotPermitted, match="himself"):
        keeper.ask("roster/resume-operator", {"operator_id": "ADMIN", "reason": "復職"})


def test_the_roster_tells_the_state_of_everybody(bench: Bench, keeper: Seat) -> None:
    keeper.ask("roster/add-operator", NEW)
    keeper.ask("roster/add-operator", {**SECOND, "expires_on": "2026-04-01"})
    keeper.ask("roster/add-operator", {**SECOND, "operator_id": "OP-0004"})
    keeper.ask("roster/suspend-operator", {"operator_id": "OP-0004", "reason": "異動"})
    bench.now += timedelta(days=1)
    keeper = log_in(bench, "ADMIN", "TERM-0001")
    states = {name: line["state"] for name, line in listed(keeper).items()}
    assert states == {
        "ADMIN": "active",
        "OP-0002": "not-enrolled",
        "OP-0003": "over",
        "OP-0004": "suspended",
    }


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


@pytest.mark.requirement("R123", "R129")
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
    line = listed(keeper)["OP-0002"]
    assert (line["locked"], line["state"]) == (True, "locked")
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
        ("roster/resume-operator", {"operator_id": "OP-0099", "reason": "復職"}),
        ("roster/change-operator", {"operator_id": "OP-0099", "office": "県税事務所"}),
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


@pytest.mark.requirement("R125")
def test_every_revision_of_an_operator_is_kept(bench: Bench, keeper: Seat) -> None:
    keeper.ask("roster/add-operator", NEW)
    keeper.ask("roster/suspend-operator", {"operator_id": "OP-0002", "reason": "異動"})
    with bench.vault.view() as view:
        assert len(list(view.revisions("core.operators", b"OP-0002"))) == 2
    assert date(2027, 3, 31).isoformat() == listed(keeper)["OP-0002"]["expires_on"]


@pytest.mark.parametrize("named", [{"operator_id": "op-0003"}, {"person_id": "p-0002"}])
def test_nobody_is_two_persons_by_another_spelling(keeper: Seat, named: dict[str, str]) -> None:
    with pytest.raises(Malformed, match="of A-Z 0-9 -"):
        keeper.ask("roster/add-operator", {**NEW, **named})
