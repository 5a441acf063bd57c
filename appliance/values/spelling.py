"""Tables that make one spelling of many: widths, kana, Latin letters, spaces and hyphens.

Search keys are built from these tables alone, so that the same text gives the same token in every
version of Python and Unicode for as long as the store lives. The tables are for
``str.translate``; ``chained`` makes one of several.

A voiced kana becomes two characters, the plain kana and its mark (が is か and U+3099). Half-width
kana are written so anyway; whoever wants 清音 drops the marks.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

Table = Mapping[int, str]

VOICED: Final = "\u3099"
HALF_VOICED: Final = "\u309a"

SPACES: Final[Table] = dict.fromkeys(
    map(
        ord,
        "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
        "\u200a\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff",
    ),
    " ",
)
"""Every space, and the characters that are invisible."""

HYPHENS: Final[Table] = dict.fromkeys(
    map(ord, "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2500\u301c\uff5e~\ufe63\uff0d"),
    "-",
)
LONG_VOWEL: Final = "ー"

_HALF_KANA = (
    "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソ"
    "タチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン" + VOICED + HALF_VOICED
)
WIDTHS: Final[Table] = {
    **{0xFF01 + i: chr(0x21 + i) for i in range(94)},
    **{0xFF61 + i: kana for i, kana in enumerate(_HALF_KANA)},
    ord("゛"): VOICED,
    ord("゜"): HALF_VOICED,
    ord("’"): "'",
    ord("‘"): "'",
}

_VOICED_KANA = (
    (
        "ゔがぎぐげござじずぜぞだぢづでどばびぶべぼゞ",
        "うかきくけこさしすせそたちつてとはひふへほゝ",
    ),
    (
        "ヴガギグゲゴザジズゼゾダヂヅデドバビブベボヾ",
        "ウカキクケコサシスセソタチツテトハヒフヘホヽ",
    ),
    ("ヷヸヹヺ", "ワヰヱヲ"),
)
MARKS: Final[Table] = {
    **{
        ord(v): p + VOICED
        for voiced, plain in _VOICED_KANA
        for v, p in zip(voiced, plain, strict=True)
    },
    **{
        ord(v): p + HALF_VOICED
        for v, p in zip("ぱぴぷぺぽパピプペポ", "はひふへほハヒフヘホ", strict=True)
    },
}

HIRAGANA: Final[Table] = {
    **{code + 0x60: chr(code) for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)},
    **{
        ord(k): h
        for k, h in zip(
            "ㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ", "くしすとぬはひふへほむらりるれろ", strict=True
        )
    },
}
"""Katakana to hiragana of the same size; the small kana of Ainu, which have none, to large ones."""

LARGE: Final[Table] = {
    ord(small): large
    for small, large in zip(
        "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ",
        "あいうえおつやゆよわかけアイウエオツヤユヨワカケ",
        strict=True,
    )
}
KATAKANA: Final[Table] = {
    code: chr(code + 0x60) for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)
}


def _latin() -> dict[int, str]:
    special = {"Æ": "AE", "Ð": "D", "Ø": "O", "Þ": "TH", "ß": "SS", "Đ": "D", "Ħ": "H", "ı": "I"}
    special |= {"Ł": "L", "Ŋ": "N", "Œ": "OE", "Ŧ": "T", "ẞ": "SS", "ĸ": "K", "ŉ": "N", "ſ": "S"}
    table = {}
    # These blocks are full, and what a character decomposes into never changes.
    for code in (*range(0x61, 0x7B), *range(0xC0, 0x180), *range(0x1E00, 0x1F00)):
        upper = special.get(chr(code)) or special.get(chr(code).upper()) or chr(code).upper()
        letters = [c for c in unicodedata.normalize("NFD", upper) if not unicodedata.combining(c)]
        table[code] = "".join(letters)
    return {**table, **dict.fromkeys(range(0x300, 0x370), "")}


LATIN: Final[Table] = _latin()
"""Small letters to capitals, and accents dropped, as passports have it."""


def chained(*tables: Table) -> dict[int, str]:
    """Return one table that does what the given ones do one after another."""
    result: dict[int, str] = {}
    for table in tables:
        result = {code: text.translate(table) for code, text in result.items()} | {
            code: text for code, text in table.items() if code not in result
        }
    return result


def dropping(characters: Iterable[str]) -> Table:
    """Return a table that drops these characters."""
    return dict.fromkeys(map(ord, characters), "")


_KANJI_DIGITS: Final = dict(
    zip("〇零一二三四五六七八九壱弐参", (0, *range(10), 1, 2, 3), strict=True)
)
_POWERS: Final = {"十": 10, "拾": 10, "百": 100, "千": 1000}
NUMERALS: Final = "".join((*_KANJI_DIGITS, *_POWERS))
"""The characters of 漢数字 up to the thousands."""


def number(numeral: str) -> int:
    """Return the value of 漢数字: 二百三 and 二〇三 are both 203.

    Raises:
        KeyError: a character that is not in ``NUMERALS``.
    """
    total = below = 0
    for kanji in numeral:
        if power := _POWERS.get(kanji):
            total, below = total + (below or 1) * power, 0
        else:
            below = below * 10 + _KANJI_DIGITS[kanji]
    return total + below
