import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import convert

from appliance.machine.courier import Courier, Pace, Undelivered, _Batch, _Heard, _understood
from appliance.machine.link import Link
from appliance.model import OperationName
from appliance.national import COLLECTION, KEY, Maintenance
from appliance.outgoing import Backlog
from appliance.testing import PREPARED, Bench
from plugins import national_relay
from plugins.national_relay import delivery
from storage.engine import Unit
from storage.errors import OutcomeUnknown
from tests.plugins.people import admit, change
from tests.simulators.national import NationalServer, Switch
from tests.simulators.national_file import NationalFile
from tests.simulators.network import Network
from tests.simulators.tls_server import JsonExchange, TlsServer, serving
from tests.waiting import until as wait_until

QUICK = Pace(look=0.01, first=0.01, longest=0.02, connect=2.0, exchange=2.0, batch=10)
until = partial(wait_until, seconds=10.0, pause=0.005)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path / "store", {"national_relay": national_relay}) as bench:
        yield bench


class National:
    """The simulated national server, and what it has."""

    def __init__(self, port: int, file: NationalFile, switch: Path) -> None:
        self.port = port
        self._file = file
        self._switch = switch

    def faults(self, text: str) -> None:
        self._switch.write_text(text)

    def residents(self) -> int:
        return int(self._file.summary()["residents"])

    def heard(self) -> dict[str, Any]:
        heard: dict[str, Any] = self._file.summary()["prefectures"].get("pref-43", {})
        return heard


@pytest.fixture
def national(tmp_path: Path, network: Network) -> Iterator[National]:
    switch = tmp_path / "faults"
    with NationalFile(tmp_path / "national.db") as file:
        server = NationalServer(
            ("127.0.0.1", 0), network.server(), file, Switch(file=switch), delay=3.0
        )
        with serving(server) as port:
            yield National(port, file, switch)


@contextmanager
def courier(
    bench: Bench, port: int, context: ssl.SSLContext, pace: Pace = QUICK, **more: Any
) -> Iterator[Courier]:
    url = f"https://127.0.0.1:{port}"
    more = {"on_unknown": lambda: None, **more}
    running = Courier(bench.pipeline, bench.vault, url=url, context=context, pace=pace, **more)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        assert running.status()["state"] == "stopped"


def acknowledged(bench: Bench) -> int:
    with bench.vault.view() as view:
        return view.acknowledged("national")


def test_everything_is_delivered_in_order_and_then_nothing_waits(
    bench: Bench, national: National, context: ssl.SSLContext
) -> None:
    who = admit(bench, 1)
    for which in range(2, 25):
        admit(bench, which)
    change(bench, who, address="熊本県宇土市浦田町５１", reason="31")
    with courier(bench, national.port, context) as running:
        until(lambda: acknowledged(bench) == 25)
        until(lambda: running.status()["state"] == "idle")
        assert running.status()["last_error"] is None
        assert running.status()["acknowledged"] == 25
        assert running.status()["attempts"] == 3
        admit(bench, 26)
        until(lambda: acknowledged(bench) == 26)
    assert national.residents() == 25
    assert (national.heard()["acknowledged"], national.heard()["repeats"]) == (26, 0)


def test_what_was_told_to_the_national_server_is_in_the_ledger(
    bench: Bench, national: National, context: ssl.SSLContext
) -> None:
    who = admit(bench)
    with courier(bench, national.port, context):
        until(lambda: acknowledged(bench) == 1)
    (told,) = [entry for entry in bench.ledger() if entry.operation == "relay/feed"]
    assert told.subjects == (who,)
    assert told.terminal == "SYSTEM"
    assert len(told.items) == 8


def test_an_empty_outbox_makes_no_ledger_entries(
    bench: Bench, national: National, context: ssl.SSLContext
) -> None:
    with courier(bench, national.port, context) as running:
        until(lambda: running.status()["state"] == "idle")
        time.sleep(0.1)
    assert bench.ledger() == []


@pytest.mark.parametrize("fault", ["down", "wrong", "duplicate", "out-of-order"])
def test_a_fault_of_the_other_side_is_told_and_outlived(
    bench: Bench, national: National, context: ssl.SSLContext, fault: str
) -> None:
    national.faults(fault)
    for which in range(15):
        admit(bench, which + 1)
    with courier(bench, national.port, context) as running:
        until(lambda: running.status()["state"] == "failing")
        status = running.status()
        assert status["failing_since"] is not None
        assert acknowledged(bench) in (0, 10)
        admit(bench, 16)
        national.faults("")
        until(lambda: acknowledged(bench) == 16)
        until(lambda: running.status()["last_error"] is None)
    assert national.residents() == 16


