"""What was promised, and what went wrong: counted, and the first of it in words."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

MOST_FINDINGS: Final = 100


@dataclass(frozen=True, slots=True)
class Receipt:
    """An answer that was acknowledged: the entry that must be in the ledger for it."""

    index: int
    request_id: str
    operation: str
    terminal: str
    repeated: bool = False
    """The answer must be the first one told again."""


@dataclass(slots=True)
class Account:
    """The account of a whole run; any thread may write."""

    counts: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    """Lives by the moment at which they ended."""
    absent: int = 0
    half_done: int = 0
    other: int = 0
    """Answers and states that are wrong in any other way."""
    findings: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, number: int = 1) -> None:
        """Count something that went as it should."""
        with self._lock:
            self.counts[what] += number

    def find_absent(self, what: str, number: int = 1) -> None:
        """Note that something acknowledged is not there."""
        with self._lock:
            self.absent += number
            self._note(f"absent: {what}")

    def find_half_done(self, what: str) -> None:
        """Note that something is there in part, or twice."""
        with self._lock:
            self.half_done += 1
            self._note(f"half done: {what}")

    def find(self, what: str) -> None:
        """Note anything else that is wrong."""
        with self._lock:
            self.other += 1
            self._note(what)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.absent or self.half_done or self.other)

    @property
    def acknowledged(self) -> int:
        """Notices and looks that were answered before the process was killed."""
        return self.counts["notices"] + self.counts["looks"]

    def plain(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            "killed": dict(self.killed),
            "acknowledged": self.acknowledged,
            **dict(self.counts),
            "acknowledged_and_absent": self.absent,
            "half_done": self.half_done,
            "otherwise_wrong": self.other,
            "findings": self.findings,
        }

    def _note(self, text: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(text)
