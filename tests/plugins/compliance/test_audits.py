"""内部監査: planned for every office within three years, held by two, and followed to its end."""

from typing import Any

import pytest

from tests.plugins.compliance.staff import (
    ADMIN,
    AUDITOR,
    AUDITOR_2,
    CLERK,
    OFFICER,
    OTHER_OFFICER,
    TAX,
    WELFARE,
    Person,
    Staff,
    refused,
    right,
)

TWO = [AUDITOR.id, AUDITOR_2.id]
ROLE = "no role of yours may take this step"


def planned(staff: Staff, *offices: str, year: int = 2026) -> list[int]:
    given = {"fiscal_year": year, "offices": list(offices)}
    opened = staff.ask(AUDITOR, "open", book="audit-plan", given=given)["opened"]
    return [each["number"] for each in opened]


def carried_out(staff: Staff, number: int, on: str, **wrong: str) -> list[int]:
    """Let an audit be held; return the findings."""
    staff.step(AUDITOR, "audit", number, "assign", auditors=TWO, planned_on=on)
    given = {"held_on": on, "results": right("audit", **wrong)}
    body = {"book": "audit", "number": number, "step": "carry-out", "given": given}
    return [each["number"] for each in staff.ask(AUDITOR, "step", **body)["opened"]]


@pytest.mark.requirement("R178")
def test_a_plan_opens_an_audit_of_each_office(staff: Staff) -> None:
    numbers = planned(staff, TAX, WELFARE)
    entries = [staff.entry("audit", number) for number in numbers]
    assert [each["entry"]["office"] for each in entries] == [TAX, WELFARE]
    assert [each["fields"] for each in entries] == [{"fiscal_year": 2026}] * 2


@pytest.mark.requirement("R178")
def test_every_office_is_audited_within_three_years_or_named_as_missing(staff: Staff) -> None:
    def covered() -> dict[str, tuple[Any, Any, bool]]:
        offices = staff.ask(AUDITOR, "coverage")["offices"]
        return {o["office"]: (o["audited_on"], o["planned_for"], o["covered"]) for o in offices}

    nobody = ("市町村課", "監査室", TAX, WELFARE)
    assert staff.ask(AUDITOR, "coverage")["missing"] == nobody
    tax, _ = planned(staff, TAX, WELFARE)
    carried_out(staff, tax, "2026-04-01")
    assert covered()[TAX] == ("2026-04-01", None, True)
    assert covered()[WELFARE] == (None, 2026, False)
    assert staff.ask(ADMIN, "coverage")["missing"] == ("市町村課", "監査室")
    # Audited in 年度 2026: it counts in 2026, 2027 and 2028.
    staff.today("2029-03-31")
    assert covered()[TAX][2] is True
    staff.today("2029-04-01")
    assert covered()[TAX][2] is False
    assert staff.ask(ADMIN, "coverage")["missing"] == ("市町村課", "監査室", TAX)


@pytest.mark.requirement("R179")
@pytest.mark.parametrize(
    ("auditors", "problems"),
    [
        ([AUDITOR.id], {("C-03", "auditors")}),
        ([AUDITOR.id, AUDITOR_2.id, ADMIN.id], {("C-03", "auditors")}),
        ([AUDITOR.id, AUDITOR.id], {("C-05", "auditors")}),
        ([AUDITOR.id, "P-OP-9999"], {("C-08", "auditors")}),
        ([AUDITOR.id, CLERK.id], {("C-21", "auditors")}),
        ([AUDITOR.id, 7], {("C-03", "auditors"), ("C-08", "auditors")}),
    ],
)
def test_two_audit_together_and_neither_is_of_the_office(
    staff: Staff, auditors: Any, problems: set[tuple[str, str]]
) -> None:
    (number,) = planned(staff, TAX)
    given = {"auditors": auditors, "planned_on": "2026-05-01"}
    assert refused(staff, AUDITOR, "audit", (number, "assign"), **given) == problems


