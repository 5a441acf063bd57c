"""Jobs: what is due is asked step by step, entered, remembered, and tried again later."""

import logging
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from appliance.agenda import MOST_RUNS
from appliance.errors import Conflict, NotFound, Unavailable
from appliance.machine.jobs import Chore, Jobs
from appliance.plugin_api import (
    JST,
    Alarm,
    Watch,
    hookimpl,
)
from appliance.testing import Bench
from storage.errors import OutcomeUnknown, StorageError
from tests.appliance.machine.work import STEP, Work, at_work

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def entered(bench: Bench) -> list[str]:
    return [each.operation for each in bench.ledger()]


def ask(bench: Bench, operation: str, **body: object) -> dict[str, object]:
    return dict(bench.clerk().ask(operation, body).data)


def of_work(jobs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the jobs of the plugin that is tried, without the appliance's own."""
    return [job for job in jobs if job["name"].startswith("work/")]


@pytest.mark.requirement("R34")
def test_a_run_goes_on_step_by_step_each_with_its_own_entry(tmp_path: Path) -> None:
    work = Work(every=DAY)
    with at_work(tmp_path, work) as bench:
        work.left = 3
        assert bench.work() == ["work/all"] * 3
        entries = bench.ledger()
        assert [(each.operation, each.terminal) for each in entries] == [(STEP, "SYSTEM")] * 3
        (run,) = ask(bench, "job/status", name="work/all")["runs"]
        assert (run["outcome"], run["steps"], run["done"], run["total"]) == ("done", 3, 3, 10)
        assert run["by"] == "schedule"


def test_it_is_due_again_so_long_after_its_end(tmp_path: Path) -> None:
    with at_work(tmp_path, Work(every=DAY)) as bench:
        assert bench.work() == ["work/all"]
        bench.now += DAY - MINUTE
        assert bench.work() == []
        bench.now += MINUTE
        assert bench.work() == ["work/all"]


@pytest.mark.parametrize(
    ("later", "runs"),
    [(timedelta(hours=1), 0), (timedelta(hours=17), 1), (timedelta(days=3), 1)],
    ids=["before its time", "at its time", "three days were missed: made up once"],
)
def test_a_daily_run_has_its_time_in_japan(tmp_path: Path, later: timedelta, runs: int) -> None:
    with at_work(tmp_path, Work(at=time(2, 30))) as bench:
        bench.now = datetime(2026, 4, 1, 10, 0, tzinfo=JST)
        assert bench.work() == ["work/all"], "the first one of all is made up too"
        bench.now += later
        assert bench.work() == ["work/all"] * runs


def test_where_there_is_nothing_to_do_nothing_is_entered(tmp_path: Path) -> None:
    work = Work()
    work.when = {"every": MINUTE, "due": lambda watch: work.left > 0}
    with at_work(tmp_path, work) as bench:
        for _ in range(100):
            bench.now += MINUTE
            assert bench.work() == []
        assert entered(bench) == []
        work.left = 2
        assert bench.work() == ["work/all"] * 2


def test_a_job_can_run_whenever_there_is_something_to_do(tmp_path: Path) -> None:
    work = Work()
    work.when = {"due": lambda watch: work.left > 0}
    with at_work(tmp_path, work) as bench:
        assert bench.work() == []
        work.left = 1
        assert bench.work() == ["work/all"]
        work.left = 1
        assert bench.work() == ["work/all"]


def test_what_fails_is_tried_again_later_and_later(tmp_path: Path) -> None:
    work = Work(every=DAY)
    with at_work(tmp_path, work) as bench:
        work.refuse = True
        tried = []
        for minute in range(64):
            tried += [minute for _ in bench.work()]
            bench.now += MINUTE
        assert tried == [0, 1, 3, 7, 15, 31, 63]
        (job,) = of_work(bench.jobs.status())
        assert (job["outcome"], job["failures"]) == ("failed", 7)
        assert [each["name"] for each in bench.jobs.alarms()] == ["job-failing/work-all"]
        assert bench.jobs.failures()["work/all"] == 7
        work.refuse = False
        bench.now += HOUR
        assert bench.work() == ["work/all"]
        bench.now += MINUTE
        bench.jobs.turn()
        assert bench.jobs.alarms() == []
        status = ask(bench, "job/status", name="work/all")
        assert [run["outcome"] for run in status["runs"]] == ["done"] + ["failed"] * 7
        assert status["runs"][1]["refusal"] == "rejected"


def test_a_run_cut_short_goes_on_where_it_was(tmp_path: Path) -> None:
    work = Work(every=DAY)
    with at_work(tmp_path, work) as bench:
        work.left = 3
        assert bench.jobs.turn() == ["work/all"]
        again = Jobs(
            bench.pipeline,
            bench.vault,
            bench.loaded.jobs,
            bench.loaded.manager,
            on_unknown=lambda: None,
            clock=lambda: bench.now,
        )
        assert again.turn() == again.turn() == ["work/all"]
        assert again.turn() == []
        (run,) = ask(bench, "job/status", name="work/all")["runs"]
        assert (run["steps"], run["done"], run["outcome"]) == (3, 3, "done")


def test_a_failure_that_cannot_even_be_written_rests_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work(every=DAY)
    with at_work(tmp_path, work) as bench:

        def full(*_: object, **__: object) -> None:
            raise StorageError("no room")

        with monkeypatch.context() as patched:
            patched.setattr(bench.vault, "write", full)
            assert bench.jobs.turn() == ["work/all"]
            assert bench.jobs.turn() == []
            assert bench.jobs.failures()["work/all"] == 1
        bench.now += MINUTE
        assert bench.work() == ["work/all"]
        assert bench.jobs.failures()["work/all"] == 0


def test_a_job_that_cannot_say_whether_it_is_due_rests(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(watch: Watch) -> bool:
        raise ZeroDivisionError("佐藤")

    with at_work(tmp_path, Work(every=DAY, due=broken)) as bench, caplog.at_level(logging.ERROR):
        assert bench.work() == bench.work() == []
        assert bench.jobs.failures()["work/all"] == 1
        assert len(caplog.records) == 1
        assert "佐藤" not in caplog.text


def test_the_administrator_lets_a_job_run(tmp_path: Path) -> None:
    work = Work()
    with at_work(tmp_path, work) as bench:
        work.left = 2
        (job,) = of_work(ask(bench, "job/list")["jobs"])
        assert (job["when"], job["outcome"]) == ("when asked for", None)
        assert bench.work() == []
        assert ask(bench, "job/run", name="work/all")["job"]["asked"]
        assert bench.jobs.turn() == ["work/all"]
        with pytest.raises(Conflict):
            ask(bench, "job/run", name="work/all")
        assert bench.work() == ["work/all"]
        (run,) = ask(bench, "job/status", name="work/all")["runs"]
        assert (run["by"], run["steps"]) == ("OP-0001", 2)
        with pytest.raises(NotFound):
            ask(bench, "job/run", name="work/none")


def test_what_failed_runs_at_once_when_it_is_asked_for(tmp_path: Path) -> None:
    work = Work(every=DAY)
    with at_work(tmp_path, work) as bench:
        work.refuse = True
        bench.work()
        work.refuse = False
        ask(bench, "job/run", name="work/all")
        assert bench.work() == ["work/all"]


def test_what_was_asked_for_and_cannot_be_entered_is_tried_later_and_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    with at_work(tmp_path, work) as bench:
        ask(bench, "job/run", name="work/all")

        def closed(*_: object) -> None:
            raise Unavailable("not now")

        with monkeypatch.context() as patched:
            patched.setattr(bench.pipeline, "serve", closed)
            tried = []
            for second in range(0, 1_000, 10):
                tried += [second for _ in bench.jobs.turn()]
                bench.now += timedelta(seconds=10)
        assert tried == [0, 60, 180, 420, 900]
        assert bench.jobs.failures()["work/all"] == 5
        assert bench.work() == [], "it rests"
        ask(bench, "job/run", name="work/all")
        assert bench.work() == ["work/all"], "whoever asks again need not wait"
        assert bench.jobs.failures()["work/all"] == 0


def test_only_the_last_runs_are_kept(tmp_path: Path) -> None:
    with at_work(tmp_path, Work(every=HOUR)) as bench:
        for _ in range(MOST_RUNS + 5):
            bench.work()
            bench.now += HOUR
        assert len(ask(bench, "job/status", name="work/all")["runs"]) == MOST_RUNS


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ({"every": HOUR}, "every 1 hour"),
        ({"at": time(2, 5)}, "daily at 02:05 JST"),
        ({"due": lambda watch: False}, "when there is something to do"),
    ],
)
def test_the_list_says_when_a_job_runs(tmp_path: Path, when: dict[str, object], told: str) -> None:
    with at_work(tmp_path, Work(**when)) as bench:
        assert of_work(ask(bench, "job/list")["jobs"])[0]["when"] == told


