"""Versions of persons in the table ``ver``.

vid       person * 4096 + number: the versions of a person lie together, the latest last
counted   "v" | u64 vid | seal 32: what the digest over the file knows of a version
          "e" | u64 vid | seal 32: of one that was erased (retention.py), whose cells are empty
"""

import apsw

from storage.cells import NO_SEAL, RESIDENTS, OpenVersion, Place, SealedVersion
from storage.connection import ask
from storage.engine import MOST_VERSIONS, PersonId, VersionId
from storage.errors import RecordNotFound
from storage.keys import StoreKeys

_SPAN = MOST_VERSIONS + 1


def vid_of(person: int, number: int) -> int:
    """Return the row number of a version."""
    return person * _SPAN + number


def version_at(vid: int) -> VersionId:
    """Return the version of a row number."""
    person, number = divmod(vid, _SPAN)
    return VersionId(PersonId(person), number)


def persons(connection: apsw.Connection, after: int, limit: int) -> list[PersonId]:
    """Return up to ``limit`` persons numbered above ``after``, in order."""
    found: list[PersonId] = []
    while len(found) < limit:
        rows = ask(
            connection,
            "SELECT vid FROM ver WHERE vid >= ? ORDER BY vid LIMIT 1",
            (vid_of(after + 1, 0),),
        )
        if not rows:
            break
        after = version_at(rows[0][0]).person
        found.append(PersonId(after))
    return found


def place_of(installation: bytes, vid: int) -> Place:
    """Return the place that the cells of a row are bound to."""
    person, number = divmod(vid, _SPAN)
    return Place(installation, RESIDENTS, person, number)


def counted(vid: int, seal: bytes) -> bytes:
    """Return the version as an element of the digest over the file."""
    return b"v" + vid.to_bytes(8, "little") + seal


def counted_erased(vid: int, seal: bytes) -> bytes:
    """Return an erased version as an element of the digest over the file."""
    return b"e" + vid.to_bytes(8, "little") + seal


def is_erased(sealed: SealedVersion) -> bool:
    """Return whether a version was erased; only the digest over the file knows if it might be."""
    return not sealed.cells and not sealed.wrap


def last_person(connection: apsw.Connection) -> int:
    """Return the highest person there is, 0 if there is none."""
    ((vid,),) = ask(connection, "SELECT coalesce(max(vid), 0) FROM ver")
    return int(vid) // _SPAN


def head(connection: apsw.Connection, person: int) -> tuple[int, bytes]:
    """Return number and seal of a person's latest version, ``(0, NO_SEAL)`` if there is none."""
    rows = ask(
        connection,
        "SELECT vid, seal FROM ver WHERE vid BETWEEN ? AND ? ORDER BY vid DESC LIMIT 1",
        (vid_of(person, 1), vid_of(person, MOST_VERSIONS)),
    )
    return (rows[0][0] % _SPAN, rows[0][1]) if rows else (0, NO_SEAL)


def append(connection: apsw.Connection, vid: int, sealed: SealedVersion) -> None:
    """Write a version that was not there."""
    ask(
        connection,
        "INSERT INTO ver (vid, hdr, wrap, rsc, seal, cells) VALUES (?, ?, ?, ?, ?, ?)",
        (vid, *sealed),
    )


def find(
    connection: apsw.Connection, keys: StoreKeys, person: int, number: int
) -> tuple[VersionId, OpenVersion]:
    """Return a version, ready for its fields to be opened; 0 means the latest.

    Raises:
        RecordNotFound: no such person or version.
        Tampered: it does not open where it lies.
    """
    first, last = (number, number) if number else (1, MOST_VERSIONS)
    if not 1 <= first <= last <= MOST_VERSIONS:
        raise RecordNotFound(f"person {person} has no version {number}")
    rows = ask(
        connection,
        "SELECT vid, hdr, wrap, rsc, seal, cells FROM ver WHERE vid BETWEEN ? AND ?"
        " ORDER BY vid DESC LIMIT 1",
        (vid_of(person, first), vid_of(person, last)),
    )
    if not rows:
        missing = f"version {number} of person {person}" if number else f"person {person}"
        raise RecordNotFound(f"there is no {missing}")
    vid, *parts = rows[0]
    place = place_of(keys.installation, vid)
    if is_erased(sealed := SealedVersion(*parts)):
        raise RecordNotFound(f"version {place.version} of person {person} is erased")
    found = OpenVersion(place, sealed, keys.fields, keys.keks)
    return VersionId(PersonId(place.person), place.version), found