@pytest.mark.requirement("R179", "R180", "R199")
def test_what_was_found_is_entered_by_one_of_the_two(staff: Staff) -> None:
    (number,) = planned(staff, TAX)
    given = {"auditors": [AUDITOR.id, ADMIN.id], "planned_on": "2026-04-01"}
    staff.step(AUDITOR, "audit", number, "assign", **given)
    found = {"held_on": "2026-04-01", "results": right("audit")}
    told = refused(staff, AUDITOR_2, "audit", (number, "carry-out"), **found)
    assert told == {("C-22", "step")}
    assert staff.step(AUDITOR, "audit", number, "carry-out", **found) == "carried-out"


@pytest.mark.requirement("R180")
@pytest.mark.parametrize(
    ("results", "rule"),
    [
        (right("audit")[:3], "C-06"),
        ([*right("audit")[:3], {"item": "4", "answer": "no"}], "C-07"),
        (right("self-check"), "C-06"),
    ],
)
def test_all_four_items_are_looked_at(staff: Staff, results: Any, rule: str) -> None:
    (number,) = planned(staff, TAX)
    staff.step(AUDITOR, "audit", number, "assign", auditors=TWO, planned_on="2026-04-01")
    given = {"held_on": "2026-04-01", "results": results}
    assert refused(staff, AUDITOR, "audit", (number, "carry-out"), **given) == {(rule, "results")}


@pytest.mark.requirement("R181")
def test_each_finding_is_followed_until_somebody_else_confirms_it(staff: Staff) -> None:
    (number,) = planned(staff, TAX)
    wrong = {"item_2": "退職者の照合IDが有効", "item_3": "帳票の保管簿に記入漏れ"}
    first, second = carried_out(staff, number, "2026-04-01", **wrong)
    assert staff.entry("finding", first)["parent"] == {"book": "audit", "number": number}
    assert staff.entry("finding", second)["fields"]["finding"] == "帳票の保管簿に記入漏れ"
    assert staff.due()["finding", first, "plan"] == "2026-04-30"
    staff.step(OFFICER, "finding", first, "plan", action="無効化を依頼", due_on="2026-05-15")
    assert ("finding", first, "plan") not in staff.due()
    assert staff.due()["finding", first, "action"] == "2026-05-15"
    staff.today("2026-05-16")
    assert staff.alarms()["compliance/overdue"] == 2
    staff.step(OFFICER, "finding", first, "done", done_on="2026-05-16", outcome="無効化済み")
    assert ("finding", first, "action") not in staff.due()
    assert staff.step(AUDITOR, "finding", first, "return", why="一名残っている") == "returned"
    assert staff.due()["finding", first, "action"] == "2026-05-15"
    staff.step(OFFICER, "finding", first, "done", done_on="2026-05-16", outcome="全員無効化済み")
    assert staff.step(AUDITOR, "finding", first, "confirm") == "closed"
    closed = {"improvement": "異動時の手順を改正"}
    assert staff.step(AUDITOR, "audit", number, "close", **closed) == "closed"


@pytest.mark.requirement("R181")
@pytest.mark.parametrize(
    ("who", "step", "given", "why"),
    [
        (OTHER_OFFICER, "plan", {}, "the register has no entry of this number"),
        (CLERK, "plan", {}, ROLE),
        (AUDITOR, "plan", {}, ROLE),
        (OFFICER, "plan", {"action": "是正"}, {("C-02", "due_on")}),
        (OFFICER, "done", {}, {("C-11", "step")}),
        (AUDITOR, "confirm", {}, {("C-11", "step")}),
        (OFFICER, "confirm", {}, ROLE),
    ],
)
def test_a_finding_is_answered_by_its_office(
    staff: Staff, who: Person, step: str, given: dict[str, Any], why: Any
) -> None:
    (number,) = planned(staff, TAX)
    (finding,) = carried_out(staff, number, "2026-04-01", item_1="端末が窓口に向いている")
    assert refused(staff, who, "finding", (finding, step), **given) == why


def test_an_audit_that_nobody_prepares_or_holds_is_overdue(staff: Staff) -> None:
    (number,) = planned(staff, TAX)
    assert staff.due() == {("audit", number, "assign"): "2026-06-29"}
    staff.step(AUDITOR, "audit", number, "assign", auditors=TWO, planned_on="2026-09-01")
    assert staff.due() == {("audit", number, "audit"): "2026-09-01"}
    assert staff.step(AUDITOR, "audit", number, "call-off", why="所属の廃止") == "called-off"
    assert staff.due() == {}
