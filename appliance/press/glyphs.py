"""Which characters the font can draw, variation sequences included.

typst refuses a character that the font lacks, but draws the plain character where it does not know
a variation sequence, and its message quotes the text. So the font's own tables are asked first:
IPAmj明朝 knows the sequences of 文字情報基盤, such as 葛 U+E0102, and none of Adobe-Japan1, such as
葛 U+E0100.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont

SEQUENCES = 14
"""The format of the cmap subtable of variation sequences (OpenType)."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A character that cannot be drawn as it is written."""

    character: str
    """Its code points, and nothing of the text around it: ``U+845B U+E0100``."""
    has_plain: bool
    """It is a variation whose plain character the font has, and would draw in its place."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a font has."""

    characters: frozenset[int]
    sequences: frozenset[tuple[int, int]]

    def missing(self, text: str) -> Iterator[Missing]:
        """Yield the characters of a text that cannot be drawn as they are written, in order."""
        for at, character in enumerate(text):
            point, following = ord(character), text[at + 1 : at + 2]
            if _is_selector(point):
                continue
            has_plain = point in self.characters
            if following and _is_selector(ord(following)):
                if (point, ord(following)) not in self.sequences:
                    yield Missing(f"U+{point:04X} U+{ord(following):04X}", has_plain)
            elif not has_plain:
                yield Missing(f"U+{point:04X}", has_plain=False)


@cache
def coverage(font: Path) -> Coverage:
    """Return what a font file has.

    Raises:
        OSError: it cannot be read.
    """
    with TTFont(font, lazy=True) as opened:
        table = opened["cmap"]
        sequences = frozenset(
            (point, selector)
            for subtable in table.tables
            if subtable.format == SEQUENCES
            for selector, points in subtable.uvsDict.items()
            for point, _ in points
        )
        return Coverage(frozenset(table.getBestCmap()), sequences)


def _is_selector(point: int) -> bool:
    return 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF
