"""A table whose cells are darker where there is more; every cell has its number."""

from collections.abc import Collection, Sequence
from math import sqrt

from appliance.screens.plots import lanes
from appliance.screens.plots.canvas import INK, PALE, RED, WHITE, Canvas, Plot, empty
from appliance.screens.plots.numbers import written

STEPS = (
    (WHITE, INK),
    ("#e8f1fe", INK),
    ("#c5d7fb", INK),
    ("#9db7f9", INK),
    ("#264af4", WHITE),
    ("#0017c1", WHITE),
)
"""Ground and text, from nothing to the most."""


def heat(
    name: str,
    caption: str,
    columns: Sequence[str],
    labels: Sequence[str],
    values: Sequence[Sequence[float]],
    *,
    outlined: Collection[int] = (),
    outline: str = "",
    unit: str = "件",
    axis: str = "操作者",
) -> Plot:
    """Draw ``values[label][column]``; ``outlined`` columns are those that ``outline`` names."""
    heads = (
        axis,
        *(f"{each}({outline})" if n in outlined else each for n, each in enumerate(columns)),
    )
    if not any(map(any, values)):
        return empty(name, caption, heads)
    most = max(map(max, values))
    told = f"{written(len(labels))}行、{written(len(columns))}列。最大{written(most)}{unit}。"
    told += f"太枠は{outline}。" if outlined else ""
    canvas = Canvas(name, caption, lanes.height(len(labels)), told)
    width = lanes.room() / len(columns)
    if outlined:
        canvas.add("rect", x=8, y=8, width=18, height=14, fill=WHITE, stroke=RED, stroke_width=2)
        canvas.write(34, 20, outline)
    for number, column in enumerate(columns):
        x = lanes.LEFT + (number + 0.5) * width
        canvas.write(x, lanes.TOP - 9, column, text_anchor="middle")
    for row, (label, each) in enumerate(zip(labels, values, strict=True)):
        y = lanes.label(canvas, row, label)
        for number, value in enumerate(each):
            closed = f"({outline})" if number in outlined else ""
            title = f"{label} {columns[number]}{closed} {written(value)}{unit}"
            _cell(canvas, lanes.LEFT + number * width, y, width, value, most, title)
    _outlines(canvas, len(labels), width, outlined)
    rows = tuple((label, *map(written, each)) for label, each in zip(labels, values, strict=True))
    return Plot(canvas.svg(), caption, heads, rows)


def _cell(
    canvas: Canvas, x: float, y: float, width: float, value: float, most: float, title: str
) -> None:
    # By the root, so that one very large cell does not make all others look alike.
    dark = int(sqrt(value / most) * (len(STEPS) - 1))
    step = 0 if not value else 1 + min(len(STEPS) - 2, dark)
    ground, text = STEPS[step]
    canvas.add("rect", title, x=x, y=y, width=width, height=lanes.LANE, fill=ground, stroke=PALE)
    if value:
        words = _short(value)
        canvas.write(
            x + width / 2, y + 20, words, title, text_anchor="middle", fill=text, font_size=12
        )


def _short(value: float) -> str:
    """Return a number that fits into a cell."""
    return written(value) if value < 1000 else f"{value / 1000:.0f}千"


def _outlines(canvas: Canvas, rows: int, width: float, outlined: Collection[int]) -> None:
    """Frame neighbouring columns together."""
    for first in sorted(each for each in outlined if each - 1 not in outlined):
        last = first
        while last + 1 in outlined:
            last += 1
        canvas.add(
            "rect",
            x=lanes.LEFT + first * width,
            y=lanes.TOP,
            width=(last - first + 1) * width,
            height=rows * lanes.LANE,
            fill="none",
            stroke=RED,
            stroke_width=2,
        )
