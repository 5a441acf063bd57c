"""Who asks for the steps of jobs: one thread, one step at a time, down the line as anybody (R34).

Each step is an operation of the service identity with its own ledger entry; what is known of the
run is written in the same unit (``agenda.py``), so a killed process goes on where it was. Nothing
else is remembered: what is due is looked up every second, which opens nothing of a resident and
enters nothing. Chores are the appliance's own small works that must not be in the ledger.
"""

import logging
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
import pluggy

from appliance.agenda import OWNER, Agenda, State
from appliance.edge.problems import origin
from appliance.errors import Refusal
from appliance.jobdesk import listed
from appliance.jobs import Nothing, pause
from appliance.loading import OwnedJob
from appliance.papers import Papers
from appliance.parts import Clock
from appliance.pipeline import Pipeline
from appliance.watch import Alarm, Watch
from storage.engine import Engine, Unit, View
from storage.errors import OutcomeUnknown

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
ALARMS_EVERY = timedelta(minutes=1)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}/[a-z][a-z0-9-]{0,59}")


@dataclass(frozen=True, slots=True)
class Chore:
    """A small work beside the ledger, done again and again."""

    name: str
    every: timedelta
    work: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Stumbles:
    """How often a job has failed in a row, when last, and whose question was open then."""

    failures: int
    last: datetime
    asked_at: datetime | None


