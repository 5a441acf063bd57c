"""How far a job is, for a page that waits: asked the more seldom, the longer it still takes.

A page that waits asks every two seconds, and every ``provision/bulk-status`` is an entry of the
ledger. Between two of them the page is told again what this very session was told last, and when
that was. So nothing is told that is not in the ledger, and an hour's job is not 1,800 entries.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

SOONEST, LATEST = timedelta(seconds=2), timedelta(seconds=30)
ASKED_ON_THE_WAY = 10
"""A job that takes another N seconds is asked about after N/10."""
MOST = 256


@dataclass(frozen=True, slots=True)
class Glance:
    """What was told of a job, when, and for how long that will do."""

    job: Mapping[str, Any]
    at: datetime
    pause: timedelta


class Glances:
    """What was told last, to each session of each job it waits for; any thread may use it."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, Glance] = OrderedDict()
        self._lock = Lock()

    def still_good(self, whose: Hashable, now: datetime) -> Glance | None:
        """Return what was told, or None: it is time to ask."""
        with self._lock:
            last = self._last.get(whose)
        if last is None or not last.at <= now < last.at + last.pause:
            return None
        return last

    def note(self, whose: Hashable, job: Mapping[str, Any], now: datetime) -> Glance:
        """Keep what was told just now."""
        with self._lock:
            before = self._last.pop(whose, None)
            glance = Glance(job, now, pause_after(job, before))
            self._last[whose] = glance
            while len(self._last) > MOST:
                self._last.popitem(last=False)
        return glance


def pause_after(job: Mapping[str, Any], before: Glance | None) -> timedelta:
    """Return how long nobody has to ask; where nobody knows how long it takes, longer each time."""
    if job["eta"] is not None:
        wanted = timedelta(seconds=job["eta"]) / ASKED_ON_THE_WAY
    else:
        wanted = before.pause * 2 if before else SOONEST
    return min(max(wanted, SOONEST), LATEST)
