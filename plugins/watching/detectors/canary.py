"""A resident who does not exist was opened.

Nobody has work to do with such a resident: whoever comes upon one reads more than his work, or
copies the register. What the appliance does by itself is no use, except bulk provision, which
somebody has asked for; and neither is asking the ledger who has opened him.
"""

from collections.abc import Iterator

import msgspec

from appliance.plugin_api import thresholds
from plugins.watching.findings import Detector, Finding, Surroundings
from plugins.watching.uses import FIND, Use

BULK = "provision/bulk-step"
ASKING = ("ledger/", "watching/")


class State(msgspec.Struct):
    """Nothing has to be remembered."""


class Canary(Detector[State]):
    """Tells of every opening outside a drill."""

    name = "canary"

    def __init__(self, rule: thresholds.Canary) -> None:
        self._rule = rule
        self.state = State()

    def see(self, use: Use, around: Surroundings) -> Iterator[Finding]:
        """Tell at once."""
        opened = around.canaries.intersection(use.subjects)
        if not opened or not self._counts(use) or _drilled(use, around):
            return
        who = use.person or use.operation
        for canary in sorted(opened):
            yield Finding(
                detector=self.name,
                key=f"{canary}/{who}/{use.day}",
                day=use.day,
                persons=(use.person,) if use.person else (),
                operators=(use.operator,) if use.operator else (),
                offices=(use.office,) if use.office else (),
                terminals=(use.terminal,) if use.terminal else (),
                figures={"subjects_of_use": len(use.subjects)},
                evidence=(use.index,),
            )

    def _counts(self, use: Use) -> bool:
        if use.operation == FIND and not self._rule.listed_too:
            return False
        by_staff = bool(use.person) and not use.operation.startswith(ASKING)
        return by_staff or use.operation == BULK


def _drilled(use: Use, around: Surroundings) -> bool:
    return any(span.covers(use, use.person) for span in around.drills)
