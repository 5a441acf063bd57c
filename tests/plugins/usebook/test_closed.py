"""Marks, sign-off, reopening, figures, the night's work and the alarm, through the front door."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, NotFound, NotPermitted, Rejected
from appliance.roster import Roster
from appliance.testing import PREPARED, Seat
from appliance.watch import Watch
from plugins import usebook
from plugins.usebook import reviewing
from plugins.usebook.held import Found, held_against
from storage.engine import Unit
from tests.plugins.usebook.office import (
    MONTH,
    OFFICE,
    OTHER_OFFICE,
    TaxOffice,
    auditor,
    clerk,
    line,
    officer,
    open_office,
    sheet,
)

pytestmark = pytest.mark.requirement("R136", "R137")
APRIL = {"month": MONTH}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[TaxOffice]:
    with open_office(tmp_path) as office:
        yield office


@pytest.fixture
def unrecorded(office: TaxOffice) -> str:
    """A use of April that nobody wrote down; it is May, and the month was matched."""
    office.inquires(1, "R8-1")
    office.next_month()
    office.matches()
    return str(office.leftovers()[0]["id"])


def rules(refused: pytest.ExceptionInfo[Rejected]) -> list[str]:
    return [problem.rule for problem in refused.value.problems]


def mark(office: TaxOffice, finding: str, seat: Seat | None = None) -> int:
    body = {**APRIL, "finding": finding, "reason": "記入漏れ。本人に確認した。"}
    return int((seat or office.officer).ask("usebook/mark", body).data["unmarked"])


def alarms(office: TaxOffice) -> list[tuple[str, int]]:
    with office.bench.vault.view() as view:
        told = list(usebook.alarms(Watch(view, "usebook", office.bench.now)))
    return [(alarm.name, alarm.count) for alarm in told]


def test_a_leftover_is_marked_with_who_when_and_why(office: TaxOffice, unrecorded: str) -> None:
    assert mark(office, unrecorded) == 0
    (shown,) = office.officer.ask("usebook/leftovers", APRIL).data["leftovers"]
    assert shown["mark"]["reason"] == "記入漏れ。本人に確認した。"
    assert shown["mark"]["by"] == {"person": "P-SEC-1", "operator": "SEC-1"}
    assert shown["mark"]["at"] == "2026-05-07T01:00:00Z"
    still_open = office.officer.ask("usebook/leftovers", {**APRIL, "marked": "no"}).data
    assert still_open["leftovers"] == ()


def test_nobody_marks_what_came_of_his_own_use(office: TaxOffice) -> None:
    own = office.bench.clerk(
        "SEC-2",
        roles=("security-officer", "clerk"),
        purposes=("prefectural-tax",),
        office=OFFICE,
        terminal_id="TERM-9",
    )
    office.inquires(1, "R8-1", own)
    office.matches()
    (left,) = office.leftovers()
    with pytest.raises(NotPermitted):
        mark(office, left["id"], own)
    assert mark(office, left["id"]) == 0


def test_what_the_matching_did_not_find_cannot_be_marked(
    office: TaxOffice, unrecorded: str
) -> None:
    with pytest.raises(NotFound):
        mark(office, "line-7")


def test_a_mark_does_not_stand_for_what_a_finding_becomes_later(
    office: TaxOffice, unrecorded: str
) -> None:
    mark(office, unrecorded)
    office.writes(line("10:00", "R8-1", count=2))
    assert office.matches()["unmarked"] == 1
    office.clerk.ask("usebook/correct", {**APRIL, "number": 1, "why": "誤記"})
    assert office.matches()["unmarked"] == 0


def test_a_month_is_signed_off_and_closed(office: TaxOffice, unrecorded: str) -> None:
    mark(office, unrecorded)
    told = office.officer.ask("usebook/sign-off", APRIL).data
    assert (told["state"], told["marked"], told["signed"]["own_uses"]) == ("signed-off", 1, False)
    with pytest.raises(Rejected) as refused:
        office.writes(line("10:00", "R8-1"))
    assert rules(refused) == ["U-15"]
    for operation in ("usebook/match", "usebook/sign-off"):
        with pytest.raises(Conflict):
            office.officer.ask(operation, APRIL)
    with pytest.raises(Conflict):
        mark(office, unrecorded)


def test_a_month_is_not_signed_off_while_something_is_unmarked(
    office: TaxOffice, unrecorded: str
) -> None:
    with pytest.raises(Rejected) as refused:
        office.officer.ask("usebook/sign-off", APRIL)
    assert rules(refused) == ["U-22"]


def test_a_month_is_not_signed_off_before_it_is_over(office: TaxOffice) -> None:
    office.matches()
    with pytest.raises(Rejected) as refused:
        office.officer.ask("usebook/sign-off", APRIL)
    assert rules(refused) == ["U-20", "U-21"]


def test_a_month_is_not_signed_off_if_the_book_changed_since(
    office: TaxOffice, unrecorded: str
) -> None:
    office.writes(line("10:00", "R8-1"))
    with pytest.raises(Rejected) as refused:
        office.officer.ask("usebook/sign-off", APRIL)
    assert "U-21" in rules(refused)
    office.matches()
    assert office.officer.ask("usebook/sign-off", APRIL).data["state"] == "signed-off"


def test_whoever_used_the_system_signs_only_if_there_is_nobody_else(office: TaxOffice) -> None:
    both = ("security-officer", "clerk")

    def second() -> Seat:
        return office.bench.clerk(
            "SEC-2", roles=both, purposes=("prefectural-tax",), office=OFFICE, terminal_id="TERM-9"
        )

    office.inquires(1, "R8-1", second())
    office.writes(line("10:00", "R8-1", operator="SEC-2"))
    office.next_month()
    own = second()
    own.ask("usebook/match", APRIL)
    with pytest.raises(Rejected) as refused:
        own.ask("usebook/sign-off", APRIL)
    assert rules(refused) == ["U-23"]

    def leave(unit: Unit) -> None:
        Roster(unit, unit).change_operator("SEC-1", suspended="異動")
        unit.enter(PREPARED)

    office.bench.vault.write(leave)
    assert own.ask("usebook/sign-off", APRIL).data["signed"]["own_uses"] is True


def test_the_auditor_reopens_a_month_and_what_was_signed_stays(
    office: TaxOffice, unrecorded: str
) -> None:
    mark(office, unrecorded)
    office.officer.ask("usebook/sign-off", APRIL)
    audit = auditor(office.bench)
    body = {**APRIL, "office": OFFICE, "why": "記入漏れの疑い"}
    assert audit.ask("usebook/reopen", body).data["state"] == "open"
    with pytest.raises(Conflict):
        audit.ask("usebook/reopen", body)
    office.writes(line("10:00", "R8-1"))
    office.matches()
    told = office.officer.ask("usebook/sign-off", APRIL).data
    assert (told["reopened"], told["matched"]["unrecorded"]) == (1, 0)
    with pytest.raises(NotPermitted):
        office.officer.ask("usebook/reopen", body)


def test_an_office_sees_its_own_figures_and_the_auditor_all(office: TaxOffice) -> None:
    office.inquires(1, "R8-1")
    office.matches()
    other = officer(office.bench, "SEC-9", OTHER_OFFICE)
    other.ask("usebook/match", APRIL)
    seen = office.officer.ask("usebook/figures", {}).data["months"]
    assert [each["office"] for each in seen] == [OFFICE]
    for operation in ("usebook/figures", "usebook/lines", "usebook/leftovers"):
        with pytest.raises(NotPermitted):
            other.ask(operation, {**({} if "fig" in operation else APRIL), "office": OFFICE})
    audit = auditor(office.bench)
    seen = audit.ask("usebook/figures", {}).data["months"]
    assert {each["office"] for each in seen} == {OFFICE, OTHER_OFFICE}
    assert audit.ask("usebook/figures", {"since": "2026-05"}).data["months"] == ()
    assert audit.ask("usebook/leftovers", {**APRIL, "office": OFFICE}).data["leftovers"]


def test_uses_of_one_office_are_not_held_against_the_book_of_another(office: TaxOffice) -> None:
    stranger = clerk(office.bench, "OP-0099", OTHER_OFFICE)
    stranger.ask("usebook/import", {"file": sheet(line("10:00", "R8-1"))})
    office.inquires(1, "R8-1")
    office.matches()
    assert [each["kind"] for each in office.leftovers()] == ["unrecorded"]


def test_every_night_last_month_is_matched_for_every_office(office: TaxOffice) -> None:
    office.inquires(1, "R8-1")
    office.inquires(2, "R8-2", clerk(office.bench, "OP-0099", OTHER_OFFICE))
    office.next_month()
    assert "usebook/survey" in office.bench.work()
    months = auditor(office.bench).ask("usebook/figures", {}).data["months"]
    assert [(m["office"], m["matched"]["unrecorded"]) for m in months] == [
        (OTHER_OFFICE, 1),
        (OFFICE, 1),
    ]


def test_the_night_keeps_to_the_tolerance_of_the_office(office: TaxOffice) -> None:
    office.inquires(1, "R8-1")
    office.writes(line("10:30", "R8-1"))
    office.next_month()
    office.matches(tolerance=45)
    office.bench.work()
    (month,) = auditor(office.bench).ask("usebook/figures", {}).data["months"]
    assert (month["matched"]["tolerance"], month["unmarked"]) == (45, 0)


def test_a_month_in_which_nothing_was_done_is_no_alarm(office: TaxOffice) -> None:
    office.officer.ask("usebook/match", {"month": "2020-01"})
    assert alarms(office) == []


def test_the_night_is_quiet_once_everybody_has_signed(office: TaxOffice, unrecorded: str) -> None:
    office.bench.work()
    mark(office, unrecorded)
    office.officer.ask("usebook/sign-off", APRIL)
    office.bench.now = datetime(2026, 5, 9, 1, 0, tzinfo=UTC)
    assert "usebook/survey" not in office.bench.work()
    office.bench.now = datetime(2026, 6, 9, 1, 0, tzinfo=UTC)
    assert "usebook/survey" in office.bench.work()


def test_a_month_that_is_not_signed_off_in_time_is_an_alarm(
    office: TaxOffice, unrecorded: str
) -> None:
    office.bench.now = datetime(2026, 5, 15, 1, 0, tzinfo=UTC)
    assert alarms(office) == []
    office.bench.now = datetime(2026, 5, 16, 1, 0, tzinfo=UTC)
    assert alarms(office) == [("usebook/not-signed-off", 1)]
    office.officer = officer(office.bench)
    mark(office, unrecorded)
    office.officer.ask("usebook/sign-off", APRIL)
    assert alarms(office) == []


def test_figures_say_that_the_book_was_written_in_after_the_matching(office: TaxOffice) -> None:
    office.writes(line("10:00", "R8-1"))
    assert office.matches()["changed_since"] is False
    office.writes(line("10:30", "R8-2"))
    (month,) = office.officer.ask("usebook/figures", {}).data["months"]
    assert month["changed_since"] is True


def test_a_book_that_is_written_in_during_the_matching_is_matched_again(
    office: TaxOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*everything: Any) -> Found:
        found = held_against(*everything)
        office.writes(line("10:00", "R8-1"))
        return found

    monkeypatch.setattr(reviewing, "held_against", interrupted)
    with pytest.raises(Conflict, match="match again"):
        office.matches()


def test_whoever_shares_an_authority_marks_nothing_of_his_own_under_another(
    office: TaxOffice,
) -> None:
    bench = office.bench
    roles = ("security-officer", "clerk")
    authority = {"roles": ("clerk",), "purposes": ("prefectural-tax",), "office": OFFICE}
    bench.appoint("OP-SHARED", "P-FIRST", "P-SECOND", **authority)
    for which, person in ((1, "P-FIRST"), (2, "P-SECOND")):
        seat = bench.log_in(person, "OP-SHARED", f"TERM-{person}")
        office.inquires(which, "R8-1", seat)
        seat.ask("session/close", {})
    own = bench.clerk(
        "SEC-2", roles=roles, office=OFFICE, terminal_id="TERM-9", person_id="P-SECOND"
    )
    assert office.matches()["matched"]["people"] == ("P-FIRST", "P-SECOND")
    _, second = office.leftovers()
    with pytest.raises(NotPermitted):
        mark(office, second["id"], own)


def test_a_correction_by_another_does_not_let_whoever_wrote_a_line_mark_it(
    office: TaxOffice,
) -> None:
    own = office.bench.clerk(
        "SEC-2", roles=("security-officer", "clerk"), office=OFFICE, terminal_id="TERM-9"
    )
    asked = {"day": "2026-04-01", "begins": "10:00", "operator": "OP-0001", "count": 1}
    asked |= {"purpose": "prefectural-tax", "reason": "01"}
    own.ask("usebook/enter", asked)
    corrected = {"month": "2026-04", "number": 1, "line": {**asked, "count": 2}, "why": "誤記"}
    office.clerk.ask("usebook/correct", corrected)
    office.matches()
    (left,) = office.leftovers()
    with pytest.raises(NotPermitted):
        mark(office, left["id"], own)
    assert mark(office, left["id"]) == 0
