"""The mark itself: asked by one, agreed by another, for a year at most."""

from datetime import timedelta
from typing import Any

import pytest

from appliance.errors import Conflict, Malformed, NotFound, NotPermitted
from appliance.testing import Seat
from tests.plugins.people import number
from tests.plugins.protection.office import ITEMS, TAX, WORK, Office

OPENED = {"by": {"my_number": number(1)}, "items": ITEMS}


def is_open(office: Office, seat: Seat | None = None) -> bool:
    (hit,) = office.find(seat, name="熊本花子", birth_date="1990-04-05")
    return "name" in hit


def listed(office: Office, seat: Seat | None = None, **more: bool) -> dict[str, Any]:
    return dict((seat or office.registrar).ask("protection/list", more).data)


def test_a_mark_counts_once_a_second_person_agreed(office: Office) -> None:
    request = office.request_mark()
    assert is_open(office)
    with pytest.raises(NotPermitted, match="second person"):
        office.agree(request, office.registrar)
    assert is_open(office)
    office.agree(request)
    assert not is_open(office)
    assert office.bench.ledger()[-2].note == f"mark {request} of P-REG"


def test_the_list_names_numbers_and_nobody(office: Office) -> None:
    office.mark()
    office.request_mark(2)
    told = listed(office)
    mark, waiting = told["marks"]
    assert (mark["number"], mark["state"], mark["form_number"]) == (1, "in-force", "S-2026-12")
    assert (mark["asked_by"], mark["agreed_by"], mark["days_left"]) == ("REG", "SEC", 364)
    assert (waiting["state"], waiting["agreed_by"]) == ("asked", None)
    assert [(w["number"], w["kind"]) for w in told["waiting"]] == [(2, "mark")]
    assert "花子" not in str(told)
    assert listed(office, office.officer)["marks"] == told["marks"]


@pytest.mark.parametrize("until", ["2026-03-31", "2027-04-02", "2030-01-01"])
def test_a_mark_holds_for_a_year_at_most(office: Office, until: str) -> None:
    with pytest.raises(Malformed, match="within a year"):
        office.request_mark(until=until)


def test_a_mark_is_over_after_its_last_day(office: Office) -> None:
    office.mark(until="2026-04-02")
    office.bench.now += timedelta(hours=37, minutes=59)
    assert not is_open(office, again(office))
    office.bench.now += timedelta(minutes=1)
    seat = again(office)
    assert is_open(office, seat)
    assert listed(office, seat)["marks"] == ()
    (over,) = listed(office, seat, ended=True)["marks"]
    assert (over["state"], over["days_left"]) == ("over", -1)
    with pytest.raises(Conflict):
        extend(seat, 1, "2027-01-01")


def test_a_mark_is_extended_and_never_made_shorter(office: Office) -> None:
    office.mark(until="2026-06-30")
    assert extend(office.registrar, 1, "2027-04-01")["until"].startswith("2027-04-01")
    with pytest.raises(Malformed, match="lift the mark"):
        extend(office.registrar, 1, "2026-12-31")
    with pytest.raises(Malformed, match="within a year"):
        extend(office.registrar, 1, "2027-04-02")
    with pytest.raises(NotFound):
        extend(office.registrar, 9, "2027-04-01")


def test_a_mark_is_lifted_by_two_persons(office: Office) -> None:
    office.mark()
    lift = {"number": 1, "form_number": "S-2026-40", "why": "本人の申出"}
    request = office.registrar.ask("protection/lift", lift).data["number"]
    assert not is_open(office)
    with pytest.raises(NotPermitted, match="second person"):
        office.agree(request, office.registrar)
    office.agree(request)
    assert is_open(office)
    (state,) = listed(office, ended=True)["marks"]
    assert state["state"] == "lifted"
    with pytest.raises(Conflict):
        office.registrar.ask("protection/lift", lift)


def test_a_person_is_marked_once(office: Office) -> None:
    first, second = office.request_mark(), office.request_mark()
    office.agree(first)
    with pytest.raises(Conflict, match="marked already"):
        office.agree(second)
    with pytest.raises(Conflict, match="marked already"):
        office.request_mark()


def test_whoever_asked_may_take_it_back(office: Office) -> None:
    request = office.request_mark()
    office.registrar.ask("protection/refuse", {"number": request, "why": "誤り"})
    with pytest.raises(Conflict, match="answered already"):
        office.agree(request)
    assert is_open(office)


def test_a_clerk_neither_marks_nor_lists(office: Office) -> None:
    for operation in ("protection/list", "protection/mark", "protection/lift"):
        with pytest.raises(NotPermitted, match="no role of yours"):
            office.clerk.ask(operation, {})


def test_an_alarm_tells_a_month_before_a_mark_ends(office: Office) -> None:
    office.mark(until="2026-06-30")
    assert alarms(office) == []
    office.bench.now += timedelta(days=58)
    assert alarms(office) == []
    office.bench.now += timedelta(days=1)
    (told,) = alarms(office)
    assert "1(2026-06-30まで)" in told
    office.bench.now += timedelta(days=32)
    assert alarms(office) == []


def extend(seat: Seat, mark: int, until: str) -> dict[str, Any]:
    body = {"number": mark, "form_number": "S-2026-30", "until": until}
    return dict(seat.ask("protection/extend", body).data)


def again(office: Office) -> Seat:
    """Return a registrar who has just logged in."""
    purposes = (WORK["purpose"], TAX["purpose"])
    return office.bench.clerk(
        "REG", roles=("registrar",), purposes=purposes, terminal_id="TERM-0001"
    )


def alarms(office: Office) -> list[str]:
    office.bench.jobs.turn()
    return [
        each["text"]
        for each in office.bench.jobs.alarms()
        if each["name"] == "protection/marks-ending"
    ]
