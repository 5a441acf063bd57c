from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, Failed, NotPermitted
from appliance.items import PROVIDED, ItemName
from appliance.model import Actor, OperationName, Request
from appliance.outgoing import Outgoing
from appliance.plugin_api import Change, hookimpl
from appliance.testing import Bench, Seat
from plugins import national_relay
from plugins.national_relay import messages
from plugins.national_relay.delivery import Acknowledge
from storage.engine import PersonId, VersionId
from tests.plugins.people import admit, change, code, number, person, shipped_policy


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"national_relay": national_relay}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def administrator(bench: Bench) -> Seat:
    return bench.clerk("ADMIN", roles=("system-administrator",), purposes=())


def feed(national: Seat, **asked: int) -> dict[str, Any]:
    return dict(national.ask("relay/feed", asked).data)


def acknowledge(bench: Bench, through: int) -> dict[str, Any]:
    bench.now = bench.now.replace(microsecond=next(bench.counter))
    request_id = f"courier-{bench.now.microsecond:08}"
    name = OperationName("relay/acknowledge")
    return dict(bench.pipeline.serve(name, Acknowledge(through=through), request_id).data)


def test_a_change_is_told_with_exactly_the_eight_items(bench: Bench) -> None:
    admit(bench, birth_date_as_written="平成２年４月５日")
    (message,) = feed(bench.national())["messages"]
    assert message == {
        "number": 1,
        "kind": "update",
        "resident_code": code(1),
        "name": "熊本　花子",
        "birth_date": "1990-04-05",
        "sex": "2",
        "address": "熊本県八代市松江城町１番２５号",
        "my_number": number(1),
        "reason": "11",
        "effective_date": "2020-04-01",
    }
    assert set(message) == {*PROVIDED, "number", "kind"}


def test_each_message_tells_its_own_version(bench: Bench) -> None:
    who = admit(bench)
    change(bench, who, address="熊本県宇土市浦田町５１", reason="31")
    told = feed(bench.national())["messages"]
    assert [(m["number"], m["reason"]) for m in told] == [(1, "11"), (2, "31")]


def test_the_feed_can_be_read_again_from_any_number(bench: Bench) -> None:
    for which in range(5):
        admit(bench, which + 1)
    national = bench.national()
    acknowledge(bench, 3)
    assert [m["number"] for m in feed(national)["messages"]] == [4, 5]
    again = feed(national, after=0, limit=2)
    assert [m["number"] for m in again["messages"]] == [1, 2]
    assert (again["last"], again["acknowledged"]) == (5, 3)
    assert feed(national, after=5)["messages"] == ()


def test_everybody_told_of_is_a_subject_of_the_entry(bench: Bench) -> None:
    who = {admit(bench, which + 1) for which in range(3)}
    feed(bench.national())
    entry = bench.ledger()[-1]
    assert set(entry.subjects) == who
    assert set(entry.items) == set(PROVIDED)
    assert (entry.terminal, entry.hits) == ("NATIONAL", 3)


def test_acknowledging_never_goes_back_and_never_ahead(bench: Bench) -> None:
    for which in range(3):
        admit(bench, which + 1)
    assert acknowledge(bench, 2)["acknowledged"] == 2
    assert acknowledge(bench, 1)["acknowledged"] == 2
    with pytest.raises(Conflict):
        acknowledge(bench, 4)
    assert acknowledge(bench, 3)["acknowledged"] == 3


def test_who_only_looks_acknowledges_nothing(bench: Bench) -> None:
    with bench.vault.view() as view, pytest.raises(Failed):
        Outgoing(view, None, None).acknowledge("national", 0)


def test_the_national_server_does_not_acknowledge_by_itself(bench: Bench) -> None:
    admit(bench)
    with pytest.raises(NotPermitted):
        bench.national().ask("relay/acknowledge", {"through": 1})


def test_a_municipality_does_not_read_the_feed(bench: Bench) -> None:
    with pytest.raises(NotPermitted):
        bench.municipality("432024").ask("relay/feed", {})


def test_the_state_of_the_outbox_tells_depth_and_age(bench: Bench, administrator: Seat) -> None:
    empty = administrator.ask("relay/outbox", {}).data
    assert empty == {
        "depth": 0,
        "last": 0,
        "acknowledged": 0,
        "oldest_at": None,
        "oldest_age": None,
        "refused": 0,
        "paused_until": None,
    }
    for which in range(7):
        admit(bench, which + 1, recorded_at=f"2026-04-01T00:0{which}:00.000000Z")
    acknowledge(bench, 2)
    state = administrator.ask("relay/outbox", {}).data
    assert (state["depth"], state["last"], state["acknowledged"]) == (5, 7, 2)
    assert state["oldest_at"] == "2026-04-01T00:02:00Z"
    assert state["oldest_age"] == 58 * 60


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9, 33])
@pytest.mark.parametrize("heard", [0, 1])
def test_the_last_number_is_found_whatever_it_is(
    bench: Bench, administrator: Seat, count: int, heard: int
) -> None:
    for which in range(count):
        admit(bench, which + 1)
    acknowledge(bench, heard)
    assert administrator.ask("relay/outbox", {}).data["last"] == count


def test_a_change_without_a_time_is_told_all_the_same() -> None:
    values = person()
    del values[ItemName("recorded_at")]
    (message,) = messages(Change(VersionId(PersonId(1), 1), None, values))
    assert (message.destination, message.kind, dict(message.note)) == ("national", "update", {})


class HidesAddresses:
    @hookimpl
    def withhold(self, actor: Actor, request: Request) -> frozenset[ItemName]:
        return frozenset({ItemName("address")})


def test_what_cannot_be_told_whole_is_not_told(tmp_path: Path) -> None:
    plugins = {"national_relay": national_relay, "hider": HidesAddresses()}
    with Bench.open(tmp_path, plugins) as bench:
        admit(bench)
        with pytest.raises(NotPermitted, match="withholds"):
            feed(bench.national())
        assert replace(bench.ledger()[-1], index=0).refusal == "not-permitted"
