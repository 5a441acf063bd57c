"""事故: the clocks of the law, the persons counted in the ledger, and what comes before the end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Malformed, NotFound, NotPermitted, Rejected
from appliance.testing import OURS, Bench
from plugins.compliance import reach
from plugins.compliance.books import incidents
from tests.plugins.compliance.staff import (
    ADMIN,
    AUDITOR,
    CLERK,
    OFFICER,
    TAX,
    Person,
    Staff,
    refused,
)
from tests.plugins.people import admit, code, shipped_policy

FOUND = {"discovered_on": "2026-04-01", "what": "票を紛失", "place": "窓口"}
CLASSIFIED: dict[str, Any] = {
    "cause": "loss",
    "affected": 3,
    "my_number": True,
    "reporting": "required",
    "remark": "紛失",
}
CONTAINED = {"contained_on": "2026-04-01", "measures": "捜索"}
PRELIMINARY = {"preliminary_on": "2026-04-01", "preliminary_document": "市第1号"}
FINAL = {"final_on": "2026-04-01", "final_document": "市第2号"}
NOTIFIED = {"notified_on": "2026-04-01", "notified": 3, "how": "letter"}
CLOSED = {"lessons": "施錠の徹底", "prevention": "点検表に追加"}
ROLE = "no role of yours may take this step"


def opened(staff: Staff, **classified: Any) -> int:
    number = staff.open(CLERK, "incident", **FOUND)
    if classified:
        staff.step(AUDITOR, "incident", number, "classify", **{**CLASSIFIED, **classified})
    return number


@pytest.mark.requirement("R168")
@pytest.mark.parametrize(
    ("classified", "clocks"),
    [
        # Not classified yet: taken for one that must be reported. The first day counts.
        ({}, {"preliminary": "2026-04-05", "final": "2026-04-30"}),
        ({"cause": "loss"}, {"preliminary": "2026-04-05", "final": "2026-04-30"}),
        (
            {"cause": "malicious"},
            {"preliminary": "2026-04-05", "final-malicious": "2026-05-30"},
        ),
        ({"reporting": "not-required"}, {}),
    ],
)
def test_the_clocks_run_from_the_day_it_was_known(
    staff: Staff, classified: dict[str, Any], clocks: dict[str, str]
) -> None:
    number = opened(staff, **classified)
    assert staff.due() == {("incident", number, clock): day for clock, day in clocks.items()}


@pytest.mark.requirement("R168")
def test_a_clock_that_ran_out_alarms_until_the_report_is_sent(staff: Staff) -> None:
    number = opened(staff)
    assert staff.alarms() == {"compliance/due": 1}
    staff.today("2026-04-06")
    assert staff.alarms() == {"compliance/overdue": 1}
    (late,) = staff.ask(ADMIN, "due", within=0)["due"]
    assert (late["clock_title"], late["days_left"], late["steps"]) == ("速報", -1, ("preliminary",))
    staff.step(AUDITOR, "incident", number, "preliminary", **PRELIMINARY)
    staff.today("2026-04-07")
    assert staff.alarms() == {}


@pytest.mark.requirement("R168")
@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({"cause": "malicious", "affected": 1}, {("C-31", "reporting")}),
        ({"affected": 101}, {("C-31", "reporting")}),
        ({"affected": 100}, None),
        ({"affected": -1}, {("C-03", "affected")}),
        ({"affected": 3.5}, {("C-03", "affected")}),
        ({"cause": "unknown"}, {("C-03", "cause")}),
        ({"my_number": 1}, {("C-03", "my_number")}),
    ],
)
def test_serious_incidents_are_reported(
    staff: Staff, given: dict[str, Any], problems: set[tuple[str, str]] | None
) -> None:
    number = opened(staff)
    given = {**CLASSIFIED, "reporting": "not-required", **given}
    if problems is None:
        assert staff.step(AUDITOR, "incident", number, "classify", **given) == "classified"
    else:
        assert refused(staff, AUDITOR, "incident", (number, "classify"), **given) == problems


@pytest.mark.requirement("R168")
def test_an_incident_is_closed_when_everything_was_done(staff: Staff) -> None:
    number = opened(staff, cause="loss")
    where = (number, "close")
    assert refused(staff, AUDITOR, "incident", where, **CLOSED) == {("C-13", "step")}
    staff.step(OFFICER, "incident", number, "contain", **CONTAINED)
    assert refused(staff, AUDITOR, "incident", where, **CLOSED) == {("C-14", "step")}
    told = refused(staff, AUDITOR, "incident", (number, "final"), **FINAL)
    assert told == {("C-13", "step")}
    staff.step(AUDITOR, "incident", number, "preliminary", **PRELIMINARY)
    told = refused(staff, AUDITOR, "incident", (number, "preliminary"), **PRELIMINARY)
    assert told == {("C-12", "step")}
    staff.step(AUDITOR, "incident", number, "final", **FINAL)
    assert refused(staff, AUDITOR, "incident", where, **CLOSED) == {("C-32", "step")}
    staff.step(AUDITOR, "incident", number, "notify", **NOTIFIED)
    assert staff.step(AUDITOR, "incident", number, "close", **CLOSED) == "closed"
    assert staff.entry("incident", number)["kept_until"] == "2032-03-31"


@pytest.mark.requirement("R168")
def test_one_that_need_not_be_reported_is_closed_without(staff: Staff) -> None:
    number = opened(staff, reporting="not-required")
    staff.step(OFFICER, "incident", number, "contain", **CONTAINED)
    assert staff.step(AUDITOR, "incident", number, "close", **CLOSED) == "closed"


@pytest.mark.requirement("R168")
@pytest.mark.parametrize(
    ("who", "step", "given", "why"),
    [
        (CLERK, "classify", CLASSIFIED, ROLE),
        (OFFICER, "preliminary", PRELIMINARY, ROLE),
        (ADMIN, "close", CLOSED, ROLE),
        (AUDITOR, "close", CLOSED, {("C-11", "step")}),
        (
            AUDITOR,
            "count",
            {"counted": 0},
            "the book has no such step; compliance/books names them",
        ),
    ],
)
def test_whoever_is_not_charged_with_it_cannot(
    staff: Staff, who: Person, step: str, given: dict[str, Any], why: Any
) -> None:
    assert refused(staff, who, "incident", (opened(staff), step), **given) == why


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Staff]:
    """Everybody, and all functions, so that residents can be looked at."""
    with Bench.open(tmp_path, None, shipped_policy()) as bench:
        yield Staff(bench)


def look(staff: Staff, which: int, operator: str = "OP-0090", office: str = TAX) -> None:
    """Let somebody inquire about a resident."""
    seat = staff.bench.clerk(
        operator, roles=("registrar",), purposes=("register-administration",), office=office
    )
    by = {"resident_code": code(which)}
    body = {"by": by, "items": ["name"]}
    seat.ask("provision/inquire", body, purpose="register-administration", reason="01")


@pytest.mark.requirement("R168")
def test_the_persons_concerned_are_counted_in_the_ledger(whole: Staff) -> None:
    assert "compliance" in OURS
    for which in (1, 2, 3):
        admit(whole.bench, which)
    for which in (1, 2, 2):
        look(whole, which)
    look(whole, 3, "OP-0091", "福祉課")
    number = opened(whole)
    days = {"number": number, "since": whole.day(), "until": whole.day()}

    def count(**filters: str) -> tuple[int, int]:
        told = whole.ask(AUDITOR, "count-affected", **days, **filters)
        return told["persons"], told["entries"]

    assert count() == (3, 4)
    assert count(operator="OP-0090") == (2, 3)
    assert count(office="福祉課") == (1, 1)
    assert count(terminal="TERM-0009") == (0, 0)
    assert count(person="P-OP-0091", operation="provision/inquire") == (1, 1)
    entry = whole.entry("incident", number)
    last = entry["steps"][-1]
    assert (last["step"], last["title"]) == ("count", "操作履歴による対象者数の確認")
    assert last["given"]["counted"] == entry["fields"]["counted"] == 1
    assert last["given"]["counted_in"]["person"] == "P-OP-0091"
    assert "incident 1: 1 persons" in [reading.note for reading in whole.bench.ledger()]


@pytest.mark.requirement("R168")
def test_fewer_persons_than_the_ledger_says_stop_no_clock(
    whole: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "MANY", 1)
    for which in (1, 2):
        admit(whole.bench, which)
        look(whole, which)
    number = opened(whole)
    days = {"number": number, "since": whole.day(), "until": whole.day()}
    assert whole.ask(AUDITOR, "count-affected", **days)["persons"] == 2
    classified = {**CLASSIFIED, "affected": 1, "reporting": "not-required"}
    step = (number, "classify")
    assert refused(whole, AUDITOR, "incident", step, **classified) == {("C-31", "reporting")}
    assert whole.ask(AUDITOR, "count-affected", **days, terminal="TERM-0009")["persons"] == 0
    assert whole.step(AUDITOR, "incident", number, "classify", **classified) == "classified"


@pytest.mark.requirement("R168")
def test_nobody_counts_who_is_not_charged_with_it_or_in_a_period_that_is_none(
    whole: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = opened(whole)
    days = {"number": number, "since": whole.day(), "until": whole.day()}
    with pytest.raises(NotPermitted):
        whole.ask(CLERK, "count-affected", **days)
    with pytest.raises(Malformed, match="since is after until"):
        whole.ask(AUDITOR, "count-affected", **{**days, "since": "2099-01-01"})
    with pytest.raises(NotFound):
        whole.ask(AUDITOR, "count-affected", **{**days, "number": number + 1})
    monkeypatch.setattr(reach, "MOST", 3)
    with pytest.raises(Rejected, match="give a shorter one"):
        whole.ask(AUDITOR, "count-affected", **days)


def test_only_what_lies_in_the_period_is_read(whole: Staff) -> None:
    admit(whole.bench, 1)
    look(whole, 1)
    number = opened(whole)
    for since, until, persons in (
        ("2026-03-01", "2026-03-30", 0),
        (whole.day(), whole.day(), 1),
        ("2026-05-01", "2026-05-31", 0),
    ):
        told = whole.ask(AUDITOR, "count-affected", number=number, since=since, until=until)
        assert told["persons"] == persons
