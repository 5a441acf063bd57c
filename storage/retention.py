"""The end of a version: until when it is kept, and how it is erased beyond recovery (R154, R155).

A version that is history gets a *term*: the first day on which it may be erased, as a day number
(``date.toordinal``). From then on its row secret lies under the retention key of that day's year
(``kek/exp/YEAR``), so that destroying the key erases it in every copy of the file as well.

Erasing takes cells and row secret away. What stays is ``rsc`` and ``seal``, by which the chain and
the digest over the file still hold, and by which it cannot be denied that a version was there.
"""

from collections.abc import Iterable
from datetime import date

import apsw

from storage import records
from storage.cells import SealedVersion, kek_of, rewrap
from storage.connection import ask
from storage.engine import VersionId
from storage.errors import RecordNotFound
from storage.keys import StoreKeys


def retain(connection: apsw.Connection, keys: StoreKeys, version: VersionId, until: int) -> None:
    """Give a version its term, unless it has one: a term is never changed.

    Raises:
        RecordNotFound: there is no such version, or it is erased.
        WrongKey: there is no retention key for that year.
    """
    vid = records.vid_of(version.person, version.number)
    if term(connection, version) is not None:
        return
    rows = ask(
        connection, "SELECT hdr, wrap, rsc, seal FROM ver WHERE vid = ? AND cells <> x''", (vid,)
    )
    if not rows:
        raise RecordNotFound(f"there is no version {version.number} of person {version.person}")
    kek = keys.expiring(date.fromordinal(until).year)
    place = records.place_of(keys.installation, vid)
    moved = rewrap(place, SealedVersion(*[*rows[0], b""]), keys.keks, kek)
    ask(connection, "UPDATE ver SET hdr = ?, wrap = ? WHERE vid = ?", (moved.hdr, moved.wrap, vid))
    ask(connection, "INSERT INTO term (vid, day) VALUES (?, ?)", (vid, until))


def term(connection: apsw.Connection, version: VersionId) -> int | None:
    """Return the first day on which a version may be erased, or None while it has no term."""
    vid = records.vid_of(version.person, version.number)
    rows = ask(connection, "SELECT day FROM term WHERE vid = ?", (vid,))
    return rows[0][0] if rows else None


def expired(connection: apsw.Connection, day: int, limit: int) -> list[VersionId]:
    """Return versions that may be erased on this day, those that were due first first."""
    rows = ask(
        connection, "SELECT vid FROM term WHERE day <= ? ORDER BY day, vid LIMIT ?", (day, limit)
    )
    return [records.version_at(vid) for (vid,) in rows]


def due(connection: apsw.Connection, day: int) -> int:
    """Return how many versions may be erased on this day."""
    ((count,),) = ask(connection, "SELECT count(*) FROM term WHERE day <= ?", (day,))
    return int(count)


def erase(connection: apsw.Connection, version: VersionId) -> tuple[bytes, bytes]:
    """Take away what a version says; return it as the digest knew it, and as it knows it now.

    Raises:
        RecordNotFound: there is no such version, or it is erased already.
    """
    vid = records.vid_of(version.person, version.number)
    rows = ask(connection, "SELECT seal FROM ver WHERE vid = ? AND cells <> x''", (vid,))
    if not rows:
        raise RecordNotFound(f"there is no version {version.number} of person {version.person}")
    ask(connection, "UPDATE ver SET wrap = x'', cells = x'' WHERE vid = ?", (vid,))
    ask(connection, "DELETE FROM term WHERE vid = ?", (vid,))
    (seal,) = rows[0]
    return records.counted(vid, seal), records.counted_erased(vid, seal)


def misplaced(connection: apsw.Connection, keys: StoreKeys) -> Iterable[tuple[VersionId, str]]:
    """Yield the versions whose term and retention key do not belong together."""
    of_year = {kek.id: year for year, kek in keys.expiry.items()}
    for vid, day, hdr, cells in ask(
        connection,
        "SELECT term.vid, day, hdr, length(cells) FROM term LEFT JOIN ver ON ver.vid = term.vid",
    ):
        if not cells:
            yield records.version_at(vid), "has a term and is not there"
            continue
        year = of_year.get(kek_of(hdr))
        if year is None or year < date.fromordinal(day).year:
            yield records.version_at(vid), "is not under the retention key of its term"
