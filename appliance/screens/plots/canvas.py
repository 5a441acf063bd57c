"""One drawing: elements with presentation attributes, a title and a description.

The colours are those of デジタル庁デザインシステム (design tokens, MIT, © デジタル庁). Text of
``INK`` and ``GREY`` on ``WHITE`` has a contrast of 4.5 or more, every line or outline 3 or more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from markupsafe import Markup, escape

WIDTH = 800
"""Of every drawing; shown at this width its text has ``SIZE`` pixels."""
SIZE = 13
WHITE, INK, GREY, PALE = "#ffffff", "#1a1a1a", "#626264", "#d8d8db"
BLUE, RED, GREEN, BROWN = "#0017c1", "#ce0000", "#115a36", "#806300"
SKY = "#d9e6ff"
NOTHING = "記録がありません"


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing, and the same data as a table for whoever does not see it."""

    svg: Markup
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one of several parts looks: never by its colour alone."""

    colour: str
    dashes: str = ""
    """Of a line."""
    hatch: str = ""
    """Of a surface: a path in a square of 8 by 8; empty: it is filled."""


KINDS = (
    Kind(BLUE),
    Kind(RED, "8 4", "M0 8L8 0"),
    Kind(GREEN, "2 3", "M0 4H8"),
    Kind(BROWN, "10 3 2 3", "M0 0L8 8M0 8L8 0"),
    Kind(GREY, "4 2 1 2 1 2", "M4 0V8"),
)
"""The first part of a plot looks like the first of these, and so on."""


class Canvas:
    """A drawing that is being made."""

    def __init__(self, name: str, caption: str, height: float, told: str = "") -> None:
        self.name = name
        self._caption, self._told = caption, told
        self._height = height
        self._elements: list[Markup] = []

    def add(self, tag: str, title: str = "", /, **attributes: object) -> None:
        """Add an element; ``title`` is what it says when it is pointed at."""
        inside = element("title", title) if title else Markup()
        self._elements.append(element(tag, inside, **attributes))

    def write(self, x: float, y: float, words: str, title: str = "", **attributes: object) -> None:
        """Write words; ``y`` is their base line."""
        inside = escape(words) + (element("title", title) if title else Markup())
        self._elements.append(element("text", inside, x=x, y=y, **attributes))

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str = PALE) -> None:
        """Draw a thin line of an axis."""
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour)

    def surface(self, kind: Kind, title: str, **place: float) -> None:
        """Fill a rectangle as its kind is filled."""
        fill = f"url(#{self.name}-{KINDS.index(kind)})" if kind.hatch else kind.colour
        self.add("rect", title, fill=fill, stroke=kind.colour, **place)

    def legend(self, y: float, kinds: Sequence[tuple[str, Kind]], *, lines: bool = False) -> None:
        """Say what looks how, in one row."""
        x: float = 8
        for label, kind in kinds:
            if lines:
                self.add(
                    "line",
                    x1=x,
                    x2=x + 28,
                    y1=y - 5,
                    y2=y - 5,
                    stroke=kind.colour,
                    stroke_width=2,
                    stroke_dasharray=kind.dashes or None,
                )
            else:
                self.surface(kind, "", x=x, y=y - 12, width=28, height=13)
            self.write(x + 34, y, label)
            x += 34 + wide(label) + 24

    def svg(self) -> Markup:
        """Return the drawing."""
        title, told = f"{self.name}-title", f"{self.name}-desc"
        patterns = [_pattern(self.name, number) for number, each in enumerate(KINDS) if each.hatch]
        inside = (
            element("title", self._caption, id=title),
            element("desc", self._told, id=told),
            element("defs", Markup().join(patterns)),
            *self._elements,
        )
        return element(
            "svg",
            Markup().join(inside),
            xmlns="http://www.w3.org/2000/svg",
            role="img",
            aria_labelledby=f"{title} {told}",
            viewBox=f"0 0 {WIDTH} {self._height:g}",
            width=WIDTH,
            height=self._height,
            font_size=SIZE,
            # On the whole: a rule of a style sheet for text would beat the attribute of a text.
            fill=INK,
        )


def empty(name: str, caption: str, columns: Sequence[str]) -> Plot:
    """Return a plot that says that there is nothing to be seen."""
    canvas = Canvas(name, caption, 64, NOTHING)
    canvas.add("rect", x=1, y=1, width=WIDTH - 2, height=62, fill=WHITE, stroke=GREY)
    canvas.write(WIDTH / 2, 37, NOTHING, text_anchor="middle")
    return Plot(canvas.svg(), caption, tuple(columns), ())


def element(tag: str, inside: str = "", **attributes: object) -> Markup:
    """Return an element; an attribute that is None is left out, ``_`` is written ``-``.

    Whatever is not ``Markup`` is escaped.
    """
    # Not by Markup.format: a heat map has thousands of attributes, and it takes six times as long.
    written = "".join(
        f' {name.replace("_", "-")}="{escape(_plain(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{written}>{escape(inside)}</{tag}>")  # noqa: S704  (each part is escaped)


def wide(words: str) -> float:
    """Return about how wide words are, in pixels."""
    return sum(SIZE if east_asian_width(each) in "WFA" else SIZE * 0.6 for each in words)


def cut(words: str, most: float) -> str:
    """Return words that are no wider than that, with … for what is left out."""
    if wide(words) <= most:
        return words
    while words and wide(words + "…") > most:
        words = words[:-1]
    return words + "…"


def _plain(value: object) -> str:
    return f"{round(value, 1):g}" if isinstance(value, int | float) else str(value)


def _pattern(name: str, number: int) -> Markup:
    kind = KINDS[number]
    ground = element("rect", width=8, height=8, fill=WHITE)
    lines = element("path", d=kind.hatch, stroke=kind.colour, stroke_width=2, fill="none")
    return element(
        "pattern",
        ground + lines,
        id=f"{name}-{number}",
        width=8,
        height=8,
        patternUnits="userSpaceOnUse",
    )
