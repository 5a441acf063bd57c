import os
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.errors import StartupError
from appliance.firstload import FirstLoad
from appliance.index import Index
from appliance.items import open_form
from appliance.loading import admit, first_load
from appliance.machine import loaddesk
from appliance.machine.loaddesk import Remark, Site
from appliance.machine.loader import Standing, load
from appliance.machine.loadfile import NotAFile
from appliance.machine.workers import WorkerDied, Workers, working
from appliance.plugin_api import hookimpl
from appliance.testing import ORIGIN, OURS, Bench, ours
from plugins.update import firstload as first_load_of_update
from storage.check import CheckReport, check
from storage.connection import ask, open_reader
from storage.errors import LoadUnfinished
from storage.keyring import KeyRing
from storage.vault import FILE_NAME, open_vault
from tests.simulators.population import Population

YATSUSHIRO = "432024"
NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
Notices = list[dict[str, Any]]


def clock() -> datetime:
    return NOW


def ring_of(folder: Path) -> KeyRing:
    return KeyRing.open(folder / "ring", bytes(range(32)))


@pytest.fixture(scope="module")
def notices() -> Notices:
    return [msgspec.to_builtins(each) for each in Population(7, YATSUSHIRO, 330).notices()]


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A store in which nobody is yet but the server of 八代市."""
    folder = tmp_path / "empty"
    with Bench.open(folder) as bench:
        bench.municipality(YATSUSHIRO)
        bench.ring.save(folder / "ring")
    return folder


def written(path: Path, lines: Sequence[Mapping[str, Any] | bytes]) -> Path:
    texts = [each if isinstance(each, bytes) else msgspec.json.encode(each) for each in lines]
    path.write_bytes(b"\n".join(texts) + b"\n")
    return path


def site(store: Path) -> Site:
    ring = ring_of(store)
    with opened(store) as bench:
        return Site(store, ring, ORIGIN, bench.loaded, OURS, bytes(32))


@contextmanager
def opened(store: Path) -> Iterator[Bench]:
    ring = ring_of(store)
    vault = open_vault(store, ring, origin=ORIGIN, clock_ms=lambda: 1_775_000_000_000)
    try:
        yield Bench(vault, ours(), None, ring, None)
    finally:
        vault.close()


def loaded(store: Path, *files: Path) -> tuple[Standing, list[Remark]]:
    remarks: list[Remark] = []
    return load(site(store), files, remarks.extend, clock, workers=1), remarks


def checked(store: Path) -> CheckReport:
    ring = ring_of(store)
    with opened(store) as bench:
        index, marker = Index(ring.key("idx-root/1"), ring.token_bits), bench.marker
        return check(
            store,
            ring,
            origin=ORIGIN,
            tokens_of=lambda fields: index.tokens_of(open_form(fields)),
            mark_of=lambda person, fields: marker.mark(person, open_form(fields)),
        )


def tables(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return what lies in the store, apart from what is sealed."""
    statements = {
        "versions": "SELECT vid FROM ver",
        "identifiers": "SELECT * FROM ident",
        "tokens": "SELECT * FROM tok",
        "marks": "SELECT * FROM mark",
        "tallies": "SELECT * FROM tally",
        "terms": "SELECT * FROM term",
        "parcels": "SELECT destination, number, kind, vid FROM parcel",
        "about": "SELECT count(DISTINCT token) FROM subj",
        # What is received month by month is counted of notices: a load is not one.
        "papers": "SELECT collection, key FROM doc WHERE collection LIKE 'update.%' "
        "AND collection <> 'update.months' ORDER BY 1, 2",
    }
    connection = open_reader(store / FILE_NAME, ring_of(store).key("page/main/1"))
    try:
        return {name: ask(connection, statement) for name, statement in statements.items()}
    finally:
        connection.close()


def test_a_load_makes_the_store_that_notices_would_have_made(
    tmp_path: Path, empty: Path, notices: Notices
) -> None:
    notified = shutil.copytree(empty, tmp_path / "notified")
    with opened(notified) as bench:
        answer = bench.municipality(YATSUSHIRO).ask("update/notify", {"notifications": notices})
        assert {each["outcome"] for each in answer.data["results"]} == {"applied"}
    standing, remarks = loaded(empty, written(tmp_path / "residents.jsonl", notices))
    assert standing.counts == {"applied": len(notices)}
    assert [each for each in remarks if each.outcome != "applied"] == []
    assert tables(empty) == tables(notified)
    assert checked(empty).findings == ()
    with opened(empty) as ours_, opened(notified) as theirs:
        for asked in notices[::33]:
            found = [searched(bench, asked) for bench in (ours_, theirs)]
            assert found[0] == found[1]
            assert found[0]
        again = {"notifications": notices}
        results = ours_.municipality(YATSUSHIRO).ask("update/notify", again).data
        assert {each["outcome"] for each in results["results"]} == {"duplicate"}
        assert results["missing"] == []


