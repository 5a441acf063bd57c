"""受付, 補正, 期限, 終了."""

from datetime import timedelta
from typing import Any

import pytest

from appliance.errors import Malformed, NotFound, NotPermitted
from appliance.testing import Bench
from plugins.disclosure.blank import Forms
from plugins.disclosure.book import Representative, Subject
from plugins.disclosure.correcting import Correct
from plugins.disclosure.receiving import Amend, Receive
from tests.plugins.disclosure.desk import HANAKO, MOTHER, REASON, UNSEEN, Desk
from tests.plugins.people import admit, number, shipped_policy


@pytest.mark.requirement("R63")
def test_a_request_is_entered_in_the_register(desk: Desk) -> None:
    asked = {"method": "post", "subject": HANAKO, "identity": ["passport", "my-number-card"]}
    opened = desk.ask("receive", **asked, received_on="2026-03-30")
    assert opened["number"] == 1
    assert (opened["state"], opened["received_on"]) == ("received", "2026-03-30")
    seen = desk.ask("case", number=1)
    assert (seen["method"], seen["identity"]) == ("post", ["passport", "my-number-card"])
    assert seen["subject"] == {**HANAKO, "resident_code": None}
    assert desk.receive() == 2


@pytest.mark.parametrize("method", ["counter", "post"], ids=["R77-visit", "R77-post"])
def test_a_request_comes_to_the_counter_or_by_post(desk: Desk, method: str) -> None:
    assert desk.ask("case", number=desk.receive(method=method))["method"] == method


@pytest.mark.requirement("R77")
def test_there_is_no_other_way(desk: Desk) -> None:
    with pytest.raises(Malformed, match="method"):
        desk.receive(method="telephone")


@pytest.mark.parametrize(
    "asks",
    [Receive, Subject, Representative, Amend, Correct, Forms],
    ids=lambda asks: f"R64-{asks.__name__}",
)
def test_no_form_of_a_request_has_a_place_for_a_my_number(asks: Any) -> None:
    assert "my_number" not in asks.__struct_fields__


@pytest.mark.requirement("R64")
def test_a_request_with_a_my_number_is_refused(desk: Desk) -> None:
    with pytest.raises(Malformed, match=r"unknown field.*subject"):
        desk.receive({**HANAKO, "my_number": number(1)})
    assert number(1).encode() not in _written(desk.bench)


def test_what_the_requester_wrote_is_not_in_the_ledger(desk: Desk) -> None:
    desk.receive(representative={**MOTHER, "standing": "adult-ward"})
    written = _written(desk.bench)
    for text in (*HANAKO.values(), *MOTHER.values()):
        if len(text) > 8:
            assert text.encode() not in written
    assert desk.bench.ledger()[-1].note == "case 1"


def _written(bench: Bench) -> bytes:
    with bench.vault.view() as view:
        return b"".join(entry.body for entry in view.entries(0, view.ledger_size()))


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-04-01", "2026-04-30"),
        ("2026-03-03", "2026-04-01"),
        ("2026-02-28", "2026-03-29"),
    ],
)
def test_thirty_days_are_counted_with_the_day_of_acceptance(
    desk: Desk, received: str, due: str
) -> None:
    number = desk.receive(received_on=received)
    assert desk.ask("case", number=number)["due_on"] == due


def test_the_cases_are_listed_without_a_name_the_most_urgent_first(desk: Desk) -> None:
    first = desk.receive(received_on="2026-03-20")
    second = desk.receive(received_on="2026-03-01")
    third = desk.receive()
    listed = desk.ask("cases")
    assert [each["number"] for each in listed["cases"]] == [second, first, third]
    assert [each["days_left"] for each in listed["cases"]] == [-2, 17, 29]
    assert HANAKO["name"] not in str(listed)
    assert desk.ask("cases", which="overdue")["count"] == 1
    desk.ask("close", number=second, why="withdrawn")
    assert desk.ask("cases", which="overdue")["count"] == 0
    assert [each["number"] for each in desk.ask("cases", which="closed")["cases"]] == [second]
    assert [each["days_left"] for each in desk.ask("cases", which="closed")["cases"]] == [0]
    assert desk.ask("cases", which="all", limit=1)["count"] == 3
    assert desk.ask("cases", kind="correction")["count"] == 0


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"received_on": "2026-04-02"}, ("D-01", "received_on")),
        ({"received_on": "2026-02-30"}, ("D-01", "received_on")),
        ({"subject": {**HANAKO, "birth_date": "1990-13-01"}}, ("D-02", "birth_date")),
        ({"representative": MOTHER}, ("D-03", "representative")),
    ],
    ids=["future", "no-day", "birth", "of-age"],
)
def test_what_cannot_be_is_not_received(
    desk: Desk, body: dict[str, Any], problem: tuple[str, str]
) -> None:
    asked = {"method": "counter", "subject": HANAKO, "identity": ["passport"], **body}
    assert desk.refused("receive", **asked) == [problem]
    assert desk.ask("cases")["count"] == 0


