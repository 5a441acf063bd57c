"""Both sides in turns, round after round, so that what disturbs one disturbs the other."""

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Spread:
    """What one side came to: seconds of each round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle round."""
        return median(self.seconds)

    @property
    def spread(self) -> float:
        """Slowest over fastest round: 1.0 is a quiet machine."""
        return max(self.seconds) / min(self.seconds)

    def rate(self, work: float) -> float:
        """Return how much was done a second in the middle round, of ``work`` a round."""
        return work / self.median


def in_turns(sides: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Spread]:
    """Run every side once a round, in turns, and return how long each took.

    The order turns too, so that no side is always the one after a certain other.
    """
    taken: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for turn in range(rounds):
        for name in names if turn % 2 == 0 else reversed(names):
            gc.collect()
            begin = time.perf_counter()
            sides[name]()
            taken[name].append(time.perf_counter() - begin)
    return {name: Spread(tuple(seconds)) for name, seconds in taken.items()}


def percentile(seconds: list[float], percent: int) -> float:
    """Return the p-th percentile of single timings."""
    return quantiles(seconds, n=100, method="inclusive")[percent - 1]
