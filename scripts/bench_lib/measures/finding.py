"""Finding residents: by 住民票コード beside a bare read, by four informations as the file grows.

What is timed is a handler with its case in a view: no decoding, no HTTP, no ledger. The ledger is
told apart, as the whole line of a request at one caller.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from statistics import median
from struct import iter_unpack
from time import perf_counter
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from appliance.authz import permit
from appliance.casework import Task, opened
from appliance.errors import Refusal
from appliance.model import (
    Actor,
    Operator,
    PurposeCode,
    Request,
    RequestId,
    Role,
    Terminal,
    TerminalKind,
)
from appliance.operation import AnyOperation, Arguments
from appliance.protection import ProtectionMark, Protections
from appliance.testing import PREPARED, Bench
from plugins.provision.inquiry import INQUIRE, Inquire
from plugins.provision.match import By
from plugins.search import FIND, Find
from scripts.bench_lib import site
from scripts.bench_lib.rows import Row, Setting, at_most, below, told
from scripts.bench_lib.timing import percentile
from storage import aead
from storage.cells import Place
from storage.connection import open_reader
from storage.engine import PersonId, Unit
from storage.keys import StoreKeys
from storage.records import place_of
from storage.vault import FILE_NAME

ITEMS = (
    "resident_code",
    "name",
    "kana",
    "birth_date",
    "sex",
    "address",
    "municipality_code",
    "my_number",
)
NUMBERS = (1, 2, 4, 5, 6, 7, 14, 9)
"""The same eight items, as cells are numbered."""
MIX = (
    ("name", "birth_date"),
    ("name", "address"),
    ("kana", "birth_date", "sex"),
    ("name", "kana", "birth_date", "sex", "address"),
)
WARM, ROUNDS = 100, 5
MOST_MS, FLAT = 5.0, 1.5
Known = list[tuple[bytes, slice, bytes]]
"""Key, span and bound data of each cell that is opened."""


def measure(setting: Setting) -> Iterator[Row]:
    """Find residents in the stores of every size of the run."""
    with ExitStack() as stack:
        sites = [site.filled(setting, size) for size in setting.sizes]
        benches = [stack.enter_context(site.opened(each)) for each in sites]
        for bench in benches:
            stack.enter_context(_somebody_protected(bench))
        yield from _by_code(setting, sites[-1], benches[-1])
        yield from _by_four(setting, sites, benches)


@contextmanager
def _somebody_protected(bench: Bench) -> Iterator[None]:
    """Mark somebody as protected (要注意): where nobody is, there is less to look up."""
    mark = ProtectionMark(number=1, until=date.max)

    def change(begin: bool, unit: Unit) -> None:
        protections = Protections(unit, unit)
        if begin:
            protections.protect(PersonId(1), mark)
        else:
            protections.lift(PersonId(1))
        unit.enter(PREPARED)

    bench.vault.write(partial(change, True))
    try:
        yield
    finally:
        bench.vault.write(partial(change, False))


def _by_code(setting: Setting, large: site.Filled, bench: Bench) -> Iterator[Row]:
    codes = [each["resident_code"] for each in large.sample]
    random.Random(setting.seed).shuffle(codes)
    desk, bare = Desk(bench), Bare(large, bench)
    asked = [desk.task(INQUIRE, _inquiry(code)) for code in codes]
    sought = [bare.prepared(code) for code in codes]
    # Each side asks for another person, so that neither finds the other's pages warm.
    away = sought[len(sought) // 2 :] + sought[: len(sought) // 2]
    ours, theirs = _alternately(
        [partial(desk.handle, task) for task in asked],
        [partial(bare.find, *each) for each in away],
    )
    note = (
        f"{large.persons:,} residents; provision/inquire, 8 items; beside two bare reads, 8 cells"
    )
    yield at_most("finding/by-code", 1e6 * median(ours), 1e6 * median(theirs), "µs", 4, note=note)
    clerk = bench.clerk()
    line = [
        _timed(partial(clerk.ask, "provision/inquire", _body(code), **_WHY))
        for code in codes[: 200 if setting.quick else 1_000]
    ]
    note = "the whole line without HTTP, its ledger entry on disk, one caller"
    yield told(
        "finding/by-code-with-ledger", 1e6 * median(line), "µs", 1e6 * median(ours), note=note
    )


def _by_four(
    setting: Setting, sites: Sequence[site.Filled], benches: Sequence[Bench]
) -> Iterator[Row]:
    desks = [Desk(bench) for bench in benches]
    count = 1_000 if setting.quick else len(sites[-1].sample)
    calls = [
        [partial(desk.handle, task) for task in _searches(desk, each, count)]
        for desk, each in zip(desks, sites, strict=True)
    ]
    rounds = [_alternately(*calls) for _ in range(ROUNDS)]
    taken = [_settled(sides) for sides in zip(*rounds, strict=True)]
    (small, _), (large, single) = taken[0], taken[-1]
    sizes = f"{sites[-1].persons:,} residents"
    note = (
        f"{sizes}, {count} searches, each the best of {ROUNDS} rounds over all of them; of single "
        f"calls, whatever else the machine does: {1e3 * percentile(single, 99):.2f} ms"
    )
    yield below(
        "finding/four-informations-p99", 1e3 * percentile(large, 99), "ms", MOST_MS, note=note
    )
    if len(sites) > 1:
        note = f"{sizes}, beside {sites[0].persons:,}; {desks[-1].refused} refused"
        pairs = {"p50": (median(large), median(small))}
        pairs["p99"] = percentile(large, 99), percentile(small, 99)
        for name, (ours, before) in pairs.items():
            row = f"finding/four-informations-flat-{name}"
            yield at_most(row, 1e6 * ours, 1e6 * before, "µs", FLAT, note=note)


def _settled(rounds: Sequence[Sequence[float]]) -> tuple[list[float], list[float]]:
    """Return the best time of each call over the rounds, and all times.

    Each round goes over all calls, so none finds what it opened before. Of what makes one search
    slower than another all is in the best time; what the machine did meanwhile is not.
    """
    best = [min(times) for times in zip(*rounds, strict=True)]
    return best, [second for times in rounds for second in times]


class Desk:
    """Hands requests to handlers, each with a case of its own in a view of its own."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.refused = 0
        self._actor = Actor(
            terminal=Terminal(
                terminal_id="BENCH", kind=TerminalKind.REPRESENTATIVE, fingerprint="00" * 32
            ),
            operator=Operator(person_id="P", operator_id="O", office="市町村課"),
            roles=frozenset({Role("all")}),
            purposes=frozenset({PurposeCode("all")}),
            session="00" * 32,
            proved=bench.now,
        )

    def task(self, operation: AnyOperation, arguments: Arguments) -> Task:
        """Return a permitted request."""
        parts, actor = self._bench.parts, self._actor
        request = Request(
            id=RequestId("bench"),
            operation=operation.name,
            now=self._bench.now,
            purpose=PurposeCode("all"),
            reason="01",
        )
        grant = permit(parts.policy, parts.hook, actor, operation, request)
        owner, _ = parts.operations[operation.name]
        envelope: Any = None
        return Task(owner, operation, actor, request, grant, arguments, envelope, None)

    def handle(self, task: Task) -> None:
        """Answer it, ledger apart."""
        with self._bench.vault.view() as view:
            case = opened(self._bench.parts, task, view, None)
            try:
                task.operation.handler(case, task.arguments)
            except Refusal:
                self.refused += 1


