"""The same resident seen by many who have no case in common: the celebrity, the infected neighbour.

Colleagues who work at one case are one. What led to a provision or a form counts only for
``operators_in_all``: several offices rightly deal with the same person.
"""

from collections.abc import Iterator, Sequence

import msgspec

from appliance.plugin_api import thresholds
from plugins.watching.findings import MOST_EVIDENCE, Detector, Finding
from plugins.watching.looks import Look


class Seen(msgspec.Struct, array_like=True):
    """One look at the resident."""

    index: int
    day: int
    person: str
    operator: str
    office: str
    case: str
    loose: bool


class State(msgspec.Struct):
    """Looks of the last days, by resident."""

    seen: dict[int, list[Seen]] = {}
    latest: int = 0
    """The day of the last look; looks are told some days after."""


class SeenByMany(Detector[State]):
    """Tells of residents; names who looked, and not whom he looked at."""

    name = "seen-by-many"

    def __init__(self, rule: thresholds.SeenByMany) -> None:
        self._rule = rule
        self.state = State()

    def look(self, look: Look) -> Iterator[Finding]:
        """Count it with the others of the window."""
        self.state.latest = look.day
        seen = self.state.seen.setdefault(look.subject, [])
        seen.append(
            Seen(
                look.index,
                look.day,
                look.person,
                look.operator,
                look.office,
                look.case,
                not look.finished,
            )
        )
        since = look.day - self._rule.within_days
        seen[:] = [each for each in seen if each.day > since]
        apart = _apart(seen)
        loose = [each for each in apart if each.loose]
        many = len({each.person for each in loose}) >= self._rule.operators
        far = len({each.office for each in loose}) >= self._rule.offices
        if many or far:
            yield self._finding(look, loose)
        elif len({each.person for each in apart}) >= self._rule.operators_in_all:
            yield self._finding(look, apart)

    def day_over(self, day: int) -> Iterator[Finding]:
        """Forget what is too old."""
        since = self.state.latest - self._rule.within_days
        for subject, seen in list(self.state.seen.items()):
            if seen[-1].day <= since:
                del self.state.seen[subject]
        yield from ()

    def _finding(self, look: Look, seen: Sequence[Seen]) -> Finding:
        persons = sorted({each.person for each in seen})
        offices = sorted({each.office for each in seen})
        return Finding(
            detector=self.name,
            key=str(look.subject),
            day=look.day,
            persons=tuple(persons),
            operators=tuple(sorted({each.operator for each in seen})),
            offices=tuple(offices),
            figures={
                "persons": len(persons),
                "offices": len(offices),
                "looked_only": sum(each.loose for each in seen),
            },
            evidence=tuple(each.index for each in seen)[-MOST_EVIDENCE:],
        )


def _apart(seen: Sequence[Seen]) -> list[Seen]:
    """Return the looks, of those under one case only the first one's person's."""
    first: dict[str, str] = {}
    for each in seen:
        if each.case:
            first.setdefault(each.case, each.person)
    return [each for each in seen if first.get(each.case, each.person) == each.person]
