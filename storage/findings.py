"""What a check finds, and how it tells how far it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from storage.errors import StorageError

MOST_FINDINGS = 1_000
"""Findings kept; where so much is wrong, more would tell nobody more."""

Progress = Callable[[str, int, int], None]
"""Is told the part, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be: where, and what.  Never a value."""

    place: str
    what: str


class Findings:
    """What one check has found so far."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.all: list[Finding] = []
        self._progress = progress

    def add(self, place: str, what: str) -> None:
        """Remember a finding."""
        if len(self.all) < MOST_FINDINGS:
            self.all.append(Finding(place, what))

    def tell(self, part: str, done: int, total: int) -> None:
        """Say how far the check is."""
        if self._progress is not None:
            self._progress(part, done, total)

    @contextmanager
    def noting(self, place: str) -> Iterator[None]:
        """Make a finding of what goes wrong in the block, and go on after it."""
        try:
            yield
        except StorageError as problem:
            self.add(place, str(problem))
