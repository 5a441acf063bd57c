"""Numbers with a check digit, and the master of the municipalities that bear one of them.

住民票コード, 個人番号 and 市町村コード are text of ASCII digits, never numbers: a leading zero is
legal. All three multiply digits by weights, add, and take the sum modulo 11; they differ in the
weights and in what the small remainders become::

                    digits  weights from the right     remainder 0  1  other
    住民票コード    10 + 1  2 3 4 5 6 7 2 3 4 5                0 *  0  11 - r
    個人番号        11 + 1  2 3 4 5 6 7 2 3 4 5 6              0    0  11 - r
    市町村コード     5 + 1  2 3 4 5 6                          1    0  last digit of 11 - r

The weights and both small remainders of 個人番号 are those of 省令85号 article 5, and those of
市町村コード hold for every code in use. For 住民票コード the weights reproduce the published
specimens; the ministry's text of the formula is not public. (*) See ``REMAINDER_ZERO``.

A check digit finds every single wrong digit, except where the remainder moves between the two
values that share a digit (0 and 1, and for 市町村コード 10 and 0). It proves nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from operator import mul
from types import MappingProxyType
from typing import Final, Self

REMAINDER_ZERO: Final = frozenset("01")
"""The check digits of 住民票コード accepted when the remainder is 0.

