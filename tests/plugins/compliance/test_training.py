"""研修: who was there, who must come again, and who has not said that he knows the rules."""

from typing import Any

import pytest

from tests.plugins.compliance.staff import (
    ADMIN,
    AUDITOR,
    CLERK,
    EVERYBODY,
    OFFICER,
    OTHER_CLERK,
    REGISTRAR,
    Person,
    Staff,
    hired,
    refused,
)

GIVEN: dict[str, Any] = {
    "title": "操作者研修",
    "audience": "operators",
    "held_on": "2026-04-01",
    "topics": ["overview", "operation", "security", "emergency"],
    "attended": [CLERK.id, REGISTRAR.id],
}


def lacking(staff: Staff, what: str, who: Person = ADMIN) -> set[str]:
    found = staff.ask(who, "lacking")["lacking"]
    return {each["person"] for each in found if each[what]}


ALL = {person.id for person in EVERYBODY}


@pytest.mark.requirement("R183")
def test_whoever_attends_is_trained_for_a_year(staff: Staff) -> None:
    assert lacking(staff, "training") == ALL
    staff.open(ADMIN, "training", **GIVEN)
    assert lacking(staff, "training") == ALL - {CLERK.id, REGISTRAR.id}
    staff.today("2027-04-01")
    assert CLERK.id not in lacking(staff, "training")
    staff.today("2027-04-02")
    assert lacking(staff, "training") == ALL


@pytest.mark.requirement("R183")
def test_an_officer_sees_those_of_his_office(staff: Staff) -> None:
    assert lacking(staff, "training", OFFICER) == {OFFICER.id, REGISTRAR.id, CLERK.id}


@pytest.mark.requirement("R183")
def test_whoever_was_absent_makes_up_for_it(staff: Staff) -> None:
    absent = [OFFICER.id, OTHER_CLERK.id]
    number = staff.open(ADMIN, "training", **GIVEN, absent=absent)
    assert staff.due() == {("training", number, "make-up"): "2026-06-29"}
    assert refused(staff, ADMIN, "training", (number, "close")) == {("C-52", "step")}
    again = {"made_up": [CLERK.id], "made_up_on": "2026-04-01"}
    assert refused(staff, ADMIN, "training", (number, "make-up"), **again) == {("C-51", "made_up")}
    staff.today("2026-05-01")
    for person in absent:
        staff.step(ADMIN, "training", number, "make-up", made_up=[person], made_up_on="2026-05-01")
    assert staff.step(ADMIN, "training", number, "close") == "closed"
    assert not set(absent) & lacking(staff, "training")
    staff.today("2027-04-15")
    # He was trained a month later than the others, so he is not due yet.
    assert OFFICER.id not in lacking(staff, "training")
    assert CLERK.id in lacking(staff, "training")


@pytest.mark.requirement("R183", "R205")
@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({"topics": []}, {("C-02", "topics")}),
        ({"topics": ["cooking"]}, {("C-03", "topics")}),
        ({"topics": ["overview", "overview"]}, {("C-05", "topics")}),
        ({"audience": "everybody"}, {("C-03", "audience")}),
        ({"held_on": "2026-04-02"}, {("C-04", "held_on")}),
        ({"held_on": "20260401"}, {("C-03", "held_on")}),
        ({"attended": ["P-OP-9999"]}, {("C-08", "attended")}),
        ({"attended": []}, {("C-54", "attended")}),
        ({"title": "あ" * 2001}, {("C-03", "title")}),
        ({"title": "　"}, {("C-03", "title")}),
        ({"audience": "contractor"}, {("C-56", "contractor")}),
        ({"audience": "contractor", "contractor": 9}, {("C-44", "contractor")}),
        ({"contractor": -1}, {("C-03", "contractor")}),
        ({"contractor": True}, {("C-03", "contractor")}),
    ],
)
def test_a_training_says_what_it_was_about_and_who_was_there(
    staff: Staff, changed: dict[str, Any], problems: set[tuple[str, str]]
) -> None:
    assert refused(staff, ADMIN, "training", "open", **{**GIVEN, **changed}) == problems


@pytest.mark.requirement("R152")
def test_a_contractor_is_trained_once_a_year_too(staff: Staff) -> None:
    number = hired(staff)
    assert staff.ask(ADMIN, "lacking")["contractors"] == ({"contractor": 1, "trained_on": None},)
    given = {**GIVEN, "audience": "contractor", "contractor": number, "attended": []}
    staff.open(ADMIN, "training", **given, workers=["保守太郎"])
    assert staff.ask(ADMIN, "lacking")["contractors"] == ()
    staff.today("2027-04-02")
    (idle,) = staff.ask(ADMIN, "lacking")["contractors"]
    assert idle == {"contractor": 1, "trained_on": "2026-04-01"}


@pytest.mark.requirement("R183")
@pytest.mark.parametrize("who", [CLERK, REGISTRAR], ids=lambda who: who.role)
def test_nobody_records_his_own_training(staff: Staff, who: Person) -> None:
    why = "no role of yours may take this step"
    assert refused(staff, who, "training", "open", **GIVEN) == why


@pytest.mark.requirement("R183")
def test_an_officer_records_the_training_of_his_own_office(staff: Staff) -> None:
    told = refused(staff, OFFICER, "training", "open", **{**GIVEN, "absent": [OTHER_CLERK.id]})
    assert told == {("C-57", "attended")}
    staff.open(OFFICER, "training", **GIVEN)
    assert CLERK.id not in lacking(staff, "training")


@pytest.mark.requirement("R184", "R185")
def test_each_acknowledges_the_ban_himself_once_a_year(staff: Staff) -> None:
    assert lacking(staff, "acknowledgement") == ALL
    staff.open(CLERK, "acknowledgement", understood=True)
    assert lacking(staff, "acknowledgement") == ALL - {CLERK.id}
    told = refused(staff, CLERK, "acknowledgement", "open", understood=True)
    assert told == {("C-53", "book")}
    entry = staff.entry("acknowledgement", 1)
    assert [step["person"] for step in entry["steps"]] == [CLERK.id]
    staff.today("2027-04-01")
    assert lacking(staff, "acknowledgement") == ALL
    staff.open(CLERK, "acknowledgement", understood=True)
    assert CLERK.id not in lacking(staff, "acknowledgement")


@pytest.mark.requirement("R184")
@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, ("C-02", "understood")),
        ({"understood": "yes"}, ("C-03", "understood")),
        ({"understood": False}, ("C-55", "understood")),
    ],
)
def test_it_is_not_acknowledged_by_saying_no(
    staff: Staff, given: dict[str, Any], problem: tuple[str, str]
) -> None:
    assert refused(staff, AUDITOR, "acknowledgement", "open", **given) == {problem}
