"""Every key by which a resident is looked for, in one place and with a version.

The index holds tokens of these keys and nothing else, so a change here, or in a table it stands
on, makes every token in existing stores useless. Raise ``VERSION`` with such a change; a test
compares the tables with the digest noted for the version.

A key may be equal for different spellings, never different for equal ones; whether a candidate
really fits is decided after opening it. No function here raises, whatever the text.
"""

import re
from functools import cache
from typing import Final

from appliance.values import kana as readings
from appliance.values import spelling
from appliance.values.addresses import address_key, begins, prefecture_in, prefecture_of
from appliance.values.characters import fold, fold_table
from appliance.values.spelling import LONG_VOWEL, chained, dropping

__all__ = [
    "VERSION",
    "address_begins",
    "address_key",
    "birth_key",
    "hiragana",
    "kana_key",
    "kana_prefix",
    "kanji_prefix",
    "name_key",
    "names_in",
    "prefecture_in",
    "prefecture_of",
]

VERSION: Final = 2
"""1: until names in brackets were found by themselves."""

_WITH_ALIAS: Final = re.compile(
    r"(?P<name>[^()（）]*\S[^()（）]*)[(（](?P<alias>[^()（）]*\S[^()（）]*)[)）]"
)
_CLOSURE: Final = {ord("ち"): "し", ord("つ"): "す", ord("わ"): "は"}

address_begins = begins


def name_key(name: str) -> str:
    """Return the key of a kanji or Latin name: variants folded, spaces and marks dropped.

    渡邉　太郎 and 渡辺太郎 are one, and so are Nguyễn Văn Anh and NGUYEN VAN ANH; an image is 〓.
    """
    if "{" in name:
        name = fold(name)
    return name.translate(_name_table())


def names_in(name: str) -> tuple[str, ...]:
    """Return every name that one name item holds: as written, and 氏名 and 通称 of a foreigner.

    A 通称 stands in brackets behind the name: NGUYEN VAN ANH（阮　文英） is found by either.
    """
    found = _WITH_ALIAS.fullmatch(name)
    return (name,) if found is None else (name, found["name"].strip(), found["alias"].strip())


def kanji_prefix(name: str, length: int = 1) -> str:
    """Return the first characters of the name key."""
    return name_key(name)[:length]


def kana_key(kana: str) -> str:
    """Return the key of a reading: equal for whatever is equal as 清音 or sounds alike.

    The two relations cross: みやち is みやぢ as 清音, and みやぢ sounds like みやじ. So the key is
    coarser than both, as 標準仕様書 2.1.2 wants it: し and ち, す and つ, は and わ are one in it.
    The one exception is ゔ, which is found as ば び ぶ べ ぼ only.
    """
    return readings.fuzzy(kana).translate(_CLOSURE)


def kana_prefix(kana: str, length: int = 2) -> str:
    """Return the first characters of the kana key."""
    return kana_key(kana)[:length]


def hiragana(kana: str) -> str:
    """Return a reading as written, in hiragana and without spaces, to compare exactly."""
    return readings.hiragana(kana).translate(_NO_SPACES)


def birth_key(birth_date: str) -> str:
    """Return the eight digits of a birth date, 00 for unknown parts."""
    return birth_date.replace("-", "")


_NO_SPACES: Final = dropping(map(chr, spelling.SPACES))


@cache
def _name_table() -> dict[int, str]:
    return chained(
        spelling.WIDTHS,
        fold_table(),
        {ord("ヵ"): "カ", ord("ヶ"): "ケ"},
        spelling.MARKS,
        spelling.LATIN,
        dropping(map(chr, (*spelling.SPACES, *spelling.HYPHENS))),
        dropping("・" + LONG_VOWEL + "'`\u00b4\u02bc.,、。"),
    )
