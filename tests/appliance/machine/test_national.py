"""The line to the national server over real mutual TLS, with a server that misbehaves."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import BadGateway, Unavailable
from appliance.items import PROVIDED, ItemName
from appliance.machine.national import NationalLine, Patience
from appliance.national import Question
from tests.simulators.national import NationalServer, Switch
from tests.simulators.national_file import NationalFile
from tests.simulators.network import Network
from tests.simulators.notices import eight_of
from tests.simulators.population import Population
from tests.simulators.tls_server import JsonExchange, TlsServer, serving

PEOPLE = [eight_of(person) for person in Population(1, "432024", 20).notices()]
TARO = PEOPLE[0]
QUICK = Patience(connect=1.0, exchange=1.0, failures=1000)


class National:
    """The simulated national server, and how many connections were made to it."""

    def __init__(self, port: int, switch: Path) -> None:
        self.port = port
        self._switch = switch

    def faults(self, text: str) -> None:
        self._switch.write_text(text)


@pytest.fixture
def national(tmp_path: Path, network: Network) -> Iterator[National]:
    switch = tmp_path / "faults"
    with NationalFile(tmp_path / "national.db") as file:
        file.keep_elsewhere(PEOPLE)
        address = ("127.0.0.1", 0)
        server = NationalServer(address, network.server(), file, Switch(file=switch), delay=2.0)
        with serving(server) as port:
            yield National(port, switch)


@contextmanager
def line(
    port: int, context: ssl.SSLContext, patience: Patience = QUICK, **more: Any
) -> Iterator[NationalLine]:
    asked = NationalLine(f"https://127.0.0.1:{port}", context, patience, **more)
    try:
        yield asked
    finally:
        asked.close()


def question(number: int = 1, *items: str, **by: str) -> Question:
    return Question(
        request_id=f"request-{number:08}",
        by=by or {"resident_code": TARO.resident_code},
        items=tuple(map(ItemName, items)) or PROVIDED,
        purpose="prefectural-tax",
        reason="01",
    )


def fault_of(call: Callable[[], Any]) -> str:
    with pytest.raises(BadGateway) as refused:
        call()
    return refused.value.problems[0].rule


@pytest.mark.parametrize(
    "by",
    [
        pytest.param({"resident_code": TARO.resident_code}, id="R84-住民票コード"),
        pytest.param({"my_number": TARO.my_number}, id="R83-R84-個人番号"),
        pytest.param(
            {name: getattr(TARO, name) for name in ("name", "birth_date", "sex", "address")},
            id="R83-R84-4情報",
        ),
    ],
)
def test_a_person_is_found_by_each_kind_of_key(
    national: National, context: ssl.SSLContext, by: dict[str, str]
) -> None:
    with line(national.port, context) as asked:
        found = asked.inquire(question(1, **by))
        assert found.result == "one"
        assert found.values == {item: getattr(TARO, item) for item in PROVIDED}
        assert asked.inquire(question(2, "name", **by)).values == {"name": TARO.name}


def test_nobody_and_several_are_answers_too(national: National, context: ssl.SSLContext) -> None:
    with line(national.port, context) as asked:
        assert asked.inquire(question(1, "name", my_number="999999999999")).result == "none"
        assert asked.inquire(question(2, "name", sex="1")).result == "several"


@pytest.mark.parametrize(
    ("faults", "fault"),
    [
        ("down", "unreachable"),
        ("slow", "timed-out"),
        ("wrong", "nonsense"),
        ("out-of-order", "nonsense"),
        ("duplicate", "unreachable"),
        ("refuse", "refused"),
    ],
)
def test_every_fault_is_told_by_who_is_at_fault_and_outlived(
    national: National, context: ssl.SSLContext, faults: str, fault: str
) -> None:
    with line(national.port, context) as asked:
        national.faults(faults)
        assert fault_of(lambda: asked.inquire(question(1, "name"))) == fault
        national.faults("")
        assert asked.inquire(question(2, "name")).values == {"name": TARO.name}


def test_a_kept_connection_that_was_closed_meanwhile_is_made_anew(
    network: Network, context: ssl.SSLContext
) -> None:
    asked_so_far: list[bytes] = []

    class Forgets(JsonExchange):
        def post(self, body: bytes) -> None:
            asked_so_far.append(body)
            self.answer(200, answer(body, {"name": TARO.name}))
            self.hang_up()  # after an answer that promised to stay

    with (
        serving(TlsServer(("127.0.0.1", 0), network.server(), Forgets)) as port,
        line(port, context) as asked,
    ):
        for number in range(3):
            assert asked.inquire(question(number, "name")).result == "one"
    assert len(asked_so_far) == 3


def answer(body: bytes, resident: Any, **other: Any) -> dict[str, Any]:
    asked = json.loads(body)
    return {
        "request_id": asked["request_id"],
        "request_hash": sha256(body).hexdigest(),
        "result": "one",
        "resident": resident,
        **other,
    }


NONSENSE: dict[str, Any] = {
    "other-hash": {"request_hash": "0" * 64},
    "other-request": {"request_id": "request-00000009"},
    "nobody-with-items": {"result": "none"},
    "one-without-items": {"resident": None},
    "item-too-few": {"resident": {"name": TARO.name}},
    "item-too-many": {"resident": {"name": TARO.name, "my_number": TARO.my_number, "sex": "1"}},
    "unknown-item": {"resident": {"name": TARO.name, "my_number": None, "kana": "x"}},
    "other-person": {"resident": {"name": TARO.name, "my_number": PEOPLE[1].my_number}},
    "wrong-type": {"resident": {"name": 1, "my_number": TARO.my_number}},
    "too-long-a-name": {"resident": {"name": "山" * 201, "my_number": TARO.my_number}},
    "unknown-result": {"result": "elsewhere"},
    "unknown-field": {"more": 1},
    "too-long": {"resident": {"name": "山" * 20_000, "my_number": TARO.my_number}},
}


@pytest.mark.parametrize("case", NONSENSE)
def test_nonsense_is_not_used(network: Network, context: ssl.SSLContext, case: str) -> None:
    class Answers(JsonExchange):
        def post(self, body: bytes) -> None:
            good = {"name": TARO.name, "my_number": TARO.my_number}
            self.answer(200, {**answer(body, good), **NONSENSE[case]})

    with (
        serving(TlsServer(("127.0.0.1", 0), network.server(), Answers)) as port,
        line(port, context) as asked,
    ):
        by = {"my_number": TARO.my_number or ""}
        assert fault_of(lambda: asked.inquire(question(1, "name", "my_number", **by))) == "nonsense"


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"{", "nonsense"),
        (b'{"result": "none", "result": "one"}', "nonsense"),
        (b"[]", "nonsense"),
        (b"\xff", "nonsense"),
    ],
)
def test_what_is_no_json_object_is_not_used(
    network: Network, context: ssl.SSLContext, raw: bytes, fault: str
) -> None:
    class Answers(JsonExchange):
        def post(self, _: bytes) -> None:
            self.hang_up()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(raw)}\r\n\r\n"
            self.wfile.write(head.encode() + raw)

    with (
        serving(TlsServer(("127.0.0.1", 0), network.server(), Answers)) as port,
        line(port, context) as asked,
    ):
        assert fault_of(lambda: asked.inquire(question())) == fault


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (204, "nonsense"),
        (302, "nonsense"),
        (400, "refused"),
        (403, "refused"),
        (429, "unreachable"),
        (500, "unreachable"),
        (503, "unreachable"),
    ],
)
def test_the_status_tells_who_is_at_fault(
    network: Network, context: ssl.SSLContext, status: int, fault: str
) -> None:
    class Answers(JsonExchange):
        def post(self, body: bytes) -> None:
            self.answer(status, answer(body, None))

    with (
        serving(TlsServer(("127.0.0.1", 0), network.server(), Answers)) as port,
        line(port, context) as asked,
    ):
        assert fault_of(lambda: asked.inquire(question())) == fault


def test_an_answer_that_comes_byte_by_byte_is_cut_at_the_deadline(
    network: Network, context: ssl.SSLContext
) -> None:
    class Dribbles(JsonExchange):
        def post(self, _: bytes) -> None:
            self.hang_up()
            for letter in b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b" " * 200:
                self.wfile.write(bytes([letter]))
                time.sleep(0.02)

    patience = Patience(exchange=0.3)
    with (
        serving(TlsServer(("127.0.0.1", 0), network.server(), Dribbles)) as port,
        line(port, context, patience) as asked,
    ):
        assert fault_of(lambda: asked.inquire(question())) == "timed-out"


def test_a_stranger_in_its_place_learns_nothing(context: ssl.SSLContext, tmp_path: Path) -> None:
    heard: list[bytes] = []

    class Listens(JsonExchange):
        def post(self, body: bytes) -> None:
            heard.append(body)

    stranger = Network(tmp_path, "stranger")
    with (
        serving(TlsServer(("127.0.0.1", 0), stranger.server(), Listens)) as port,
        line(port, context) as asked,
    ):
        assert fault_of(lambda: asked.inquire(question())) == "unreachable"
    assert heard == []


def test_only_a_few_wait_at_once(context: ssl.SSLContext) -> None:
    patience = Patience(exchange=5.0, waiting=2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with line(port, context, patience) as asked:
            faults: list[str] = []

            def wait(number: int) -> None:
                faults.append(fault_of(lambda: asked.inquire(question(number))))

            waiting = [threading.Thread(target=wait, args=(number,)) for number in range(2)]
            for thread in waiting:
                thread.start()
            taken = [silent.accept()[0] for _ in waiting]
            with pytest.raises(Unavailable) as refused:
                asked.inquire(question(3))
            assert refused.value.problems[0].rule == "too-many-waiting"
            for connection in taken:
                connection.close()
            for thread in waiting:
                thread.join()
            assert faults == ["unreachable", "unreachable"]


def test_after_some_failures_nobody_is_made_to_wait_for_a_while(
    national: National, context: ssl.SSLContext
) -> None:
    now = [0.0]
    patience = Patience(exchange=2.0, failures=2, rest=10.0)
    with line(national.port, context, patience, monotonic=lambda: now[0]) as asked:
        national.faults("down")
        for number in range(2):
            assert fault_of(lambda n=number: asked.inquire(question(n))) == "unreachable"
        national.faults("")
        now[0] = 9.0
        assert fault_of(lambda: asked.inquire(question(3))) == "unreachable"
        now[0] = 10.0
        assert asked.inquire(question(4)).result == "one"


def test_a_connection_kept_too_long_is_not_used_again(
    national: National, context: ssl.SSLContext
) -> None:
    now = [0.0]
    with line(national.port, context, monotonic=lambda: now[0]) as asked:
        asked.inquire(question(1))
        (first,) = [link for _, link in asked._idle]
        asked.inquire(question(2))
        assert [link for _, link in asked._idle] == [first]
        now[0] = 100.0
        asked.inquire(question(3))
        assert [link for _, link in asked._idle] != [first]
        assert not first.is_open