@pytest.mark.parametrize(
    ("birth_date", "is_minor"),
    [
        ("2008-04-01", False),  # 18 at the end of 2026-03-31
        ("2008-04-02", False),  # 18 at the end of 2026-04-01, the day of receipt
        ("2008-04-03", True),
        ("2008-00-00", True),
        ("2007-00-00", False),
    ],
)
def test_a_representative_of_a_minor_asks_for_a_minor_only(
    desk: Desk, birth_date: str, is_minor: bool
) -> None:
    asked = {
        "method": "counter",
        "subject": {**HANAKO, "birth_date": birth_date},
        "identity": ["passport"],
        "representative": MOTHER,
    }
    if is_minor:
        seen = desk.ask("case", number=desk.ask("receive", **asked)["number"])
        assert seen["representative"] == MOTHER
    else:
        assert desk.refused("receive", **asked) == [("D-03", "representative")]


@pytest.mark.requirement("R78")
def test_a_request_costs_ten_yen_in_stamps(desk: Desk) -> None:
    admit(desk.bench)
    asked = {"method": "post", "subject": HANAKO, "identity": ["passport"]}
    opened = desk.ask("receive", **asked, stamps_yen=9)
    assert (opened["fee_yen"], opened["paid"]) == (10, False)
    number = opened["number"]
    desk.ask("match", number=number)
    assert desk.refused("issue", number=number, sha256=UNSEEN) == [("D-06", "stamps_yen")]
    assert desk.ask("amend", number=number, stamps_yen=10)["paid"]
    assert desk.state(number) == "matched"
    assert desk.issue(number)["sheet"] == 1


def test_a_request_put_right_is_matched_again(desk: Desk) -> None:
    admit(desk.bench)
    number = desk.matched({**HANAKO, "birth_date": "1990-05-04"})
    assert desk.state(number) == "mismatch"
    desk.ask("amend", number=number, subject=HANAKO, identity=["residence-card"])
    assert desk.state(number) == "received"
    assert desk.ask("match", number=number)["state"] == "matched"
    states = desk.ask("case", number=number)["states"]
    assert states == ["received", "mismatch", "received", "matched"]


def test_a_request_is_not_put_right_with_a_date_that_is_none(desk: Desk) -> None:
    number = desk.receive()
    wrong = {**HANAKO, "birth_date": "1990-99-04"}
    assert desk.refused("amend", number=number, subject=wrong) == [("D-02", "birth_date")]


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("amend", {}),
        ("match", {}),
        ("preview", {}),
        ("issue", {"sha256": UNSEEN}),
        ("extend", {"until": "2026-05-10", "why": "x"}),
    ],
)
def test_what_was_issued_is_not_changed(desk: Desk, operation: str, more: dict[str, str]) -> None:
    admit(desk.bench)
    number = desk.matched()
    desk.issue(number)
    assert desk.refused(operation, number=number, **more) == [("D-10", "number")]


def test_a_closed_case_stays_closed(desk: Desk) -> None:
    number = desk.receive()
    assert desk.refused("close", number=number, why="completed") == [("D-19", "why")]
    desk.ask("close", number=number, why="rejected")
    assert desk.ask("case", number=number)["closed"] == {"why": "rejected", "on": "2026-04-01"}
    assert desk.refused("match", number=number) == [("D-05", "number")]
    assert desk.refused("close", number=number, why="withdrawn") == [("D-05", "number")]


