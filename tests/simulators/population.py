"""The residents of one municipality, household by household, from a seed.

Every household has a random source of its own, made of seed, municipality and index. Any household
can therefore be made again at any time, alone: a population of two million is never held in
memory, and the movements pick people out of it without reading it.

Members who were born after the household came here carry 出生, and so do natives; the others carry
転入等, a few 職権記載等.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cached_property
from itertools import count, islice
from random import Random
from typing import Final, NamedTuple

from msgspec.structs import replace

from tests.simulators import births, households, names
from tests.simulators.births import Birth
from tests.simulators.fake_numbers import Numbers
from tests.simulators.households import Member
from tests.simulators.notices import Notice
from tests.simulators.places import SIZES, Place, Towns

DEFAULT_DAY: Final = date(2026, 4, 1)
"""The day on which a population stands, unless another is asked for."""

LARGEST_HOUSEHOLD: Final = 16
NEWCOMERS: Final = 2**19
"""Households from this index on do not live here yet; the movements bring them."""

_PEOPLE: Final = 2 * NEWCOMERS * LARGEST_HOUSEHOLD  # 45 municipalities of this size fit in 10**9
_FOREIGNERS_REGISTERED: Final = date(2012, 7, 9)
_OLD: Final = 61
_NO_KANA_SHARE: Final = 0.02
_NEWBORN: Final = timedelta(days=30)


class Home(NamedTuple):
    """What the members of a household have in common."""

    place: Place
    family: names.Family | None  # None: foreigners, each with a name of their own
    came: date


class Population:
    """The residents of one municipality on one day.

    Args:
        seed: the same seed gives the same people, byte for byte.
        municipality_code: the sender; 431001 for the wards of 熊本市 together.
        residents: how many there are.
        day: when; nobody was born or came later.

    Raises:
        KeyError: the prefecture has no such municipality.
    """

    def __init__(
        self, seed: int, municipality_code: str, residents: int, day: date = DEFAULT_DAY
    ) -> None:
        self.towns = Towns(municipality_code)
        self.municipality_code = municipality_code
        self.residents = residents
        self.day = day
        self._seed = seed
        self._numbers = Numbers(seed)
        self._first = list(SIZES).index(municipality_code) * _PEOPLE

    def notices(self) -> Iterator[Notice]:
        """Yield everybody as the notices of a first load, ``sequence`` 1, 2, 3 ..."""
        everybody = (person for index in count() for person in self.household(index))
        for sequence, person in enumerate(islice(everybody, self.residents), start=1):
            yield replace(person, sequence=sequence)

    @cached_property
    def households(self) -> int:
        """How many households live here whole; one more may be cut short by ``residents``."""
        left = self.residents
        for index in count():
            left -= len(households.draw(self._source(index)).members)
            if left < 0:
                break
        return index

    def household(self, index: int) -> list[Notice]:
        """Return the members of one household as they stand on the day, ``sequence`` 0."""
        rng = self._source(index)
        members, foreign = households.draw(rng)
        born = [births.draw(rng, self.day, member.age, foreign=foreign) for member in members]
        home = Home(
            place=self.towns.place(rng),
            family=None if foreign else names.family(rng),
            came=_came(rng, self.day, foreign=foreign),
        )
        return [
            self._person(rng, index * LARGEST_HOUSEHOLD + position, home, member, birth)
            for position, (member, birth) in enumerate(zip(members, born, strict=True))
        ]

    def newborn(self, rng: Random, index: int, parent: Notice, day: date) -> Notice:
        """Return a child of ``parent``, born on ``day``; ``index`` is a newcomer's."""
        counter = self._first + index * LARGEST_HOUSEHOLD
        sex = rng.choice((households.MAN, households.WOMAN))
        given = names.given(rng, sex, old=False)
        family, _, _ = parent.name.partition(names.SPACE)
        reading, _, _ = (parent.kana or "").partition(names.SPACE)
        return replace(
            parent,
            resident_code=self._numbers.resident_code(counter),
            previous_resident_code=None,
            name=family + names.SPACE + given.written,
            kana=reading + names.SPACE + given.reading if reading else None,
            birth_date=day.isoformat(),
            birth_date_as_written=None,
            sex=sex,
            # Some municipalities tell the birth before the number has been given.
            my_number=self._numbers.my_number(counter) if rng.random() < 0.6 else None,
            reason="12",
            effective_date=day.isoformat(),
            update_number=1,
        )

    def _source(self, index: int) -> Random:
        return Random(f"{self._seed}/{self.municipality_code}/{index}")

    def _person(self, rng: Random, number: int, home: Home, member: Member, birth: Birth) -> Notice:
        reason, since = _entry(rng, home, birth)
        name = _name(rng, home.family, member)
        is_newborn = birth.day > self.day - _NEWBORN
        return Notice(
            sequence=0,
            resident_code=self._numbers.resident_code(self._first + number),
            name=name.written,
            name_gaiji_count=name.gaiji_count,
            kana=name.kana,
            birth_date=birth.written,
            birth_date_as_written=birth.as_written,
            sex=member.sex,
            address=home.place.address,
            address_gaiji_count=1 if home.place.gaiji_serial else 0,
            my_number=None if is_newborn else self._numbers.my_number(self._first + number),
            reason=reason,
            effective_date=since.isoformat(),
            municipality_code=home.place.municipality_code,
            town_code=home.place.town_code,
            name_gaiji_serial=name.gaiji_serial,
            address_gaiji_serial=home.place.gaiji_serial,
        )


def _came(rng: Random, day: date, *, foreign: bool) -> date:
    """Draw the day on which a household moved in."""
    since = _FOREIGNERS_REGISTERED if foreign else day - timedelta(days=365 * 30)
    return since + timedelta(days=rng.randrange((day - since).days))


def _entry(rng: Random, home: Home, birth: Birth) -> tuple[str, date]:
    """Return by which 異動事由 somebody came onto the register, and when."""
    is_native = home.family is not None and rng.random() < 0.4
    if birth.is_plain and (birth.day >= home.came or is_native):
        return "12", birth.day
    return ("13" if rng.random() < 0.02 else "11"), max(birth.day, home.came)


def _name(rng: Random, family: names.Family | None, member: Member) -> names.FullName:
    if family is None:
        return names.foreign(rng, member.sex)
    full = names.full(family, names.given(rng, member.sex, old=member.age >= _OLD))
    return full._replace(kana=None) if rng.random() < _NO_KANA_SHARE else full
