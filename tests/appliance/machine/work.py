"""A plugin with one job, for the tests of jobs."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import Rejected
from appliance.plugin_api import (
    Alarm,
    AnyOperation,
    Case,
    Job,
    Nothing,
    Operation,
    OperationName,
    Step,
    Watch,
    hookimpl,
)
from appliance.testing import Bench

STEP = OperationName("work/step")


class Work:
    """A plugin with one job: it takes ``left`` steps, and can be told to fail."""

    def __init__(self, **when: object) -> None:
        self.when = when
        self.left = 0
        self.refuse = False
        self.alarming: list[Alarm] | Exception = []

    @hookimpl
    def operations(self) -> Iterable[AnyOperation]:
        return [
            Operation(
                name=STEP,
                summary="One step.",
                asks=Nothing,
                answers=Step,
                handler=self.step,
                changes=True,
                purposed=False,
            )
        ]

    @hookimpl
    def jobs(self) -> Iterable[Job]:
        return [Job(name="work/all", summary="Everything.", operation=STEP, **self.when)]

    @hookimpl
    def alarms(self, watch: Watch) -> Iterable[Alarm]:
        if isinstance(self.alarming, Exception):
            raise self.alarming
        return self.alarming

    def step(self, case: Case, _: Nothing) -> Step:
        if self.refuse:
            raise Rejected("not today")
        kept = case.papers.get("kept", "done") or {"done": 0}
        case.papers.put("kept", "done", {"done": kept["done"] + 1})
        self.left -= 1
        return Step(done=kept["done"] + 1, total=10, more=self.left > 0)


@contextmanager
def at_work(folder: Path, work: Work) -> Iterator[Bench]:
    with Bench.open(folder, {"work": work}) as bench:
        yield bench
