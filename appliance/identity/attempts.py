"""Attempts to prove oneself by a PIN that are under way: few at once, each counted before it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from appliance.errors import Unavailable

MOST_AT_ONCE = 8
"""Terminals at which a PIN is looked at at one time; the others are told to try again."""


class Attempts:
    """Who tries how often, and at which terminals somebody tries now."""

    def __init__(self) -> None:
        self._failing: Counter[str] = Counter()
        self._proving: set[str] = set()
        self._lock = Lock()

    @contextmanager
    def turn_of(self, fingerprint: str) -> Iterator[None]:
        """Let a PIN be looked at: one at a time for a terminal, and few in all.

        Each takes long and waits for the one before; who waits holds a worker.

        Raises:
            Unavailable: it is not his turn.
        """
        with self._lock:
            if fingerprint in self._proving or len(self._proving) >= MOST_AT_ONCE:
                raise Unavailable("others are logging in at this moment; try again in a second")
            self._proving.add(fingerprint)
        try:
            yield
        finally:
            with self._lock:
                self._proving.discard(fingerprint)

    def count(self, person_id: str) -> int:
        """Count an attempt before its PIN is looked at; return how many were counted before."""
        with self._lock:
            self._failing[person_id] += 1
            return self._failing[person_id] - 1

    def forget(self, person_id: str) -> None:
        """Forget the attempts of somebody who was right, or whose PIN is another by now."""
        with self._lock:
            self._failing.pop(person_id, None)
