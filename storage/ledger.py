"""The ledger in tables: ``leaf``, ``tile_root``, ``subj`` and ``state``; added to, never changed.

    body of a leaf    u16 n | n x u64 person, ascending | body of the entry
    state.checkpoint  the signed note over the whole tree (note.py)
    state.digest      the digest over versions, documents and parcels (lthash.py), 2,048 bytes
    state.made        u64: when the store was made, in milliseconds since 1970

Every leaf carries the digest as it is when its unit ends.  So the last leaf says what the file
must hold, and opening the store compares the two.  The subjects stand in the sealed body as well as
in ``subj``, so that a row taken out of ``subj`` is missed.
"""

from collections.abc import Iterator, Sequence

import apsw

from storage.connection import ask, ask_many
from storage.engine import Entered, Entry, PersonId
from storage.errors import LedgerBroken
from storage.keys import StoreKeys
from storage.leaf import LARGEST_BODY, Header, open_leaf, seal_leaf, subject_token
from storage.lthash import State
from storage.merkle import TILE_WIDTH, Frontier, Tree, leaf_hash

_READ_AT_ONCE = 256


def framed(entry: Entry) -> bytes:
    """Return what is sealed of an entry: whom it is about, and its body.

    Raises:
        ValueError: it is too long for one entry.
    """
    subjects = sorted(set(entry.subjects))
    numbers = b"".join(person.to_bytes(8, "little") for person in subjects)
    if len(numbers) + len(entry.body) + 2 > LARGEST_BODY:
        raise ValueError("the entry is too long; it has to be several")
    return len(subjects).to_bytes(2, "little") + numbers + entry.body


def unframed(body: bytes) -> tuple[list[int], bytes]:
    """Return the persons an opened body is about, and the body of the entry.

    Raises:
        LedgerBroken: it is cut.
    """
    stop = 2 + 8 * int.from_bytes(body[:2], "little")
    if len(body) < stop:
        raise LedgerBroken("the body of an entry is cut")
    persons = [int.from_bytes(body[start : start + 8], "little") for start in range(2, stop, 8)]
    return persons, body[stop:]


def append(
    connection: apsw.Connection,
    keys: StoreKeys,
    frontier: Frontier,
    entries: Sequence[tuple[Entry, bytes]],
    at_ms: int,
    digest: bytes,
) -> Frontier:
    """Write entries at the end; return the frontier with them in it.

    Args:
        connection: inside a transaction.
        keys: the store's keys.
        frontier: the tree so far.
        entries: what to enter, in order, each with what ``framed`` gave for it.
        at_ms: the time, in milliseconds since 1970.
        digest: the digest over the file after the unit.
    """
    leaves: list[tuple[int, bytes, bytes]] = []
    roots: list[tuple[int, int, bytes]] = []
    subjects: list[tuple[bytes, int]] = []
    for entry, body in entries:
        index = frontier.size
        event, result = int(entry.event), int(entry.result)
        header = Header(index, at_ms, event, result, keys.epoch, digest, entry.file)
        sealed = seal_leaf(header, body, keys.bodies[keys.epoch], keys.origin)
        hashed = leaf_hash(sealed)
        frontier, completed = frontier.grow(hashed)
        leaves.append((index, sealed, hashed))
        roots.extend(completed)
        subjects.extend(
            (token, index) for token in subject_tokens(keys, keys.epoch, entry.subjects)
        )
    ask_many(connection, "INSERT INTO leaf (idx, entry, hash) VALUES (?, ?, ?)", leaves)
    if roots:
        ask_many(connection, "INSERT INTO tile_root (level, n, hash) VALUES (?, ?, ?)", roots)
    if subjects:
        ask_many(connection, "INSERT INTO subj (token, idx) VALUES (?, ?)", subjects)
    return frontier


def subject_tokens(keys: StoreKeys, epoch: int, persons: Sequence[int]) -> list[bytes]:
    """Return the tokens an entry of an epoch is found by, one for each person.

    Raises:
        LedgerBroken: the key of the epoch is not held.
    """
    if epoch not in keys.subjects:
        raise LedgerBroken(f"the key of subjects of {epoch} is not held")
    return [subject_token(keys.subjects[epoch], person) for person in set(persons)]


def size(connection: apsw.Connection) -> int:
    """Return how many entries there are."""
    ((last,),) = ask(connection, "SELECT coalesce(max(idx), -1) FROM leaf")
    return int(last) + 1


