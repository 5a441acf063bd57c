"""Sealed documents in the table ``doc``: registers, sessions, jobs.

    body      sealed (aead.py) under docs/1, bound to
              "jk1d" | store 16 | u16 length, collection | u16 length, key | i64 revision
    counted   "d" | u16 length, collection | u16 length, key | i64 revision | BLAKE2b-256(body)

Collection and key are clear to whoever holds the page key; the body is not.
"""

from collections.abc import Iterator
from hashlib import blake2b

import apsw

from storage.aead import DoesNotOpen, seal, unseal
from storage.connection import ask
from storage.derive import prefixed
from storage.engine import Document
from storage.errors import Tampered
from storage.keys import StoreKeys


def place_of(collection: str, key: bytes, revision: int) -> bytes:
    """Return where a revision lies, in one unmistakable form."""
    return (
        prefixed(collection.encode()) + prefixed(key) + revision.to_bytes(8, "little", signed=True)
    )


def counted(place: bytes, body: bytes) -> bytes:
    """Return a revision as an element of the digest over the file; the body is the sealed one."""
    return b"d" + place + blake2b(body, digest_size=32).digest()


def put(
    connection: apsw.Connection, keys: StoreKeys, collection: str, key: bytes, body: bytes
) -> tuple[int, bytes]:
    """Seal a new revision; return its number and its element of the digest."""
    rows = ask(
        connection,
        "SELECT revision FROM doc WHERE collection = ? AND key = ? ORDER BY revision DESC LIMIT 1",
        (collection, key),
    )
    revision = rows[0][0] + 1 if rows else 1
    place = place_of(collection, key, revision)
    sealed = seal(body, keys.documents, _bound(keys, place))
    ask(
        connection,
        "INSERT INTO doc (collection, key, revision, body) VALUES (?, ?, ?, ?)",
        (collection, key, revision, sealed),
    )
    return revision, counted(place, sealed)


def drop(connection: apsw.Connection, collection: str, key: bytes) -> list[bytes]:
    """Remove every revision; return the elements that leave the digest."""
    rows = ask(
        connection,
        "DELETE FROM doc WHERE collection = ? AND key = ? RETURNING revision, body",
        (collection, key),
    )
    return [counted(place_of(collection, key, revision), body) for revision, body in rows]


def latest(
    connection: apsw.Connection, keys: StoreKeys, collection: str, key: bytes
) -> Document | None:
    """Return the latest revision, or None if there is no such document."""
    rows = ask(
        connection,
        "SELECT key, revision, body FROM doc WHERE collection = ? AND key = ?"
        " ORDER BY revision DESC LIMIT 1",
        (collection, key),
    )
    return opened(keys, collection, *rows[0]) if rows else None


def each(
    connection: apsw.Connection, keys: StoreKeys, collection: str, prefix: bytes, after: bytes
) -> Iterator[Document]:
    """Yield the latest revision of each document whose key begins so, in key order.

    Those up to the key ``after`` are not read; empty: none is left out.
    """
    first = max(prefix, after + b"\0") if after else prefix
    rows = ask(
        connection,
        "SELECT key, revision, body FROM doc WHERE collection = ? AND key >= ?"
        " ORDER BY key, revision DESC LIMIT 1",
        (collection, first),
    )
    # One step along the index for each document: older revisions are never read.
    while rows and rows[0][0].startswith(prefix):
        yield opened(keys, collection, *rows[0])
        rows = ask(
            connection,
            "SELECT key, revision, body FROM doc WHERE collection = ? AND key > ?"
            " ORDER BY key, revision DESC LIMIT 1",
            (collection, rows[0][0]),
        )


def each_key(connection: apsw.Connection, collection: str) -> Iterator[bytes]:
    """Yield the key of each document of a collection, in order; no body is read."""
    first = "SELECT key FROM doc WHERE collection = ? ORDER BY key LIMIT 1"
    after = "SELECT key FROM doc WHERE collection = ? AND key > ? ORDER BY key LIMIT 1"
    rows = ask(connection, first, (collection,))
    while rows:
        yield rows[0][0]
        rows = ask(connection, after, (collection, rows[0][0]))


def any_there(connection: apsw.Connection, collection: str) -> bool:
    """Return whether a collection has any document."""
    return bool(ask(connection, "SELECT 1 FROM doc WHERE collection = ? LIMIT 1", (collection,)))


def revisions(
    connection: apsw.Connection, keys: StoreKeys, collection: str, key: bytes
) -> Iterator[Document]:
    """Yield every revision of a document, oldest first."""
    for row in ask(
        connection,
        "SELECT key, revision, body FROM doc WHERE collection = ? AND key = ? ORDER BY revision",
        (collection, key),
    ):
        yield opened(keys, collection, *row)


def opened(keys: StoreKeys, collection: str, key: bytes, revision: int, body: bytes) -> Document:
    """Open a revision where it lies.

    Raises:
        Tampered: it does not open there.
    """
    bound = _bound(keys, place_of(collection, key, revision))
    try:
        return Document(key, revision, unseal(body, keys.documents, bound))
    except DoesNotOpen:
        name = f"revision {revision} of a document of {collection}"
        raise Tampered(f"{name} does not open") from None


def _bound(keys: StoreKeys, place: bytes) -> bytes:
    return b"jk1d" + keys.installation + place
