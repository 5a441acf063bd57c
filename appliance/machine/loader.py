"""The first load: files of residents into a store, by several processes that seal and one writer.

::

    file, piece by piece          some hundred lines each                        loadfile.py
      -> a worker judges          by the plugin's rules, as if nobody were known loadworker.py
      -> the writer decides       in the order of the file: sequence numbers, and who is known
      -> the same worker seals    as the persons that the writer names
      -> the writer writes        in the order of the file, 50,000 persons a unit
    at the end                    index tokens, in the order of their table      storage/bulk.py

A unit holds all that belongs to its persons, and the sequence numbers of its lines. So a load that
was killed is begun again with the same files: what is in is known by its numbers and passed over.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance.loading import first_load
from appliance.machine.loaddesk import Desk, Keep, Site, Work
from appliance.machine.loadfile import Piece, cut, source_of
from appliance.machine.loadworker import Charge, Judge, JudgedPiece, SealedPiece
from appliance.machine.workers import Workers, working
from appliance.marks import ROOT as MARK_ROOT
from appliance.parts import Clock
from appliance.values.identifiers import Municipalities
from storage.bulk import Bulk, open_bulk
from storage.sealing import SealingKeys

JUDGED_AHEAD = 12
"""Pieces of each worker that are judged while a unit is being committed."""
SEALED_AHEAD = 3
TOLD_EVERY = 0.25
"""Seconds."""


@dataclass(slots=True)
class Standing:
    """How far a load is, and what came of it so far."""

    done: int = 0
    whole: int = 0
    """Bytes of the files; then, in the part ``index``, slices of it."""
    part: str = "residents"
    counts: Counter[str] = field(default_factory=Counter)


Progress = Callable[[Standing], None]


def load(
    site: Site,
    files: Sequence[Path],
    keep: Keep,
    clock: Clock,
    progress: Progress = lambda standing: None,
    *,
    sender: str | None = None,
    workers: int | None = None,
) -> Standing:
    """Bring the residents of files into a store that nobody else has; return what came of it.

    Args:
        site: the store.
        files: one municipality's residents each, a notice a line.
        keep: is given the remarks of a unit; they must be on disk when it returns.
        clock: the time.
        progress: is told how far the load is, a few times a second.
        sender: whose files these are; None: each says so by its first line.
        workers: processes that seal; None: one for each core.

    Raises:
        NotAFile: a file does not tell whose it is.
        WorkerDied: a process that seals ended; what was written stays, load again.
        StorageError: as ``storage.bulk`` says.
    """
    owner, plugin = first_load(site.loaded.manager)
    municipalities = Municipalities.load()
    sources = [source_of(path, plugin, municipalities, sender) for path in files]
    charge = Charge(
        plugins=site.plugins,
        sealing=SealingKeys.of(site.ring),
        index_root=site.ring.key("idx-root/1"),
        mark_root=site.ring.key(MARK_ROOT),
    )

    def clock_ms() -> int:
        return int(clock().timestamp() * 1000)

    standing = Standing(whole=sum(source.size for source in sources))
    with open_bulk(site.store, site.ring, origin=site.origin, clock_ms=clock_ms) as bulk:
        with working(charge, workers) as staff:
            desk = Desk(site, owner, plugin, keep, clock)
            _Run(bulk, staff, desk, standing, progress, clock).take(cut(sources))

        def posted(done: int, whole: int) -> None:
            standing.part, standing.done, standing.whole = "index", done, whole
            progress(standing)

        bulk.post(posted)
    return standing


class _Run:
    """Keeps every worker busy, and the file in order."""

    def __init__(
        self,
        bulk: Bulk,
        workers: Workers,
        desk: Desk,
        standing: Standing,
        progress: Progress,
        clock: Clock,
    ) -> None:
        self._bulk, self._workers, self._desk = bulk, workers, desk
        self._standing, self._progress, self._clock = standing, progress, clock
        self._under_way: dict[int, Work] = {}
        self._undecided: deque[Work] = deque()
        self._told = 0.0

    def take(self, pieces: Iterator[Piece]) -> None:
        """Load all pieces, unit by unit."""
        self._judge_ahead(pieces)
        while self._undecided:
            with self._bulk.unit() as unit:
                self._desk.begin(unit)
                self._fill(pieces)
                self._desk.close()
            self._standing.counts = self._desk.counts.copy()

    def _fill(self, pieces: Iterator[Piece]) -> None:
        """Decide and write pieces until the unit is full or there are no more."""
        sealing: deque[Work] = deque()
        while True:
            while self._may_decide(sealing):
                work = self._undecided.popleft()
                self._workers.tell(self._desk.decide(work))
                sealing.append(work)
                self._judge_ahead(pieces)
            while sealing and sealing[0].sealed is not None:
                self._write(sealing.popleft())
            if not sealing and (self._desk.is_full or not self._undecided):
                return
            if not self._may_decide(sealing):
                self._hear()

    def _may_decide(self, sealing: deque[Work]) -> bool:
        return (
            len(sealing) < SEALED_AHEAD * self._workers.count
            and not self._desk.is_full
            and bool(self._undecided)
            and self._undecided[0].judged is not None
        )

    def _judge_ahead(self, pieces: Iterator[Piece]) -> None:
        while len(self._undecided) < JUDGED_AHEAD * self._workers.count:
            if (piece := next(pieces, None)) is None:
                return
            self._undecided.append(Work(piece))
            self._under_way[piece.number] = self._undecided[-1]
            source, now = piece.source, self._clock()
            where = (source.path, piece.start, piece.size)
            self._workers.tell(Judge(piece.number, *where, source.sender, now))

    def _hear(self) -> None:
        answer = self._workers.hear()
        work = self._under_way[answer.number]
        if isinstance(answer, JudgedPiece):
            work.judged = answer
        elif isinstance(answer, SealedPiece):
            work.sealed = answer

    def _write(self, work: Work) -> None:
        self._desk.write(work)
        del self._under_way[work.piece.number]
        self._standing.done += work.piece.size
        if time.monotonic() > self._told + TOLD_EVERY:
            self._told = time.monotonic()
            self._standing.counts = self._desk.counts.copy()
            self._progress(self._standing)
