"""What happens to people: each function picks somebody and returns the notices, not yet numbered.

The proportions are those of Kumamoto in a year: about 11,500 births, 24,000 deaths, 85,000 moves
in and as many out, 86,000 moves within a municipality; the corrections are an estimate.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from msgspec.structs import replace

from tests.simulators import names
from tests.simulators.households import WOMAN
from tests.simulators.notices import Notice
from tests.simulators.places import Place, building
from tests.simulators.register import Register, age, is_foreign

Happening = Callable[[Register], list[Notice]]


def birth(register: Register) -> list[Notice]:
    """出生: a child of somebody who lives here."""
    mother = register.present(
        lambda person: (
            person.sex == WOMAN and 20 <= age(person, register.day) < 45 and not is_foreign(person)
        )
    )
    since = date.fromisoformat(mother.effective_date)
    day = max(register.day - timedelta(days=register.rng.randrange(14)), since)
    return [register.newborn(mother, day)]


def death(register: Register) -> list[Notice]:
    """死亡: the old more often than the young."""
    person = register.present(
        lambda person: register.rng.random() < (age(person, register.day) / 100) ** 6
    )
    return [register.next_version(person, "22")]


def arrival(register: Register) -> list[Notice]:
    """転入等: mostly a household nobody here has heard of, sometimes somebody who comes back."""
    if register.rng.random() < 0.1 and len(register.gone) > 1:
        return [_back(register, register.former(register.gone), "11")]
    return newcomers(register)


def newcomers(register: Register) -> list[Notice]:
    """転入等 of a household nobody here has heard of."""
    since = register.day - timedelta(days=register.rng.randrange(14))
    return [
        register.first_version(person, "11", since.isoformat()) for person in register.newcomers()
    ]


def departure(register: Register) -> list[Notice]:
    """転出: with the planned day, often still to come."""
    people = _together(register)
    planned = register.day + timedelta(days=register.rng.randint(-6, 30))
    return [
        register.next_version(
            person, "21", effective_date=max(planned.isoformat(), person.effective_date)
        )
        for person in people
    ]


def departed(register: Register) -> list[Notice]:
    """転出 of one person whose day has come."""
    return [register.next_version(register.present(), "21")]


def move(register: Register) -> list[Notice]:
    """転居: nothing changes but the address and what belongs to it."""
    place = register.population.towns.place(register.rng)
    return [moved(register, person, place) for person in _together(register)]


def touch_up(register: Register) -> list[Notice]:
    """軽微な修正: another form of a character, or the name of a building."""
    person = register.present()
    other_form = names.variant(register.rng, person.name, 1.0)
    if other_form != person.name and register.rng.random() < 0.5:
        return [register.next_version(person, "32", name=other_form)]
    return [renamed_building(register, person)]


def correction(register: Register) -> list[Notice]:
    """職権修正等: a missing reading, a wrong day of birth, a name by marriage."""
    person = register.present(lambda person: not is_foreign(person))
    if person.kana is None:
        reading = names.family(register.rng).reading + names.SPACE + "まさみ"
        return [register.next_version(person, "33", kana=reading)]
    has_day = person.birth_date_as_written is None and age(person, register.day) > 1
    if has_day and register.rng.random() < 0.3:
        return [register.next_version(person, "33", birth_date=_other_day(person.birth_date))]
    return [_married(register, person)]


def strike(register: Register) -> list[Notice]:
    """職権消除等: somebody who is found not to live here."""
    return [register.next_version(register.present(), "23")]


def entry(register: Register) -> list[Notice]:
    """職権記載等: somebody struck off comes back, or one person is entered for the first time."""
    if register.rng.random() < 0.5 and len(register.struck) > 1:
        return [_back(register, register.former(register.struck), "13")]
    return [register.first_version(register.newcomers()[0], "13", register.day.isoformat())]


def recode(register: Register) -> list[Notice]:
    """住民票コードの記載の変更請求, or 職権記載等: somebody gets another code."""
    person, other = register.present(), register.newcomers()[0]
    codes = {
        "resident_code": other.resident_code,
        "previous_resident_code": person.resident_code,
    }
    return [register.next_version(person, register.rng.choice(("41", "41", "42")), **codes)]


def renumber(register: Register) -> list[Notice]:
    """個人番号の変更請求, or 職権修正等."""
    person = register.present(lambda person: person.my_number is not None)
    reason = register.rng.choice(("51", "52"))
    return [register.next_version(person, reason, my_number=register.newcomers()[0].my_number)]


def first_number(register: Register) -> list[Notice]:
    """出生 without a 個人番号, and 個人番号の職権記載等 once there is one."""
    [child] = birth(register)
    number = register.newcomers()[0].my_number
    unnumbered = replace(child, my_number=None)
    return [unnumbered, register.next_version(unnumbered, "53", my_number=number)]


def stay(register: Register) -> list[Notice]:
    """転出 that is cancelled: 職権記載等 (異動の取消し) while the planned day is still to come."""
    person = register.present()
    planned = (register.day + timedelta(days=20)).isoformat()
    leaving = register.next_version(person, "21", effective_date=planned)
    today = register.day.isoformat()
    return [leaving, register.next_version(leaving, "13", effective_date=today)]


def moved(register: Register, person: Notice, place: Place) -> Notice:
    """Return the 転居 of one person to a place."""
    return register.next_version(person, "31", **living_at(place))


def renamed_building(register: Register, person: Notice, reason: str = "32") -> Notice:
    """Return the 軽微な修正 of an address by another building's name."""
    lot, _, _ = person.address.partition(names.SPACE)
    address = person.address
    while address == person.address:
        address = lot + names.SPACE + building(register.rng)
    return register.next_version(
        person, reason, address=address, address_gaiji_count=0, address_gaiji_serial=0
    )


def _back(register: Register, person: Notice, reason: str) -> Notice:
    place = register.population.towns.place(register.rng)
    return register.next_version(person, reason, **living_at(place))


def _married(register: Register, person: Notice) -> Notice:
    before, _, given = person.name.partition(names.SPACE)
    family = names.family(register.rng)
    while family.written == before:
        family = names.family(register.rng)
    _, _, given_reading = (person.kana or "").partition(names.SPACE)
    full = names.full(family, names.Given(given, given_reading))
    return register.next_version(
        person,
        "33",
        name=full.written,
        kana=full.kana,
        name_gaiji_count=full.gaiji_count,
        name_gaiji_serial=full.gaiji_serial,
    )


def _together(register: Register) -> list[Notice]:
    """Pick a person, or a whole household."""
    people = register.household()
    return people if register.rng.random() < 0.5 else people[:1]


def living_at(place: Place) -> dict[str, str | int]:
    """Return the items that say where somebody lives."""
    return {
        "address": place.address,
        "town_code": place.town_code,
        "municipality_code": place.municipality_code,
        "address_gaiji_count": 1 if place.gaiji_serial else 0,
        "address_gaiji_serial": place.gaiji_serial,
    }


def _other_day(birth_date: str) -> str:
    day = int(birth_date[8:])
    return f"{birth_date[:8]}{day % 28 + 1:02d}"


HAPPENINGS: Final[dict[Happening, int]] = {
    birth: 115,
    death: 240,
    arrival: 850,
    departure: 830,
    move: 860,
    touch_up: 200,
    correction: 250,
    strike: 40,
    entry: 50,
    stay: 20,
    first_number: 10,
    renumber: 12,
    recode: 8,
}
"""Each kind of movement and how often it comes."""
