"""Faster and faster, until the slowest percent waits too long or something is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.load_lib.arrivals import Outcome, arrive
from scripts.load_lib.mix import Mix

FIRST, FACTOR = 25.0, 1.4
PERCENTS = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Step:
    """One rate, and what came of it; milliseconds."""

    rate: float
    outcome: Outcome

    def holds(self, limit_ms: float) -> bool:
        """Return whether nothing went wrong and the slowest percent did not wait too long."""
        return not self.outcome.errors and self.outcome.at(99) * 1e3 <= limit_ms

    def plain(self) -> dict[str, Any]:
        """Return the step as data."""
        outcome = self.outcome
        return {
            "rate": round(self.rate, 1),
            "requests": len(outcome.latencies) + sum(outcome.errors.values()),
            "answered_per_second": round(outcome.rate, 1),
            **{f"p{percent}_ms": round(outcome.at(percent) * 1e3, 2) for percent in PERCENTS},
            "max_ms": round(outcome.most * 1e3, 2),
            "errors": {str(status): count for status, count in outcome.errors.items()},
            "clients_late_ms": round(outcome.late * 1e3, 2),
        }


def heading() -> str:
    """Return the line above the steps."""
    return (
        f"{'due/s':>8} {'done/s':>8} {'p50 ms':>9} {'p95 ms':>9} {'p99 ms':>9} {'max ms':>9} errors"
    )


def line(step: Step) -> str:
    """Return a step as people read it."""
    outcome = step.outcome
    figures = " ".join(f"{outcome.at(percent) * 1e3:9.1f}" for percent in PERCENTS)
    errors = ", ".join(
        f"{count} x {status or 'broken'}" for status, count in outcome.errors.items()
    )
    return (
        f"{step.rate:8.0f} {outcome.rate:8.0f} {figures} {outcome.most * 1e3:9.1f} {errors or '-'}"
    )


def climb(
    mix: Mix, seconds: float, limit_ms: float, most: int, tell: Callable[[Step], None]
) -> list[Step]:
    """Return every step up to the first that does not hold, ``most`` of them at most."""
    steps: list[Step] = []
    rate = FIRST
    while len(steps) < most and (not steps or steps[-1].holds(limit_ms)):
        steps.append(Step(rate, arrive(mix.task(rate, seconds))))
        tell(steps[-1])
        rate *= FACTOR
    return steps
