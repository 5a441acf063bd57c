"""The seam between residents and bytes: what a storage engine promises.

An engine keeps *persons* (each a chain of sealed versions), *tokens* (by which persons are found),
*documents* (sealed registers), *tallies*, *marks*, an *outbox* and the *ledger*, all changed
together or not at all.

It knows no resident: fields are numbers 1..25 with bytes or None, tokens are integers and blobs.
``tests/storage/conformance.py`` holds every engine to the sentences below.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NewType, Protocol, TypeVar

PersonId = NewType("PersonId", int)
"""A person in this file, 1 upwards; no meaning outside it."""

MOST_VERSIONS = 4095
"""A person's versions are numbered 1 to 4095."""

T = TypeVar("T")
Fields = Mapping[int, bytes | None]


@dataclass(frozen=True, slots=True)
class Token:
    """A keyed digest by which persons are found.

    ``value`` is 12 bytes for an identifier (one person at most, for ever), or an integer for a
    compound of attributes (many persons). ``index`` is the number of the index it belongs to.
    """

    index: int
    value: int | bytes


@dataclass(frozen=True, slots=True)
class VersionId:
    """One version of one person; ``number`` counts from 1."""

    person: PersonId
    number: int


@dataclass(frozen=True, slots=True)
class Record:
    """The fields that were asked for, of one version."""

    version: VersionId
    fields: Fields


@dataclass(frozen=True, slots=True)
class Document:
    """The latest revision of a sealed document; ``revision`` counts from 1."""

    key: bytes
    revision: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message that must leave: the version it tells of, and a sealed note beside it."""

    number: int
    destination: str
    kind: str
    version: VersionId
    note: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry before it has a place; the engine adds index, time and state digest."""

    event: int
    result: int
    body: bytes
    subjects: tuple[PersonId, ...] = ()
    file: bytes | None = None
    """SHA-256 of a file that is handed out; stands in clear (``leaf.Header``)."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A ledger entry opened again."""

    index: int
    at_ms: int
    event: int
    result: int
    body: bytes
    subjects: tuple[PersonId, ...] = ()
    file: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How far a sweep is that brings versions under the newest retention key."""

    looked: int
    """At how many versions it looked just now; fewer than it might have: it is through."""
    moved: int
    """How many of them were under an older key."""
    through: VersionId | None
    """The last version it has looked at; where the next one goes on."""
    persons: int
    """The highest person there is."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A digest of one person, by which two files compare a group of persons (``marks.py``)."""

    group: str
    place: bytes
    digest: bytes
    person: PersonId


class View(Protocol):
    """What was committed when the view began. One thread uses a view."""

    def paused(self) -> AbstractContextManager[None]:
        """Hold nothing open while the block lasts; from then on see the last commit there is then.

        Raises:
            StorageError: it is a unit of work, or over.
        """
        ...

    def identified(self, token: Token) -> PersonId | None:
        """Return who holds this identifier now or ever held it, or None."""
        ...

    def candidates(
        self, tokens: Collection[Token], limit: int, also: Collection[Token] = ()
    ) -> list[PersonId]:
        """Return persons whose latest version has any of these compound tokens.

        Where ``also`` holds any, only those who have one of them too: the time it takes goes by
        how many have ``tokens``. Sorted, without repeats; at most ``limit + 1``, so that the
        caller sees there are more.
        """
        ...

    def latest(self, person: PersonId) -> int:
        """Return the number of the latest version.

        Raises:
            RecordNotFound: there is no such person.
        """
        ...

    def read(self, person: PersonId, fields: Collection[int], number: int = 0) -> Record:
        """Open just these fields of a version; 0 means the latest.

        Raises:
            RecordNotFound: no such person or version.
            Tampered: a cell does not open where it lies.
        """
        ...

    def term(self, version: VersionId) -> int | None:
        """Return the first day (``date.toordinal``) on which a version may be erased, or None."""
        ...

    def expired(self, day: int, limit: int) -> list[VersionId]:
        """Return versions that may be erased on this day, at most ``limit``, first due first."""
        ...

    def due(self, day: int) -> int:
        """Return how many versions may be erased on this day."""
        ...

    def key_years(self) -> tuple[int, ...]:
        """Return the years of the retention keys of current versions; the last one is in use."""
        ...

    def persons(self, after: int, limit: int) -> list[PersonId]:
        """Return up to ``limit`` persons numbered above ``after``, in order."""
        ...

    def tallies(self, prefix: str) -> Mapping[str, int]:
        """Return every tally whose name begins so, by name; one that is nought is not there."""
        ...

    def marks(self, group: str, first: bytes = b"", last: bytes = b"\xff" * 16) -> Iterator[Mark]:
        """Yield the marks of a group with ``first <= place <= last``, in the order of places."""
        ...

    def packed_marks(
        self, group: str, first: bytes = b"", last: bytes = b"\xff" * 16
    ) -> Iterator[bytes]:
        """Yield place and digest of each of these marks side by side, many marks at a time.

        In the order of ``marks``, at a fifth of its cost; a piece holds whole marks only.
        """
        ...

    def document(self, collection: str, key: bytes) -> Document | None:
        """Return the latest revision of a document, or None if there is none."""
        ...

    def documents(
        self, collection: str, prefix: bytes = b"", after: bytes = b""
    ) -> Iterator[Document]:
        """Yield the latest revision of each document whose key begins so, in key order.

        Those up to the key ``after`` are not read; empty: none is left out.
        """
        ...

    def has_documents(self, collection: str) -> bool:
        """Return whether a collection has any document; nothing is opened."""
        ...

    def document_keys(self, collection: str) -> Iterator[bytes]:
        """Yield the key of each document of a collection, in order; nothing is opened."""
        ...

    def revisions(self, collection: str, key: bytes) -> Iterator[Document]:
        """Yield every revision of a document, oldest first."""
        ...

    def parcels(self, destination: str, after: int, limit: int) -> list[Parcel]:
        """Return outbox messages numbered above ``after``, in order, without gaps."""
        ...

    def acknowledged(self, destination: str) -> int:
        """Return the number up to which the destination has everything; 0 at first."""
        ...

    def ledger_size(self) -> int:
        """Return how many entries the ledger has."""
        ...

    def entries(self, start: int, stop: int) -> Iterator[Entered]:
        """Yield opened ledger entries ``start <= index < stop``.

        Raises:
            LedgerBroken: an entry does not open or is missing; names its index.
        """
        ...

    def entries_raw(self, start: int, stop: int) -> Sequence[bytes]:
        """Return ledger entries ``start <= index < stop`` as the tree has them, sealed.

        Raises:
            LedgerBroken: an entry is missing; names its index.
        """
        ...

    def entries_about(self, person: PersonId) -> list[int]:
        """Return the indexes of all entries that have this person as a subject."""
        ...

    def leaf_hashes(self, start: int, stop: int) -> list[bytes]:
        """Return the RFC 6962 leaf hashes ``start <= index < stop``."""
        ...

    def tile_hashes(self, level: int, n: int, width: int) -> list[bytes]:
        """Return the first ``width`` hashes of tile ``n`` of a level (``merkle.TileReader``).

        Raises:
            LedgerBroken: they are not there.
        """
        ...

    def checkpoint(self) -> str:
        """Return the signed checkpoint of what this view sees (C2SP tlog-checkpoint)."""
        ...


