"""Tallies counted again: what a person's versions give, asked of the plugins one after another.

The tallies are kept change by change and never by reading everything; that they are still what the
records say is shown by replaying every change, in ``juki check`` and by a job of a plugin.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import pluggy

from appliance.items import BY_NUMBER, Values, open_form
from appliance.model import Change
from appliance.retention import YEARS
from appliance.standing import until
from appliance.traces import Touched
from storage.engine import PersonId, VersionId, View
from storage.errors import RecordNotFound

Versions = Iterable[tuple[int, Values]]
"""Those of a person that are not erased, by number."""

_MONTH = re.compile(r"[a-z-]+/([0-9]{4})-([0-9]{2})/")
_UNTIL = "/until-"


def moved(hook: pluggy.HookRelay, change: Change, today: date) -> list[tuple[str, int]]:
    """Return which tallies the plugins move with a change, and by how much."""
    answers = hook.tallies(change=change, today=today)
    return [tally for answer in answers for tally in answer.items()]


def replayed(
    hook: pluggy.HookRelay, person: PersonId, versions: Versions, today: date, first: int = 1
) -> Iterator[tuple[str, int]]:
    """Yield what the versions of a person, oldest first, move, from the one numbered ``first``."""
    before: Values | None = None
    left: date | None = None
    for number, values in versions:
        leaves = until(values, left)
        if number >= first:
            change = Change(VersionId(person, number), before, values, left, leaves)
            yield from moved(hook, change, today)
        before, left = values, leaves


class Recount:
    """Tallies counted again in one request: a plugin gets numbers, and sees nobody."""

    def __init__(self, view: View, hook: pluggy.HookRelay, today: date, touched: Touched) -> None:
        self._view = view
        self._hook = hook
        self._today = today
        self._touched = touched

    def persons(self, after: int, limit: int) -> list[PersonId]:
        """Return up to ``limit`` persons above a number, in order; nothing of them is opened."""
        return self._view.persons(after, limit)

    def counted(self, person: PersonId, only: int = 0) -> list[tuple[str, int]]:
        """Return which tallies the versions of a person moved, or one version of them only.

        Everything is opened, and nothing leaves but counts: nobody is a subject of the entry; how
        many were opened stands in it, as with the candidates of a search.

        Raises:
            RecordNotFound: there is no such person.
        """
        numbers = range(1, (only or self._view.latest(person)) + 1)
        versions = ((number, self._opened(person, number)) for number in numbers)
        whole = ((number, values) for number, values in versions if values is not None)
        self._touched.candidates += 1
        return list(replayed(self._hook, person, whole, self._today, only or 1))

    def _opened(self, person: PersonId, number: int) -> Values | None:
        """Return everything of a version, or None if it is erased."""
        try:
            return open_form(self._view.read(person, BY_NUMBER, number).fields)
        except RecordNotFound:
            return None


def has_lapsed(name: str, today: date) -> bool:
    """Return whether a tally counts for nothing any more (``/until-YYYY-MM-DD``)."""
    _, until_when, day = name.rpartition(_UNTIL)
    # Days written so are in order as texts; there are very many names.
    return bool(until_when) and day <= today.isoformat()


def may_be_erased(name: str, today: date) -> bool:
    """Return whether a tally is of a month so long ago that what it counted may be erased."""
    month = _MONTH.match(name)
    if month is None:
        return False
    return (int(month[1]) + YEARS, int(month[2])) <= (today.year, today.month)


def differences(
    counted: Mapping[str, int], kept: Mapping[str, int], today: date
) -> Iterator[tuple[str, int, int]]:
    """Yield each tally that is not what was counted: its name, what is kept, what was counted."""
    for name in sorted(counted.keys() | kept.keys()):
        there, right = kept.get(name, 0), counted.get(name, 0)
        if there != right and not (has_lapsed(name, today) or may_be_erased(name, today)):
            yield name, there, right
