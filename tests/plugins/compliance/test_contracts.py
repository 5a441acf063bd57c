"""委託: who the contractor is, and that his work is announced, attended, reported and accepted."""

from typing import Any

import pytest

from tests.plugins.compliance.staff import (
    ADMIN,
    AUDITOR,
    CLERK,
    CONTRACTOR,
    OFFICER,
    OTHER_CLERK,
    OTHER_OFFICER,
    Person,
    Staff,
    hired,
    refused,
    right,
)

ROLE = "no role of yours may take this step"
WORK: dict[str, Any] = {
    "contractor": 1,
    "responsible": "保守太郎",
    "workers": ["保守太郎", "保守次郎"],
    "announced_on": "2026-04-01",
    "from_on": "2026-04-10",
    "until_on": "2026-04-11",
    "place": "サーバ室",
    "work": "ディスクの交換",
    "witness": CLERK.id,
}
REPORT = {"done_on": "2026-04-11", "outcome": "交換済み", "document": "保守第3号"}
ACCEPT = {"history_checked": True}


@pytest.fixture
def permit(staff: Staff) -> int:
    """A piece of work that was announced."""
    hired(staff)
    return staff.open(ADMIN, "work-permit", **WORK)


def reported(staff: Staff, number: int) -> None:
    staff.step(AUDITOR, "work-permit", number, "permit")
    staff.today("2026-04-11")
    staff.step(CLERK, "work-permit", number, "report", **REPORT)


@pytest.mark.requirement("R143", "R144", "R145", "R147")
def test_work_is_announced_permitted_attended_reported_and_accepted(
    staff: Staff, permit: int
) -> None:
    assert staff.due()["work-permit", permit, "permit"] == "2026-04-10"
    assert staff.step(AUDITOR, "work-permit", permit, "permit") == "permitted"
    assert staff.due()["work-permit", permit, "report"] == "2026-04-14"
    staff.today("2026-04-11")
    assert staff.step(CLERK, "work-permit", permit, "report", **REPORT) == "reported"
    assert staff.due()["work-permit", permit, "accept"] == "2026-04-24"
    assert staff.step(ADMIN, "work-permit", permit, "return", why="時刻がない") == "returned"
    assert staff.step(CLERK, "work-permit", permit, "report", **REPORT) == "reported"
    assert staff.step(ADMIN, "work-permit", permit, "accept", **ACCEPT) == "accepted"
    entry = staff.entry("work-permit", permit)
    assert entry["kept_until"] == "2032-03-31"
    assert [step["person"] for step in entry["steps"]][:3] == [ADMIN.id, AUDITOR.id, CLERK.id]


@pytest.mark.requirement("R143")
@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"contractor": 2}, ("C-44", "contractor")),
        ({"witness": CONTRACTOR.id}, ("C-41", "witness")),
        ({"witness": "P-OP-9999"}, ("C-08", "witness")),
        ({"until_on": "2026-04-09"}, ("C-42", "until_on")),
        ({"announced_on": "2026-04-02"}, ("C-04", "announced_on")),
        ({"workers": []}, ("C-02", "workers")),
        ({"workers": ["保" * 201]}, ("C-03", "workers")),
        ({"responsible": ""}, ("C-02", "responsible")),
    ],
)
def test_work_is_announced_whole_and_attended_by_staff(
    staff: Staff, changed: dict[str, Any], problem: tuple[str, str]
) -> None:
    hired(staff)
    assert refused(staff, ADMIN, "work-permit", "open", **{**WORK, **changed}) == {problem}


@pytest.mark.requirement("R143")
@pytest.mark.parametrize(
    ("done", "who", "step", "why"),
    [
        ("", ADMIN, "permit", "a second person must do this"),
        ("", CLERK, "permit", ROLE),
        ("", OFFICER, "permit", "the register has no entry of this number"),
        ("", CLERK, "report", {("C-11", "step")}),
        ("permit", ADMIN, "report", "this step is for the person whom the entry names"),
        ("permit", OTHER_CLERK, "report", "the register has no entry of this number"),
        ("report", CLERK, "accept", ROLE),
        ("report", AUDITOR, "accept", {("C-43", "history_checked")}),
    ],
)
def test_nobody_permits_reports_or_accepts_for_another(
    staff: Staff, permit: int, done: str, who: Person, step: str, why: Any
) -> None:
    if done == "permit":
        staff.step(AUDITOR, "work-permit", permit, "permit")
    if done == "report":
        reported(staff, permit)
    given = {"history_checked": False} if step == "accept" else REPORT if step == "report" else {}
    staff.today("2026-04-11")
    assert refused(staff, who, "work-permit", (permit, step), **given) == why


