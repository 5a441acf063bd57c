"""整合: the largest municipality's file against ours, beside opening each of its records once.

The municipality's server keeps its marks and is not the appliance, but its work counts as ours
here: what is timed is the whole run, from ``reconcile/begin`` to ``reconcile/finish``, every
request in the ledger.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from appliance.values.identifiers import Municipalities
from scripts.bench_lib.apart import Apart
from scripts.bench_lib.keeping import Keeping, Kept, kept
from scripts.bench_lib.rows import Row, Setting, at_most, below, told
from scripts.bench_lib.site import filled, opened
from tests.simulators.reconcile import Outcome

LARGEST = "431001"
FEW, MORE = 0.001, 0.01
MOST = 0.2
FLAT_MB = 16
"""More than before a run, whatever the size."""
ROUNDS, QUICK_ROUNDS = 2, 3


@dataclass(slots=True)
class _Taken:
    """What one size came to."""

    residents: int
    ours: list[float]
    opening: list[float]
    few: Outcome
    more: Outcome
    rested: float
    peak: float

    @property
    def name(self) -> str:
        return f"{self.residents:,} residents of {LARGEST}"


def measure(setting: Setting) -> Iterator[Row]:
    """Compare with 0.1 % and with 1 % differing, at every size."""
    taken = [_measured(setting, size) for size in setting.sizes]
    for each in taken[:-1]:
        yield told(*_time(each), **_more(each))
    name, ours, unit, opening = _time(taken[-1])
    yield at_most(name, ours, opening, unit, MOST, **_more(taken[-1]))
    yield _traffic(taken[-1])
    yield _memory(taken)


def _time(taken: _Taken) -> tuple[str, float, str, float]:
    name = f"reconcile/time@{taken.residents}"
    return name, median(taken.ours), "s", median(taken.opening)


def _more(taken: _Taken) -> dict[str, Any]:
    note = f"{taken.name}; {_said(taken.few)}; baseline: every record opened"
    return {"spread": max(taken.ours) / min(taken.ours), "note": note}


def _traffic(taken: _Taken) -> Row:
    more, few = taken.more, taken.few
    note = f"{_said(more)}; baseline: {_said(few)}"
    name = f"reconcile/traffic@{taken.residents}"
    return at_most(name, _bytes(more), _bytes(few), "bytes", MORE / FEW, note=note)


def _memory(taken: list[_Taken]) -> Row:
    """Return how much a run takes beside what the caches hold before it, at the largest size."""
    note = "; ".join(
        f"{each.name}: {each.rested:.1f} MB before, {each.peak:.1f} MB at the most"
        for each in (taken[0], taken[-1])
    )
    return below("reconcile/memory", taken[-1].peak - taken[-1].rested, "MB", FLAT_MB, note=note)


def _measured(setting: Setting, size: int) -> _Taken:
    site = filled(setting, size)
    groups = Municipalities.load().covered_by(LARGEST)
    with opened(site) as bench, bench.vault.view() as view:
        few = kept(view, groups, FEW, setting.seed)
        more = kept(view, groups, MORE, setting.seed)
    ours, opening = [], []
    with Apart(site) as apart:
        _run(apart, few)
        rested = apart.rest()
        seconds, outcome = _run(apart, few)
        ours.append(seconds)
        _, much = _run(apart, more)
        peak = apart.peak_mb()
        for turn in range(QUICK_ROUNDS if setting.quick else ROUNDS):
            opening.append(apart.open_all(groups))
            if turn:
                ours.append(_run(apart, few)[0])
    return _Taken(few.residents, ours, opening, outcome, much, rested, peak)


def _run(apart: Apart, file: Kept) -> tuple[float, Outcome]:
    def ask(operation: str, body: Any) -> dict[str, Any]:
        return apart.ask(LARGEST, operation, body)

    begin = time.perf_counter()
    outcome = Keeping(ask, file).run()
    seconds = time.perf_counter() - begin
    expected = sum(map(len, file.differing.values()))
    if len(outcome.findings) != expected:
        raise ValueError(
            f"{len(outcome.findings)} differences were found, and {expected} are there"
        )
    return seconds, outcome


def _bytes(outcome: Outcome) -> int:
    return outcome.sent_bytes + outcome.received_bytes


def _said(outcome: Outcome) -> str:
    return (
        f"{len(outcome.findings)} differ, {outcome.requests} requests, "
        f"{outcome.sent_bytes:,} bytes sent, {outcome.received_bytes:,} answered"
    )
