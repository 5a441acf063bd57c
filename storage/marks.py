"""Marks: one short digest a person, in groups, at places; what two files are compared by.

A group has a name in clear. A place is where a person stands in the group (a keyed hash of what
both files know him by), so that both files cut a group into the same buckets. The storage computes
none of it and compares none of it.
"""

from collections.abc import Iterator
from itertools import chain, islice

import apsw

from storage.connection import ask, each_row
from storage.engine import Mark, PersonId

_AT_ONCE = 1000
MarkRow = tuple[str, bytes, bytes, int]
"""A mark as the table has it."""


def put(connection: apsw.Connection, mark: Mark) -> None:
    """Set the mark of a place; it takes the place of the one before."""
    ask(
        connection,
        "INSERT INTO mark (name, place, digest, person) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET digest = excluded.digest, person = excluded.person",
        (mark.group, mark.place, mark.digest, mark.person),
    )


def drop(connection: apsw.Connection, group: str, place: bytes) -> None:
    """Take the mark of a place away; nothing happens if there is none."""
    ask(connection, "DELETE FROM mark WHERE name = ? AND place = ?", (group, place))


def each(connection: apsw.Connection, group: str, first: bytes, last: bytes) -> Iterator[Mark]:
    """Yield the marks of a group with ``first <= place <= last``, in the order of places."""
    rows = each_row(
        connection,
        "SELECT place, digest, person FROM mark "
        "WHERE name = ? AND place BETWEEN ? AND ? ORDER BY place",
        (group, first, last),
    )
    for place, digest, person in rows:
        yield Mark(group, place, digest, PersonId(person))


def packed(connection: apsw.Connection, group: str, first: bytes, last: bytes) -> Iterator[bytes]:
    """Yield place and digest of each such mark side by side, many marks at a time."""
    rows = each_row(
        connection,
        "SELECT place, digest FROM mark WHERE name = ? AND place BETWEEN ? AND ? ORDER BY place",
        (group, first, last),
    )
    while marks := b"".join(chain.from_iterable(islice(rows, _AT_ONCE))):
        yield marks
