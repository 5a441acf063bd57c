"""Very many persons brought into a file at once, by a process that has it alone.

In units of tens of thousands. What a unit writes is whole: versions, identifiers, marks, messages,
tallies, documents and entries of the ledger, and the file stands where its last entry says. Only
the postings wait, packed and in the order of arrival, in the table ``staged``: put in where they
belong one by one, each would take a page of its own. After the last unit they are sorted, slice by
slice, and put in in the order of their table.

As long as ``staged`` is there nobody else opens the file (``LoadUnfinished``), for not everybody
would be found in it. A load that was killed is begun again, and goes on behind its last unit.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import apsw

from storage import ledger, outbox, records, schema, tallies
from storage.connection import abandon, ask, ask_many, carry_wal, open_writer
from storage.engine import PersonId, Token, VersionId
from storage.errors import StorageError
from storage.keyring import KeyRing
from storage.keys import StoreKeys
from storage.lock import FolderLock
from storage.lthash import State
from storage.marks import MarkRow
from storage.note import sign_checkpoint
from storage.sealing import PERSON_BITS, Sealed, index_of
from storage.unit import Heads, WriteUnit
from storage.vault import FILE_NAME, verify_heads

Progress = Callable[[int, int], None]
"""Is told how many slices are done, and how many there are."""

FOREVER = float("inf")
_PERSON = (1 << PERSON_BITS) - 1


class BulkUnit(WriteUnit):
    """A unit of work that also takes persons who were sealed elsewhere."""

    def __init__(
        self,
        connection: apsw.Connection,
        keys: StoreKeys,
        heads: Heads,
        *,
        clock_ms: Callable[[], int],
        part: int,
    ) -> None:
        super().__init__(connection, keys, heads, clock_ms=clock_ms, seconds_left=lambda: FOREVER)
        self._part = part
        self._claimed: dict[tuple[int, bytes], int] = {}
        self._marks: list[MarkRow] = []
        self._staged: dict[int, bytearray] = {}
        self._first = not ask(connection, "SELECT 1 FROM ident LIMIT 1")

    @property
    def following(self) -> PersonId:
        """The person who comes next."""
        return PersonId(self.heads.person + 1)

    def is_claimed(self, index: int, value: bytes) -> bool:
        """Return whether an identifier is somebody's, in the file or in this unit."""
        if (index, value) in self._claimed:
            return True
        return not self._first and self.identified(Token(index, value)) is not None

    def claim(self, index: int, value: bytes, person: PersonId) -> None:
        """Give an identifier that is nobody's to a person who is brought in this unit."""
        self._claimed[index, value] = person

    def bring(self, sealed: Sealed, marks: Iterable[MarkRow]) -> None:
        """Write persons in the order of their numbers, the first of them ``following``.

        Raises:
            StorageError: somebody else comes next.
        """
        if not sealed.rows:
            return
        first, last = (
            records.version_at(row[0]).person for row in (sealed.rows[0], sealed.rows[-1])
        )
        if first != self.following or last - first + 1 != len(sealed.rows):
            raise StorageError(f"person {self.following} comes next, not {first}")
        ask_many(
            self._connection,
            "INSERT INTO ver (vid, hdr, wrap, rsc, seal, cells) VALUES (?, ?, ?, ?, ?, ?)",
            sealed.rows,
        )
        self._marks += marks
        for where, packed in sealed.postings.items():
            self._staged.setdefault(where, bytearray()).extend(packed)
        digest = self.heads.digest.joined(sealed.digest)
        self.heads = self.heads._replace(person=last, digest=digest)

    def send_all(self, messages: Iterable[tuple[str, str, int, bytes]]) -> None:
        """Put messages about first versions into the outbox, numbered on from the last."""
        last, digest = dict(self.heads.parcels), State()
        rows = []
        for destination, kind, person, note in messages:
            last[destination] = number = last.get(destination, 0) + 1
            about = VersionId(PersonId(person), 1)
            row, element = outbox.made(self._keys, number, destination, kind, about, note)
            rows.append(row)
            digest = digest.add(element)
        outbox.write(self._connection, rows)
        self.heads = self.heads._replace(parcels=last, digest=self.heads.digest.joined(digest))

    def tally_all(self, moved: Mapping[str, int]) -> None:
        """Change many tallies."""
        tallies.add_all(self._ready(), moved)

    def finish(self) -> None:
        """Write what is still to be written, each table in its order."""
        connection = self._ready()
        claimed = sorted((*identifier, who) for identifier, who in self._claimed.items())
        ask_many(connection, "INSERT INTO ident (idx, token, person) VALUES (?, ?, ?)", claimed)
        ask_many(
            connection,
            "INSERT INTO mark (name, place, digest, person) VALUES (?, ?, ?, ?)",
            sorted(self._marks),
        )
        ask_many(
            connection,
            "INSERT INTO staged (slice, part, postings) VALUES (?, ?, ?)",
            [(where, self._part, bytes(packed)) for where, packed in self._staged.items()],
        )
        super().finish()


