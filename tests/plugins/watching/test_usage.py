"""What the nights count of every day, and who is told of it."""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import Malformed, NotPermitted, Unidentified
from appliance.testing import Seat
from plugins.watching import reading
from plugins.watching.usage import FEWEST, usual_of
from tests.plugins.people import YATSUSHIRO, code
from tests.plugins.update.making import wire
from tests.plugins.watching.office import FOR_TAX, MONDAY, Watched

BORN = {"birth_date": "1990-04-05"}
THIS_WEEK = {"since": "2026-04-06", "until": "2026-04-12"}
OTHERS = "福祉事務所"


def told(seat: Seat, **asked: Any) -> dict[str, Any]:
    answer = seat.ask("watching/uses", {**THIS_WEEK, **asked}).data
    return dict(msgspec.json.decode(msgspec.json.encode(answer)))


def on_monday(counts: dict[str, Any]) -> dict[str, Any]:
    (found,) = [each for each in counts["days"] if each["day"] == MONDAY.date().isoformat()]
    return dict(found)


def provide(seat: Seat, case: str) -> None:
    asked = {"by": {"name": "熊本　花子", **BORN}, "items": ["address"]}
    seat.ask("provision/inquire", asked, **FOR_TAX, case_number=case)


@pytest.fixture
def busy(watched: Watched) -> Watched:
    """Two offices on a Monday: one looks and provides, the other only looks, at night."""
    watched.resident(1, "熊本　花子", "くまもと　はなこ")
    first = watched.clerk()
    watched.look(first, "R8-1", name="熊本　花子", **BORN)
    provide(first, "R8-1")
    watched.bench.now = MONDAY.replace(hour=20)
    watched.look(watched.clerk(2, OTHERS), "R8-2", name="熊本　花子", **BORN)
    watched.days_later(5)
    watched.night()
    return watched


def test_the_auditor_is_told_what_each_day_and_each_person_came_to(busy: Watched) -> None:
    counts = told(busy.auditor())
    assert counts["counted_until"] == "2026-04-10"
    assert len(counts["days"]) == 7
    monday = on_monday(counts)
    assert (monday["day_class"], monday["uses"]) == ("monday", {"search": 4, "provision": 1})
    assert counts["hits"]["1"] == 2
    assert [(each["person"], each["office"]) for each in counts["persons"]] == [
        ("P-OP-0001", "県税事務所"),
        ("P-OP-0002", OTHERS),
    ]


@pytest.mark.requirement("R137")
def test_hours_and_looks_that_nothing_follows_from_are_told_by_person(busy: Watched) -> None:
    first, second = told(busy.auditor())["persons"]
    assert (first["hours"][10], first["outside"]) == (3, 0)
    assert (second["hours"][20], second["outside"]) == (2, 2)
    assert (first["looks"], first["looked_only"]) == (1, 0)
    assert (second["looks"], second["looked_only"]) == (1, 1)


def test_an_officer_is_told_of_his_own_office_alone(busy: Watched) -> None:
    officer = busy.officer()
    counts = told(officer)
    assert counts == told(officer, office="県税事務所") == told(busy.auditor(), office="県税事務所")
    assert [each["office"] for each in counts["persons"]] == ["県税事務所"]
    assert on_monday(counts)["uses"] == {"search": 2, "provision": 1}
    with pytest.raises(NotPermitted, match="auditor"):
        told(officer, office=OTHERS)


def test_whoever_neither_audits_nor_answers_for_an_office_is_told_nothing(busy: Watched) -> None:
    with pytest.raises(NotPermitted):
        told(busy.clerk())


def test_asking_is_in_the_ledger_with_what_was_asked(busy: Watched) -> None:
    told(busy.auditor(), office=OTHERS)
    (entry,) = [each for each in busy.bench.ledger() if each.operation == "watching/uses"]
    assert dict(entry.conditions) == {**THIS_WEEK, "office": OTHERS}
    assert entry.subjects == ()


def test_no_resident_is_in_what_is_counted(busy: Watched) -> None:
    with busy.bench.vault.view() as view:
        bodies = [each.body for each in view.documents("watching.days", b"", b"")]
    assert bodies
    for word in ("熊本", "くまもと", "1990-04-05", code(1), "R8-1"):
        assert not any(word.encode() in body for body in bodies)
    assert "熊本" not in str(told(busy.auditor()))


