"""A year of a prefecture: who moves across, who is overtaken, and that it can be made again."""

from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest

from scripts.demo import agreement
from tests.simulators.cs_file import MunicipalFile
from tests.simulators.notices import Expected, Notice, eight_of, read_lines
from tests.simulators.year import WAITS, Plan, Told, Year, make

PLAN = Plan(residents=9_000, notices=1_000, slices=6, seed=3, day=date(2026, 4, 1))


@pytest.fixture(scope="module")
def year() -> list[list[Told]]:
    return list(Year(PLAN).slices())


def test_the_same_plan_gives_the_same_year(year: list[list[Told]]) -> None:
    assert list(Year(PLAN).slices()) == year


def test_every_slice_has_its_share_and_all_is_told(year: list[list[Told]]) -> None:
    assert len(year) == PLAN.slices
    assert all(year)
    # Rounding down in 45 municipalities costs a few; faults and people who move across add some.
    assert 0.9 < sum(map(len, year)) / PLAN.notices < 1.4


def test_slices_are_about_equal_and_only_the_last_takes_more() -> None:
    # Most municipalities are lifted to what the smallest needs, so more live there than planned.
    *sizes, last = map(len, Year(Plan(10_000, 1_800, 24, 1, PLAN.day)).slices())
    assert max(sizes) < 1.1 * min(sizes)
    assert last > max(sizes)


def test_people_move_across_and_some_arrive_before_they_left(year: list[list[Told]]) -> None:
    told: dict[str, list[tuple[int, Told]]] = defaultdict(list)
    for number, each in ((n, each) for n, part in enumerate(year) for each in part):
        told[each.line.notice.resident_code].append((number, each))
    across = {
        code: notices
        for code, notices in told.items()
        if len({each.municipality_code for _, each in notices if not _is_refused(each)}) > 1
    }
    assert len(across) > 10
    overtaken = 0
    for notices in across.values():
        left = [n for n, each in notices if each.line.notice.reason == "21"]
        came = [(n, each) for n, each in notices if each.line.notice.reason == "11"]
        for number, each in came:
            if each.line.expected == WAITS:
                overtaken += 1
                assert any(number < other for other in left)
    assert overtaken > 0


def _is_refused(told: Told) -> bool:
    return told.line.expected.outcome == "rejected"


def test_update_numbers_of_a_person_have_no_gap_whoever_tells(year: list[list[Told]]) -> None:
    numbers: dict[str, set[int]] = defaultdict(set)
    for each in (each for part in year for each in part):
        if each.line.expected.outcome != "rejected":
            numbers[each.line.notice.resident_code].add(each.line.notice.update_number)
    for found in numbers.values():
        assert sorted(found) == list(range(min(found), max(found) + 1))


def test_the_faults_are_as_many_as_planned(year: list[list[Told]]) -> None:
    outcomes = Counter(each.line.expected.outcome for part in year for each in part)
    whole = sum(outcomes.values())
    assert 0.03 < outcomes["rejected"] / whole < 0.08
    assert 0.003 < outcomes["duplicate"] / whole < 0.02


def test_it_is_written_as_one_folder_a_municipality(tmp_path: Path) -> None:
    plan = PLAN._replace(notices=300, slices=2)
    made = make(plan, tmp_path)
    assert len(list(tmp_path.iterdir())) == 45
    written = 0
    for path in tmp_path.glob("*/[0-9][0-9].jsonl"):
        notices = list(read_lines(path, Notice))
        expected = list(read_lines(path.with_suffix(".expected.jsonl"), Expected))
        written += len(notices)
        assert all(notices[each.line - 1].sequence == each.sequence for each in expected)
    assert written == made.notices


def test_whoever_told_last_is_who_is_compared(tmp_path: Path, year: list[list[Told]]) -> None:
    before = year[0][0].line.notice
    later = Notice(
        **{n: getattr(before, n) for n in Notice.__struct_fields__}
        | {"update_number": before.update_number + 1, "address": "熊本県宇土市浦田町５１"}
    )
    for code, notice in (("432024", later), ("432032", before)):
        (tmp_path / code).mkdir()
        with MunicipalFile(tmp_path / code / "cs.db") as file:
            file.record([notice], [])
    told = agreement._told(tmp_path)
    assert told == {before.resident_code: later}
    eight = eight_of(before)
    differing = list(agreement._different("national", "x", eight_of(later), eight))
    assert differing == ["national: x differs in address"]
    assert list(agreement._different("national", "x", None, eight)) == [
        "national: x is one too many"
    ]
