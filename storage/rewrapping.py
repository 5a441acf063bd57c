"""The yearly change of the retention key: row secrets move under the newest, 72 bytes a version.

A sweep goes through the versions in the order of their rows, some in each unit of work.  Whoever
asks for it keeps how far it is.  Versions that have a term lie under ``kek/exp/YEAR`` and stay
there; erased ones have no row secret.  Cells, seals and so the digest over the file are untouched:
a version opens before, between and after, for the key ring has both keys.

Nothing new comes under an older key meanwhile, for the newest seals.  So when a sweep that began at
the first version is through, nothing is under an older key any more.
"""

from collections.abc import Iterable, Iterator

import apsw

from storage import records
from storage.cells import SealedVersion, kek_of, rewrap
from storage.connection import ask, ask_many
from storage.engine import Rewrapped, VersionId
from storage.keys import StoreKeys

_Row = tuple[int, bytes, bytes, bytes]


def sweep(
    connection: apsw.Connection, keys: StoreKeys, after: VersionId | None, limit: int
) -> Rewrapped:
    """Look at the next ``limit`` versions and bring those under an older active key to the newest.

    Raises:
        Tampered: a row secret does not open where it lies.
    """
    first = 0 if after is None else records.vid_of(after.person, after.number)
    rows: list[_Row] = ask(
        connection,
        "SELECT vid, hdr, wrap, rsc FROM ver WHERE vid > ? ORDER BY vid LIMIT ?",
        (first, limit),
    )
    moved = list(_moved(keys, rows))
    ask_many(connection, "UPDATE ver SET hdr = ?, wrap = ? WHERE vid = ?", moved)
    through = records.version_at(rows[-1][0]) if rows else after
    return Rewrapped(len(rows), len(moved), through, records.last_person(connection))


def _moved(keys: StoreKeys, rows: Iterable[_Row]) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield header, wrap and row number of what is under an older key, under the newest."""
    for vid, hdr, wrap, rsc in rows:
        if wrap and kek_of(hdr) in keys.older:
            place = records.place_of(keys.installation, vid)
            sealed = SealedVersion(hdr, wrap, rsc, b"", b"")
            hdr, wrap, *_ = rewrap(place, sealed, keys.keks, keys.kek)
            yield hdr, wrap, vid
