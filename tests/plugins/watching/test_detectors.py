"""Each detector just below and at its thresholds, and what honest work looks like to it."""

from dataclasses import replace as changed
from datetime import date, datetime, timedelta

import pytest
from msgspec.structs import replace

from appliance.model import JST
from plugins.watching.detectors import failed_logins
from plugins.watching.findings import Span, Surroundings
from plugins.watching.kin import Kin
from tests.plugins.watching.diary import SATURDAY, SHIPPED, WEDNESDAY, Notes, later

CANARY = 900
RULES = replace(SHIPPED, hours=replace(SHIPPED.hours, holidays=(later(1),)))


# ---- the same resident, seen by many ------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ([("P-1", "A"), ("P-2", "A")], 0),
        ([("P-1", "A"), ("P-2", "A"), ("P-3", "A")], 1),
        ([("P-1", "A"), ("P-2", "B")], 1),
        ([("P-1", "A"), ("P-1", "A"), ("P-1", "A")], 0),
    ],
)
def test_a_resident_seen_by_many(who: list[tuple[str, str]], told: int) -> None:
    notes = Notes()
    for person, office in who:
        notes.look(person=person, office=office)
    assert len(notes.told("seen-by-many")) == told


@pytest.mark.parametrize(("apart", "told"), [(6, 1), (7, 0)])
def test_seen_by_many_within_days(apart: int, told: int) -> None:
    notes = Notes()
    notes.look(person="P-1", office="A")
    notes.look(person="P-2", office="B", on=later(apart))
    assert len(notes.told("seen-by-many")) == told


def test_colleagues_at_one_case_are_one() -> None:
    notes = Notes()
    for person in ("P-1", "P-2", "P-3"):
        notes.look(person=person, case="R8-1")
    assert notes.told("seen-by-many") == []


def test_two_offices_that_do_something_for_the_same_resident_are_at_work() -> None:
    notes = Notes()
    for person, office in (("P-1", "A"), ("P-2", "B")):
        notes.look(person=person, office=office, case=office)
        notes.finish(person=person, office=office, case=office)
    assert notes.told("seen-by-many") == []


@pytest.mark.parametrize(("persons", "told"), [(4, 0), (5, 1)])
def test_very_many_are_told_whatever_followed(persons: int, told: int) -> None:
    notes = Notes()
    for number in range(persons):
        notes.finish(person=f"P-{number}", case=f"R8-{number}")
    assert len(notes.told("seen-by-many")) == told


# ---- looks that nothing follows from ------------------------------------------------------------


def month(notes: Notes, person: str, looks: int, loose: int) -> None:
    """Write down looks of a month, some of which nothing follows from."""
    for number in range(looks):
        case = f"{person}-{number}"
        on = later(number % 20)
        notes.look(1000 + number, person=person, case=case, on=on)
        if number >= loose:
            notes.finish(1000 + number, person=person, case=case, on=on)


def in_order(notes: Notes) -> Notes:
    """Return the same uses in the order of their days."""
    return Notes(sorted(notes.uses, key=lambda use: use.day))


@pytest.mark.parametrize(("loose", "told"), [(8, 0), (30, 1)])
def test_far_more_looks_than_others_have(loose: int, told: int) -> None:
    notes = Notes()
    for person in ("P-2", "P-3", "P-4"):
        month(notes, person, 100, 8)
    month(notes, "P-1", 100, loose)
    found = in_order(notes).told("looked-only")
    assert [finding.persons for finding in found] == [("P-1",)] * told
    assert all(finding.figures["looked_only"] >= 10 for finding in found)


def test_few_looks_are_no_share() -> None:
    notes = Notes()
    month(notes, "P-1", 9, 9)
    assert in_order(notes).told("looked-only") == []


def test_an_office_whose_work_is_looking_is_held_against_itself() -> None:
    notes = Notes()
    for person in ("P-2", "P-3", "P-4", "P-5", "P-6"):
        month(notes, person, 100, 3)
    for person in ("P-7", "P-8", "P-9"):
        month(notes, person, 60, 30)
    notes.uses = [
        changed(use, office="B" if use.person in ("P-7", "P-8", "P-9") else "A")
        for use in notes.uses
    ]
    assert in_order(notes).told("looked-only") == []


def test_a_list_of_three_is_one_look() -> None:
    notes = Notes()
    for number in range(9):
        subjects = (number * 3, number * 3 + 1, number * 3 + 2)
        notes.use("search/find", subjects=subjects, case=f"R8-{number}")
    assert notes.told("looked-only") == []


