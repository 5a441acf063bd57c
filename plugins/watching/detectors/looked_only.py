"""Looks that nothing follows from: not a single one, but their share among somebody's looks.

Some looks lead to nothing in everybody's work: the wrong person of two, a caller who hangs up. Who
has far more of them than may be expected is asked. He is held against the others, or the rest of
his office if that is larger, for its work may be of that kind; and against his own past.
"""

from collections.abc import Iterator
from math import sqrt

import msgspec

from appliance.plugin_api import thresholds
from plugins.watching.findings import MOST_EVIDENCE, Detector, Finding
from plugins.watching.looks import Look

BORROWED = 30
"""Looks by which the share of an office is drawn towards that of everybody."""
LEAST_SHARE = 0.02
PAST_LOOKS = 60
"""Looks before the window from which on somebody has a past to be held against; a short one is
drawn towards what others have."""
FADES = 0.995
"""What of the past is left a day later: half of it after about 140 days."""


class Day(msgspec.Struct, array_like=True):
    """The looks of one person on one day."""

    office: str
    operator: str
    looks: int = 0
    loose: list[int] = []
    """Indices."""
    last: int = -1
    """The entry of the last look: a list of three is one search."""


class Sum(msgspec.Struct):
    """The looks of somebody, or of many."""

    looks: float = 0
    loose: float = 0


class State(msgspec.Struct):
    """Day by day, by 照合ID; and what was before the window."""

    days: dict[int, dict[str, Day]] = {}
    past: dict[str, Sum] = {}


class LookedOnly(Detector[State]):
    """Tells of whoever has too many loose looks in the window."""

    name = "looked-only"

    def __init__(self, rule: thresholds.LookedOnly) -> None:
        self._rule = rule
        self.state = State()

    def look(self, look: Look) -> Iterator[Finding]:
        """Count it."""
        today = self.state.days.setdefault(look.day, {})
        day = today.setdefault(look.person, Day(look.office, look.operator, 0, []))
        yield from ()
        if look.index != day.last:
            day.looks += 1
            day.last = look.index
            if not look.finished:
                day.loose.append(look.index)
        elif look.finished and day.loose[-1:] == [look.index]:
            day.loose.pop()

    def day_over(self, day: int) -> Iterator[Finding]:
        """Compare everybody with the others, and with his own past."""
        self._move_on(day)
        latest: dict[str, Day] = {}
        persons: dict[str, Sum] = {}
        for number in sorted(self.state.days):
            for person, one in self.state.days[number].items():
                latest[person] = one
                _add(persons.setdefault(person, Sum()), one.looks, len(one.loose))
        offices: dict[str, Sum] = {}
        everybody = Sum()
        for person, his in persons.items():
            _add(offices.setdefault(latest[person].office, Sum()), his.looks, his.loose)
            _add(everybody, his.looks, his.loose)
        for person in sorted(persons):
            his = persons[person]
            share = _share(his, everybody, offices[latest[person].office])
            expected = self._exceeded(person, his, share)
            if expected is not None:
                yield self._finding(day, person, latest[person], his, expected)

    def _move_on(self, day: int) -> None:
        """Let days go that are before the window; they become the past of their people."""
        for past in self.state.past.values():
            past.looks *= FADES
            past.loose *= FADES
        for old in [each for each in self.state.days if each <= day - self._rule.window_days]:
            for person, one in self.state.days.pop(old).items():
                _add(self.state.past.setdefault(person, Sum()), one.looks, len(one.loose))

    def _exceeded(self, person: str, his: Sum, share: float) -> float | None:
        """Return how many loose looks were to be expected, if there are far more."""
        if his.loose < self._rule.least:
            return None
        tests = [(share, self._rule.people_vary)]
        past = self.state.past.get(person, Sum())
        if past.looks >= PAST_LOOKS:
            own = (past.loose + PAST_LOOKS * share) / (past.looks + PAST_LOOKS)
            tests.append((own, self._rule.months_vary))
        for expects, varies in tests:
            expected = his.looks * expects
            spread = sqrt(expected * (1 - min(0.9, expects)) + (varies * expected) ** 2)
            if his.loose >= expected + self._rule.deviations * spread:
                return expected
        return None

    def _finding(self, day: int, person: str, last: Day, his: Sum, expected: float) -> Finding:
        mine = [
            self.state.days[each][person]
            for each in sorted(self.state.days)
            if person in self.state.days[each]
        ]
        loose = tuple(index for each in mine for index in each.loose)
        return Finding(
            detector=self.name,
            key=person,
            day=day,
            persons=(person,),
            operators=(last.operator,),
            offices=(last.office,),
            figures={
                "looks": his.looks,
                "looked_only": his.loose,
                "expected": round(expected, 1),
            },
            evidence=loose[-MOST_EVIDENCE:],
        )


def _share(his: Sum, everybody: Sum, office: Sum) -> float:
    """Return which share of his looks may be expected to lead to nothing."""
    others = _of(everybody.looks - his.looks, everybody.loose - his.loose)
    colleagues = office.looks - his.looks
    here = _of(colleagues + BORROWED, office.loose - his.loose + BORROWED * others)
    return min(0.9, max(LEAST_SHARE, others, here))


def _of(looks: float, loose: float) -> float:
    return loose / looks if looks else 0.0


def _add(total: Sum, looks: float, loose: float) -> None:
    total.looks += looks
    total.loose += loose
