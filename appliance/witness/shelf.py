"""What a witness keeps: plain files that anybody can verify, written whole or not at all.

::

    cosigned/NAME.checkpoint  the last checkpoint of a ledger that was cosigned: a signed note
    evidence/NAME.KIND.HASH   two checkpoints of a ledger that contradict each other; never removed

NAME is the ledger's, percent-encoded. A record that is damaged is an error and not a ledger that
was never seen: a witness that forgets would cosign a fork. It is moved away by a human who has
decided so, together with what shows why.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from storage.cosignature import WitnessKey, cosigned_at
from storage.disk import sync_folder, write_synced
from storage.errors import LedgerBroken
from storage.note import Checkpoint, parse_note
from storage.tiles import read_note

log = logging.getLogger(__name__)

COSIGNED, EVIDENCE, SUFFIX = "cosigned", "evidence", ".checkpoint"
MOST_EVIDENCE = 200
"""Files kept at most of one ledger and kind: a ledger that was forked goes on to sign, and old
checkpoints that are sent by the hundred must not keep the fork out."""
_PRIVATE = 0o600


class Kind(Enum):
    """What two signed checkpoints are evidence of."""

    FORK = "fork"
    ROLLBACK = "rollback"


class Evidence(NamedTuple):
    """A file that a human has to look at."""

    origin: str
    kind: Kind
    path: Path


class Record(NamedTuple):
    """What was cosigned last of a ledger, ``at`` seconds since 1970."""

    checkpoint: Checkpoint
    at: int


class Shelf:
    """The folder of a witness."""

    def __init__(self, folder: Path, key: WitnessKey) -> None:
        self._cosigned, self._evidence = folder / COSIGNED, folder / EVIDENCE
        self._key = key

    def make(self) -> None:
        """Make the folders, if they are not there.

        Raises:
            OSError: the disk.
        """
        for folder in (self._cosigned, self._evidence):
            folder.mkdir(mode=0o700, exist_ok=True)
            sync_folder(folder.parent)

    def last(self, origin: str) -> str | None:
        """Return the checkpoint of a ledger that was cosigned last, as a note; None if none was.

        Raises:
            LedgerBroken: it is damaged, or not cosigned by this witness.
        """
        path = self._path(origin)
        try:
            note = read_note(path)
            if note is None:
                return None
            cosigned_at(note, self._key)
            if Checkpoint.parse(parse_note(note).text).origin != origin:
                raise LedgerBroken("it is of another ledger")
        except LedgerBroken as problem:
            raise LedgerBroken(f"{path}: {problem}") from None
        return note

    def keep(self, origin: str, note: str) -> None:
        """Keep a cosigned checkpoint in place of the one before; on disk when this returns.

        Raises:
            OSError: the disk; the one before is still there.
        """
        _put(self._path(origin), note)

    def keep_evidence(self, kind: Kind, origin: str, what: str, presented: str, at: int) -> None:
        """Keep what shows that a ledger contradicts itself, and say so; the same only once.

        Raises:
            OSError: the disk.
        """
        log.critical("%s of %s: %s", kind.value, origin, what)
        text = sha256(presented.rpartition("\n\n")[0].encode()).hexdigest()[:16]
        alike = f"{_file_name(origin)}.{kind.value}."
        path = self._evidence / f"{alike}{text}"
        if path.exists() or sum(1 for _ in self._evidence.glob(f"{alike}*")) >= MOST_EVIDENCE:
            return
        found = datetime.fromtimestamp(at, UTC).isoformat()
        parts = (f"{kind.value} of {origin}, found {found}", f"{what}.")
        cosigned = self.last(origin) or ""
        _put(path, "\n".join([*parts, "", "cosigned:", cosigned, "presented:", presented]))

    def records(self) -> Iterator[Record]:
        """Yield what was cosigned last of every ledger.

        Raises:
            LedgerBroken: a record is damaged.
        """
        for path in sorted(self._cosigned.glob(f"*{SUFFIX}")):
            note = self.last(unquote(path.name.removesuffix(SUFFIX)))
            if note is not None:
                checkpoint = Checkpoint.parse(parse_note(note).text)
                yield Record(checkpoint, cosigned_at(note, self._key))

    def evidence(self) -> list[Evidence]:
        """Return all evidence there is, the oldest first."""
        found = []
        for kind in Kind:
            for path in self._evidence.glob(f"*.{kind.value}.????????????????"):
                origin = path.name.rsplit(".", 2)[0]
                found.append(Evidence(unquote(origin), kind, path))
        return sorted(found, key=lambda each: each.path.stat().st_mtime_ns)

    def _path(self, origin: str) -> Path:
        return self._cosigned / f"{_file_name(origin)}{SUFFIX}"


def _file_name(origin: str) -> str:
    return quote(origin, safe="")


def _put(path: Path, text: str) -> None:
    written = path.with_name(f"{path.name}.new")
    write_synced(written, text.encode(), _PRIVATE)
    written.replace(path)
    sync_folder(path.parent)