# ---- out of hours -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "at", "uses", "told"),
    [
        (WEDNESDAY, "08:00:00", 9, 0),
        (WEDNESDAY, "18:59:59", 9, 0),
        (WEDNESDAY, "19:00:00", 4, 0),
        (WEDNESDAY, "19:00:00", 5, 1),
        (WEDNESDAY, "07:59:59", 5, 1),
        (WEDNESDAY, "21:59:59", 4, 0),
        (WEDNESDAY, "22:00:00", 1, 1),
        (WEDNESDAY, "05:59:59", 1, 1),
        (WEDNESDAY, "06:00:00", 1, 0),
        (SATURDAY, "12:00:00", 1, 1),
        (later(1), "12:00:00", 1, 1),
        (date(2026, 12, 31), "12:00:00", 1, 1),
    ],
)
def test_uses_out_of_hours(on: date, at: str, uses: int, told: int) -> None:
    notes = Notes()
    for _ in range(uses):
        notes.look(on=on, at=at)
    assert len(notes.told("out-of-hours", rules=RULES)) == told


@pytest.mark.parametrize(
    ("who", "by", "told"),
    [("P-1", "P-9", 0), ("県税", "P-9", 0), ("P-2", "P-9", 1), ("県税", "P-1", 1)],
)
def test_overtime_that_somebody_else_approved_is_no_flag(who: str, by: str, told: int) -> None:
    notes = Notes()
    notes.look(on=SATURDAY)
    noon = int(datetime(2026, 6, 6, 12, tzinfo=JST).timestamp())
    around = Surroundings(approved=(Span(noon - 3 * 3600, noon, who, by),))
    assert len(notes.told("out-of-hours", around=around)) == told


def test_logging_out_late_is_no_use() -> None:
    notes = Notes()
    notes.use("session/close", at="23:00:00")
    assert notes.told("out-of-hours") == []


# ---- volume -------------------------------------------------------------------------------------


def weeks(notes: Notes, person: str, uses: list[int], office: str = "県税") -> None:
    """Write down a count of uses for each Wednesday."""
    for week, count in enumerate(uses):
        for _ in range(count):
            notes.finish(person=person, on=later(7 * week), case="R8-1", office=office)


@pytest.mark.parametrize(("uses", "told"), [(42, 0), (43, 1)])
def test_more_uses_than_on_his_own_days(uses: int, told: int) -> None:
    notes = Notes()
    # Median 10; the deviation is never taken for less than the root of it: 10 + 10 × √10 = 41.6.
    weeks(notes, "P-1", [10] * 8 + [uses - 1 + (told or -0)])
    rules = replace(SHIPPED, volume=replace(SHIPPED.volume, deviations=10.3, least_uses=40))
    assert len(in_order(notes).told("volume", rules=rules)) == told


def test_when_the_whole_office_has_more_to_do_nobody_is_told() -> None:
    notes = Notes()
    for person in ("P-1", "P-2", "P-3"):
        weeks(notes, person, [10] * 8 + [80])
    assert in_order(notes).told("volume") == []
    weeks(alone := Notes(), "P-1", [10] * 8 + [80])
    weeks(alone, "P-2", [10] * 9)
    assert [finding.persons for finding in in_order(alone).told("volume")] == [("P-1",)]


def test_a_newcomer_is_held_against_his_colleagues() -> None:
    notes = Notes()
    weeks(notes, "P-1", [10] * 9)
    weeks(notes, "P-2", [0] * 8 + [80])
    assert [finding.persons for finding in in_order(notes).told("volume")] == [("P-2",)]
    weeks(first := Notes(), "P-2", [80])
    assert first.told("volume") == []


def test_one_wild_day_does_not_hide_the_next() -> None:
    notes = Notes()
    weeks(notes, "P-1", [10] * 8 + [500, 500])
    weeks(notes, "P-2", [10] * 10)
    assert len(in_order(notes).told("volume")) == 2


# ---- own name -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kin", "cases", "told"),
    [
        (Kin.NONE, [""], 0),
        (Kin.FAMILY, [""], 1),
        (Kin.FAMILY, ["R8-1", "R8-2"], 0),
        (Kin.FAMILY, ["R8-1", "R8-2", "R8-3"], 1),
        (Kin.OWN, ["R8-1"], 1),
    ],
)
def test_own_names(kin: Kin, cases: list[str], told: int) -> None:
    notes = Notes()
    for number, case in enumerate(cases):
        notes.look(number, kin=kin, case=case)
    assert len(notes.told("own-name")) == told


