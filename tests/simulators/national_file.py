"""What the national server keeps: the eight items of everybody, and which messages it has heard.

One SQLite file, one transaction for each request: what is acknowledged is on disk.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

import msgspec

from tests.simulators.notices import Eight, digest, eight_of

MOST_MISSING: Final = 100
"""Missing numbers named in one answer."""
RULE: Final = "N-12"
"""By which it refuses."""

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS resident (
           resident_code TEXT PRIMARY KEY,
           sender TEXT NOT NULL,
           number INTEGER NOT NULL,
           body BLOB NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS message (
           sender TEXT, number INTEGER, hash BLOB NOT NULL, rule TEXT,
           PRIMARY KEY (sender, number)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS feed (
           sender TEXT PRIMARY KEY,
           acknowledged INTEGER NOT NULL DEFAULT 0,
           repeats INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS elsewhere (resident_code TEXT PRIMARY KEY, body BLOB NOT NULL)",
)
_EVERYBODY: Final = "SELECT body FROM resident UNION ALL SELECT body FROM elsewhere"
_BY_CODE: Final = """SELECT body FROM resident WHERE resident_code = :code
    UNION ALL SELECT body FROM elsewhere WHERE resident_code = :code"""


class Message(Eight, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The eight items and the number in the feed; ``kind`` may be left out."""

    number: Annotated[int, msgspec.Meta(ge=1)]
    kind: Literal["update"] = "update"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one message: taken, known already, or refused by a rule."""

    number: int
    outcome: Literal["taken", "known", "refused"]
    rule: str | None = None


class Receipt(NamedTuple):
    """What one request brought: up to where nothing is missing, what is, what became of each."""

    acknowledged: int
    missing: list[int]
    outcomes: list[Outcome]
    fresh: int


class Contradiction(Exception):
    """A number came again and said something else."""


class NationalFile:
    """機構保存本人確認情報ファイル, as far as a simulator needs it; safe to use from threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        with self._connection:
            for table in _TABLES:
                self._connection.execute(table)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def receive(self, sender: str, messages: Sequence[Message], refuse: int = 0) -> Receipt:
        """Keep messages of a prefecture, all or none; they are on disk when this returns.

        Of those that are new, the first ``refuse`` are refused for ever.

        Raises:
            Contradiction: a number was used before for something else.
        """
        with self._lock, self._connection:
            self._connection.execute("INSERT OR IGNORE INTO feed (sender) VALUES (?)", (sender,))
            outcomes, fresh = [], 0
            for message in messages:
                outcome, is_new = self._keep(sender, message, refused=fresh < refuse)
                outcomes.append(outcome)
                fresh += is_new
            self._connection.execute(
                "UPDATE feed SET repeats = repeats + ? WHERE sender = ?",
                (len(messages) - fresh, sender),
            )
            acknowledged = self._advance(sender)
            missing = self._missing(sender, acknowledged)
            return Receipt(acknowledged, missing, outcomes, fresh)

    def keep_elsewhere(self, people: Iterable[Eight]) -> None:
        """Keep people of other prefectures, whom this one may ask about."""
        rows = [(person.resident_code, msgspec.json.encode(person)) for person in people]
        with self._lock, self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO elsewhere VALUES (?, ?)", rows)

    def find(self, by: Mapping[str, str]) -> list[Eight]:
        """Return everybody, of whatever prefecture, who fits exactly."""
        decoder = msgspec.json.Decoder(Eight)
        with self._lock:
            if "resident_code" in by:
                rows = self._connection.execute(_BY_CODE, {"code": by["resident_code"]}).fetchall()
            else:
                rows = self._connection.execute(_EVERYBODY).fetchall()
        people = (decoder.decode(body) for (body,) in rows)
        return [one for one in people if all(getattr(one, key) == by[key] for key in by)]

    def records(self) -> Iterator[Eight]:
        """Yield everybody's eight items, sorted by 住民票コード."""
        rows = self._connection.execute("SELECT body FROM resident ORDER BY resident_code")
        decoder = msgspec.json.Decoder(Eight)
        for (body,) in rows:
            yield decoder.decode(body)

    def summary(self) -> dict[str, Any]:
        """Return counts, each prefecture's numbers, and the digest of the file."""
        with self._lock:
            (residents,) = self._connection.execute("SELECT count(*) FROM resident").fetchone()
            feeds = self._connection.execute(
                "SELECT sender, acknowledged, repeats FROM feed ORDER BY sender"
            ).fetchall()
            return {
                "residents": residents,
                "prefectures": {
                    sender: {
                        "last_number": self._last(sender),
                        "acknowledged": acknowledged,
                        "missing": self._missing(sender, acknowledged),
                        "repeats": repeats,
                    }
                    for sender, acknowledged, repeats in feeds
                },
                "digest": digest(self.records()),
            }

    def _keep(self, sender: str, message: Message, *, refused: bool) -> tuple[Outcome, bool]:
        """Keep one message; return what became of it, and whether it is new."""
        body = msgspec.json.encode(eight_of(message))
        fingerprint = blake2b(body, digest_size=16).digest()
        known = self._connection.execute(
            "SELECT hash, rule FROM message WHERE sender = ? AND number = ?",
            (sender, message.number),
        ).fetchone()
        if known is not None:
            if known[0] != fingerprint:
                raise Contradiction(f"number {message.number} was used for something else")
            return _outcome(message.number, "known", known[1]), False
        rule = RULE if refused else None
        self._connection.execute(
            "INSERT INTO message (sender, number, hash, rule) VALUES (?, ?, ?, ?)",
            (sender, message.number, fingerprint, rule),
        )
        if refused:
            return Outcome(message.number, "refused", rule), True
        # A message that was overtaken by a newer one of the same feed changes nothing any more.
        self._connection.execute(
            """INSERT INTO resident (resident_code, sender, number, body) VALUES (?, ?, ?, ?)
               ON CONFLICT (resident_code) DO UPDATE
               SET sender = excluded.sender, number = excluded.number, body = excluded.body
               WHERE resident.sender <> excluded.sender OR resident.number < excluded.number""",
            (message.resident_code, sender, message.number, body),
        )
        return _outcome(message.number, "taken", None), True

    def _advance(self, sender: str) -> int:
        """Move the acknowledged number on as far as nothing is missing; return it."""
        (acknowledged,) = self._connection.execute(
            "SELECT acknowledged FROM feed WHERE sender = ?", (sender,)
        ).fetchone()
        for number in self._numbers_after(sender, acknowledged):
            if number != acknowledged + 1:
                break
            acknowledged = number
        self._connection.execute(
            "UPDATE feed SET acknowledged = ? WHERE sender = ?", (acknowledged, sender)
        )
        return int(acknowledged)

    def _missing(self, sender: str, acknowledged: int) -> list[int]:
        missing: list[int] = []
        expected = acknowledged + 1
        for number in self._numbers_after(sender, acknowledged):
            missing.extend(range(expected, min(number, expected + MOST_MISSING)))
            expected = number + 1
            if len(missing) >= MOST_MISSING:
                break
        return missing[:MOST_MISSING]

    def _last(self, sender: str) -> int:
        (last,) = self._connection.execute(
            "SELECT coalesce(max(number), 0) FROM message WHERE sender = ?", (sender,)
        ).fetchone()
        return int(last)

    def _numbers_after(self, sender: str, number: int) -> Iterator[int]:
        rows = self._connection.execute(
            "SELECT number FROM message WHERE sender = ? AND number > ? ORDER BY number",
            (sender, number),
        )
        return (int(found) for (found,) in rows)


def _outcome(number: int, otherwise: Literal["taken", "known"], rule: str | None) -> Outcome:
    return Outcome(number, otherwise) if rule is None else Outcome(number, "refused", rule)
