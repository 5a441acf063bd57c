"""A unit of work: the writing half of the engine.

What the next change is put on top of (``Heads``) is one immutable value: undoing is taking the
older value back.  Postings are collected and written in the order of their table.  Ledger entries
are numbered at once and sealed when the unit ends, with the digest over the file as it is then.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, NoReturn, Self

import apsw

from storage import documents, ledger, marks, outbox, records, retention, rewrapping, tallies, terms
from storage.cells import NO_SEAL, seal_version
from storage.connection import ask
from storage.engine import MOST_VERSIONS, Entry, Fields, Mark, PersonId, Rewrapped, Token, VersionId
from storage.errors import DeadlineExceeded, RecordNotFound, StaleRevision, StorageError
from storage.keys import StoreKeys
from storage.lthash import State
from storage.merkle import Frontier
from storage.view import Snapshot


class Heads(NamedTuple):
    """Where the file stands.

    ``digest`` is over versions, documents and parcels; ``parcels`` has the last number sent to
    each destination.
    """

    person: int
    frontier: Frontier
    digest: State
    parcels: Mapping[str, int]

    @classmethod
    def of(cls, connection: apsw.Connection) -> Self:
        """Read where a file stands.

        Raises:
            LedgerBroken: a part of the ledger is missing.
        """
        return cls(
            records.last_person(connection),
            ledger.frontier(connection),
            ledger.digest(connection),
            outbox.last_numbers(connection),
        )


class WriteUnit(Snapshot):
    """A unit (``storage.engine.Unit``) over the writer's connection, inside a transaction."""

    def __init__(
        self,
        connection: apsw.Connection,
        keys: StoreKeys,
        heads: Heads,
        *,
        clock_ms: Callable[[], int],
        seconds_left: Callable[[], float],
    ) -> None:
        super().__init__(connection, keys)
        self.heads = heads
        self._clock_ms = clock_ms
        self._seconds_left = seconds_left
        self._logged = heads.digest
        self._entries: list[tuple[Entry, bytes]] = []
        self._gained: set[terms.Posting] = set()
        self._lost: set[terms.Posting] = set()
        self._unsaved: set[int] = set()
        self._saved: dict[int, tuple[int, bytes]] = {}
        self._whole = True
        self._begun = False
        self._sealed = False

    def paused(self) -> NoReturn:
        """Refuse: while a unit waited, so would everybody who wants to write.

        Raises:
            StorageError: always.
        """
        raise StorageError("a unit of work does not wait for others")

    def admit(self) -> PersonId:
        """Return a new person, who must be saved in this unit."""
        self._ready()
        person = self.heads.person + 1
        self.heads = self.heads._replace(person=person)
        self._unsaved.add(person)
        return PersonId(person)

    def save(
        self,
        person: PersonId,
        fields: Fields,
        *,
        seen: int,
        gained: Iterable[Token] = (),
        lost: Iterable[Token] = (),
    ) -> VersionId:
        """Seal a new version on top of version ``seen`` (0 for a new person); move the tokens.

        Raises:
            RecordNotFound: the person was not admitted.
            StaleRevision: the latest version is not ``seen``.
            Tampered: an identifier token belongs to somebody else.
        """
        connection = self._ready()
        number, seal = self._head(connection, person)
        if number != seen:
            raise StaleRevision(f"version {number} of person {person} is the latest, not {seen}")
        if number == MOST_VERSIONS:
            raise StorageError(f"person {person} has all the versions there can be")
        keys, vid = self._keys, records.vid_of(person, seen + 1)
        place = records.place_of(keys.installation, vid)
        sealed = seal_version(place, fields, keys.fields, keys.kek, keys.seal, seal)
        try:
            self._move(connection, person, gained, lost)
            records.append(connection, vid, sealed)
        except BaseException:
            self._whole = False
            raise
        self._found.clear()
        self._count(records.counted(vid, sealed.seal))
        self._unsaved.discard(person)
        self._saved[person] = (seen + 1, sealed.seal)
        return VersionId(person, seen + 1)

    def retain(self, version: VersionId, until: int) -> None:
        """Keep a version until the day before ``until`` and no longer; a term is never changed.

        Raises:
            RecordNotFound: there is no such version, or it is erased.
            WrongKey: there is no retention key for that year.
        """
        retention.retain(self._ready(), self._keys, version, until)
        self._found.clear()

    def erase(self, version: VersionId, lost: Iterable[Token] = ()) -> None:
        """Take away all that a version says, and tokens that no other version of its person has.

        Raises:
            RecordNotFound: there is no such version, or it is erased already.
        """
        connection = self._ready()
        before, after = retention.erase(connection, version)
        self._found.clear()
        for token in lost:
            if isinstance(token.value, bytes):
                terms.release(connection, token, version.person)
            else:
                self._lost.add((terms.packed(token), version.person))
        self.heads = self.heads._replace(digest=self.heads.digest.remove(before).add(after))

    def rewrap(self, after: VersionId | None, limit: int) -> Rewrapped:
        """Bring versions that have no term under the newest retention key; nothing else changes.

        Raises:
            Tampered: a version's row secret does not open where it lies.
        """
        return rewrapping.sweep(self._ready(), self._keys, after, limit)

    def tally(self, name: str, by: int) -> None:
        """Change a tally; ``name`` must tell of nobody."""
        tallies.add(self._ready(), name, by)

    def mark(self, mark: Mark) -> None:
        """Set the mark of a place of a group."""
        marks.put(self._ready(), mark)

    def unmark(self, group: str, place: bytes) -> None:
        """Take the mark of a place away; nothing happens if there is none."""
        marks.drop(self._ready(), group, place)

    def put_document(self, collection: str, key: bytes, body: bytes) -> int:
        """Seal a new revision of a document; return its number. Older ones stay."""
        revision, element = documents.put(self._ready(), self._keys, collection, key, body)
        self._count(element)
        return revision

    def drop_document(self, collection: str, key: bytes) -> None:
        """Remove a document with all its revisions; nothing happens if there is none."""
        for element in documents.drop(self._ready(), collection, key):
            self.heads = self.heads._replace(digest=self.heads.digest.remove(element))

    def send(self, destination: str, kind: str, version: VersionId, note: bytes = b"") -> int:
        """Put a message into the outbox; return its number, one above the last."""
        connection = self._ready()
        number = self.heads.parcels.get(destination, 0) + 1
        element = outbox.send(connection, self._keys, number, destination, kind, version, note)
        self.heads = self.heads._replace(parcels={**self.heads.parcels, destination: number})
        self._count(element)
        return number

    def acknowledge(self, destination: str, through: int) -> None:
        """Remember that the destination has everything up to this number; never goes back.

        Raises:
            ValueError: nothing of this number was sent there.
        """
        connection = self._ready()
        if through > self.heads.parcels.get(destination, 0):
            raise ValueError(f"{destination} acknowledges parcel {through}, which was not sent")
        if through > outbox.acknowledged(connection, self._keys, destination):
            outbox.acknowledge(connection, self._keys, destination, through)

    def enter(self, entry: Entry) -> int:
        """Append to the ledger; return the index. It is true once the unit is committed.

        Raises:
            ValueError: the entry is too long.
        """
        self._usable()
        self._entries.append((entry, ledger.framed(entry)))
        return self.heads.frontier.size + len(self._entries) - 1

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what was done inside the block if the block raises; the unit goes on."""
        connection = self._ready()
        self._post()
        kept = self.heads, self._logged, list(self._entries), set(self._unsaved), self._whole
        ask(connection, "SAVEPOINT item")
        try:
            yield
            self._post()
        except BaseException:
            self.heads, self._logged, self._entries, self._unsaved, self._whole = kept
            self._gained, self._lost, self._saved = set(), set(), {}
            self._found.clear()
            # After some failures of the disk SQLite has undone the whole transaction already.
            if connection.in_transaction:
                ask(connection, "ROLLBACK TO item")
                ask(connection, "RELEASE item")
            raise
        ask(connection, "RELEASE item")

    def finish(self) -> None:
        """Write what is still to be written; the unit is then whole and over.

        Raises:
            StorageError: a person was admitted and not saved, a version was saved by half, or
                something was changed and nothing entered in the ledger.
        """
        self._usable()
        if not self._whole:
            raise StorageError("a version could not be saved, and the unit passed over it")
        if self._unsaved:
            raise StorageError(f"person {min(self._unsaved)} was admitted and not saved")
        self._post()
        self._seal_entries()
        if self.heads.digest != self._logged:
            raise StorageError("the unit changed the file and entered nothing in the ledger")
        if self._begun:
            ask(self._connection, "RELEASE unit")
        self.end()

    def undo(self) -> bool:
        """Undo the unit; return False if only undoing the whole transaction does."""
        if self._begun:
            ask(self._connection, "ROLLBACK TO unit")
            ask(self._connection, "RELEASE unit")
        return self._begun or not self._sealed

    def candidates(
        self, tokens: Collection[Token], limit: int, also: Collection[Token] = ()
    ) -> list[PersonId]:
        """Return persons whose latest version has any of these tokens, and any of ``also``."""
        self._ready()
        self._post()
        return super().candidates(tokens, limit, also)

    def checkpoint(self) -> str:
        """Return the signed checkpoint of the last commit.

        Nothing is ever signed that could still be undone.
        """
        return super().checkpoint()

    def _ready(self) -> apsw.Connection:
        """Return the connection while the unit may use it, inside the savepoint of the unit.

        Most units enter what was read and do nothing else; they need none.

        Raises:
            StorageError: the unit is over, or the disk failed under it.
            DeadlineExceeded: its time is up.
        """
        connection = self._usable()
        if not self._begun:
            ask(connection, "SAVEPOINT unit")
            self._begun = True
        return connection

    def _usable(self) -> apsw.Connection:
        connection = super()._ready()
        if not connection.in_transaction:
            raise StorageError("the disk failed and the unit was undone")
        if self._seconds_left() <= 0:
            raise DeadlineExceeded("the unit of work took longer than it was given")
        return connection

    def _ledger(self) -> apsw.Connection:
        connection = self._ready()
        self._seal_entries()
        return connection

    def _head(self, connection: apsw.Connection, person: int) -> tuple[int, bytes]:
        if person in self._unsaved:
            return 0, NO_SEAL
        if person not in self._saved:
            head = records.head(connection, person)
            if head[0] == 0:
                raise RecordNotFound(f"person {person} was not admitted")
            self._saved[person] = head
        return self._saved[person]

    def _move(
        self,
        connection: apsw.Connection,
        person: int,
        gained: Iterable[Token],
        lost: Iterable[Token],
    ) -> None:
        """Claim identifiers at once; collect the postings to come and to go."""
        for token in lost:
            if not isinstance(token.value, bytes):
                posting = terms.packed(token), person
                self._gained.discard(posting)
                self._lost.add(posting)
        for token in gained:
            if isinstance(token.value, bytes):
                terms.claim(connection, token, person)
            else:
                posting = terms.packed(token), person
                self._lost.discard(posting)
                self._gained.add(posting)

    def _count(self, element: bytes) -> None:
        self.heads = self.heads._replace(digest=self.heads.digest.add(element))

    def _post(self) -> None:
        if self._gained or self._lost:
            terms.post(self._connection, self._gained, self._lost)
            self._gained, self._lost = set(), set()

    def _seal_entries(self) -> None:
        if self._entries:
            entries, self._entries = self._entries, []
            self._sealed = True
            frontier = ledger.append(
                self._connection,
                self._keys,
                self.heads.frontier,
                entries,
                self._clock_ms(),
                self.heads.digest.digest(),
            )
            self.heads = self.heads._replace(frontier=frontier)
            self._logged = self.heads.digest