def test_a_family_name_met_in_work_is_no_flag() -> None:
    notes = Notes()
    for number in range(9):
        notes.look(number, kin=Kin.FAMILY, case=f"R8-{number}")
        notes.finish(number, kin=Kin.FAMILY, case=f"R8-{number}")
    assert notes.told("own-name") == []


@pytest.mark.parametrize(("apart", "told"), [(14, 1), (15, 0)])
def test_family_names_within_days(apart: int, told: int) -> None:
    notes = Notes()
    for number in range(3):
        notes.look(number, kin=Kin.FAMILY, case=f"R8-{number}", on=later(number * apart))
    assert len(notes.told("own-name")) == told


# ---- name fishing -------------------------------------------------------------------------------


def fish(notes: Notes, names: list[str], every: float = 60, hits: int = 3) -> None:
    begin = datetime(2026, 6, 3, 10, tzinfo=JST)
    for number, name in enumerate(names):
        at = (begin + timedelta(seconds=number * every)).strftime("%H:%M:%S")
        notes.use("search/find", sought=name, hits=hits, at=at, case="R8-1")


GIVEN = [f"熊木　{given}" for given in "一二三四五六"]


@pytest.mark.parametrize(
    ("names", "every", "hits", "told"),
    [
        (GIVEN[:4], 60, 3, 0),
        (GIVEN[:5], 60, 3, 1),
        (GIVEN[:5], 225, 3, 1),
        (GIVEN[:5], 226, 3, 0),
        ([GIVEN[0]] * 9, 60, 3, 0),
        (GIVEN[:2], 60, 99, 0),
        (GIVEN[:2], 60, 100, 1),
        (["佐藤　花", "鈴木　一郎", "高橋　健", "田中　実", "伊藤　蓮", "渡辺　結"], 60, 3, 0),
        (["くまき　いち", "くまき　に", "くまき　さん", "くまき　し", "くまき　ご"], 60, 3, 1),
    ],
)
def test_name_after_name(names: list[str], every: float, hits: int, told: int) -> None:
    notes = Notes()
    fish(notes, names, every, hits)
    assert len(notes.told("name-fishing")) == told


# ---- sessions that overlap ----------------------------------------------------------------------


@pytest.mark.parametrize(("turns", "told"), [(3, 0), (4, 1)])
def test_going_back_to_a_session_while_another_is_in_use(turns: int, told: int) -> None:
    notes = Notes()
    for turn in range(turns):
        at = f"10:{turn * 3:02}:00"
        notes.look(at=at, terminal=f"T-{turn % 2}", session=f"S-{turn % 2}")
    assert len(notes.told("overlap")) == told


def test_going_from_terminal_to_terminal_is_no_overlap() -> None:
    notes = Notes()
    for turn in range(9):
        notes.look(at=f"10:{turn * 3:02}:00", terminal=f"T-{turn % 2}", session=f"S-{turn}")
    assert notes.told("overlap") == []


@pytest.mark.parametrize(
    ("places", "at", "told"),
    [
        ({"T-1": "熊本", "T-2": "八代"}, "10:05:00", 1),
        ({"T-1": "熊本", "T-2": "八代"}, "10:05:01", 0),
        ({"T-1": "熊本", "T-2": "熊本"}, "10:01:00", 0),
        ({"T-1": "熊本"}, "10:01:00", 0),
    ],
)
def test_nobody_is_in_two_places(places: dict[str, str], at: str, told: int) -> None:
    notes = Notes()
    notes.look(terminal="T-1", session="S-1")
    notes.look(terminal="T-2", session="S-2", at=at)
    found = notes.told("overlap", around=Surroundings(places=places))
    assert [finding.terminals for finding in found] == [("T-1", "T-2")] * told


@pytest.mark.parametrize(("times", "told"), [(2, 0), (3, 1)])
def test_logins_refused_because_of_another_terminal(times: int, told: int) -> None:
    notes = Notes()
    for _ in range(times):
        notes.login("P-1", "conflict")
    assert [finding.persons for finding in notes.told("overlap")] == [("P-1",)] * told


