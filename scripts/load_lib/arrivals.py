"""Clients in a process of their own whose requests arrive when they are due (an open loop).

A closed loop waits for a slow server, and so hides that others would have had to wait. Here a
request that finds no free connection waits, and the wait is part of its latency.

The process is this module run as ``__main__``, its task and outcome MessagePack over its pipes.
"""

import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import quantiles

import msgspec

from scripts.bench_lib.hammer import ROOT
from scripts.bench_lib.wire import Connection, Papers

OK = 200
BROKEN = 0
"""In place of a status: the connection broke, or no answer came in time."""
DRAIN_SECONDS = 10.0


class Ask(msgspec.Struct, frozen=True):
    """One request: when it is due (seconds from the start), and over whose connections."""

    due: float
    lane: int
    request: bytes


class Lane(msgspec.Struct, frozen=True):
    """The connections of one certificate; its requests leave in their order."""

    papers: Papers
    connections: int


class Task(msgspec.Struct, frozen=True):
    """What a process of clients has to do; ``asks`` are in the order of ``due``."""

    address: tuple[str, int]
    lanes: Sequence[Lane]
    asks: Sequence[Ask]


class Outcome(msgspec.Struct, frozen=True):
    """What came of it: times are seconds."""

    seconds: float
    latencies: Sequence[float]
    """From when a request was due to its answer, of those answered with 200."""
    errors: dict[int, int]
    """Other statuses, and how often."""
    processor: float
    """Seconds of processor the clients took themselves."""
    late: float
    """The most by which the clients themselves were late to look at the clock."""

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return len(self.latencies) / self.seconds

    def at(self, percent: int) -> float:
        """Return the p-th percentile; infinite if nothing was answered."""
        if len(self.latencies) < 2:
            return max(self.latencies, default=float("inf"))
        return quantiles(self.latencies, n=100, method="inclusive")[percent - 1]

    @property
    def most(self) -> float:
        """The slowest answer."""
        return max(self.latencies, default=float("inf"))


def arrive(task: Task) -> Outcome:
    """Let the requests of a task arrive, from a process of their own.

    Raises:
        RuntimeError: the process failed; its last line says why.
    """
    done = subprocess.run(
        [sys.executable, "-m", "scripts.load_lib.arrivals"],
        input=msgspec.msgpack.encode(task),
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
    return msgspec.msgpack.decode(done.stdout, type=Outcome)


@dataclass(slots=True)
class _Desk:
    """The connections of a lane that are free, and what waits for one."""

    papers: Papers
    free: deque[int] = field(default_factory=deque)
    waiting: deque[Ask] = field(default_factory=deque)


class Clients:
    """All connections over one epoll."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._epoll = select.epoll()
        self._desks = [_Desk(lane.papers) for lane in task.lanes]
        self._connections: dict[int, tuple[Connection, int]] = {}
        self._under_way: dict[int, float] = {}
        """By connection: when what it asks was due."""
        self.latencies: list[float] = []
        self.errors: dict[int, int] = {}
        self.late = 0.0
        for number, lane in enumerate(task.lanes):
            for _ in range(lane.connections):
                self._open(number)

    def run(self) -> Outcome:
        """Ask everything when it is due, and wait a while for the last answers."""
        processor, self._begin = time.process_time(), time.perf_counter()
        asks = deque(self._task.asks)
        last_due = asks[-1].due if asks else 0.0
        while (asks or self._is_busy()) and self._now() < last_due + DRAIN_SECONDS:
            now = self._now()
            while asks and asks[0].due <= now:
                self.late = max(self.late, now - asks[0].due)
                ask = asks.popleft()
                self._desks[ask.lane].waiting.append(ask)
                self._serve(ask.lane)
            pause = asks[0].due - self._now() if asks else 0.1
            for number, event in self._epoll.poll(max(pause, 0.0)):
                self._attend(number, event)
        seconds = max(self._now(), last_due)
        left = len(self._under_way) + sum(len(desk.waiting) for desk in self._desks)
        if left:
            self._note(BROKEN, left)
        return Outcome(
            seconds=seconds,
            latencies=self.latencies,
            errors=self.errors,
            processor=time.process_time() - processor,
            late=self.late,
        )

    def _now(self) -> float:
        return time.perf_counter() - self._begin

    def _is_busy(self) -> bool:
        return bool(self._under_way) or any(desk.waiting for desk in self._desks)

    def _open(self, lane: int) -> None:
        connection = Connection(self._task.address, self._desks[lane].papers)
        connection.sock.setblocking(False)
        number = connection.sock.fileno()
        self._connections[number] = connection, lane
        self._epoll.register(number, select.EPOLLIN)
        self._desks[lane].free.append(number)

    def _serve(self, lane: int) -> None:
        """Let what waits longest leave over a free connection, if there is one."""
        desk = self._desks[lane]
        while desk.free and desk.waiting:
            number, ask = desk.free.popleft(), desk.waiting.popleft()
            self._under_way[number] = ask.due
            try:
                if not self._connections[number][0].send(ask.request):
                    self._epoll.modify(number, select.EPOLLIN | select.EPOLLOUT)
            except OSError:
                self._lose(number)

    def _attend(self, number: int, event: int) -> None:
        connection, lane = self._connections[number]
        try:
            if event & select.EPOLLOUT and connection.go_on():
                self._epoll.modify(number, select.EPOLLIN)
            status = connection.receive()
        except OSError:
            self._lose(number)
            return
        if status is None:
            return
        due = self._under_way.pop(number)
        if status == OK:
            self.latencies.append(self._now() - due)
        else:
            self._note(status)
        self._desks[lane].free.append(number)
        self._serve(lane)

    def _lose(self, number: int) -> None:
        """Put another connection in the place of one that broke."""
        connection, lane = self._connections.pop(number)
        if self._under_way.pop(number, None) is not None:
            self._note(BROKEN)
        elif number in self._desks[lane].free:
            self._desks[lane].free.remove(number)
        connection.sock.close()
        self._open(lane)
        self._serve(lane)

    def _note(self, status: int, times: int = 1) -> None:
        self.errors[status] = self.errors.get(status, 0) + times


def main() -> None:
    """Do the task that stands in stdin."""
    task = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.msgpack.encode(Clients(task).run()))


if __name__ == "__main__":
    main()
