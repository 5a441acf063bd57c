"""The one writer: waiting units share a transaction and one commit.

A unit that reads or changes the file is in a savepoint of its own; one that only enters an entry in
the ledger has nothing to undo before its entry is sealed, which is the last thing it does.

How a unit can end::

    it raises                   it is undone; the caller gets what it raised
    the disk is full            the whole group is undone: DiskFull; the next group may succeed
    the disk fails before       the whole group is undone: StorageError
    the commit
    the commit itself fails     OutcomeUnknown for the group and for everybody after it: only
                                reopening the file tells whether the group is there
    the commit returns          on disk; everybody is released

A full disk at the commit is not an unknown outcome.  SQLite reports it when a write to the WAL came
out short; frames are written in order, the one that commits is the last, and a frame that is not
whole does not count.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import apsw

from storage import ledger
from storage.connection import BUSY_MS, abandon, ask
from storage.engine import Unit
from storage.errors import DeadlineExceeded, DiskFull, OutcomeUnknown, StorageError
from storage.hold import CopyPoint, Hold, wal_bytes
from storage.keys import StoreKeys
from storage.note import sign_checkpoint
from storage.unit import Heads, WriteUnit

T = TypeVar("T")

MOST_UNITS = 256
"""Units that share one commit at most."""

GROUP_SECONDS = 0.02
"""After so long no further unit joins a group."""

GATHER_SECONDS = 0.0005
"""How long a group waits for another unit, while it has fewer than the two groups before it.

