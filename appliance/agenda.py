"""What is kept of jobs: when each ran, how far it is, and that somebody asked for a run.

One sealed paper a job, written in the unit of the step itself, so that what is done and what is
known of it never differ.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from appliance.jobs import Job, comes_round, pause
from appliance.papers import Papers

OWNER = "job"
KIND = "state"
MOST_RUNS = 20
BY_ITSELF = "schedule"

Outcome = Literal["running", "done", "failed"]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a job, from its first step to its last."""

    began: datetime
    ended: datetime
    """Of a run that goes on: when its latest step was done."""
    outcome: Outcome
    by: str = BY_ITSELF
    """操作者ID of whoever asked for it."""
    steps: int = 0
    done: int = 0
    total: int | None = None
    refusal: str = ""
    """The code of what ended it."""
    says: str = ""
    """What its latest step had to say."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a job; the newest run first."""

    runs: tuple[Run, ...] = ()
    failures: int = 0
    """In a row."""
    asked_by: str = ""
    asked_at: datetime | None = None

    @property
    def last(self) -> Run | None:
        """The newest run."""
        return self.runs[0] if self.runs else None

    @property
    def goes_on(self) -> bool:
        """Whether a run has begun and has more to do."""
        return self.last is not None and self.last.outcome == "running"

    @property
    def is_asked(self) -> bool:
        """Whether somebody asked for a run that has not begun."""
        return self.asked_at is not None

    def rests(self, now: datetime) -> bool:
        """Return whether it has failed, and is not to be tried again yet."""
        return bool(self.failures and self.last and now < self.last.ended + pause(self.failures))

    def comes_round(self, job: Job, now: datetime) -> bool:
        """Return whether the clock says that it is due, or a failed run may be made up."""
        last = self.last
        if self.failures and not self.rests(now):
            return True
        if last is None:
            return comes_round(job, None, None, now)
        return comes_round(job, last.began, last.ended, now)


class Agenda:
    """The states of all jobs, in one view or unit of work."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers

    def state(self, name: str) -> State:
        """Return what is known of a job; nothing at first."""
        found = self._papers.get(KIND, name)
        return State() if found is None else msgspec.convert(found, State)

    def ask(self, name: str, now: datetime, by: str) -> None:
        """Let a run begin soon, if none is under way."""
        state = self.state(name)
        self._put(name, msgspec.structs.replace(state, asked_by=by, asked_at=now, failures=0))

    def stepped(self, name: str, now: datetime, step: dict[str, Any]) -> None:
        """Note a step that was done, and what it answered."""
        run, state = self._run(name, now)
        run = msgspec.structs.replace(
            run,
            ended=now,
            outcome="running" if step["more"] else "done",
            done=step["done"],
            total=step["total"],
            says=step["says"],
        )
        self._put(name, _with(state, run, failures=0))

    def failed(self, name: str, now: datetime, refusal: str) -> None:
        """Note a step that was refused; it ends the run."""
        run, state = self._run(name, now)
        run = msgspec.structs.replace(run, ended=now, outcome="failed", refusal=refusal)
        self._put(name, _with(state, run, failures=state.failures + 1))

    def _run(self, name: str, now: datetime) -> tuple[Run, State]:
        """Return the run that a step belongs to, and the state without it."""
        state = self.state(name)
        if state.last is not None and state.goes_on:
            run, state = state.last, msgspec.structs.replace(state, runs=state.runs[1:])
        else:
            by = state.asked_by or BY_ITSELF
            run = Run(began=now, ended=now, outcome="running", by=by)
            state = msgspec.structs.replace(state, asked_by="", asked_at=None)
        return msgspec.structs.replace(run, steps=run.steps + 1), state

    def _put(self, name: str, state: State) -> None:
        self._papers.replace(KIND, name, msgspec.to_builtins(state, builtin_types=(datetime,)))


def _with(state: State, run: Run, *, failures: int) -> State:
    runs = (run, *state.runs)[:MOST_RUNS]
    return msgspec.structs.replace(state, runs=runs, failures=failures)
