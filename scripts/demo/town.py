"""The municipality's server at work: a town is loaded, then things happen in it.

The population and the movements are generated (``tests/simulators``); the server is a process of
its own and sends them in batches. What it must be answered to the faults that are planted among
the movements stands in ``expected.jsonl``.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from scripts.demo.cast import Cast, cast_of, last_sequence, write_cast
from scripts.demo.children import Failed, simulator
from scripts.demo.grounds import MUNICIPALITY
from scripts.demo.stage import Stage
from tests.simulators.make import Made, Plan, make
from tests.simulators.population import Population

MOVEMENTS_FOR_EACH = 20
"""Residents for each movement."""


@dataclass(frozen=True, slots=True)
class Town:
    """What was generated."""

    made: Made
    cast: Cast


def generate(stage: Stage, residents: int, seed: int, day: date) -> Town:
    """Write the town, its movements and the people of the story as files.

    Raises:
        TooFewPeople: there are too few residents for everything to happen.
    """
    folder = stage.grounds.municipality
    with stage.steps.step("a town is made up", vital=True) as step:
        step.asks(f"{residents:,} residents of {MUNICIPALITY} 八代市, seed {seed}, as of {day}")
        plan = Plan(folder, MUNICIPALITY, residents, residents // MOVEMENTS_FOR_EACH)
        made = make(plan, seed, day)
        population = Population(seed, MUNICIPALITY, residents, day)
        cast = cast_of(population, seed, last_sequence(folder / "movements.jsonl") + 1)
        write_cast(folder / "cast.jsonl", cast)
        step.saw(f"{made.movements} movements, {made.expected} of them with an answer of their own")
    return Town(made, cast)


def load(stage: Stage, town: Town) -> None:
    """Send everything; compare every answer with the one it must be."""
    with stage.steps.step("the town is loaded", vital=True) as step:
        step.asks("update/notify, batches of 500")
        report = _send(stage, "residents.jsonl")
        applied = report["outcomes"].get("applied", 0)
        step.saw(f"{applied:,} applied", applied == town.made.residents)
        step.saw("none refused, none missing", not (report["unexpected"] or report["missing"]))
        step.saw(f"{report['seconds']} s, {report['per_second']:,.0f} a second")
    with stage.steps.step("things happen, and some are told wrongly") as step:
        step.asks("update/notify, batches of 50, every third answer lost and asked for again")
        more = ("--expected", str(stage.grounds.municipality / "expected.jsonl"))
        report = _send(stage, "movements.jsonl", *more, "--batch", "50", "--drop-answers", "3")
        _as_expected(report, town)
        step.saw(", ".join(f"{n} {name}" for name, n in sorted(report["outcomes"].items())))
        step.saw(f"all {town.made.movements} as expected")
        step.saw(f"broken rules named: {' '.join(sorted(report['rules']))}")
    with stage.steps.step("the people of the story move in", vital=True) as step:
        step.asks("update/notify")
        report = _send(stage, "cast.jsonl")
        applied = report["outcomes"].get("applied", 0)
        step.must(f"{applied} applied", applied == len(town.cast.told))


def _as_expected(report: dict[str, Any], town: Town) -> None:
    unexpected = report["unexpected"]
    if unexpected:
        raise Failed(f"{len(unexpected)} answers are not as expected, first: {unexpected[0]}")
    if report["sent"] != town.made.movements or report["held"]:
        raise Failed(f"sent {report['sent']}, held {report['held']}")


def _send(stage: Stage, name: str, *more: str) -> dict[str, Any]:
    """Let the municipality's server send one file; return its report.

    Raises:
        Failed: it stopped without one.
    """
    folder = stage.grounds.municipality
    certificate, key, ca = stage.grounds.credentials(folder, f"cs-{MUNICIPALITY}")
    command = simulator(
        "cs",
        *("--url", stage.grounds.url, "--store", str(store(folder)), "--in", str(folder / name)),
        *("--certificate", str(certificate), "--key", str(key), "--ca", str(ca)),
        *more,
    )
    log, shown = folder / "cs.log", stage.steps.console.is_terminal
    command += ["--progress"] if shown else []
    child = stage.children.start("cs", command, log, told=True, shown=shown)
    report = child.last_words()
    child.stop()
    if not report:
        raise Failed(f"the municipality's server stopped; its log is {log}")
    return dict(json.loads(report))


def store(folder: Path) -> Path:
    """Return the file that the municipality's server keeps."""
    return folder / "cs.db"