@pytest.mark.requirement("R143")
def test_whoever_attended_does_not_accept_the_report(staff: Staff) -> None:
    hired(staff)
    number = staff.open(OFFICER, "work-permit", **{**WORK, "witness": ADMIN.id})
    staff.step(AUDITOR, "work-permit", number, "permit")
    staff.today("2026-04-11")
    staff.step(ADMIN, "work-permit", number, "report", **REPORT)
    told = refused(staff, ADMIN, "work-permit", (number, "accept"), **ACCEPT)
    assert told == "a second person must do this"
    assert staff.step(OFFICER, "work-permit", number, "accept", **ACCEPT) == "accepted"


@pytest.mark.requirement("R142", "R143")
def test_no_contractor_accepts_work_whatever_authority_he_holds(staff: Staff, permit: int) -> None:
    reported(staff, permit)
    disguised = staff.second_authority(CONTRACTOR, "OP-0098", "system-administrator")
    told = refused(staff, disguised, "work-permit", (permit, "accept"), **ACCEPT)
    assert told == {("C-45", "step")}


@pytest.mark.requirement("R143")
def test_work_that_is_not_reported_in_time_alarms(staff: Staff, permit: int) -> None:
    staff.step(AUDITOR, "work-permit", permit, "permit")
    staff.today("2026-04-14")
    assert staff.alarms() == {"compliance/due": 1}
    staff.today("2026-04-15")
    assert staff.alarms() == {"compliance/overdue": 1}


@pytest.mark.requirement("R142", "R149", "R150", "R151", "R204")
def test_a_contractor_is_in_the_register_from_contract_to_return(staff: Staff) -> None:
    number = hired(staff)
    assert len(staff.entry("contractor", number)["fields"]["clauses"]) == 11
    staff.step(
        *(ADMIN, "contractor", number, "change-workers"),
        workers=["保守三郎"],
        organisation="一名",
    )
    consent = {
        "subcontractor": "下請電算",
        "subcontracted": "電源の点検",
        "consent": "granted",
        "decided_on": "2026-04-01",
        "document": "市第12号",
    }
    for _ in range(2):
        staff.step(ADMIN, "contractor", number, "subcontract", **consent)
    staff.step(AUDITOR, "contractor", number, "inspect", inspected_on="2026-04-01", inspected="良")
    assert staff.due() == {("contractor", number, "return"): "2027-04-06"}
    entry = staff.entry("contractor", number)
    assert entry["fields"]["workers"] == ["保守三郎"]
    assert entry["steps"][0]["given"]["workers"] == ["保守太郎 主任"]
    staff.today("2027-03-31")
    returned = {
        "returned_on": "2027-03-31",
        "material": "手順書一式",
        "how": "returned",
        "document": "市第90号",
    }
    assert staff.step(ADMIN, "contractor", number, "return", **returned) == "returned"
    told = refused(staff, ADMIN, "work-permit", "open", **WORK)
    assert told == {("C-44", "contractor")}


@pytest.mark.requirement("R149", "R150")
@pytest.mark.parametrize(
    ("step", "given", "problem"),
    [
        ("open", {"clauses": right("contract")[:10]}, ("C-06", "clauses")),
        ("subcontract", {"consent": "perhaps"}, ("C-03", "consent")),
        ("subcontract", {"document": None}, ("C-02", "document")),
    ],
)
def test_a_contract_has_all_clauses_and_consent_is_in_writing(
    staff: Staff, step: str, given: dict[str, Any], problem: tuple[str, str]
) -> None:
    number = hired(staff)
    where: Any = "open" if step == "open" else (number, step)
    told = refused(staff, ADMIN, "contractor", where, **given)
    assert isinstance(told, set)
    assert problem in told


@pytest.mark.requirement("R142")
def test_an_office_does_not_see_what_it_has_no_part_in(staff: Staff, permit: int) -> None:
    told = refused(staff, OTHER_OFFICER, "work-permit", (permit, "permit"))
    assert told == "the register has no entry of this number"
