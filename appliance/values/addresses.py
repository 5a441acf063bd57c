"""One key for the many ways to write an address.

住所 is stored as notified. For searching, these become the same key::

    熊本県八代市松江城町１番２５号　八代ハイツ３０１号室
    八代市松江城町一番二十五号八代ハイツ301
    八代市松江城町1-25 八代ハイツ３０１号

The prefecture and the 郡 in front and 大字 are dropped, variants and widths folded, 漢数字 before
a unit become digits, and between two numbers 丁目, 番, 番地, 号, の, a space and any dash are one
hyphen; after the last number they are nothing. ヶ, ケ and が between kanji are ケ; の, ノ and 之
are ノ. The key is for comparing only; nobody is shown it.

The key of a beginning is a beginning of the key as long as no number, name of a prefecture or 郡,
or unit is cut in two. Numbers count as wholes: 本町2 begins 本町2-3 and not 本町23 (``begins``).
"""

import re
from functools import cache
from importlib import resources

from appliance.values import spelling
from appliance.values.characters import GETA, fold, fold_table
from appliance.values.spelling import NUMERALS, VOICED, chained, number

_KANJI = f"[々〆{GETA}\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003347f]"
_NUMERAL = f"[{NUMERALS}]{{1,9}}"
# 一番町 and 五番丁 are names, in which the numeral is still a number; their 番 is not a unit.
_COUNTED = re.compile(
    f"{_NUMERAL}(?=丁(?:目|$|[-ー 0-9])|番|号|条|線)|(?<=[番地号0-9]ノ){_NUMERAL}"
)
_UNITS = "(?:丁目|丁(?=$|[-ー 0-9])|番地|番(?![町丁])|号室|号|ノ|[-ー・ ,.、。()「」])+"
_BETWEEN = re.compile(f"(?<=[0-9]){_UNITS}(?=[0-9])")
_AFTER = re.compile(f"(?<=[0-9]){_UNITS}(?![0-9])")
_LOOSE = re.compile("(?<![0-9])-|-(?![0-9])|[・ ,.、。()「」]")
_GA = re.compile(f"(?<={_KANJI})カ{VOICED}(?={_KANJI}|$)")
_NO = re.compile(f"(?<={_KANJI})之(?={_KANJI}|$)")
_OAZA = re.compile("大字|(?<=[市区町村])字")


def address_key(text: str) -> str:
    """Return the search key of an address or of its beginning; empty if nothing is left."""
    if "{" in text:
        text = fold(text)
    text = _without_region(_translated(text))
    text = _OAZA.sub("", _NO.sub("ノ", _GA.sub("ケ", text)))
    text = _COUNTED.sub(lambda found: str(number(found[0])), text)
    return _LOOSE.sub("", _AFTER.sub("", _BETWEEN.sub("-", text)))


def begins(whole: str, beginning: str) -> bool:
    """Whether one address begins with the other, numbers taken as wholes."""
    key, start = address_key(whole), address_key(beginning)
    if not key.startswith(start):
        return False
    cut_in_number = start[-1:].isdigit() and key[len(start) : len(start) + 1].isdigit()
    return not cut_in_number


def _without_region(text: str) -> str:
    text = text.lstrip(" ")
    prefectures, districts = _regions()
    for length in (3, 4):
        if text[:length] in prefectures:
            text = text[length:].lstrip(" ")
            break
    at = text.find("郡", 1, 8) + 1
    return text[at:] if text[:at] in districts else text


@cache
def _table() -> dict[int, str]:
    brackets = dict(zip(map(ord, "[]〔〕【】『』{}"), "()()()「」()", strict=True))
    return chained(
        spelling.WIDTHS,
        spelling.SPACES,
        spelling.HYPHENS,
        brackets,
        fold_table(),
        spelling.LARGE,
        spelling.KATAKANA,
        spelling.MARKS,
        spelling.LATIN,
    )


@cache
def _regions() -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of all prefectures, and of all 郡, as they are after translation."""
    text = (resources.files("appliance.values") / "data/municipalities.tsv").read_text(
        encoding="utf-8"
    )
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    prefectures = (row[1] for row in rows if row[3] == "-")
    districts = (row[2] for row in rows if row[2].endswith("郡"))
    return frozenset(map(_translated, prefectures)), frozenset(map(_translated, districts))


def _translated(text: str) -> str:
    return text.translate(_table())