class Bulk:
    """A file that one process has alone, to bring persons in."""

    def __init__(
        self, connection: apsw.Connection, keys: StoreKeys, clock_ms: Callable[[], int]
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._clock_ms = clock_ms
        self._heads = Heads.of(connection)
        self._part = 0

    @contextmanager
    def unit(self) -> Iterator[BulkUnit]:
        """Yield a unit of work; it is on disk when the block ends, or nothing of it if it raises.

        Raises:
            OutcomeUnknown, DiskFull, StorageError: the disk failed; load again.
        """
        connection = self._connection
        ask(connection, "BEGIN IMMEDIATE")
        try:
            schema.begin_staging(connection)
            self._part += 1
            unit = BulkUnit(
                connection, self._keys, self._heads, clock_ms=self._clock_ms, part=self._part
            )
            yield unit
            unit.finish()
            self._conclude(unit.heads)
            ask(connection, "COMMIT")
        except BaseException:
            if connection.in_transaction:
                ask(connection, "ROLLBACK")
            raise
        self._heads = unit.heads
        carry_wal(connection)

    def post(self, progress: Progress = lambda done, total: None) -> None:
        """Put all staged postings where they belong; from then on the file is whole."""
        connection = self._connection
        if not schema.is_staging(connection):
            return
        slices = [at for (at,) in ask(connection, "SELECT DISTINCT slice FROM staged ORDER BY 1")]
        rows = ask(connection, "SELECT slice, rowid FROM staged ORDER BY slice, rowid")
        lying: dict[int, list[int]] = {}
        for where, rowid in rows:
            lying.setdefault(where, []).append(rowid)
        for done, where in enumerate(slices):
            progress(done, len(slices))
            # A slice that was put in by a load that was killed then is put in again.
            self._post(where, lying[where])
        schema.end_staging(connection)
        carry_wal(connection)
        progress(len(slices), len(slices))

    def _post(self, where: int, rowids: Iterable[int]) -> None:
        connection = self._connection
        read = "SELECT postings FROM staged WHERE rowid = ?"
        packed = b"".join(ask(connection, read, (rowid,))[0][0] for rowid in rowids)
        ask(
            connection,
            "INSERT OR IGNORE INTO tok (token, person) "
            "SELECT ?2 | (value >> ?3), value & ?4 FROM carray(?1) ORDER BY value",
            (_as_integers(packed), index_of(where), PERSON_BITS, _PERSON),
        )

    def _conclude(self, heads: Heads) -> None:
        checkpoint = sign_checkpoint(self._keys.signer, heads.frontier.size, heads.frontier.root())
        ledger.write_state(self._connection, "checkpoint", checkpoint.encode())
        ledger.write_state(self._connection, "digest", heads.digest.to_bytes())


@contextmanager
def open_bulk(
    folder: Path, ring: KeyRing, *, origin: str, clock_ms: Callable[[], int]
) -> Iterator[Bulk]:
    """Yield the store of a folder to bring persons in; whether a load was stopped in it or not.

    Raises:
        StoreInUse, WrongKey, Tampered, LedgerBroken, StorageError: as ``open_vault``.
    """
    keys = StoreKeys.of(ring, origin)
    lock = FolderLock.take(folder)
    try:
        connection = open_writer(folder / FILE_NAME, keys.page)
        try:
            schema.bring_forward(connection)
            carry_wal(connection)
            verify_heads(connection, keys)
            yield Bulk(connection, keys, clock_ms)
        except BaseException:
            abandon(connection)
            raise
        connection.close()
    finally:
        lock.release()


def _as_integers(packed: bytes) -> object:
    return apsw.carray(memoryview(packed).cast("q"))
