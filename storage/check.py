"""Does everything open, follow and match?  Reads the whole store and says what does not.

    pages      every page is whole, the tables are those of this release
    versions   numbered without gaps, each follows the one before by its seal, every cell opens
    tokens     identifiers and postings are exactly those that the opened fields give
               (recordcheck.py)
    marks      exactly those that the latest versions give
    documents  every revision opens
    outbox     every parcel opens; numbers have no gaps; nothing unsent is acknowledged
    ledger     every entry opens and is in its tiles; who was looked at is found (ledgercheck.py)
    state      the digest over the file, computed anew, is the one kept and the one the last
               entry carries

A finding names a place, never a value.  The check reads one snapshot through a connection of its
own, beside a running store or alone; meanwhile the WAL of a running store can only grow.

What one machine cannot know is whether the whole folder was put back to an earlier day.  For that
the check is given ``anchors``: checkpoints that somebody else has kept.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import apsw

from storage import documents, outbox, records, schema, tallies
from storage.checkworkers import shared_out
from storage.connection import ask, each_row, open_reader
from storage.errors import StorageError
from storage.findings import Finding, Findings, Progress
from storage.keyring import KeyRing
from storage.keys import StoreKeys
from storage.ledgercheck import LedgerCheck
from storage.lthash import State
from storage.recordcheck import (
    PIECE,
    Computed,
    CountsOf,
    MarkOf,
    Piece,
    RecordCheck,
    TokensOf,
    no_counts,
    pieces,
)
from storage.vault import FILE_NAME


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was read and what was found.

    ``tokens`` are identifiers and postings together; ``findings`` are cut off at a thousand.
    """

    persons: int
    versions: int
    cells: int
    tokens: int
    marks: int
    documents: int
    parcels: int
    entries: int
    tallies: Mapping[str, int]
    """As they are kept."""
    counted: Mapping[str, int]
    """What ``counts_of`` gave for the persons whose versions all open, summed up; whether the
    tallies are right by it is for the caller to say."""
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def check(
    folder: Path,
    ring: KeyRing,
    *,
    origin: str,
    tokens_of: TokensOf,
    mark_of: MarkOf,
    progress: Progress | None = None,
    anchors: Collection[str] = (),
    counts_of: CountsOf = no_counts,
    workers: int = 1,
    piece: int = PIECE,
) -> CheckReport:
    """Read the whole store of a folder and report.

    Args:
        folder: of the store, open or closed.
        ring: its key ring.
        origin: the name of the ledger.
        tokens_of: what a version is found by; called with every field of it.
        mark_of: the mark of a person; called with every field of the latest version.
        progress: is told the part, how much of it is done, and how much there is.
        anchors: signed checkpoints of this ledger, kept elsewhere.
        counts_of: what is counted of a person; called if all his versions open.
        workers: processes that share out the persons; more than one only of a store that nobody
            has open, for each of them reads a snapshot of its own.
        piece: how many persons one of them takes at a time.

    Raises:
        WrongKey: the ring is of another store.
        Tampered: the file cannot be opened at all.
        StorageError: a process of the check was killed.
    """
    keys, file = StoreKeys.of(ring, origin), folder / FILE_NAME
    people = _People(file, keys, Computed(tokens_of, mark_of, counts_of), piece)
    findings = Findings(progress)
    if workers > 1:
        people.share_out(workers, findings)
    connection = open_reader(file, keys.page)
    try:
        ask(connection, "BEGIN")
        return _checked(connection, keys, people, findings, anchors)
    finally:
        connection.close()


class _People:
    """The persons of a store and what they come to, checked here or in several processes."""

    def __init__(self, file: Path, keys: StoreKeys, computed: Computed, size: int) -> None:
        self._file = file
        self._keys = keys
        self._computed = computed
        self._size = size
        self._shared = False
        self.all = Piece()

    def share_out(self, workers: int, findings: Findings) -> None:
        """Check them in several processes."""
        connection = open_reader(self._file, self._keys.page)
        try:
            last = records.last_person(connection)
        except StorageError:
            return  # is found again, and told, by ``check``
        finally:
            connection.close()
        ranges = pieces(last, self._size)
        self._shared = True
        self._take(shared_out(self._opened, ranges, min(workers, len(ranges))), last, findings)

    def check(self, connection: apsw.Connection, findings: Findings) -> None:
        """Check them here unless they are, and look for what is there of nobody."""
        check = RecordCheck(connection, self._keys, self._computed)
        if not self._shared:
            last = records.last_person(connection)
            found = (check.piece(*each) for each in pieces(last, self._size))
            self._take(found, last, findings)
        check.look_for_strays(self.all, findings)

    def _opened(self) -> RecordCheck:
        connection = open_reader(self._file, self._keys.page)
        return RecordCheck(connection, self._keys, self._computed)

    def _take(self, found: Iterable[Piece], last: int, findings: Findings) -> None:
        for number, piece in enumerate(found, start=1):
            self.all.join(piece)
            for each in piece.findings:
                findings.add(each.place, each.what)
            if last:
                findings.tell("versions", min(number * self._size, last), last)


