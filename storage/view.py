"""What was committed at one moment, opened on request: the reading half of the engine."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import apsw

from storage import documents, ledger, marks, outbox, records, retention, tallies, terms
from storage.cells import OpenVersion
from storage.connection import ask
from storage.engine import (
    Document,
    Entered,
    Mark,
    Parcel,
    PersonId,
    Record,
    Token,
    VersionId,
)
from storage.errors import RecordNotFound, StorageError
from storage.keys import StoreKeys

Item = TypeVar("Item")

_MOST_FOUND = 64
"""Versions that a view keeps unwrapped: one request asks several times for few."""


def begin(connection: apsw.Connection) -> None:
    """Begin a transaction that sees the last commit."""
    ask(connection, "BEGIN")
    # It does so as of its first reading.
    ask(connection, "SELECT 1 FROM state LIMIT 1")


class Snapshot:
    """A view (``storage.engine.View``) over a connection that is inside a transaction."""

    def __init__(self, connection: apsw.Connection, keys: StoreKeys) -> None:
        self._connection = connection
        self._keys = keys
        self._over = False
        self._found: dict[tuple[int, int], tuple[VersionId, OpenVersion]] = {}

    def end(self) -> None:
        """Answer nothing any more: the transaction is over."""
        self._over = True
        self._found.clear()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hold nothing open while the block lasts; from then on see the last commit there is then.

        Raises:
            StorageError: it is a unit of work, or over.
        """
        connection = self._ready()
        ask(connection, "COMMIT")
        self.end()
        try:
            yield
        finally:
            begin(connection)
            self._over = False

    def identified(self, token: Token) -> PersonId | None:
        """Return who holds this identifier now or ever held it, or None."""
        return terms.holder(self._ready(), token)

    def candidates(
        self, tokens: Collection[Token], limit: int, also: Collection[Token] = ()
    ) -> list[PersonId]:
        """Return persons whose latest version has any of these tokens, and any of ``also``."""
        return terms.candidates(self._ready(), tokens, limit, also)

    def latest(self, person: PersonId) -> int:
        """Return the number of the latest version.

        Raises:
            RecordNotFound: there is no such person.
        """
        connection = self._ready()
        if (found := self._found.get((person, 0))) is not None:
            return found[0].number
        number, _ = records.head(connection, person)
        if number == 0:
            raise RecordNotFound(f"there is no person {person}")
        return number

    def read(self, person: PersonId, fields: Collection[int], number: int = 0) -> Record:
        """Open just these fields of a version; 0 means the latest.

        Raises:
            RecordNotFound: no such person or version.
            Tampered: a cell does not open where it lies.
        """
        connection, asked = self._ready(), (person, number)
        if asked not in self._found:
            if len(self._found) == _MOST_FOUND:
                self._found.clear()
            self._found[asked] = records.find(connection, self._keys, person, number)
        version, found = self._found[asked]
        return Record(version, found.cells(fields))

    def document(self, collection: str, key: bytes) -> Document | None:
        """Return the latest revision of a document, or None if there is none."""
        return documents.latest(self._ready(), self._keys, collection, key)

    def term(self, version: VersionId) -> int | None:
        """Return the first day (``date.toordinal``) on which a version may be erased, or None."""
        return retention.term(self._ready(), version)

    def expired(self, day: int, limit: int) -> list[VersionId]:
        """Return versions that may be erased on this day, at most ``limit``, first due first."""
        return retention.expired(self._ready(), day, limit)

    def due(self, day: int) -> int:
        """Return how many versions may be erased on this day."""
        return retention.due(self._ready(), day)

    def key_years(self) -> tuple[int, ...]:
        """Return the years of the retention keys of current versions; the last one is in use."""
        self._ready()
        return self._keys.years

    def persons(self, after: int, limit: int) -> list[PersonId]:
        """Return up to ``limit`` persons numbered above ``after``, in order."""
        return records.persons(self._ready(), after, limit)

    def tallies(self, prefix: str) -> Mapping[str, int]:
        """Return every tally whose name begins so, by name; one that is nought is not there."""
        return tallies.read(self._ready(), prefix)

    def marks(self, group: str, first: bytes = b"", last: bytes = b"\xff" * 16) -> Iterator[Mark]:
        """Yield the marks of a group with ``first <= place <= last``, in the order of places."""
        return self._while_ready(marks.each(self._ready(), group, first, last))

    def packed_marks(
        self, group: str, first: bytes = b"", last: bytes = b"\xff" * 16
    ) -> Iterator[bytes]:
        """Yield place and digest of each of these marks side by side, many marks at a time."""
        return self._while_ready(marks.packed(self._ready(), group, first, last))

    def documents(
        self, collection: str, prefix: bytes = b"", after: bytes = b""
    ) -> Iterator[Document]:
        """Yield the latest revision of each document whose key begins so, in key order.

        Those up to the key ``after`` are not read; empty: none is left out.
        """
        found = documents.each(self._ready(), self._keys, collection, prefix, after)
        return self._while_ready(found)

    def document_keys(self, collection: str) -> Iterator[bytes]:
        """Yield the key of each document of a collection, in order; nothing is opened."""
        return self._while_ready(documents.each_key(self._ready(), collection))

    def has_documents(self, collection: str) -> bool:
        """Return whether a collection has any document; nothing is opened."""
        return documents.any_there(self._ready(), collection)

    def revisions(self, collection: str, key: bytes) -> Iterator[Document]:
        """Yield every revision of a document, oldest first."""
        return self._while_ready(documents.revisions(self._ready(), self._keys, collection, key))

    def parcels(self, destination: str, after: int, limit: int) -> list[Parcel]:
        """Return outbox messages numbered above ``after``, in order, without gaps."""
        return outbox.parcels(self._ready(), self._keys, destination, after, limit)

    def acknowledged(self, destination: str) -> int:
        """Return the number up to which the destination has everything; 0 at first."""
        return outbox.acknowledged(self._ready(), self._keys, destination)

    def ledger_size(self) -> int:
        """Return how many entries the ledger has."""
        return ledger.size(self._ledger())

    def entries(self, start: int, stop: int) -> Iterator[Entered]:
        """Yield opened ledger entries ``start <= index < stop``.

        Raises:
            LedgerBroken: an entry does not open or is missing; names its index.
        """
        return self._while_ready(ledger.entries(self._ledger(), self._keys, start, stop))

    def entries_about(self, person: PersonId) -> list[int]:
        """Return the indexes of all entries that have this person as a subject."""
        return ledger.about(self._ledger(), self._keys, person)

    def leaf_hashes(self, start: int, stop: int) -> list[bytes]:
        """Return the RFC 6962 leaf hashes ``start <= index < stop``."""
        return ledger.leaf_hashes(self._ledger(), start, stop)

    def tile_hashes(self, level: int, n: int, width: int) -> list[bytes]:
        """Return the first ``width`` hashes of tile ``n`` of a level (``merkle.TileReader``).

        Raises:
            LedgerBroken: they are not there.
        """
        return ledger.tile_hashes(self._ledger(), level, n, width)

    def entries_raw(self, start: int, stop: int) -> list[bytes]:
        """Return ledger entries as they are hashed (``tiles.LogSource``)."""
        return list(ledger.raw_entries(self._ledger(), start, stop))

    def checkpoint(self) -> str:
        """Return the signed checkpoint of what this view sees (C2SP tlog-checkpoint)."""
        return ledger.checkpoint(self._ready())

    def made_ms(self) -> int:
        """Return when the store was made, in milliseconds since 1970."""
        return int.from_bytes(ledger.read_state(self._ready(), "made"), "little")

    def _ready(self) -> apsw.Connection:
        """Return the connection while it may be used.

        Raises:
            StorageError: the view is over.
        """
        if self._over:
            raise StorageError("the view is over")
        return self._connection

    def _ledger(self) -> apsw.Connection:
        """Return the connection for reading the ledger; a unit seals its entries first."""
        return self._ready()

    def _while_ready(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            self._ready()
            yield item
