"""機構への情報照会 through the front door, with a national server in the same process."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from appliance.audit import Result
from appliance.errors import BadGateway, Failed, Malformed, NotPermitted, Rejected, Unavailable
from appliance.items import PROVIDED, ItemName
from appliance.model import Actor, OperationName, PurposeCode, Request
from appliance.operation import Answer, Arguments, Operation
from appliance.plugin_api import Case, hookimpl
from appliance.testing import Bench, FakeNational, Seat
from plugins import national_relay
from tests.plugins.people import admit, change, code, number, person, shipped_policy

ELSEWHERE = {
    ItemName(name): value
    for name, value in person(
        7, name="福岡　太郎", sex="1", address="福岡県福岡市博多区博多駅前１番地", reason="12"
    ).items()
    if name in PROVIDED
}
FOUR = {name: ELSEWHERE[ItemName(name)] for name in ("name", "birth_date", "sex", "address")}
WHY = {"purpose": "register-administration", "reason": "01"}


@pytest.fixture
def other() -> FakeNational:
    return FakeNational([ELSEWHERE])


@pytest.fixture
def bench(tmp_path: Path, other: FakeNational) -> Iterator[Bench]:
    plugins = {"national_relay": national_relay}
    with Bench.open(tmp_path, plugins, shipped_policy(), other) as bench:
        yield bench


@pytest.fixture
def registrar(bench: Bench) -> Seat:
    return bench.clerk("REGISTRAR", roles=("registrar",), purposes=("register-administration",))


def inquire(seat: Seat, by: dict[str, Any], *items: str, **why: str) -> dict[str, Any]:
    asked = {"by": by, "items": items or ("name", "address")}
    return dict(seat.ask("relay/inquire", asked, **(why or WHY)).data)


@pytest.mark.parametrize(
    "by",
    [
        pytest.param({"resident_code": code(7)}, id="R84-住民票コード"),
        pytest.param({"my_number": number(7)}, id="R83-R84-個人番号"),
        pytest.param(FOUR, id="R83-R84-4情報"),
        pytest.param({"name": "福岡　太郎", "sex": "1"}, id="R84-a part of the four"),
    ],
)
def test_somebody_of_another_prefecture_is_asked_for(
    registrar: Seat, other: FakeNational, by: dict[str, Any]
) -> None:
    told = inquire(registrar, by)
    assert told["result"] == "one"
    assert told["resident"] == {"name": "福岡　太郎", "address": FOUR["address"]}
    assert told["withheld"] == ()
    (question,) = other.asked
    assert dict(question.by) == by
    assert (question.items, question.purpose, question.reason) == (
        ("name", "address"),
        "register-administration",
        "01",
    )
    assert question.request_id == told["provision_id"]


@pytest.mark.requirement("R86")
def test_the_answer_names_its_legal_ground(registrar: Seat) -> None:
    assert inquire(registrar, {"my_number": number(7)})["basis"] == "住民基本台帳法第30条の11"


@pytest.mark.requirement("R85")
def test_nothing_of_the_answer_is_kept_but_the_record_of_it(bench: Bench, registrar: Seat) -> None:
    told = inquire(registrar, {"my_number": number(7)}, *PROVIDED)
    assert set(told["resident"]) == set(PROVIDED)
    entry = bench.ledger()[-1]
    assert entry.operation == "relay/inquire"
    assert set(entry.items) == set(PROVIDED)
    assert entry.subjects == ()
    assert entry.conditions == {"items": list(PROVIDED)}
    assert entry.note == "by my_number, 住民基本台帳法第30条の11; national server: one"
    assert entry.request_id == told["provision_id"]
    with bench.vault.view() as view:
        assert view.persons(0, 10) == []
        raw = b"".join(each.body for each in view.entries(0, view.ledger_size()))
    for value in ("福岡　太郎", number(7), FOUR["address"]):
        assert str(value).encode() not in raw


def test_nobody_and_several_are_told_without_items(registrar: Seat, other: FakeNational) -> None:
    nobody = inquire(registrar, {"my_number": number(8)})
    other.people.append({**ELSEWHERE, ItemName("resident_code"): code(9)})
    several = inquire(registrar, FOUR)
    assert (nobody["result"], nobody["resident"]) == ("none", None)
    assert (several["result"], several["resident"]) == ("several", None)


def test_what_the_national_server_does_not_keep_is_listed(registrar: Seat) -> None:
    told = inquire(registrar, {"my_number": number(7)}, "name", "kana", "town_code")
    assert told["resident"] == {"name": "福岡　太郎"}
    assert told["withheld"] == ("kana", "town_code")


@pytest.mark.parametrize(
    ("by", "items", "refusal"),
    [
        ({}, ["name"], Malformed),
        ({"resident_code": code(7), "my_number": number(7)}, ["name"], Malformed),
        ({"my_number": number(7), "name": "福岡　太郎"}, ["name"], Malformed),
        ({"name": "福岡　太郎"}, ["name"], Malformed),
        ({"birth_date": "1990-04-05", "sex": "1"}, ["name"], Malformed),
        ({"my_number": number(7)}, ["height"], Malformed),
        ({"my_number": number(7)}, ["kana"], NotPermitted),
    ],
)
def test_what_cannot_be_asked_is_not_asked(
    registrar: Seat,
    other: FakeNational,
    by: dict[str, Any],
    items: list[str],
    refusal: type[Exception],
) -> None:
    with pytest.raises(refusal):
        inquire(registrar, by, *items)
    assert other.asked == []


def test_rights_reach_no_further_than_at_home(bench: Bench, other: FakeNational) -> None:
    clerk = bench.clerk("CLERK", roles=("clerk",), purposes=("prefectural-tax",))
    tax = {"purpose": "prefectural-tax", "reason": "01"}
    assert inquire(clerk, {"my_number": number(7)}, "name", **tax)["result"] == "one"
    for by, item in (({"resident_code": code(7)}, "name"), (FOUR, "resident_code")):
        with pytest.raises(NotPermitted):
            inquire(clerk, by, item, **tax)
    assert len(other.asked) == 1


def test_nobody_asks_by_what_he_may_not_see(tmp_path: Path, other: FakeNational) -> None:
    policy = shipped_policy()
    purpose = PurposeCode("prefectural-tax")
    rule = structs.replace(policy.purposes[purpose], items=("name", "sex"))
    policy = replace(policy, purposes={**policy.purposes, purpose: rule})
    with Bench.open(tmp_path, {"national_relay": national_relay}, policy, other) as bench:
        clerk = bench.clerk("CLERK", roles=("clerk",), purposes=("prefectural-tax",))
        tax = {"purpose": "prefectural-tax", "reason": "01"}
        with pytest.raises(NotPermitted, match="address"):
            inquire(clerk, FOUR, "name", **tax)
        asked = inquire(clerk, {"name": FOUR["name"], "sex": FOUR["sex"]}, "name", **tax)
    assert (asked["result"], len(other.asked)) == ("one", 1)


@pytest.mark.parametrize("fault", ["unreachable", "timed-out", "nonsense", "refused"])
def test_who_is_at_fault_is_told_and_entered(
    bench: Bench, registrar: Seat, other: FakeNational, fault: Any
) -> None:
    other.fault = fault
    with pytest.raises(BadGateway) as refused:
        inquire(registrar, {"my_number": number(7)})
    (problem,) = refused.value.problems
    assert (problem.rule, problem.item) == (fault, "national")
    assert "全国サーバ" in problem.text
    entry = bench.ledger()[-1]
    assert (entry.refusal, entry.result, entry.items) == ("bad-gateway", Result.DENIED, ())
    assert entry.note.endswith("national server: no answer")


def test_without_a_national_server_that_is_said(tmp_path: Path) -> None:
    with Bench.open(tmp_path, {"national_relay": national_relay}) as bench:
        with pytest.raises(Rejected, match="configured"):
            inquire(bench.clerk(), {"my_number": number(7)}, purpose="all", reason="01")
        with pytest.raises(Rejected, match="configured"):
            bench.clerk().ask("relay/maintenance", {"on": False})


class HidesAddresses:
    @hookimpl
    def withhold(self, actor: Actor, request: Request) -> frozenset[ItemName]:
        return frozenset({ItemName("address")})


def test_an_item_that_a_plugin_withholds_is_not_even_asked_for(
    tmp_path: Path, other: FakeNational
) -> None:
    plugins = {"national_relay": national_relay, "hider": HidesAddresses()}
    with Bench.open(tmp_path, plugins, national=other) as bench:
        told = inquire(bench.clerk(), {"my_number": number(7)}, purpose="all", reason="01")
        assert (told["resident"], told["withheld"]) == ({"name": "福岡　太郎"}, ("address",))
        assert other.asked[0].items == ("name",)


class Nothing(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class Seen(Answer, frozen=True, kw_only=True):
    """Which version was seen before and after."""

    before: int
    after: int


def look_twice(case: Case, asked: Nothing) -> Seen:
    """Look, ask the national server, look again."""
    person = case.registry.by_code(code(1))
    assert person is not None
    assert case.national is not None
    before = case.registry.latest(person)
    case.national.inquire({"my_number": number(7)}, [ItemName("name")])
    return Seen(before=before, after=case.registry.latest(person))


def _operation(*, changes: bool) -> Operation[Nothing]:
    return Operation(
        name=OperationName("vendor/look-twice"),
        summary="Look twice.",
        asks=Nothing,
        answers=Seen,
        handler=look_twice,
        changes=changes,
    )


class Vendor:
    def __init__(self, *, changes: bool) -> None:
        self._offered = [_operation(changes=changes)]

    @hookimpl
    def operations(self) -> list[Operation[Nothing]]:
        return self._offered


def test_while_it_is_waited_for_nothing_of_the_store_is_held_open(
    tmp_path: Path, other: FakeNational
) -> None:
    with Bench.open(tmp_path, {"vendor": Vendor(changes=False)}, national=other) as bench:
        who = admit(bench)
        clerk = bench.clerk()

        class Meanwhile(FakeNational):
            def inquire(self, question: Any) -> Any:
                change(bench, who)
                return super().inquire(question)

        line = Meanwhile([ELSEWHERE])
        object.__setattr__(bench.parts, "national", line)
        seen = clerk.ask("vendor/look-twice", {}, purpose="all", reason="01").data
    assert seen == {"before": 1, "after": 2}


def test_a_unit_of_work_does_not_wait_for_it(tmp_path: Path, other: FakeNational) -> None:
    with Bench.open(tmp_path, {"vendor": Vendor(changes=True)}, national=other) as bench:
        admit(bench)
        with pytest.raises(Failed):
            bench.clerk().ask("vendor/look-twice", {}, purpose="all", reason="01")
    assert other.asked == []


# --- maintenance ---


@pytest.fixture
def administrator(bench: Bench) -> Seat:
    return bench.clerk("ADMIN", roles=("system-administrator",), purposes=())


def again(bench: Bench, role: str) -> Seat:
    """Return somebody who logs in anew."""
    return bench.clerk(role.upper(), roles=(role,), purposes=("register-administration",))


def maintain(seat: Seat, hours: float = 2, **asked: Any) -> dict[str, Any]:
    until = (seat.bench.now + timedelta(hours=hours)).isoformat()
    body = {"on": True, "reason": "回線工事", "until": until, **asked}
    return dict(seat.ask("relay/maintenance", body).data)


def test_during_maintenance_nobody_is_asked_and_the_end_is_told(
    bench: Bench, registrar: Seat, administrator: Seat, other: FakeNational
) -> None:
    assert maintain(administrator)["on"] is True
    switched = bench.ledger()[-1]
    assert switched.operator == "ADMIN"
    assert (switched.conditions["on"], switched.conditions["reason"]) == (True, "回線工事")
    with pytest.raises(Unavailable) as refused:
        inquire(registrar, {"my_number": number(7)})
    (problem,) = refused.value.problems
    assert problem.rule == "maintenance"
    assert "2026年04月01日 12時00分まで" in problem.text
    assert "回線工事" not in str(refused.value) + problem.text
    assert administrator.ask("relay/outbox", {}).data["paused_until"] == "2026-04-01T03:00:00Z"
    assert other.asked == []
    assert maintain(administrator, on=False) == {"on": False, "until": None}
    assert inquire(registrar, {"my_number": number(7)})["result"] == "one"


def test_maintenance_ends_by_itself_and_can_be_prolonged(
    bench: Bench, registrar: Seat, administrator: Seat
) -> None:
    maintain(administrator, 1)
    maintain(administrator, 3)
    bench.now += timedelta(hours=2)
    registrar = again(bench, "registrar")
    with pytest.raises(Unavailable):
        inquire(registrar, {"my_number": number(7)})
    bench.now += timedelta(hours=1)
    registrar = bench.clerk(
        "REGISTRAR", roles=("registrar",), purposes=("register-administration",)
    )
    assert inquire(registrar, {"my_number": number(7)})["result"] == "one"
    administrator = bench.clerk("ADMIN", roles=("system-administrator",), purposes=())
    assert maintain(administrator, on=False)["on"] is False


@pytest.mark.parametrize(
    ("asked", "code_"),
    [
        ({"reason": None}, "malformed"),
        ({"until": None}, "malformed"),
        ({"until": "2026-04-01T12:00:00"}, "malformed"),
        ({"hours": 0}, "rejected"),
        ({"hours": 73}, "rejected"),
    ],
)
def test_maintenance_without_reason_or_end_is_refused(
    bench: Bench, administrator: Seat, asked: dict[str, Any], code_: str
) -> None:
    with pytest.raises(Exception, match=code_):
        maintain(administrator, **asked)
    assert bench.ledger()[-1].refusal == code_
    assert administrator.ask("relay/outbox", {}).data["paused_until"] is None


def test_only_the_system_administrator_switches(registrar: Seat) -> None:
    with pytest.raises(NotPermitted):
        maintain(registrar)


@pytest.mark.parametrize(
    ("by", "why"),
    [
        pytest.param({"my_number": "1" * 12}, "my_number: the check digit", id="R84-個人番号"),
        pytest.param(
            {"resident_code": "1" * 11}, "resident_code: the check", id="R84-住民票コード"
        ),
        pytest.param({**FOUR, "birth_date": "1990-02-30"}, "not in the calendar", id="R84-2月30日"),
        pytest.param({**FOUR, "birth_date": "1990-13-01"}, "not in the calendar", id="R84-13月"),
    ],
)
def test_what_is_mistyped_is_not_asked_of_the_national_server(
    registrar: Seat, other: FakeNational, by: dict[str, str], why: str
) -> None:
    with pytest.raises(Malformed, match=why):
        inquire(registrar, by)
    assert not other.asked
