"""What a plugin may look at without an entry in the ledger: counts, terminals, papers of its own.

No resident is opened, and nobody is named.

For questions that are asked every second or every minute: whether a job has anything to do, and
whether there is something a human should see to.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from appliance.model import JST
from appliance.outgoing import backlog
from appliance.papers import Papers
from appliance.registers import Register
from appliance.terminals import TerminalBook, TerminalRecord
from storage.engine import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something a human should see to; tells of nobody."""

    name: str
    """``function/what`` in a-z, 0-9 and hyphens; a label of the metrics."""
    text: str
    """Japanese, for staff: what is so, and what to do next."""
    count: int = 1
    since: datetime | None = None
    """Of the oldest, with its time zone."""


class Watch:
    """One look of one plugin, in a view."""

    def __init__(self, view: View, owner: str, now: datetime) -> None:
        self._view = view
        self.now = now
        self.papers = Papers(view, None, owner)
        """The plugin's own; they cannot be written here."""

    @property
    def today(self) -> date:
        """The date in Japan."""
        return self.now.astimezone(JST).date()

    def register(self, name: str) -> Register:
        """Return a register of the plugin."""
        return Register(self.papers, name)

    def tallies(self, prefix: str) -> Mapping[str, int]:
        """Return every tally whose name begins so, by name; one that is nought is not there."""
        return self._view.tallies(prefix)

    def terminals(self) -> Iterator[tuple[TerminalRecord, datetime | None]]:
        """Yield every line of 端末管理簿, and when somebody logged in there last."""
        book = TerminalBook(self._view, None)
        for record in book.terminals():
            yield record, book.terminal_used(record.terminal_id)

    @property
    def key_years(self) -> tuple[int, ...]:
        """The years of the retention keys of current versions; the last one is in use."""
        return self._view.key_years()

    @property
    def entries(self) -> int:
        """How many entries the ledger has."""
        return self._view.ledger_size()

    def waiting(self, destination: str) -> int:
        """Return how many messages a destination has not acknowledged."""
        return backlog(self._view, destination).depth
