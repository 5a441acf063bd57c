"""What is counted of every day while the ledger is read by night, for the plots of the auditor.

Reading a year of entries each time somebody looks would take minutes; these counts are small. They
name staff by 照合ID and no resident. A day is a paper of kind ``days``, named by date.

==========  =============  ========  ============================================================
what        where          who       which
==========  =============  ========  ============================================================
use         所属                       function: uses that were answered
hour        所属            照合ID      hour of the day, in Japan: the same by hour
outside     所属            照合ID      the same outside office hours
look        所属            照合ID      ``followed`` or ``only``: looks, by what came of them
hits        所属                       class of hits of a search
by-name     所属                       searches by name alone
proof       所属                       ``device``, ``pin`` or ``failed``
lag         市区町村コード                days from 異動年月日 until a notice was applied
==========  =============  ========  ============================================================

Uses and proofs count on their own day, a look on the day of the look, which is known days later.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec

from appliance.plugin_api import Papers, thresholds
from plugins.watching.detectors.failed_logins import WRONG
from plugins.watching.findings import Detector, Finding, Surroundings
from plugins.watching.hours import Hours, Part
from plugins.watching.looks import Look
from plugins.watching.uses import FIND, PROOFS, Use

DAYS = "days"
CLASSES = ((0, "0"), (1, "1"), (5, "2-5"), (10, "6-10"), (20, "11-20"), (50, "21-50"))
"""Of hits: up to how many, and what that is called."""
BEYOND = "51-"


class Count(NamedTuple):
    """What is counted."""

    what: str
    where: str
    who: str = ""
    which: str = ""


Counts = Mapping[int, Counter[Count]]
"""By day, an ordinal."""


Tables = Mapping[str, Mapping[str, Mapping[str, Mapping[str, int]]]]
"""Of one day, as they are kept: what, where, who, which. There are many, and few of a kind."""


class Nothing(msgspec.Struct):
    """Nothing is remembered between two runs: what was counted is in the papers."""


class Counting(Detector[Nothing]):
    """Counts, and tells nothing."""

    name = "counting"

    def __init__(self, rules: thresholds.Thresholds, offices: Mapping[str, str]) -> None:
        self._hours = Hours(rules.hours)
        self._offices = offices
        """所属 by 照合ID, of whoever has not got in."""
        self.state = Nothing()
        self.counts: defaultdict[int, Counter[Count]] = defaultdict(Counter)

    def see(self, use: Use, around: Surroundings) -> Iterator[Finding]:
        """Count a use."""
        day = self.counts[use.day]
        if use.sees_residents and use.answered:
            self._count_use(day, use)
        if use.operation in PROOFS:
            self._count_proof(day, use)
        for municipality, lags in use.lags.items():
            for days, notices in lags.items():
                day[Count("lag", municipality, which=str(days))] += notices
        yield from ()

    def look(self, look: Look) -> Iterator[Finding]:
        """Count a look, now that it is known what followed."""
        which = "followed" if look.finished else "only"
        self.counts[look.day][Count("look", look.office, look.person, which)] += 1
        yield from ()

    def _count_use(self, day: Counter[Count], use: Use) -> None:
        function = use.operation.partition("/")[0]
        day[Count("use", use.office, which=function)] += 1
        day[Count("hour", use.office, use.person, str(use.minute // 60))] += 1
        if self._hours.part_of(use.day, use.minute) is not Part.OPEN:
            day[Count("outside", use.office, use.person)] += 1
        if use.operation == FIND:
            day[Count("hits", use.office, which=class_of(use.hits))] += 1
            day[Count("by-name", use.office)] += bool(use.sought)

    def _count_proof(self, day: Counter[Count], use: Use) -> None:
        # Of whom it was tried, not of who sat there before.
        office = self._offices.get(use.tried, use.office)
        if use.answered:
            day[Count("proof", office, which=use.method)] += 1
        elif use.refusal in WRONG:
            day[Count("proof", office, which="failed")] += 1


def class_of(hits: int) -> str:
    """Return the class that a number of hits is in."""
    return next((name for most, name in CLASSES if hits <= most), BEYOND)


def enter(papers: Papers, counts: Counts) -> None:
    """Add counts to those of their days."""
    for day, counted in counts.items():
        if not counted:
            continue
        name = date.fromordinal(day).isoformat()
        whole = counted + _unpacked(papers.get(DAYS, name) or {})
        papers.replace(DAYS, name, _packed(whole))


def between(papers: Papers, since: date, until: date) -> Iterator[tuple[date, Tables]]:
    """Yield the counts of every day of a period that has any."""
    before = date.fromordinal(since.toordinal() - 1).isoformat()
    for name, body in papers.every(DAYS, after=before):
        if name > until.isoformat():
            return
        yield date.fromisoformat(name), body


def _packed(counts: Counter[Count]) -> dict[str, Any]:
    """Return counts as tables in tables: the names are long, and there are many."""
    tables: dict[str, Any] = {}
    for (what, where, who, which), number in counts.items():
        table = tables.setdefault(what, {}).setdefault(where, {}).setdefault(who, {})
        table[which] = number
    return tables


def _unpacked(tables: Mapping[str, Any]) -> Counter[Count]:
    return Counter(
        {
            Count(what, where, who, which): number
            for what, places in tables.items()
            for where, people in places.items()
            for who, table in people.items()
            for which, number in table.items()
        }
    )
