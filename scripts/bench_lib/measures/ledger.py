"""Appending to the ledger, durably, by 1 to 64 callers who wait; beside a bare group commit.

The bare side has callers who wait, too: they hand their entry to one thread, which seals it with
the same cipher, hashes it as a leaf, inserts it and lets everybody of a commit go on at once. What
it leaves out is what makes a ledger of it: the tree, the signed checkpoint, who is found by which
entry, savepoints, deadlines, and what happens if the disk fails.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from queue import Empty, SimpleQueue
from shutil import rmtree
from threading import Lock, Thread
from typing import Any

from scripts.bench_lib.rows import Row, Setting, at_least, told
from scripts.bench_lib.timing import Spread, in_turns
from storage import aead
from storage.connection import cipher_of_choice, open_new
from storage.engine import Entry, PersonId
from storage.keyring import KeyRing
from storage.vault import Vault, create, open_vault
from storage.writer import MOST_UNITS, WAL_PAGES

ENTRIES = {1: 32, 4: 128, 16: 512, 64: 1_024}
"""How many a round, by how many callers: short rounds, for a disk is not the same for long."""
BODY = bytes(range(250))
"""About what a search leaves: who, from where, for what, by which conditions."""
HEADER = bytes(58)
ORIGIN = "audit.juki.bench/g1"
NOISE = 0.95


def measure(setting: Setting) -> Iterator[Row]:
    """Append by ever more callers."""
    folder = setting.folder / "ledger"
    ring = KeyRing.create(os.urandom(32), os.urandom(16), 20, 2026)
    create(folder, ring, ORIGIN, clock_ms=lambda: 0)
    vault = open_vault(folder, ring, origin=ORIGIN, clock_ms=lambda: 1_775_000_000_000)
    bare = BareLog(folder / "bare.db")
    append = _appending(vault)
    sides: dict[str, Callable[[], object]] = {}
    for callers, entries in ENTRIES.items():
        sides[f"ours {callers}"] = partial(_by, callers, entries, append)
        sides[f"bare {callers}"] = partial(_by, callers, entries, bare.append)
        sides[f"alone {callers}"] = partial(bare.alone, callers, entries)
    try:
        yield from _rows(in_turns(sides, 7 if setting.quick else 31))
    finally:
        bare.close()
        vault.close()
        rmtree(folder)


def _rows(taken: Mapping[str, Spread]) -> Iterator[Row]:
    def rate(side: str, callers: int) -> float:
        return taken[f"{side} {callers}"].rate(ENTRIES[callers])

    for callers in ENTRIES:
        ours = rate("ours", callers)
        yield at_least(
            f"ledger/append-{callers}",
            ours,
            rate("bare", callers),
            "entries/s",
            0.7,
            spread=taken[f"ours {callers}"].spread,
            note=f"{callers} callers, each waits until its entry is on disk",
        )
        yield told(
            f"ledger/append-{callers}-nobody-waits",
            ours,
            "entries/s",
            rate("alone", callers),
            note=f"beside one thread that commits {callers} at a time for nobody",
        )
    yield from _scaling({callers: rate("ours", callers) for callers in ENTRIES})


def _scaling(rates: dict[int, float]) -> Iterator[Row]:
    """Yield the worst step from few callers to more."""
    few, more = min(pairwise(ENTRIES), key=lambda step: rates[step[1]] / rates[step[0]])
    note = f"the worst step of 1, 4, 16, 64 callers: from {few} to {more}"
    yield at_least("ledger/scaling", rates[more], rates[few], "entries/s", NOISE, note=note)


def _appending(vault: Vault) -> Callable[[], int]:
    entry = Entry(event=1, result=0, body=BODY, subjects=(PersonId(1),))
    return lambda: vault.write(lambda unit: unit.enter(entry))


def _by(callers: int, entries: int, append: Callable[[], object]) -> None:
    """Let callers append, each one after the other."""

    def call() -> None:
        for _ in range(entries // callers):
            append()

    threads = [Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class BareLog:
    """A table of sealed and hashed entries, and a thread that commits what is waiting."""

    def __init__(self, path: Path) -> None:
        self._connection = open_new(path, os.urandom(32), cipher_of_choice(_CPU.read_text("utf-8")))
        self._connection.execute(
            "CREATE TABLE leaf (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL, hash BLOB NOT NULL)"
            " STRICT"
        )
        self._connection.wal_autocheckpoint(WAL_PAGES)
        self._key = os.urandom(32)
        self._size = 0
        self._queue: SimpleQueue[Lock | None] = SimpleQueue()
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def append(self) -> None:
        """Hand an entry over and wait until it is on disk."""
        done = Lock()
        done.acquire()
        self._queue.put(done)
        done.acquire()

    def alone(self, group: int, entries: int) -> None:
        """Commit entries in groups of this size, on the thread that calls."""
        for _ in range(entries // group):
            self._connection.execute("BEGIN IMMEDIATE")
            for _ in range(group):
                self._insert()
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """End the thread."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            self._connection.execute("BEGIN IMMEDIATE")
            group = [first, *self._waiting()]
            for _ in group:
                self._insert()
            self._connection.execute("COMMIT")
            for done in group:
                done.release()

    def _waiting(self) -> Iterator[Any]:
        for _ in range(MOST_UNITS - 1):
            try:
                yield self._queue.get_nowait()
            except Empty:
                return

    def _insert(self) -> None:
        padded = BODY + b"\x80" + bytes(-(len(BODY) + 1) % 64)
        entry = HEADER + aead.seal(padded, self._key, HEADER)
        hashed = sha256(b"\x00" + entry).digest()
        self._connection.execute(
            "INSERT INTO leaf (idx, entry, hash) VALUES (?, ?, ?)", (self._size, entry, hashed)
        )
        self._size += 1


_CPU = Path("/proc/cpuinfo")
