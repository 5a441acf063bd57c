"""Uses written down by hand, for the tests of the detectors."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from appliance.model import JST
from appliance.thresholds import Thresholds
from plugins.watching.findings import Finding, Surroundings
from plugins.watching.uses import Use
from plugins.watching.watcher import Watcher
from tests.plugins.people import shipped_policy

SHIPPED = shipped_policy().watching
WEDNESDAY = date(2026, 6, 3)
SATURDAY = date(2026, 6, 6)


@dataclass
class Notes:
    """Uses in the order in which they are written."""

    uses: list[Use] = field(default_factory=list)

    def use(
        self,
        operation: str = "search/detail",
        *,
        person: str = "P-1",
        on: date = WEDNESDAY,
        at: str = "10:00:00",
        **more: Any,
    ) -> int:
        """Write down a use; return its index in the ledger."""
        moment = datetime.combine(on, time.fromisoformat(at), JST)
        index = len(self.uses)
        what = {
            "operator": person.replace("P-", "OP-"),
            "office": "県税",
            "terminal": f"T-{person}",
            "session": f"S-{person}",
            "answered": not more.get("refusal"),
            **more,
        }
        self.uses.append(
            Use(
                index=index,
                seconds=int(moment.timestamp()),
                day=on.toordinal(),
                minute=moment.hour * 60 + moment.minute,
                operation=operation,
                person=person,
                **what,
            )
        )
        return index

    def look(self, subject: int = 1, **more: Any) -> int:
        """Write down that somebody was opened."""
        return self.use(subjects=(subject,), **more)

    def finish(self, subject: int = 1, **more: Any) -> int:
        """Write down an inquiry about somebody."""
        return self.use("provision/inquire", subjects=(subject,), **more)

    def login(self, tried: str, refusal: str = "", **more: Any) -> int:
        """Write down an attempt to log in."""
        return self.use("session/open", person="", tried=tried, refusal=refusal, **more)

    def told(
        self,
        detector: str,
        *,
        rules: Thresholds = SHIPPED,
        around: Surroundings | None = None,
        nights: int = 10,
    ) -> list[Finding]:
        """Return what a detector tells of them, some nights later."""
        watcher = Watcher(rules, (detector,))
        known = around or Surroundings()
        found = [finding for use in self.uses for finding in watcher.see(use, known)]
        return [*found, *watcher.days_over(max(use.day for use in self.uses) + nights)]


def later(days: int, first: date = WEDNESDAY) -> date:
    """Return a day so many days later."""
    return first + timedelta(days=days)