def test_a_slow_server_does_not_hold_up_updates(
    bench: Bench, national: National, context: ssl.SSLContext
) -> None:
    national.faults("slow")
    admit(bench, 1)
    with courier(bench, national.port, context, Pace(exchange=0.2, look=0.01, first=0.01)) as slow:
        began = time.monotonic()
        for which in range(2, 6):
            admit(bench, which)
        assert time.monotonic() - began < 1.0
        until(lambda: slow.status()["state"] == "failing")
        assert "not reached" in str(slow.status()["last_error"])


def test_stopping_does_not_wait_for_a_silent_server(bench: Bench, context: ssl.SSLContext) -> None:
    admit(bench)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with courier(bench, port, context, Pace(exchange=60.0)) as running:
            taken, _ = silent.accept()
            time.sleep(0.05)
            began = time.monotonic()
            running.stop()
            assert time.monotonic() - began < 2.0
            taken.close()


def test_a_stranger_in_the_place_of_the_national_server_gets_nothing(
    bench: Bench, context: ssl.SSLContext, tmp_path: Path
) -> None:
    admit(bench)
    heard: list[bytes] = []

    class Listens(JsonExchange):
        def post(self, body: bytes) -> None:
            heard.append(body)

    stranger = Network(tmp_path, "stranger")
    with (
        serving(TlsServer(("127.0.0.1", 0), stranger.server(), Listens)) as port,
        courier(bench, port, context) as running,
    ):
        until(lambda: running.status()["state"] == "failing")
        assert "SSLCertVerificationError" in str(running.status()["last_error"])
    assert heard == []


def heard(body: bytes, through: int | None = None, **other: Any) -> dict[str, Any]:
    """Return the answer of a server that took these messages, or those up to a number."""
    numbers = [message["number"] for message in json.loads(body)["messages"]]
    through = numbers[-1] if through is None else through
    return {
        "request_hash": sha256(body).hexdigest(),
        "acknowledged": through,
        "results": [{"number": n, "outcome": "taken"} for n in numbers if n <= through],
        **other,
    }


