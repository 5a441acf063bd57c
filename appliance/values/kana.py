"""Readings: the stored hiragana form, 清音化かな氏名 (item 13), and a key for what sounds alike.

The official 清音化 table is not public; this is the project's own, and this module is the one
place to change it. Change it, and raise ``normalise.VERSION``.

=========  ====================================================================================
hiragana   katakana and half-width kana to hiragana; nothing else changes
seion      item 13: also without marks (が か), small kana large (ゃ や), ゐゑを as いえお, and
           without spaces, ・, hyphens and ー
fuzzy      as seion, but first ぢ づ as じ ず and ゔぁ ゔぃ ゔ as ば び ぶ, and last おう as おお,
           こう as こお, and so on: what 標準仕様書 2.1.2 wants to be found alike
=========  ====================================================================================

Latin letters in a reading become capitals without accents in the last two.
"""

import re
from typing import Final

import jaconv

from appliance.values import spelling
from appliance.values.characters import composed
from appliance.values.spelling import HALF_VOICED, LONG_VOWEL, VOICED, chained, dropping

_OLD_KANA = {
    ord("ゐ"): "い",
    ord("ゑ"): "え",
    ord("を"): "お",
    ord("ゟ"): "より",
    ord("ヿ"): "こと",
}
_WITH_MARKS: Final = chained(
    spelling.WIDTHS,
    spelling.MARKS,
    spelling.HIRAGANA,
    spelling.LARGE,
    _OLD_KANA,
    spelling.LATIN,
    dropping(map(chr, (*spelling.SPACES, *spelling.HYPHENS))),
    dropping("・" + LONG_VOWEL),
)
_STORED: Final = frozenset(map(chr, range(0x3041, 0x3097))) | {"\u3000", LONG_VOWEL}
"""What a reading in hiragana is written with; of these alone, nothing is left to change."""
_UNMARK: Final = dropping((VOICED, HALF_VOICED))
_ALIKE: Final = {
    "ち" + VOICED: "し",
    "つ" + VOICED: "す",
    "う" + VOICED + "あ": "は",
    "う" + VOICED + "い": "ひ",
    "う" + VOICED + "え": "へ",
    "う" + VOICED + "お": "ほ",
    "う" + VOICED: "ふ",
}
_ALIKE_PATTERN: Final = re.compile("|".join(_ALIKE))
_LONG_O: Final = re.compile("(?<=[おこそとのほもよろ])う+")


def hiragana(text: str) -> str:
    """Return a reading in hiragana, as item 4 is stored: ﾔﾏﾀﾞ and ヤマダ give やまだ."""
    if _STORED.issuperset(text):
        return text
    return composed(jaconv.kata2hira(jaconv.h2z(text)))


def seion(text: str) -> str:
    """Return 清音化かな氏名 (item 13): ヤマダ　ジョウジ gives やまたしようし."""
    return text.translate(_WITH_MARKS).translate(_UNMARK)


def fuzzy(text: str) -> str:
    """Return a key equal for readings that sound alike: おうの and おおの, みやぢ and みやじ."""
    marked = text.translate(_WITH_MARKS)
    if VOICED in marked:
        marked = _ALIKE_PATTERN.sub(lambda found: _ALIKE[found[0]], marked).translate(_UNMARK)
    return _LONG_O.sub(lambda found: "お" * len(found[0]), marked.translate(_UNMARK))
