"""Whose request is next: in the order they came, and of one certificate only so many at a time.

Whoever sends many at once waits for himself; a worker is left for the others. Requests without a
certificate (the loopback port) are not held back.
"""

import queue
import threading
from collections import Counter, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """A queue for workers. Every method may be called from any thread."""

    def __init__(self, most: int) -> None:
        """``most`` requests of one certificate are with workers, or next, at one time."""
        self._most = most
        self._next: queue.SimpleQueue[T] = queue.SimpleQueue()
        self._out: Counter[str] = Counter()
        self._held: dict[str, deque[T]] = {}
        self._lock = threading.Lock()
        self.get = self._next.get
        """Take the next one, waiting for it."""

    def __len__(self) -> int:
        with self._lock:
            return self._next.qsize() + sum(map(len, self._held.values()))

    def put(self, one: T, certificate: str | None = None) -> None:
        """Queue a request; ``done`` must follow once it was taken and answered."""
        if certificate is None:
            self._next.put(one)
            return
        with self._lock:
            if self._out[certificate] < self._most:
                self._out[certificate] += 1
                self._next.put(one)
            else:
                self._held.setdefault(certificate, deque()).append(one)

    def done(self, certificate: str | None) -> None:
        """Let the certificate's next request take its turn."""
        if certificate is None:
            return
        with self._lock:
            if held := self._held.get(certificate):
                self._next.put(held.popleft())
                if not held:
                    del self._held[certificate]
                return
            self._out[certificate] -= 1
            if not self._out[certificate]:
                del self._out[certificate]