ANSWERS: dict[str, tuple[int, dict[str, Any] | list[Any], str]] = {
    "no": (500, {}, "answered 500"),
    "nonsense": (200, ["acknowledged", 1], "not understood"),
    "nothing": (200, {"results": [], "acknowledged": 0}, "took nothing"),
    "text": (200, {"acknowledged": "1"}, "not understood"),
    "outcome": (200, {"results": [{"number": 1, "outcome": "lost"}]}, "not understood"),
    "rule": (
        200,
        {"results": [{"number": 1, "outcome": "refused", "rule": "氏名"}]},
        "not understood",
    ),
    "another": (200, {"request_hash": "0" * 64}, "another request"),
    "other-message": (200, {"results": [{"number": 2, "outcome": "taken"}]}, "out of order"),
    "contradiction": (200, {"acknowledged": 0}, "contradicts itself"),
    "long": (200, {"missing": "x" * 300_000}, "more than is read"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_cannot_be_is_no_acknowledgement(
    bench: Bench, network: Network, context: ssl.SSLContext, case: str
) -> None:
    status, body, error = ANSWERS[case]

    class Answers(JsonExchange):
        def post(self, asked: bytes) -> None:
            self.answer(status, {**heard(asked), **body} if isinstance(body, dict) else body)

    admit(bench)
    with (
        serving(TlsServer(("127.0.0.1", 0), network.server(), Answers)) as port,
        courier(bench, port, context) as running,
    ):
        until(lambda: error in str(running.status()["last_error"]))
    assert acknowledged(bench) == 0


def test_an_answer_that_comes_byte_by_byte_is_cut_at_the_deadline(
    bench: Bench, network: Network, context: ssl.SSLContext
) -> None:
    class Dribbles(JsonExchange):
        def post(self, _: bytes) -> None:
            self.close_connection = True
            for letter in b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b" " * 100:
                self.wfile.write(bytes([letter]))
                time.sleep(0.02)

    admit(bench)
    with (
        serving(TlsServer(("127.0.0.1", 0), network.server(), Dribbles)) as port,
        courier(bench, port, context, Pace(exchange=0.3, look=0.01, first=5.0)) as running,
    ):
        began = time.monotonic()
        until(lambda: running.status()["state"] == "failing", seconds=2.0)
        assert time.monotonic() - began < 1.5


def test_a_server_that_closes_after_each_answer_is_asked_anew(
    bench: Bench, network: Network, context: ssl.SSLContext
) -> None:
    class Closes(JsonExchange):
        def post(self, body: bytes) -> None:
            self.hang_up()
            content = json.dumps(heard(body))
            self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + content.encode())

    for which in range(25):
        admit(bench, which + 1)
    with (
        serving(TlsServer(("127.0.0.1", 0), network.server(), Closes)) as port,
        courier(bench, port, context) as running,
    ):
        until(lambda: acknowledged(bench) == 25)
        assert running.status()["last_error"] is None


def test_a_server_that_read_ahead_by_itself_is_sent_everything_all_the_same(
    bench: Bench, network: Network, context: ssl.SSLContext
) -> None:
    bodies: list[list[int]] = []

    class Ahead(JsonExchange):
        def post(self, body: bytes) -> None:
            bodies.append([message["number"] for message in json.loads(body)["messages"]])
            self.answer(200, heard(body, acknowledged=25))

    for which in range(25):
        admit(bench, which + 1)
    with (
        serving(TlsServer(("127.0.0.1", 0), network.server(), Ahead)) as port,
        courier(bench, port, context),
    ):
        until(lambda: acknowledged(bench) == 25)
    assert [number for body in bodies for number in body] == list(range(1, 26))


def test_a_server_that_took_only_a_part_is_sent_the_rest(
    bench: Bench, network: Network, context: ssl.SSLContext
) -> None:
    class Halves(JsonExchange):
        def post(self, body: bytes) -> None:
            self.answer(200, heard(body, json.loads(body)["messages"][0]["number"]))

    for which in range(3):
        admit(bench, which + 1)
    with (
        serving(TlsServer(("127.0.0.1", 0), network.server(), Halves)) as port,
        courier(bench, port, context),
    ):
        until(lambda: acknowledged(bench) == 3)


def test_a_message_that_is_refused_does_not_stop_the_others(
    bench: Bench, national: National, context: ssl.SSLContext
) -> None:
    for which in range(15):
        admit(bench, which + 1)
    national.faults("refuse")
    with courier(bench, national.port, context) as running:
        until(lambda: acknowledged(bench) == 15)
        assert running.status()["last_error"] is None
    assert national.residents() == 13  # of each of two batches the first was refused
    acks = [entry for entry in bench.ledger() if entry.operation == "relay/acknowledge"]
    assert [entry.conditions["refused"] for entry in acks] == [
        [{"number": 1, "rule": "N-12"}],
        [{"number": 11, "rule": "N-12"}],
    ]


def test_a_refusal_whose_answer_was_lost_is_heard_the_next_time(
    bench: Bench, national: National, context: ssl.SSLContext
) -> None:
    admit(bench)
    national.faults("refuse duplicate")
    with courier(bench, national.port, context):
        until(lambda: acknowledged(bench) == 1)
    (ack,) = [entry for entry in bench.ledger() if entry.operation == "relay/acknowledge"]
    assert ack.conditions["refused"] == [{"number": 1, "rule": "N-12"}]


def test_when_everything_is_refused_the_line_stops_and_says_so(
    bench: Bench,
    national: National,
    context: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "MOST_REFUSED", 15)
    for which in range(40):
        admit(bench, which + 1)
    national.faults("refuse-all")
    with courier(bench, national.port, context) as running:
        until(lambda: running.status()["last_error"] == "not told: conflict")
        until(lambda: running.status()["depth"] == 30)
    assert acknowledged(bench) == 10


def test_during_maintenance_nothing_is_delivered_and_then_everything(
    bench: Bench, national: National, context: ssl.SSLContext
) -> None:
    now = [bench.now]
    document = Maintenance(since=bench.now, until=bench.now + timedelta(hours=1), reason="test")

    def pause(unit: Unit) -> None:
        unit.put_document(COLLECTION, KEY, msgspec.json.encode(document))
        unit.enter(PREPARED)

    bench.vault.write(pause)
    admit(bench)
    with courier(bench, national.port, context, clock=lambda: now[0]) as running:
        until(lambda: running.status()["state"] == "paused")
        assert running.status()["paused_until"] == document.until.isoformat()
        assert (running.status()["depth"], running.status()["attempts"]) == (1, 0)
        now[0] = document.until
        until(lambda: acknowledged(bench) == 1)
        until(lambda: running.status()["paused_until"] is None)


def test_how_much_waits_and_for_how_long_is_told(
    bench: Bench, national: National, context: ssl.SSLContext
) -> None:
    for which in range(3):
        admit(bench, which + 1, recorded_at=f"2026-04-01T00:0{which}:00.000000Z")
    national.faults("down")
    with courier(bench, national.port, context, clock=lambda: bench.now) as running:
        until(lambda: running.status()["state"] == "failing")
        status = running.status()
        assert (status["depth"], status["oldest_age"]) == (3, 3600)
        national.faults("")
        until(lambda: running.status()["state"] == "idle")
        assert (running.status()["depth"], running.status()["oldest_age"]) == (0, None)


def test_what_is_refused_on_our_own_line_is_told_by_its_code(
    bench: Bench, national: National, context: ssl.SSLContext
) -> None:
    admit(bench)
    operations = dict(bench.parts.operations)
    del operations[OperationName("relay/feed")]
    object.__setattr__(bench.parts, "operations", operations)
    with courier(bench, national.port, context) as running:
        until(lambda: running.status()["last_error"] == "not told: unknown-operation")


def test_a_bug_of_ours_is_told_without_its_words(
    bench: Bench, national: National, context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("熊本花子")

    admit(bench)
    monkeypatch.setattr(bench.pipeline, "serve", broken)
    with courier(bench, national.port, context) as running:
        until(lambda: running.status()["state"] == "failing")
        assert running.status()["last_error"] == "a fault of the appliance: KeyError"


def test_an_unknown_outcome_ends_the_courier_and_is_told_once(
    bench: Bench, national: National, context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OutcomeUnknown("the disk failed")

    told: list[bool] = []
    admit(bench)
    monkeypatch.setattr(bench.pipeline, "serve", broken)
    with courier(bench, national.port, context, on_unknown=lambda: told.append(True)) as running:
        until(lambda: running.status()["state"] == "stopped")
    assert told == [True]


def test_a_courier_that_never_started_can_be_stopped(bench: Bench, context: ssl.SSLContext) -> None:
    never = Courier(
        bench.pipeline,
        bench.vault,
        url="https://127.0.0.1:1",
        context=context,
        on_unknown=lambda: None,
    )
    never.stop()


@pytest.mark.parametrize(
    "url", ["http://national:443", "https://", "national:443", "https://national/v2"]
)
def test_an_address_that_is_none_is_refused(url: str, context: ssl.SSLContext) -> None:
    with pytest.raises(ValueError, match="https://host:port"):
        Link(url, context, connect=1.0, exchange=1.0, largest=1)


def test_waits_grow_to_their_limit_and_differ() -> None:
    pace = Pace(first=1.0, longest=300.0)
    assert [pace.after(n, 1.0) for n in (1, 2, 3, 10, 1000)] == [1.0, 2.0, 4.0, 300.0, 300.0]
    assert pace.after(3, 0.0) == 2.0


@pytest.mark.parametrize(("acknowledged", "error"), [(4, "lost"), (21, "does not exist")])
def test_acknowledgements_stay_within_what_was_sent(acknowledged: int, error: str) -> None:
    body = json.dumps({"messages": [{"number": number} for number in range(6, 11)]}).encode()
    batch = _Batch(body, (6, 7, 8, 9, 10))
    waiting = Backlog(last=20, acknowledged=5, since=None)
    with pytest.raises(Undelivered, match=error):
        _understood(convert(heard(body, acknowledged=acknowledged), _Heard), batch, waiting)
    read_ahead = convert(heard(body, acknowledged=20), _Heard)
    assert _understood(read_ahead, batch, waiting).through == 10


def test_what_is_tried_again_and_again_was_opened_once(
    bench: Bench, national: National, context: ssl.SSLContext
) -> None:
    national.faults("down")
    admit(bench)
    with courier(bench, national.port, context) as running:
        until(lambda: int(running.status()["attempts"]) > 3)
        assert [entry.operation for entry in bench.ledger()].count("relay/feed") == 1
        national.faults("")
        until(lambda: acknowledged(bench) == 1)


@pytest.mark.parametrize("status", [400, 422])
def test_one_message_because_of_which_no_batch_is_taken_is_found(
    bench: Bench, network: Network, context: ssl.SSLContext, status: int
) -> None:
    taken: list[int] = []

    class Strict(JsonExchange):
        def post(self, body: bytes) -> None:
            numbers = [message["number"] for message in json.loads(body)["messages"]]
            if 7 in numbers:
                self.refuse(status, "message 7 is not acceptable")
                return
            taken.extend(numbers)
            self.answer(200, heard(body))

    for which in range(12):
        admit(bench, which + 1)
    with (
        serving(TlsServer(("127.0.0.1", 0), network.server(), Strict)) as port,
        courier(bench, port, context) as running,
    ):
        if status == 422:
            until(lambda: acknowledged(bench) == 12)
            assert taken == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]
            acks = [entry for entry in bench.ledger() if entry.operation == "relay/acknowledge"]
            refused = [each for entry in acks for each in entry.conditions.get("refused", [])]
            assert refused == [{"number": 7, "rule": "http-422"}]
        else:
            until(lambda: "answered 400 to message 7" in str(running.status()["last_error"]))
            assert acknowledged(bench) == 6