def _checked(
    connection: apsw.Connection,
    keys: StoreKeys,
    people: _People,
    findings: Findings,
    anchors: Collection[str],
) -> CheckReport:
    """Check part after part; what cannot be read on is a finding."""
    with findings.noting("versions"):
        people.check(connection, findings)
    papers = _PaperCheck(connection, keys, findings, people.all.digest)
    entries = LedgerCheck(connection, keys, findings)
    with findings.noting("documents"):
        papers.check_documents()
    with findings.noting("outbox"):
        papers.check_outbox()
    with findings.noting("ledger"):
        entries.run(papers.digest, anchors)
    kept: Mapping[str, int] = {}
    with findings.noting("tallies"):
        kept = tallies.read(connection, "")
    with findings.noting("pages"):
        _check_pages(connection, findings)
    return CheckReport(
        persons=people.all.persons,
        versions=people.all.versions,
        cells=people.all.cells,
        tokens=people.all.tokens,
        marks=people.all.marks,
        documents=papers.documents,
        parcels=papers.parcels,
        entries=entries.entries,
        tallies=kept,
        counted=people.all.counted,
        findings=tuple(findings.all),
    )


def _check_pages(connection: apsw.Connection, findings: Findings) -> None:
    for name in schema.differences(connection):
        findings.add(f"schema {name}", "is not as this release makes it")
    for (line,) in each_row(connection, "PRAGMA integrity_check"):
        if line != "ok":
            findings.add("pages", line)


class _PaperCheck:
    """Checks documents and the outbox, and counts them into the digest."""

    def __init__(
        self, connection: apsw.Connection, keys: StoreKeys, findings: Findings, digest: State
    ) -> None:
        self.documents = self.parcels = 0
        self.digest = digest
        self._connection = connection
        self._keys = keys
        self._findings = findings

    def check_documents(self) -> None:
        ((total,),) = ask(self._connection, "SELECT count(*) FROM doc")
        for number, collection, *row in each_row(
            self._connection, "SELECT id, collection, key, revision, body FROM doc"
        ):
            key, revision, body = row
            with self._findings.noting(f"document row {number}"):
                documents.opened(self._keys, collection, key, revision, body)
            place = documents.place_of(collection, key, revision)
            self.digest = self.digest.add(documents.counted(place, body))
            self.documents += 1
            self._findings.tell("documents", self.documents, total)

    def check_outbox(self) -> None:
        ((total,),) = ask(self._connection, "SELECT count(*) FROM parcel")
        last: dict[str, int] = {}
        for destination, *row in each_row(
            self._connection,
            "SELECT destination, number, kind, vid, note FROM parcel ORDER BY destination, number",
        ):
            number, kind, vid, note = row
            for missing in range(last.get(destination, 0) + 1, number):
                self._findings.add(f"parcel {missing} for {destination}", "is missing")
            last[destination] = number
            with self._findings.noting(f"parcel {number} for {destination}"):
                outbox.opened(self._keys, destination, number, kind, vid, note)
            place = outbox.place_of(destination, number, kind, vid)
            self.digest = self.digest.add(outbox.counted(place, note))
            self.parcels += 1
            self._findings.tell("outbox", self.parcels, total)
        self._check_acknowledged(last)

    def _check_acknowledged(self, last: dict[str, int]) -> None:
        for (destination,) in ask(self._connection, "SELECT destination FROM ack"):
            with self._findings.noting(f"acknowledgement of {destination}"):
                through = outbox.acknowledged(self._connection, self._keys, destination)
                if through > last.get(destination, 0):
                    self._findings.add(
                        f"acknowledgement of {destination}", "is of more than was sent"
                    )
