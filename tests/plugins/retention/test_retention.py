"""The nightly job: what is over goes, and the book says how much."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.jobs import Nothing
from appliance.model import OperationName
from appliance.testing import Bench, Seat
from plugins import retention, roster
from tests.plugins.people import admit, change, shipped_policy

ERASE = OperationName("retention/erase")
WHEN_OVER = datetime(2176, 5, 1, 18, tzinfo=UTC)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plugins = {"retention": retention, "roster": roster}
    with Bench.open(tmp_path, plugins, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def administrator(bench: Bench) -> Seat:
    return bench.clerk(roles=("system-administrator",), purposes=())


def people(bench: Bench, count: int) -> None:
    for which in range(1, count + 1):
        who = admit(bench, which)
        change(bench, who, which, notified_on="2026-04-01")


@pytest.mark.requirement("R155")
def test_the_job_erases_what_is_over_in_steps_and_keeps_a_book_of_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    people(bench, 3)
    who = admit(bench, 9)
    change(bench, who, 9, notified_on="2026-04-01", removed_flag=True, reason="22")
    now, bench.now = bench.now, WHEN_OVER
    told = [bench.pipeline.serve(ERASE, Nothing(), f"step-{n}").data for n in range(4)]
    assert [(step["done"], step["total"], step["more"]) for step in told] == [
        (2, 5, True),
        (2, 3, True),
        (1, 1, False),
        (0, 0, False),
    ]
    bench.now = now
    administrator = bench.clerk(roles=("system-administrator",), purposes=())
    entries = administrator.ask("retention/book", {}).data["entries"]
    assert [(e["number"], e["versions"], e["persons"]) for e in entries] == [
        (1, 2, 0),
        (2, 2, 0),
        (3, 1, 1),
    ]
    assert {e["erased_on"] for e in entries} == {WHEN_OVER.date().replace(day=2).isoformat()}
    assert administrator.ask("retention/book", {"after": 2}).data["entries"][0]["number"] == 3
    for page, numbers in (
        ({"after": 1, "limit": 1}, [2]),
        ({"limit": 2}, [1, 2]),
        ({"after": 3}, []),
    ):
        told = administrator.ask("retention/book", page).data
        assert ([e["number"] for e in told["entries"]], told["last"]) == (numbers, 3)


@pytest.mark.requirement("R155")
def test_a_dry_run_counts_and_erases_nothing(bench: Bench, administrator: Seat) -> None:
    people(bench, 2)
    for _ in range(2):
        told = administrator.ask("retention/due", {"on": "2176-04-01"}).data
        assert (told["on"], told["versions"]) == ("2176-04-01", 2)
    assert administrator.ask("retention/due", {"on": "2176-03-31"}).data["versions"] == 0
    assert administrator.ask("retention/due", {}).data["versions"] == 0


@pytest.mark.requirement("R155")
def test_nothing_is_erased_a_day_too_early(bench: Bench) -> None:
    people(bench, 1)
    bench.now = datetime(2176, 3, 31, 14, 59, tzinfo=UTC)
    assert bench.pipeline.serve(ERASE, Nothing(), "early").data["done"] == 0
    bench.now = datetime(2176, 3, 31, 15, 0, tzinfo=UTC)
    assert bench.pipeline.serve(ERASE, Nothing(), "in time").data["done"] == 1
