"""Clients in a process of their own, each asking again as soon as it is answered (a closed loop).

``hammer`` starts the process, which is this module run as ``__main__``: its task comes in over
stdin and what came of it goes out over stdout, both as MessagePack.
"""

import select
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import quantiles
from typing import Annotated

import msgspec

from scripts.bench_lib.wire import Connection, Papers

ROOT = Path(__file__).resolve().parents[2]
OK = 200
DRAIN_SECONDS = 30.0


class Client(msgspec.Struct, frozen=True):
    """One keep-alive connection: who it is, and what it asks, one request after another."""

    papers: Papers
    requests: Sequence[bytes]
    repeats: bool = True
    """Whether it begins again at the end; else it stops there."""


class Task(msgspec.Struct, frozen=True):
    """What a process of clients has to do."""

    address: tuple[str, int]
    clients: Sequence[Client]
    seconds: float
    warm: Annotated[int, msgspec.Meta(ge=0)] = 1
    """Requests of each client before the time begins."""


class Latencies(msgspec.Struct, frozen=True):
    """What came of it: times are seconds."""

    seconds: float
    """From the first request to the last answer."""
    timings: Sequence[float]
    """Of each request that was answered with 200."""
    refused: dict[int, int]
    """Other statuses, and how often."""
    processor: float
    """Seconds of processor the clients took themselves."""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.timings) / self.seconds

    @property
    def ceiling(self) -> float:
        """Requests a second that the clients could ask on a core of their own."""
        return (len(self.timings) + sum(self.refused.values())) / self.processor

    def at(self, percent: int) -> float:
        """Return the p-th percentile."""
        return quantiles(self.timings, n=100, method="inclusive")[percent - 1]


def hammer(task: Task) -> Latencies:
    """Let the clients of a task ask in a process of their own.

    Raises:
        RuntimeError: the process failed; its last line says why.
    """
    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench_lib.hammer"],
        input=msgspec.msgpack.encode(task),
        capture_output=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
    return msgspec.msgpack.decode(done.stdout, type=Latencies)


def work(task: Task) -> Latencies:
    """Ask in this process until the time is over or nothing is left to ask.

    Raises:
        OSError: a connection broke.
    """
    loop = _Loop(task)
    processor, begin = time.process_time(), time.perf_counter()
    last = loop.run(begin + task.seconds)
    return Latencies(
        seconds=last - begin,
        timings=loop.timings,
        refused=loop.refused,
        processor=time.process_time() - processor,
    )


class _Loop:
    """All clients of a process over one epoll."""

    def __init__(self, task: Task) -> None:
        self.timings: list[float] = []
        self.refused: dict[int, int] = {}
        self._epoll = select.epoll()
        self._connections: dict[int, Connection] = {}
        self._requests = {}
        self._sent: dict[int, float] = {}
        for client in task.clients:
            connection = Connection(task.address, client.papers)
            requests = iter(cycle(client.requests) if client.repeats else client.requests)
            for warming in islice(requests, task.warm):
                connection.ask(warming)
            connection.sock.setblocking(False)
            number = connection.sock.fileno()
            self._connections[number], self._requests[number] = connection, requests
            self._epoll.register(number, select.EPOLLIN)

    def run(self, end: float) -> float:
        """Ask until ``end``, wait for what is under way, and return when the last answer came."""
        last = now = time.perf_counter()
        for number in self._connections:
            self._ask(number, now)
        while self._sent and now < end + DRAIN_SECONDS:
            for number, event in self._epoll.poll(1.0):
                if event & select.EPOLLOUT and self._connections[number].go_on():
                    self._epoll.modify(number, select.EPOLLIN)
                status = self._connections[number].receive()
                if status is None:
                    continue
                now = last = time.perf_counter()
                self._note(number, status, now)
                if now < end:
                    self._ask(number, now)
            now = time.perf_counter()
        return last

    def _ask(self, number: int, now: float) -> None:
        request = next(self._requests[number], None)
        if request is None:
            return
        self._sent[number] = now
        if not self._connections[number].send(request):
            self._epoll.modify(number, select.EPOLLIN | select.EPOLLOUT)

    def _note(self, number: int, status: int, now: float) -> None:
        taken = now - self._sent.pop(number)
        if status == OK:
            self.timings.append(taken)
        else:
            self.refused[status] = self.refused.get(status, 0) + 1


def main() -> None:
    """Do the task that stands in stdin."""
    task = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.msgpack.encode(work(task)))


if __name__ == "__main__":
    main()
