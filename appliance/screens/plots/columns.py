"""Columns, stacked where there are several parts: histograms, years, what failed."""

from collections.abc import Sequence

from appliance.screens.plots.canvas import KINDS, Canvas, Plot, empty, wide
from appliance.screens.plots.numbers import written
from appliance.screens.plots.plane import HEIGHT, Plane

WIDEST = 64
TOTAL = "計"


def columns(
    name: str,
    caption: str,
    labels: Sequence[str],
    parts: Sequence[str],
    values: Sequence[Sequence[float]],
    *,
    unit: str = "件",
    axis: str = "区分",
) -> Plot:
    """Draw a column for each label, made of up to five parts: ``values[label][part]``."""
    heads = (axis, *parts, *([TOTAL] if len(parts) > 1 else []))
    if not any(map(any, values)):
        return empty(name, caption, heads)
    totals = [sum(each) for each in values]
    told = f"{labels[0]}から{labels[-1]}まで。{'、'.join(parts)}。計{written(sum(totals))}{unit}。"
    canvas = Canvas(name, caption, HEIGHT, told)
    plane = Plane(labels, max(totals))
    plane.draw(canvas, unit)
    canvas.legend(22, list(zip(parts, KINDS, strict=False)))
    for number, label in enumerate(labels):
        _column(canvas, plane, number, [*zip(parts, values[number], strict=True)], label, unit)
    rows = tuple(
        (label, *map(written, each), *([written(total)] if len(parts) > 1 else []))
        for label, each, total in zip(labels, values, totals, strict=True)
    )
    return Plot(canvas.svg(), caption, heads, rows)


def _column(
    canvas: Canvas,
    plane: Plane,
    number: int,
    parts: Sequence[tuple[str, float]],
    label: str,
    unit: str,
) -> None:
    width = min(WIDEST, plane.slot * 0.8)
    x, under = plane.x(number) - width / 2, 0.0
    for (part, value), kind in zip(parts, KINDS, strict=False):
        if value:
            top, bottom = plane.y(under + value), plane.y(under)
            title = f"{label} {part} {written(value)}{unit}"
            canvas.surface(kind, title, x=x, y=top, width=width, height=bottom - top)
            under += value
    told = written(under)
    if under and wide(told) <= plane.slot:
        canvas.write(plane.x(number), plane.y(under) - 6, told, text_anchor="middle")
