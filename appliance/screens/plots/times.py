"""Events in time, and spans in time, one lane for each kind or place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.screens.plots import lanes
from appliance.screens.plots.canvas import BLUE, KINDS, RED, SKY, WHITE, Canvas, Plot, empty
from appliance.screens.plots.lanes import LEFT, room

STEPS = tuple(
    timedelta(minutes=each) for each in (5, 15, 30, 60, 120, 240, 720, 1440, 2880, 10080, 43200)
)
MOST_MARKS = 8
SLIM = 3
"""Pixels that even a moment has."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something at a moment; ``marked`` is what is remarkable about it, if anything is."""

    at: datetime
    lane: str
    told: str
    marked: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted; ``marked`` is what is remarkable about it, if anything is."""

    lane: str
    begins: datetime
    ends: datetime
    told: str
    marked: str = ""


def timeline(
    name: str, caption: str, events: Sequence[Event], since: datetime, until: datetime
) -> Plot:
    """Draw events, a lane for each ``lane`` in the order they come; times as they are given."""
    heads = ("日時", "区分", "内容", "注意")
    inside = sorted((e for e in events if since <= e.at <= until), key=lambda e: e.at)
    if not inside:
        return empty(name, caption, heads)
    canvas, places = _begin(name, caption, [e.lane for e in inside], since, until, len(inside))
    for event in inside:
        x = _x(event.at, since, until)
        y = lanes.TOP + places[event.lane] * lanes.LANE + lanes.LANE / 2
        title = f"{event.at:%Y-%m-%d %H:%M} {event.told} {event.marked}".strip()
        if event.marked:
            square = f"M{x - 7:.1f} {y}L{x:.1f} {y - 7}L{x + 7:.1f} {y}L{x:.1f} {y + 7}Z"
            canvas.add("path", title, d=square, fill=WHITE, stroke=RED, stroke_width=3)
        else:
            canvas.add("circle", title, cx=x, cy=y, r=5, fill=BLUE)
    rows = ((f"{e.at:%Y-%m-%d %H:%M:%S}", e.lane, e.told, e.marked) for e in inside)
    return Plot(canvas.svg(), caption, heads, tuple(rows))


def gantt(
    name: str,
    caption: str,
    spans: Sequence[Span],
    since: datetime,
    until: datetime,
    *,
    axis: str = "端末",
) -> Plot:
    """Draw spans, a lane for each ``lane``; what is marked is hatched and framed."""
    heads = (axis, "開始", "終了", "内容", "注意")
    inside = sorted(
        (s for s in spans if s.begins <= until and s.ends >= since),
        key=lambda s: (s.lane, s.begins),
    )
    if not inside:
        return empty(name, caption, heads)
    canvas, places = _begin(name, caption, [s.lane for s in inside], since, until, len(inside))
    for span in inside:
        left, right = (_x(each, since, until) for each in (span.begins, span.ends))
        y = lanes.TOP + places[span.lane] * lanes.LANE
        title = f"{span.lane} {span.begins:%m-%d %H:%M}から{span.ends:%m-%d %H:%M}まで {span.told}"
        place = {"x": left, "y": y + 5, "width": max(SLIM, right - left), "height": lanes.LANE - 10}
        if span.marked:
            canvas.surface(KINDS[1], f"{title} {span.marked}", **place)
        else:
            canvas.add("rect", title, fill=SKY, stroke=BLUE, **place)
    rows = (
        (s.lane, f"{s.begins:%Y-%m-%d %H:%M}", f"{s.ends:%Y-%m-%d %H:%M}", s.told, s.marked)
        for s in inside
    )
    return Plot(canvas.svg(), caption, heads, tuple(rows))


def _begin(
    name: str,
    caption: str,
    named: Sequence[str],
    since: datetime,
    until: datetime,
    count: int,
) -> tuple[Canvas, dict[str, int]]:
    """Begin a drawing with its axes; return it and which lane each name has."""
    places = {lane: number for number, lane in enumerate(dict.fromkeys(named))}
    told = f"{since:%Y-%m-%d %H:%M}から{until:%Y-%m-%d %H:%M}まで。{count:,}件。"
    canvas = Canvas(name, caption, lanes.height(len(places)), told)
    marks = [((at - since) / (until - since), text) for at, text in _marks(since, until)]
    lanes.scale(canvas, len(places), marks, LEFT + room())
    for lane, number in places.items():
        lanes.label(canvas, number, lane)
    return canvas, places


def _marks(since: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield round times, and how they are written."""
    span = until - since
    step = next((each for each in STEPS if span / each <= MOST_MARKS), STEPS[-1])
    midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + step * -((midnight - since) // step)
    while at <= until:
        yield at, f"{at:%m-%d}" if step >= timedelta(days=1) else f"{at:%H:%M}"
        at += step


def _x(at: datetime, since: datetime, until: datetime) -> float:
    place = (at - since) / (until - since)
    return LEFT + room() * min(1, max(0, place))
