"""Dates of the register: with unknown parts, outside the calendar, and in 和暦.

A date is written YYYY-MM-DD, with 00 for what is not known (不詳)::

    1950-02-03    the day is known
    1950-02-00    the day is not          昭和25年2月日不詳
    1950-00-00    only the year is        昭和25年月日不詳
    0000-00-00    nothing is              年月日不詳

標準仕様書 1.1.8 lets a birth date stand that is in no calendar (29 February of a common year); it
is kept as it is, and ``in_calendar`` says so. The 元号 are data, ``data/eras.tsv``. On the day
an era changed both names are legal, so how a 住民票 spells a birth date is kept beside the date.
"""

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Self

from appliance.values.spelling import NUMERALS, SPACES, WIDTHS, chained, dropping, number

_WRITTEN = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A year, month and day; 0 is unknown, and what stands behind an unknown part is too."""

    year: int
    month: int
    day: int

    def __post_init__(self) -> None:
        """Refuse what is neither a date nor a form of an unknown one (rule G-04)."""
        if not (0 <= self.year <= 9999 and 0 <= self.month <= 12 and 0 <= self.day <= 31):
            raise ValueError("no such date")
        if (not self.year and self.month) or (not self.month and self.day):
            raise ValueError("a known part behind an unknown one")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the date written YYYY-MM-DD with 00 for unknown parts.

        Raises:
            ValueError: another form, or no such date.
        """
        if not (found := _WRITTEN.fullmatch(text)):
            raise ValueError("not of the form YYYY-MM-DD")
        return cls(int(found[1]), int(found[2]), int(found[3]))

    @classmethod
    def of(cls, day: date) -> Self:
        """Return a day of the calendar as a date of the register."""
        return cls(day.year, day.month, day.day)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}-{self.day:02}"

    @property
    def is_complete(self) -> bool:
        """Whether no part is unknown."""
        return self.day > 0

    @property
    def in_calendar(self) -> bool:
        """Whether the calendar has this day; of a date with unknown parts, whether it may."""
        return self.day <= 28 or self.day <= monthrange(self.year, self.month)[1]

    def lower(self) -> date:
        """Return the earliest day this can be; a day in no calendar is the last of its month."""
        return self._limit(1, 1) if self.year else date.min

    def upper(self) -> date:
        """Return the latest day this can be; a day in no calendar is the last of its month."""
        return self._limit(12, 31) if self.year else date.max

    def _limit(self, month: int, day: int) -> date:
        if 0 < self.day <= 28:
            return date(self.year, self.month, self.day)
        month = self.month or month
        return date(self.year, month, min(self.day or day, monthrange(self.year, month)[1]))

    def certainly_before(self, other: "PartialDate") -> bool:
        """Whether this is earlier whatever the unknown parts are."""
        return self.upper() < other.lower()

    def certainly_after(self, other: "PartialDate") -> bool:
        """Whether this is later whatever the unknown parts are."""
        return other.certainly_before(self)

    def may_be(self, other: "PartialDate") -> bool:
        """Whether both can be the same date: every part equal, or unknown in one of them."""
        ours, theirs = (self.year, self.month, self.day), (other.year, other.month, other.day)
        return all(a == b or not a or not b for a, b in zip(ours, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class Era:
    """A 元号; ``written_until`` is the last day a birth date may still be written with it."""

    name: str
    letter: str
    first: date
    last: date
    written_until: date

    def spells(self, day: PartialDate) -> bool:
        """Whether the date, or a day it can be, may be written with this era."""
        return self.first <= day.upper() and day.lower() <= self.written_until


class Eras:
    """The 元号 in their order, and dates written with them."""

    def __init__(self, eras: Iterable[Era]) -> None:
        """Take the eras, earliest first."""
        self._eras = tuple(eras)
        names = "|".join(name for era in self._eras for name in (era.name, era.letter))
        self._pattern = re.compile(
            rf"(?:推定)?(?P<era>{names})?(?P<year>[0-9]{{1,4}})[年./-]"
            r"(?:(?P<month>[0-9]{1,2})(?:[月./-](?:(?P<day>[0-9]{1,2})日?)?)?)?"
            r"(?:月日不詳|日不詳|頃|推定|[春夏秋冬]|[上中下初]旬|生)*"
        )

    @classmethod
    def load(cls) -> Self:
        """Return the eras that come with the appliance."""
        return cls.parse((resources.files("appliance.values") / "data/eras.tsv").read_text("utf-8"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the eras written in ``text``: five columns, tabs between, "-" for no end.

        Raises:
            ValueError: a line without five columns, or a bad date.
        """
        return cls(_era(line) for line in text.splitlines() if line and not line.startswith("#"))

    def spellings(self, day: PartialDate) -> tuple[str, ...]:
        """Return every 和暦 spelling of a date, the usual one first.

        There are two for a day on which the era changed (大正元年7月30日, 明治45年7月30日), and
        for a year or month in which it changed when the day is not known. Before the first era
        there is none.
        """
        if not day.year:
            return ("年月日不詳",)
        fitting = [era for era in self._eras if era.spells(day)]
        if day.is_complete:
            fitting.reverse()
        return tuple(
            f"{era.name}{_era_year(day.year - era.first.year + 1)}年{_rest(day)}" for era in fitting
        )

    def read(self, text: str) -> PartialDate:
        """Return the date that a 住民票 spells, in 和暦 or 西暦, in digits or 漢数字.

        Words of doubt are understood and leave the parts that are certain: 昭和20年頃 and
        昭和20年春 give 1945-00-00, 昭和20年3月上旬 gives 1945-03-00, 昭和20年3月1日から3月9日
        までの間 gives 1945-03-00.

        Raises:
            ValueError: not a date, or not a day of the era it names.
        """
        plain = _NUMERAL.sub(lambda found: str(number(found[0])), text.translate(_PLAIN))
        if plain in ("不詳", "年月日不詳"):
            return PartialDate(0, 0, 0)
        begin, upto, end = plain.partition("から")
        first = self._read_one(begin)
        return _common(first, self._read_end(begin, end)) if upto else first

    def typed(self, text: str) -> PartialDate:
        """Return the date that somebody types: as ``read``, and in digits alone or small letters.

        20260401, R080401, r8.4.1 and 2026-04-00 are understood too.

        Raises:
            ValueError: as ``read``.
        """
        plain = text.translate(_PLAIN).upper()
        if found := _DIGITS.fullmatch(plain):
            plain = ".".join(found.groups())
        return self.read(plain)

    def _read_end(self, begin: str, end: str) -> PartialDate:
        end = re.sub("まで(の間)?$", "", end)
        for shared in ("", begin[: begin.find("年") + 1], begin[: begin.find("月") + 1]):
            if self._pattern.fullmatch(shared + end):
                return self._read_one(shared + end)
        raise ValueError("not a date")

    def _read_one(self, text: str) -> PartialDate:
        if not (found := self._pattern.fullmatch(text)):
            raise ValueError("not a date")
        year, month, day = (int(found[part] or 0) for part in ("year", "month", "day"))
        if not year:
            raise ValueError("there is no year 0")
        if not found["era"]:
            return PartialDate(year, month, day)
        era = next(e for e in self._eras if found["era"] in (e.name, e.letter))
        result = PartialDate(era.first.year + year - 1, month, day)
        if not era.spells(result):
            raise ValueError("not a day of the era it names")
        return result


def western(day: PartialDate) -> str:
    """Return the 西暦 spelling, as for residents without Japanese nationality."""
    return f"{day.year}年{_rest(day)}" if day.year else "年月日不詳"


_PLAIN = chained(WIDTHS, {ord("元"): "1", ord("ー"): "-"}, dropping(map(chr, SPACES)))
_DIGITS = re.compile(r"([A-Z][0-9]{2}|[0-9]{4})([0-9]{2})([0-9]{2})")
_NUMERAL = re.compile(f"[{NUMERALS}]{{1,9}}")


def _era(line: str) -> Era:
    name, letter, *days = line.split("\t")
    first, last, written_until = (date.max if d == "-" else date.fromisoformat(d) for d in days)
    return Era(name, letter, first, last, written_until)


def _era_year(year: int) -> str:
    return "元" if year == 1 else str(year)


def _rest(day: PartialDate) -> str:
    if not day.month:
        return "月日不詳"
    return f"{day.month}月{day.day}日" if day.day else f"{day.month}月日不詳"


def _common(one: PartialDate, other: PartialDate) -> PartialDate:
    if one.year != other.year:
        return PartialDate(0, 0, 0)
    if one.month != other.month:
        return PartialDate(one.year, 0, 0)
    return one if one == other else PartialDate(one.year, one.month, 0)
