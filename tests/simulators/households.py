"""Who lives together: the ages and sexes of one household, before anybody has a name.

Shares follow the census of 2020 for Kumamoto, roughly; the ages that come out of them are held
against its age pyramid by a test.
"""

from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

MAN: Final = "1"
WOMAN: Final = "2"


class Member(NamedTuple):
    """One person: full years and sex."""

    age: int
    sex: str


class Household(NamedTuple):
    """The members, the head first; foreigners' households stay among themselves."""

    members: list[Member]
    foreign: bool


def draw(rng: Random) -> Household:
    """Draw one household of one to eight people."""
    kind = rng.choices(list(_KINDS), list(_KINDS.values()))[0]
    return Household(kind(rng), foreign=kind is _foreigners)


def _alone(rng: Random) -> list[Member]:
    if rng.random() < 0.42:
        return [Member(_old(rng), WOMAN if rng.random() < 0.68 else MAN)]
    return [Member(rng.randint(18, 64), MAN if rng.random() < 0.58 else WOMAN)]


def _couple(rng: Random) -> list[Member]:
    age = _old(rng) if rng.random() < 0.62 else int(rng.triangular(25, 66, 62))
    return [Member(age, MAN), Member(_adult(age - rng.gauss(2, 3)), WOMAN)]


def _family(rng: Random) -> list[Member]:
    eldest = rng.randint(0, 21) if rng.random() < 0.55 else rng.randint(22, 48)
    mother = eldest + _age_at_birth(rng)
    father = _adult(mother + rng.gauss(2, 3.5))
    return [Member(father, MAN), Member(mother, WOMAN), *_children(rng, eldest)]


def _one_parent(rng: Random) -> list[Member]:
    eldest = rng.randint(3, 22) if rng.random() < 0.45 else rng.randint(28, 61)
    parent = Member(eldest + _age_at_birth(rng), WOMAN if rng.random() < 0.85 else MAN)
    return [parent, *_children(rng, eldest)]


def _three_generations(rng: Random) -> list[Member]:
    family = _family(rng)
    grandmother = family[0].age + _age_at_birth(rng)
    if grandmother > 101:
        return family
    elders = [Member(grandmother, WOMAN)]
    if rng.random() < 0.5 and grandmother < 92:
        elders.append(Member(grandmother + rng.randint(0, 5), MAN))
    return family + elders


def _foreigners(rng: Random) -> list[Member]:
    adults = [
        Member(rng.randint(19, 42), rng.choice((MAN, WOMAN))) for _ in range(rng.randint(1, 4))
    ]
    return [*adults, Member(rng.randint(0, 9), WOMAN)] if rng.random() < 0.15 else adults


def _children(rng: Random, eldest: int) -> list[Member]:
    """Return the eldest child and younger ones, none of them unborn."""
    count = rng.choices((1, 2, 3, 4), (38, 42, 17, 3))[0]
    ages = [eldest]
    while len(ages) < count and ages[-1] >= 1:
        ages.append(max(0, ages[-1] - rng.randint(1, 4)))
    # Most who are grown up have a household of their own.
    at_home = ages if eldest < 23 else ages[:1]
    return [Member(age, MAN if rng.random() < 0.513 else WOMAN) for age in at_home]


def _age_at_birth(rng: Random) -> int:
    return min(44, max(18, round(rng.gauss(29.5, 4.5))))


def _old(rng: Random) -> int:
    return 64 + int(rng.betavariate(1.3, 2.2) * 38)


def _adult(age: float) -> int:
    return min(100, max(19, round(age)))


_KINDS: Final[dict[Callable[[Random], list[Member]], float]] = {
    _alone: 33.0,
    _couple: 22.0,
    _family: 25.0,
    _one_parent: 10.0,
    _three_generations: 8.0,
    _foreigners: 1.2,
}
"""Each kind of household and its share of a hundred households."""
