"""What a municipality keeps for itself: its residents as last taken by the prefecture.

A notice enters the file when the prefecture has applied it. One that is held waits beside the file
until the prefecture says that it no longer holds it.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from tests.simulators.notices import Eight, Notice, digest, eight_of

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS resident (
           resident_code TEXT PRIMARY KEY,
           update_number INTEGER NOT NULL,
           removed INTEGER,
           replaced INTEGER NOT NULL DEFAULT 0,
           body BLOB NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS held (
           sequence INTEGER PRIMARY KEY,
           body BLOB NOT NULL)""",
)


class MunicipalFile:
    """The residents of one municipality, struck-off people included.

    Who got another 住民票コード stands under both; what was last told under the old one is kept, as
    the national server keeps it.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.execute("PRAGMA journal_mode = WAL")
        with self._connection:
            for table in _TABLES:
                self._connection.execute(table)
        self._decoder = msgspec.json.Decoder(Notice)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def record(self, applied: Sequence[Notice], held: Sequence[Notice]) -> None:
        """Write down what one answer said, in one transaction."""
        with self._connection:
            self._write(applied)
            self._connection.executemany(
                "INSERT OR REPLACE INTO held (sequence, body) VALUES (?, ?)",
                [(notice.sequence, msgspec.json.encode(notice)) for notice in held],
            )

    def released(self, still_held: Collection[int]) -> int:
        """Write down the notices that waited and no longer do; return how many."""
        rows = self._connection.execute("SELECT body FROM held ORDER BY sequence").fetchall()
        waiting = [self._decoder.decode(body) for (body,) in rows]
        free = [notice for notice in waiting if notice.sequence not in still_held]
        with self._connection:
            self._write(free)
            self._connection.executemany(
                "DELETE FROM held WHERE sequence = ?", [(notice.sequence,) for notice in free]
            )
        return len(free)

    def residents(self) -> Iterator[Notice]:
        """Yield everybody's last notice, sorted by 住民票コード, none under a former code."""
        rows = self._connection.execute(
            "SELECT body FROM resident WHERE NOT replaced ORDER BY resident_code"
        )
        for (body,) in rows:
            yield self._decoder.decode(body)

    def current(self) -> Iterator[Notice]:
        """Yield the last notice of everybody who is not struck off."""
        rows = self._connection.execute(
            "SELECT body FROM resident WHERE coalesce(removed, 0) = 0 AND NOT replaced"
            " ORDER BY resident_code"
        )
        for (body,) in rows:
            yield self._decoder.decode(body)

    def eights(self) -> Iterator[Eight]:
        """Yield what was last told under each 住民票コード, sorted by it."""
        rows = self._connection.execute("SELECT body FROM resident ORDER BY resident_code")
        for (body,) in rows:
            yield eight_of(self._decoder.decode(body))

    def former_codes(self) -> frozenset[str]:
        """Return the codes that were replaced by others."""
        rows = self._connection.execute("SELECT resident_code FROM resident WHERE replaced")
        return frozenset(code for (code,) in rows)

    def count(self) -> int:
        """Return under how many codes people stand in the file."""
        (count,) = self._connection.execute("SELECT count(*) FROM resident").fetchone()
        return int(count)

    def digest(self) -> str:
        """Return the digest of the file over the eight items."""
        return digest(self.eights())

    def _write(self, notices: Sequence[Notice]) -> None:
        # A held notice may be released after a newer one was applied.
        self._connection.executemany(
            """INSERT INTO resident (resident_code, update_number, removed, body)
               VALUES (?, ?, ?, ?)
               ON CONFLICT (resident_code) DO UPDATE
               SET update_number = excluded.update_number, body = excluded.body,
                   removed = coalesce(excluded.removed, resident.removed)
               WHERE resident.update_number < excluded.update_number""",
            [
                (n.resident_code, n.update_number, _removed(n.reason), msgspec.json.encode(n))
                for n in notices
            ],
        )
        former = [
            (n.previous_resident_code,)
            for n in notices
            if n.previous_resident_code not in (None, n.resident_code)
        ]
        self._connection.executemany(
            "UPDATE resident SET replaced = 1 WHERE resident_code = ?", former
        )


def _removed(reason: str) -> int | None:
    """Return whether somebody is struck off by this; None: as before."""
    return {"1": 0, "2": 1}.get(reason[:1])
