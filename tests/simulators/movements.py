"""The stream of notices a municipality sends after the first load, in the order of sending.

Between the ordinary notices (``happenings.py``) it plants faults, each with the answer it must get
(``faults.py``), loses notices and sends them again, sends some twice, and uses a sequence number
for something else. The answers do not depend on the day of playing, as long as it is not before
the population's day.

What the answers assume: a refused notice uses up its sequence number but no update number; a notice
that is missing holds up the later ones of the same person, and nobody else's.
"""

import heapq
from collections.abc import Callable, Iterator
from itertools import count as count_up
from itertools import cycle
from random import Random
from typing import Final, NamedTuple

from msgspec.structs import replace

from tests.simulators import happenings
from tests.simulators.faults import FAULTS, Fault
from tests.simulators.happenings import HAPPENINGS
from tests.simulators.notices import APPLIED, Expectation, Notice
from tests.simulators.population import Population
from tests.simulators.register import Register

FAULT_SHARE: Final = 0.05
HELD: Final = Expectation(outcome="held", rule="G-06")
REFUSED: Final = Expectation(outcome="rejected", rule="G-06")
SENT_RIGHTLY: Final = "refused before, sent again rightly"
DUPLICATE: Final = Expectation(outcome="duplicate", rule=None)


class Line(NamedTuple):
    """One line of movements.jsonl and what must be answered; ``fault`` is empty for most."""

    notice: Notice
    expected: Expectation = APPLIED
    fault: str = ""


class Late(NamedTuple):
    """A line to be sent once ``due`` lines have gone before; the oldest first."""

    due: int
    serial: int
    line: Line
    missed: bool


class Mix(NamedTuple):
    """How many of each kind of fault, for each ordinary notice."""

    faulty: float = 0.05
    reordered: float = 0.02
    repeated: float = 0.01


class Movements:
    """A stream of movements of one population; the same arguments give the same stream.

    Args:
        population: where they happen.
        seed: another seed, other movements.
        count: how many ordinary notices.
        fault_share: how many faults for each of those; every kind is planted at least once.
        mix: which faults for each of those instead, drawn at random.
    """

    def __init__(
        self,
        population: Population,
        seed: int,
        count: int,
        fault_share: float = FAULT_SHARE,
        mix: Mix | None = None,
    ) -> None:
        self._rng = Random(f"movements/{seed}/{population.municipality_code}")
        self.register = Register(population, self._rng)
        self._count = count
        self._plants = self._shuffled_plants() if mix is None else self._drawn_plants(mix)
        every_kind = len(FAULTS) + len(_STREAM_FAULTS)
        self._faults = (
            max(every_kind, round(count * fault_share)) if mix is None else round(count * sum(mix))
        )
        self._late: list[Late] = []
        self._serial = count_up()
        self._sent = 0

    def lines(self) -> Iterator[Line]:
        """Yield the lines in the order of sending.

        Raises:
            TooFewPeople: the population is too small for so many movements.
        """
        for line in self._on_time():
            self._sent += 1
            yield line
            while self._late and self._late[0].due <= self._sent:
                yield self._arrive()
        while self._late:
            yield self._arrive()

    def _on_time(self) -> Iterator[Line]:
        happened = planted = 0
        # Somebody must have died, left and been struck off before some faults can be made.
        first = [happenings.death, happenings.departed, happenings.strike]
        while happened < self._count:
            happening = first.pop() if first else self._draw()
            notices = happening(self.register)[: self._count - happened]
            happened += len(notices)
            told = self.register.tell(notices)
            # Whoever takes the stream in parts must not go on with somebody not yet told of.
            for notice in told:
                self.register.wait(notice.resident_code)
            for notice in told:
                self.register.resume(notice.resident_code)
                yield Line(notice)
            while not first and planted * self._count < happened * self._faults:
                planted += 1
                yield from next(self._plants)(self)

    def _draw(self) -> happenings.Happening:
        return self._rng.choices(list(HAPPENINGS), list(HAPPENINGS.values()))[0]

    def _shuffled_plants(self) -> "Iterator[Plant]":
        plants = [*(_planting(fault) for fault in FAULTS), *_STREAM_FAULTS]
        self._rng.shuffle(plants)
        return cycle(plants)

    def _drawn_plants(self, mix: Mix) -> "Iterator[Plant]":
        kinds: list[list[Plant]] = [
            [_planting(fault) for fault in FAULTS],
            [Movements.lose, Movements.overtake],
            [Movements.repeat, Movements.reuse],
        ]
        while True:
            [kind] = self._rng.choices(kinds, list(mix))
            yield self._rng.choice(kind)

    def plant(self, fault: Fault) -> Iterator[Line]:
        """Send one faulty notice, and later the right one, where there is one."""
        notice = fault.make(self.register)
        if fault.outcome == "applied":
            [told] = self.register.tell([notice])
        else:
            told = self.register.numbered(notice)
        yield Line(told, fault.expected, fault.name)
        meant, self.register.meant = self.register.meant, None
        if fault.outcome != "applied" and meant is not None:
            [right] = self.register.tell([meant])
            self._send_later(Line(right, APPLIED, SENT_RIGHTLY), missed=True)

    def lose(self) -> Iterator[Line]:
        """Lose a 転居; the next notice of the same person must wait until it is sent again."""
        lost = self._move()
        [later] = self.register.tell([happenings.renamed_building(self.register, lost)])
        yield Line(later, HELD, "a notice before it is missing")
        self._send_later(Line(lost, APPLIED, "lost, sent again, releases the next"), missed=True)

    def overtake(self) -> Iterator[Line]:
        """Let a 転居 be overtaken by other people's notices, which need not wait."""
        late = self._move()
        self._send_later(Line(late, APPLIED, "overtaken by other people's notices"), missed=True)
        yield from ()

    def repeat(self) -> Iterator[Line]:
        """Send a notice twice."""
        notice = self._move()
        yield Line(notice)
        self._send_later(Line(notice, DUPLICATE, "sent twice"))

    def reuse(self) -> Iterator[Line]:
        """Use a sequence number again for something else."""
        notice = self._move()
        yield Line(notice)
        other = happenings.renamed_building(self.register, notice, reason="31")
        other = replace(other, sequence=notice.sequence, update_number=notice.update_number)
        self._send_later(Line(other, REFUSED, "sequence number used for something else"))

    def _move(self) -> Notice:
        place = self.register.population.towns.place(self._rng)
        person = self.register.present()
        [told] = self.register.tell([happenings.moved(self.register, person, place)])
        return told

    def _send_later(self, line: Line, *, missed: bool = False) -> None:
        if missed:
            self.register.wait(line.notice.resident_code)
        due = self._sent + self._rng.randint(3, 120)
        heapq.heappush(self._late, Late(due, next(self._serial), line, missed))

    def _arrive(self) -> Line:
        late = heapq.heappop(self._late)
        if late.missed:
            self.register.resume(late.line.notice.resident_code)
        self._sent += 1
        return late.line


Plant = Callable[[Movements], Iterator[Line]]


def _planting(fault: Fault) -> Plant:
    return lambda movements: movements.plant(fault)


_STREAM_FAULTS: Final[tuple[Plant, ...]] = (
    Movements.lose,
    Movements.overtake,
    Movements.repeat,
    Movements.reuse,
)
