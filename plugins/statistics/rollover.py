"""``statistics/rollover``: what a new day moves, every night.

Counts that have lapsed (of who has moved out by now) are taken away; they count for nothing from
their day on, whether or not this has run. On the first night of a month the population of that
day is kept, so that it can be asked for later; a month that was missed is not made up, for nobody
knows any more what it was.
"""

from dataclasses import dataclass
from datetime import date, time

from appliance.plugin_api import Case, Job, Nothing, Operation, OperationName, Step, has_lapsed
from plugins.statistics.counting import POPULATION
from plugins.statistics.tables import Finest, residents

MOST_DROPPED = 2_000
"""Counts taken away in one step."""
KEPT = "population"


@dataclass(frozen=True, slots=True)
class Found:
    """What has lapsed, and how many live where on the first night of a month."""

    lapsed: tuple[str, ...]
    kept: Finest | None


def prepare(case: Case, _: Nothing) -> Found:
    """Look through the counts."""
    today = case.request.today
    tallies = case.tallies(f"{POPULATION}/")
    lapsed = tuple(name for name in tallies if has_lapsed(name, today))
    is_kept = case.papers.get(KEPT, _month(today)) is not None
    first = today.day == 1 and not is_kept
    return Found(lapsed, residents(tallies, today) if first else None)


def roll_over(case: Case, _: Nothing) -> Step:
    """Take away what has lapsed, and keep the population of the first of a month."""
    found: Found = case.prepared
    for name in found.lapsed[:MOST_DROPPED]:
        # As it is now: what was prepared may have moved since.
        case.tally(name, -case.tallies(name).get(name, 0))
    if found.kept is not None:
        rows = [[*place, count] for place, count in sorted(found.kept.items())]
        case.papers.put(KEPT, _month(case.request.today), {"rows": rows})
    dropped = min(len(found.lapsed), MOST_DROPPED)
    case.note.result = f"{dropped} lapsed"
    return Step(done=dropped, total=len(found.lapsed), more=dropped < len(found.lapsed))


def kept(case: Case, month: str) -> Finest | None:
    """Return the population kept on the first of a month; None if none was."""
    paper = case.papers.get(KEPT, month)
    if paper is None:
        return None
    return {tuple(place): count for *place, count in paper["rows"]}


def _month(day: date) -> str:
    return day.strftime("%Y-%m")


ROLL_OVER = Operation(
    name=OperationName("statistics/roll-over"),
    summary="Take away counts that have lapsed, and keep the population of the first of a month.",
    asks=Nothing,
    answers=Step,
    handler=roll_over,
    prepare=prepare,
    changes=True,
    purposed=False,
)
JOB = Job(
    name="statistics/rollover",
    summary="日付の変更に伴う人口の更新と月初人口の保存",
    operation=ROLL_OVER.name,
    at=time(0, 5),
)