Whoever was just released comes back at once, and a group that did not wait would be his who came
first alone: every second commit would be for nearly nobody. One caller never waits.
"""

WAL_PAGES = 1_000
"""Pages in the WAL at which it is carried into the file, after the waiting units were released."""

WAL_TOO_LONG = 16 * WAL_PAGES
"""Pages at which the writer waits for readers to leave the WAL, so that it can begin anew."""

_PATIENCE_MS = 250


class _Job(Generic[T]):
    """A unit of work on its way through the writer."""

    def __init__(self, work: Callable[[Unit], T], deadline: float) -> None:
        self.work = work
        self.deadline = deadline
        self.answer: T
        self.problem: BaseException | None = None
        self._claimed = threading.Lock()
        self._done = threading.Lock()
        self._done.acquire()

    def claim(self) -> bool:
        """Return True to the first who asks: the writer who runs it, or the caller who gave up."""
        return self._claimed.acquire(blocking=False)

    def release(self, problem: BaseException | None = None) -> None:
        """Let the caller go on, with the answer or with a problem."""
        self.problem = problem
        self._done.release()

    def wait(self, seconds: float) -> T:
        """Return the answer once it is on disk, or raise the problem."""
        if not self._done.acquire(timeout=max(seconds, 0)):
            if self.claim():
                raise DeadlineExceeded("the unit of work waited longer than it was given")
            # It runs, or is being committed: how it ends is known only at the end.
            self._done.acquire()
        if self.problem is not None:
            raise self.problem
        return self.answer


class Writer:
    """Runs units on a thread of its own, over a connection nobody else uses."""

    def __init__(
        self,
        connection: apsw.Connection,
        keys: StoreKeys,
        *,
        clock_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take over the connection; ``start`` sets the thread going.

        Raises:
            LedgerBroken: a part of the ledger is missing.
        """
        self.heads = Heads.of(connection)
        self.checkpoint = ledger.checkpoint(connection)
        self.stopped = False
        self.ailing = False
        self.hold = Hold(monotonic)
        self._connection = connection
        self._keys = keys
        self._clock_ms = clock_ms
        self._monotonic = monotonic
        self._queue: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._last_group = False
        self._wal_pages = 0
        self._carried = 0
        self._sizes = deque((1, 1), maxlen=2)
        self._thread = threading.Thread(target=self._serve, name="storage writer", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._connection.set_wal_hook(self._wal_grew)
        self._thread.start()

    def run(self, work: Callable[[Unit], T], seconds: float) -> T:
        """Run ``work`` in a unit and return its answer once it is on disk.

        Raises:
            OutcomeUnknown, DeadlineExceeded, DiskFull, StorageError: see above.
        """
        if threading.current_thread() is self._thread:
            raise StorageError("a unit of work cannot wait for another one")
        job = _Job(work, self._monotonic() + seconds)
        with self._gate:
            if self.stopped:
                raise _stopped()
            if self._closed:
                raise StorageError("the store is closed")
            self._queue.put(job)
        return job.wait(seconds)

    def copy_point(self) -> CopyPoint:
        """Return the last commit, for whoever copies the file under a hold; raises as ``run``."""
        # On the writer's thread, where checkpoint and WAL are of one commit.
        return self.run(lambda unit: CopyPoint(self.checkpoint, self.wal_bytes), BUSY_MS / 1000)

    @property
    def wal_bytes(self) -> int:
        """How long the WAL is, up to the last commit."""
        return wal_bytes(self._wal_pages)

    def close(self) -> None:
        """Finish the waiting units, end the thread, close the connection."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        if self.stopped:
            # What the failed commit left in the WAL is for the next opening to judge.
            abandon(self._connection)
            return
        # What cannot be carried into the file now stays in the WAL and is carried later.
        with suppress(apsw.Error):
            self._connection.close()

    def _serve(self) -> None:
        group: list[_Job[Any]] = []
        try:
            while not self._last_group and (job := self._queue.get()) is not None:
                group.clear()
                self._run_group(job, group)
        except BaseException:
            # Whatever it was, nobody can say whether the group is on disk.
            self._stop(group)

    def _run_group(self, first: _Job[Any], group: list[_Job[Any]]) -> None:
        """Run waiting units, commit, release; ``group`` are those whose fate is the commit's."""
        heads, checkpoint = self.heads, self.checkpoint
        try:
            for job in self._waiting(first):
                if job.claim():
                    heads = self._run_unit(job, heads, group)
            checkpoint = self._conclude(heads)
        except StorageError as problem:
            self._undo_group(group, problem)
            return
        if not group:
            self._undo_group(group, StorageError())
            return
        try:
            self._connection.execute("COMMIT")
        except apsw.FullError:
            self._undo_group(group, DiskFull())
            return
        self.heads, self.checkpoint = heads, checkpoint
        self._sizes.append(len(group))
        for job in group:
            job.release()
        self._carry_wal()

    def _waiting(self, first: _Job[Any]) -> Iterator[_Job[Any]]:
        closing, usual = self._monotonic() + GROUP_SECONDS, max(self._sizes)
        yield first
        for size in range(1, MOST_UNITS):
            if self._monotonic() > closing:
                return
            try:
                if size < usual and self._queue.empty():
                    job = self._queue.get(timeout=GATHER_SECONDS)
                else:
                    job = self._queue.get_nowait()
            except Empty:
                return
            if job is None:
                self._last_group = True
                return
            yield job

    def _run_unit(self, job: _Job[Any], heads: Heads, group: list[_Job[Any]]) -> Heads:
        """Run one unit; return where the file stands after it."""
        connection = self._connection
        group.append(job)
        if not connection.in_transaction:
            ask(connection, "BEGIN IMMEDIATE")
        unit = WriteUnit(
            connection,
            self._keys,
            heads,
            clock_ms=self._clock_ms,
            seconds_left=lambda: job.deadline - self._monotonic(),
        )
        try:
            job.answer = job.work(unit)
            unit.finish()
        except BaseException as problem:
            unit.end()
            self._undo_unit(unit, problem)
            group.pop()
            job.release(problem)
            return heads
        return unit.heads

    def _conclude(self, heads: Heads) -> str:
        """Write where the file now stands, signed; return the checkpoint."""
        connection, checkpoint = self._connection, self.checkpoint
        if heads.frontier is not self.heads.frontier:
            frontier = heads.frontier
            checkpoint = sign_checkpoint(self._keys.signer, frontier.size, frontier.root())
            ledger.write_state(connection, "checkpoint", checkpoint.encode())
        if heads.digest is not self.heads.digest:
            ledger.write_state(connection, "digest", heads.digest.to_bytes())
        return checkpoint

    def _undo_unit(self, unit: WriteUnit, problem: BaseException) -> None:
        """Undo one unit of the group.

        Raises:
            StorageError: it takes undoing the whole group, or SQLite has done that already, as it
                does when the disk fails.
        """
        if not self._connection.in_transaction or not unit.undo():
            raise StorageError from problem

    def _undo_group(self, group: list[_Job[Any]], problem: StorageError) -> None:
        if self._connection.in_transaction:
            ask(self._connection, "ROLLBACK")
        full = isinstance(problem, DiskFull) or isinstance(problem.__cause__, DiskFull)
        for job in group:
            job.release(
                DiskFull("the disk has no room; the unit was undone")
                if full
                else StorageError("the disk failed before the commit; the unit was undone")
            )

    def _stop(self, group: list[_Job[Any]]) -> None:
        with self._gate:
            self.stopped = True
            with suppress(Empty):
                while True:
                    job = self._queue.get_nowait()
                    if job is not None and job.claim():
                        group.append(job)
        for job in group:
            job.release(_stopped())

    def _wal_grew(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        if pages < self._wal_pages:
            self._carried = 0
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _carry_wal(self) -> None:
        """Carry the WAL into the file once it has grown enough; failing harms nothing yet."""
        if self._wal_pages - self._carried < WAL_PAGES and not self.ailing:
            return
        if self.hold.bars():
            return
        self._carried = self._wal_pages
        too_long = self._wal_pages >= WAL_TOO_LONG
        mode = apsw.SQLITE_CHECKPOINT_RESTART if too_long else apsw.SQLITE_CHECKPOINT_PASSIVE
        self._connection.set_busy_timeout(_PATIENCE_MS)
        try:
            self._connection.wal_checkpoint(mode=mode)
            self.ailing = False
        except apsw.BusyError:
            # Readers are still in it: the WAL is merely longer than it need be.
            pass
        except apsw.Error:
            self.ailing = True
        finally:
            self._connection.set_busy_timeout(BUSY_MS)


def _stopped() -> OutcomeUnknown:
    return OutcomeUnknown("a commit failed on its way to disk; the store has stopped")
