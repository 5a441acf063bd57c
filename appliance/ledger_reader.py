"""The ledger as an auditor reads it: entries by filter, entries about a person, proofs."""

from collections.abc import Callable, Iterator

from appliance.audit import Reading, read_entry
from appliance.errors import NotFound
from storage.engine import PersonId, View

CHUNK = 512


class LedgerReader:
    """The ledger as of one view."""

    def __init__(self, view: View, checkpoint: Callable[[], str]) -> None:
        self._view = view
        self._checkpoint = checkpoint

    def newest_first(self) -> Iterator[Reading]:
        """Yield every entry, the newest first."""
        stop = self._view.ledger_size()
        while stop:
            start = max(0, stop - CHUNK)
            yield from map(read_entry, reversed(list(self._view.entries(start, stop))))
            stop = start

    def about(self, person: PersonId) -> Iterator[Reading]:
        """Yield every entry that has this person as a subject, the newest first."""
        for index in reversed(self._view.entries_about(person)):
            yield self.entry(index)

    def entry(self, index: int) -> Reading:
        """Return one entry.

        Raises:
            NotFound: the ledger is not that long.
        """
        if not 0 <= index < self._view.ledger_size():
            raise NotFound("the ledger has no entry of this number")
        return read_entry(next(iter(self._view.entries(index, index + 1))))
