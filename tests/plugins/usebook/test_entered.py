"""Writing in the book, and what is refused, through the front door."""

import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import Conflict, Malformed, NotFound, Rejected
from tests.plugins.usebook.office import (
    HEADING,
    MONTH,
    OFFICE,
    OTHER_OFFICE,
    TaxOffice,
    auditor,
    clerk,
    line,
    open_office,
    sheet,
)

pytestmark = pytest.mark.requirement("R136")
ONE = {
    "day": "2026-04-01",
    "begins": "10:00",
    "operator": "OP-0001",
    "case": "R8-1",
    "purpose": "prefectural-tax",
    "reason": "01",
    "count": 1,
    "note": "窓口",
}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[TaxOffice]:
    with open_office(tmp_path) as office:
        yield office


def lines(office: TaxOffice, **more: object) -> list[dict[str, object]]:
    return list(office.clerk.ask("usebook/lines", {"month": MONTH, **more}).data["lines"])


def refused(office: TaxOffice, file: str) -> list[tuple[str, str]]:
    """Hand in a file that is refused whole; return rule and place of each problem."""
    with pytest.raises(Rejected) as problem:
        office.clerk.ask("usebook/import", {"file": file})
    assert lines(office) == []
    return [(each.rule, each.item) for each in problem.value.problems]


