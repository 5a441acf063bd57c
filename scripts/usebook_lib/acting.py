"""A year played to a real appliance: uses through the pipeline, the book as files, the matching."""

import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from appliance.loading import installed
from appliance.model import JST
from appliance.policy import read_policy
from appliance.testing import OURS, PIN, Bench, Seat
from scripts.usebook_lib.occasions import OPERATORS, STEP, Occasion, occasions
from scripts.usebook_lib.writing import Line, Planted, plant, sheet, write
from tests.simulators.notices import Notice
from tests.simulators.population import Population

OFFICE, MUNICIPALITY, RESIDENTS = "県税事務所", "432024", 300
FIRST = date(2026, 4, 1)
POLICY = Path(__file__).parents[2] / "firmware_config" / "policy"
IDLE = timedelta(minutes=4)
"""After that somebody logs in again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was planted and what was found."""

    uses: int
    entries: int
    """Of the ledger."""
    lines: int
    planted: int
    found: int
    """Planted and told, in the right way."""
    false: int
    """Told and not planted, or not in the right way."""
    by_way: dict[str, int]
    seconds_acting: float
    seconds_importing: float
    seconds_matching: float
    """On the clock on the wall."""
    cpu_seconds_matching: float
    """Of this process; less where others have the processors too."""
    wrong: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """All were found, and nothing else."""
        return self.found == self.planted and not self.false


@dataclass(slots=True)
class Office:
    """The people of the office at their terminals."""

    bench: Bench
    people: list[Notice]
    seats: dict[str, Seat] = field(default_factory=dict)
    seen: dict[str, datetime] = field(default_factory=dict)

    def log_in(self, operator: str, now: datetime) -> Seat:
        """Return where somebody sits, logged in; the clock is set."""
        self.bench.now = now.astimezone(UTC)
        if operator not in self.seats:
            self.seats[operator] = self.bench.clerk(
                operator,
                roles=("security-officer",) if operator == "SEC-1" else ("clerk",),
                purposes=() if operator == "SEC-1" else ("prefectural-tax", "designated-disease"),
                office=OFFICE,
                terminal_id=f"TERM-{operator}",
            )
        elif now - self.seen[operator] > IDLE:
            seat = replace(self.seats[operator], bearer=None)
            opened = seat.ask(
                "session/open", {"person": f"P-{operator}", "operator": operator, "pin": PIN}
            )
            self.seats[operator] = replace(seat, bearer=opened.data["token"])
        self.seen[operator] = now
        return self.seats[operator]

    def do(self, occasion: Occasion, step: int, refs: dict[int, str], at: int) -> int:
        """Make one request of a use; return the number of its entry."""
        seat = self.log_in(occasion.operator, occasion.begins + step * STEP)
        under: dict[str, Any] = {
            "purpose": occasion.ground.purpose,
            "reason": occasion.ground.reason,
            "case_number": occasion.case or None,
        }
        if not occasion.by_search:
            person = self.people[occasion.persons[step]]
            body = {"by": {"my_number": person.my_number}, "items": ["name", "address"]}
            return seat.ask("provision/inquire", body, **under).receipt
        person = self.people[occasion.persons[0]]
        if step == 0:
            asked = {"name": person.name, "birth_date": person.birth_date}
            told = seat.ask("search/find", asked, **under)
            refs[at] = str(told.data["residents"][0]["ref"])
            return told.receipt
        body = {"ref": refs.pop(at), "items": ["name", "address"]}
        return seat.ask("search/detail", body, **under).receipt


