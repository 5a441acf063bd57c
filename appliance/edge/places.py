"""Who is connected: in all, by certificate, and how much memory was promised to them."""

import threading
from collections import Counter

from appliance.edge.caller import Caller
from appliance.edge.limits import Limits


class Places:
    """The places of one port. Every method may be called from any thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._callers: dict[int, Caller] = {}
        self._unproven: dict[int, Caller] = {}
        self._of_certificate: Counter[str | None] = Counter()
        self._reserved = 0
        self._reserved_for: Counter[str | None] = Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._callers)

    @property
    def full(self) -> bool:
        """True when nobody can come in before somebody leaves."""
        return len(self) >= self._limits.connections

    def caller(self, number: int) -> Caller | None:
        """Return who has this file descriptor."""
        return self._callers.get(number)

    def everybody(self) -> list[Caller]:
        """Return all who are here."""
        with self._lock:
            return list(self._callers.values())

    def unproven(self) -> list[Caller]:
        """Return who has shown no certificate, or too many connections with one; oldest first."""
        with self._lock:
            return list(self._unproven.values())

    def enter(self, caller: Caller) -> None:
        """Take a place."""
        with self._lock:
            self._callers[caller.number] = caller
            self._unproven[caller.number] = caller

    def prove(self, caller: Caller) -> bool:
        """Count the connection for its certificate; return False if that has too many now."""
        fingerprint = caller.fingerprint
        with self._lock:
            self._of_certificate[fingerprint] += 1
            if self._of_certificate[fingerprint] > self._limits.connections_per_certificate:
                return False
            self._unproven.pop(caller.number, None)
            return True

    def leave(self, caller: Caller) -> bool:
        """Free the place and all that went with it; return False if that was done before."""
        with self._lock:
            if self._callers.get(caller.number) is not caller:
                return False
            del self._callers[caller.number]
            self._unproven.pop(caller.number, None)
            if caller.fingerprint is not None:
                self._forget(caller.fingerprint)
            self._release(caller)
            return True

    def reserve(self, caller: Caller, size: int) -> bool:
        """Promise memory for a body; return False when too much is promised already.

        Too much for all callers together, or for the certificate of this one.
        """
        fingerprint, limits = caller.fingerprint, self._limits
        with self._lock:
            mine = self._reserved_for[fingerprint] + size
            if fingerprint is not None and mine > limits.bodies_bytes_per_certificate:
                return False
            if self._reserved + size > limits.bodies_bytes:
                return False
            self._reserved += size
            self._reserved_for[fingerprint] = mine
            caller.reserved = size
            return True

    def release(self, caller: Caller) -> None:
        """Take the promise back; the body is gone."""
        with self._lock:
            self._release(caller)

    def _release(self, caller: Caller) -> None:
        self._reserved -= caller.reserved
        self._reserved_for[caller.fingerprint] -= caller.reserved
        if not self._reserved_for[caller.fingerprint]:
            del self._reserved_for[caller.fingerprint]
        caller.reserved = 0

    def _forget(self, fingerprint: str) -> None:
        self._of_certificate[fingerprint] -= 1
        if not self._of_certificate[fingerprint]:
            del self._of_certificate[fingerprint]
