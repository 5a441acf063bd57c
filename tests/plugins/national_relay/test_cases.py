"""機構からの誤り通報 and refused messages: the register, the 通報 to the municipality, the end."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, Malformed, NotFound, NotPermitted
from appliance.items import ITEM_NAMES
from appliance.model import Grant, OperationName
from appliance.outgoing import Outgoing
from appliance.registry import Registry
from appliance.testing import Bench, FakeNational, Seat
from plugins import national_relay
from plugins.national_relay import delivery
from plugins.national_relay.delivery import Acknowledge, Refused
from storage.engine import PersonId
from tests.plugins.people import (
    KUMAMOTO,
    YATSUSHIRO,
    admit,
    change,
    code,
    shipped_policy,
    unguarded,
)

WHY = {"purpose": "register-administration", "reason": "01"}
NOTICE = {"notice": "N-2026-0001", "items": ["name", "address"], "finding": "differs"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plugins = {"national_relay": national_relay}
    with Bench.open(tmp_path, plugins, shipped_policy(), FakeNational()) as bench:
        yield bench


@pytest.fixture
def registrar(bench: Bench) -> Seat:
    return bench.clerk("REGISTRAR", roles=("registrar",), purposes=("register-administration",))


@pytest.fixture
def administrator(bench: Bench) -> Seat:
    return bench.clerk("ADMIN", roles=("system-administrator",), purposes=())


def report(bench: Bench, which: int = 1, **other: Any) -> dict[str, Any]:
    asked = {**NOTICE, "resident_code": code(which), **other}
    return dict(bench.national().ask("relay/report-error", asked).data)


def acknowledge(bench: Bench, through: int, refused: dict[int, str] | None = None) -> Any:
    asked = Acknowledge(
        through=through,
        refused=tuple(Refused(number=n, rule=rule) for n, rule in (refused or {}).items()),
    )
    request_id = f"courier-{next(bench.counter):08}"
    return bench.pipeline.serve(OperationName("relay/acknowledge"), asked, request_id).data


def cases(seat: Seat, state: str = "open", **more: int) -> list[dict[str, Any]]:
    return list(seat.ask("relay/cases", {"state": state, **more}).data["cases"])


def none(_: object) -> list[Any]:
    return []


def inbox(bench: Bench, municipality: str = YATSUSHIRO) -> list[tuple[PersonId, dict[str, str]]]:
    with bench.vault.view() as view:
        grant = Grant(items=ITEM_NAMES, keys=frozenset())
        tools, guard = bench.parts.tools, unguarded(view)
        registry = Registry(view, None, tools, grant, frozenset, none, none, guard)
        outgoing = Outgoing(view, None, registry)
        about = outgoing.about(f"cs/{municipality}", 0, 100)
        dispatches = outgoing.after(f"cs/{municipality}", 0, 100, ())
        assert {each.kind for each in dispatches} <= {"report"}
        return [(about[each.number].person, dict(each.note)) for each in dispatches]


@pytest.mark.requirement("R190", "R187")
def test_an_error_notice_becomes_a_case_and_goes_to_the_municipality(
    bench: Bench, registrar: Seat
) -> None:
    who = admit(bench)
    assert report(bench) == {"case": 1, "known": False}
    entry = bench.ledger()[-1]
    assert (entry.operation, entry.subjects, entry.note) == (
        "relay/report-error",
        (who,),
        "case 1",
    )
    ((about, note),) = inbox(bench)
    assert about == who
    assert (note["from"], note["case"], note["items"], note["finding"]) == (
        "national-30-8",
        "1",
        "name,address",
        "differs",
    )
    assert note["text"].startswith(
        "機構から、本人確認情報の次の項目について通報がありました(漢字氏名、住所:"
    )
    bench.now += timedelta(hours=5)
    registrar = bench.clerk(
        "REGISTRAR", roles=("registrar",), purposes=("register-administration",)
    )
    (case,) = cases(registrar)
    assert (case["kind"], case["state"], case["age"]) == ("reported", "open", 5 * 3600)
    assert (case["municipality_code"], case["items"]) == (YATSUSHIRO, ("name", "address"))
    assert "熊本" not in str(case)
    assert code(1) not in str(case)


def test_a_ward_is_written_to_at_its_city(bench: Bench) -> None:
    admit(bench, municipality_code="431010")
    report(bench)
    assert len(inbox(bench, KUMAMOTO)) == 1


def test_the_same_notice_again_changes_nothing(bench: Bench, registrar: Seat) -> None:
    admit(bench, 1)
    admit(bench, 2)
    report(bench)
    assert report(bench) == {"case": 1, "known": True}
    for other in ({"which": 2}, {"finding": "other"}, {"items": ["name"]}):
        with pytest.raises(Conflict):
            report(bench, **other)
    assert len(cases(registrar, "all")) == len(inbox(bench)) == 1


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"which": 5}, NotFound),
        ({"items": ["kana"]}, Malformed),
        ({"items": []}, Malformed),
        ({"finding": "氏名が違う"}, Malformed),
        ({"notice": "第1号"}, Malformed),
    ],
)
def test_a_notice_that_is_none_is_refused_and_entered(
    bench: Bench, registrar: Seat, asked: dict[str, Any], refusal: type[Exception]
) -> None:
    admit(bench)
    with pytest.raises(refusal):
        report(bench, **asked)
    assert bench.ledger()[-1].refusal is not None
    assert cases(registrar, "all") == []


def test_nobody_but_the_national_server_reports(bench: Bench, registrar: Seat) -> None:
    admit(bench)
    for seat in (registrar, bench.municipality(YATSUSHIRO)):
        with pytest.raises(NotPermitted):
            seat.ask("relay/report-error", {**NOTICE, "resident_code": code(1)})


@pytest.mark.requirement("R190")
def test_a_case_is_answered_once_a_newer_version_was_taken(bench: Bench, registrar: Seat) -> None:
    who = admit(bench)
    admit(bench, 2)
    report(bench)
    assert acknowledge(bench, 2)["answered"] == ()
    change(bench, who, name="熊本　華子", reason="31")
    assert len(cases(registrar)) == 1
    assert acknowledge(bench, 3)["answered"] == (1,)
    assert bench.ledger()[-1].subjects == (who,)
    assert cases(registrar) == []
    (case,) = cases(registrar, "all")
    assert (case["state"], case["reason"], case["closed_by"]) == ("answered", None, None)


def test_a_case_is_shown_with_the_person_within_rights(bench: Bench, registrar: Seat) -> None:
    who = admit(bench)
    report(bench)
    registrar.ask("relay/close-case", {"number": 1, "reason": "住民票のとおり"})
    shown = registrar.ask("relay/case", {"number": 1, "items": ["name", "address"]}, **WHY).data
    assert shown["resident"]["name"] == "熊本　花子"
    assert [state["state"] for state in shown["states"]] == ["open", "closed"]
    closed = shown["states"][1]
    assert (closed["reason"], closed["closed_by"]) == ("住民票のとおり", "REGISTRAR")
    assert bench.ledger()[-1].subjects == (who,)
    with pytest.raises(Conflict):
        registrar.ask("relay/close-case", {"number": 1, "reason": "もう一度"})
    for operation, asked in (
        ("relay/close-case", {"number": 2, "reason": "なし"}),
        ("relay/case", {"number": 2, "items": ["name"]}),
    ):
        with pytest.raises(NotFound):
            registrar.ask(operation, asked, **(WHY if operation == "relay/case" else {}))


def test_who_it_is_needs_a_purpose(bench: Bench, registrar: Seat) -> None:
    admit(bench)
    report(bench)
    with pytest.raises(NotPermitted):
        registrar.ask("relay/case", {"number": 1, "items": ["name"]})


def test_cases_are_listed_page_by_page(bench: Bench, registrar: Seat) -> None:
    for which in range(5):
        admit(bench, which + 1)
        report(bench, which + 1, notice=f"N-{which}")
    registrar.ask("relay/close-case", {"number": 2, "reason": "誤通報"})
    assert [case["number"] for case in cases(registrar, limit=2)] == [1, 3]
    assert [case["number"] for case in cases(registrar, after=3)] == [4, 5]
    assert [case["number"] for case in cases(registrar, "all", after=1, limit=3)] == [2, 3, 4]


# --- messages that the national server refuses ---


@pytest.mark.requirement("R189", "R187")
def test_a_refused_message_is_set_aside_and_the_others_go_on(
    bench: Bench, registrar: Seat, administrator: Seat
) -> None:
    refused, _ = admit(bench, 1), admit(bench, 2)
    told = acknowledge(bench, 2, {1: "N-12"})
    assert told == {"acknowledged": 2, "opened": (1,), "answered": ()}
    (case,) = cases(registrar)
    assert (case["kind"], case["finding"], case["message"]) == ("refused", "N-12", 1)
    state = administrator.ask("relay/outbox", {}).data
    assert (state["depth"], state["refused"]) == (0, 1)
    ((about, note),) = inbox(bench)
    assert (about, note["from"], note["finding"]) == (refused, "national-30-7", "N-12")
    assert "N-12" in note["text"]


def test_a_later_message_about_the_person_makes_it_good_unless_refused_too(
    bench: Bench, registrar: Seat
) -> None:
    who = admit(bench)
    acknowledge(bench, 1, {1: "N-12"})
    change(bench, who, address="熊本県八代市西片町１")
    assert acknowledge(bench, 2, {2: "N-12"}) == {
        "acknowledged": 2,
        "opened": (2,),
        "answered": (),
    }
    change(bench, who, seen=2, address="熊本県八代市西片町２")
    assert acknowledge(bench, 3)["answered"] == (1, 2)
    assert cases(registrar) == []


def test_within_one_delivery_the_later_message_counts(bench: Bench) -> None:
    who = admit(bench)
    change(bench, who, address="熊本県八代市西片町１")
    assert acknowledge(bench, 2, {1: "N-12"}) == {
        "acknowledged": 2,
        "opened": (1,),
        "answered": (1,),
    }


def test_a_refused_message_can_be_sent_again(
    bench: Bench, registrar: Seat, administrator: Seat
) -> None:
    who = admit(bench)
    acknowledge(bench, 1, {1: "N-12"})
    assert administrator.ask("relay/send-again", {"number": 1}).data == {"message": 2}
    assert bench.ledger()[-1].subjects == (who,)
    assert cases(administrator)[0]["again"] == 2
    (message,) = bench.national().ask("relay/feed", {}).data["messages"]
    assert (message["number"], message["resident_code"]) == (2, code(1))
    assert acknowledge(bench, 2)["answered"] == (1,)
    with pytest.raises(Conflict, match="no longer open"):
        administrator.ask("relay/send-again", {"number": 1})


def test_what_was_reported_cannot_be_sent_again(bench: Bench, administrator: Seat) -> None:
    admit(bench)
    report(bench)
    with pytest.raises(Conflict, match="refused"):
        administrator.ask("relay/send-again", {"number": 1})


def test_when_very_many_are_refused_the_line_stops(
    bench: Bench, administrator: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MOST_REFUSED", 2)
    for which in range(4):
        admit(bench, which + 1)
    acknowledge(bench, 2, {1: "N-1", 2: "N-1"})
    with pytest.raises(Conflict, match="see to them"):
        acknowledge(bench, 3, {3: "N-1"})
    state = administrator.ask("relay/outbox", {}).data
    assert (state["acknowledged"], state["refused"]) == (2, 2)
    assert len(inbox(bench)) == 2


@pytest.mark.parametrize("number", [1, 3])
def test_only_what_is_acknowledged_now_can_have_been_refused(bench: Bench, number: int) -> None:
    for which in range(3):
        admit(bench, which + 1)
    acknowledge(bench, 1)
    with pytest.raises(Malformed):
        acknowledge(bench, 2, {number: "N-1"})
