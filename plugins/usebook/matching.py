"""Holding uses and lines of a book against each other; pure, and the same for every order given.

In this order, each step with what the one before left over::

    alike      one use and one line that agree in everything, the nearest in time first
    gathered   one line for several uses, or several lines for one use, of one number
    uneven     the same, where only the count does not come out
    differing  one use and one line that mean the same and disagree: in what, is told
    leftovers  a use without a line, a line without a use: what comes nearest to it, is told

Times are whole seconds of the clock in Japan since 1970, so that a day is 86,400 of them.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

Aspect = Literal["operator", "case", "purpose", "count", "time"]
Kind = Literal["unrecorded", "unfounded", "differing"]
DAY = 86_400
NEAR = 8
"""Candidates looked at on either side in time, for each thing they have in common."""
MOST_DIFFERING = 2
"""Aspects in which a use and a line of one number may disagree and still mean the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What somebody did for one reason: one request, or several that belong together."""

    key: int
    """Number of its first entry in the ledger."""
    operator: str
    case: str
    """使用簿番号; empty where none was given."""
    purpose: str
    """事務 and 利用事由, as one text."""
    begins: int
    ends: int
    persons: frozenset[int | str] = frozenset()
    rows: int = 0
    """Rows of bulk inquiries; whom they are about is not known here."""

    @property
    def count(self) -> int:
        """How many residents it was about."""
        return len(self.persons) + self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What an office wrote down of a use."""

    key: int
    operator: str
    case: str
    purpose: str
    begins: int
    ends: int
    """The last second of the last minute that is named."""
    spans: bool
    """An end is named beside the beginning."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Uses and lines that mean the same, and in what they disagree; one side has one only."""

    uses: tuple[Use, ...]
    lines: tuple[Line, ...]
    differs: tuple[Aspect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A use or a line that has nothing on the other side, and what comes nearest to it there."""

    use: Use | None = None
    line: Line | None = None
    nearest: "Nearest | None" = None
    """None: nothing is near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """What comes nearest to a leftover, and why it is not it."""

    key: int
    """Of a line, or of a use."""
    differs: tuple[Aspect, ...]
    taken: bool
    """It belongs to another already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """What came of it; every use and every line is in it once."""

    matched: tuple[Pair, ...]
    differing: tuple[Pair, ...]
    leftovers: tuple[Leftover, ...]


def match(uses: Iterable[Use], lines: Iterable[Line], tolerance: int) -> Matching:
    """Hold the uses and the lines of one office against each other.

    Args:
        uses: in any order; their keys differ.
        lines: in any order; their keys differ.
        tolerance: seconds by which a book's times may be off, before and after.
    """
    pool = _Pool(sorted(uses, key=_order), sorted(lines, key=_order), tolerance)
    # The nearest first, so that a missing line is told of its own use and not of a neighbour's.
    for closeness in (0, tolerance // 5, tolerance // 2, tolerance):
        _alike(pool, closeness)
    _gathered(pool, uneven=False)
    _gathered(pool, uneven=True)
    _differing(pool)
    return Matching(
        matched=tuple(pair for pair in pool.pairs if not pair.differs),
        differing=tuple(pair for pair in pool.pairs if pair.differs),
        leftovers=tuple(_leftovers(pool)),
    )


def disagreements(use: Use, line: Line, tolerance: int) -> tuple[Aspect, ...]:
    """Return in what a use and a line disagree."""
    told: tuple[tuple[Aspect, bool], ...] = (
        ("operator", use.operator == line.operator),
        ("case", use.case == line.case),
        ("purpose", use.purpose == line.purpose),
        ("count", use.count == line.count),
        ("time", _fits(use, line, tolerance)),
    )
    return tuple(aspect for aspect, agrees in told if not agrees)


Either = TypeVar("Either", Use, Line)
Group = tuple[str, str, str]


def _order(each: Use | Line) -> tuple[int, int]:
    return each.begins, each.key


def _fits(use: Use, line: Line, tolerance: int) -> bool:
    return line.begins - tolerance <= use.begins and use.ends <= line.ends + tolerance


def _group(each: Use | Line) -> Group:
    return each.operator, each.case, each.purpose


@dataclass(slots=True)
class _Pool:
    """What is not matched yet, and what is."""

    all_uses: Sequence[Use]
    all_lines: Sequence[Line]
    tolerance: int
    pairs: list[Pair] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    """Keys of uses that have their line."""
    lined: set[int] = field(default_factory=set)
    """Keys of lines that have their use."""

    @property
    def uses(self) -> list[Use]:
        return [use for use in self.all_uses if use.key not in self.used]

    @property
    def lines(self) -> list[Line]:
        return [line for line in self.all_lines if line.key not in self.lined]

    def join(self, uses: Sequence[Use], lines: Sequence[Line], *differs: Aspect) -> None:
        self.pairs.append(Pair(uses=tuple(uses), lines=tuple(lines), differs=differs))
        self.used.update(use.key for use in uses)
        self.lined.update(line.key for line in lines)


def _alike(pool: _Pool, tolerance: int) -> None:
    """Pair what agrees in everything: the line that ends first takes the first use that fits."""
    uses = _bucketed((use, (*_group(use), use.count)) for use in pool.uses)
    for line in sorted(pool.lines, key=lambda each: (each.ends, each.key)):
        there = uses.get((*_group(line), line.count), [])
        fitting = (u for u in _begun(there, line, tolerance) if u.key not in pool.used)
        use = next((u for u in fitting if _fits(u, line, tolerance)), None)
        if use is not None:
            pool.join([use], [line])


def _begun(uses: Sequence[Use], line: Line, tolerance: int) -> Iterator[Use]:
    """Yield the uses that begin when the line says, in the order of time."""
    first = bisect_left(uses, line.begins - tolerance, key=lambda use: use.begins)
    last = bisect_right(uses, line.ends + tolerance, key=lambda use: use.begins)
    return iter(uses[first:last])


def _gathered(pool: _Pool, *, uneven: bool) -> None:
    """Let one line stand for several uses, and several lines for one use."""
    by_group = _bucketed((use, _group(use)) for use in pool.uses)
    for line in pool.lines:
        # Without a number and without an end, a line is about one use.
        if line.case or line.spans:
            there = _begun(by_group.get(_group(line), []), line, pool.tolerance)
            mine = [
                use
                for use in there
                if use.key not in pool.used and _fits(use, line, pool.tolerance)
            ]
            persons = frozenset[int | str]().union(*(use.persons for use in mine))
            count = len(persons) + sum(use.rows for use in mine)
            _join_several(pool, mine, [line], agrees=count == line.count, uneven=uneven)
    lines_of = _bucketed((line, _group(line)) for line in pool.lines)
    for use in pool.uses:
        there_too = lines_of.get(_group(use), [])
        first = bisect_left(there_too, use.begins - pool.tolerance, key=lambda line: line.begins)
        last = bisect_right(there_too, use.ends + pool.tolerance, key=lambda line: line.begins)
        ours = [line for line in there_too[first:last] if line.key not in pool.lined]
        agrees = sum(line.count for line in ours) == use.count
        _join_several(pool, [use], ours, agrees=agrees, uneven=uneven)


def _join_several(
    pool: _Pool, uses: Sequence[Use], lines: Sequence[Line], *, agrees: bool, uneven: bool
) -> None:
    if len(uses) + len(lines) > 2 and uses and lines and agrees is not uneven:
        pool.join(uses, lines, *(("count",) if uneven else ()))


def _differing(pool: _Pool) -> None:
    """Pair what means the same and disagrees: the least disagreement first."""
    near = _Near(pool.lines)
    found: list[tuple[int, int, int, int, Use, Line, tuple[Aspect, ...]]] = []
    for use in pool.uses:
        for line in near.to(use):
            differs = disagreements(use, line, pool.tolerance)
            if _means_the_same(use, line, differs):
                distance = abs(use.begins - line.begins)
                found.append((len(differs), distance, use.key, line.key, use, line, differs))
    for *_, use, line, differs in sorted(found, key=lambda each: each[:4]):
        if use.key not in pool.used and line.key not in pool.lined:
            pool.join([use], [line], *differs)


def _means_the_same(use: Use, line: Line, differs: Sequence[Aspect]) -> bool:
    if use.case and use.case == line.case:
        return len(differs) <= MOST_DIFFERING
    return len(differs) <= 1 and use.begins // DAY == line.begins // DAY


def _leftovers(pool: _Pool) -> Iterator[Leftover]:
    near_lines, near_uses = _Near(pool.all_lines), _Near(pool.all_uses)
    for use in pool.uses:
        nearest = _nearest(
            (
                disagreements(use, line, pool.tolerance),
                line.key in pool.lined,
                abs(use.begins - line.begins),
                line.key,
            )
            for line in near_lines.to(use)
        )
        yield Leftover(use=use, nearest=nearest)
    for line in pool.lines:
        nearest = _nearest(
            (
                disagreements(use, line, pool.tolerance),
                use.key in pool.used,
                abs(use.begins - line.begins),
                use.key,
            )
            for use in near_uses.to(line)
        )
        yield Leftover(line=line, nearest=nearest)


def _bucketed(keyed: Iterable[tuple[Either, object]]) -> dict[object, list[Either]]:
    """Return what has the same key together, in the order it came in."""
    buckets: dict[object, list[Either]] = defaultdict(list)
    for each, key in keyed:
        buckets[key].append(each)
    return buckets


def _nearest(candidates: Iterable[tuple[tuple[Aspect, ...], bool, int, int]]) -> Nearest | None:
    """Return the best candidate: who disagrees least, is free, and is near in time."""
    best = min(candidates, key=lambda each: (len(each[0]), *each[1:]), default=None)
    return None if best is None else Nearest(key=best[3], differs=best[0], taken=best[1])


class _Near(Generic[Either]):
    """Uses or lines, to be found by what they have in common with one of the other side.

    That is the number; or the day and the operator; or the day and the 事務. Of each, only the
    nearest in time are looked at, so that the work does not grow with the square of a month.
    """

    def __init__(self, those: Sequence[Either]) -> None:
        self._buckets: dict[object, list[Either]] = _bucketed(
            (each, shared) for each in those for shared in _shared(each)
        )

    def to(self, one: Use | Line) -> Iterator[Either]:
        """Yield what is near, each once."""
        seen: set[int] = set()
        for shared in _shared(one):
            there = self._buckets.get(shared, [])
            at = bisect_left(there, one.begins, key=lambda each: each.begins)
            for each in there[max(0, at - NEAR) : at + NEAR]:
                if each.key not in seen:
                    seen.add(each.key)
                    yield each


def _shared(each: Use | Line) -> Iterator[tuple[object, ...]]:
    day = each.begins // DAY
    if each.case:
        yield "case", each.case
    yield "operator", day, each.operator
    yield "purpose", day, each.purpose
