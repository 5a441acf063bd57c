"""Killed again and again, the appliance keeps its word; and if it did not, it would be noticed.

``scripts/crash`` does this a thousand times; here are a few, and what its reading back would find.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.crash_lib.command import main
from scripts.crash_lib.lives import Lives, Moment, Plan, accompanied, settled
from scripts.crash_lib.stream import Batch
from tests.machine import Machine

PLAN = Plan(cycles=0, seed=20261125, check_every=0)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return settled(tmp_path_factory.mktemp("template") / "machine")


@pytest.fixture
def lives(template: Machine, tmp_path: Path) -> Iterator[Lives]:
    folder = shutil.copytree(template.folder, tmp_path / "machine")
    with accompanied(replace(template, folder=folder), tmp_path) as (machine, national):
        yield Lives(machine, national, PLAN)


def test_what_was_acknowledged_is_there_and_nothing_is_half_done(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    options = ["--cycles", "6", "--seed", "20261125", "--check-every", "3"]
    assert main([*options, "--data", str(tmp_path / "data"), "--json", str(figures)]) == 0
    report = json.loads(figures.read_bytes())
    assert report["findings"] == []
    assert (report["acknowledged_and_absent"], report["half_done"]) == (0, 0)
    assert report["acknowledged"] > 0
    assert report["checks"] == 3
    assert sum(report["killed"].values()) == 6


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert main(["--data", str(tmp_path)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("moment", Moment)
def test_it_comes_back_whenever_it_was_killed(lives: Lives, moment: Moment) -> None:
    lives.live(moment)
    lives.live(Moment.LOAD)
    assert lives.account.findings == []


def test_a_store_that_forgot_is_noticed(lives: Lives, tmp_path: Path) -> None:
    """The whole folder is put back: consistent in itself, and without what came later."""
    data = lives.machine.layout.data
    lives.live(Moment.LOAD)
    shutil.copytree(data, tmp_path / "earlier")
    _live_until_acknowledged(lives)
    shutil.rmtree(data)
    shutil.copytree(tmp_path / "earlier", data)
    lives.live(Moment.LOAD)
    assert lives.account.absent > 0
    assert any("absent: messages of" in finding for finding in lives.account.findings)
    assert any("absent: entry" in finding for finding in lives.account.findings)


def test_a_store_that_was_put_back_alone_is_not_opened(lives: Lives, tmp_path: Path) -> None:
    store = lives.machine.layout.store
    lives.live(Moment.LOAD)
    shutil.copytree(store, tmp_path / "earlier")
    _live_until_acknowledged(lives)
    shutil.rmtree(store)
    shutil.copytree(tmp_path / "earlier", store)
    with pytest.raises(AssertionError, match="an earlier or another ledger was put back"):
        lives.live(Moment.LOAD)


def test_a_batch_that_is_there_in_part_is_noticed(lives: Lives) -> None:
    _live_until_acknowledged(lives)
    municipality = next(each for each in lives.municipalities if _telling(each.done))
    at = _telling(municipality.done)[0]
    whole = municipality.done[at]
    # As if the appliance had done one notice more than it was sent.
    municipality.done[at] = replace(whole, told=whole.told[:-1])
    lives.live(Moment.LOAD)
    assert lives.account.half_done > 0


def test_a_batch_that_was_done_twice_is_noticed(lives: Lives) -> None:
    _live_until_acknowledged(lives)
    municipality = next(each for each in lives.municipalities if each.receipts)
    # As if its entry had been made by nobody. It can be taken for that of a batch in doubt, which
    # then turns out not to be there when it is sent again.
    del municipality.receipts[0]
    lives.live(Moment.LOAD)
    lives.live(Moment.LOAD)
    assert lives.account.half_done > 0


def _live_until_acknowledged(lives: Lives) -> None:
    """Live under load until there is something acknowledged that was not read back."""
    for _ in range(10):
        lives.live(Moment.LOAD)
        if any(_telling(each.done) for each in lives.municipalities):
            return
    pytest.fail("nothing was acknowledged")


def _telling(batches: list[Batch]) -> list[int]:
    """Return where the batches are that told the national server something."""
    return [at for at, batch in enumerate(batches) if batch.told]
