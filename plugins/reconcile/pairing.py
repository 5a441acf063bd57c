"""Who may be whom, of those known to one side only: records compared by four informations (R94).

A 住民票コード that was mistyped or replaced leaves one record missing here and another missing
there. Agreement on an item is worth as many points as it is unlikely by chance (log2 of how many
people share a value), disagreement costs as many as it is unlikely in one person. This is the
model of Fellegi and Sunter with fixed weights: there are few leftovers, so nothing can be learnt
from them, and everybody can recompute a score by hand. Nothing follows from a pair by itself; a
person looks at it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from appliance.plugin_api import ItemName, Value, seion

FOUR = tuple(map(ItemName, ("name", "kana", "birth_date", "sex", "address")))
LIKELY = 20
"""Points from which a pair is told: more than any two items can give by chance."""
NEAR_ADDRESS = 12
"""Characters that addresses of one 町 share."""

Four = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Weight:
    """Points of an item: the same, nearly the same, something else."""

    same: int
    near: int
    other: int


WEIGHTS = {
    "name": Weight(12, 4, -4),
    "kana": Weight(10, 10, -4),
    "birth_date": Weight(14, 6, -8),
    "sex": Weight(1, 0, -5),
    "address": Weight(12, 5, -2),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two leftovers that may be one person: their keys, the points, and what is the same."""

    theirs: str
    ours: str
    score: int
    same: tuple[str, ...]


def paired(theirs: Mapping[str, Four], ours: Mapping[str, Four]) -> list[Pair]:
    """Return the likely pairs, the likeliest first; nobody is in two of them."""
    likely = [
        pair
        for left, right in _sharing(theirs, ours)
        if (pair := _judged(left, theirs[left], right, ours[right])).score >= LIKELY
    ]
    taken: set[tuple[str, str]] = set()
    pairs: list[Pair] = []
    for pair in sorted(likely, key=lambda pair: (-pair.score, pair.theirs, pair.ours)):
        ends = {("theirs", pair.theirs), ("ours", pair.ours)}
        if not ends & taken:
            taken |= ends
            pairs.append(pair)
    return pairs


def _sharing(theirs: Mapping[str, Four], ours: Mapping[str, Four]) -> Iterator[tuple[str, str]]:
    """Yield everybody who shares at least a name, a reading, a birth date or an address."""
    there = defaultdict[tuple[str, str], list[str]](list)
    for key, four in ours.items():
        for feature in _features(four):
            there[feature].append(key)
    for left, four in theirs.items():
        yield from ((left, right) for right in sorted(_any_of(there, _features(four))))


def _any_of(
    there: Mapping[tuple[str, str], Sequence[str]], features: Iterable[tuple[str, str]]
) -> set[str]:
    return {key for feature in features for key in there.get(feature, ())}


def _features(four: Four) -> list[tuple[str, str]]:
    names = ("name", "kana", "birth_date", "address")
    return [(name, text) for name in names if (text := _folded(name, four.get(name)))]


def _judged(left: str, theirs: Four, right: str, ours: Four) -> Pair:
    score, same = 0, []
    for name, weight in WEIGHTS.items():
        a, b = _folded(name, theirs.get(name)), _folded(name, ours.get(name))
        if not a or not b:
            continue
        if a == b:
            score += weight.same
            same.append(name)
        else:
            score += weight.near if _is_near(name, a, b) else weight.other
    return Pair(left, right, score, tuple(same))


def _is_near(name: str, a: str, b: str) -> bool:
    if name == "birth_date":
        parts = list(zip(a.split("-"), b.split("-"), strict=False))
        return sum(x == y for x, y in parts) == len(parts) - 1
    if name == "name":
        # Who marries keeps the given name; twins share everything else.
        return a[-2:] == b[-2:]
    return name == "address" and a[:NEAR_ADDRESS] == b[:NEAR_ADDRESS]


def _folded(name: str, value: Value) -> str:
    text = "" if value is None else str(value)
    if name == "kana":
        return seion(text).replace(" ", "").replace("\u3000", "")
    return text.replace(" ", "").replace("\u3000", "")
