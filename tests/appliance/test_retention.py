"""How long a version is kept, day by day, and what erasing leaves."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Conflict, NotFound
from appliance.finding import Conditions
from appliance.items import ItemName
from appliance.model import Grant
from appliance.registry import Registry
from appliance.retention import erasable_from
from appliance.testing import Bench
from storage.engine import Entry, PersonId, VersionId
from tests.appliance.test_registry import ALL
from tests.plugins.people import admit, change, code, number, unguarded

DAYS = [
    ("R154-2015-08-17", date(2015, 8, 17), date(2165, 8, 17)),
    ("R154-a leap day without its like", date(2016, 2, 29), date(2166, 3, 1)),
    ("R154-the day before", date(2016, 2, 28), date(2166, 2, 28)),
    ("R154-a leap day with its like", date(2020, 2, 29), date(2170, 3, 1)),
    ("R153-new year", date(2026, 1, 1), date(2176, 1, 1)),
    ("R153-the last day of a year", date(2026, 12, 31), date(2176, 12, 31)),
]


@pytest.mark.parametrize(("received", "erasable"), [d[1:] for d in DAYS], ids=[d[0] for d in DAYS])
def test_what_was_received_is_kept_for_150_years(received: date, erasable: date) -> None:
    assert erasable_from(received) == erasable


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {}) as bench:
        yield bench


def with_registry(bench: Bench, work: Callable[[Registry], Any], grant: Grant = ALL) -> Any:
    def both(unit: Any) -> Any:
        unit.enter(Entry(event=0, result=0, body=b"{}"))
        nothing = lambda change: ()  # noqa: E731
        tools, guard = bench.parts.tools, unguarded(unit)
        return work(Registry(unit, unit, tools, grant, frozenset, nothing, nothing, guard))

    return bench.vault.write(both)


def term(bench: Bench, person: PersonId, version: int) -> date | None:
    with bench.vault.view() as view:
        day = view.term(VersionId(person, version))
    return None if day is None else date.fromordinal(day)


@pytest.mark.requirement("R154")
def test_the_newest_version_has_no_term_and_the_one_before_counts_from_the_newer_notice(
    bench: Bench,
) -> None:
    who = admit(bench, notified_on="2020-04-01")
    assert term(bench, who, 1) is None
    change(bench, who, notified_on="2026-04-01")
    assert term(bench, who, 1) == date(2176, 4, 1)
    assert term(bench, who, 2) is None


@pytest.mark.requirement("R154")
def test_a_version_is_never_kept_for_less_than_150_years_from_its_own_receipt(bench: Bench) -> None:
    """The notice after it had come before, and had been held."""
    who = admit(bench, notified_on="2026-06-01")
    change(bench, who, notified_on="2026-04-01")
    assert term(bench, who, 1) == date(2176, 6, 1)


@pytest.mark.requirement("R153", "R169")
def test_a_version_that_strikes_off_counts_from_its_own_notice_and_keeps_that(bench: Bench) -> None:
    who = admit(bench)
    change(bench, who, removed_flag=True, reason="22", notified_on="2026-04-01")
    assert term(bench, who, 2) == date(2176, 4, 1)
    change(bench, who, seen=2, notified_on="2026-09-01")
    assert term(bench, who, 2) == date(2176, 4, 1)
    kept = with_registry(bench, lambda r: r.read(who, [ItemName("my_number")], version=2))
    assert kept.values == {"my_number": number(1)}


@pytest.mark.requirement("R107")
def test_the_flag_of_retention_says_whether_the_time_runs(bench: Bench) -> None:
    who = admit(bench)
    change(bench, who)
    flags = with_registry(bench, lambda r: r.history(who, [ItemName("retention_flag")]))
    assert [each.values["retention_flag"] for each in flags] == ["0", "1"]


@pytest.mark.requirement("R154")
def test_nothing_is_erased_whose_time_does_not_run(bench: Bench) -> None:
    who = admit(bench)
    with pytest.raises(Conflict):
        with_registry(bench, lambda r: r.erasing.erase(VersionId(who, 1)))


@pytest.mark.requirement("R154")
def test_an_erased_version_is_gone_and_the_others_are_found_as_before(bench: Bench) -> None:
    who = admit(bench, name="旧姓　花子")
    change(bench, who, which=2, name="熊本　花子")
    with_registry(bench, lambda r: r.erasing.erase(VersionId(who, 1)))
    name = ItemName("name")
    assert [r.version for r in with_registry(bench, lambda r: r.history(who, [name]))] == [2]
    with pytest.raises(NotFound):
        with_registry(bench, lambda r: r.read(who, [name], version=1))
    assert with_registry(bench, lambda r: r.by_code(code(1))) is None
    assert with_registry(bench, lambda r: r.by_number(number(1))) is None
    assert with_registry(bench, lambda r: r.by_code(code(2))) == who
    (hit,) = with_registry(bench, lambda r: r.find(Conditions(name="熊本花子")))
    assert hit.person == who


@pytest.mark.requirement("R154")
def test_somebody_erased_whole_leaves_nothing_to_be_found_by(bench: Bench) -> None:
    who = admit(bench)
    change(bench, who, removed_flag=True, reason="22")
    for version in (1, 2):
        with_registry(bench, lambda r, n=version: r.erasing.erase(VersionId(who, n)))
    assert with_registry(bench, lambda r: r.erasing.is_kept(who)) is False
    sought = Conditions(name="熊本花子", include_removed=True)
    assert with_registry(bench, lambda r: r.find(sought)) == []
    assert with_registry(bench, lambda r: r.by_code(code(1))) is None
    with pytest.raises(NotFound):
        with_registry(bench, lambda r: r.read(who, [ItemName("name")]))