class Jobs:
    """Asks for every step that is due; ``start``, ``stop`` and what it shows are for any thread.

    Args:
        pipeline: the line the steps go down.
        engine: where to look what is due.
        jobs: what the plugins want done.
        manager: whose plugins are asked for alarms.
        on_unknown: told once, from this thread, that a commit failed on its way to disk.
        clock: the time.
        chores: what is done besides.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        engine: Engine,
        jobs: Sequence[OwnedJob],
        manager: pluggy.PluginManager,
        *,
        on_unknown: Callable[[], None],
        clock: Clock,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._pipeline = pipeline
        self._engine = engine
        self._jobs = jobs
        self._manager = manager
        self._on_unknown = on_unknown
        self._clock = clock
        self._chores = chores
        self._chore_done: dict[str, datetime] = {}
        self._stumbled: dict[str, _Stumbles] = {}
        self._asked_alarms: datetime | None = None
        self._alarms: tuple[Alarm, ...] = ()
        self._status: tuple[dict[str, Any], ...] = ()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the step under way, and end."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def status(self) -> list[dict[str, Any]]:
        """Return every job, when it runs, and how its last run went, as plain data."""
        return list(self._status)

    def alarms(self) -> list[dict[str, Any]]:
        """Return what a human should see to, with its age in seconds."""
        now = self._clock()
        return [
            {
                "name": each.name,
                "text": each.text,
                "count": each.count,
                "since": None if each.since is None else each.since.isoformat(),
                "age_seconds": None
                if each.since is None
                else int((now - each.since).total_seconds()),
            }
            for each in self._alarms
        ]

    def failures(self) -> Mapping[str, float]:
        """Return how often each job has failed in a row."""
        return {each["name"]: float(each["failures"]) for each in self._status}

    def turn(self) -> list[str]:
        """Do what is due now: chores, one step of each job, alarms; return the jobs stepped.

        Raises:
            OutcomeUnknown: the disk failed during a commit; the process must stop.
        """
        now = self._clock()
        for chore in self._chores:
            self._do(chore, now)
        with self._engine.view() as view:
            states = self._states(view)
            due = [each for each in states if self._is_due(*each, view, now)]
        stepped = []
        for owned, state in due:
            if self._ending.is_set():
                break
            stepped.append(owned.job.name)
            self._step(owned, state)
        if stepped:
            with self._engine.view() as view:
                states = self._states(view)
        self._status = tuple(self._shown(owned, state) for owned, state in states)
        self._look(now)
        return stepped

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                # A step that did something may have more to do; what failed rests by itself.
                if not self._turn():
                    self._ending.wait(LOOK_SECONDS)
        except OutcomeUnknown:
            log.critical("the store stopped after a failed commit; no job goes on")
            self._on_unknown()

    def _turn(self) -> list[str]:
        try:
            return self.turn()
        except OutcomeUnknown:
            raise
        except Exception as bug:
            log.error("the jobs were not looked at: %s", origin(bug))
            return []

    def _do(self, chore: Chore, now: datetime) -> None:
        done = self._chore_done.get(chore.name)
        # A clock that was set back must not put chores off.
        if done is not None and timedelta(0) <= now - done < chore.every:
            return
        self._chore_done[chore.name] = now
        chore.work()

    def _states(self, view: View) -> list[tuple[OwnedJob, State]]:
        agenda = Agenda(Papers(view, None, OWNER))
        return [(owned, agenda.state(owned.job.name)) for owned in self._jobs]

    def _is_due(self, owned: OwnedJob, state: State, view: View, now: datetime) -> bool:
        job = owned.job
        stumbles = self._stumbled.get(job.name)
        # Whoever asks again need not wait; what he asked for and has failed since must.
        asked_anew = state.is_asked and (stumbles is None or stumbles.asked_at != state.asked_at)
        if stumbles and not asked_anew and now < stumbles.last + pause(stumbles.failures):
            return False
        if state.goes_on or state.is_asked:
            return True
        if state.rests(now) or not state.comes_round(job, now):
            return False
        try:
            return job.due is None or job.due(Watch(view, owned.owner, now))
        except Exception as bug:
            log.error("whether job %s is due cannot be told: %s", job.name, origin(bug))
            self._stumble(job.name, state)
            return False

    def _step(self, owned: OwnedJob, state: State) -> None:
        name = owned.job.name
        request_id = f"job-{secrets.token_hex(8)}"
        try:
            beside = _Noting(name, self._clock)
            self._pipeline.serve(owned.job.operation, Nothing(), request_id, beside)
        except OutcomeUnknown:
            raise
        except Refusal as refusal:
            log.error("job %s: a step was refused: %s", name, refusal.code)
            self._stumble(name, state)
        except Exception as bug:
            log.error("job %s: a step failed: %s", name, origin(bug))
            self._stumble(name, state)
        else:
            self._stumbled.pop(name, None)

    def _stumble(self, name: str, state: State) -> None:
        # Beside what is kept in the store: on a full disk the failure itself cannot be written.
        self._stumbled[name] = _Stumbles(self._failed(name) + 1, self._clock(), state.asked_at)

    def _failed(self, name: str) -> int:
        stumbles = self._stumbled.get(name)
        return stumbles.failures if stumbles else 0

    def _look(self, now: datetime) -> None:
        """Look every minute what there is to see to."""
        asked = self._asked_alarms
        if asked is not None and timedelta(0) <= now - asked < ALARMS_EVERY:
            return
        with self._engine.view() as view:
            self._asked_alarms = now
            hooks = self._manager.hook.alarms.get_hookimpls()
            told = [alarm for each in hooks for alarm in self._ask(each, view, now)]
        self._alarms = (*told, *self._failing())

    def _shown(self, owned: OwnedJob, state: State) -> dict[str, Any]:
        plain: dict[str, Any] = msgspec.to_builtins(listed(owned, state))
        return {**plain, "failures": max(plain["failures"], self._failed(owned.job.name))}

    def _ask(self, asked: pluggy.HookImpl, view: View, now: datetime) -> list[Alarm]:
        name = asked.plugin_name
        watch = Watch(view, name, now)
        try:
            ask = cast(Callable[..., Iterable[Alarm]], asked.function)
            alarms = list(ask(*(watch for _ in asked.argnames)))
            for alarm in alarms:
                _check(alarm)
        except Exception as bug:
            log.error("plugin %s could not say what is alarming: %s", name, origin(bug))
            text = f"プラグイン {name} の警報を確認できません。ログを確認してください。"
            return [Alarm(name=f"alarms/{name.replace('_', '-')}", text=text)]
        return alarms

    def _failing(self) -> list[Alarm]:
        return [
            Alarm(
                name=f"job-failing/{each['name'].replace('/', '-')}",
                text=f"自動処理 {each['name']} が失敗。juki job status で理由を確認してください。",
                count=each["failures"],
            )
            for each in self._status
            if each["failures"]
        ]


class _Noting:
    """Writes what has become of a step in the unit of its ledger entry (``pipeline.Beside``)."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock

    def answered(self, unit: Unit, data: Mapping[str, Any]) -> None:
        _agenda(unit).stepped(self._name, self._clock(), dict(data))

    def refused(self, unit: Unit, refusal: Refusal) -> None:
        _agenda(unit).failed(self._name, self._clock(), refusal.code)


def _agenda(unit: Unit) -> Agenda:
    return Agenda(Papers(unit, unit, OWNER))


def _check(alarm: Alarm) -> None:
    if not _NAME.fullmatch(alarm.name):
        raise ValueError("the name of an alarm is not of the form function/what")
    if alarm.since is not None and alarm.since.tzinfo is None:
        raise ValueError("since when an alarm holds has no time zone")
