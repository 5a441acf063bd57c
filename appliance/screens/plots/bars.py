"""Bars, one a lane: stacked, ranked, or as shares of a whole."""

from collections.abc import Sequence

from appliance.screens.plots import lanes
from appliance.screens.plots.canvas import (
    BLUE,
    GREY,
    KINDS,
    WHITE,
    WIDTH,
    Canvas,
    Plot,
    empty,
    wide,
)
from appliance.screens.plots.numbers import share, ticks, written

TOTAL = "計"
INSET = 4
TELLS = 150
"""Pixels beside the bars for what they come to."""


def bars(
    name: str,
    caption: str,
    labels: Sequence[str],
    parts: Sequence[str],
    values: Sequence[Sequence[float]],
    *,
    unit: str = "件",
    axis: str = "所属",
) -> Plot:
    """Draw a bar for each label, made of up to five parts: ``values[label][part]``."""
    heads = (axis, *parts, TOTAL)
    totals = [sum(each) for each in values]
    if not any(totals):
        return empty(name, caption, heads)
    told = f"{written(len(labels))}行。{'、'.join(parts)}。計{written(sum(totals))}{unit}。"
    canvas = Canvas(name, caption, lanes.height(len(labels)), told)
    marks = ticks(max(totals))
    right = WIDTH - TELLS
    lanes.scale(canvas, len(labels), [(each / marks[-1], written(each)) for each in marks], right)
    canvas.legend(20, list(zip(parts, KINDS, strict=False)))
    per = (right - lanes.LEFT) / marks[-1]
    for number, (label, each) in enumerate(zip(labels, values, strict=True)):
        y, x = lanes.label(canvas, number, label) + INSET, float(lanes.LEFT)
        for part, value, kind in zip(parts, each, KINDS, strict=False):
            if value:
                width, title = value * per, f"{label} {part} {written(value)}{unit}"
                canvas.surface(kind, title, x=x, y=y, width=width, height=lanes.LANE - 2 * INSET)
                if width >= wide(written(value)) + 12:
                    _inside(canvas, x + width / 2, y, written(value))
                x += width
        canvas.write(x + 8, y + 16, f"{written(totals[number])}{unit}")
    rows = tuple(
        (label, *map(written, each), written(total))
        for label, each, total in zip(labels, values, totals, strict=True)
    )
    return Plot(canvas.svg(), caption, heads, rows)


def ranked(
    name: str,
    caption: str,
    items: Sequence[tuple[str, float]],
    *,
    most: int = 20,
    unit: str = "件",
    axis: str = "区分",
    value: str = "件数",
) -> Plot:
    """Draw the ``most`` largest items, the largest first; the table has them all."""
    order = sorted(items, key=lambda item: (-item[1], item[0]))
    shown = order[:most]
    if not any(count for _, count in shown):
        return empty(name, caption, (axis, value))
    told = f"多い順に{written(len(shown))}行。最大は{shown[0][0]}の{written(shown[0][1])}{unit}。"
    canvas = Canvas(name, caption, lanes.height(len(shown)), told)
    right = WIDTH - TELLS
    marks = ticks(shown[0][1])
    lanes.scale(canvas, len(shown), [(each / marks[-1], written(each)) for each in marks], right)
    for number, (label, count) in enumerate(shown):
        y = lanes.label(canvas, number, label) + INSET
        width = (right - lanes.LEFT) * count / marks[-1]
        told = f"{written(count)}{unit}"
        high = lanes.LANE - 2 * INSET
        canvas.add(
            "rect", f"{label} {told}", x=lanes.LEFT, y=y, width=width, height=high, fill=BLUE
        )
        canvas.write(lanes.LEFT + width + 8, y + 16, told)
    return Plot(canvas.svg(), caption, (axis, value), tuple((n, written(c)) for n, c in order))


def shares(
    name: str,
    caption: str,
    items: Sequence[tuple[str, float, float]],
    *,
    part: str,
    whole: str,
    most: int = 30,
    unit: str = "件",
    axis: str = "区分",
) -> Plot:
    """Draw (label, part, whole) as shares, the largest first; the table has them all."""
    heads = (axis, part, whole, "割合")
    order = sorted(
        (item for item in items if item[2]),
        key=lambda item: (-item[1] / item[2], -item[2], item[0]),
    )
    if not order:
        return empty(name, caption, heads)
    shown = order[:most]
    told = f"{part}の割合が高い順に{written(len(shown))}行。"
    canvas = Canvas(name, caption, lanes.height(len(shown)), told)
    right = WIDTH - TELLS
    quarters = [(each / 100, f"{each}%") for each in (0, 25, 50, 75, 100)]
    lanes.scale(canvas, len(shown), quarters, right)
    for number, (label, some, every) in enumerate(shown):
        y = lanes.label(canvas, number, label) + INSET
        width = right - lanes.LEFT
        place = {"x": lanes.LEFT, "y": y, "height": lanes.LANE - 2 * INSET}
        told = f"{share(some, every)}({written(some)}/{written(every)}{unit})"
        canvas.add("rect", fill=WHITE, stroke=GREY, width=width, **place)
        canvas.add("rect", f"{label} {told}", fill=BLUE, width=width * some / every, **place)
        canvas.write(right + 8, y + 16, told)
    rows = ((n, written(some), written(every), share(some, every)) for n, some, every in order)
    return Plot(canvas.svg(), caption, heads, tuple(rows))


def _inside(canvas: Canvas, x: float, y: float, words: str) -> None:
    """Write on a pattern: on a plate, since no colour is readable on all of them."""
    width = wide(words) + 6
    canvas.add("rect", x=x - width / 2, y=y + 3, width=width, height=16, fill=WHITE)
    canvas.write(x, y + 16, words, text_anchor="middle")
