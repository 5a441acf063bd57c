"""Boxes: where the middle half of what was measured lies, and how far the ends are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from appliance.screens.plots import lanes
from appliance.screens.plots.canvas import BLUE, SKY, WIDTH, Canvas, Plot, empty
from appliance.screens.plots.numbers import ticks, written

TELLS = 130


@dataclass(frozen=True, slots=True)
class Box:
    """What was measured of one thing, in five numbers; and how often it was."""

    name: str
    least: float
    quarter: float
    median: float
    three_quarters: float
    most: float
    count: int


def box_of(name: str, counts: Mapping[int, int]) -> Box:
    """Return the five numbers of values that are counted: how often each was measured.

    A quantile is the smallest value that so large a part of all does not exceed.

    Raises:
        ValueError: nothing was measured.
    """
    order = sorted(value for value, count in counts.items() if count > 0)
    total = sum(counts[value] for value in order)
    if not order:
        raise ValueError("nothing was measured")

    def quantile(part: float) -> int:
        seen = 0
        for value in order:
            seen += counts[value]
            if seen >= ceil(part * total):
                return value
        return order[-1]

    middle = quantile(0.25), quantile(0.5), quantile(0.75)
    return Box(name, order[0], *middle, order[-1], total)


def strip(
    name: str, caption: str, boxes: Sequence[Box], *, unit: str = "日", axis: str = "市区町村"
) -> Plot:
    """Draw one box a lane, in the order given."""
    heads = (axis, "最小", "第1四分位", "中央値", "第3四分位", "最大", "件数")
    if not boxes:
        return empty(name, caption, heads)
    told = f"{written(len(boxes))}行。箱は中央の半分、太線は中央値、横線は最小から最大まで。"
    canvas = Canvas(name, caption, lanes.height(len(boxes)), told)
    marks, right = ticks(max(box.most for box in boxes)), WIDTH - TELLS
    lanes.scale(canvas, len(boxes), [(each / marks[-1], written(each)) for each in marks], right)
    canvas.write(8, 20, f"箱: 中央の半分 太線: 中央値 横線: 最小から最大まで({unit})")
    per = (right - lanes.LEFT) / marks[-1]
    for number, box in enumerate(boxes):
        _box(canvas, lanes.label(canvas, number, box.name), box, per, unit)
        words = f"中央値{written(box.median)}{unit}"
        canvas.write(right + 16, lanes.TOP + number * lanes.LANE + 20, words)
    rows = tuple((box.name, *map(written, (*_five(box), box.count))) for box in boxes)
    return Plot(canvas.svg(), caption, heads, rows)


def _five(box: Box) -> tuple[float, ...]:
    return box.least, box.quarter, box.median, box.three_quarters, box.most


def _box(canvas: Canvas, y: float, box: Box, per: float, unit: str) -> None:
    least, quarter, median, three_quarters, most = (lanes.LEFT + each * per for each in _five(box))
    middle = y + lanes.LANE / 2
    named = zip(("最小", "第1四分位", "中央値", "第3四分位", "最大"), _five(box), strict=True)
    title = f"{box.name} {'、'.join(f'{each}{written(value)}{unit}' for each, value in named)}"
    title += f"、{written(box.count)}件"
    canvas.add("path", title, d=f"M{least:.1f} {middle}H{most:.1f}", stroke=BLUE, stroke_width=2)
    for end in (least, most):
        canvas.line(end, middle - 5, end, middle + 5, BLUE)
    canvas.add(
        "rect",
        title,
        x=quarter,
        y=y + 6,
        width=max(2, three_quarters - quarter),
        height=lanes.LANE - 12,
        fill=SKY,
        stroke=BLUE,
    )
    canvas.add(
        "path", title, d=f"M{median:.1f} {y + 4}V{y + lanes.LANE - 4}", stroke=BLUE, stroke_width=4
    )
