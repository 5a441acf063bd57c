"""Messages that must leave, in the tables ``parcel`` and ``ack``.

    note      sealed (aead.py) under parcels/1, bound to
              "jk1p" | store 16 | u16 length, destination | i64 number | u16 length, kind | i64 vid
    counted   "p" | the same from destination on | BLAKE2b-256(note)
    proof     BLAKE2b-256(key=parcels/1, person="jk1.ack",
                          store 16 | u16 length, destination | i64 through)

Numbers have no gaps, so that a destination sees at once what it has not got.  An acknowledgement
cannot be made up by whoever writes into the file; an old one put back only repeats messages.
"""

import hmac
from collections.abc import Iterable
from hashlib import blake2b

import apsw

from storage.aead import DoesNotOpen, seal, unseal
from storage.connection import ask, ask_many
from storage.derive import derive, prefixed
from storage.engine import Parcel, VersionId
from storage.errors import Tampered
from storage.keys import StoreKeys
from storage.records import version_at, vid_of

Row = tuple[str, int, str, int, bytes]
"""A parcel as the table has it."""


def place_of(destination: str, number: int, kind: str, vid: int) -> bytes:
    """Return where a parcel lies and what it is about, in one unmistakable form."""
    return b"".join(
        (
            prefixed(destination.encode()),
            number.to_bytes(8, "little", signed=True),
            prefixed(kind.encode()),
            vid.to_bytes(8, "little", signed=True),
        )
    )


def counted(place: bytes, note: bytes) -> bytes:
    """Return a parcel as an element of the digest over the file; the note is the sealed one."""
    return b"p" + place + blake2b(note, digest_size=32).digest()


def last_numbers(connection: apsw.Connection) -> dict[str, int]:
    """Return the number of the last parcel for each destination."""
    return dict(ask(connection, "SELECT destination, max(number) FROM parcel GROUP BY destination"))


def send(
    connection: apsw.Connection,
    keys: StoreKeys,
    number: int,
    destination: str,
    kind: str,
    version: VersionId,
    note: bytes,
) -> bytes:
    """Write a parcel; return its element of the digest."""
    row, element = made(keys, number, destination, kind, version, note)
    write(connection, [row])
    return element


def made(
    keys: StoreKeys, number: int, destination: str, kind: str, version: VersionId, note: bytes
) -> tuple[Row, bytes]:
    """Return a parcel, sealed, and its element of the digest."""
    vid = vid_of(version.person, version.number)
    place = place_of(destination, number, kind, vid)
    sealed = seal(note, keys.parcels, _bound(keys, place))
    return (destination, number, kind, vid, sealed), counted(place, sealed)


def write(connection: apsw.Connection, rows: Iterable[Row]) -> None:
    """Write parcels that were made."""
    ask_many(
        connection,
        "INSERT INTO parcel (destination, number, kind, vid, note) VALUES (?, ?, ?, ?, ?)",
        rows,
    )


def parcels(
    connection: apsw.Connection, keys: StoreKeys, destination: str, after: int, limit: int
) -> list[Parcel]:
    """Return the parcels numbered above ``after``, in order.

    Raises:
        Tampered: one is missing or does not open.
    """
    rows = ask(
        connection,
        "SELECT number, kind, vid, note FROM parcel WHERE destination = ? AND number > ?"
        " ORDER BY number LIMIT ?",
        (destination, after, limit),
    )
    for expected, row in enumerate(rows, start=max(after, 0) + 1):
        if row[0] != expected:
            raise Tampered(f"parcel {expected} for {destination} is missing")
    return [opened(keys, destination, *row) for row in rows]


def opened(
    keys: StoreKeys, destination: str, number: int, kind: str, vid: int, note: bytes
) -> Parcel:
    """Open a parcel where it lies.

    Raises:
        Tampered: it does not open there.
    """
    bound = _bound(keys, place_of(destination, number, kind, vid))
    try:
        body = unseal(note, keys.parcels, bound)
    except DoesNotOpen:
        raise Tampered(f"parcel {number} for {destination} does not open") from None
    return Parcel(number, destination, kind, version_at(vid), body)


def acknowledged(connection: apsw.Connection, keys: StoreKeys, destination: str) -> int:
    """Return the number up to which the destination has everything; 0 at first.

    Raises:
        Tampered: the number was not written by this store.
    """
    rows = ask(connection, "SELECT through, proof FROM ack WHERE destination = ?", (destination,))
    if not rows:
        return 0
    through, proof = rows[0]
    if not hmac.compare_digest(proof, _proof(keys, destination, through)):
        raise Tampered(f"the acknowledgement of {destination} is not genuine")
    return int(through)


def acknowledge(
    connection: apsw.Connection, keys: StoreKeys, destination: str, through: int
) -> None:
    """Remember that the destination has everything up to this number."""
    ask(
        connection,
        "INSERT INTO ack (destination, through, proof) VALUES (?, ?, ?) ON CONFLICT (destination)"
        " DO UPDATE SET through = excluded.through, proof = excluded.proof",
        (destination, through, _proof(keys, destination, through)),
    )


def _bound(keys: StoreKeys, place: bytes) -> bytes:
    return b"jk1p" + keys.installation + place


def _proof(keys: StoreKeys, destination: str, through: int) -> bytes:
    told = (
        keys.installation
        + prefixed(destination.encode())
        + through.to_bytes(8, "little", signed=True)
    )
    return derive(keys.parcels, b"jk1.ack", told)