By analogy with 個人番号 it is 0; by analogy with 市町村コード it would be 1. Until somebody has
read the ministry's notice both are accepted, and 0 is written. Whoever knows passes the one
right digit to ``is_resident_code``.
"""

_RESIDENT_WEIGHTS: Final = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_MY_NUMBER_WEIGHTS: Final = (6, *_RESIDENT_WEIGHTS)
_MUNICIPALITY_WEIGHTS: Final = (6, 5, 4, 3, 2)


def is_resident_code(text: str, remainder_zero: frozenset[str] = REMAINDER_ZERO) -> bool:
    """Whether this is a 住民票コード: eleven digits, the last one right (rule G-01)."""
    if not _digits(text, 11):
        return False
    remainder = _remainder(text, _RESIDENT_WEIGHTS)
    if remainder == 0:
        return text[10] in remainder_zero
    return text[10] == _zero_below_two(remainder)


def resident_code_from(ten: str) -> str:
    """Return the 住民票コード of ten drawn digits.

    Raises:
        ValueError: not ten ASCII digits.
    """
    return ten + _zero_below_two(_remainder(_checked(ten, 10), _RESIDENT_WEIGHTS))


def is_my_number(text: str) -> bool:
    """Whether this is a 個人番号: twelve digits, the last one right (rule G-02)."""
    return _digits(text, 12) and my_number_from(text[:11]) == text


def my_number_from(eleven: str) -> str:
    """Return the 個人番号 of eleven digits.

    Raises:
        ValueError: not eleven ASCII digits.
    """
    return eleven + _zero_below_two(_remainder(_checked(eleven, 11), _MY_NUMBER_WEIGHTS))


def is_municipality_code(text: str) -> bool:
    """Whether this has the form of a 市町村コード: six digits, the last one right.

    That such a municipality exists is for ``Municipalities`` to say.
    """
    return _digits(text, 6) and municipality_code_from(text[:5]) == text


def municipality_code_from(five: str) -> str:
    """Return the six-digit 市町村コード of its first five digits.

    Raises:
        ValueError: not five ASCII digits.
    """
    remainder = _remainder(_checked(five, 5), _MUNICIPALITY_WEIGHTS)
    return five + str((11 - remainder) % 10)


def _digits(text: str, count: int) -> bool:
    # str.isdigit alone takes full-width and Arabic-Indic digits too.
    return len(text) == count and text.isascii() and text.isdigit()


def _checked(text: str, count: int) -> str:
    if not _digits(text, count):
        raise ValueError(f"not {count} digits")
    return text


def _remainder(text: str, weights: tuple[int, ...]) -> int:
    total: int = sum(map(mul, map(int, text), weights))
    return total % 11


def _zero_below_two(remainder: int) -> str:
    return "0" if remainder < 2 else str(11 - remainder)


@dataclass(frozen=True, slots=True)
class Municipality:
    """A 市区町村, a ward of a 指定都市, or a prefecture, as it was called for some time.

    ``parent`` is the code of the 指定都市 for a ward, of the prefecture for everything else, and
    empty for a prefecture. ``first`` and ``last`` are the days the entry holds, both included;
    None is "before this project's files begin (2015-08-17)" and "until further notice".
    """

    code: str
    name: str
    district: str
    parent: str
    first: date | None
    last: date | None

    @property
    def is_prefecture(self) -> bool:
        """Whether this is a prefecture, to which no resident belongs directly."""
        return not self.parent

    @property
    def full_name(self) -> str:
        """The name as an address spells it after the prefecture: 下益城郡美里町."""
        return self.district + self.name

    def holds_on(self, day: date) -> bool:
        """Whether the entry is in force on this day."""
        return (self.first or date.min) <= day <= (self.last or date.max)


class Municipalities:
    """The municipality master: every code, its names over time, and which code covers which.

    Immutable. A new municipality is a line of ``data/municipalities.tsv``, never code.
    """

    def __init__(self, entries: Iterable[Municipality]) -> None:
        """Take the entries of one code in the order of their days.

        Raises:
            ValueError: a code with a wrong check digit, or a parent that is not there.
        """
        found: dict[str, tuple[Municipality, ...]] = {}
        wards: dict[str, tuple[str, ...]] = {}
        for entry in entries:
            if not is_municipality_code(entry.code):
                raise ValueError(f"municipality code {entry.code} has a wrong check digit")
            if entry.code not in found and entry.parent:
                wards[entry.parent] = (*wards.get(entry.parent, ()), entry.code)
            found[entry.code] = (*found.get(entry.code, ()), entry)
        if missing := wards.keys() - found.keys():
            raise ValueError(f"parents without an entry: {sorted(missing)}")
        self._entries: Mapping[str, tuple[Municipality, ...]] = MappingProxyType(found)
        self._children: Mapping[str, tuple[str, ...]] = MappingProxyType(wards)

    @classmethod
    @cache
    def load(cls) -> Self:
        """Return the master that comes with the appliance; nobody can change it."""
        return cls.parse(
            (resources.files("appliance.values") / "data/municipalities.tsv").read_text()
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the master written in ``text``: one line an entry, six columns, "-" for nothing.

        Raises:
            ValueError: a line without six columns, a bad date, a bad code.
        """
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        return cls(_entry(line) for line in lines)

    def lookup(self, code: str, day: date | None = None) -> Municipality | None:
        """Return the entry of a code in force on ``day``, or its latest one if no day is given."""
        entries = self._entries.get(code, ())
        if day is not None:
            return next((entry for entry in entries if entry.holds_on(day)), None)
        return entries[-1] if entries else None

    def prefecture_of(self, entry: Municipality) -> Municipality | None:
        """Return the prefecture that a municipality or a ward lies in; a prefecture is its own."""
        over: Municipality | None = entry
        while over is not None and not over.is_prefecture:
            over = self.lookup(over.parent)
        return over

    def covered_by(self, code: str) -> tuple[str, ...]:
        """Return the code itself and, for a 指定都市, its wards, those of former days included.

        A prefecture covers only itself: nobody notifies, or is looked for, in its name.
        """
        entry = self.lookup(code)
        if entry is None or entry.is_prefecture:
            return (code,)
        return (code, *self._children.get(code, ()))

    def office_of(self, code: str) -> str:
        """Return the municipality that keeps the residents of a code: of a ward, its city."""
        entry = self.lookup(code)
        parent = self.lookup(entry.parent) if entry is not None else None
        return code if parent is None or parent.is_prefecture else parent.code

    def covers(self, parent: str, child: str) -> bool:
        """Whether residents of ``child`` are residents of ``parent`` (rule G-03)."""
        return child in self.covered_by(parent)

    def named(self, prefecture: str, day: date | None = None) -> tuple[Municipality, ...]:
        """Return what a prefecture of this name has on ``day``, or now: cities, towns and wards."""
        ours = next((each for each in self.prefectures() if each.name == prefecture), None)
        found = (self.lookup(code, day) for code in (self.in_prefecture(ours.code) if ours else ()))
        return tuple(each for each in found if each and (day is not None or each.last is None))

    def prefectures(self) -> tuple[Municipality, ...]:
        """Return every prefecture, in the order of the codes."""
        return tuple(e[-1] for e in self._entries.values() if e[-1].is_prefecture)

    def in_prefecture(self, prefecture: str) -> tuple[str, ...]:
        """Return the codes of all municipalities and wards of a prefecture code (rule G-12)."""
        return tuple(
            code
            for code, entries in self._entries.items()
            if code[:2] == prefecture[:2] and not entries[-1].is_prefecture
        )


def _entry(line: str) -> Municipality:
    columns = ("" if column == "-" else column for column in line.split("\t"))
    code, name, district, parent, first, last = columns
    return Municipality(code, name, district, parent, _day(first), _day(last))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
