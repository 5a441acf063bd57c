"""The ledger as an auditor reads it: entries by filter, entries about a person, proofs."""

from collections.abc import Iterator

from appliance.audit import Reading, read_entry
from appliance.errors import NotFound
from storage.engine import PersonId, View
from storage.leaf import parse_leaf
from storage.merkle import Tree
from storage.note import Checkpoint, parse_note
from storage.proof import prove

CHUNK = 64
"""Entries opened together; an entry may have 64 KiB, and many may read the ledger at once."""


class LedgerReader:
    """The ledger as of one view, and the newest checkpoint that a witness has cosigned."""

    def __init__(self, view: View, cosigned: str | None = None) -> None:
        self._view = view
        self._cosigned = cosigned

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._view.ledger_size()

    def between(self, start: int, stop: int) -> Iterator[Reading]:
        """Yield the entries ``start <= index < stop``, the oldest first."""
        return map(read_entry, self._view.entries(start, stop))

    def newest_first(self, before: int | None = None, end: int = 0) -> Iterator[Reading]:
        """Yield the entries ``end <= index < before``, or all from ``end`` on, the newest first."""
        size = self._view.ledger_size()
        stop = size if before is None else min(before, size)
        while stop > end:
            start = max(end, stop - CHUNK)
            yield from map(read_entry, reversed(list(self._view.entries(start, stop))))
            stop = start

    def place_of(self, at_ms: int) -> int:
        """Return how many entries lie before a time: the first at or after it has this number.

        Entries are in the order of time but where the clock was set back; nothing is opened.
        """
        low, high = 0, self._view.ledger_size()
        while low < high:
            middle = (low + high) // 2
            (entry,) = self._view.entries_raw(middle, middle + 1)
            if parse_leaf(entry).header.at_ms < at_ms:
                low = middle + 1
            else:
                high = middle
        return low

    def about(self, person: PersonId, before: int | None = None) -> Iterator[Reading]:
        """Yield every entry, or every one below ``before``, about a person, the newest first."""
        for index in reversed(self._view.entries_about(person)):
            if before is None or index < before:
                yield self.entry(index)

    def entry(self, index: int) -> Reading:
        """Return one entry.

        Raises:
            NotFound: the ledger is not that long.
        """
        if not 0 <= index < self._view.ledger_size():
            raise NotFound("the ledger has no entry of this number")
        return read_entry(next(iter(self._view.entries(index, index + 1))))

    @property
    def witnessed(self) -> int:
        """How many entries the newest cosigned checkpoint has, if all are in this view; or 0."""
        if self._cosigned is None:
            return 0
        cosigned = Checkpoint.parse(parse_note(self._cosigned).text).size
        return cosigned if cosigned <= self.size else 0

    def proof(self, index: int) -> str:
        """Return the evidence, for anybody to check, that an entry is there (C2SP tlog-proof).

        It has the entry in it, as it is sealed, and leads to the newest cosigned checkpoint if that
        has the entry.

        Raises:
            NotFound: the signed checkpoint has no such entry.
        """
        size = self.size
        if not 0 <= index < size:
            raise NotFound("the ledger has no entry of this number")
        (entry,) = self._view.entries_raw(index, index + 1)
        signed = self._cosigned if index < self.witnessed else None
        checkpoint = signed or self._view.checkpoint()
        return prove(Tree(size, self._view), index, checkpoint, entry).text()
