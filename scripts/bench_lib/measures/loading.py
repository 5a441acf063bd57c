"""The first load: ``juki load`` from files on the disk to a whole store, beside two bare sides.

    ours      the product's loader: read, checked, sealed, indexed, marked, told, ledgered
    bare      the rows of our own file put into an empty one: same wheel, cipher and pragmas, same
              50,000 persons a transaction, index tokens in key order after the rows
    sealing   what is sealed of a resident (24 items and the note to the national server), and
              nothing else, on every core at once

The ceiling is bare and sealing as if they overlapped without loss on the cores that there are:
seconds = (seconds of sealing on one core + seconds of bare) / cores.

What the processes of a load need to start is told apart, and left out of the rates: at 2,000,000
residents it is nothing, in a quick run it would be a third.
"""

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

import apsw

from appliance.firstload import Occasion
from appliance.index import Index
from appliance.items import seal_form
from appliance.machine.loaddesk import Site
from appliance.machine.loader import load
from appliance.marks import ROOT as MARK_ROOT
from appliance.marks import Marker
from appliance.parts import utc_now
from appliance.registry import encoded
from appliance.testing import ORIGIN, OURS, Bench
from appliance.values.identifiers import Municipalities
from plugins.update.firstload import FIRST_LOAD, judge
from scripts.bench_lib.population import shares, written
from scripts.bench_lib.rows import Row, Setting, at_least, told
from scripts.bench_lib.timing import Spread
from storage import outbox, schema
from storage.cells import RESIDENTS, Place, seal_version
from storage.connection import carry_wal, cipher_of_choice, open_new, open_reader
from storage.engine import PersonId, VersionId
from storage.keyring import KeyRing
from storage.keys import StoreKeys
from storage.lthash import State
from storage.vault import FILE_NAME

UNIT = 50_000
SEALED = 4_000
"""Residents that each core seals in a round; the time for one is taken from them."""
ROOT = bytes(range(32))
"""The root key of a bench's stores (``appliance.testing``)."""

_COPIED = {
    # table: the order in which its rows come
    "ver": "vid",
    "parcel": "destination, number",
    "ident": "idx, token",
    "mark": "name, place",
    "subj": "idx, token",
    "leaf": "idx",
    "tally": "name",
}


class Cost(NamedTuple):
    """What something took: seconds that went by, and seconds of processors, of all processes."""

    seconds: float = 0.0
    processor: float = 0.0

    def __add__(self, other: object) -> "Cost":
        """Return both together."""
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(self.seconds + other.seconds, self.processor + other.processor)


def measure(setting: Setting) -> Iterator[Row]:
    """Load the largest size; one round in a quick run, three otherwise up to 200,000."""
    folder = setting.folder / "loading"
    size = setting.sizes[-1]
    rounds = 1 if setting.quick or size > 500_000 else 3
    paths = written(_made(folder / "files"), size, setting.seed)
    one = written(_made(folder / "one"), 1, setting.seed)
    taken: dict[str, list[Cost]] = {"start": [], "ours": [], "bare": [], "sealing": []}
    for _ in range(rounds):
        shutil.rmtree(folder / "ours", ignore_errors=True)
        site = _empty(folder / "ours", size)
        taken["start"].append(_cost(partial(load, site, one, _keep, utc_now)))
        taken["ours"].append(_cost(partial(load, site, paths, _keep, utc_now)))
        taken["bare"].append(_bare(site, folder / "bare"))
        taken["sealing"].append(_sealing(site.ring, paths, size))
    parts = _parts(site.ring, paths)
    shutil.rmtree(folder, ignore_errors=True)
    yield from _rows(size, rounds, taken, parts)


def _rows(
    size: int, rounds: int, taken: dict[str, list[Cost]], parts: dict[str, float]
) -> Iterator[Row]:
    cores = len(os.sched_getaffinity(0))
    start, ours, bare, sealing = (_middle(taken[side]) for side in taken)
    seconds, ceiling = ours.seconds - start.seconds, (sealing.seconds + bare.seconds) / cores
    spread = Spread(tuple(each.seconds for each in taken["ours"])).spread
    each = 1e6 / size
    note = (
        f"{size:,} residents, {rounds} rounds, {cores} cores; a resident takes "
        f"{seconds * each:.0f} µs, bare {bare.seconds * each:.0f} µs, sealing on one core of all "
        f"{sealing.seconds * each:.0f} µs"
    )
    rest = "neither sealed nor written: " + ", ".join(f"{n} {c:.0f} µs" for n, c in parts.items())
    rate, unit = size / seconds, "residents/s"
    yield at_least(
        "loading/ceiling", rate, size / ceiling, unit, 0.6, spread=spread, note=f"{note}; {rest}"
    )
    yield at_least("loading/bare", rate, size / bare.seconds, unit, 0.15, spread=spread)
    yield told(
        "loading/processor",
        (ours.processor - start.processor) * each,
        "µs",
        (sealing.processor + bare.processor) * each,
        note="of all processes for a resident, against sealing and bare: a busy machine disturbs "
        "it less",
    )
    yield told("loading/start", start.seconds, "s", note="of the processes that judge and seal")


