"""The generated streams through the real update plugin, everything below HTTP included."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

import plugins.update
from appliance.testing import Bench, Seat
from tests.simulators.movements import Movements
from tests.simulators.notices import Notice
from tests.simulators.population import Population


def notify(cs: Seat, notices: Iterable[Notice], batch: int) -> tuple[list[Any], list[int]]:
    results: list[Any] = []
    missing: list[int] = []
    remaining = iter(notices)
    while several := list(islice(remaining, batch)):
        body = {"notifications": [msgspec.to_builtins(notice) for notice in several]}
        told = cs.ask("update/notify", body).data
        results += told["results"]
        missing = told["missing"]
    return results, missing


@pytest.mark.parametrize(
    ("code", "seed", "batch"), [("432024", 1, 500), ("431001", 2, 37), ("435112", 3, 1)]
)
def test_the_update_plugin_answers_what_the_generator_wrote_down(
    tmp_path: Path, code: str, seed: int, batch: int
) -> None:
    population = Population(seed, code, 500)
    lines = list(Movements(population, seed, 400).lines())
    with Bench.open(tmp_path, {"update": plugins.update}) as bench:
        cs = bench.municipality(code)
        loaded, _ = notify(cs, population.notices(), 500)
        results, missing = notify(cs, (line.notice for line in lines), batch)
        held = cs.ask("update/held", {}).data["held"]

    assert all(result["outcome"] == "applied" and not result["problems"] for result in loaded)
    for number, (line, result) in enumerate(zip(lines, results, strict=True), start=1):
        rules = [problem["rule"] for problem in result["problems"]]
        wanted = line.expected.rule
        assert result["outcome"] == line.expected.outcome, (number, line.fault, result)
        assert (wanted in rules) if wanted else rules == [], (number, line.fault, result)
    assert (missing, held) == ([], [])
