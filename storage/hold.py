"""While somebody copies the file, it must stand still: the WAL is not carried into it.

In WAL mode a commit writes to the WAL alone; the file itself changes only when the WAL is carried
into it, which is the writer's doing.  So whoever holds the file can copy it while commits go on,
then the WAL as far as one commit: the two together are the store as of that commit.

The WAL is not begun anew meanwhile either: SQLite does that only once all of it was carried, and a
hold begins with a commit that is not.

A hold ends by itself when nobody extends it, so that a copier who was killed holds nothing up.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from storage.connection import PAGE_SIZE

_WAL_HEADER, _FRAME_HEADER = 32, 24


@dataclass(frozen=True, slots=True)
class CopyPoint:
    """One commit, and how many bytes of the WAL there are up to it."""

    checkpoint: str
    wal_bytes: int


class Hold:
    """At most one at a time.  Any thread may call.

    Args:
        monotonic: the clock by which it ends, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._gate = threading.Lock()
        self._until: float | None = None

    def take(self, seconds: float) -> bool:
        """Begin to hold for so long; return False if somebody does already."""
        with self._gate:
            if self._is_on():
                return False
            self._until = self._monotonic() + seconds
            return True

    def extend(self, seconds: float) -> bool:
        """Hold for so long from now; return whether it was held all the time until now."""
        with self._gate:
            if not self._is_on():
                return False
            self._until = self._monotonic() + seconds
            return True

    def release(self) -> None:
        """End the hold; nothing happens if there is none."""
        with self._gate:
            self._until = None

    def bars(self) -> bool:
        """Return whether the WAL must stay as it is; asked right before it is carried."""
        with self._gate:
            return self._is_on()

    def _is_on(self) -> bool:
        # Once seen to be over, it is over for everybody: nothing extends it after this.
        if self._until is not None and self._monotonic() >= self._until:
            self._until = None
        return self._until is not None


def wal_bytes(frames: int) -> int:
    """Return how long a WAL of so many frames is (sqlite.org/fileformat.html, section 4)."""
    return _WAL_HEADER + frames * (_FRAME_HEADER + PAGE_SIZE)
