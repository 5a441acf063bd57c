"""A page as a browser at a terminal fetches it: over mutual TLS, from a process of its own.

The appliance of ``machines.py``, with what an office leaves behind: a week of inquiries in the
ledger, four weeks of counted days, open 開示 cases. Whoever sits there fetches 業務メニュー, every
entry of it, and what its buttons lead to, round after round on one connection. A button is a POST,
303 and a GET: both together are one page. 操作者認証 and PDFs are not among them, nor is a first
round, in which templates are compiled.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle, islice
from typing import Any, NamedTuple

from appliance.model import JST
from appliance.papers import Papers as Kept
from appliance.parts import utc_now
from appliance.testing import PIN, PREPARED, Bench, Seat, ours
from plugins.watching import days
from plugins.watching.days import Count
from scripts.bench_lib.machines import Grown, grown
from scripts.bench_lib.pages import MENU, Pages, browsing, carried, entries
from scripts.bench_lib.rows import Row, Setting, below, told
from scripts.bench_lib.served import settle
from scripts.bench_lib.timing import percentile
from scripts.bench_lib.wire import Papers
from storage.engine import Unit

MOST_MS = 100.0
PATIENCE = 90.0
"""Seconds for what the process does after its start, the reading of the new entries among it."""
USES_A_WEEK = 2 / 52
"""Inquiries a resident: the two a year of ``capacity.py``."""
DAYS, OFFICES, STAFF = 28, 10, 200
CASES = 100
GROUND = "register-administration/01"
ITEMS = ("name", "birth_date", "sex", "address")
FOR_TAX: Mapping[str, Any] = {"purpose": "prefectural-tax", "reason": "01"}
DESK: Mapping[str, Any] = {"purpose": "disclosure", "reason": "01"}
COUNTER = {"method": "counter", "identity": ["passport"], "stamps_yen": 10}
TERMINAL, DESKS = "TERM-0001", "TERM-6000"
FIND, CASE_LIST = "/screens/search/find", "/screens/disclosure/cases"
OPERATIONS, PERSON = "/screens/ledger/operations", "/screens/ledger/person"
USES = "/screens/watching/uses"

Fetch = Callable[[], str]
Resident = Mapping[str, Any]


class Visitor(NamedTuple):
    """Somebody who sits down at a terminal."""

    number: int
    role: str
    purposes: tuple[str, ...] = ()

    @property
    def operator(self) -> str:
        """操作者ID."""
        return f"OP-6{self.number:03}"

    @property
    def person(self) -> str:
        """照合ID."""
        return f"P-6{self.number:03}"


REGISTRAR = Visitor(1, "registrar", ("register-administration", "disclosure"))
AUDITOR = Visitor(2, "auditor")
VISITORS = (
    REGISTRAR,
    AUDITOR,
    Visitor(3, "system-administrator"),
    Visitor(4, "security-officer"),
    Visitor(5, "media-operator", ("prefectural-tax",)),
    Visitor(6, "statistician"),
)


@dataclass(slots=True)
class Taken:
    """How long pages took, by kind, in seconds."""

    kinds: dict[str, list[float]] = field(default_factory=dict)

    def time(self, kind: str, fetch: Fetch) -> str:
        """Fetch a page and note how long it took; return it."""
        begin = time.perf_counter()
        page = fetch()
        self.kinds.setdefault(kind, []).append(time.perf_counter() - begin)
        return page

    def rows(self, size: int, about: str) -> Iterator[Row]:
        """Yield a row for each kind, and one over all."""
        for kind, seconds in sorted(self.kinds.items()):
            middle = percentile(seconds, 50) * 1e3
            note = f"p50 {middle:.1f} ms; {len(seconds)} pages"
            yield told(f"screens/{kind} p95@{size}", percentile(seconds, 95) * 1e3, "ms", note=note)
        every = [each for seconds in self.kinds.values() for each in seconds]
        note = (
            f"p50 {percentile(every, 50) * 1e3:.1f} ms; {len(every)} pages of {len(self.kinds)} "
            f"kinds, one at a time, {about}"
        )
        name = f"screens/page p95@{size}"
        yield below(name, percentile(every, 95) * 1e3, "ms", MOST_MS, note=note)


def measure(setting: Setting) -> Iterator[Row]:
    """Leave behind what an office would; then let everybody go round."""
    site = grown(setting, setting.sizes[0])
    uses = int(site.persons * USES_A_WEEK)
    with site.opened() as opened:
        bench = Bench(opened.vault, ours(), opened.firmware.policy, opened.ring, None)
        bench.now = utc_now()
        _furnish(bench, site, uses)
    taken, rounds = Taken(), 2 if setting.quick else 25
    with site.running() as began:
        settle(began.pid, PATIENCE)
        papers = Papers(*map(str, site.machine.credentials(TERMINAL)))
        for visitor in VISITORS:
            with browsing(site.machine.port, papers) as pages:
                pages.logs_in(visitor.person, visitor.operator, PIN)
                _tour(visitor, pages, site, taken, rounds)
    about = f"{len(VISITORS)} roles; {STAFF} staff, {uses:,} inquiries, {CASES} open cases before"
    yield from taken.rows(site.persons, about)


# --- what an office leaves behind ---


def _furnish(bench: Bench, site: Grown, uses: int) -> None:
    for visitor in VISITORS:
        bench.appoint(
            visitor.operator, visitor.person, roles=(visitor.role,), purposes=visitor.purposes
        )
    people = cycle([each for each in site.sample.residents if each["my_number"]])
    for clerk, each in islice(zip(cycle(_clerks(bench)), people, strict=False), uses):
        clerk.ask("provision/inquire", _inquiry(each), **FOR_TAX)
    desk = bench.log_in(REGISTRAR.person, REGISTRAR.operator, DESKS)
    for each in islice(people, CASES):
        subject = {name: each[name] for name in ITEMS}
        desk.ask("disclosure/receive", {**COUNTER, "subject": subject}, **DESK)
    bench.vault.write(lambda unit: _count(unit, bench.now.astimezone(JST).date()))
    while bench.step("watching/nightly").more:
        pass


def _clerks(bench: Bench) -> list[Seat]:
    """Let the staff of all offices in, each logged in at a terminal of the office."""
    return [
        bench.clerk(
            f"OP-5{number:03}",
            roles=("clerk",),
            purposes=(FOR_TAX["purpose"],),
            office=_office(number),
            terminal_id=f"TERM-5{number % OFFICES:03}",
        )
        for number in range(STAFF)
    ]


def _inquiry(person: Resident) -> dict[str, Any]:
    return {"by": {"my_number": person["my_number"]}, "items": ITEMS}


def _office(number: int) -> str:
    return f"所属{number % OFFICES}"


def _count(unit: Unit, today: date) -> None:
    """Enter the counts of four weeks, as the nightly reading would have left them."""
    counted = {}
    for ago in range(1, DAYS + 1):
        day: Counter[Count] = Counter()
        for number in range(STAFF):
            office, person = _office(number), f"P-OP-5{number:03}"
            for hour in range(9, 17):
                day[Count("hour", office, person, str(hour))] += 3
                day[Count("use", office, which="search")] += 2
                day[Count("use", office, which="provision")] += 1
            day[Count("look", office, person, "followed")] += 10
            day[Count("look", office, person, "only")] += 2
            day[Count("hits", office, which="1")] += 16
            day[Count("proof", office, which="device")] += 2
        counted[(today - timedelta(days=ago)).toordinal()] = day
    days.enter(Kept(unit, unit, "watching"), counted)
    unit.enter(PREPARED)


# --- going round ---


def _tour(visitor: Visitor, pages: Pages, site: Grown, taken: Taken, rounds: int) -> None:
    screens = entries(pages.opens(MENU))
    people = cycle(site.sample.residents)
    for kept in (Taken(), *[taken] * rounds):
        _round(visitor, pages, screens, people, kept)


def _round(
    visitor: Visitor, pages: Pages, screens: list[str], people: Iterator[Resident], taken: Taken
) -> None:
    taken.time(f"menu of {visitor.role}", lambda: pages.opens(MENU))
    for path in screens:
        kind = path.removeprefix("/screens/")
        taken.time(kind, lambda path=path: pages.opens(path))  # type: ignore[misc]
    if visitor is REGISTRAR:
        _look_up(pages, next(people), taken)
        _follow(pages, CASE_LIST, "case", taken)
    if visitor is AUDITOR:
        _follow(pages, OPERATIONS, "entry", taken)
        _audit(pages, next(people), taken)


def _look_up(pages: Pages, person: Resident, taken: Taken) -> None:
    """Search somebody, and open who was found."""
    birth = person["birth_date"].replace("-", "")
    asked = {"ground": GROUND, "case": "2026-0001", "name": person["name"], "birth_date": birth}
    page = _pressed(pages, f"{FIND}/list", asked, taken)
    _pressed(pages, f"{FIND}/detail", carried(page, f"{FIND}/detail"), taken)


def _audit(pages: Pages, person: Resident, taken: Taken) -> None:
    """Ask who looked at somebody, and draw the week until now, which is read entry by entry."""
    _pressed(pages, f"{PERSON}/list", {"resident_code": person["resident_code"]}, taken)
    today = utc_now().astimezone(JST).date()
    since = today - timedelta(days=DAYS)
    period = {"since": f"{since:%Y%m%d}", "until": f"{today:%Y%m%d}"}
    _pressed(pages, f"{USES}/choose", period, taken)


def _follow(pages: Pages, path: str, act: str, taken: Taken) -> None:
    """Open the first of a list."""
    _pressed(pages, f"{path}/{act}", carried(pages.opens(path), f"{path}/{act}"), taken)


def _pressed(pages: Pages, path: str, fields: Mapping[str, str], taken: Taken) -> str:
    return taken.time(path.removeprefix("/screens/"), lambda: pages.presses(path, fields))
