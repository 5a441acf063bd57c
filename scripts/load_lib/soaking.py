"""One rate for long: a process that serves for years must not grow."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from scripts.load_lib.arrivals import arrive
from scripts.load_lib.climbing import Step
from scripts.load_lib.mix import Mix

MINUTE = 60.0
LEAST_SAMPLES = 10
MEMORY_GROWTH = 1.05
"""Of the second half over the first, of what is left when caches have filled."""
BURST_RATE, BURST_SECONDS = 800.0, 30.0
OTHER_GROWTH = 2
"""Threads, and descriptors."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at the end of a stretch."""

    minutes: float
    memory_mib: float
    threads: int
    descriptors: int
    p99_ms: float
    errors: int


def soak(
    mix: Mix, pid: int, rate: float, minutes: float, tell: Callable[[Sample], None]
) -> list[Sample]:
    """Ask at one rate, look at the process each minute (oftener if that is short).

    A burst goes before, more than is answered in time: it sets every worker to work, so that each
    has filled its caches. Without it they fill whenever the machine is busy with something else.
    It is never longer than what it goes before.
    """
    arrive(mix.task(BURST_RATE, min(BURST_SECONDS, minutes * MINUTE)))
    stretch = min(MINUTE, minutes * MINUTE / LEAST_SAMPLES)
    samples: list[Sample] = []
    for number in range(1, round(minutes * MINUTE / stretch) + 1):
        step = Step(rate, arrive(mix.task(rate, stretch)))
        samples.append(_sample(pid, number * stretch / MINUTE, step))
        tell(samples[-1])
    return samples


def growing(samples: Sequence[Sample]) -> list[str]:
    """Return what is not flat, in words; in the first quarter caches may still fill."""
    settled = samples[len(samples) // 4 :]
    first, second = settled[: len(settled) // 2], settled[len(settled) // 2 :]
    if not first:
        return ["too short to tell"]
    found = []
    before, after = (median(each.memory_mib for each in half) for half in (first, second))
    if after > before * MEMORY_GROWTH:
        found.append(f"memory grew from {before:.0f} to {after:.0f} MiB")
    for name in ("threads", "descriptors"):
        most = max(getattr(each, name) for each in first)
        last = min(getattr(each, name) for each in second)
        if last > most + OTHER_GROWTH:
            found.append(f"{name} grew from {most} to {last}")
    if errors := sum(each.errors for each in samples):
        found.append(f"{errors} requests went wrong")
    return found


def heading() -> str:
    """Return the line above the samples."""
    return f"{'minutes':>8} {'MiB':>8} {'threads':>8} {'files':>6} {'p99 ms':>9} errors"


def line(sample: Sample) -> str:
    """Return a sample as people read it."""
    return (
        f"{sample.minutes:8.2f} {sample.memory_mib:8.1f} {sample.threads:8} "
        f"{sample.descriptors:6} {sample.p99_ms:9.1f} {sample.errors}"
    )


def plain(sample: Sample) -> dict[str, Any]:
    """Return a sample as data."""
    return asdict(sample)


def _sample(pid: int, minutes: float, step: Step) -> Sample:
    process = Path(f"/proc/{pid}")
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text("ascii").splitlines()
    )
    return Sample(
        minutes=round(minutes, 3),
        memory_mib=round(int(status["VmRSS"].split()[0]) / 1024, 1),
        threads=int(status["Threads"]),
        descriptors=sum(1 for _ in (process / "fd").iterdir()),
        p99_ms=round(step.outcome.at(99) * 1e3, 2),
        errors=sum(step.outcome.errors.values()),
    )
