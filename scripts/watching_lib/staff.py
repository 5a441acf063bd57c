"""Offices, people and terminals of a prefecture, and what its residents are called."""

from bisect import bisect
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

from plugins.watching.kin import StaffName
from tests.simulators.names import SPACE, surnames

RESIDENTS = 1_700_000
GIVEN = (
    "翔太",
    "健一",
    "美咲",
    "恵子",
    "浩",
    "直樹",
    "久美子",
    "蓮",
    "結衣",
    "正雄",
    "和子",
    "拓也",
)
GIVEN_KANA = (
    *("しょうた", "けんいち", "みさき", "けいこ", "ひろし", "なおき"),
    *("くみこ", "れん", "ゆい", "まさお", "かずこ", "たくや"),
)


@dataclass(frozen=True, slots=True)
class Office:
    """One 所属: how many work there, how much, and how."""

    name: str
    people: int
    items: float
    """Pieces of work a person has on an ordinary day."""
    loose: float
    """Share of them from which rightly nothing follows."""
    months: dict[int, float] = field(default_factory=dict)
    """How much busier it is in some months."""


TAX_SEASON = {2: 1.6, 3: 2.2, 5: 1.7, 8: 1.3}
OFFICES = (
    *(Office(f"県税事務所{n}", 8, 3.0, 0.08, TAX_SEASON) for n in range(1, 7)),
    *(Office(f"福祉事務所{n}", 5, 2.0, 0.15, {4: 1.3}) for n in range(1, 5)),
    Office("市町村課", 8, 3.0, 0.10, {4: 1.4, 3: 1.2}),
    *(Office(f"土木事務所{n}", 3, 1.5, 0.08) for n in range(1, 5)),
)


@dataclass(frozen=True, slots=True)
class Clerk:
    """One of the staff."""

    person: str
    operator: str
    name: StaffName
    office: Office
    terminal: str
    pace: float
    """Pieces of work a day."""
    loose: float
    slips: float
    """How often a login is mistyped."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody, and where each terminal stands."""

    clerks: tuple[Clerk, ...]
    places: dict[str, str]

    def of(self, office: Office) -> list[Clerk]:
        """Return who works at an office."""
        return [clerk for clerk in self.clerks if clerk.office is office]


def make_staff(rng: Random) -> Staff:
    """Return the staff of a prefecture; names are as frequent as they are in the country."""
    clerks: list[Clerk] = []
    places: dict[str, str] = {}
    for office in OFFICES:
        for seat in range(office.people):
            number = len(clerks) + 1
            terminal = f"TERM-{number:04}"
            places[terminal] = office.name
            clerks.append(
                Clerk(
                    person=f"P-{number:04}",
                    operator=f"OP-{number:04}",
                    name=_staff_name(rng),
                    office=office,
                    terminal=terminal,
                    pace=office.items * rng.lognormvariate(0, 0.4),
                    loose=min(0.35, max(0.01, rng.gauss(office.loose, office.loose * 0.3))),
                    slips=rng.betavariate(1.5, 40),
                )
            )
            if seat == 0:
                places[f"COUNTER-{office.name}"] = office.name
    return Staff(tuple(clerks), places)


@lru_cache(maxsize=200_000)
def resident_name(subject: int) -> StaffName:
    """Return what a resident is called; always the same."""
    rng = Random(subject)
    return _named(_surname(rng), rng.randrange(len(GIVEN)))


def kept_family(name: StaffName, subject: int) -> StaffName:
    """Return the name of a resident of the same family name."""
    family, _, _ = name.name.partition(SPACE)
    reading, _, _ = name.kana.partition(SPACE)
    return _named((family, reading), subject % len(GIVEN))


def _staff_name(rng: Random) -> StaffName:
    # No resident is called so, by given names that no resident of this model has.
    family, reading = _surname(rng)
    return StaffName(f"{family}{SPACE}職太郎", f"{reading}{SPACE}しょくたろう")


def _surname(rng: Random) -> tuple[str, str]:
    known = surnames()
    return known.things[bisect(known.totals, rng.randrange(known.totals[-1]))]


def _named(family: tuple[str, str], given: int) -> StaffName:
    written, reading = family
    return StaffName(f"{written}{SPACE}{GIVEN[given]}", f"{reading}{SPACE}{GIVEN_KANA[given]}")
