"""The reception by itself: time stands still unless the test moves it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from appliance.edge.caller import Caller, Phase
from appliance.edge.limits import Limits
from appliance.edge.places import Places
from appliance.edge.problems import TurnedAway
from appliance.edge.reception import TO_READ, House, Reception
from appliance.edge.strict import Head
from tests.edge import TIMEOUT, post

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LIMITS = Limits(tick_seconds=0.005)


@dataclass
class DeskDouble:
    """Keeps what it is handed."""

    requests: list[Caller] = field(default_factory=list)
    refusals: list[tuple[Caller, TurnedAway]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def put_request(self, caller: Caller, head: Head) -> None:
        self.requests.append(caller)

    def put_refusal(self, caller: Caller, refusal: TurnedAway) -> None:
        self.refusals.append((caller, refusal))

    def put_note(self, why: str) -> None:
        self.notes.append(why)


@dataclass
class Hall:
    """A reception without TLS, and the time it believes."""

    desk: DeskDouble = field(default_factory=DeskDouble)
    seconds: float = 0.0

    @contextmanager
    def open(self) -> Iterator[tuple[Reception, tuple[str, int]]]:
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            house = House(self.desk, LIMITS, lambda: None, lambda: NOW, lambda: self.seconds)
            reception = Reception(listener, house)
            thread = threading.Thread(target=reception.run)
            thread.start()
            try:
                yield reception, listener.getsockname()
            finally:
                reception.stop()
                thread.join(TIMEOUT)
                reception.close()

    def move(self, seconds: float) -> None:
        self.seconds += seconds
        time.sleep(0.05)


def until(condition: object) -> None:
    end = time.monotonic() + TIMEOUT
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("sent", "phase", "seconds"),
    [
        (post()[:30], Phase.HEAD, LIMITS.head_seconds),
        (post()[:-1], Phase.BODY, LIMITS.body_seconds),
    ],
)
def test_a_deadline_is_kept_to_the_second(sent: bytes, phase: Phase, seconds: float) -> None:
    hall = Hall()
    with hall.open() as (reception, address), socket.create_connection(address) as sock:
        sock.sendall(sent)
        until(lambda: [c for c in reception._places.everybody() if c.phase is phase])
        hall.move(seconds - 0.1)
        assert hall.desk.refusals == []
        hall.move(0.2)
        until(lambda: hall.desk.refusals)
        [(_, refusal)] = hall.desk.refusals
        assert refusal.status == 408


def test_an_idle_connection_is_kept_for_a_minute() -> None:
    hall = Hall()
    with hall.open() as (reception, address), socket.create_connection(address):
        until(lambda: reception.count == 1)
        hall.move(59.9)
        assert reception.count == 1
        hall.move(0.2)
        until(lambda: reception.count == 0)
    assert hall.desk.refusals == []


def test_a_request_in_work_has_no_deadline_here() -> None:
    hall = Hall()
    with hall.open() as (reception, address), socket.create_connection(address) as sock:
        sock.sendall(post())
        until(lambda: hall.desk.requests)
        hall.move(3600)
        assert reception.count == 1
        [caller] = hall.desk.requests
        assert caller.take_body() == b"{}"
        caller.answer(b"done", closes=False)
        reception.give_back(caller)
        assert sock.recv(100) == b"done"


def test_what_is_said_during_work_waits() -> None:
    hall = Hall()
    with hall.open() as (reception, address), socket.create_connection(address) as sock:
        sock.sendall(post())
        until(lambda: hall.desk.requests)
        [caller] = hall.desk.requests
        caller.take_body()
        reception._epoll.modify(caller.number, TO_READ)  # a late event, from before the work began
        sock.sendall(post(body=b"[]"))
        time.sleep(0.05)
        assert hall.desk.requests == [caller]
        caller.answer(b"done", closes=False)
        reception.give_back(caller)
        until(lambda: len(hall.desk.requests) == 2)
        assert caller.take_body() == b"[]"


def test_an_answer_that_comes_after_closing_time_hurts_nobody() -> None:
    hall = Hall()
    with hall.open() as (reception, address), socket.create_connection(address) as sock:
        sock.sendall(post())
        until(lambda: hall.desk.requests)
        [caller] = hall.desk.requests
    caller.answer(b"late", closes=False)
    reception.give_back(caller)
    reception._arm(caller, Phase.IDLE, TO_READ)
    reception.close_caller(caller)


def test_draining_ends_when_the_last_request_does() -> None:
    hall = Hall()
    with hall.open() as (reception, address), socket.create_connection(address) as sock:
        sock.sendall(post())
        until(lambda: hall.desk.requests)
        drained: list[bool] = []
        thread = threading.Thread(target=lambda: drained.append(reception.drain(10)))
        thread.start()
        time.sleep(0.05)
        assert reception.is_leaving
        assert drained == []
        [caller] = hall.desk.requests
        caller.answer(b"done", closes=False)
        reception.give_back(caller)
        thread.join(TIMEOUT)
        assert drained == [True]
        assert sock.recv(100) == b"done"
        assert sock.recv(100) == b""


def test_a_caller_who_is_gone_before_the_welcome_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hall = Hall()
    with hall.open() as (reception, address):

        def gone(_blocking: bool) -> None:
            raise OSError

        class Gone:
            def __init__(self, sock: socket.socket) -> None:
                self.close = sock.close
                self.setblocking = gone

        welcome = reception._welcome
        monkeypatch.setattr(
            reception, "_welcome", lambda sock, address: welcome(Gone(sock), address)
        )
        with socket.create_connection(address) as sock:
            sock.settimeout(TIMEOUT)
            assert sock.recv(1) == b""
        assert reception.count == 0


def test_a_place_is_freed_once_however_often_it_is_left() -> None:
    places = Places(Limits(bodies_bytes=100))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        caller = Caller(ours, "10.0.0.1", Phase.IDLE, 0)
        places.enter(caller)
        assert places.reserve(caller, 100)
        assert not places.reserve(Caller(theirs, "10.0.0.2", Phase.IDLE, 0), 1)
        assert places.leave(caller)
        assert not places.leave(caller)
        assert places.reserve(caller, 100)
