"""The workers of a load: started, given their charge, heard, ended; one that dies is told."""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
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
        context = multiprocessing.get_context("spawn")
        self.count = count
        self._answers: SimpleQueue[Answer | Failure | WorkerDied] = SimpleQueue()
        self._pipes: list[Connection] = []
        self.processes = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=loadworker.serve, args=(theirs,), daemon=True)
            process.start()
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
            process.join()

    def _listen(self, pipe: Connection, process: multiprocessing.process.BaseProcess) -> None:
        """Take what a worker says off its pipe at once, so that it never waits for the writer."""
        try:
            while True:
                self._answers.put(pipe.recv())
        except (EOFError, OSError):
            process.join(1)
            told = f"a worker ended before its work was done (exit status {process.exitcode})"
            self._answers.put(WorkerDied(told))


@contextmanager
def working(charge: Charge, count: int | None = None) -> Iterator[Workers]:
    """Yield workers, and end them after the block; ``count`` None: one for each core."""
    workers = Workers(charge, count or len(os.sched_getaffinity(0)))
    try:
        yield workers
    finally:
        workers.end()
