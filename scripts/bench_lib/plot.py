"""The rows of a bench drawn: latency, throughput and what else was measured at several sizes (SVG).

One small chart for each quantity: residents to the right (logarithmic), the quantity upwards from
nought. Every value stands beside its point, so nothing hangs on a colour.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT, COLUMNS = 380, 240, 3
LEFT, RIGHT, TOP, BOTTOM = 64, 40, 48, 52
HEAD = 56
INK, FAINT = "#1a1a1a", "#9a9a9a"

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Chart:
    """One quantity at several sizes."""

    name: str
    unit: str
    points: Points


def charts(rows: Iterable[Mapping[str, Any]]) -> list[Chart]:
    """Return what was measured at two sizes or more: rows named ``what@size``, in their order."""
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for row in rows:
        what, _, size = str(row["name"]).rpartition("@")
        if what and size.isdecimal() and row["ours"] is not None:
            found.setdefault((what, str(row["unit"])), []).append((int(size), float(row["ours"])))
    return [Chart(*what, sorted(points)) for what, points in found.items() if len(points) > 1]


def drawn(rows: Iterable[Mapping[str, Any]], title: str) -> str:
    """Return the drawing.

    Raises:
        ValueError: nothing was measured at two sizes.
    """
    all_charts = charts(rows)
    if not all_charts:
        raise ValueError("nothing was measured at two sizes; there is nothing to draw")
    lines = -(-len(all_charts) // COLUMNS)
    width, height = WIDTH * min(COLUMNS, len(all_charts)), HEAD + HEIGHT * lines
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'width="{width}" height="{height}" font-family="sans-serif" fill="{INK}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _text(16, 34, title, size=20),
    ]
    for at, chart in enumerate(all_charts):
        x, y = at % COLUMNS * WIDTH, HEAD + at // COLUMNS * HEIGHT
        parts += [f'<g transform="translate({x} {y})">', *_chart(chart), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def figure(value: float) -> str:
    """Return a value as it is written beside its point."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _chart(chart: Chart) -> Iterator[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    top_value = max(value for _, value in chart.points) * 1.15 or 1.0
    low, high = (math.log10(chart.points[end][0]) for end in (0, -1))

    def across(size: int) -> float:
        return LEFT + 24 + (math.log10(size) - low) / (high - low) * (right - LEFT - 48)

    def up(value: float) -> float:
        return bottom - value / top_value * (bottom - TOP)

    yield _text(LEFT, TOP - 24, chart.name, size=13, weight="bold")
    yield f'<path d="M{LEFT} {TOP - 8}V{bottom}H{right}" fill="none" stroke="{INK}"/>'
    yield _text(LEFT, TOP - 11, chart.unit, size=11)
    yield _text((LEFT + right) / 2, HEIGHT - 14, "residents (logarithmic)", anchor="middle")
    yield _text(LEFT - 6, bottom + 4, "0", anchor="end")
    line = " ".join(f"{across(size):.1f},{up(value):.1f}" for size, value in chart.points)
    yield f'<polyline points="{line}" fill="none" stroke="{FAINT}"/>'
    for size, value in chart.points:
        x, y = across(size), up(value)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        yield _text(x, y - 9, figure(value), size=12, anchor="middle")
        yield f'<path d="M{x:.1f} {bottom}v5" stroke="{INK}"/>'
        yield _text(x, bottom + 18, f"{size:,}", anchor="middle")


def _text(
    x: float, y: float, words: str, *, size: int = 11, anchor: str = "start", weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )
