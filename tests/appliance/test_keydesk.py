"""Job ``keys/rewrap``: every version under the year's key, step by step, over any restart."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance import keydesk
from appliance.testing import ORIGIN, Bench
from storage.keyring import KeyRing
from storage.vault import open_vault
from tests.plugins.people import admit

JOB = "keys/rewrap"
MANY = 5


@pytest.fixture
def folder(tmp_path: Path) -> tuple[Path, KeyRing]:
    """A closed store with a few residents."""
    with Bench.open(tmp_path / "store") as bench:
        for number in range(MANY):
            admit(bench, number)
        assert JOB not in bench.work(), "with one key there is nothing to do"
        return tmp_path / "store", bench.ring


@contextmanager
def again(folder: Path, ring: KeyRing) -> Iterator[Bench]:
    vault = open_vault(folder, ring, origin=ORIGIN, clock_ms=lambda: 1_790_000_000_000)
    try:
        yield Bench(vault, {}, None, ring, None)
    finally:
        vault.close()


def runs(bench: Bench) -> list[dict[str, Any]]:
    return list(bench.clerk().ask("job/status", {"name": JOB}).data["runs"])


def test_a_new_year_brings_every_version_under_its_key(folder: tuple[Path, KeyRing]) -> None:
    path, ring = folder
    ring.ensure("kek/active/2027")
    with again(path, ring) as bench:
        assert bench.work().count(JOB) == 1
        (entry,) = [each for each in bench.ledger() if each.operation == JOB]
        (run,) = runs(bench)
        assert (run["outcome"], run["done"], run["total"]) == ("done", MANY, MANY)
        assert run["says"].startswith(f"{MANY} versions brought under kek/active/2027")
        assert "nothing is under kek/active/2026 any more" in run["says"]
        assert entry.terminal == "SYSTEM"
        assert JOB not in bench.work(), "it is done for the year"
    ring.destroy("kek/active/2026")
    with again(path, ring) as bench:
        assert JOB not in bench.work()
        with bench.vault.view() as view:
            for each in view.persons(0, 100):
                view.read(each, range(1, 25))


def test_it_goes_on_where_a_process_before_it_was_cut_off(
    folder: tuple[Path, KeyRing], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ring = folder
    ring.ensure("kek/active/2027")
    monkeypatch.setattr(keydesk, "AT_ONCE", 2)
    for done in (2, 4):
        with again(path, ring) as bench:
            assert JOB in bench.jobs.turn()
            (run,) = runs(bench)
            assert (run["outcome"], run["done"], run["total"]) == ("running", done, MANY)
    with again(path, ring) as bench:
        assert bench.work().count(JOB) == 1
        (run,) = runs(bench)
        assert (run["outcome"], run["steps"], run["done"]) == ("done", 3, MANY)
        assert run["says"].startswith(f"{MANY} versions")


def test_a_newer_key_in_the_middle_begins_anew(
    folder: tuple[Path, KeyRing], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ring = folder
    ring.ensure("kek/active/2027")
    monkeypatch.setattr(keydesk, "AT_ONCE", 2)
    with again(path, ring) as bench:
        bench.jobs.turn()
    ring.ensure("kek/active/2028")
    with again(path, ring) as bench:
        bench.work()
        says = runs(bench)[0]["says"]
        assert says.startswith(f"{MANY} versions brought under kek/active/2028")
        assert "kek/active/2026, kek/active/2027" in says


def test_asked_for_when_there_is_nothing_to_do_it_says_so(folder: tuple[Path, KeyRing]) -> None:
    with again(*folder) as bench:
        bench.clerk().ask("job/run", {"name": JOB})
        bench.work()
        assert runs(bench)[0]["says"] == "kek/active/2026 is the only one"


@pytest.mark.parametrize(
    ("now", "alarmed"),
    [
        (datetime(2026, 12, 31, 14, 59, tzinfo=UTC), False),
        (datetime(2026, 12, 31, 15, 0, tzinfo=UTC), True),
        (datetime(2029, 6, 1, tzinfo=UTC), True),
    ],
    ids=["the last minute of the year in Japan", "the new year", "years later"],
)
def test_a_year_without_keys_is_an_alarm(
    folder: tuple[Path, KeyRing], now: datetime, alarmed: bool
) -> None:
    with again(*folder) as bench:
        bench.now = now
        bench.jobs.turn()
        told = [each for each in bench.jobs.alarms() if each["name"] == "keys/year-missing"]
        assert bool(told) is alarmed
        if told:
            assert told[0]["since"] == "2027-01-01T00:00:00+09:00"
            assert "juki keys rotate" in told[0]["text"]
