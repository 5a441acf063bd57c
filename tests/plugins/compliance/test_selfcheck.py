"""自己点検: from the system administrator to each office and back, in three hands."""

from typing import Any

import pytest

from tests.plugins.compliance.staff import (
    ADMIN,
    AUDITOR,
    CLERK,
    OFFICER,
    OTHER_CLERK,
    OTHER_OFFICER,
    REGISTRAR,
    TAX,
    WELFARE,
    Person,
    Staff,
    refused,
    right,
)

SHEET = "self-check"


@pytest.fixture
def sheets(staff: Staff) -> dict[str, int]:
    """A campaign in two offices; return the sheet of each."""
    given = {"fiscal_year": 2026, "due_on": "2026-06-30", "offices": [TAX, WELFARE]}
    opened = staff.ask(ADMIN, "open", book="self-check-campaign", given=given)["opened"]
    numbers = [each["number"] for each in opened]
    return {staff.entry(SHEET, n)["entry"]["office"]: n for n in numbers}


@pytest.mark.requirement("R174", "R177")
def test_a_campaign_gives_every_office_its_sheet(staff: Staff) -> None:
    given = {"fiscal_year": 2026, "due_on": "2026-06-30"}
    answer = staff.ask(ADMIN, "open", book="self-check-campaign", given=given)
    assert len(answer["opened"]) == 4
    lines = staff.ask(ADMIN, "entries", book=SHEET)["entries"]
    assert [line["office"] for line in lines] == ["市町村課", "監査室", TAX, WELFARE]
    assert {line["state"] for line in lines} == {"asked"}
    assert {line["due"]["hand-in"] for line in lines} == {"2026-06-30"}


@pytest.mark.requirement("R176", "R177")
def test_a_sheet_goes_through_three_hands_and_is_kept_five_years(
    staff: Staff, sheets: dict[str, int]
) -> None:
    number = sheets[TAX]
    results = right("self-check", item_4_1="保管庫の鍵を発注済み")
    assert staff.step(REGISTRAR, SHEET, number, "answer", results=results) == "answered"
    assert staff.step(OFFICER, SHEET, number, "confirm") == "confirmed"
    assert staff.step(ADMIN, SHEET, number, "accept", remark="受領") == "accepted"
    entry = staff.entry(SHEET, number)
    assert [(s["step"], s["person"]) for s in entry["steps"]] == [
        ("open", ADMIN.id),
        ("answer", REGISTRAR.id),
        ("confirm", OFFICER.id),
        ("accept", ADMIN.id),
    ]
    assert entry["fields"]["results"] == results
    assert entry["parent"] == {"book": "self-check-campaign", "number": 1}
    # Five years from the 1st of April that follows.
    assert entry["kept_until"] == "2032-03-31"
    assert (entry["entry"]["due"], entry["possible"]) == ({}, ())


@pytest.mark.requirement("R175")
@pytest.mark.parametrize(
    ("results", "problem"),
    [
        (None, "C-02"),
        ([], "C-02"),
        ("yes", "C-03"),
        ([{"item": "1-1", "answer": "maybe"}], "C-03"),
        ([{"item": "1-1", "answer": ["yes"]}], "C-03"),
        ([{"item": "1-1", "answer": "yes", "more": 1}], "C-03"),
        (right("self-check")[1:], "C-06"),
        ([*right("self-check"), {"item": "1-1", "answer": "yes"}], "C-06"),
        ([*right("self-check")[1:], {"item": "9-9", "answer": "yes"}], "C-06"),
        ([*right("self-check")[1:], {"item": "1-1", "answer": "no"}], "C-07"),
    ],
)
def test_every_item_of_the_checklist_is_answered_once(
    staff: Staff, sheets: dict[str, int], results: Any, problem: str
) -> None:
    given = {} if results is None else {"results": results}
    told = refused(staff, CLERK, SHEET, (sheets[TAX], "answer"), **given)
    assert told == {(problem, "results")}


OWN = "this step is for the office whose entry it is"
ROLE = "no role of yours may take this step"
UNSEEN = "the register has no entry of this number"


