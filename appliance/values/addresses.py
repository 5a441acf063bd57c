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


def names_a_house(text: str) -> bool:
    """Return whether an address goes as far as a number, and is not a whole town's."""
    key = address_key(text)
    return not key[:1].isdigit() and (any(map(str.isdigit, key)) or "無番" in key)


def prefecture_in(text: str) -> str:
    """Return the 都道府県 that an address begins with, to compare it; empty if it names none."""
    if "{" in text:
        text = fold(text)
    return _prefecture(_translated(text).lstrip(" "))


def prefecture_of(code: str) -> str:
    """Return the 都道府県 of a 市町村コード, to compare it; empty if there is none."""
    return _prefectures().get(code[:2], "")


def _prefecture(text: str) -> str:
    names = _prefecture_names()
    return next((text[:length] for length in (3, 4) if text[:length] in names), "")


def _without_region(text: str) -> str:
    text = text.lstrip(" ")
    text = text.removeprefix(_prefecture(text)).lstrip(" ")
    districts = _districts()
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
def _prefectures() -> dict[str, str]:
    """Return all prefectures by the first two digits of their code, as after translation."""
    return {row[0][:2]: _translated(row[1]) for row in _rows() if row[3] == "-"}


@cache
def _prefecture_names() -> frozenset[str]:
    return frozenset(_prefectures().values())


@cache
def _districts() -> frozenset[str]:
    """Return the names of all 郡, as after translation."""
    return frozenset(_translated(row[2]) for row in _rows() if row[2].endswith("郡"))


def _rows() -> list[list[str]]:
    data = resources.files("appliance.values") / "data/municipalities.tsv"
    lines = data.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def _translated(text: str) -> str:
    return text.translate(_table())
