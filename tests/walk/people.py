"""Residents who can be told from one another by every item: each value is a canary.

A canary has a form of its own for its item, so that one pattern an item finds it in any text, and
holds the number of the resident. Items of few values (``WITHOUT``) cannot be told by their value
and are looked for by the name of their field.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

from appliance.testing import Bench
from appliance.values.kana import seion
from tests.plugins.people import KUMAMOTO, UTO, YATSUSHIRO, admit, change, code, number

MUNICIPALITIES = (YATSUSHIRO, KUMAMOTO, UTO)
HERE, ABROAD = range(1, 201), range(901, 921)
"""The numbers of the residents, and of people of other prefectures."""
OLD = 1000
"""What is added to a number in the items of a former version."""

WITHOUT = ("sex", "reason", "retention_flag", "municipality_code", "gaiji_flag", "removed_flag")
_KANJI, _SYLLABLES, _WIDE = "〇一二三四五六七八九", "あいうえおなにぬねの", "０１２３４５６７８９"
_FIRST = {"birth_date": date(1950, 1, 1), "effective_date": date(1906, 1, 1)}
_FIRST["notified_on"] = date(1928, 1, 1)
_COUNTS = {
    "name_gaiji_count": 41,
    "address_gaiji_count": 42,
    "update_number": 43,
    "name_gaiji_serial": 44,
    "address_gaiji_serial": 45,
}


class Canary(NamedTuple):
    """Whose item was seen."""

    item: str
    who: int
    """Above ``OLD``: of a former version."""


@dataclass(frozen=True)
class Person:
    """One resident, or somebody of another prefecture."""

    who: int
    municipality: str
    removed: bool
    values: dict[str, Any]


def items_of(which: int, municipality: str = YATSUSHIRO, *, removed: bool = False) -> Person:
    """Return somebody with a canary for every item that can have one."""
    values = {
        "resident_code": code(which),
        "name": f"鳥居　鴇{_written(which, _KANJI)}",
        "kana": f"どりい　{_written(which, _SYLLABLES)}",
        "birth_date": _day("birth_date", which),
        "birth_date_as_written": f"昭和鳥年{_written(which, _KANJI)}",
        "sex": "12"[which % 2],
        "address": f"熊本県八代市鳥町{_written(which, _WIDE)}番",
        "my_number": number(which),
        "reason": "41" if removed else "11",
        "effective_date": _day("effective_date", which),
        "retention_flag": "0",
        "search_kana": seion(f"どりい　{_written(which, _SYLLABLES)}"),
        "municipality_code": municipality,
        "town_code": f"77{which:04}",
        "operator_id": f"OPCANARY{which:04}",
        "terminal_id": f"TMCANARY{which:04}",
        "recorded_at": f"2001-01-01T00:00:00.{which:06}Z",
        "notified_on": _day("notified_on", which),
        "gaiji_flag": False,
        "removed_flag": removed,
        **{item: int(f"{start}{which:06}") for item, start in _COUNTS.items()},
    }
    return Person(which, municipality, removed, values)


def populate(bench: Bench, random: Random) -> dict[int, Person]:
    """Put the residents in, a third of them with a former version; return all of them."""
    people = {}
    for which in HERE:
        person = items_of(which, random.choice(MUNICIPALITIES), removed=random.random() < 0.15)
        people[which] = person
        if random.random() < 0.33:
            former = items_of(which + OLD, person.municipality).values
            kept = {item: person.values[item] for item in ("resident_code", "my_number")}
            stored = admit(bench, which, **{**former, **kept})
            values = {item: v for item, v in person.values.items() if item != "update_number"}
            change(bench, stored, which, **values)
        else:
            admit(bench, which, **person.values)
    return people


def _written(which: int, digits: str) -> str:
    return "".join(digits[int(digit)] for digit in f"{which:04}")


def _day(item: str, which: int) -> str:
    return (_FIRST[item] + timedelta(days=which)).isoformat()


def _read(text: str, digits: str) -> int:
    return int("".join(str(digits.index(letter)) for letter in text))


_ALL = (*HERE, *ABROAD, *(which + OLD for which in HERE))
_BY_VALUE = {
    str(items_of(which).values[item]): Canary(item, which)
    for which in _ALL
    for item in ("resident_code", "my_number", "town_code", *_FIRST, *_COUNTS)
}
_FORMS = (
    (re.compile(f"鳥居　鴇([{_KANJI}]{{4}})"), "name", _KANJI),
    (re.compile(f"どりい　([{_SYLLABLES}]{{4}})"), "kana", _SYLLABLES),
    (re.compile(f"{seion('どりい　')}([{_SYLLABLES}]{{4}})"), "search_kana", _SYLLABLES),
    (re.compile(f"昭和鳥年([{_KANJI}]{{4}})"), "birth_date", _KANJI),
    (re.compile(f"鳥町([{_WIDE}]{{4}})"), "address", _WIDE),
    (re.compile(r"OPCANARY(\d{4})"), "operator_id", "0123456789"),
    (re.compile(r"TMCANARY(\d{4})"), "terminal_id", "0123456789"),
    (re.compile(r"2001-01-01T00:00:00\.(\d{6})"), "recorded_at", "0123456789"),
)
_TOKEN = re.compile(r"\d{4}-\d\d-\d\d|\d+")


def canaries(text: str) -> Iterator[Canary]:
    """Yield every canary in a text, whatever stands around it."""
    for pattern, item, digits in _FORMS:
        for found in pattern.finditer(text):
            yield Canary(item, _read(found[1], digits))
    for found in _TOKEN.finditer(text):
        if (known := _BY_VALUE.get(found[0])) is not None:
            yield known
