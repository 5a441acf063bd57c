"""Everything is counted again, step by step beside the work of the day, and compared."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.papers import Papers
from appliance.registers import Register
from appliance.testing import PREPARED, Bench
from storage.engine import Entry, Unit, VersionId
from tests.plugins.people import UTO, YATSUSHIRO, admit, change, number
from tests.plugins.update.making import NEW_ADDRESS, moved, moving_out, notify, wire

pytestmark = pytest.mark.requirement("R172")

JOB = "statistics/recount"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr("plugins.statistics.recount.PERSONS", 2)
    with Bench.open(tmp_path) as bench:
        yield bench


def recounted(bench: Bench) -> dict[str, Any]:
    """Let the job run to its end; return what it came to."""
    while bench.step(JOB).more:
        pass
    return last(bench)


def last(bench: Bench) -> dict[str, Any]:
    with bench.vault.view() as view:
        book = Register(Papers(view, None, "statistics"), "recounts")
        entry = book.get(book.last)
    return {**entry, "first": tuple(name for name, _, _ in entry["first"])}


def spoil(bench: Bench, name: str, by: int = 1) -> None:
    bench.vault.write(lambda unit: unit.tally(name, by))


def left_beside(bench: Bench) -> dict[str, int]:
    with bench.vault.view() as view:
        return dict(view.tallies("recount/"))


def town(bench: Bench) -> None:
    cs = bench.municipality(YATSUSHIRO)
    notify(cs, wire(), moving_out())
    for which in range(10, 15):
        admit(bench, which)


def alarms(bench: Bench) -> list[str]:
    names = [each["name"] for each in bench.jobs.alarms()]
    return [name for name in names if name.startswith("statistics/")]


def test_tallies_are_what_the_records_and_the_ledger_give(bench: Bench) -> None:
    town(bench)
    clerk = bench.clerk()
    asked = {"by": {"my_number": number(10)}}
    clerk.ask("provision/inquire", {**asked, "items": ["name"]}, purpose="all", reason="01")
    clerk.ask("provision/verify", {**asked, "claims": {"sex": "1"}}, purpose="all", reason="01")
    recounted(bench)
    (outcome,) = clerk.ask("statistics/recounts", {}).data["recounts"]
    assert (outcome["persons"], outcome["differing"], outcome["first"]) == (6, 0, ())
    assert outcome["tallies"] == 5
    assert left_beside(bench) == {}
    assert bench.work()
    assert alarms(bench) == []


@pytest.mark.parametrize(
    "name",
    [
        f"population/{YATSUSHIRO}/1990-04/2",
        f"population/{UTO}/1990-04/2",
        f"update/2026-03/{YATSUSHIRO}/11",
        "provision/2026-04/all/test/inquire/one",
    ],
)
@pytest.mark.parametrize("by", [1, -1])
def test_a_tally_that_is_wrong_is_found_and_is_an_alarm(bench: Bench, name: str, by: int) -> None:
    town(bench)
    spoil(bench, name, by)
    bench.work()
    outcome = last(bench)
    assert outcome["differing"] == 1
    assert outcome["first"][0] in (name, "all/inquire/one")
    bench.jobs._asked_alarms = None
    bench.jobs.turn()
    assert alarms(bench) == ["statistics/recount-differs"]


def test_a_tally_that_was_lost_is_found(bench: Bench) -> None:
    town(bench)
    spoil(bench, f"update/2026-03/{YATSUSHIRO}/11", -5)
    assert recounted(bench)["first"] == (f"update/2026-03/{YATSUSHIRO}/11",)


@pytest.mark.parametrize("steps", range(8))
def test_the_work_of_the_day_goes_on_meanwhile(bench: Bench, steps: int) -> None:
    """Whenever a change comes in the middle of a recount, it is counted once."""
    town(bench)
    cs = bench.municipality(YATSUSHIRO)
    for _ in range(steps):
        bench.step(JOB)
    with bench.vault.view() as view:
        first, latest = view.persons(0, 1)[0], view.persons(5, 1)[0]
    change(bench, latest, 14, seen=1, sex="1", reason="32")
    saved(bench, VersionId(latest, 2))
    change(bench, latest, 14, seen=2, sex="2", reason="32", municipality_code=UTO)
    saved(bench, VersionId(latest, 3))
    saved(bench, VersionId(admit(bench, 20), 1))
    again = wire(sequence=3, update_number=3, reason="11", address=NEW_ADDRESS)
    notify(cs, again)
    assert first == 1
    outcome = recounted(bench)
    assert outcome["differing"] == 0, outcome["first"]


def saved(bench: Bench, version: VersionId) -> None:
    """Enter what the helpers of the tests saved, as an operation would have."""
    import cbor2

    body = cbor2.dumps({17: [[version.person, version.number]]}, canonical=True)
    bench.vault.write(lambda unit: unit.enter(Entry(event=2, result=0, body=body)))


def test_a_recount_reads_the_ledger_in_slices(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.statistics.recount.ENTRIES", 3)
    monkeypatch.setattr("plugins.statistics.recount.SETTLED", 2)
    town(bench)

    def fill(unit: Unit) -> None:
        for _ in range(12):
            unit.enter(PREPARED)

    bench.vault.write(fill)
    # The job itself makes an entry a step; three are read meanwhile.
    assert recounted(bench)["differing"] == 0


def test_what_was_summed_up_beside_is_taken_away_in_slices(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.statistics.recount.DROPPED", 1)
    town(bench)
    assert recounted(bench)["differing"] == 0
    assert left_beside(bench) == {}


def test_what_was_erased_is_not_missed(bench: Bench) -> None:
    """After 150 years a version goes; what it counted for as an update stays as it was."""
    who = admit(bench, 1)
    change(bench, who, 1, notified_on="2026-04-01", recorded_at="2026-04-01T00:00:00.000000Z")
    bench.now = datetime(2176, 5, 1, 18, tzinfo=UTC)
    assert bench.step("retention/erase").done == 1
    assert recounted(bench)["differing"] == 0
    spoil(bench, f"population/{YATSUSHIRO}/1990-04/2")
    assert recounted(bench)["differing"] == 1


def test_a_recount_shows_nobody(bench: Bench) -> None:
    town(bench)
    before = len(bench.ledger())
    bench.work()
    entries = [each for each in bench.ledger()[before:] if each.operation == JOB]
    assert entries
    assert all(each.subjects == () and each.items == () for each in entries)
    assert sum(each.candidates for each in entries) == 6, "how many were opened is there"


def test_a_recount_ends_at_midnight_as_well_as_by_day(bench: Bench) -> None:
    """What lapses while it runs is not held against it."""
    town(bench)
    for _ in range(2):
        bench.step(JOB)
    bench.now = bench.now.replace(day=20)
    assert recounted(bench)["differing"] == 0


def test_what_was_held_does_not_let_a_newer_version_be_erased_before_its_month(
    bench: Bench,
) -> None:
    cs = bench.municipality(YATSUSHIRO)
    notify(cs, wire(), moved(2, 3))
    bench.now += timedelta(days=61)
    notify(cs, moved(3, 2, address="熊本県八代市"))
    bench.now = datetime(2176, 4, 1, 3, tzinfo=UTC)
    assert bench.step("retention/erase").done == 0
    assert recounted(bench)["differing"] == 0
    bench.now = datetime(2176, 6, 1, 3, tzinfo=UTC)
    assert bench.step("retention/erase").done == 2
    assert recounted(bench)["differing"] == 0