# --- alarms ---


def test_what_a_plugin_finds_alarming_is_shown_with_its_age(tmp_path: Path) -> None:
    work = Work()
    with at_work(tmp_path, work) as bench:
        since = bench.now - HOUR
        work.alarming = [Alarm(name="work/old", text="古い", count=2, since=since)]
        bench.jobs.turn()
        (alarm,) = bench.jobs.alarms()
        assert (alarm["name"], alarm["count"], alarm["age_seconds"]) == ("work/old", 2, 3600)
        work.alarming = []
        bench.now += timedelta(seconds=30)
        bench.jobs.turn()
        assert len(bench.jobs.alarms()) == 1, "it is asked every minute only"
        bench.now += timedelta(seconds=30)
        bench.jobs.turn()
        assert bench.jobs.alarms() == []
        assert entered(bench) == []


@pytest.mark.parametrize(
    "alarming",
    [
        ZeroDivisionError("佐藤"),
        [Alarm(name="佐藤", text="?")],
        [Alarm(name="work/old", text="?", since=datetime(2026, 1, 1))],  # noqa: DTZ001
    ],
    ids=["it raises", "a name that is none", "a time without a zone"],
)
def test_a_plugin_that_cannot_say_is_an_alarm_of_its_own(
    tmp_path: Path, alarming: list[Alarm] | Exception
) -> None:
    work = Work()
    with at_work(tmp_path, work) as bench:
        work.alarming = alarming
        bench.jobs.turn()
        assert [each["name"] for each in bench.jobs.alarms()] == ["alarms/work"]


