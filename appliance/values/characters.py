"""Characters of names and addresses: what may stand in them, what is an image, what is the same.

Text is stored as it was notified, composed but never folded: 﨑 stays 﨑, and a variation selector
stays behind its character. What is outside 住基ネット統一文字 is an image (外字), written in the
text as a placeholder::

    {gaiji:SERIAL:N}    SERIAL  外字変更連番, the version of the person's set of images
                        N       which image of the set, from 1

Everything here counts in *visible characters*: a character with its selector or combining mark is
one, and so is a placeholder.

Folding is for finding, never for showing: it drops selectors and puts one character for each
family of variants (縮退), which need not be in the register itself (䨂 for 鶖). It is idempotent,
and what it does to a character does not depend on its neighbours, so the folded beginning of a text
is the beginning of the folded text.

The tables are data, made by ``scripts/make_characters.py``, which says where they come from and
what goes into a family; ``data/NOTICE.md`` names the authors and the licence.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from appliance.values.spelling import Table

NAME_LENGTH: Final = 200
"""The most visible characters of items 2 and 4; the official limit is not public."""

ADDRESS_LENGTH: Final = 400
"""The most visible characters of item 7; the official limit is not public."""

MOST_MARKS: Final = 30
"""The most combining marks behind one character that are put in order (UAX #15, Stream-Safe Text).

Ordering takes the square of their number, and no name or address has more than two.
"""

GETA: Final = "〓"
"""Stands for an image in folded text, whose searcher cannot type it, and in print."""

_GAIJI = re.compile(r"\{gaiji:(0|[1-9][0-9]{0,8}):([1-9][0-9]{0,8})\}")
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_UNIT = re.compile(f".[{_SELECTORS}\u3099\u309a]?", re.DOTALL)
_FOLLOWERS = re.compile(f"[{_SELECTORS}\u0300-\u036f\u3099\u309a]")
# Normalising would turn these into another character of the register.
_KEPT = re.compile("([\uf900-\ufaff\U0002f800-\U0002fa1f])")


@dataclass(frozen=True, slots=True)
class Gaiji:
    """One image in a text: the version of the set, and its number in the set."""

    serial: int
    number: int


def gaiji(text: str) -> tuple[Gaiji, ...]:
    """Return the images of a text in their order; how many there are is item 3 or 8."""
    if "{" not in text:
        return ()
    return tuple(Gaiji(int(m[1]), int(m[2])) for m in _GAIJI.finditer(text))


def gaiji_count(text: str) -> int:
    """Return the number of images of a text (rule G-08)."""
    return len(gaiji(text))


def outsiders(text: str) -> tuple[str, ...]:
    """Return the visible characters that may not stand in a name or address (rule G-09).

    Each is given once, with its selector, in the order of the text. Braces that are not part of
    a placeholder are outside, and so is every control character.
    """
    if _standing_alone().issuperset(text):
        return ()
    plain = _GAIJI.sub("", text) if "{" in text else text
    allowed = _repertoire()
    return tuple(dict.fromkeys(unit for unit in _units(plain) if unit not in allowed))


def with_geta(text: str) -> str:
    """Return the text with 〓 for each image, as where an image cannot stand."""
    return _GAIJI.sub(GETA, text) if "{" in text else text


def visible_length(text: str) -> int:
    """Return the number of visible characters."""
    plain = with_geta(text)
    return len(plain) if plain.isascii() else len(_FOLLOWERS.sub("", plain))


def composed(text: str) -> str:
    """Return the form in which text is stored: Unicode NFC, but compatibility ideographs stay.

    NFC does not change between versions of Unicode for characters that exist. Text with more than
    ``MOST_MARKS`` combining marks in a row stays as it is; ``outsiders`` names them.
    """
    if text.isascii() or _heaps_marks(text) or unicodedata.is_normalized("NFC", text):
        return text
    return "".join(
        part if _KEPT.fullmatch(part) else unicodedata.normalize("NFC", part)
        for part in _KEPT.split(text)
    )


def _heaps_marks(text: str) -> bool:
    if len(text) <= MOST_MARKS:
        return False
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > MOST_MARKS:
            return True
    return False


def fold(text: str) -> str:
    """Return the text with one character for each family of variants, and 〓 for each image."""
    if text.isascii() and "{" not in text:
        return text
    plain = with_geta(text)
    return plain.translate(fold_table())


@cache
def fold_table() -> Table:
    """Return what ``fold`` does to each code point; not to be changed."""
    table = dict.fromkeys((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)), "")
    for line in _lines("variants.tsv"):
        representative, members = line.split("\t")
        table.update(dict.fromkeys(map(ord, members), representative))
    return table


@cache
def _repertoire() -> frozenset[str]:
    texts = (line.rsplit("\t", 1)[1] for line in _lines("repertoire.tsv"))
    return frozenset(texts) - {"{", "}"}


@cache
def _standing_alone() -> frozenset[str]:
    """Return what may stand by itself and joins nothing before it, as nearly everything does."""
    return frozenset(u for u in _repertoire() if len(u) == 1 and not _FOLLOWERS.match(u))


def _units(text: str) -> Iterator[str]:
    return (match[0] for match in _UNIT.finditer(text))


def _lines(name: str) -> Iterator[str]:
    text = (resources.files("appliance.values") / "data" / name).read_text(encoding="utf-8")
    # Not splitlines: the repertoire itself holds characters that split lines.
    return (line for line in text.split("\n") if line and not line.startswith("# "))