def searched(bench: Bench, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Find somebody, and return every item of everybody found."""
    clerk = bench.clerk()
    sought = {"name": asked["name"], "birth_date": asked["birth_date"]}
    found = clerk.ask("search/find", sought, purpose="all", reason="01").data["residents"]
    items = [name for name in asked if name not in NO_ITEMS] + ["search_kana", "recorded_at"]
    details = []
    for each in found:
        body = {"ref": each["ref"], "items": items, "history": True}
        details.append(clerk.ask("search/detail", body, purpose="all", reason="01").data)
    return [
        {name: value for name, value in each.items() if name not in ("ref", "provision_id")}
        for each in details
    ]


NO_ITEMS = ("sequence", "previous_resident_code", "birth_date_as_written")


def test_what_is_refused_is_told_by_line_and_rule_and_nothing_of_it_is_kept(
    tmp_path: Path, empty: Path, notices: Notices
) -> None:
    first, second, third, fourth, fifth, sixth = notices[:6]
    number = next(each["my_number"] for each in notices[6:] if each["my_number"])
    lines: list[Mapping[str, Any] | bytes] = [
        first,
        {**second, "sex": "9"},
        b'{"sequence": 3, "name": "nobody"}',
        {**first, "sequence": 4},
        {**fourth, "sequence": 5, "my_number": number},
        {**fifth, "sequence": 6, "my_number": number},
        {**sixth, "sequence": 7, "update_number": 2},
        {**third, "sequence": 7},
        {**third, "sequence": 8, "reason": "22"},
        {**third, "sequence": 9, "municipality_code": "432113"},
    ]
    standing, remarks = loaded(empty, written(tmp_path / "some.jsonl", lines))
    refused = [each for each in remarks if each.outcome == "rejected"]
    assert standing.counts == {"applied": 2, "rejected": 8}
    assert [(each.line, each.sequence, each.rule, each.item) for each in refused] == [
        (2, 2, "G-05", "sex"),
        (3, None, "line", ""),
        (4, 4, "G-06", "update_number"),
        (6, 6, "L-30", "my_number"),
        (7, 7, "G-06", "update_number"),
        (8, 7, "G-06", "sequence"),
        (9, 8, "L-07", "reason"),
        (10, 9, "G-03", "municipality_code"),
    ]
    assert checked(empty).persons == 2
    with opened(empty) as bench:
        held = bench.municipality(YATSUSHIRO).ask("update/held", {}).data
        assert (held["missing"], held["last_sequence"], held["count"]) == ([3], 9, 0)


def die_in_the_third_unit(store: Path, file: Path) -> None:
    loaddesk.UNIT = 100
    units = 0

    def keep(_: Sequence[Remark]) -> None:
        nonlocal units
        units += 1
        if units == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    load(site(store), [file], keep, clock, workers=1)


def test_a_load_that_is_killed_goes_on_and_neither_loses_nor_doubles_anybody(
    tmp_path: Path, empty: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.machine.loadfile.PIECE", 8_000)
    whole = shutil.copytree(empty, tmp_path / "whole")
    file = written(tmp_path / "residents.jsonl", notices)
    loaded(whole, file)
    child = get_context("fork").Process(target=die_in_the_third_unit, args=(empty, file))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    ring = ring_of(empty)
    with pytest.raises(LoadUnfinished):
        open_vault(empty, ring, origin=ORIGIN, clock_ms=lambda: 0)
    remarks: list[Remark] = []
    vault = open_vault(empty, ring, origin=ORIGIN, clock_ms=lambda: 0, unfinished=True)
    vault.close()
    with opened(whole) as bench:
        here = Site(empty, ring, ORIGIN, bench.loaded, OURS, bytes(32))
    standing = load(here, [file], remarks.extend, clock, workers=1)
    assert standing.counts["known"] >= 200
    assert standing.counts.total() == len(notices)
    assert tables(empty) == tables(whole)
    assert checked(empty).findings == ()


def test_a_load_into_a_store_with_residents_adds_to_them(
    tmp_path: Path, empty: Path, notices: Notices
) -> None:
    loaded(empty, written(tmp_path / "first.jsonl", notices[:100]))
    standing, _ = loaded(empty, written(tmp_path / "all.jsonl", notices))
    assert standing.counts == {"known": 100, "applied": len(notices) - 100}
    assert checked(empty).findings == ()


def test_the_ledger_says_who_was_loaded_from_which_file(
    tmp_path: Path, empty: Path, notices: Notices
) -> None:
    loaded(empty, written(tmp_path / "all.jsonl", notices))
    with opened(empty) as bench:
        entry = bench.ledger()[-1]
    assert (entry.operation, len(entry.saved), entry.terminal) == (
        "system/load", len(notices), "SYSTEM",
    )  # fmt: skip
    assert entry.conditions["municipality_code"] == YATSUSHIRO
    assert (entry.conditions["first_line"], entry.conditions["last_line"]) == (1, len(notices))
    assert len(entry.conditions["sha256"]) == 64


def test_a_file_that_says_of_nobody_whose_it_is_is_not_loaded(tmp_path: Path, empty: Path) -> None:
    with pytest.raises(NotAFile):
        loaded(empty, written(tmp_path / "poem.txt", [b"an old silent pond"]))


def test_a_worker_that_dies_is_told(
    tmp_path: Path, empty: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(self: Workers, order: Any) -> None:
        for process in self.processes:
            process.kill()

    monkeypatch.setattr(Workers, "tell", kill)
    with pytest.raises(WorkerDied, match="exit status -9"):
        loaded(empty, written(tmp_path / "all.jsonl", notices))


def test_a_worker_says_where_it_failed_and_not_at_what() -> None:
    failed = pytest.raises(WorkerDied, match=r"AttributeError at loadworker\.py:[0-9]+$")
    with working("no charge", 1) as workers, failed:  # type: ignore[arg-type]
        workers.hear()


def test_exactly_one_plugin_knows_how_to_load() -> None:
    class Loads:
        @hookimpl
        def first_loads(self) -> Sequence[FirstLoad]:
            return (first_load_of_update.FIRST_LOAD,)

    assert first_load(admit({"one": Loads()}))[0] == "one"
    for several in ({}, {"one": Loads(), "two": Loads()}):
        with pytest.raises(StartupError):
            first_load(admit(several))