@pytest.mark.parametrize("entries", [1, 3, 1000])
def test_an_entry_is_counted_once_however_the_nights_divide_the_ledger(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, entries: int
) -> None:
    monkeypatch.setattr(reading, "ENTRIES", entries)
    watched.resident(1, "熊本　花子", "くまもと　はなこ")
    clerk = watched.clerk()
    for case in ("R8-1", "R8-2", "R8-3"):
        watched.look(clerk, case, name="熊本　花子", **BORN)
    for _ in range(40):
        watched.bench.step("watching/nightly")
    watched.bench.step("watching/at-once")
    counts = told(watched.auditor())
    assert on_monday(counts)["uses"] == {"search": 6}
    assert counts["persons"][0]["hours"][10] == 6


def test_how_people_proved_who_they_are_counts_failures_for_their_office(watched: Watched) -> None:
    clerk = watched.clerk()
    for _ in range(2):
        with suppress(Unidentified):
            watched.log_in(clerk, "P-OP-0001", "11112222")
    with suppress(Unidentified):
        watched.log_in(watched.bench.seat("TERM-0009"), "P-NOBODY", "11112222")
    watched.clerk(2, OTHERS)
    watched.days_later(1)
    watched.night()
    assert on_monday(told(watched.auditor()))["proofs"] == {"pin": 2, "failed": 3}
    assert on_monday(told(watched.officer()))["proofs"] == {"pin": 1, "failed": 2}


def test_searches_by_name_alone_and_their_hits_are_told_apart(watched: Watched) -> None:
    for which in range(1, 4):
        watched.resident(which, "熊本　花子", "くまもと　はなこ")
    clerk = watched.clerk()
    clerk.ask("search/find", {"name": "熊本　花子"}, **FOR_TAX)
    clerk.ask("search/find", {"name": "熊本　花子", **BORN}, **FOR_TAX)
    clerk.ask("search/find", {"name": "阿蘇　一郎"}, **FOR_TAX)
    watched.days_later(1)
    watched.night()
    counts = told(watched.auditor())
    assert counts["by_name"] == 2
    assert {name: count for name, count in counts["hits"].items() if count} == {"0": 1, "2-5": 2}


@pytest.mark.parametrize(
    ("effective", "lags"),
    [("2026-04-06", {"0": 1}), ("2026-03-30", {"7": 1}), ("2026-04-00", {}), ("2000-00-00", {})],
)
def test_how_late_notices_are_is_told_by_municipality(
    watched: Watched, effective: str, lags: dict[str, int]
) -> None:
    cs = watched.bench.municipality(YATSUSHIRO)
    body = {"notifications": [wire(effective_date=effective)]}
    (result,) = cs.ask("update/notify", body).data["results"]
    assert result["outcome"] == "applied"
    watched.days_later(1)
    watched.night()
    for seat in (watched.auditor(), watched.officer()):
        updates = told(seat)["updates"]
        assert [(u["municipality_code"], u["lags"]) for u in updates] == (
            [(YATSUSHIRO, lags)] if lags else []
        )


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [("2026-04-07", "2026-04-06", "before"), ("2025-01-01", "2026-04-06", "at most")],
)
def test_a_period_has_an_end_and_is_no_longer_than_can_be_told(
    watched: Watched, since: str, until: str, why: str
) -> None:
    with pytest.raises(Malformed, match=why):
        told(watched.auditor(), since=since, until=until)


def test_before_the_first_night_nothing_is_counted(watched: Watched) -> None:
    counts = told(watched.auditor())
    assert (counts["counted_until"], counts["persons"]) == (None, [])
    assert all(day["uses"] == {} and day["usual"] == {} for day in counts["days"])


DAY = date(2026, 4, 6)


def days_of(values: list[int]) -> dict[date, int]:
    return {DAY + timedelta(number): value for number, value in enumerate(values)}


def test_one_very_large_day_does_not_hide_itself() -> None:
    values = days_of([10, 11, 9, 10, 200])
    usual = usual_of(values, dict.fromkeys(values, "midweek"))
    assert usual[DAY + timedelta(4)].high < 15
    assert usual[DAY].high > 200


@given(st.lists(st.integers(0, 500), max_size=FEWEST))
def test_of_too_few_days_nobody_says_what_is_usual(values: list[int]) -> None:
    days = days_of(values)
    assert usual_of(days, dict.fromkeys(days, "monday")) == {}


def test_days_are_held_against_days_of_their_class_only() -> None:
    values = days_of([100] * 5 + [0] * 5)
    classes = {day: "midweek" if value else "off" for day, value in values.items()}
    for day, usual in usual_of(values, classes).items():
        assert (usual.low, usual.high) == (values[day], values[day])
