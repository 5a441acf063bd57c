"""What the prefecture tells a municipality, and how its notices answer."""

from types import SimpleNamespace

import pytest

import plugins.update as update
from appliance.errors import Conflict, NotPermitted
from appliance.operation import Answer, Arguments, Operation
from appliance.plugin_api import OperationName, hookimpl, inbox_of
from appliance.testing import Bench
from appliance.watch import Watch
from plugins.update import inbox
from tests.plugins.update.making import (
    CHUO_WARD,
    HITOYOSHI,
    KUMAMOTO,
    YATSUSHIRO,
    code,
    moved,
    moving_out,
    notify,
    number,
    to_hitoyoshi,
    waits,
    wire,
)


class Report(Arguments, frozen=True, kw_only=True):
    resident_code: str
    text: str
    to: str | None = None


def _report(case, asked):
    person = case.registry.by_code(asked.resident_code)
    place = case.registry.read(person, ("municipality_code",)).values["municipality_code"]
    destination = asked.to or inbox_of(place, case.registry.municipalities)
    case.outgoing.send(destination, "report", person, {"text": asked.text})
    return Answer()


REPORTING = SimpleNamespace(
    operations=hookimpl(
        lambda: [
            Operation(
                name=OperationName("test/report"),
                summary="Report an error to the municipality",
                asks=Report,
                answers=Answer,
                handler=_report,
                changes=True,
                uses=frozenset({"outgoing"}),
                drops=("resident_code", "text", "to"),
            )
        ],
        specname="operations",
    )
)
TEXT = "開示請求により誤りが判明しました。住民票を確認してください。"


@pytest.fixture
def bench(tmp_path):
    with Bench.open(tmp_path / "a", {"update": update, "reporting": REPORTING}) as opened:
        yield opened


@pytest.fixture
def report(bench):
    clerk = bench.clerk()

    def send(person=1, **more):
        body = {"resident_code": code(person), "text": TEXT, **more}
        clerk.ask("test/report", body, purpose="all", reason="01")

    return send


def read(seat, **asked):
    return seat.ask("update/inbox", asked).data


def acknowledge(seat, through, **more):
    return seat.ask("update/acknowledge-inbox", {"through": through, **more}).data["acknowledged"]


def test_a_report_is_read_until_it_is_acknowledged_and_from_any_number_after(bench, cs, report):
    notify(cs, wire(), wire(sequence=2, resident_code=code(2), my_number=number(2)))
    report(1)
    report(2)
    first, second = read(cs)["messages"]
    assert first == {
        "number": 1,
        "kind": "report",
        "resident_code": code(1),
        "note": {"text": TEXT},
        "answered_by": None,
    }
    assert second["resident_code"] == code(2)
    assert acknowledge(cs, 1) == 1
    assert [each["number"] for each in read(cs)["messages"]] == [2]
    assert [each["number"] for each in read(cs, after=0, limit=1)["messages"]] == [1]
    answer = read(cs, after=2)
    assert (answer["messages"], answer["last"], answer["acknowledged"]) == ([], 2, 1)


def test_the_next_notice_about_the_person_answers_what_was_reported(bench, cs, report):
    notify(cs, wire(), wire(sequence=2, resident_code=code(2), my_number=number(2)))
    report(1)
    report(1)
    acknowledge(cs, 2)
    elsewhere = moved(3, 2, resident_code=code(2), my_number=number(2))
    refused = moved(4, 2, sex="9")
    answering = wire(sequence=5, update_number=2, reason="33", name="佐藤　一郎")
    later = moved(6, 3, name="佐藤　一郎")
    results = notify(cs, elsewhere, refused, answering, later)["results"]
    assert [each["answers"] for each in results] == [[], [], [1, 2], []]
    assert [each["answered_by"] for each in read(cs, after=0)["messages"]] == [5, 5]


def test_a_report_about_a_former_code_is_answered_under_the_new_one(bench, cs, report):
    notify(cs, wire())
    report(1)
    acknowledge(cs, 1)
    codes = {"resident_code": code(2), "previous_resident_code": code(1)}
    [result] = notify(cs, wire(sequence=2, update_number=2, reason="42", **codes))["results"]
    assert result["answers"] == [1]


def test_only_who_was_asked_answers(bench, cs, report):
    hitoyoshi = bench.municipality(HITOYOSHI)
    notify(cs, wire())
    report(1, to=f"cs/{HITOYOSHI}")
    acknowledge(hitoyoshi, 1)
    leaving = wire(sequence=2, update_number=2, reason="21")
    assert notify(cs, leaving)["results"][0]["answers"] == []
    assert notify(hitoyoshi, to_hitoyoshi(1, 3))["results"][0]["answers"] == [1]


def test_what_was_not_acknowledged_is_not_answered(bench, cs, report):
    notify(cs, wire())
    report(1)
    assert notify(cs, moved(2, 2))["results"][0]["answers"] == []


def test_a_city_reads_for_its_wards(bench, report):
    city = bench.municipality(KUMAMOTO)
    notify(city, wire(municipality_code=CHUO_WARD))
    report(1)
    report(1, to=f"cs/{CHUO_WARD}")
    assert [each["number"] for each in read(city)["messages"]] == [1]
    ward = read(city, municipality_code=CHUO_WARD)
    assert [each["number"] for each in ward["messages"]] == [1]
    assert acknowledge(city, 1, municipality_code=CHUO_WARD) == 1
    answer = moved(2, 2, municipality_code=CHUO_WARD)
    assert notify(city, answer)["results"][0]["answers"] == [1]


