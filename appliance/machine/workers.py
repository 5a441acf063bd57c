"""The workers of a load: started, given their charge, heard, ended; one that dies is told."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread

from appliance.machine import loadworker
from appliance.machine.loadworker import Answer, Charge, Failure, Order


class WorkerDied(Exception):
    """A worker is no longer there, or cannot go on; says what is known of it."""


class Workers:
    """As many processes as the machine has cores, beside the one that writes."""

    def __init__(self, charge: Charge, count: int) -> None:
        self.count = count
        self._answers: SimpleQueue[Answer | Failure | WorkerDied] = SimpleQueue()
        self._pipes: list[Connection] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        for _ in range(count):
            ours, theirs = Pipe()
            process = _started(theirs)
            theirs.close()
            self._pipes.append(ours)
            self.processes.append(process)
            ours.send(charge)
            Thread(target=self._listen, args=(ours, process), daemon=True).start()

    def tell(self, order: Order) -> None:
        """Give an order; all orders about a piece go to the same worker.

        Raises:
            WorkerDied: it is no longer there.
        """
        try:
            self._pipes[order.number % self.count].send(order)
        except OSError:
            raise WorkerDied("a worker ended before its work was done") from None

    def hear(self) -> Answer:
        """Return the next answer of any worker; wait for it.

        Raises:
            WorkerDied: a worker is no longer there, or cannot go on.
        """
        answer = self._answers.get()
        if isinstance(answer, WorkerDied):
            raise answer
        if isinstance(answer, Failure):
            raise WorkerDied(f"a worker failed: {answer.where}")
        return answer

    def end(self) -> None:
        """End them all."""
        for pipe in self._pipes:
            pipe.close()
        for process in self.processes:
            process.terminate()
            process.wait()

    def _listen(self, pipe: Connection, process: subprocess.Popen[bytes]) -> None:
        """Take what a worker says off its pipe at once, so that it never waits for the writer."""
        try:
            while True:
                self._answers.put(pipe.recv())
        except (EOFError, OSError):
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)
            told = f"a worker ended before its work was done (exit status {process.returncode})"
            self._answers.put(WorkerDied(told))


def _started(pipe: Connection) -> subprocess.Popen[bytes]:
    """Start a worker at the other end of a pipe; it imports what it needs and nothing of ours."""
    # Neither the current folder nor, where we run without them, the environment is looked at.
    alone = "-I" if sys.flags.isolated else "-P"
    end = str(pipe.fileno())
    command = [sys.executable, alone, "-m", loadworker.__name__, end]
    return subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.DEVNULL, pass_fds=[pipe.fileno()]
    )


@contextmanager
def working(charge: Charge, count: int | None = None) -> Iterator[Workers]:
    """Yield workers, and end them after the block; ``count`` None: one for each core."""
    workers = Workers(charge, count or len(os.sched_getaffinity(0)))
    try:
        yield workers
    finally:
        workers.end()