def play(
    folder: Path, uses: int, seed: int, told: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Play a year, match every month of it, and compare with what was planted."""
    rng = Random(seed)
    with _office(folder, seed) as office:
        done = occasions(rng, uses, len(office.people), FIRST)
        planted = plant(rng, done)
        lines = write(rng, done, planted)
        told(f"{len(done)} uses to make, {len(lines)} lines, {len(planted)} of them wrong")
        began = time.perf_counter()
        first_entries = _act(office, done)
        acted = time.perf_counter()
        months = _import(office, lines, done[-1].begins)
        imported = time.perf_counter()
        told(f"made in {acted - began:.0f} s, the book taken in in {imported - acted:.1f} s")
        seat = office.seats["SEC-1"]
        worked = time.process_time()
        counts = [seat.ask("usebook/match", {"month": month}).data for month in months]
        cpu_seconds = time.process_time() - worked
        seconds = time.perf_counter() - imported
        findings = {
            (month, each["finding"]["id"]): tuple(each["finding"]["differs"])
            for month in months
            for each in seat.ask("usebook/leftovers", {"month": month}).data["leftovers"]
        }
        entries = len(office.bench.ledger())
    expected = _expected(planted, lines, done, first_entries)
    right = {
        key
        for key, (way, differs) in expected.items()
        if key in findings and (way in ("missing", "invented") or findings[key] == differs)
    }
    wrong = [f"not found: {key} {expected[key]}" for key in sorted(expected.keys() - right)]
    wrong += [f"false: {key} {findings[key]}" for key in sorted(findings.keys() - right)]
    ways = [way for way, _ in expected.values()]
    return Outcome(
        uses=sum(each["matched"]["uses"] for each in counts),
        entries=entries,
        lines=len(lines),
        planted=len(planted),
        found=len(right),
        false=len(findings.keys() - right),
        by_way={way: ways.count(way) for way in sorted(set(ways))},
        seconds_acting=round(acted - began, 2),
        seconds_importing=round(imported - acted, 2),
        seconds_matching=round(seconds, 2),
        cpu_seconds_matching=round(cpu_seconds, 2),
        wrong=wrong,
    )


@contextmanager
def _office(folder: Path, seed: int) -> Iterator[Office]:
    """Yield an appliance with a town in it."""
    with Bench.open(folder, installed(OURS), read_policy(POLICY), in_step=True) as bench:
        bench.now = datetime.combine(FIRST, datetime.min.time(), JST).astimezone(UTC)
        people = list(Population(seed, MUNICIPALITY, RESIDENTS, FIRST).notices())
        cs = bench.municipality(MUNICIPALITY)
        plain = [msgspec.to_builtins(each) for each in people]
        answer = cs.ask("update/notify", {"notifications": plain}).data
        if any(each["outcome"] != "applied" for each in answer["results"]):
            raise RuntimeError("a resident was not taken in")
        yield Office(bench, [each for each in people if each.my_number])


def _act(office: Office, done: Sequence[Occasion]) -> list[int]:
    """Make every request in the order of time; return the first entry of each use."""
    steps = sorted(
        (each.begins + step * STEP, at, step)
        for at, each in enumerate(done)
        for step in range(each.requests)
    )
    refs: dict[int, str] = {}
    first: dict[int, int] = {}
    for _, at, step in steps:
        index = office.do(done[at], step, refs, at)
        first.setdefault(at, index)
    return [first[at] for at in range(len(done))]


def _import(office: Office, lines: Sequence[Line], last: datetime) -> list[str]:
    """Hand the book in, a file a month, after the last use; return the months."""
    by_month: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_month[line.month].append(line)
    now = last + timedelta(days=31)
    for month in sorted(by_month):
        seat = office.log_in(OPERATORS[0], now)
        file = b64encode(sheet(by_month[month])).decode()
        seat.ask("usebook/import", {"file": file})
    office.log_in("SEC-1", now)
    return sorted(by_month)


def _expected(
    planted: Sequence[Planted],
    lines: Sequence[Line],
    done: Sequence[Occasion],
    first_entries: Sequence[int],
) -> dict[tuple[str, str], tuple[str, tuple[Any, ...]]]:
    """Return what must be told: month and finding, and how it is wrong."""
    numbers: dict[int, tuple[str, int]] = {}
    of: dict[int | str, int] = {}
    lengths: dict[str, int] = defaultdict(int)
    for place, line in enumerate(lines):
        lengths[line.month] += 1
        numbers[place] = (line.month, lengths[line.month])
        of[line.case if line.of is None else line.of] = place
    expected: dict[tuple[str, str], tuple[str, tuple[Any, ...]]] = {}
    for each in planted:
        entry = f"use-{first_entries[each.occasion]}"
        if each.way == "missing":
            key = (f"{done[each.occasion].begins:%Y-%m}", entry)
        elif each.way == "invented":
            month, number = numbers[of[f"X-{each.occasion:06}"]]
            key = (month, f"line-{number}")
        else:
            month, number = numbers[of[each.occasion]]
            key = (month, f"{entry}-line-{number}")
        expected[key] = (each.way, (each.way,))
    return expected
