"""Somebody of the staff asked for himself, or for people of his own family name.

Whoever has a common name meets it in his work: there it stands under a case, and something follows.
His whole name is told at once; the family name alone where nothing followed, or no case was named.
"""

from collections.abc import Iterator

import msgspec

from appliance.plugin_api import thresholds
from plugins.watching.findings import MOST_EVIDENCE, Detector, Finding, Surroundings
from plugins.watching.kin import Kin
from plugins.watching.looks import Look
from plugins.watching.uses import Use


class Met(msgspec.Struct, array_like=True):
    """One loose look at somebody of the same family name."""

    index: int
    day: int
    case: bool


class State(msgspec.Struct):
    """Loose looks of the last days, by 照合ID."""

    met: dict[str, list[Met]] = {}
    latest: int = 0
    """The day of the last look; looks are told some days after."""


class OwnName(Detector[State]):
    """Tells of the whole name at once, and of the family name by looks."""

    name = "own-name"

    def __init__(self, rule: thresholds.OwnName) -> None:
        self._rule = rule
        self.state = State()

    def see(self, use: Use, around: Surroundings) -> Iterator[Finding]:
        """Tell of the whole name."""
        if use.sees_residents and use.kin == Kin.OWN:
            yield Finding(
                detector=self.name,
                key=f"{use.person}/own",
                day=use.day,
                persons=(use.person,),
                operators=(use.operator,),
                offices=(use.office,),
                terminals=(use.terminal,),
                figures={"whole_name": 1},
                evidence=(use.index,),
            )

    def look(self, look: Look) -> Iterator[Finding]:
        """Tell of the family name, once there are enough."""
        self.state.latest = look.day
        if look.kin == Kin.NONE or look.finished:
            return
        met = self.state.met.setdefault(look.person, [])
        if met and met[-1].index == look.index:
            return
        met.append(Met(look.index, look.day, bool(look.case)))
        since = look.day - self._rule.window_days
        met[:] = [each for each in met if each.day > since]
        without_case = sum(not each.case for each in met)
        if without_case >= self._rule.without_case or len(met) >= self._rule.loose:
            yield Finding(
                detector=self.name,
                key=f"{look.person}/family",
                day=look.day,
                persons=(look.person,),
                operators=(look.operator,),
                offices=(look.office,),
                terminals=(look.terminal,),
                figures={"looked_only": len(met), "without_case": without_case},
                evidence=tuple(each.index for each in met)[-MOST_EVIDENCE:],
            )

    def day_over(self, day: int) -> Iterator[Finding]:
        """Forget what is too old."""
        since = self.state.latest - self._rule.window_days
        for person, met in list(self.state.met.items()):
            if met[-1].day <= since:
                del self.state.met[person]
        yield from ()
