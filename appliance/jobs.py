"""Jobs: operations the appliance asks of itself, down the same line as everybody (R34).

A job is an operation without arguments that does one *step*: a bounded piece of work, a second at
most, in one unit of work with its own ledger entry. It answers how far it is; while there is
``more`` it is asked again. What a job must remember between steps it keeps in papers, so that a
killed process goes on where the last commit was.

A job runs by the clock (``every``, ``at``), when its plugin says there is something to do
(``due``), or when the administrator says so (``job/run``). A run that was missed while the process
was down is made up; so is the first one of all. A step that is refused ends the run; the next
attempt waits, longer each time. What is kept of runs is in ``agenda.py``; who asks is
``machine/jobs.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from appliance.model import JST, OperationName
from appliance.operation import Answer, Arguments
from appliance.watch import Watch

OFTEN = timedelta(hours=1)
"""What runs more often must say by ``due`` whether there is anything to do: an idle appliance must
not fill the ledger with entries that say that nothing was done."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


class Nothing(Arguments, frozen=True, kw_only=True):
    """What the step of a job is asked: nothing."""


class Step(Answer, frozen=True, kw_only=True):
    """How far a job is after a step."""

    done: int = 0
    total: int | None = None
    """None where it is not known."""
    more: bool = False
    """Ask again at once: there is work left."""
    says: str = ""
    """In a sentence what came of it, where counts do not tell; tells of nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """When the appliance asks one of its operations of itself."""

    name: str
    """``function/what``, for ``juki job``."""
    summary: str
    operation: OperationName
    """Takes ``Nothing``, answers a ``Step``, changes data, needs no 事務."""
    every: timedelta | None = None
    """How long after the last end it is due again."""
    at: time | None = None
    """The time of day in Japan at which it is due."""
    due: Callable[[Watch], bool] | None = None
    """Whether there is anything to do; looked at, without an entry, before a run begins. With
    neither ``every`` nor ``at`` it is looked at all the time; without all three the job runs only
    when told to."""


def comes_round(job: Job, began: datetime | None, ended: datetime | None, now: datetime) -> bool:
    """Return whether the clock says that a job is due whose last run began and ended then."""
    if began is None or ended is None:
        return job.every is not None or job.at is not None or job.due is not None
    if job.every is not None:
        return now >= ended + job.every
    if job.at is not None:
        return began < _last(job.at, now)
    return job.due is not None


def pause(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(failures - 1, 10)))


def _last(at: time, now: datetime) -> datetime:
    """Return when it was last this time of day in Japan."""
    there = now.astimezone(JST)
    today = datetime.combine(there.date(), at, JST)
    return today if today <= there else today - timedelta(days=1)
