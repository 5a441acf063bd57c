"""Beside PostgreSQL 15: the same residents, tokens, finds, updates; and a provision end to end.

``client`` rows are the honest comparison of stores: the rival's client seals the same cells as
ours does. The others let pgcrypto seal in the server. The bar is the whole provision over mutual
TLS, against pgcrypto behind the same edge server, look-up and audit in one statement.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from appliance.finding import COMPARED, Conditions, judge, plan
from appliance.index import Index
from appliance.items import BY_NAME, ItemName, Values, open_form, seal_form
from appliance.machine import loaddesk
from appliance.machine.init import THRESHOLD
from appliance.machine.keeper import Shares
from appliance.machine.loader import load
from appliance.machine.opening import open_store
from appliance.parts import utc_now
from appliance.testing import ORIGIN, OURS, Bench
from appliance.values.normalise import names_in
from scripts.bench_lib.measures.serving import Side
from scripts.bench_lib.postgres import inquiry
from scripts.bench_lib.postgres.ours import Ours
from scripts.bench_lib.postgres.rival import Found, Person, Rival
from scripts.bench_lib.postgres.sealing import KINDS, Cells
from scripts.bench_lib.postgres.server import NotThere, running
from scripts.bench_lib.rows import Row, Setting, at_least, left_out, told
from scripts.bench_lib.served import ITEMS, Sender, Served, Site
from scripts.bench_lib.timing import in_turns, percentile
from storage.engine import Token
from storage.keyring import read_header
from storage.vault import Vault
from tests.machine import Machine

T = TypeVar("T")

NAME = "rival"
CLIENTS, BAR = 32, 2.0
EIGHT = tuple(BY_NAME[ItemName(name)].number for name in ITEMS)
JUDGED = tuple(BY_NAME[name].number for name in COMPARED)
SIDES = {
    "client": "cells sealed by its client",
    "pgcrypto0": "pgcrypto, s2k-mode 0, random key",
    "pgcrypto1": "pgcrypto, s2k-mode 1, random key",
}
QUICK_KINDS = ("client", "pgcrypto0")
PARTS = ("load", "find", "four-informations", "update", "provision")
WRITTEN = {"one": "one statement", "two": "a transaction of two statements"}


class Size(NamedTuple):
    """How much of everything in a round, and how many rounds."""

    rounds: int
    finds: int
    fours: int
    updates: int
    hammering: float
    """Seconds, of each side."""
    most: int
    """Residents: their number hardly matters here, and they are all held in memory."""
    few: bool
    """Whether what the bar does not need is left out."""


QUICK = Size(2, 200, 100, 30, 0.8, 1_000, few=True)
FULL = Size(5, 2_000, 1_000, 500, 5.0, 50_000, few=False)


class Store(Protocol):
    """What both sides can do."""

    index: Index

    def find(self, resident_code: str, fields: tuple[int, ...], /) -> Cells | None:
        """Return these cells of who has a 住民票コード, or None."""

    def candidates(self, tokens: set[Token], fields: tuple[int, ...], /) -> list[Found]:
        """Return everybody who has any of these tokens, with these cells."""

    def update(self, person: Person, seen: int, /) -> None:
        """Write a version on top of ``seen``, with history and audit; durable."""


def measure(setting: Setting) -> Iterator[Row]:
    """Fill an appliance and a PostgreSQL with the same residents, and ask both the same."""
    if not setting.postgres:
        yield from _without("--without-postgres")
        return
    folder = setting.folder / NAME
    folder.mkdir()
    try:
        with running(setting.folder / "postgres") as conninfo:
            yield from _Beside(setting, folder, conninfo).rows()
    except NotThere as reason:
        yield from _without(str(reason))


def _without(why: str) -> Iterator[Row]:
    for part in PARTS:
        yield left_out(f"{NAME}/{part}", why)


class _Beside:
    """One run: both sides, and what is asked of them."""

    def __init__(self, setting: Setting, folder: Path, conninfo: str) -> None:
        self._size = QUICK if setting.quick else FULL
        residents = min(setting.sizes[0], self._size.most)
        self._folder, self._conninfo = folder, conninfo
        self._secret = os.urandom(32)
        self._seed, self._random = setting.seed, Random(setting.seed)
        self._site = Site.make(folder / "site", residents, setting.seed)
        self._people: list[Person] = []

    def rows(self) -> Iterator[Row]:
        """Yield what is measured, one part after another."""
        kinds = QUICK_KINDS if self._size.few else tuple(KINDS)
        with ExitStack() as stack:
            sides: dict[str, Rival] = {
                kind: stack.enter_context(Rival.create(self._conninfo, kind, self._secret))
                for kind in kinds
            }
            vault, ours = _opened(self._site.machine)
            try:
                self._people = list(ours.people())
                yield from self._load(sides)
                yield from self._store(ours, sides)
            finally:
                vault.close()
            yield from self._provision()

    def _load(self, sides: Mapping[str, Rival]) -> Iterator[Row]:
        def side(rival: Rival) -> None:
            rival.load(self._people)
            rival.finish_load()

        work: dict[str, Callable[[], object]] = {
            kind: partial(side, rival) for kind, rival in sides.items()
        }
        if not self._size.few:
            work["ours"] = self._ready_to_load()
        # Once: a table is loaded empty, and its indexes are made afterwards.
        taken = in_turns(work, 1)
        if self._size.few:
            yield left_out(f"{NAME}/load", "too few residents in a quick run to tell")
            return
        what = (
            f"{len(self._people):,} residents; ours from files, with every rule, message and"
            f" tally, sealed by {os.cpu_count()} processes; theirs from memory, by COPY, with "
        )
        ours, size = taken["ours"], len(self._people)
        for kind in sides:
            yield told(
                f"{NAME}/load {kind}",
                ours.rate(size),
                "residents/s",
                taken[kind].rate(size),
                note=what + SIDES[kind],
            )

    def _ready_to_load(self) -> Callable[[], object]:
        """Return what loads the same residents, written as files, into another empty store."""
        files = self._folder / "files"
        files.mkdir()
        paths = [files / f"{sender.code}.jsonl" for sender in self._site.senders]
        for path in paths:
            sender = Sender(path.stem, len(self._people) // len(paths), self._seed)
            with path.open("wb") as file:
                file.writelines(msgspec.json.encode(each) + b"\n" for each in sender.first_load())
        with Bench.open(self._folder / "loaded") as bench:
            for sender in self._site.senders:
                bench.municipality(sender.code)
            empty = loaddesk.Site(
                self._folder / "loaded", bench.ring, ORIGIN, bench.loaded, OURS, bytes(32)
            )
        return partial(load, empty, paths, lambda remarks: None, utc_now)

    def _store(self, ours: Ours, sides: Mapping[str, Rival]) -> Iterator[Row]:
        stores: dict[str, Store] = {"ours": ours, **sides}
        size, asked = self._size, _Asked(self._people, self._random)
        for part, count, ask in (
            ("find", size.finds, asked.find),
            ("four-informations", size.fours, asked.four),
            ("update", size.updates, asked.update),
        ):
            timings: dict[str, list[float]] = {name: [] for name in stores}
            work = {
                name: partial(ask, store, timings[name], count) for name, store in stores.items()
            }
            # The first round fills caches and prepares statements.
            in_turns(work, 1)
            for each in timings.values():
                each.clear()
            in_turns(work, size.rounds)
            for kind in sides:
                yield _asked_one(f"{NAME}/{part} {kind}", kind, timings["ours"], timings[kind])

    def _provision(self) -> Iterator[Row]:
        """Ask the appliance and its rivals for one resident after another."""
        ways = {BARRED: WAYS[BARRED]} if self._size.few else WAYS
        with ExitStack() as stack:
            ours = Side(stack.enter_context(self._site.appliance()))
            rivals = {
                name: Side(stack.enter_context(self._rival(way))) for name, way in ways.items()
            }
            clients = self._site.inquirers(CLIENTS)
            for _ in range(self._size.rounds):
                for side in (ours, *rivals.values()):
                    side.hear(clients, self._size.hammering)
        for name, rival in rivals.items():
            yield _provided(name, ours, rival)

    def _rival(self, way: "_Way") -> AbstractContextManager[Served]:
        return self._site.rival(inquiry.FACTORY, str(self._charge(way)))

    def _charge(self, way: "_Way") -> Path:
        charge = inquiry.Charge(self._conninfo, way.kind, self._secret, way.way)
        path = self._folder / f"{way.kind}-{way.way}.json"
        path.touch(0o600)
        path.write_bytes(msgspec.json.encode(charge))
        return path


class _Way(NamedTuple):
    """One way in which the rival answers an inquiry."""

    kind: str
    way: str


BARRED = f"{NAME}/provision"
WAYS = {
    BARRED: _Way("pgcrypto0", "one"),
    f"{BARRED} transaction": _Way("pgcrypto0", "two"),
    f"{BARRED} client": _Way("client", "one"),
}


def _provided(name: str, ours: Side, rival: Side) -> Row:
    way = WAYS[name]
    figures: dict[str, Any] = {"ours": ours.rate, "baseline": rival.rate, "unit": "requests/s"}
    note = (
        f"{SIDES[way.kind]}, {WRITTEN[way.way]}; {CLIENTS} clients, 8 items, audit on disk; "
        f"p50/p95/p99 {ours.percentiles()} ms, theirs {rival.percentiles()} ms; "
        f"processor {ours.each:,.0f} µs a request in our one process, {rival.each:,.0f} µs in "
        f"theirs, beside the processes of the database"
    )
    if name == BARRED:
        return at_least(name, bar=BAR, spread=ours.spread, note=note, **figures)
    return told(name, spread=ours.spread, note=note, **figures)


class _Asked:
    """What is asked of every side, the same of each."""

    def __init__(self, people: list[Person], random: Random) -> None:
        self._people = random.sample(people, min(len(people), 500))
        plain = [open_form(person.cells) for person in self._people]
        self._codes = [str(values[ItemName("resident_code")]) for values in plain]
        self._sought = [_four(values) for values in plain if _is_plain(values)]
        self._moves = [
            Person(person.number, seal_form(_moved(values, there)))
            for person, values, there in zip(
                self._people, plain, [*plain[1:], plain[0]], strict=True
            )
        ]
        self._seen: dict[int, Counter[int]] = {}

    def find(self, store: Store, timings: list[float], count: int) -> None:
        """Find residents by code, 8 items opened."""

        def find(code: str) -> None:
            if store.find(code, EIGHT) is None:
                raise LookupError("a resident is not found")

        _each(find, self._codes, timings, count)

    def four(self, store: Store, timings: list[float], count: int) -> None:
        """Find residents by four informations."""

        def seek(sought: Conditions) -> None:
            if not found(store, sought):
                raise LookupError("a resident is not found by four informations")

        _each(seek, self._sought, timings, count)

    def update(self, store: Store, timings: list[float], count: int) -> None:
        """Let residents move, each time on top of the version before."""
        seen = self._seen.setdefault(id(store), Counter())

        def move(person: Person) -> None:
            seen[person.number] += 1
            store.update(person, seen[person.number])

        _each(move, self._moves, timings, count)


def _each(work: Callable[[T], object], among: list[T], timings: list[float], count: int) -> None:
    """Do the work with one after another, and add how long each took, in seconds."""
    for each in islice(cycle(among), count):
        begin = time.perf_counter()
        work(each)
        timings.append(time.perf_counter() - begin)


def _asked_one(name: str, kind: str, ours: list[float], theirs: list[float]) -> Row:
    """Return a row of the middle of single timings."""
    middle = [median(each) * 1e6 for each in (ours, theirs)]
    late = [percentile(each, 99) * 1e6 for each in (ours, theirs)]
    return told(
        name,
        middle[0],
        "µs",
        middle[1],
        note=f"{SIDES[kind]}; p50, and p99 {late[0]:,.0f} and {late[1]:,.0f} µs, one caller",
    )


def found(store: Store, sought: Conditions) -> list[int]:
    """Return who fits four informations: planned, looked up, opened and judged."""
    candidates = store.candidates(plan(sought, store.index, ()), JUDGED)
    return [each.number for each in candidates if judge(sought, (), open_form(each.cells))]


def _is_plain(values: Values) -> bool:
    return len(list(names_in(str(values[ItemName("name")])))) == 1


def _four(values: Values) -> Conditions:
    """Return the four informations of a resident."""
    name, birth, sex, address = (
        str(values[ItemName(item)]) for item in ("name", "birth_date", "sex", "address")
    )
    return Conditions(name=name, birth_date=birth, sex=sex, address=address)


def _moved(values: Values, there: Values) -> Values:
    """Return a resident at somebody else's address."""
    moving = map(ItemName, ("address", "municipality_code", "town_code"))
    return {**values, **{item: there[item] for item in moving}, ItemName("reason"): "31"}


def _opened(machine: Machine) -> tuple[Vault, Ours]:
    """Open the store of an appliance that does not run."""
    shares = read_header(machine.layout.ring).share_set
    if shares is None:
        raise RuntimeError("the key ring knows no shares")
    root = Shares(shares).root(list(machine.founded.shares[:THRESHOLD]))
    opened = open_store(machine.settings, root, lambda: datetime.now(UTC))
    index = Index(opened.ring.key("idx-root/1"), opened.ring.token_bits)
    return opened.vault, Ours(opened.vault, index)
