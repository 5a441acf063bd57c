"""The yearly change of the retention key while the appliance serves: how fast, and who notices.

``sweep``: job ``keys/rewrap`` over every version, step by step down the line, against one
connection that opens each wrap, seals it anew and updates the row; same file, cipher, pragmas and
primitives, transactions of the same size, both until the file is closed. ``readers``: a thread
reads a random resident's eight items every other millisecond, beside one that enters something in
the ledger as often, while the job runs and while not; ``writers``: how long the latter waits.
"""

import gc
import os
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from struct import Struct
from threading import Event, Thread

import apsw
from nacl import bindings as sodium

from appliance.keydesk import AT_ONCE, REWRAP
from appliance.machine.jobs import Jobs
from appliance.testing import Bench
from scripts.bench_lib.rows import Row, Setting, at_least, at_most, told
from scripts.bench_lib.site import Filled, copied, filled, opened
from scripts.bench_lib.timing import Spread, percentile
from storage.connection import ask, ask_many, open_reader, open_writer
from storage.engine import Entry, PersonId
from storage.vault import FILE_NAME, Vault
from storage.writer import WAL_PAGES

SWEEP_BAR, READERS_BAR = 0.5, 10.0
FEW, MANY, LARGE = 1, 3, 200_000
"""Rounds with more residents than ``LARGE``, and with no more."""
EIGHT = (1, 2, 4, 5, 6, 7, 10, 11)
PAUSE = 0.002
"""Seconds for which who reads or writes rests each time."""
UNDISTURBED = 1.0
"""Seconds for which both do so without the job, each round."""
ENTRY = Entry(event=0, result=0, body=b"\xa0")
PLACE = Struct("<HQII")


def measure(setting: Setting) -> Iterator[Row]:
    """Sweep the largest store of the run, by the job and by hand in turns, then beside a reader."""
    size = setting.sizes[-1]
    site = copied(filled(setting, size), setting.folder / "rewrapping")
    rounds = MANY if size <= LARGE else FEW
    taken: dict[Callable[[Filled], float], list[float]] = {_swept: [], _by_hand: []}
    for turn in range(rounds):
        for side in list(taken)[:: 1 if turn % 2 == 0 else -1]:
            gc.collect()
            taken[side].append(side(site))
    ours, bare = (Spread(tuple(seconds)) for seconds in taken.values())
    versions = _versions(site)
    yield at_least(
        "rewrapping/sweep",
        ours.rate(versions),
        bare.rate(versions),
        "versions/s",
        SWEEP_BAR,
        spread=ours.spread,
        note=f"{versions} versions, {rounds} rounds, {AT_ONCE} a transaction",
    )
    yield from _noticed(site, rounds)


def _noticed(site: Filled, rounds: int) -> Iterator[Row]:
    """Read, and enter something in the ledger, beside the job and without it, in turns."""
    during: tuple[list[float], list[float]] = ([], [])
    without: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        _next_year(site)
        with opened(site) as bench:
            _beside(bench.vault, site.persons, without, lambda: time.sleep(UNDISTURBED))
            _beside(bench.vault, site.persons, during, partial(_sweep, bench))
    reads, writes = during
    yield at_most(
        "rewrapping/readers",
        percentile(reads, 99) * 1e6,
        percentile(without[0], 99) * 1e6,
        "µs",
        READERS_BAR,
        note=f"99th percentile of {len(reads)} reads, {len(without[0])} without the job; "
        f"median {percentile(reads, 50) * 1e6:.0f} and {percentile(without[0], 50) * 1e6:.0f} µs, "
        f"longest {max(reads) * 1e3:.1f} and {max(without[0]) * 1e3:.1f} ms",
    )
    yield told(
        "rewrapping/writers",
        percentile(writes, 99) * 1e3,
        "ms",
        percentile(without[1], 99) * 1e3,
        note=f"99th percentile of {len(writes)} ledger entries, one by one; longest "
        f"{max(writes) * 1e3:.0f} ms: a step of the job is waited for",
    )


def _swept(site: Filled) -> float:
    """Let the job go through under a new year's key; return the seconds."""
    _next_year(site)
    with opened(site) as bench:
        begin = time.perf_counter()
        _sweep(bench)
        bench.vault.close()
        return time.perf_counter() - begin


def _by_hand(site: Filled) -> float:
    """Open every wrap, seal it anew under the same key and update its row; return the seconds."""
    newest = max(site.ring.family("kek/active"))
    kek = site.ring.kek(f"kek/active/{newest}")
    connection = open_writer(site.folder / FILE_NAME, site.ring.key("page/main/1"))
    connection.wal_autocheckpoint(WAL_PAGES)
    head, after, begin = b"jk1w" + site.ring.installation, 0, time.perf_counter()
    while rows := _batch(connection, after):
        after, anew = rows[-1][0], []
        for vid, hdr, wrap in rows:
            if hdr[6:10] == kek.id.to_bytes(4, "little"):
                bound = head + PLACE.pack(1, vid >> 12, vid & 4095, kek.id)
                secret = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
                    wrap[24:], bound, wrap[:24], kek.key
                )
                nonce = os.urandom(24)
                sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
                    secret, bound, nonce, kek.key
                )
                anew.append((hdr, nonce + sealed, vid))
        ask_many(connection, "UPDATE ver SET hdr = ?, wrap = ? WHERE vid = ?", anew)
        ask(connection, "COMMIT")
    ask(connection, "COMMIT")
    connection.close()
    return time.perf_counter() - begin


def _batch(connection: apsw.Connection, after: int) -> list[tuple[int, bytes, bytes]]:
    ask(connection, "BEGIN IMMEDIATE")
    return ask(
        connection,
        "SELECT vid, hdr, wrap FROM ver WHERE vid > ? ORDER BY vid LIMIT ?",
        (after, AT_ONCE),
    )


def _next_year(site: Filled) -> None:
    newest = max(map(int, site.ring.family("kek/active")))
    site.ring.ensure(f"kek/active/{newest + 1}")


def _sweep(bench: Bench) -> None:
    """Ask for every step of the job, as the appliance does, and of no other job."""
    only = [each for each in bench.loaded.jobs if each.job.operation == REWRAP]
    jobs = Jobs(
        bench.pipeline,
        bench.vault,
        only,
        bench.loaded.manager,
        on_unknown=lambda: None,
        clock=lambda: bench.now,
    )
    while jobs.turn():
        pass


def _beside(
    vault: Vault,
    persons: int,
    taken: tuple[list[float], list[float]],
    work: Callable[[], None],
) -> None:
    """Do the work beside a thread that reads and one that writes; add how long each took."""
    ended, chosen = Event(), random.Random(1)

    def read() -> None:
        with vault.view() as view:
            view.read(PersonId(chosen.randint(1, persons)), EIGHT)

    def write() -> None:
        vault.write(lambda unit: unit.enter(ENTRY))

    def again(act: Callable[[], None], seconds: list[float]) -> None:
        while not ended.wait(PAUSE):
            begin = time.perf_counter()
            act()
            seconds.append(time.perf_counter() - begin)

    threads = [Thread(target=again, args=each) for each in zip((read, write), taken, strict=True)]
    for thread in threads:
        thread.start()
    try:
        work()
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _versions(site: Filled) -> int:
    reader = open_reader(site.folder / FILE_NAME, site.ring.key("page/main/1"))
    try:
        ((count,),) = ask(reader, "SELECT count(*) FROM ver")
        return int(count)
    finally:
        reader.close()