class Bare:
    """Token to person to newest row, and eight openings under known keys; nothing around it."""

    def __init__(self, large: site.Filled, bench: Bench) -> None:
        self._keys = StoreKeys.of(large.ring, large.origin)
        self._index = bench.index
        self._connection = open_reader(large.folder / FILE_NAME, self._keys.page)

    def find(self, token: bytes, known: Known) -> None:
        """Read and open."""
        cells = self._row(token)[-1]
        for key, span, bound in known:
            ChaCha20Poly1305(key).decrypt(bytes(12), cells[span], bound)

    def prepared(self, code: str) -> tuple[bytes, Known]:
        """Return the token of a code, and all that has to be known of the cells (cells.py)."""
        token = bytes(self._index.code(code).value)
        vid, hdr, wrap, *_, cells = self._row(token)
        place, kek = place_of(self._keys.installation, vid), int.from_bytes(hdr[6:10], "little")
        bound = b"jk1w" + place.db + hdr[2:4] + _lies(place) + hdr[6:10]
        secret = aead.unseal(wrap, self._keys.keks[kek], bound)
        known, start = {}, 1 + 3 * cells[0]
        for field, length in iter_unpack("<BH", cells[1:start]):
            bound = b"jk1c" + place.db + hdr[2:6] + field.to_bytes(2, "little") + _lies(place)
            key = self._keys.fields.cell_key(field, secret)
            known[field] = key, slice(start, start + length), bound
            start += length
        return token, [known[number] for number in NUMBERS]

    def _row(self, token: bytes) -> tuple[Any, ...]:
        ask = self._connection.execute
        ((person,),) = ask("SELECT person FROM ident WHERE idx = 1 AND token = ?", (token,))
        row: tuple[Any, ...]
        (row,) = ask(
            "SELECT vid, hdr, wrap, rsc, seal, cells FROM ver WHERE vid BETWEEN ? AND ?"
            " ORDER BY vid DESC LIMIT 1",
            (person * 4096 + 1, person * 4096 + 4095),
        )
        return row


_WHY: dict[str, Any] = {"purpose": "all", "reason": "01"}


def _lies(place: Place) -> bytes:
    return place.person.to_bytes(8, "little") + place.version.to_bytes(4, "little")


def _inquiry(code: str) -> Inquire:
    return Inquire(by=By(resident_code=code), items=ITEMS)


def _body(code: str) -> dict[str, Any]:
    return {"by": {"resident_code": code}, "items": list(ITEMS)}


def _searches(desk: Desk, where: site.Filled, rounds: int) -> list[Task]:
    """Return searches for random residents, of the four kinds in turns."""
    known = [who for who in where.sample if who["kana"] is not None]
    people = [known[turn % len(known)] for turn in range(rounds)]
    return [
        desk.task(FIND, Find(**{item: who[item] for item in MIX[turn % len(MIX)]}))
        for turn, who in enumerate(people)
    ]


def _alternately(*sides: Sequence[Callable[[], None]]) -> list[list[float]]:
    """Time every call alone, the sides in turns, after some to warm up; return seconds."""
    for calls in zip(*(side[:WARM] for side in sides), strict=True):
        for call in calls:
            call()
    taken: list[list[float]] = [[] for _ in sides]
    for turn, calls in enumerate(zip(*sides, strict=True)):
        order = range(len(sides)) if turn % 2 else reversed(range(len(sides)))
        for side in order:
            taken[side].append(_timed(calls[side]))
    return taken


def _timed(call: Callable[[], object]) -> float:
    begin = perf_counter()
    call()
    return perf_counter() - begin
