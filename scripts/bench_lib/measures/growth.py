"""What grows with the residents, and what does not: one row for each size of the run.

The appliance of ``machines.py``; what is timed goes the whole line in this process, its ledger
entry on disk before the answer, from one caller.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import count, cycle, islice
from typing import Any

import msgspec
from msgspec.structs import replace

from appliance.model import JST, TerminalKind
from appliance.parts import utc_now
from appliance.testing import Bench, Seat, ours
from scripts.bench_lib.machines import Grown, grown
from scripts.bench_lib.measures.backing import backed_up
from scripts.bench_lib.rows import Row, Setting, left_out, told
from scripts.bench_lib.timing import percentile
from tests.simulators.notices import Notice
from tests.simulators.population import Population

MUNICIPALITY = "431001"
"""The one that is large enough for a tenth of everybody."""
VERSIONS, TENTH = 10, 10
MOST_QUICK = 200
"""Residents who get a history in a quick run; otherwise a tenth of them do."""
SMALLEST = 20_000
"""A full run has a third size, a tenth of its smaller one, if that is as large as this."""
BATCH, ASKED, ENTRIES = 1_000, 100, 300
BACKUPS_QUICK, BACKUPS = 2, 5
MOST_CHECKED = 5_000
"""Residents, in a quick run."""
ITEMS = ("name", "kana", "birth_date", "sex", "address", "my_number", "reason", "effective_date")
FOUR = ("name", "kana", "birth_date", "sex")
DESK: Mapping[str, Any] = {"purpose": "all", "reason": "01"}


def measure(setting: Setting) -> Iterator[Row]:
    """Load, start, ask, add history, back up, and check, at every size."""
    tenth = min(setting.sizes) // TENTH
    for size in (*([tenth] if tenth >= SMALLEST else []), *setting.sizes):
        site = grown(setting, size)
        yield from _loaded(site)
        yield from _begun(site)
        yield from _asked(site)
        yield from _history(site, MOST_QUICK if setting.quick else size // TENTH)
        yield _ledger(site)
        yield from backed_up(site, BACKUPS_QUICK if setting.quick else BACKUPS)
        yield _checked(site, most=MOST_CHECKED if setting.quick else size)


def _loaded(site: Grown) -> Iterator[Row]:
    size = site.persons
    note = "the whole file: one version each, index, marks, ledger"
    yield told(f"growth/first version@{size}", site.loaded_bytes / size, "bytes", note=note)
    note = "juki load, the process and its opening included"
    yield told(f"growth/load@{size}", size / site.loaded_seconds, "residents/s", note=note)


def _begun(site: Grown) -> Iterator[Row]:
    with site.running() as began:
        pass
    size = site.persons
    yield told(f"growth/start@{size}", began.answers, "s", note="until it answers, sealed")
    yield told(f"growth/unseal@{size}", began.serves, "s", note="until it serves")
    yield told(f"growth/memory@{size}", began.unsealed_mb, "MB", note="VmHWM once it serves")


def _asked(site: Grown) -> Iterator[Row]:
    people = site.sample.residents[-ASKED:]
    by_code = [{"by": {"resident_code": each["resident_code"]}, "items": ITEMS} for each in people]
    by_four = [{name: each[name] for name in FOUR if each[name]} for each in people]
    with _bench(site) as bench:
        clerk = bench.clerk("OP-GROWTH", terminal_id="TERM-GROWTH")
        for what, bodies in (("provision/inquire", by_code), ("search/find", by_four)):
            took = [_seconds(clerk, what, body) for body in bodies]
            for percent in (50, 99):
                name = f"growth/{what} p{percent}@{site.persons}"
                yield told(name, percentile(took, percent) * 1e3, "ms")


def _history(site: Grown, most: int) -> Iterator[Row]:
    """Give a tenth of the residents, or as many as there is time for, nine versions more."""
    size, there = site.persons, site.counts[MUNICIPALITY]
    chosen = min(size // TENTH, there, most)
    people = list(Population(site.seed, MUNICIPALITY, chosen).notices())
    numbers, before, took = count(there + 1), _size(site), 0.0
    with _bench(site) as bench:
        server = bench.seat("CS-GROWTH", TerminalKind.MUNICIPALITY, MUNICIPALITY)
        for version in range(2, VERSIONS + 1):
            moves = (_moved(each, next(numbers), version, bench.now) for each in people)
            while batch := list(islice(moves, BATCH)):
                begin = time.perf_counter()
                _tell(server, batch)
                took += time.perf_counter() - begin
    more = chosen * (VERSIONS - 1)
    note = f"{chosen:,} residents got {VERSIONS} versions each; outbox and ledger included"
    yield told(f"growth/later version@{size}", (_size(site) - before) / more, "bytes", note=note)
    yield told(f"growth/notices@{size}", more / took, "notices/s", note=f"in batches of {BATCH:,}")


def _ledger(site: Grown) -> Row:
    """Return what an entry of the ledger takes: so many inquiries, and how much the file grows."""
    before, people = _size(site), cycle(site.sample.residents)
    with _bench(site) as bench:
        clerk = bench.clerk("OP-GROWTH", terminal_id="TERM-GROWTH")
        for each in islice(people, ENTRIES):
            asked = {"by": {"resident_code": each["resident_code"]}, "items": ITEMS}
            _seconds(clerk, "provision/inquire", asked)
    grew = (_size(site) - before) / ENTRIES
    note = f"of {ENTRIES} inquiries: leaf, hashes, subject, tallies"
    return told(f"growth/ledger entry@{site.persons}", grew, "bytes", note=note)


def _checked(site: Grown, *, most: int) -> Row:
    name = f"growth/check@{site.persons}"
    if site.persons > most:
        return left_out(name, "a quick run checks only small files")
    begin = time.perf_counter()
    found = site.machine.check()
    note = f"juki check, every record opened; {'clean' if found.get('clean') else 'NOT clean'}"
    return told(name, time.perf_counter() - begin, "s", note=note)


@contextmanager
def _bench(site: Grown) -> Iterator[Bench]:
    with site.opened() as opened:
        bench = Bench(opened.vault, ours(), None, opened.ring, None)
        bench.now = utc_now()
        yield bench


def _seconds(clerk: Seat, what: str, body: Mapping[str, Any]) -> float:
    begin = time.perf_counter()
    clerk.ask(what, body, **DESK)
    return time.perf_counter() - begin


def _moved(person: Notice, sequence: int, version: int, now: datetime) -> Notice:
    return replace(
        person,
        sequence=sequence,
        address=f"{person.address}{version}号室",
        reason="31",
        effective_date=now.astimezone(JST).date().isoformat(),
        update_number=version,
    )


def _tell(server: Seat, notices: list[Notice]) -> None:
    body = {"notifications": [msgspec.to_builtins(each) for each in notices]}
    results = server.ask("update/notify", body).data["results"]
    refused = [each for each in results if each["outcome"] != "applied"]
    if refused:
        raise ValueError(f"{len(refused)} made-up notices were refused: {refused[0]}")


def _size(site: Grown) -> int:
    """Return how large the file is; closed, it has no WAL."""
    return site.file.stat().st_size