def test_a_line_stands_in_the_book_with_who_wrote_it(office: TaxOffice) -> None:
    told = office.clerk.ask("usebook/enter", ONE).data
    assert told == {"month": MONTH, "number": 1}
    (line,) = lines(office)
    assert line | ONE == line
    assert line["by"] == {"person": "P-OP-0001", "operator": "OP-0001"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_spreadsheet_is_read_as_offices_save_it(office: TaxOffice, encoding: str) -> None:
    file = sheet(line("9:05", "使用簿１", day="2026/4/1", note="来庁、髙橋①"), encoding=encoding)
    told = office.clerk.ask("usebook/import", {"file": file}).data
    assert told == {"lines": 1, "months": {MONTH: 1}}
    (found,) = lines(office)
    assert (found["day"], found["begins"], found["case"]) == ("2026-04-01", "09:05", "使用簿1")
    assert found["note"] == "来庁、髙橋①"


def test_columns_may_stand_in_any_order_and_some_may_be_missing(office: TaxOffice) -> None:
    heading = "件数,利用事由,事務,操作者ID,時刻,使用日"
    file = sheet("1,01,prefectural-tax,OP-0001,10:00,2026-04-01", heading=heading)
    office.clerk.ask("usebook/import", {"file": file})
    assert [each["count"] for each in lines(office)] == [1]


def test_every_bad_line_is_named_and_nothing_is_taken(office: TaxOffice) -> None:
    file = sheet(
        line("10:00", "R8-1"),
        line("10:00", day="2026-04-31"),
        line("25:00"),
        line("10:00", operator=""),
        line("10:00", purpose="fishing"),
        line("10:00", reason="99"),
        line("10:00", count=-1),
        line("10:00", day="2026-04-02"),
        line("10:00", ends="9:00"),
        line("10:00") + ",too much",
        line("10:00", day="0001-01-01"),
        line("10:00", day="2002-08-04"),
    )
    assert set(refused(office, file)) == {
        ("U-04", "line 3, 使用日"),
        ("U-06", "line 4, 開始時刻"),
        ("U-07", "line 5, 操作者ID"),
        ("U-10", "line 6, 事務"),
        ("U-11", "line 7, 利用事由"),
        ("U-12", "line 8, 件数"),
        ("U-05", "line 9, 使用日"),
        ("U-09", "line 10, 終了時刻"),
        ("U-03", "line 11"),
        ("U-19", "line 12, 使用日"),
        ("U-19", "line 13, 使用日"),
    }


@pytest.mark.parametrize(
    ("heading", "problems"),
    [
        (HEADING.replace("件数", "人数"), [("U-02", "line 1"), ("U-02", "line 1, 件数")]),
        (HEADING.replace("備考", "件数"), [("U-02", "line 1, 件数")]),
        (HEADING + ",x" * 100_000, [("U-02", "line 1")]),
    ],
)
def test_a_heading_that_is_not_understood_is_told(
    office: TaxOffice, heading: str, problems: list[tuple[str, str]]
) -> None:
    assert refused(office, sheet(line("10:00"), heading=heading)) == problems


@pytest.mark.parametrize("month", ["0000-01", "0001-01", "9999-12", "2026-13"])
def test_a_month_in_which_there_can_be_no_book_is_refused(office: TaxOffice, month: str) -> None:
    for operation in ("match", "sign-off", "leftovers", "lines"):
        with pytest.raises(Malformed):
            office.officer.ask(f"usebook/{operation}", {"month": month})


def test_of_a_file_that_is_too_long_no_more_is_taken_apart_than_is_needed(
    office: TaxOffice,
) -> None:
    file = sheet(*["x"] * 100_000)
    tracemalloc.start()
    try:
        assert refused(office, file) == [("U-16", "file")]
        assert tracemalloc.get_traced_memory()[1] < 30 * len(file)
    finally:
        tracemalloc.stop()


def test_a_file_that_is_no_text_is_told(office: TaxOffice) -> None:
    assert refused(office, b64encode(b"\x81\x20\xfd").decode()) == [("U-01", "file")]


def test_a_note_over_several_lines_does_not_shift_the_numbers(office: TaxOffice) -> None:
    file = sheet(line("10:00", note='"一\n二\n三"'), line("10:00", count=-1))
    assert refused(office, file) == [("U-12", "line 5, 件数")]


def test_the_same_file_is_not_taken_twice(office: TaxOffice) -> None:
    office.writes(line("10:00", "R8-1"))
    with pytest.raises(Rejected) as problem:
        office.writes(line("10:00", "R8-1"))
    assert [each.rule for each in problem.value.problems] == ["U-14"]


def test_a_file_may_say_the_same_of_two_persons(office: TaxOffice) -> None:
    office.writes(line("10:00", "R8-1"), line("10:00", "R8-1"))
    assert len(lines(office)) == 2


def test_no_value_of_a_bad_line_is_repeated(office: TaxOffice) -> None:
    file = sheet(line("10:00", operator="熊本花子", purpose="熊本花子", count=-1))
    with pytest.raises(Rejected) as problem:
        office.clerk.ask("usebook/import", {"file": file})
    assert "熊本花子" not in f"{problem.value.text}{problem.value.problems}"


def test_a_correction_keeps_what_was_there(office: TaxOffice) -> None:
    office.clerk.ask("usebook/enter", ONE)
    body = {"month": MONTH, "number": 1, "line": {**ONE, "count": 2}, "why": "件数の誤記"}
    office.clerk.ask("usebook/correct", body)
    assert [each["count"] for each in lines(office)] == [2]
    states = lines(office, number=1)
    assert [(each["count"], each["why"]) for each in states] == [(1, ""), (2, "件数の誤記")]


def test_a_line_that_is_struck_out_does_not_count_and_stays_readable(office: TaxOffice) -> None:
    office.clerk.ask("usebook/enter", ONE)
    body = {"month": MONTH, "number": 1, "why": "利用しなかった"}
    office.clerk.ask("usebook/correct", body)
    assert [each["struck"] for each in lines(office)] == [True]
    assert office.matches()["matched"]["lines"] == 0
    with pytest.raises(Conflict):
        office.clerk.ask("usebook/correct", body)
    with pytest.raises(NotFound):
        office.clerk.ask("usebook/correct", {**body, "number": 2})


def test_a_line_stays_in_its_month(office: TaxOffice) -> None:
    office.clerk.ask("usebook/enter", ONE)
    moved = {"month": MONTH, "number": 1, "line": {**ONE, "day": "2026-03-31"}, "why": "誤記"}
    with pytest.raises(Rejected) as problem:
        office.clerk.ask("usebook/correct", moved)
    assert [each.rule for each in problem.value.problems] == ["U-17"]


def test_an_office_writes_in_its_own_book_alone(office: TaxOffice) -> None:
    office.clerk.ask("usebook/enter", ONE)
    stranger = clerk(office.bench, "OP-0099", OTHER_OFFICE)
    body = {"month": MONTH, "number": 1, "why": "誤記"}
    with pytest.raises(NotFound):
        stranger.ask("usebook/correct", body)
    assert lines(office)[0]["struck"] is False
    seen = auditor(office.bench).ask("usebook/lines", {"month": MONTH, "office": OFFICE}).data
    assert [each["number"] for each in seen["lines"]] == [1]


def test_notes_are_not_in_the_ledger(office: TaxOffice) -> None:
    office.clerk.ask("usebook/enter", {**ONE, "note": "熊本花子の件"})
    entry = office.bench.ledger()[-1]
    assert entry.operation == "usebook/enter"
    assert entry.conditions["case"] == "R8-1"
    assert "note" not in entry.conditions
