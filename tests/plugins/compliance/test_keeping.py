"""How long: an entry stays whole fiscal years after its end, and then goes with all its states."""

from datetime import date

import pytest

from appliance.errors import NotFound
from appliance.jobs import Step
from plugins.compliance import clocks, keeping
from plugins.compliance.shelf import BOOKS
from tests.plugins.compliance.staff import ADMIN, AUDITOR, CLERK, Staff, right


def ended(staff: Staff) -> int:
    staff.open(CLERK, "acknowledgement", understood=True)
    return 1


@pytest.mark.parametrize(
    ("ended", "last"),
    [
        ("2026-04-01", "2032-03-31"),
        ("2027-03-31", "2032-03-31"),
        ("2027-04-01", "2033-03-31"),
        ("2028-02-29", "2033-03-31"),
    ],
)
def test_r176_years_are_counted_from_the_april_that_follows(ended: str, last: str) -> None:
    book = BOOKS["self-check"]
    assert clocks.kept_until(book, date.fromisoformat(ended)).isoformat() == last


@pytest.mark.requirement("R145", "R176")
def test_an_entry_goes_the_day_after_and_the_book_says_how_many(staff: Staff) -> None:
    number = ended(staff)
    staff.today("2032-03-31")
    assert staff.bench.step("compliance/expire") == Step(done=0, total=0)
    assert staff.entry("acknowledgement", number)["kept_until"] == "2032-03-31"
    staff.today("2032-04-01")
    assert staff.bench.step("compliance/expire") == Step(done=1, total=1)
    assert staff.bench.ledger()[-1].note == "1 acknowledgement"
    with pytest.raises(NotFound):
        staff.entry("acknowledgement", number)
    assert staff.ask(ADMIN, "removed")["removed"] == (
        {"number": 1, "on": "2032-04-01", "entries": {"acknowledgement": 1}},
    )
    # A number is not given again.
    assert staff.open(CLERK, "acknowledgement", understood=True) == number + 1


def test_what_has_not_ended_stays_however_old(staff: Staff) -> None:
    given = {"discovered_on": "2026-04-01", "what": "紛失", "place": "窓口"}
    number = staff.open(CLERK, "incident", **given)
    staff.today("2050-04-01")
    assert staff.bench.step("compliance/expire") == Step(done=0, total=0)
    assert staff.entry("incident", number)["entry"]["state"] == "discovered"


def test_much_goes_in_several_steps(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "AT_ONCE", 2)
    for who in (ADMIN, AUDITOR, CLERK):
        staff.open(who, "acknowledgement", understood=True)
    staff.today("2032-04-01")
    assert staff.bench.step("compliance/expire") == Step(done=2, total=3, more=True)
    assert staff.bench.step("compliance/expire") == Step(done=1, total=1)


def test_the_job_runs_by_night(staff: Staff) -> None:
    ended(staff)
    staff.bench.work()
    staff.today("2032-04-01")
    assert "compliance/expire" in staff.bench.work()
    assert staff.ask(ADMIN, "entries", book="acknowledgement")["entries"] == ()


def test_a_sheet_outlives_the_campaign_that_opened_it(staff: Staff) -> None:
    given = {"fiscal_year": 2026, "due_on": "2026-06-30"}
    staff.ask(ADMIN, "open", book="self-check-campaign", given=given)
    staff.today("2033-04-01")
    assert staff.bench.step("compliance/expire").done == 1
    number = staff.ask(CLERK, "entries", book="self-check")["entries"][0]["number"]
    assert staff.step(CLERK, "self-check", number, "answer", results=right("self-check"))