def _middle(costs: list[Cost]) -> Cost:
    return Cost(*(median(each) for each in zip(*costs, strict=True)))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _processor() -> float:
    """Return the processor seconds of this process and of those it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _empty(folder: Path, size: int) -> Site:
    with Bench.open(folder) as bench:
        for code in shares(size):
            bench.municipality(code)
        return Site(folder, bench.ring, ORIGIN, bench.loaded, OURS, bytes(32))


def _keep(_: object) -> None:
    """Nobody made up is refused, and the report is not measured."""


def _cost(work: Callable[[], object]) -> Cost:
    begin, used = time.perf_counter(), _processor()
    work()
    return Cost(time.perf_counter() - begin, _processor() - used)


def _bare(site: Site, folder: Path) -> Cost:
    """Put the rows of our store into an empty file; return the cost of writing alone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / FILE_NAME).touch()
    page = StoreKeys.of(site.ring, ORIGIN).page
    theirs = open_reader(site.store / FILE_NAME, page)
    cipher = cipher_of_choice(Path("/proc/cpuinfo").read_text("utf-8"))
    connection = open_new(folder / FILE_NAME, page, cipher)
    cost = Cost()
    try:
        schema.bring_forward(connection)
        for table, order in _COPIED.items():
            rows = theirs.execute(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608
            while batch := list(_some(rows)):
                cost += _cost(partial(_written, connection, table, batch))
        rows = theirs.execute("SELECT token, person FROM tok ORDER BY token, person")
        while batch := list(_some(rows)):
            cost += _cost(lambda: _written(connection, "tok", batch))
        cost += _cost(lambda: carry_wal(connection))
    finally:
        connection.close()
        theirs.close()
    return cost


def _sealing(ring: KeyRing, paths: list[Path], size: int) -> Cost:
    """Return what sealing everybody would cost one core, while all of them seal."""
    largest = max(paths, key=lambda path: path.stat().st_size)
    ring_file = largest.parent / "ring"
    ring.save(ring_file)
    cores = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        costs = pool.map(_sealed_in, [(ring_file, largest)] * cores, chunksize=1)
    return Cost(*(fmean(each) * size for each in zip(*costs, strict=True)))


def _parts(ring: KeyRing, paths: list[Path]) -> dict[str, float]:
    """Return what else is done for a resident, in µs of a processor, part by part."""
    lines, occasion = _some_lines(paths)
    index, marker = Index(ring.key("idx-root/1"), ring.token_bits), Marker(ring.key(MARK_ROOT))
    values = [judge(line, occasion).values or {} for line in lines]
    cells = [seal_form(each) for each in values]
    state = State()
    parts: dict[str, Callable[[int], object]] = {
        "rules": lambda at: judge(lines[at], occasion),
        "tokens": lambda at: index.compounds_of(values[at]),
        "mark": lambda at: marker.mark(PersonId(1), values[at], cells[at]),
        "cells": lambda at: seal_form(values[at]),
        "digest over the file": lambda at: (state.add(lines[at][:40]), state.add(lines[at][:50])),
    }
    each = 1e6 / len(lines)
    return {name: _processor_of(work, len(lines)) * each for name, work in parts.items()}


def _processor_of(work: Callable[[int], object], times: int) -> float:
    begin = time.process_time()
    for at in range(times):
        work(at)
    return time.process_time() - begin


def _some_lines(paths: list[Path]) -> tuple[list[bytes], Occasion]:
    largest = max(paths, key=lambda path: path.stat().st_size)
    municipalities = Municipalities.load()
    with largest.open("rb") as file:
        lines = list(islice(file, SEALED))
    sender = FIRST_LOAD.sender(lines[0], municipalities)
    return lines, Occasion(str(sender), municipalities, utc_now())


def _sealed_in(given: tuple[Path, Path]) -> tuple[float, float]:
    """Seal residents of a file; return the cost of one."""
    ring_file, path = given
    keys = StoreKeys.of(KeyRing.open(ring_file, ROOT), ORIGIN)
    lines, occasion = _some_lines([path])
    people = [seal_form(judge(line, occasion).values or {}) for line in lines]
    note = encoded({"at": "2026-04-01T01:00:00.000000Z"})
    begin, used = time.perf_counter(), time.process_time()
    for number in range(SEALED):
        person = number + 1
        place = Place(keys.installation, RESIDENTS, person, 1)
        seal_version(place, people[number % len(people)], keys.fields, keys.kek, keys.seal)
        outbox.made(keys, person, "national", "change", VersionId(PersonId(person), 1), note)
    return (time.perf_counter() - begin) / SEALED, (time.process_time() - used) / SEALED


def _some(rows: Iterable[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    for at, row in enumerate(rows, start=1):
        yield row
        if at == UNIT:
            return


def _written(connection: apsw.Connection, table: str, rows: list[tuple[object, ...]]) -> None:
    places = ", ".join("?" * len(rows[0]))
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608
    connection.execute("COMMIT")
    carry_wal(connection)
