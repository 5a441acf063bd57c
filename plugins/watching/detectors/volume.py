"""More uses on a day than this operator's own days of that class would let expect.

Robust: median and median deviation of his last days of the class, so that one wild day does not
hide the next. When his whole office has more to do, as a tax office in its season, that much more
is expected of him. A newcomer is held against the days of his colleagues.
"""

from collections.abc import Iterator, Sequence
from math import sqrt
from statistics import median

import msgspec

from appliance.plugin_api import thresholds
from plugins.watching.findings import MOST_EVIDENCE, Detector, Finding, Surroundings
from plugins.watching.hours import DayClass, Hours
from plugins.watching.uses import Use

TO_DEVIATION = 1.4826
"""From the median deviation to the standard deviation of a normal distribution."""


class Busy(msgspec.Struct):
    """The uses of one person on one day."""

    office: str
    operator: str
    uses: int = 0
    indices: list[int] = []


class State(msgspec.Struct):
    """The day under way, and the counts of past days."""

    today: dict[int, dict[str, Busy]] = {}
    past: dict[str, dict[str, list[int]]] = {}
    """By 照合ID and class, the oldest first."""
    offices: dict[str, str] = {}
    """Where somebody was seen last."""


class Volume(Detector[State]):
    """Tells at the end of a working day."""

    name = "volume"

    def __init__(self, rule: thresholds.Volume, hours: Hours) -> None:
        self._rule = rule
        self._hours = hours
        self.state = State()

    def see(self, use: Use, around: Surroundings) -> Iterator[Finding]:
        """Count a use."""
        yield from ()
        if use.sees_residents:
            today = self.state.today.setdefault(use.day, {})
            busy = today.setdefault(use.person, Busy(use.office, use.operator, 0, []))
            busy.uses += 1
            busy.indices = [*busy.indices, use.index][-MOST_EVIDENCE:]

    def day_over(self, day: int) -> Iterator[Finding]:
        """Compare everybody's day with his past."""
        for over in sorted(each for each in self.state.today if each <= day):
            kind = self._hours.class_of(over)
            today = self.state.today.pop(over)
            if kind is not DayClass.OFF:
                yield from self._compare(over, kind, today)
                self._remember(kind, today)

    def _compare(self, day: int, kind: DayClass, today: dict[str, Busy]) -> Iterator[Finding]:
        usual = {person: self._usual(person, busy.office, kind) for person, busy in today.items()}
        for person in sorted(today):
            busy, past = today[person], usual[person]
            if past is None or busy.uses < self._rule.least_uses:
                continue
            middle = median(past)
            busier = max(1.0, self._season(person, today, usual))
            spread = max(
                TO_DEVIATION * median(abs(each - middle) for each in past), sqrt(middle), 1
            )
            expected = middle * busier
            if busy.uses > expected + self._rule.deviations * spread * sqrt(busier):
                yield Finding(
                    detector=self.name,
                    key=f"{person}/{day}",
                    day=day,
                    persons=(person,),
                    operators=(busy.operator,),
                    offices=(busy.office,),
                    figures={
                        "uses": busy.uses,
                        "expected": round(expected, 1),
                        "spread": round(spread * sqrt(busier), 1),
                        "days": len(past),
                    },
                    evidence=tuple(busy.indices),
                )

    def _usual(self, person: str, office: str, kind: DayClass) -> Sequence[int] | None:
        """Return the counts of his past days of the class, or of his colleagues'; or None."""
        own = self.state.past.get(person, {}).get(kind, [])
        if len(own) >= self._rule.least_history:
            return own
        colleagues = [who for who, where in self.state.offices.items() if where == office]
        others = [n for who in colleagues for n in self.state.past[who].get(kind, [])]
        return others if len(others) >= self._rule.least_history else None

    def _season(
        self, person: str, today: dict[str, Busy], usual: dict[str, Sequence[int] | None]
    ) -> float:
        """Return how much busier than usual his colleagues are today."""
        office = today[person].office
        ratios = [
            busy.uses / max(1.0, median(past))
            for other, busy in today.items()
            if other != person and busy.office == office and (past := usual[other])
        ]
        return median(ratios) if ratios else 1.0

    def _remember(self, kind: DayClass, today: dict[str, Busy]) -> None:
        for person, busy in today.items():
            past = self.state.past.setdefault(person, {}).setdefault(kind, [])
            past.append(busy.uses)
            del past[: -self._rule.history_days]
            self.state.offices[person] = busy.office