def test_a_watch_sees_counts_and_its_own_papers(tmp_path: Path) -> None:
    seen: list[object] = []

    class Looks(Work):
        @hookimpl
        def alarms(self, watch: Watch) -> Iterable[Alarm]:
            seen.extend([watch.papers.get("kept", "done"), watch.register("book").last])
            seen.extend([watch.today, watch.tallies(""), watch.waiting("national")])
            return []

    with at_work(tmp_path, Looks(every=DAY)) as bench:
        bench.work()
        assert seen[:5] == [{"done": 1}, 0, bench.now.date(), {}, 0]


def test_a_turn_with_nothing_to_do_reads_the_store_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_work(tmp_path, Work()) as bench:
        bench.jobs.turn()
        opened, view = [], bench.vault.view
        monkeypatch.setattr(bench.vault, "view", lambda: opened.append("view") or view())
        assert bench.jobs.turn() == []
        assert opened == ["view"]


# --- the thread ---


def jobs(bench: Bench, **more: object) -> Jobs:
    given = {"on_unknown": lambda: None, "clock": lambda: bench.now, **more}
    return Jobs(bench.pipeline, bench.vault, bench.loaded.jobs, bench.loaded.manager, **given)


def test_the_thread_does_chores_and_steps_until_it_is_stopped(tmp_path: Path) -> None:
    done = Event()
    work = Work(every=DAY)
    with at_work(tmp_path, work) as bench:
        work.left = 2
        thread = jobs(bench, chores=[Chore("test/chore", MINUTE, done.set)])
        thread.start()
        assert done.wait(10)
        while not of_work(thread.status()) or of_work(thread.status())[0]["outcome"] != "done":
            done.wait(0.001)
        thread.stop()
        assert entered(bench) == [STEP, STEP]


def test_a_chore_waits_for_its_time_and_a_clock_set_back_does_not_put_it_off(
    tmp_path: Path,
) -> None:
    times: list[datetime] = []
    with at_work(tmp_path, Work()) as bench:
        chore = Chore("test/chore", MINUTE, lambda: times.append(bench.now))
        at = jobs(bench, chores=[chore])
        for move in (0, 30, 30, -3600):
            bench.now += timedelta(seconds=move)
            at.turn()
        assert len(times) == 3


def test_a_look_that_fails_is_logged_and_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen = Event()
    with at_work(tmp_path, Work()) as bench:

        def broken() -> None:
            if not seen.is_set():
                seen.set()
                raise StorageError("once")

        thread = jobs(bench, chores=[Chore("test/chore", MINUTE, broken)])
        thread.start()
        assert seen.wait(10)
        thread.stop()
        assert "not looked at" in caplog.text


def test_a_commit_of_unknown_outcome_stops_it_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Event()
    with at_work(tmp_path, Work(every=DAY)) as bench:

        def unknown(*_: object, **__: object) -> None:
            raise OutcomeUnknown("the disk")

        monkeypatch.setattr(bench.vault, "write", unknown)
        thread = jobs(bench, on_unknown=told.set)
        thread.start()
        assert told.wait(10)
        thread.stop()
        monkeypatch.undo()
        assert entered(bench) == []
