"""A year of a whole prefecture: what its municipalities tell, in the order in which they tell it.

Each municipality has its own population and stream of movements (``movements.py``), with faults.
Here the streams run side by side in *slices*, and people move from one municipality to another: a
転出 here, a 転入 there under one 住民票コード. Some are overtaken: the 転入 is told first and must
wait for the other municipality's 転出.

::

    DIR/CODE/residents.jsonl the first load
    DIR/CODE/NN.jsonl        what is told in slice NN, one Notice a line
    DIR/CODE/NN.expected.jsonl   what must be answered where it is not simply *applied*
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from msgspec.structs import replace

from tests.simulators.happenings import living_at
from tests.simulators.make import shares
from tests.simulators.movements import Line, Mix, Movements
from tests.simulators.notices import APPLIED, Expectation, Expected, Notice, write_lines
from tests.simulators.population import Population

NOTICES_FOR_EACH: Final = 0.18
"""Notices a resident and year, as in Kumamoto."""
ACROSS: Final = 0.04
"""For each other notice, somebody who changes the municipality within the prefecture."""
OVERTAKEN: Final = 0.1
"""Of those, whose 転入 is told before the 転出."""
WAITS: Final = Expectation(outcome="held", rule=None)


class Plan(NamedTuple):
    """How large a year is to be made."""

    residents: int
    notices: int
    slices: int
    seed: int
    day: date


class Told(NamedTuple):
    """One notice, by whom, and what must be answered."""

    municipality_code: str
    line: Line


@dataclass(slots=True)
class Mover:
    """Somebody on the way from one municipality to another."""

    person: Notice
    origin: str
    target: str
    overtakes: bool


@dataclass(slots=True)
class Made:
    """What a year came to."""

    residents: dict[str, int] = field(default_factory=dict)
    slices: int = 0
    notices: int = 0
    faults: dict[str, int] = field(default_factory=dict)


class Year:
    """Makes a year; the same plan gives the same notices."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rng = Random(f"year/{plan.seed}")
        sizes = shares(plan.residents)
        whole = sum(sizes.values())
        self._counts = {code: plan.notices * size // whole for code, size in sizes.items()}
        self.populations: Mapping[str, Population] = {
            code: Population(plan.seed, code, size, plan.day) for code, size in sizes.items()
        }
        self._streams = {
            code: Movements(self.populations[code], plan.seed, count, mix=Mix())
            for code, count in self._counts.items()
        }
        self._lines: dict[str, Iterator[Line]] = {
            code: stream.lines() for code, stream in self._streams.items()
        }
        self._on_the_way: list[Mover] = []
        self._released: list[Mover] = []
        self.made = Made(residents=dict(sizes), slices=plan.slices)

    def slices(self) -> Iterator[list[Told]]:
        """Yield what is told in each slice, in order."""
        for number in range(self._plan.slices):
            told = [each for code in self._streams for each in self._own(code, number)]
            told += self._arrivals()
            if number < self._plan.slices - 1:
                told += self._departures(len(told))
            yield self._counted(told)

    def _own(self, code: str, number: int) -> Iterator[Told]:
        """Yield the municipality's own stream, cut into equal slices; the last one takes all."""
        last = number == self._plan.slices - 1
        share = None if last else self._counts[code] // self._plan.slices
        for line in islice(self._lines[code], share):
            yield Told(code, line)

    def _departures(self, told: int) -> Iterator[Told]:
        """Let people go to another municipality: whoever overtakes arrives first."""
        codes = list(self._streams)
        weights = [self.populations[code].residents for code in codes]
        for _ in range(round(told * ACROSS)):
            origin, target = self._rng.choices(codes, weights, k=2)
            if origin == target:
                continue
            register = self._streams[origin].register
            mover = Mover(register.present(), origin, target, self._rng.random() < OVERTAKEN)
            register.wait(mover.person.resident_code)
            self._on_the_way.append(mover)
            if mover.overtakes:
                yield self._arrival(mover, WAITS, "told before the 転出 elsewhere")
            else:
                yield self._departure(mover, APPLIED, "")

    def _arrivals(self) -> Iterator[Told]:
        """Tell the other half of what the slice before began."""
        # Only now is it certain that the 転出 came before whatever is told of them next.
        for mover in self._released:
            self._streams[mover.target].register.resume(mover.person.resident_code)
        movers, self._on_the_way = self._on_the_way, []
        self._released = [mover for mover in movers if mover.overtakes]
        for mover in movers:
            if mover.overtakes:
                yield self._departure(mover, APPLIED, "")
            else:
                yield self._arrival(mover, APPLIED, "")

    def _departure(self, mover: Mover, expected: Expectation, fault: str) -> Told:
        register = self._streams[mover.origin].register
        [notice] = register.tell([register.next_version(mover.person, "21")])
        register.resume(notice.resident_code)
        # He lives elsewhere now: this municipality has nothing more to tell of him.
        register.forget(notice.resident_code)
        return Told(mover.origin, Line(notice, expected, fault))

    def _arrival(self, mover: Mover, expected: Expectation, fault: str) -> Told:
        register = self._streams[mover.target].register
        gone = replace(mover.person, update_number=mover.person.update_number + 1)
        place = register.population.towns.place(register.rng)
        coming = register.next_version(gone, "11", **living_at(place))
        [notice] = register.tell([coming])
        register.welcome(notice)
        if mover.overtakes:
            register.wait(notice.resident_code)
        return Told(mover.target, Line(notice, expected, fault))

    def _counted(self, told: list[Told]) -> list[Told]:
        self.made.notices += len(told)
        planted = Counter(each.line.fault for each in told if each.line.fault)
        self.made.faults = dict(Counter(self.made.faults) + planted)
        return told


def make(plan: Plan, folder: Path) -> Made:
    """Write a whole year into a folder; return what it came to.

    Raises:
        TooFewPeople: the population is too small for so many movements.
    """
    year = Year(plan)
    for code, population in year.populations.items():
        (folder / code).mkdir(parents=True)
        write_lines(folder / code / "residents.jsonl", population.notices())
    for number, told in enumerate(year.slices(), start=1):
        for code in year.populations:
            _write(folder / code, number, [each.line for each in told if each[0] == code])
    return year.made


def _write(folder: Path, number: int, lines: Sequence[Line]) -> None:
    if not lines:
        return
    write_lines(folder / f"{number:02}.jsonl", (line.notice for line in lines))
    expected = [
        Expected(line=at, sequence=line.notice.sequence, fault=line.fault, expected=line.expected)
        for at, line in enumerate(lines, start=1)
        if line.fault
    ]
    write_lines(folder / f"{number:02}.expected.jsonl", expected)