class Unit(View, Protocol):
    """A unit of work: sees its own changes; commits whole or leaves nothing."""

    def admit(self) -> PersonId:
        """Return a new person, who must be saved in this unit."""
        ...

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

        Identifier tokens are never lost: who once held a number is known for ever.

        Raises:
            StaleRevision: the latest version is not ``seen``.
            Tampered: an identifier token belongs to somebody else.
        """
        ...

    def retain(self, version: VersionId, until: int) -> None:
        """Keep a version until the day before ``until`` and no longer; a term is never changed.

        Raises:
            RecordNotFound: there is no such version, or it is erased.
            WrongKey: there is no retention key for that year.
        """
        ...

    def erase(self, version: VersionId, lost: Iterable[Token] = ()) -> None:
        """Take away all that a version says, and tokens that no other version of its person has.

        Raises:
            RecordNotFound: there is no such version, or it is erased already.
        """
        ...

    def rewrap(self, after: VersionId | None, limit: int) -> Rewrapped:
        """Bring versions that have no term under the newest retention key; nothing else changes.

        Args:
            after: go on behind this version, in the engine's order; None: begin.
            limit: at how many versions to look.

        Raises:
            Tampered: a version's row secret does not open where it lies.
        """
        ...

    def tally(self, name: str, by: int) -> None:
        """Change a tally; ``name`` must tell of nobody."""
        ...

    def mark(self, mark: Mark) -> None:
        """Set the mark of a place of a group."""
        ...

    def unmark(self, group: str, place: bytes) -> None:
        """Take the mark of a place away; nothing happens if there is none."""
        ...

    def put_document(self, collection: str, key: bytes, body: bytes) -> int:
        """Seal a new revision of a document; return its number. Older ones stay."""
        ...

    def drop_document(self, collection: str, key: bytes) -> None:
        """Remove a document with all its revisions; nothing happens if there is none."""
        ...

    def send(self, destination: str, kind: str, version: VersionId, note: bytes = b"") -> int:
        """Put a message into the outbox; return its number, one above the last."""
        ...

    def acknowledge(self, destination: str, through: int) -> None:
        """Remember that the destination has everything up to this number; never goes back."""
        ...

    def enter(self, entry: Entry) -> int:
        """Append to the ledger; return the index. It is true once the unit is committed."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Undo what was done inside the block if the block raises; the unit goes on."""
        ...


class Engine(Protocol):
    """One store. All methods may be called from any thread at once."""

    def view(self) -> AbstractContextManager[View]:
        """Yield the last commit, unchanging until the block ends; never waits for the writer."""
        ...

    def write(self, work: Callable[[Unit], T], *, seconds: float = 30.0) -> T:
        """Run ``work`` on the writer thread and return its answer once it is on disk.

        Waiting units share one commit, each undone by itself if it raises.

        Raises:
            OutcomeUnknown: the disk failed during the commit; the engine takes nothing more.
            DeadlineExceeded, DiskFull: undone. Whatever ``work`` raises: undone, raised here.
        """
        ...

    def checkpoint(self) -> str:
        """Return the signed checkpoint of the last commit (C2SP tlog-checkpoint)."""
        ...

    def close(self) -> None:
        """Finish waiting units, close the file, release the lock."""
        ...
