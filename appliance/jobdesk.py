"""``job/list``, ``job/run``, ``job/status``: jobs as the administrator sees them.

The appliance's own, offered through the same door as a plugin's. What they tell is about work,
never about a resident.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

import pluggy
from msgspec import Meta

from appliance.agenda import Agenda, Run, State
from appliance.case import Case
from appliance.errors import Conflict, NotFound
from appliance.loading import OwnedJob
from appliance.model import OperationName
from appliance.operation import Answer, AnyOperation, Arguments, Operation

hookimpl = pluggy.HookimplMarker("appliance")
JobName = Annotated[
    str, Meta(pattern=r"^[a-z0-9/-]{3,81}$", max_length=81, description="the name of a job")
]


class AskList(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class Listed(Answer, frozen=True, kw_only=True):
    """One job: when it runs, and how its last run went."""

    name: str
    summary: str
    when: str
    outcome: str | None
    """running, done, failed; null before the first run."""
    began: datetime | None
    ended: datetime | None
    done: int
    total: int | None
    failures: int
    asked: bool


class Jobs(Answer, frozen=True, kw_only=True):
    """Every job."""

    jobs: tuple[Listed, ...]


class AskJob(Arguments, frozen=True, kw_only=True):
    """Which job."""

    name: JobName


class JobStatus(Answer, frozen=True, kw_only=True):
    """One job and its last runs, the newest first."""

    job: Listed
    runs: tuple[Run, ...]


class JobDesk:
    """The three operations; ``jobs`` is set once all plugins have said what they offer."""

    def __init__(self) -> None:
        self.jobs: tuple[OwnedJob, ...] = ()

    @hookimpl
    def operations(self) -> Iterable[AnyOperation]:
        """Offer the operations."""
        return (
            Operation(
                name=OperationName("job/list"),
                summary="List the jobs, when they run, and how the last run went.",
                asks=AskList,
                answers=Jobs,
                handler=self.list,
                purposed=False,
                blind=True,
            ),
            Operation(
                name=OperationName("job/run"),
                summary="Let a job run now.",
                asks=AskJob,
                answers=JobStatus,
                handler=self.run,
                changes=True,
                purposed=False,
                blind=True,
                records=("name",),
            ),
            Operation(
                name=OperationName("job/status"),
                summary="Tell how a job is getting on, and its last runs.",
                asks=AskJob,
                answers=JobStatus,
                handler=self.status,
                purposed=False,
                blind=True,
                records=("name",),
            ),
        )

    def list(self, case: Case, _: AskList) -> Jobs:
        """List the jobs."""
        agenda = Agenda(case.papers)
        return Jobs(jobs=tuple(listed(each, agenda.state(each.job.name)) for each in self.jobs))

    def run(self, case: Case, asked: AskJob) -> JobStatus:
        """Let a job run as soon as the one who asks for its steps looks, within a second.

        Raises:
            NotFound: there is no such job.
            Conflict: it runs already.
        """
        agenda, owned = Agenda(case.papers), self._job(asked.name)
        if agenda.state(asked.name).goes_on:
            raise Conflict("the job is running; juki job status tells how far it is")
        operator = case.actor.operator
        by = operator.operator_id if operator else case.actor.terminal.terminal_id
        agenda.ask(asked.name, case.request.now, by)
        return _status(owned, agenda.state(asked.name))

    def status(self, case: Case, asked: AskJob) -> JobStatus:
        """Tell how a job is getting on.

        Raises:
            NotFound: there is no such job.
        """
        return _status(self._job(asked.name), Agenda(case.papers).state(asked.name))

    def _job(self, name: str) -> OwnedJob:
        for owned in self.jobs:
            if owned.job.name == name:
                return owned
        raise NotFound("there is no such job; juki job list names them")


def listed(owned: OwnedJob, state: State) -> Listed:
    """Return a job as it is listed."""
    job, last = owned.job, state.last
    return Listed(
        name=job.name,
        summary=job.summary,
        when=_when(owned),
        outcome=last.outcome if last else None,
        began=last.began if last else None,
        ended=last.ended if last else None,
        done=last.done if last else 0,
        total=last.total if last else None,
        failures=state.failures,
        asked=state.is_asked,
    )


def _status(owned: OwnedJob, state: State) -> JobStatus:
    return JobStatus(job=listed(owned, state), runs=state.runs)


def _spoken(period: timedelta) -> str:
    """Return a period as people say it: 7 days, 1 hour, 90 minutes."""
    for unit, name in (
        (timedelta(days=1), "day"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=1), "minute"),
    ):
        if period >= unit and not period % unit:
            return f"{period // unit} {name}{'s' if period > unit else ''}"
    return f"{period.total_seconds():g} seconds"


def _when(owned: OwnedJob) -> str:
    job = owned.job
    if job.every is not None:
        return f"every {_spoken(job.every)}"
    if job.at is not None:
        return f"daily at {job.at:%H:%M} JST"
    return "when there is something to do" if job.due else "when asked for"
