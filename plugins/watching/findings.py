"""What a detector tells, and what every detector is."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import msgspec

from plugins.watching.looks import Look
from plugins.watching.uses import Use

MOST_EVIDENCE = 50
"""Entries of the ledger that a flag names; the newest ones."""
S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something for a person to decide; names staff by their IDs, and no resident."""

    detector: str
    key: str
    """The same fact has the same key; it is not told again for a while."""
    day: int
    persons: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()
    terminals: tuple[str, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)
    evidence: tuple[int, ...] = ()
    """Indices of ledger entries."""


class Span(NamedTuple):
    """A time in which somebody may do what is told otherwise."""

    since: int
    """Seconds since 1970."""
    until: int
    who: str
    """照合ID or 所属."""
    by: str = ""
    """照合ID of whoever entered it: for himself it is nothing."""

    def covers(self, use: Use, *names: str) -> bool:
        """Return whether it is for one of these names at the time of a use."""
        within = self.since <= use.seconds <= self.until
        return within and use.person != self.by and self.who in names


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known beside the ledger."""

    canaries: frozenset[int] = frozenset()
    drills: tuple[Span, ...] = ()
    """When who opens canaries."""
    approved: tuple[Span, ...] = ()
    """When who works outside office hours."""
    places: dict[str, str] = field(default_factory=dict)
    """Where a terminal stands, by 操作端末ID."""


class Detector(Generic[S]):
    """Looks at uses in the order of the ledger; all it remembers is in ``state``.

    What it tells depends on the uses and on the ends of days alone, never on how many were read at
    once: so a run that was interrupted tells what it would have told.
    """

    name: ClassVar[str]
    state: S

    def see(self, use: Use, around: Surroundings) -> Iterable[Finding]:
        """Take in one use."""
        return ()

    def look(self, look: Look) -> Iterable[Finding]:
        """Take in a look at somebody, once it is known what followed."""
        return ()

    def day_over(self, day: int) -> Iterable[Finding]:
        """Draw conclusions at the end of a day, and forget what is too old to matter."""
        return ()

    def kept(self) -> dict[str, Any]:
        """Return the state as plain data."""
        plain: dict[str, Any] = msgspec.to_builtins(self.state)
        return plain

    def take(self, kept: dict[str, Any]) -> None:
        """Go on from a state that was kept."""
        self.state = msgspec.convert(kept, type(self.state))
