"""Tallies counted again: what a person's versions give, asked of the plugins one after another.

The tallies are kept change by change and never by reading everything; that they are still what the
records say is shown by replaying every change, in ``juki check`` and by a job of a plugin.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import pluggy

from appliance.items import Values
from appliance.model import Change
from appliance.retention import YEARS
from appliance.standing import until
from storage.engine import PersonId, VersionId

Versions = Iterable[tuple[int, Values]]
"""Those of a person that are not erased, by number."""

_MONTH = re.compile(r"[a-z-]+/([0-9]{4})-([0-9]{2})/")
_UNTIL = re.compile(r"/until-([0-9]{4}-[0-9]{2}-[0-9]{2})\Z")


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


def has_lapsed(name: str, today: date) -> bool:
    """Return whether a tally counts for nothing any more (``/until-YYYY-MM-DD``)."""
    found = _UNTIL.search(name)
    return found is not None and date.fromisoformat(found[1]) <= today


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
        uncountable = has_lapsed(name, today) or may_be_erased(name, today)
        if there != right and not uncountable:
            yield name, there, right
