"""The people of the story: a few residents who are told of by name, beside the generated ones.

Their municipality tells of them as of anybody, in a third file. Their numbers are drawn like all
others, from households that the generator never reaches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from msgspec.structs import replace

from tests.simulators.notices import Notice, read_lines, write_lines
from tests.simulators.places import Place
from tests.simulators.population import NEWCOMERS, Population

HOME_RESIDENTS = 60
"""More than a search may show (most_results of a 事務)."""
HOME = "　特別養護老人ホームつばき苑"
BEYOND = 2 * NEWCOMERS - 1
"""The last household there is."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody as last told of, and what is told of them in the order of sending."""

    sawako: Notice
    """高崎 沢子 at first; since then she has moved, and is written 髙﨑 澤子."""
    sawako_told: tuple[Notice, ...]
    minoru: tuple[Notice, Notice]
    """Two men called 田中 実."""
    kenichi: Notice
    """Has moved out."""
    stranger: Notice
    """Lives elsewhere; 八代市 has nothing to tell of him."""
    home: tuple[Notice, ...]
    """Who lives in a care home: one address, many people."""
    told: tuple[Notice, ...]

    @property
    def everybody(self) -> tuple[Notice, ...]:
        """Every notice there is, and the person nobody may tell of."""
        return (*self.told, self.stranger)


def cast_of(population: Population, seed: int, first_sequence: int) -> Cast:
    """Return the people of a run."""
    make = _Maker(population, seed)
    first = make.person("高崎　沢子", "たかさき　さわこ", "1951-03-08", "2")
    moved = make.next(first, "31", address=make.place().address, days_ago=40)
    sawako = make.next(moved, "32", name="髙﨑　澤子", days_ago=20)
    minoru = (
        make.person("田中　実", "たなか　みのる", "1948-11-02", "1"),
        make.person("田中　実", "たなか　みのる", "1983-05-27", "1"),
    )
    kenichi = make.person("緒方　健一", "おがた　けんいち", "1990-07-19", "1")
    gone = make.next(kenichi, "21", days_ago=10)
    home = tuple(make.home_residents())
    order = (first, moved, sawako, *minoru, kenichi, gone, *home)
    told = tuple(
        replace(notice, sequence=sequence)
        for sequence, notice in enumerate(order, start=first_sequence)
    )
    return Cast(
        sawako=told[2],
        sawako_told=told[:3],
        minoru=(told[3], told[4]),
        kenichi=told[6],
        stranger=replace(
            make.person("松岡　三郎", "まつおか　さぶろう", "1962-01-30", "1"),
            municipality_code="432032",
        ),
        home=told[7:],
        told=told,
    )


def last_sequence(movements: Path) -> int:
    """Return the highest sequence number in a file of notices."""
    return max(notice.sequence for notice in read_lines(movements, Notice))


def write_cast(path: Path, cast: Cast) -> None:
    """Write what is told of the people of the story."""
    write_lines(path, cast.told)


class _Maker:
    def __init__(self, population: Population, seed: int) -> None:
        self._population = population
        self._rng = Random(f"cast/{seed}")
        self._household = BEYOND

    def person(self, name: str, kana: str, birth_date: str, sex: str) -> Notice:
        """Return somebody who moved in long ago."""
        return replace(
            self._somebody(self.place()),
            name=name,
            kana=kana,
            birth_date=birth_date,
            birth_date_as_written=None,
            sex=sex,
            name_gaiji_count=0,
            name_gaiji_serial=0,
        )

    def next(self, person: Notice, reason: str, *, days_ago: int, **changes: str) -> Notice:
        """Return the next notice of a person."""
        return replace(
            person,
            reason=reason,
            effective_date=self._day(days_ago),
            update_number=person.update_number + 1,
            **changes,
        )

    def place(self) -> Place:
        """Return an address without an image in it."""
        while (place := self._population.towns.place(self._rng)).gaiji_serial:
            pass
        return place

    def home_residents(self) -> Iterator[Notice]:
        """Yield who lives in the care home."""
        place = self.place()
        lot, _, _ = place.address.partition("　")
        home = place._replace(address=lot + HOME)
        for _ in range(HOME_RESIDENTS):
            yield self._somebody(home)

    def _somebody(self, place: Place) -> Notice:
        """Return the head of a household nobody has heard of, at a place."""
        head = self._population.household(self._household)[0]
        self._household -= 1
        return replace(
            head,
            address=place.address,
            address_gaiji_count=0,
            address_gaiji_serial=0,
            town_code=place.town_code,
            reason="11",
            effective_date=self._day(400),
        )

    def _day(self, days_ago: int) -> str:
        return (self._population.day - timedelta(days=days_ago)).isoformat()


def day_of(today: date, default: date) -> date:
    """Return on which day the population stands: the usual one, unless that is still to come."""
    return min(today, default)
