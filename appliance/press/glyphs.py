"""Which characters the font can draw, variation sequences included.

typst refuses a character that the font lacks, but draws the plain character where it does not know
a variation sequence, and its message quotes the text. So the font's own tables are asked first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont

SEQUENCES = 14
"""The format of the cmap subtable of variation sequences (OpenType)."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a font has."""

    characters: frozenset[int]
    sequences: frozenset[tuple[int, int]]

    def lacking(self, text: str) -> Iterator[str]:
        """Yield how each character that cannot be drawn is named: ``U+845B U+E0100``."""
        for at, character in enumerate(text):
            point, following = ord(character), text[at + 1 : at + 2]
            if _is_selector(point):
                continue
            if following and _is_selector(ord(following)):
                if (point, ord(following)) not in self.sequences:
                    yield f"U+{point:04X} U+{ord(following):04X}"
            elif point not in self.characters:
                yield f"U+{point:04X}"


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
