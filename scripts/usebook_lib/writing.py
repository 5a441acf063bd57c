"""The book an office keeps of its uses: faithful, untidy as books are, and wrong where planted.

Times are rounded and off by some minutes; some uses have no end, some no number, some stand in two
lines. One in a hundred is wrong in one of seven ways. No two wrong ones are by one operator on one
day, and of those without a number there is one a day: otherwise nobody could say which is which.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from scripts.usebook_lib.occasions import GROUNDS, OPERATORS, Ground, Occasion

Way = Literal["missing", "invented", "count", "operator", "purpose", "time", "case"]
WAYS: tuple[Way, ...] = ("missing", "invented", "count", "operator", "purpose", "time", "case")
SHARE = 0.01
UNTIDY = 10
"""Minutes by which a use with a number is written down early, and its end late."""
WITHOUT_END, IN_TWO_LINES = 0.4, 0.5
OUT_OF_TIME = (20, 90)
"""Minutes"""
COLUMNS = "使用日,開始時刻,終了時刻,操作者ID,使用簿番号,事務,利用事由,件数,備考"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the book."""

    operator: str
    begins: datetime
    ends: datetime | None
    case: str
    ground: Ground
    count: int
    of: int | None
    """Which occasion it is about; None: it is invented."""

    @property
    def month(self) -> str:
        """In whose file it goes in."""
        return f"{self.begins:%Y-%m}"

    @property
    def text(self) -> str:
        """As CSV."""
        ends = "" if self.ends is None else f"{self.ends:%H:%M}"
        return (
            f"{self.begins:%Y-%m-%d},{self.begins:%H:%M},{ends},{self.operator},{self.case},"
            f"{self.ground.purpose},{self.ground.reason},{self.count},"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One thing that is wrong, and where."""

    way: Way
    occasion: int
    """Beside which one, where the line is invented."""


def plant(rng: Random, done: Sequence[Occasion]) -> list[Planted]:
    """Choose what is wrong with the book."""
    wanted = max(len(WAYS), round(SHARE * len(done)))
    planted: list[Planted] = []
    taken: set[object] = set()
    for occasion in rng.sample(range(len(done)), len(done)):
        one = done[occasion]
        way = WAYS[len(planted) % len(WAYS)]
        places: set[object] = {(one.operator, one.begins.date())}
        if not one.case:
            places.add(one.begins.date())
        shared = sum(each.case == one.case for each in done) > 1 if one.case else False
        fits = bool(one.case) or way not in ("case", "invented")
        if fits and not shared and not taken & places:
            planted.append(Planted(way=way, occasion=occasion))
            taken |= places
        if len(planted) == wanted:
            break
    return planted


def write(rng: Random, done: Sequence[Occasion], planted: Sequence[Planted]) -> list[Line]:
    """Return the book, in the order in which it was written."""
    wrong = {each.occasion: each.way for each in planted}
    lines: list[Line] = []
    for at, occasion in enumerate(done):
        lines += _spoilt(rng, wrong.get(at), at, occasion)
    return sorted(lines, key=lambda line: line.begins)


def sheet(lines: Sequence[Line]) -> bytes:
    """Return lines as a file that a spreadsheet would save."""
    text = "\r\n".join([COLUMNS, *(line.text for line in lines), ""])
    return text.encode("cp932")


def _faithful(rng: Random, at: int, occasion: Occasion) -> list[Line]:
    early = rng.randint(0, UNTIDY) if occasion.case else rng.randint(-1, 1)
    begins = occasion.begins - timedelta(minutes=early)
    late = timedelta(minutes=rng.randint(0, UNTIDY))
    has_end = bool(occasion.case) and rng.random() > WITHOUT_END
    line = Line(
        operator=occasion.operator,
        begins=begins,
        ends=occasion.ends + late if has_end else None,
        case=occasion.case,
        ground=occasion.ground,
        count=len(occasion.persons),
        of=at,
    )
    if occasion.case and line.count > 1 and rng.random() < IN_TWO_LINES:
        return [replace(line, count=1), replace(line, count=line.count - 1, ends=occasion.ends)]
    return [line]


def _spoilt(rng: Random, way: Way | None, at: int, occasion: Occasion) -> Iterator[Line]:
    lines = _faithful(rng, at, occasion)
    if way is None or way == "invented":
        yield from lines
    if way is None or way == "missing":
        return
    line = replace(lines[0], count=len(occasion.persons))
    other = [each for each in OPERATORS if each != occasion.operator]
    grounds = [Ground(*each) for each in GROUNDS if each != tuple(occasion.ground)]
    shift = timedelta(minutes=rng.choice((-1, 1)) * rng.randint(*OUT_OF_TIME))
    if way == "invented":
        yield replace(line, case=f"X-{at:06}", begins=line.begins + shift, ends=None, of=None)
    elif way == "count":
        yield replace(line, count=line.count + rng.choice((-1, 1, 2)))
    elif way == "operator":
        yield replace(line, operator=rng.choice(other))
    elif way == "purpose":
        yield replace(line, ground=rng.choice(grounds))
    elif way == "time":
        begins = occasion.begins + shift
        yield replace(line, begins=begins, ends=None if line.ends is None else begins)
    else:
        yield replace(line, case=f"Y-{at:06}")
