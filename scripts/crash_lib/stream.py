"""What one municipality sends: batches of notices, each with everything that must become of it.

The next batch is made only when the one before has been decided, so what is expected never depends
on chance: newcomers are applied, moves are applied, a wrong check digit is refused alone, and a
notice whose predecessor is missing is held and then applied together with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from random import Random
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from tests.simulators.fake_numbers import wrong_resident_code
from tests.simulators.notices import Eight, Notice, eight_of
from tests.simulators.population import Population

MOST_PEOPLE: Final = 10**6
APPLIED, HELD, REJECTED = "applied", "held", "rejected"
SIZES: Final = ((1, 1), (1, 1), (1, 1), (2, 10), (2, 10), (20, 60))
"""Notices in a batch, each range as likely as the others."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One request of a municipality, and what it comes to once it is done."""

    key: str
    body: bytes
    sequences: tuple[int, ...]
    outcomes: tuple[str, ...]
    told: tuple[Eight, ...]
    """The messages it puts in the outbox, in order."""
    before: Mapping[str, Notice | None]
    """Everybody it changes, by 住民票コード, as they stood before; None for a newcomer."""
    after: Mapping[str, Notice]
    held: int
    """How many notices wait once it is done."""


class Planned(NamedTuple):
    """One notice of the next batch; ``releases`` is who waited for it."""

    notice: Notice
    outcome: str
    releases: Notice | None = None


class Stream:
    """The batches of one municipality, without end; the same seed gives the same.

    Args:
        municipality_code: whose.
        seed: another seed, other people.
        day: today; nobody is told of before it happens.
    """

    def __init__(self, municipality_code: str, seed: int, day: date) -> None:
        population = Population(seed, municipality_code, MOST_PEOPLE, day)
        self._newcomers = population.notices()
        self._rng = Random(f"crash/{municipality_code}/{seed}")
        self._day = day.isoformat()
        self._code = municipality_code
        self._sequence = 0
        self._number = 0
        self._missing: tuple[Notice, Notice] | None = None
        self.people: dict[str, Notice] = {}
        """Everybody sent so far, as they stand once it is all done."""
        self.codes: list[str] = []

    def next_batch(self) -> Batch:
        """Return the next batch, for when the one before is decided."""
        low, high = self._rng.choice(SIZES)
        planned = list(self._plan(self._rng.randint(low, high)))
        touched = [notice for each in planned for notice in _applied(each)]
        before = {each.resident_code: self.people.get(each.resident_code) for each in touched}
        for notice in touched:
            if notice.resident_code not in self.people:
                self.codes.append(notice.resident_code)
            self.people[notice.resident_code] = notice
        self._number += 1
        return Batch(
            key=f"crash-{self._code}-{self._number:08d}",
            body=msgspec.json.encode({"notifications": [each.notice for each in planned]}),
            sequences=tuple(each.notice.sequence for each in planned),
            outcomes=tuple(each.outcome for each in planned),
            told=tuple(map(eight_of, touched)),
            before=before,
            after={code: self.people[code] for code in before},
            held=int(self._missing is not None),
        )

    def _plan(self, size: int) -> Iterator[Planned]:
        busy: set[str] = set()
        if self._missing is not None:
            missing, waiting = self._missing
            self._missing = None
            busy.add(missing.resident_code)
            yield Planned(self._numbered(missing), APPLIED, releases=waiting)
        for _ in range(size):
            yield self._one(busy)

    def _one(self, busy: set[str]) -> Planned:
        """Return one more notice; nobody who is ``busy`` is told of twice in a batch."""
        dice = self._rng.random()
        known = self._rng.choice(self.codes) if self.codes else ""
        if dice < 0.05:
            newcomer = self._newcomer()
            wrong = replace(newcomer, resident_code=wrong_resident_code(newcomer.resident_code))
            return Planned(self._numbered(wrong), REJECTED)
        if dice < 0.5 or known in busy or known not in self.people:
            newcomer = self._newcomer()
            busy.add(newcomer.resident_code)
            return Planned(self._numbered(newcomer), APPLIED)
        busy.add(known)
        if dice < 0.55 and self._missing is None:
            missing = self._moved(self.people[known])
            waiting = self._numbered(self._moved(missing))
            self._missing = (missing, waiting)
            return Planned(waiting, HELD)
        return Planned(self._numbered(self._moved(self.people[known])), APPLIED)

    def _newcomer(self) -> Notice:
        (newcomer,) = islice(self._newcomers, 1)
        return newcomer

    def _moved(self, person: Notice) -> Notice:
        """Return the person at the address of somebody else."""
        there = self.people[self._rng.choice(self.codes)]
        return replace(
            person,
            address=there.address,
            address_gaiji_count=there.address_gaiji_count,
            address_gaiji_serial=there.address_gaiji_serial,
            town_code=there.town_code,
            reason="31",
            effective_date=self._day,
            update_number=person.update_number + 1,
        )

    def _numbered(self, notice: Notice) -> Notice:
        self._sequence += 1
        return replace(notice, sequence=self._sequence)


def _applied(planned: Planned) -> Iterator[Notice]:
    if planned.outcome == APPLIED:
        yield planned.notice
    if planned.releases is not None:
        yield planned.releases