# ---- failed logins ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tried", "minutes", "told"),
    [
        (["OP-1"] * 3, 1, 0),
        (["OP-1"] * 4, 1, 1),
        (["OP-1"] * 4, 5, 1),
        (["OP-1"] * 4, 6, 0),
        (["OP-1", "OP-2"], 1, 0),
        (["OP-1", "OP-2", "OP-3"], 1, 1),
        (["OP-1", "OP-1", "OP-1", "OP-2", "OP-2"], 1, 0),
        (["OP-1", "OP-1", "OP-1", "OP-2", "OP-2", "OP-2"], 1, 1),
    ],
)
def test_bursts_of_failures(tried: list[str], minutes: int, told: int) -> None:
    notes = Notes()
    for number, operator in enumerate(tried):
        notes.login(operator, "unidentified", terminal="T-1", at=f"10:{number * minutes:02}:00")
    assert len(notes.told("failed-logins")) == told


@pytest.mark.parametrize(("times", "told"), [(9, 0), (10, 1)])
def test_failures_that_are_spread_over_days(times: int, told: int) -> None:
    notes = Notes()
    for number in range(times):
        notes.login("P-1", "unidentified", on=later(number // 2), at=f"1{number % 2}:00:00")
    assert len(notes.told("failed-logins")) == told


def test_success_after_many_failures() -> None:
    notes = Notes()
    for number in range(4):
        notes.login("P-1", "unidentified", at=f"10:0{number}:00")
    notes.login("P-1", at="10:05:00")
    assert [finding.figures["succeeded"] for finding in notes.told("failed-logins")] == [0, 1]


def test_whoever_slips_and_gets_in_starts_anew() -> None:
    notes = Notes()
    for day in range(4):
        for number in range(3):
            notes.login("P-1", "unidentified", on=later(day), at=f"10:0{number}:00")
        notes.login("P-1", on=later(day), at="10:05:00")
    assert notes.told("failed-logins") == []


def test_attempts_by_the_thousand_do_not_make_the_state_grow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(failed_logins, "MOST_ATTEMPTS", 20)
    notes = Notes()
    for number in range(100):
        notes.login(f"P-{number}", "unidentified", terminal="T-1")
    detector = failed_logins.FailedLogins(SHIPPED.failed_logins)
    told = [finding for use in notes.uses for finding in detector.see(use, Surroundings())]
    assert told
    assert len(detector.state.attempts) == 20


def test_asking_for_a_challenge_is_no_success() -> None:
    notes = Notes()
    for number in range(4):
        notes.login("P-1", "unidentified", at=f"10:0{number}:00", terminal="T-1")
        asked = {"person": "", "tried": "P-1", "terminal": "T-1"}
        notes.use("session/challenge", at=f"10:0{number}:30", **asked)
    assert [finding.persons for finding in notes.told("failed-logins")] == [("P-1",)]


def test_refusals_for_other_reasons_are_no_failures() -> None:
    notes = Notes()
    for _ in range(9):
        notes.login("P-1", "unavailable")
    assert notes.told("failed-logins") == []


# ---- canaries -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "person", "told"),
    [
        ("search/detail", "P-1", 1),
        ("search/find", "P-1", 1),
        ("provision/inquire", "P-1", 1),
        ("provision/bulk-step", "", 1),
        ("watching/nightly", "", 0),
        ("retention/erase", "", 0),
        ("ledger/person", "P-1", 0),
    ],
)
def test_openings_of_a_canary(operation: str, person: str, told: int) -> None:
    notes = Notes()
    notes.use(operation, person=person, subjects=(1, CANARY))
    around = Surroundings(canaries=frozenset({CANARY}))
    assert len(notes.told("canary", around=around)) == told


@pytest.mark.parametrize(("at", "told"), [("09:59:59", 1), ("10:00:00", 0), ("11:00:01", 1)])
def test_a_drill_has_a_beginning_and_an_end(at: str, told: int) -> None:
    notes = Notes()
    notes.look(CANARY, at=at)
    begin = int(datetime(2026, 6, 3, 10, tzinfo=JST).timestamp())
    around = Surroundings(canaries=frozenset({CANARY}), drills=(Span(begin, begin + 3600, "P-1"),))
    assert len(notes.told("canary", around=around)) == told


# ---- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize(("apart", "told"), [(29, 1), (30, 2)])
def test_a_fact_that_stays_is_told_again_after_a_rest(apart: int, told: int) -> None:
    notes = Notes()
    for on in (WEDNESDAY, later(apart)):
        notes.look(kin=Kin.OWN, case="R8-1", on=on)
    assert len(notes.told("own-name")) == told