def test_nobody_reads_or_acknowledges_anothers_inbox(bench, cs, report):
    notify(cs, wire())
    report(1)
    hitoyoshi = bench.municipality(HITOYOSHI)
    assert read(hitoyoshi)["messages"] == []
    for ask in (lambda: read(hitoyoshi, municipality_code=YATSUSHIRO), lambda: read(bench.clerk())):
        with pytest.raises(NotPermitted):
            ask()
    with pytest.raises(NotPermitted):
        acknowledge(hitoyoshi, 1, municipality_code=YATSUSHIRO)
    with pytest.raises(Conflict):
        acknowledge(hitoyoshi, 1)


def test_a_great_many_are_acknowledged_in_parts(bench, cs, report, monkeypatch):
    monkeypatch.setattr(inbox, "MOST", 2)
    notify(cs, wire())
    for _ in range(3):
        report(1)
    assert acknowledge(cs, 3) == 2
    assert acknowledge(cs, 3) == 3
    assert acknowledge(cs, 1) == 3
    assert notify(cs, moved(2, 2))["results"][0]["answers"] == [1, 2, 3]


def test_the_ledger_has_whom_the_messages_were_about(bench, cs, report):
    notify(cs, wire())
    report(1)
    read(cs)
    entry = bench.ledger()[-1]
    assert (entry.operation, len(entry.subjects), entry.hits) == ("update/inbox", 1, 1)


@pytest.mark.parametrize("operation", ["update/inbox", "update/acknowledge-inbox"])
def test_nothing_is_told_while_a_plugin_withholds_whom_it_is_about(tmp_path, operation):
    protector = SimpleNamespace(
        withhold=hookimpl(
            lambda actor, request: frozenset(
                {"resident_code"} if request.operation == operation else ()
            ),
            specname="withhold",
        )
    )
    plugins = {"update": update, "protector": protector}
    with Bench.open(tmp_path / "b", plugins) as bench:
        cs = bench.municipality(YATSUSHIRO)
        notify(cs, wire())
        notify(bench.municipality(HITOYOSHI), to_hitoyoshi(1, 2))
        with pytest.raises(NotPermitted):
            cs.ask(operation, {"through": 1} if operation == "update/acknowledge-inbox" else {})
        assert cs.ask("update/held", {}).data["last_sequence"] == 1


# ---- what comes of waiting -------------------------------------------------------------------


def test_the_municipality_before_hears_that_its_moving_out_is_waited_for(bench, cs):
    notify(cs, wire())
    notify(bench.municipality(HITOYOSHI), to_hitoyoshi(1, 3))
    [message] = read(cs)["messages"]
    assert (message["kind"], message["resident_code"]) == ("awaited", code(1))
    assert message["note"]["rule"] == "L-01"
    assert "転出" in message["note"]["text"]


def test_it_hears_so_once_of_each_who_waits_until_somebody_has_moved_out(bench, cs):
    def tries(sequence, update_number):
        notify(hitoyoshi, to_hitoyoshi(sequence, update_number))
        hitoyoshi.ask("update/withdraw", {"sequence": sequence})

    def heard_of():
        return [message["kind"] for message in read(cs)["messages"]]

    hitoyoshi = bench.municipality(HITOYOSHI)
    notify(cs, wire())
    for sequence in (1, 2, 3):
        tries(sequence, 3)
    assert heard_of() == ["awaited"]
    notify(cs, moving_out(day="2026-03-25"), wire(sequence=3, update_number=3))
    tries(4, 5)
    tries(5, 5)
    assert heard_of() == ["awaited"] * 2


def test_a_notice_that_waited_and_is_refused_is_told_in_the_inbox(bench, cs):
    notify(cs, wire(), moved(3, 3, sex="2", address="熊本県八代市"), moved(2, 2))
    [message] = read(cs)["messages"]
    note = message["note"]
    assert (message["kind"], note["sequence"], note["rule"], note["item"]) == (
        "refused",
        "3",
        "L-10",
        "sex",
    )
    assert note["text"].endswith("。")


def test_a_notice_that_waits_can_be_taken_back(bench, cs):
    hitoyoshi = bench.municipality(HITOYOSHI)
    notify(cs, wire())
    notify(hitoyoshi, to_hitoyoshi(1, 3))

    def withdraw(seat):
        return seat.ask("update/withdraw", {"sequence": 1}).data["withdrawn"]

    assert withdraw(cs) is False
    assert (withdraw(hitoyoshi), withdraw(hitoyoshi)) == (True, False)
    assert waits(hitoyoshi) == []
    notify(cs, moving_out(day="2026-03-31"))
    assert notify(hitoyoshi, to_hitoyoshi(1, 3))["results"][0]["outcome"] == "duplicate"
    assert notify(hitoyoshi, to_hitoyoshi(2, 3))["results"][0]["outcome"] == "applied"


def test_what_has_waited_for_days_is_an_alarm(bench, cs):
    def alarms():
        with bench.vault.view() as view:
            return [each.since for each in update.alarms(Watch(view, "update", bench.now))]

    def age():
        answer = cs.ask("update/held", {}).data
        return answer["oldest_age"], [held["age"] for held in answer["held"]]

    assert (alarms(), age()) == ([], (None, []))
    first = bench.now
    notify(cs, moved(2, 2))
    bench.now = bench.now.replace(day=4)
    assert alarms() == []
    bench.now = bench.now.replace(day=5)
    other = {"resident_code": code(2), "my_number": number(2)}
    notify(cs, moved(3, 2, **other))
    assert alarms() == [first]
    assert age() == (4 * 86400, [4 * 86400, 0])
    notify(cs, wire())
    assert alarms() == []
