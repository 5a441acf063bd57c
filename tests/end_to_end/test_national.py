"""The appliance and a national server that misbehaves: two processes, real mutual TLS."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from tests.appliance.founding import free_ports
from tests.machine import PIN, PREFECTURE, Machine, accepted, running
from tests.simulators.link import Answer, Credentials, Link
from tests.simulators.notices import EIGHT, Notice, digest, eight_of
from tests.simulators.population import Population
from tests.simulators.terminal import Terminal
from tests.waiting import until as wait_until

ROOT = Path(__file__).resolve().parents[2]
CS, NATIONAL, REGISTRAR = "CS-432024", "NATIONAL", "OP-0002"
AT_HOME = list(Population(1, "432024", 60).notices())
ELSEWHERE = [eight_of(person) for person in Population(2, "432032", 10).notices()]
TARO = ELSEWHERE[0]
WHY = {"purpose": "register-administration", "reason": "01"}
SLOW = 11.0
"""Seconds; longer than an inquiry may take."""
until = partial(wait_until, seconds=30.0)


@dataclass
class National:
    """The national server as a process, which can be killed and started again."""

    folder: Path
    port: int
    server: Credentials
    client: Credentials
    process: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.simulators.national"]
        command += [f"--{name}={path}" for name, path in self.server._asdict().items()]
        command += [f"--listen=127.0.0.1:{self.port}", f"--store={self.folder / 'national.db'}"]
        command += [f"--people={self.folder / 'people.jsonl'}", f"--delay={SLOW}"]
        command += [f"--switch={self.folder / 'faults'}"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert "listening" in self.process.stdout.readline()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def faults(self, text: str) -> None:
        (self.folder / "faults").write_text(text)

    def summary(self) -> dict[str, Any]:
        with Link(f"https://127.0.0.1:{self.port}", self.client) as link:
            summary: dict[str, Any] = link.ask("/v1/summary").body
        return summary


@dataclass
class World:
    """Both, a municipality, and everybody at a terminal."""

    machine: Machine
    national: National
    administrator: Terminal
    registrar: Terminal
    residents: dict[str, Notice] = field(default_factory=dict)
    """What the municipality has told, by 住民票コード."""
    told: int = 0
    asked: int = 0

    def notify(self, *notices: Notice) -> None:
        """Tell the prefecture, as the municipality."""
        numbered: list[Notice] = []
        for notice in notices:
            self.told += 1
            numbered.append(replace(notice, sequence=self.told))
            self.residents[notice.resident_code] = notice
        if not numbered:
            return
        body = json.dumps({"notifications": to_builtins(numbered)}).encode()
        with self.machine.link(CS) as link:
            headers = {"Idempotency-Key": f"notified-{self.told:012}"}
            data = accepted(link.ask("/v1/update/notify", body, headers))
        assert {result["outcome"] for result in data["results"]} == {"applied"}

    def settle(self, *people: Notice) -> None:
        """Tell of those not told of yet; the national server has heard when this returns."""
        self.notify(*(each for each in people if each.resident_code not in self.residents))
        until(self.delivered)
        until(lambda: self.outbox()["depth"] == 0)

    def move(self, address: str, *people: Notice) -> None:
        """Tell that people moved within the municipality, in one batch."""
        known = [self.residents[person.resident_code] for person in people]
        moved = {"reason": "31", "address": address}
        self.notify(*(replace(k, update_number=k.update_number + 1, **moved) for k in known))

    def inquire(self, *items: str, **by: str | None) -> Answer:
        return self.registrar.call(
            "relay/inquire", {"by": by, "items": items or ("name", "address")}, **WHY
        )

    def changed(self, seat: Terminal, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        answer = seat.call(operation, body, idempotency_key=f"changed-{self.asked:012}")
        return accepted(answer)

    def report(self, notice: str, resident_code: str) -> dict[str, Any]:
        """Report an error, as the national server."""
        body = {
            "notice": notice,
            "resident_code": resident_code,
            "items": ["address"],
            "finding": "differs",
        }
        with self.machine.link(NATIONAL) as link:
            headers = {"Idempotency-Key": f"report-{notice:-<16}"}
            answer = link.ask("/v1/relay/report-error", json.dumps(body).encode(), headers)
        return accepted(answer)

    def outbox(self) -> dict[str, Any]:
        return accepted(self.administrator.call("relay/outbox", {}))

    def cases(self, state: str = "open") -> list[dict[str, Any]]:
        return list(accepted(self.registrar.call("relay/cases", {"state": state}))["cases"])

    def details(self) -> dict[str, Any]:
        """Return what whoever is on the machine sees of the delivery, warnings beside it."""
        _, health = self.machine.loopback("GET", "health")
        return {**health["national"], "warnings": health["warnings"]}

    def delivered(self) -> bool:
        """Whether the national server's file is the municipality's."""
        people = sorted(self.residents.values(), key=lambda person: person.resident_code)
        return bool(self.national.summary()["digest"] == digest(map(eight_of, people)))

    def log_in(self) -> None:
        self.administrator.close()
        self.registrar.close()
        self.administrator.login("OP-0001", PIN)
        self.registrar.login(REGISTRAR, PIN)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    (port,) = free_ports(1)
    machine = Machine.make(folder / "machine", national_port=port)
    national = National(
        folder, port, machine.issue_server("national"), machine.credentials(PREFECTURE)
    )
    people = "".join(json.dumps(to_builtins(person)) + "\n" for person in ELSEWHERE)
    (folder / "people.jsonl").write_text(people, "utf-8")
    national.start()
    try:
        with running(machine):
            administrator = machine.administrator()
            machine.register(administrator, CS, "municipality", "432024")
            machine.register(administrator, NATIONAL, "national")
            machine.appoint(administrator, REGISTRAR, ["registrar"])
            registrar = machine.terminal()
            registrar.login(REGISTRAR, PIN)
            yield World(machine, national, administrator, registrar)
            administrator.close()
            registrar.close()
    finally:
        national.kill()


@pytest.fixture(autouse=True)
def _no_faults(world: World) -> Iterator[None]:
    yield
    world.national.faults("")


@pytest.mark.requirement("R25", "R26", "R27", "R188", "R189")
def test_what_a_municipality_notifies_is_told_at_once_with_the_eight_items(world: World) -> None:
    world.notify(*AT_HOME[:20])
    until(world.delivered)
    until(lambda: world.outbox()["depth"] == 0)
    assert world.details()["last_error"] is None


@pytest.mark.parametrize(
    "by",
    [
        pytest.param({"resident_code": TARO.resident_code}, id="R84-住民票コード"),
        pytest.param({"my_number": TARO.my_number}, id="R83-R84-個人番号"),
        pytest.param(
            {key: getattr(TARO, key) for key in ("name", "birth_date", "sex", "address")},
            id="R83-R84-4情報",
        ),
    ],
)
def test_somebody_of_another_prefecture_is_found(world: World, by: dict[str, str | None]) -> None:
    told = accepted(world.inquire(*EIGHT, **by))
    assert told["result"] == "one"
    assert told["resident"] == to_builtins(TARO)
    assert told["basis"] == "住民基本台帳法第30条の11"


@pytest.mark.requirement("R85")
def test_what_was_answered_lies_in_no_file_of_ours(world: World) -> None:
    accepted(world.inquire(*EIGHT, my_number=TARO.my_number))
    for path, content in world.machine.written().items():
        for value in (TARO.name, TARO.resident_code, TARO.my_number):
            assert str(value).encode() not in content, path
    nobody = world.registrar.call("search/find", {"name": TARO.name}, **WHY)
    assert accepted(nobody)["count"] == 0


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("down", "unreachable"),
        ("wrong", "nonsense"),
        ("out-of-order", "nonsense"),
        ("refuse", "refused"),
    ],
)
def test_an_inquiry_that_fails_says_who_is_at_fault(world: World, fault: str, rule: str) -> None:
    world.national.faults(fault)
    answer = world.inquire(my_number=TARO.my_number)
    assert (answer.status, answer.body["code"]) == (502, "bad-gateway")
    (problem,) = answer.body["problems"]
    assert (problem["rule"], problem["item"]) == (rule, "national")
    assert TARO.my_number not in json.dumps(answer.body)
    world.national.faults("")
    assert accepted(world.inquire(my_number=TARO.my_number))["result"] == "one"


def test_a_slow_national_server_holds_up_nobody(world: World) -> None:
    until(lambda: world.outbox()["depth"] == 0)
    world.national.faults("slow")
    late: list[Answer] = []
    waiting = threading.Thread(target=lambda: late.append(world.inquire(sex="1", name="山")))
    waiting.start()
    time.sleep(0.2)
    world.notify(AT_HOME[20])
    assert world.outbox()["depth"] == 1
    assert waiting.is_alive()
    waiting.join()
    (answer,) = late
    assert answer.body["code"] == "bad-gateway"
    assert answer.body["problems"][0]["rule"] == "timed-out"
    world.national.faults("")
    until(world.delivered)


def test_while_it_is_dead_updates_go_on_and_everybody_can_see(world: World) -> None:
    until(lambda: world.outbox()["depth"] == 0)
    world.national.kill()
    world.notify(*AT_HOME[21:26])
    until(lambda: world.details()["state"] == "failing")
    state, details = world.outbox(), world.details()
    assert (state["depth"], details["depth"]) == (5, 5)
    assert state["oldest_age"] is not None
    assert "not reached" in details["last_error"]
    assert "national" in details["warnings"]
    _, metrics = world.machine.loopback("GET", "metrics")
    assert "juki_outbox_depth 5.0" in metrics
    assert world.inquire(my_number=TARO.my_number).status == 502
    world.national.start()
    until(world.delivered)
    until(lambda: "juki_outbox_depth 0.0" in world.machine.loopback("GET", "metrics")[1])


@pytest.mark.parametrize("fault", ["down", "wrong", "duplicate", "out-of-order"])
def test_a_fault_on_delivery_loses_nothing_and_repeats_nothing(world: World, fault: str) -> None:
    world.settle(AT_HOME[0], AT_HOME[3])
    world.national.faults(fault)
    world.move(f"熊本県八代市松江城町{len(fault)}", AT_HOME[0], AT_HOME[3])
    until(lambda: world.details()["last_error"] is not None)
    world.national.faults("")
    until(world.delivered)
    until(lambda: world.outbox()["depth"] == 0)
    feed = world.national.summary()["prefectures"][PREFECTURE]
    assert feed["acknowledged"] == world.outbox()["last"]


@pytest.mark.requirement("R189")
def test_a_refused_message_is_set_aside_until_the_record_was_corrected(world: World) -> None:
    until(lambda: world.outbox()["depth"] == 0)
    world.national.faults("refuse")
    poison, good = AT_HOME[30], AT_HOME[31]
    world.notify(poison, good)
    until(lambda: world.outbox()["depth"] == 0)
    world.national.faults("")
    assert world.outbox()["refused"] == 1
    (case,) = world.cases()
    assert (case["kind"], case["finding"]) == ("refused", "N-12")
    assert not world.delivered()
    world.move("熊本県八代市松江城町３番", poison)
    until(world.delivered)
    until(lambda: world.cases() == [])
    assert world.outbox()["refused"] == 0


@pytest.mark.requirement("R190")
def test_an_error_notice_becomes_a_case_until_a_newer_version_was_taken(world: World) -> None:
    person = AT_HOME[1]
    world.settle(person)
    number = world.report("N-0001", person.resident_code)["case"]
    (case,) = world.cases()
    assert (case["number"], case["kind"], case["items"]) == (number, "reported", ["address"])
    shown = world.registrar.call("relay/case", {"number": number, "items": ["address"]}, **WHY)
    assert accepted(shown)["resident"] == {"address": person.address}
    world.move("熊本県八代市松江城町４番", person)
    until(lambda: world.cases() == [])
    assert world.cases("all")[-1]["state"] == "answered"


def test_a_case_is_closed_by_hand_with_a_reason(world: World) -> None:
    world.settle(AT_HOME[2])
    number = world.report("N-0002", AT_HOME[2].resident_code)["case"]
    closed = world.changed(
        world.registrar, "relay/close-case", {"number": number, "reason": "住民票のとおり"}
    )
    assert (closed["state"], closed["closed_by"]) == ("closed", REGISTRAR)


def test_maintenance_pauses_both_ways_and_what_waited_goes_out_afterwards(world: World) -> None:
    until(lambda: world.outbox()["depth"] == 0)
    until_when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    on = {"on": True, "reason": "回線工事", "until": until_when}
    world.changed(world.administrator, "relay/maintenance", on)
    until(lambda: world.details()["state"] == "paused")
    world.notify(AT_HOME[40])
    answer = world.inquire(my_number=TARO.my_number)
    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert answer.body["problems"][0]["rule"] == "maintenance"
    time.sleep(1.5)  # the courier looks every second
    assert world.outbox()["depth"] == 1
    assert "national-maintenance" in world.details()["warnings"]
    world.changed(world.administrator, "relay/maintenance", {"on": False})
    until(world.delivered)
    assert accepted(world.inquire(my_number=TARO.my_number))["result"] == "one"


def test_the_feed_can_be_read_again_from_any_number(world: World) -> None:
    world.settle(*AT_HOME[50:53])
    last = world.outbox()["last"]
    with world.machine.link(NATIONAL) as link:
        for after in (0, last // 2, last):
            body = json.dumps({"after": after, "limit": 1000}).encode()
            fed = accepted(link.ask("/v1/relay/feed", body))
            numbers = [message["number"] for message in fed["messages"]]
            assert numbers == list(range(after + 1, last + 1))


def test_killed_with_messages_waiting_it_delivers_them_afterwards(world: World) -> None:
    world.national.kill()
    world.notify(*AT_HOME[45:50])
    world.machine.kill()
    world.national.start()
    world.machine.open()
    world.log_in()
    until(world.delivered)
    until(lambda: world.outbox()["depth"] == 0)
