from collections import Counter
from datetime import date
from functools import cache
from itertools import pairwise

import pytest

from appliance.values.identifiers import is_my_number, is_resident_code
from tests.simulators.faults import FAULTS
from tests.simulators.movements import SENT_RIGHTLY, Line, Movements
from tests.simulators.population import Population
from tests.simulators.prefecture import REASONS, Prefecture
from tests.simulators.register import TooFewPeople

YATSUSHIRO = "432024"
STREAM_FAULTS = {
    "a notice before it is missing",
    "lost, sent again, releases the next",
    "overtaken by other people's notices",
    "sent twice",
    "sequence number used for something else",
    SENT_RIGHTLY,
}


@cache
def stream(
    seed: int = 3, count: int = 2_000, residents: int = 5_000, code: str = YATSUSHIRO
) -> tuple[Line, ...]:
    return tuple(Movements(Population(seed, code, residents), seed, count).lines())


def test_the_same_seed_makes_the_same_stream() -> None:
    again = Movements(Population(3, YATSUSHIRO, 5_000), 3, 2_000)

    assert tuple(again.lines()) == stream()


def test_another_seed_makes_another_stream() -> None:
    assert stream(seed=4)[0].notice != stream()[0].notice


@pytest.mark.parametrize(
    ("seed", "code"), [(1, YATSUSHIRO), (2, "431001"), (3, "435112"), (4, YATSUSHIRO)]
)
def test_a_second_reading_of_the_rules_answers_what_was_written_down(seed: int, code: str) -> None:
    population = Population(seed, code, 3_000)
    prefecture = Prefecture(code, population.day)
    for person in population.notices():
        assert prefecture.take(person) == ("applied", ())

    for number, line in enumerate(Movements(population, seed, 2_500).lines(), start=1):
        verdict = prefecture.take(line.notice)
        wanted = line.expected.rule
        assert verdict.outcome == line.expected.outcome, (number, line)
        assert (wanted in verdict.rules) if wanted else verdict.rules == (), (number, line)

    assert prefecture.held == {}
    assert prefecture.missing() == []


def test_every_kind_of_fault_is_planted_and_says_so() -> None:
    planted = Counter(line.fault for line in stream() if line.fault)

    assert set(planted) == {fault.name for fault in FAULTS} | STREAM_FAULTS


def test_every_kind_of_fault_is_planted_even_in_a_short_stream() -> None:
    short = stream(count=20, residents=300)

    assert {line.fault for line in short} == {f.name for f in FAULTS} | STREAM_FAULTS | {""}


def test_a_line_without_a_fault_is_simply_applied() -> None:
    ordinary = [line for line in stream() if not line.fault]

    assert {(line.expected.outcome, line.expected.rule) for line in ordinary} == {("applied", None)}


def test_there_are_as_many_ordinary_movements_as_asked_for() -> None:
    faults = sum(1 for line in stream() if line.fault)
    ordinary = len(stream()) - faults
    sent_twice = sum(line.fault.startswith(("sent twice", "sequence number")) for line in stream())

    assert ordinary == 2_000 + sent_twice


def test_no_share_of_faults_still_plants_each_kind_once() -> None:
    lines = list(Movements(Population(3, YATSUSHIRO, 2_000), 3, 100, fault_share=0.0).lines())

    planted = [line.fault for line in lines if line.fault and line.fault != SENT_RIGHTLY]
    assert len(planted) == len(FAULTS) + len(STREAM_FAULTS) - 1


def test_what_was_refused_for_one_wrong_item_is_sent_again_rightly() -> None:
    again = [line.notice for line in stream() if line.fault == SENT_RIGHTLY]
    refused = [line.notice for line in stream() if line.expected.outcome == "rejected"]
    assert len(again) > 10
    for right in again:
        wrong = [each for each in refused if each.sequence == right.sequence - 1]
        assert len(wrong) == 1
        assert wrong[0] != right


def test_check_digits_are_right_except_where_planted() -> None:
    for line in stream():
        notice = line.notice
        wrong_code = line.fault == "wrong check digit of the 住民票コード"
        wrong_number = line.fault == "wrong check digit of the 個人番号"
        assert is_resident_code(notice.resident_code) != wrong_code
        assert (notice.my_number is None or is_my_number(notice.my_number)) != wrong_number
        assert notice.resident_code[0] == "9"
        assert (notice.my_number or "9")[0] == "9"


def test_all_reasons_come_in_their_proportions() -> None:
    reasons = Counter(line.notice.reason for line in stream() if not line.fault)

    rare = {"41", "42", "51", "52"}
    assert set(REASONS) - rare <= set(reasons) <= set(REASONS)
    assert rare & set(reasons)
    assert reasons["22"] > reasons["12"]
    assert min(reasons["11"], reasons["21"], reasons["31"]) > reasons["33"] > reasons["23"]


def test_departures_may_be_planned_and_nothing_else_may() -> None:
    day = date(2026, 4, 1).isoformat()
    later = {n.reason for n, _, fault in stream() if n.effective_date > day and not fault}

    assert later == {"21"}


def test_sequence_numbers_are_all_used_and_only_late_lines_go_back() -> None:
    numbers = [line.notice.sequence for line in stream()]
    backwards = [line for before, line in pairwise(stream()) if _goes_back(before, line)]

    assert set(numbers) == set(range(5_001, max(numbers) + 1))
    assert backwards
    assert all(line.fault in STREAM_FAULTS for line in backwards)


def _goes_back(before: Line, line: Line) -> bool:
    return line.notice.sequence < before.notice.sequence


def test_a_held_notice_waits_for_one_that_comes_later() -> None:
    lines = list(stream())
    held = [n for n, line in enumerate(lines) if line.expected.outcome == "held"]

    assert held
    for number in held:
        waiting = lines[number].notice
        missed = next(
            n
            for n, line in enumerate(lines)
            if line.notice.resident_code == waiting.resident_code
            and line.notice.update_number == waiting.update_number - 1
            and line.fault.startswith("lost")
        )
        assert missed > number


def test_too_few_people_are_said_to_be_too_few() -> None:
    with pytest.raises(TooFewPeople):
        list(Movements(Population(1, YATSUSHIRO, 3), 1, 500).lines())