@pytest.mark.requirement("R176")
@pytest.mark.parametrize(
    ("done", "who", "step", "why"),
    [
        ("", OFFICER, "answer", ROLE),
        ("", ADMIN, "answer", ROLE),
        ("", OTHER_CLERK, "answer", UNSEEN),
        ("", OFFICER, "confirm", {("C-11", "step")}),
        ("answer", CLERK, "answer", {("C-11", "step")}),
        ("answer", REGISTRAR, "confirm", ROLE),
        ("answer", OTHER_OFFICER, "confirm", UNSEEN),
        ("answer", ADMIN, "accept", {("C-11", "step")}),
        ("confirm", OFFICER, "accept", ROLE),
        ("confirm", AUDITOR, "accept", ROLE),
        ("confirm", ADMIN, "open", "the book has no such step; compliance/books names them"),
    ],
)
def test_nobody_takes_a_step_that_is_not_his(
    staff: Staff, sheets: dict[str, int], done: str, who: Person, step: str, why: Any
) -> None:
    number = sheets[TAX]
    if done:
        staff.step(CLERK, SHEET, number, "answer", results=right("self-check"))
    if done == "confirm":
        staff.step(OFFICER, SHEET, number, "confirm")
    given = {"results": right("self-check")} if step == "answer" else {}
    assert refused(staff, who, SHEET, (number, step), **given) == why


@pytest.mark.requirement("R176")
def test_whoever_answered_does_not_confirm_under_another_authority(
    staff: Staff, sheets: dict[str, int]
) -> None:
    """照合ID is compared, not 操作者ID: the clerk is an officer too, under another one."""
    number = sheets[TAX]
    staff.step(CLERK, SHEET, number, "answer", results=right("self-check"))
    same_person = staff.second_authority(CLERK, "OP-0099", "security-officer")
    told = refused(staff, same_person, SHEET, (number, "confirm"))
    assert told == "a second person must do this"


@pytest.mark.requirement("R176")
def test_a_sheet_is_sent_back_by_either_and_answered_again(
    staff: Staff, sheets: dict[str, int]
) -> None:
    number = sheets[TAX]
    answer = {"results": right("self-check")}
    staff.step(CLERK, SHEET, number, "answer", **answer)
    assert staff.step(OFFICER, SHEET, number, "send-back", why="2-3を確認のこと") == "returned"
    assert refused(staff, OFFICER, SHEET, (number, "confirm")) == {("C-11", "step")}
    staff.step(CLERK, SHEET, number, "answer", **answer)
    staff.step(OFFICER, SHEET, number, "confirm")
    assert staff.step(ADMIN, SHEET, number, "refuse", why="備考が足りない") == "returned"
    assert staff.step(CLERK, SHEET, number, "answer", **answer) == "answered"


@pytest.mark.requirement("R174")
def test_who_is_missing_is_told_and_alarms_when_the_day_is_over(
    staff: Staff, sheets: dict[str, int]
) -> None:
    staff.step(CLERK, SHEET, sheets[TAX], "answer", results=right("self-check"))
    staff.today("2026-06-20")
    assert staff.alarms() == {}
    staff.today("2026-06-23")
    assert staff.alarms() == {"compliance/due": 2}
    staff.today("2026-07-01")
    assert staff.alarms() == {"compliance/overdue": 2}
    due = staff.ask(ADMIN, "due")
    assert due["overdue"] == 2
    assert [(d["office"], d["state_title"], d["days_left"], d["roles"]) for d in due["due"]] == [
        (TAX, "記入済み", -1, ("security-officer",)),
        (WELFARE, "依頼済み", -1, ("clerk", "registrar")),
    ]
    mine = staff.ask(OTHER_OFFICER, "due")["due"]
    assert [each["office"] for each in mine] == [WELFARE]


@pytest.mark.parametrize(
    ("who", "given", "why"),
    [
        (OFFICER, {}, ROLE),
        (ADMIN, {}, {("C-02", "fiscal_year"), ("C-02", "due_on")}),
        (ADMIN, {"fiscal_year": 2026, "due_on": "2026-06-31"}, {("C-03", "due_on")}),
        (ADMIN, {"fiscal_year": "2026", "due_on": "2026-06-30"}, {("C-03", "fiscal_year")}),
        (
            ADMIN,
            {"fiscal_year": 2026, "due_on": "2026-06-30", "offices": ["別の課"]},
            {("C-09", "offices")},
        ),
        (
            ADMIN,
            {"fiscal_year": 2026, "due_on": "2026-06-30", "offices": [TAX, TAX]},
            {("C-05", "offices")},
        ),
        (
            ADMIN,
            {"fiscal_year": 2026, "due_on": "2026-06-30", "more": "熊本花子"},
            {("C-01", "given")},
        ),
    ],
)
def test_a_campaign_is_opened_whole(
    staff: Staff, who: Person, given: dict[str, Any], why: Any
) -> None:
    assert refused(staff, who, "self-check-campaign", "open", **given) == why


def test_a_sheet_is_not_opened_by_hand(staff: Staff) -> None:
    given = {"fiscal_year": 2026, "due_on": "2026-06-30"}
    assert refused(staff, ADMIN, SHEET, "open", **given) == {("C-15", "book")}
