"""Lines over days, with the range that is usual and what is beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.screens.plots.canvas import KINDS, RED, SKY, WHITE, Canvas, Kind, Plot, empty
from appliance.screens.plots.numbers import written
from appliance.screens.plots.plane import BOTTOM, HEIGHT, TOP, Plane

UNUSUAL = "平常の範囲外"
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a value for every label, or None where there is none."""

    name: str
    values: Sequence[float | None]
    usual: Sequence[Range | None] = ()
    """Between what a value is expected; for every label, or for none of them."""

    def range_at(self, number: int) -> Range | None:
        """Return between what a value is expected; None if nobody can say."""
        return self.usual[number] if self.usual else None

    def is_unusual(self, number: int) -> bool:
        """Return whether a value is beside what is expected."""
        value, usual = self.values[number], self.range_at(number)
        return value is not None and usual is not None and not usual[0] <= value <= usual[1]


def lines(
    name: str,
    caption: str,
    labels: Sequence[str],
    series: Sequence[Line],
    *,
    unit: str = "件",
    axis: str = "日",
) -> Plot:
    """Draw up to five lines over the same labels; what is unusual is a ringed and named point."""
    heads = [axis]
    for line in series:
        heads += [line.name, *((f"{line.name} 平常の範囲", UNUSUAL) if line.usual else ())]
    if not any(value is not None for line in series for value in line.values):
        return empty(name, caption, heads)
    unusual = sum(line.is_unusual(number) for line in series for number in range(len(labels)))
    told = f"{labels[0]}から{labels[-1]}まで。{'、'.join(line.name for line in series)}。"
    told += f"{UNUSUAL}は{written(unusual)}点。" if any(line.usual for line in series) else ""
    canvas = Canvas(name, caption, HEIGHT, told)
    plane = Plane(labels, max(_highest(line) for line in series))
    for line in series:
        _band(canvas, plane, line)
    plane.draw(canvas, unit)
    for line, kind in zip(series, KINDS, strict=False):
        _line(canvas, plane, line, kind)
    for number, label in enumerate(labels):
        _told_when_pointed_at(canvas, plane, number, label, series, unit)
    for line in series:
        _mark_unusual(canvas, plane, line, labels, unit)
    canvas.legend(
        22, [(line.name, kind) for line, kind in zip(series, KINDS, strict=False)], lines=True
    )
    rows = tuple((label, *_cells(series, number)) for number, label in enumerate(labels))
    return Plot(canvas.svg(), caption, tuple(heads), rows)


def _highest(line: Line) -> float:
    tops = [usual[1] for usual in line.usual if usual is not None]
    return max([*(value for value in line.values if value is not None), *tops, 0])


def _band(canvas: Canvas, plane: Plane, line: Line) -> None:
    for number, usual in enumerate(line.usual):
        if usual is not None:
            low, high = (plane.y(max(0, each)) for each in usual)
            x, width = plane.x(number) - plane.slot / 2, plane.slot
            place = {"x": x, "y": high, "width": width, "height": low - high}
            canvas.add("rect", fill=SKY, shape_rendering="crispEdges", **place)


def _line(canvas: Canvas, plane: Plane, line: Line, kind: Kind) -> None:
    path, broken = "", True
    for number, value in enumerate(line.values):
        if value is None:
            broken = True
            continue
        path += f"{'M' if broken else 'L'}{plane.x(number):.1f} {plane.y(value):.1f}"
        alone = broken and line.values[number + 1 : number + 2] in ([None], [], (None,), ())
        path += "h0" if alone else ""
        broken = False
    canvas.add(
        "path",
        line.name,
        d=path,
        fill="none",
        stroke=kind.colour,
        stroke_width=2,
        stroke_linecap="round",
        stroke_dasharray=kind.dashes or None,
    )


def _told_when_pointed_at(
    canvas: Canvas, plane: Plane, number: int, label: str, series: Sequence[Line], unit: str
) -> None:
    said = "、".join(f"{line.name} {written(line.values[number])}{unit}" for line in series)
    place = {"x": plane.x(number) - plane.slot / 2, "y": TOP, "width": plane.slot}
    canvas.add(
        "rect",
        f"{label} {said}",
        **place,
        height=HEIGHT - BOTTOM - TOP,
        fill="none",
        pointer_events="all",
    )


def _mark_unusual(
    canvas: Canvas, plane: Plane, line: Line, labels: Sequence[str], unit: str
) -> None:
    for number, value in enumerate(line.values):
        if value is None or not line.is_unusual(number):
            continue
        x, y = plane.x(number), plane.y(value)
        title = f"{labels[number]} {line.name} {written(value)}{unit} {UNUSUAL}"
        canvas.add("circle", title, cx=x, cy=y, r=6, fill=WHITE, stroke=RED, stroke_width=3)
        canvas.write(x, y - 11, written(value), text_anchor="middle", fill=RED)


def _cells(series: Sequence[Line], number: int) -> list[str]:
    cells = []
    for line in series:
        cells.append(written(line.values[number]))
        if line.usual:
            usual = line.range_at(number)
            between = (
                f"{written(round(max(0, usual[0]), 1))}から{written(round(usual[1], 1))}"
                if usual
                else "–"
            )
            cells += [between, UNUSUAL if line.is_unusual(number) else ""]
    return cells
