"""Names: surnames as frequent as they really are, given names, 外字, variants, foreigners.

Surnames and their counts, given names and their readings come from the package
japanese-personal-name-dataset (MIT). A full name of a Japanese carries one ideographic space
(U+3000) between 氏 and 名, as a 住民票 prints it.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

from japanese_personal_name_dataset import load_dataset

SPACE: Final = "\u3000"

VARIANTS: Final = {
    "高": ("髙",),
    "崎": ("﨑",),
    "沢": ("澤",),
    "辺": ("邉", "邊", "邉\U000e010f"),
    "斎": ("齋",),
    "斉": ("齊",),
    "吉": ("𠮷",),
    "浜": ("濵", "濱"),
    "島": ("嶋",),
    "広": ("廣",),
    "桜": ("櫻",),
    "国": ("國",),
    "徳": ("德",),
    "葛": ("葛\U000e0102", "葛\U000e0103"),
    "辻": ("辻\U000e0102",),
}
"""Forms found on real 住民票, some only by an ideographic variation sequence."""

# A character that a selector follows is a variant already.
_WITH_VARIANTS: Final = re.compile(f"[{''.join(VARIANTS)}](?![\U000e0100-\U000e01ef])")

VARIANT_SHARE: Final = 0.25
"""How many of the families that could, write their name with a variant."""

GAIJI_SHARE: Final = 0.004
"""How many families have a character in their name that exists only as an image."""

FOREIGN: Final = (
    # nationality's share, family names, given names of men, given names of women
    (
        30,
        "NGUYEN TRAN LE PHAM HOANG",
        "VAN MINH QUANG|DUC ANH|HUU PHUOC",
        "THI LAN|THU HA|NGOC MAI",
    ),
    (20, "WANG LI ZHANG CHEN LIU", "WEI|JIANGUO|HAORAN", "XIAOYAN|MEILING|JING"),
    (12, "SANTOS REYES CRUZ BAUTISTA", "JUAN MIGUEL|JOSE MARIE", "MARIA CRISTINA|ANGELICA"),
    (10, "KIM PARK CHOI JUNG", "MINJUN|SEUNGHO", "JIWOO|EUNJI"),
    (10, "SHRESTHA TAMANG GURUNG", "BIKASH|SURESH", "SITA|ANJALI"),
    (10, "SETIAWAN WIJAYA SUSANTO", "BUDI|AGUS", "DEWI|SRI WAHYUNI"),
    (8, "SMITH JOHNSON O'BRIEN MUELLER-LOPEZ", "JOHN PAUL|MICHAEL", "EMILY ANNE|SARAH"),
)


class Family(NamedTuple):
    """What the members of a household share: 氏 as written, its reading, images in it."""

    written: str
    reading: str
    gaiji_serial: int


class Given(NamedTuple):
    """名 and its reading."""

    written: str
    reading: str


class FullName(NamedTuple):
    """漢字氏名 and ふりがな氏名 as a notice carries them, with the count of 外字."""

    written: str
    kana: str | None
    gaiji_count: int = 0
    gaiji_serial: int = 0


class Weighted(NamedTuple):
    """Things to draw from, with their running totals."""

    things: Sequence[tuple[str, str]]
    totals: Sequence[int]


@cache
def surnames() -> Weighted:
    """Return surnames (written, reading) and their running counts in the country."""
    *_, last = load_dataset(include_last_names=True)
    things = [(written, entry["reading"]) for written, entry in last.items()]
    return Weighted(things, list(accumulate(entry["count"] for entry in last.values())))


@cache
def given_names(sex: str, old: bool) -> Sequence[tuple[str, tuple[str, ...]]]:
    """Return readings with their spellings; women born before 1965 are mostly …子."""
    men, women = load_dataset("opti")
    names = men if sex == "1" else women
    pool = [(reading, tuple(entry["kanji"])) for reading, entry in names.items()]
    if sex == "1" or not old:
        return pool
    classic = [
        (reading, tuple(kanji for kanji in spellings if kanji.endswith("子")))
        for reading, spellings in pool
        if reading.endswith("こ")
    ]
    return [entry for entry in classic if entry[1]]


def family(rng: Random) -> Family:
    """Draw a family name by its frequency; now and then in a variant or with a 外字."""
    things, totals = surnames()
    written, reading = rng.choices(things, cum_weights=totals)[0]
    if rng.random() < GAIJI_SHARE:
        serial = rng.randint(1, 3)
        return Family(f"{{gaiji:{serial}:1}}{written[1:]}", reading, serial)
    return Family(variant(rng, written, VARIANT_SHARE), reading, 0)


def variant(rng: Random, written: str, share: float) -> str:
    """Replace characters that have variants, each with probability ``share``."""
    return _WITH_VARIANTS.sub(
        lambda found: rng.choice(VARIANTS[found[0]]) if rng.random() < share else found[0], written
    )


def given(rng: Random, sex: str, old: bool) -> Given:
    """Draw a given name."""
    reading, spellings = rng.choice(given_names(sex, old and rng.random() < 0.75))
    return Given(rng.choice(spellings), reading)


def full(family: Family, given: Given) -> FullName:
    """Put 氏 and 名 together."""
    return FullName(
        family.written + SPACE + given.written,
        family.reading + SPACE + given.reading,
        gaiji_count=1 if family.gaiji_serial else 0,
        gaiji_serial=family.gaiji_serial,
    )


def foreign(rng: Random, sex: str) -> FullName:
    """Draw a name in Latin capitals, family name first, as a residence card prints it."""
    _, families, men, women = rng.choices(FOREIGN, weights=[row[0] for row in FOREIGN])[0]
    first = rng.choice((men if sex == "1" else women).split("|"))
    return FullName(f"{rng.choice(families.split())} {first}", None)
