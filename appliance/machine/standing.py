"""A stopped store stands still by itself: its lock keeps every server away while it is copied.

There is no key to read the ledger with, so how many entries it has is told by what lies beside it,
and that it was copied is noted in the boot journal, whose head the next unsealing enters.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from appliance.machine.backing import Point
from appliance.machine.backupset import stands_at_least
from appliance.machine.config import Settings
from appliance.machine.opening import milliseconds
from appliance.machine.store import Layout, sealed_store
from appliance.parts import Clock
from storage.journal import Journal
from storage.lock import FolderLock
from storage.vault import FILE_NAME as DATABASE

MADE, FAILED = "backup", "backup-failed"
"""Events of the boot journal."""


class Stopped:
    """A store that nobody serves (``backing.Holder``); from entering the block to its end.

    Raises, on entering:
        StoreInUse: somebody has it.
        StartupError, Tampered: there is none, or its key ring or journal is not one.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._layout = Layout(settings.data)
        self._clock = clock
        self._size = 0

    def __enter__(self) -> Self:
        self._identity, _ = sealed_store(self._settings)
        self._lock = FolderLock.take(self._settings.data)
        try:
            self._journal = Journal(self._layout.journal, milliseconds(self._clock))
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._journal.close()
        self._lock.release()

    def begin(self) -> None:
        """See that it can be told how far it goes; it stands still already."""
        self._size = stands_at_least(self._layout, self._identity)

    def go_on(self) -> None:
        """Return: the lock is ours."""

    def point(self) -> Point:
        """Return all there is."""
        wal: Path = self._layout.store / f"{DATABASE}-wal"
        return Point(None, self._size, wal.stat().st_size if wal.exists() else 0)

    def finish(self, digest: str) -> None:
        """Note that it was copied."""
        self._journal.note(MADE, entries=self._size, manifest=digest, uid=os.getuid())

    def give_up(self, code: str) -> None:
        """Note that it was not, and why."""
        self._journal.note(FAILED, why=code, uid=os.getuid())
