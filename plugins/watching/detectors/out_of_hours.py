"""Uses when nobody should be there: at night, on weekends and holidays, many in an evening.

Overtime that was approved (``watching/approve-hours``) is left out.
"""

from collections.abc import Iterator

import msgspec

from appliance.plugin_api import thresholds
from plugins.watching.findings import MOST_EVIDENCE, Detector, Finding, Surroundings
from plugins.watching.hours import Hours, Part
from plugins.watching.uses import LOGOUT, Use


class Late(msgspec.Struct):
    """The uses of one person in one part of a day."""

    day: int
    person: str
    part: str
    operator: str
    office: str
    terminals: list[str]
    indices: list[int]
    uses: int = 0


class State(msgspec.Struct):
    """What is not over yet, by day, person and part."""

    late: dict[str, Late] = {}


class OutOfHours(Detector[State]):
    """Tells at the end of the day."""

    name = "out-of-hours"

    def __init__(self, rule: thresholds.OutOfHours, hours: Hours) -> None:
        self._least = {
            Part.OFF_DAY: rule.off_day_uses,
            Part.NIGHT: rule.night_uses,
            Part.EVENING: rule.evening_uses,
        }
        self._hours = hours
        self.state = State()

    def see(self, use: Use, around: Surroundings) -> Iterator[Finding]:
        """Count a use outside office hours."""
        yield from ()
        if not use.person or use.operation == LOGOUT:
            return
        part = self._hours.part_of(use.day, use.minute)
        if part is Part.OPEN or _approved(use, around):
            return
        late = self.state.late.setdefault(
            f"{use.day}/{use.person}/{part}",
            Late(use.day, use.person, part, use.operator, use.office, [], []),
        )
        late.uses += 1
        if use.terminal not in late.terminals:
            late.terminals.append(use.terminal)
        late.indices = [*late.indices, use.index][-MOST_EVIDENCE:]

    def day_over(self, day: int) -> Iterator[Finding]:
        """Tell who was there."""
        for key in sorted(key for key, late in self.state.late.items() if late.day <= day):
            late = self.state.late.pop(key)
            if late.uses >= self._least[Part(late.part)]:
                yield Finding(
                    detector=self.name,
                    key=f"{late.person}/{late.part}/{late.day}",
                    day=late.day,
                    persons=(late.person,),
                    operators=(late.operator,),
                    offices=(late.office,),
                    terminals=tuple(late.terminals),
                    figures={"uses": late.uses, f"{late.part}".replace("-", "_"): 1},
                    evidence=tuple(late.indices),
                )


def _approved(use: Use, around: Surroundings) -> bool:
    return any(span.covers(use, use.person, use.office) for span in around.approved)
