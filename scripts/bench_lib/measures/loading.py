"""The first load: ``juki load`` from files on the disk to a whole store, beside two bare sides.

    ours      the product's loader: read, checked, sealed, indexed, marked, told, ledgered
    bare      the rows of our own file put into an empty one: same wheel, cipher and pragmas, same
              50,000 persons a transaction, index tokens in key order after the rows
    sealing   what is sealed of a resident (24 items and the note to the national server), and
              nothing else, on every core at once

The ceiling is bare and sealing as if they overlapped without loss on the cores that there are:
seconds = (seconds of sealing on one core + seconds of bare) / cores.
"""

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import fmean

import apsw

from appliance.firstload import Occasion
from appliance.items import seal_form
from appliance.machine.loaddesk import Site
from appliance.machine.loader import load
from appliance.parts import utc_now
from appliance.registry import encoded
from appliance.testing import ORIGIN, OURS, Bench
from appliance.values.identifiers import Municipalities
from plugins.update.firstload import FIRST_LOAD, judge
from scripts.bench_lib.population import shares, written
from scripts.bench_lib.rows import Row, Setting, at_least
from scripts.bench_lib.timing import Spread
from storage import outbox, schema
from storage.cells import RESIDENTS, Place, seal_version
from storage.connection import carry_wal, cipher_of_choice, open_new, open_reader
from storage.engine import PersonId, VersionId
from storage.keyring import KeyRing
from storage.keys import StoreKeys
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


def measure(setting: Setting) -> Iterator[Row]:
    """Load the largest size; one round in a quick run, three otherwise up to 200,000."""
    folder = setting.folder / "loading"
    size = setting.sizes[-1]
    rounds = 1 if setting.quick or size > 500_000 else 3
    files = folder / "files"
    files.mkdir(parents=True)
    paths = written(files, size, setting.seed)
    taken: dict[str, list[float]] = {"ours": [], "bare": [], "sealing": []}
    for _ in range(rounds):
        shutil.rmtree(folder / "ours", ignore_errors=True)
        site = _empty(folder / "ours", size)
        taken["ours"].append(_timed(partial(load, site, paths, _keep, utc_now)))
        taken["bare"].append(_bare(site, folder / "bare"))
        taken["sealing"].append(_sealing(site.ring, paths) * size)
    shutil.rmtree(folder, ignore_errors=True)
    yield from _rows(size, rounds, {side: Spread(tuple(each)) for side, each in taken.items()})


def _rows(size: int, rounds: int, taken: dict[str, Spread]) -> Iterator[Row]:
    cores = len(os.sched_getaffinity(0))
    ours, bare, sealing = taken["ours"], taken["bare"], taken["sealing"]
    ceiling = (sealing.median + bare.median) / cores
    each = 1e6 / size
    note = (
        f"{size:,} residents, {rounds} rounds; a resident takes {ours.median * each:.0f} µs, "
        f"bare {bare.median * each:.0f} µs, sealing {sealing.median * each:.0f} µs of one of "
        f"{cores} cores; the rest is reading, rules, tokens, marks and the digest over the file"
    )
    yield at_least(
        "loading/ceiling",
        ours.rate(size),
        size / ceiling,
        "residents/s",
        0.6,
        spread=ours.spread,
        note=note,
    )
    yield at_least(
        "loading/bare",
        ours.rate(size),
        bare.rate(size),
        "residents/s",
        0.15,
        spread=ours.spread,
    )


def _empty(folder: Path, size: int) -> Site:
    with Bench.open(folder) as bench:
        for code in shares(size):
            bench.municipality(code)
        return Site(folder, bench.ring, ORIGIN, bench.loaded, OURS, bytes(32))


def _keep(_: object) -> None:
    """Nobody made up is refused, and the report is not measured."""


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _bare(site: Site, folder: Path) -> float:
    """Put the rows of our store into an empty file; return the seconds of writing alone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / FILE_NAME).touch()
    page = StoreKeys.of(site.ring, ORIGIN).page
    theirs = open_reader(site.store / FILE_NAME, page)
    cipher = cipher_of_choice(Path("/proc/cpuinfo").read_text("utf-8"))
    connection = open_new(folder / FILE_NAME, page, cipher)
    seconds = 0.0
    try:
        schema.bring_forward(connection)
        for table, order in _COPIED.items():
            rows = theirs.execute(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608
            while batch := list(_some(rows)):
                seconds += _timed(partial(_written, connection, table, batch))
        rows = theirs.execute("SELECT token, person FROM tok ORDER BY token, person")
        while batch := list(_some(rows)):
            seconds += _timed(lambda: _written(connection, "tok", batch))
        seconds += _timed(lambda: carry_wal(connection))
    finally:
        connection.close()
        theirs.close()
    return seconds


def _sealing(ring: KeyRing, paths: list[Path]) -> float:
    """Return for how many seconds a core seals one resident, while all cores do."""
    largest = max(paths, key=lambda path: path.stat().st_size)
    ring_file = largest.parent / "ring"
    ring.save(ring_file)
    cores = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        return fmean(pool.map(_sealed_in, [(ring_file, largest)] * cores, chunksize=1))


def _sealed_in(given: tuple[Path, Path]) -> float:
    """Seal residents of a file; return the seconds for one."""
    ring_file, path = given
    keys = StoreKeys.of(KeyRing.open(ring_file, ROOT), ORIGIN)
    municipalities = Municipalities.load()
    with path.open("rb") as file:
        lines = list(islice(file, SEALED))
    sender = FIRST_LOAD.sender(lines[0], municipalities)
    occasion = Occasion(str(sender), municipalities, utc_now())
    people = [seal_form(judge(line, occasion).values or {}) for line in lines]
    note = encoded({"at": "2026-04-01T01:00:00.000000Z"})
    begin = time.perf_counter()
    for number in range(SEALED):
        person = number + 1
        place = Place(keys.installation, RESIDENTS, person, 1)
        seal_version(place, people[number % len(people)], keys.fields, keys.kek, keys.seal)
        outbox.made(keys, person, "national", "change", VersionId(PersonId(person), 1), note)
    return (time.perf_counter() - begin) / SEALED


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
