"""What happened while the store was closed, or to those whom nobody knows: the boot journal.

A file of JSON lines, each with the hash of the line before::

    {"at":1775000000000,"event":"start","n":1,"previous":"00...","unclean":false}

It needs no key, so that a sealed process can write it; hence it proves no more than that whoever
changed a line had to change every later one.  A line is on disk before ``note`` returns.  What can
come from outside by the thousand is noted up to a limit, and then counted.
"""

import errno
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from storage.errors import Tampered

FILE_NAME = "boot-journal.jsonl"
FIRST = bytes(32).hex()
"""Stands for the line before the first."""

REFUSALS_A_MINUTE = 20
CLEAN_ENDS = frozenset({"stop", "seal"})
"""Events after which the process may end; after any other it was cut off."""

BETWEEN = frozenset(
    {"start-refused", "emergency-seal", "keys-rotated", "backup", "backup-failed", "restored"}
)
"""Events of nobody who served: how the process before them ended stands as it was."""

Detail = str | int | bool
_RESERVED = frozenset({"n", "at", "event", "previous"})


class Journal:
    """Appends to the journal of a data folder.  Any thread may write."""

    def __init__(self, path: Path, clock_ms: Callable[[], int]) -> None:
        """Open the journal, or begin it; a line that a power cut has torn is cut off and noted.

        Args:
            path: the file.
            clock_ms: the time, in milliseconds since 1970.

        Raises:
            Tampered: a line does not follow from the one before; names it.
            OSError: the disk.
        """
        self._gate = threading.Lock()
        self._clock_ms = clock_ms
        self._count, self._previous, self._last = 0, FIRST, {"event": "stop"}
        self._ended_well = True
        self._minute = self._refusals = self._left_out = 0
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        try:
            whole, torn = _split(path.read_bytes())
            for line in _followed(whole):
                self._count = line["n"]
                self._goes_on_after(line)
            if whole:
                self._previous = sha256(whole[-1]).hexdigest()
            self._size = sum(map(len, whole))
            if torn:
                os.ftruncate(self._descriptor, self._size)
                self.note("torn", bytes=len(torn))
        except BaseException:
            os.close(self._descriptor)
            raise

    def start(self, **details: Detail) -> bool:
        """Note that the process starts; return whether the one before ended as it should."""
        clean = self._ended_well
        self.note("start", unclean=not clean, **details)
        return clean

    def start_refused(self, why: str) -> None:
        """Note that the process does not start; not again if that is what was noted last.

        A supervisor tries it every few seconds, for as long as the reason stands.

        Raises:
            OSError: the disk.
        """
        if (self._last["event"], self._last.get("why")) != ("start-refused", why):
            self.note("start-refused", why=why)

    def note(self, event: str, **details: Detail) -> None:
        """Append a line; when this returns, it is on disk.

        Args:
            event: what happened, in a word.
            details: more about it; never personal data, never keys.

        Raises:
            ValueError: a detail has the name of something every line has.
            OSError: the disk; the journal is as it was before.
        """
        if reserved := _RESERVED & details.keys():
            raise ValueError(f"no detail can be called {min(reserved)}")
        with self._gate:
            self._append(event, details)

    def refused(self, why: str, **details: Detail) -> None:
        """Note that somebody unknown was refused, up to a number of times a minute.

        The first line of a later minute says how many were left out.

        Raises:
            OSError: the disk.
        """
        with self._gate:
            minute = self._clock_ms() // 60_000
            if minute != self._minute:
                self._minute, self._refusals = minute, 0
            self._refusals += 1
            if self._refusals > REFUSALS_A_MINUTE:
                self._left_out += 1
                return
            missed = {"left_out": self._left_out} if self._left_out else {}
            self._append("refused", {"why": why, **missed, **details})
            self._left_out = 0

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _append(self, event: str, details: dict[str, Detail]) -> None:
        count = self._count + 1
        line: dict[str, Any] = {**details, "n": count, "at": self._clock_ms(), "event": event}
        line["previous"] = self._previous
        raw = json.dumps(line, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        try:
            if os.write(self._descriptor, raw) < len(raw):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._descriptor)
        except OSError:
            # Half a line, or one whose writer was told that it failed, must not stay.
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(raw)
        self._count, self._previous = count, sha256(raw).hexdigest()
        self._goes_on_after(line)

    def _goes_on_after(self, line: dict[str, Any]) -> None:
        self._last = line
        if line["event"] not in BETWEEN:
            self._ended_well = line["event"] in CLEAN_ENDS


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a journal, each following from the one before.

    Raises:
        Tampered: a line does not; names it.
    """
    whole, _ = _split(path.read_bytes())
    return list(_followed(whole))


def digests(path: Path) -> list[str]:
    """Return the hash of each line in hex, as the line after it has it; the last is the head.

    Whoever keeps the head elsewhere sees later that no line up to it was changed.

    Raises:
        Tampered: as ``read_journal``.
    """
    whole, _ = _split(path.read_bytes())
    return [sha256(raw).hexdigest() for raw, _ in zip(whole, _followed(whole), strict=True)]


def _split(raw: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole lines, and what stands after the last of them."""
    lines = raw.splitlines(keepends=True)
    torn = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
    return lines, torn


def _followed(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    previous = FIRST
    for number, raw in enumerate(lines, start=1):
        try:
            line = json.loads(raw)
            follows = (line["n"], line["previous"]) == (number, previous) and "event" in line
        except (ValueError, KeyError, TypeError):
            follows = False
        if not follows:
            raise Tampered(f"line {number} of the boot journal does not follow the one before")
        previous = sha256(raw).hexdigest()
        yield line