def entries(
    connection: apsw.Connection, keys: StoreKeys, start: int, stop: int
) -> Iterator[Entered]:
    """Yield opened entries ``start <= index < stop``.

    Raises:
        LedgerBroken: one is missing or does not open; names its index.
    """
    for index, entry in enumerate(raw_entries(connection, start, stop), start=max(start, 0)):
        header, body = open_leaf(entry, keys.bodies, keys.origin)
        if header.index != index:
            raise LedgerBroken(f"entry {index} is not where it was written")
        persons, entered = unframed(body)
        subjects = tuple(map(PersonId, persons))
        clear = (header.at_ms, header.event, header.result)
        yield Entered(index, *clear, entered, subjects, header.file)


def raw_entries(connection: apsw.Connection, start: int, stop: int) -> Iterator[bytes]:
    """Yield entries as the tree has them, ``start <= index < stop``, up to the last there is.

    Raises:
        LedgerBroken: one is missing; names its index.
    """
    start, stop = max(start, 0), min(stop, size(connection))
    for first in range(start, stop, _READ_AT_ONCE):
        last = min(first + _READ_AT_ONCE, stop)
        rows = ask(
            connection,
            "SELECT idx, entry FROM leaf WHERE idx >= ? AND idx < ? ORDER BY idx",
            (first, last),
        )
        for expected, (index, entry) in enumerate(rows, start=first):
            if index != expected:
                raise LedgerBroken(f"entry {expected} is missing")
            yield entry


def about(connection: apsw.Connection, keys: StoreKeys, person: int) -> list[int]:
    """Return the indexes of all entries about a person, ascending."""
    found: list[int] = []
    for epoch in keys.subjects:
        (token,) = subject_tokens(keys, epoch, (person,))
        rows = ask(connection, "SELECT idx FROM subj WHERE token = ?", (token,))
        found.extend(index for (index,) in rows)
    return sorted(found)


def is_about(connection: apsw.Connection, token: bytes, index: int) -> bool:
    """Return whether an entry is found by a subject token."""
    return bool(ask(connection, "SELECT 1 FROM subj WHERE token = ? AND idx = ?", (token, index)))


def leaf_hashes(connection: apsw.Connection, start: int, stop: int) -> list[bytes]:
    """Return the leaf hashes ``start <= index < stop``, up to the last there is."""
    rows = ask(
        connection, "SELECT hash FROM leaf WHERE idx >= ? AND idx < ? ORDER BY idx", (start, stop)
    )
    return [hashed for (hashed,) in rows]


def tile_hashes(connection: apsw.Connection, level: int, n: int, width: int) -> list[bytes]:
    """Return the first ``width`` hashes of a tile.

    Raises:
        LedgerBroken: there are fewer.
    """
    first = n * TILE_WIDTH
    if level == 0:
        hashes = leaf_hashes(connection, first, first + width)
    else:
        rows = ask(
            connection,
            "SELECT hash FROM tile_root WHERE level = ? AND n >= ? AND n < ? ORDER BY n",
            (level, first, first + width),
        )
        hashes = [hashed for (hashed,) in rows]
    if len(hashes) != width:
        raise LedgerBroken(f"tile {n} of level {level} has {len(hashes)} of {width} hashes")
    return hashes


def tile_root(connection: apsw.Connection, level: int, n: int) -> bytes | None:
    """Return hash ``n`` of a tile level from 1 up, None if it is not there."""
    rows = ask(connection, "SELECT hash FROM tile_root WHERE level = ? AND n = ?", (level, n))
    return rows[0][0] if rows else None


class TableTiles:
    """The tiles of the tree as the tables have them (``merkle.TileReader``)."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def tile_hashes(self, level: int, n: int, width: int) -> list[bytes]:
        """Return the first hashes of a tile."""
        return tile_hashes(self._connection, level, n, width)


def frontier(connection: apsw.Connection) -> Frontier:
    """Return the frontier of the tree, read from the tiles along its right edge.

    Raises:
        LedgerBroken: a tile is missing or short.
    """
    return Tree(size(connection), TableTiles(connection)).frontier()


def read_state(connection: apsw.Connection, name: str) -> bytes:
    """Return a row of ``state``.

    Raises:
        LedgerBroken: it is missing.
    """
    rows = ask(connection, "SELECT value FROM state WHERE name = ?", (name,))
    if not rows:
        raise LedgerBroken(f"the {name} is missing")
    return bytes(rows[0][0])


def write_state(connection: apsw.Connection, name: str, value: bytes) -> None:
    """Write a row of ``state``."""
    ask(
        connection,
        "INSERT INTO state (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def checkpoint(connection: apsw.Connection) -> str:
    """Return the signed checkpoint."""
    return read_state(connection, "checkpoint").decode()


def digest(connection: apsw.Connection) -> State:
    """Return the state of the digest over the file.

    Raises:
        LedgerBroken: it is missing or cut.
    """
    try:
        return State.from_bytes(read_state(connection, "digest"))
    except ValueError:
        raise LedgerBroken("the digest's state is cut") from None
