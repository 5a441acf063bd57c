"""Versions whose time of retention is over: found, counted, and erased beyond recovery (R153-R155).

How long a version is kept is decided when it becomes history (``retention.py``); this is the part
of the registry that lets it go, together with whatever only it was found by.
"""

from datetime import date

from appliance.errors import Conflict, Failed, NotFound
from appliance.index import Index
from appliance.items import CELLS, Values, open_form
from appliance.traces import Touched
from storage.engine import PersonId, Token, Unit, VersionId, View
from storage.errors import RecordNotFound

_EVERYTHING = tuple(item.number for item in CELLS)


class Erasing:
    """The residents of one request, as far as something of them is to be erased."""

    def __init__(self, view: View, unit: Unit | None, index: Index, touched: Touched) -> None:
        self._view = view
        self._unit = unit
        self._index = index
        self._touched = touched

    def expired(self, day: date, limit: int) -> list[VersionId]:
        """Return versions whose time of retention is over on a day, first due first (R155)."""
        return self._view.expired(day.toordinal(), limit)

    def due(self, day: date) -> int:
        """Return how many versions' time of retention is over on a day."""
        return self._view.due(day.toordinal())

    def is_kept(self, person: PersonId) -> bool:
        """Return whether any version of a person is still there."""
        latest = self._view.latest(person)
        return any(self._whole(person, number) is not None for number in range(latest, 0, -1))

    def erase(self, version: VersionId) -> None:
        """Erase a version, and by what only it was found (R154).

        Raises:
            Conflict: its time of retention does not run; nothing is erased before.
            NotFound: there is no such version any more.
        """
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        if self._view.term(version) is None:
            raise Conflict("this version is kept: its time of retention does not run")
        self._unit.erase(version, self._only_of(version))
        self._touched.subjects[version.person] = None

    def _only_of(self, version: VersionId) -> frozenset[Token]:
        """Return the tokens by which nothing but this version lets its person be found."""
        values = self._whole(version.person, version.number)
        if values is None:
            raise NotFound("there is no such record")
        lost, latest = self._index.tokens_of(values), self._view.latest(version.person)
        for number in range(1, latest + 1):
            other = None if number == version.number else self._whole(version.person, number)
            if other is not None:
                # Identifiers are of every version, the others of the latest alone.
                kept = self._index.tokens_of(other)
                lost -= {t for t in kept if number == latest or isinstance(t.value, bytes)}
        return lost

    def _whole(self, person: PersonId, number: int) -> Values | None:
        """Return everything of a version, or None if it is erased."""
        try:
            return open_form(self._view.read(person, _EVERYTHING, number).fields)
        except RecordNotFound:
            return None