def test_a_delivered_case_is_completed(desk: Desk) -> None:
    admit(desk.bench)
    number = desk.disclosed()
    assert desk.ask("close", number=number, why="completed")["state"] == "closed"


def test_a_number_that_was_never_given_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.ask("match", number=7)


@pytest.mark.requirement("R82")
def test_each_case_names_the_articles_of_the_law(desk: Desk) -> None:
    admit(desk.bench)
    disclosure = desk.disclosed()
    assert "第30条の32" in desk.ask("case", number=disclosure)["law"]
    correction = desk.ask("case", number=desk.correction(disclosure))["law"]
    assert "第30条の35" in correction
    assert "第12条の5" in correction


def test_a_clerk_of_another_office_reaches_nothing_of_it(bench: Bench) -> None:
    clerk = bench.clerk("OP-0002", roles=("clerk",), purposes=("disclosure",))
    with pytest.raises(NotPermitted):
        clerk.ask("disclosure/cases", {}, **REASON)


def test_the_shipped_office_takes_ten_yen_a_copy() -> None:
    assert shipped_policy().office.fee_yen == 10


def test_a_case_is_late_the_day_after_its_last(desk: Desk) -> None:
    desk.receive()
    desk.bench.now += timedelta(days=29)
    desk = Desk(desk.bench, desk.bench.clerk(roles=("registrar",), purposes=("disclosure",)))
    assert desk.ask("cases", which="overdue")["count"] == 0
    desk.bench.now += timedelta(days=1)
    desk = Desk(desk.bench, desk.bench.clerk(roles=("registrar",), purposes=("disclosure",)))
    assert desk.ask("cases", which="overdue")["count"] == 1


@pytest.mark.parametrize("birth_date", ["1990-02-30", "2007-02-29"])
def test_a_birth_date_in_no_calendar_is_not_received(desk: Desk, birth_date: str) -> None:
    asked = {"method": "counter", "identity": ["passport"]}
    wrong = {**HANAKO, "birth_date": birth_date}
    assert desk.refused("receive", **asked, subject=wrong) == [("D-02", "birth_date")]
    assert desk.refused("amend", number=desk.receive(), subject=wrong) == [("D-02", "birth_date")]


@pytest.mark.requirement("R63")
def test_the_day_of_acceptance_is_put_right_and_the_thirty_days_with_it(desk: Desk) -> None:
    asked = {"method": "post", "subject": HANAKO, "identity": ["passport"]}
    long_ago = [("D-35", "received_on")]
    assert desk.refused("receive", **asked, received_on="2025-03-31") == long_ago
    number = desk.ask("receive", **asked, received_on="2025-04-01")["number"]
    assert desk.refused("amend", number=number, received_on="2025-03-31") == long_ago
    for wrong in ("2026-04-02", "2026-02-30"):
        problems = desk.refused("amend", number=number, received_on=wrong)
        assert problems == [("D-01", "received_on")]
    right = desk.ask("amend", number=number, received_on="2026-03-30")
    assert (right["received_on"], right["due_on"]) == ("2026-03-30", "2026-04-28")


def test_a_day_put_right_leaves_the_date_that_was_told_in_writing(desk: Desk) -> None:
    number = desk.receive(received_on="2026-03-20")
    desk.ask("extend", number=number, until="2026-05-10", why="調査")
    assert desk.ask("amend", number=number, received_on="2026-03-21")["due_on"] == "2026-05-10"


def test_a_parent_does_not_ask_for_whom_the_right_day_shows_to_be_of_age(desk: Desk) -> None:
    minor = {**HANAKO, "birth_date": "2008-03-20"}
    number = desk.receive(minor, representative=MOTHER, received_on="2026-03-10")
    problems = desk.refused("amend", number=number, received_on="2026-03-25")
    assert problems == [("D-03", "representative")]


@pytest.mark.requirement("R68")
def test_before_absence_is_told_the_code_is_asked_for(desk: Desk) -> None:
    advice = desk.ask("match", number=desk.receive())["advice"]
    assert advice.index("住民票コードを確認し、補正") < advice.index("発行")
