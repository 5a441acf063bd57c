"""The book held against the ledger, through the front door."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import NotPermitted
from tests.plugins.people import number
from tests.plugins.usebook.office import (
    MONTH,
    TAX,
    TaxOffice,
    line,
    open_office,
)

pytestmark = pytest.mark.requirement("R136", "R137", "R200")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[TaxOffice]:
    with open_office(tmp_path) as office:
        yield office


def test_a_book_that_says_what_was_done_leaves_nothing(office: TaxOffice) -> None:
    office.inquires(1, "R8-1")
    office.inquires(2, "R8-2")
    office.writes(line("10:00", "R8-1"), line("10:00", "R8-2"))
    told = office.matches()
    assert (told["matched"]["uses"], told["matched"]["lines"], told["matched"]["matched"]) == (
        2,
        2,
        2,
    )
    assert office.leftovers() == []


def test_a_use_that_nobody_wrote_down_is_found(office: TaxOffice) -> None:
    office.inquires(1, "R8-1")
    office.inquires(2, "R8-2")
    office.writes(line("10:00", "R8-1"))
    office.matches()
    (left,) = office.leftovers()
    assert left["kind"] == "unrecorded"
    assert left["id"] == f"use-{left['uses'][0]}"
    assert (left["nearest"], left["differs"], left["taken"]) == (1, ("case",), True)


def test_a_line_that_nobody_used_the_system_for_is_found(office: TaxOffice) -> None:
    office.inquires(1, "R8-1")
    office.writes(line("10:00", "R8-1"), line("15:00", "R8-9", count=3))
    office.matches()
    (left,) = office.leftovers()
    assert (left["kind"], left["lines"]) == ("unfounded", (2,))
    assert left["differs"] == ("case", "count", "time")


@pytest.mark.parametrize(
    ("written", "differs"),
    [
        (line("10:00", "R8-1", count=2), ("count",)),
        (line("10:00", "R8-1", operator="OP-0009"), ("operator",)),
        (line("10:00", "R8-1", reason="02"), ("purpose",)),
        (line("10:16", "R8-1"), ("time",)),
        (line("10:00", "R8-7"), ("case",)),
        (line("10:00", ""), ("case",)),
        (line("10:16", "R8-1", count=2), ("count", "time")),
    ],
)
def test_where_both_sides_mean_the_same_and_disagree_it_is_told_in_what(
    office: TaxOffice, written: str, differs: tuple[str, ...]
) -> None:
    office.inquires(1, "R8-1")
    office.writes(written)
    office.matches()
    (left,) = office.leftovers()
    assert (left["kind"], left["differs"]) == ("differing", differs)
    assert left["id"] == f"use-{left['uses'][0]}-line-1"


def test_times_may_be_off_by_the_tolerance_and_no_more(office: TaxOffice) -> None:
    office.inquires(1, "R8-1")
    office.writes(line("9:45", "R8-1"))
    office.matches()
    assert office.leftovers() == []
    office.matches(tolerance=14)
    assert [each["differs"] for each in office.leftovers()] == [("time",)]


def test_requests_under_one_number_are_one_use(office: TaxOffice) -> None:
    for minute, which in ((0, 1), (10, 2), (20, 2)):
        office.at(10, minute)
        office.inquires(which, "R8-1")
    office.writes(line("10:00", "R8-1", count=2, ends="10:20"))
    told = office.matches()["matched"]
    assert (told["uses"], told["requests"], told["matched"]) == (1, 3, 1)
    assert office.leftovers() == []


def test_a_use_that_lasts_beyond_its_line_is_told(office: TaxOffice) -> None:
    for minute in (0, 15, 30):
        office.at(10, minute)
        office.inquires(1, "R8-1")
    office.writes(line("10:00", "R8-1", ends="10:05"))
    office.matches()
    assert [each["differs"] for each in office.leftovers()] == [("time",)]


def test_one_line_may_stand_for_several_uses_of_its_number(office: TaxOffice) -> None:
    office.inquires(1, "R8-1")
    office.at(10, 20)
    office.inquires(2, "R8-1")
    office.writes(line("10:00", "R8-1", count=2, ends="10:20"))
    told = office.matches()["matched"]
    assert (told["uses"], told["lines"], told["matched"]) == (2, 1, 2)


def test_several_lines_may_stand_for_one_use(office: TaxOffice) -> None:
    office.inquires(1, "R8-1")
    office.at(10, 5)
    office.inquires(2, "R8-1")
    office.writes(line("10:00", "R8-1"), line("10:05", "R8-1"))
    assert office.matches()["matched"]["matched"] == 1
    assert office.leftovers() == []


def test_a_search_counts_whom_was_opened_and_otherwise_whom_it_listed(office: TaxOffice) -> None:
    by = {"birth_date": "1990-04-05", "municipality_code": "432024", "sex": "2"}
    found = office.clerk.ask("search/find", by, **TAX, case_number="R8-1").data["residents"]
    ref = {"ref": found[0]["ref"], "items": ["name"]}
    office.clerk.ask("search/detail", ref, **TAX, case_number="R8-1")
    office.clerk.ask("search/find", by, **TAX, case_number="R8-2")
    by["birth_date"] = "1890-04-05"
    office.clerk.ask("search/find", by, **TAX, case_number="R8-3")
    office.writes(
        line("10:00", "R8-1", count=1),
        line("10:00", "R8-2", count=4),
        line("10:00", "R8-3", count=0),
    )
    assert office.matches()["matched"]["matched"] == 3


def test_what_was_refused_is_no_use(office: TaxOffice) -> None:
    body = {"by": {"my_number": number(1)}, "items": ["resident_code"]}
    with pytest.raises(NotPermitted):
        office.clerk.ask("provision/inquire", body, **TAX)
    assert office.matches()["matched"]["uses"] == 0


def test_numbers_typed_in_full_width_are_the_same(office: TaxOffice) -> None:
    office.inquires(1, "使用簿12")
    office.writes(line("10:00", "使用簿１２", operator="ＯＰ-０００１"))
    office.matches()
    assert office.leftovers() == []


def test_a_use_and_its_line_may_lie_on_two_sides_of_midnight(office: TaxOffice) -> None:
    office.at(0, 4)
    office.inquires(1, "R8-1")
    office.at(9, 0)
    office.writes(line("23:58", "R8-1", day="2026-03-31"))
    april = office.matches()["matched"]
    assert (april["uses"], april["lines"], april["matched"], april["unrecorded"]) == (1, 0, 1, 0)
    march = office.officer.ask("usebook/match", {"month": "2026-03"}).data["matched"]
    assert (march["uses"], march["lines"], march["unfounded"]) == (0, 1, 0)


def test_a_line_of_the_next_month_does_not_hide_a_use(office: TaxOffice) -> None:
    office.inquires(1, "R8-1")
    office.next_month()
    office.writes(line("10:00", "R8-1", day="2026-05-01"))
    told = office.matches()["matched"]
    assert (told["uses"], told["matched"], told["differing"]) == (1, 0, 1)
    assert [each["differs"] for each in office.leftovers()] == [("time",)]


def test_the_matching_of_a_month_is_in_the_ledger(office: TaxOffice) -> None:
    office.matches()
    entry = office.bench.ledger()[-1]
    assert (entry.operation, entry.operator) == ("usebook/match", "SEC-1")
    assert entry.conditions == {"month": MONTH, "tolerance": 15}
    assert entry.note == "0 uses, 0 lines: 0 unrecorded, 0 unfounded, 0 differing"
