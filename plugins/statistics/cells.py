"""Small numbers are not told, and cannot be worked out from those that are (R171).

A count of 1 to 9 is hidden in every table it stands in. Whoever sees the total of a line and all
its parts but one knows that one; so where only one number of such a line is hidden, or where the
hidden parts of a known total come to less than ten together, the smallest of the others is hidden
too, until no line gives anything away. A hidden number does not say which of the two it is.

It is always decided for the finest table and all its totals at once, never for the table that was
asked for: else two tables, asked for one after the other, would tell what neither tells. Nought is
told: it is about nobody. What cannot be kept from somebody are changes from one day to the next; so
those who may ask are staff, and every question is in the ledger.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

LEAST = 10
"""The smallest number that may be told."""
Place = tuple[str | None, ...]
"""Where a number stands: a value in each dimension, None for the total over it."""


class Table:
    """Counts by several dimensions, with every total, and what of them is hidden."""

    def __init__(self, finest: Mapping[tuple[str, ...], int], dimensions: int) -> None:
        """Add up all totals, and decide what is hidden."""
        self._dimensions = dimensions
        self.counts: Counter[Place] = Counter()
        for place, count in finest.items():
            for kept in _subsets(dimensions):
                self.counts[_total(place, kept)] += count
        self._lines = [line for line in self._each_line() if self.counts[line[0]]]
        self.hidden: set[Place] = {
            place for place, count in self.counts.items() if 0 < count < LEAST
        }
        while sum(self._close(line) for line in self._lines):
            pass

    def told(self, place: Place) -> int | None:
        """Return the count that stands there; None if it is hidden."""
        return None if place in self.hidden else self.counts[place]

    def places(self, kept: Collection[int]) -> list[Place]:
        """Return where there is a count in the table by these dimensions, in order."""
        found = [
            place
            for place, count in self.counts.items()
            if count and {at for at, value in enumerate(place) if value is not None} == set(kept)
        ]
        return sorted(found, key=lambda place: tuple(value or "" for value in place))

    def _each_line(self) -> Iterator[list[Place]]:
        """Yield each total with its parts along one dimension; noughts are left out."""
        lines: defaultdict[tuple[Place, int], list[Place]] = defaultdict(list)
        for place, count in self.counts.items():
            for at, value in enumerate(place):
                if value is not None and count:
                    lines[(*place[:at], None, *place[at + 1 :]), at].append(place)
        for (total, _), parts in lines.items():
            yield [total, *sorted(parts, key=lambda part: self.counts[part])]

    def _close(self, line: list[Place]) -> bool:
        """Hide one more number of a line if it gives one away; return whether it did."""
        total, *parts = line
        hidden = [place for place in line if place in self.hidden]
        if not hidden:
            return False
        left = 0 if total in self.hidden else sum(self.counts[place] for place in hidden)
        if len(hidden) > 1 and (total in self.hidden or left >= LEAST):
            return False
        shown = [place for place in (*parts, total) if place not in self.hidden]
        if not shown:
            return False
        self.hidden.add(shown[0])
        return True


def _subsets(dimensions: int) -> list[frozenset[int]]:
    every = range(dimensions)
    return [frozenset(kept) for size in range(dimensions + 1) for kept in combinations(every, size)]


def _total(place: tuple[str, ...], kept: frozenset[int]) -> Place:
    return tuple(value if at in kept else None for at, value in enumerate(place))
