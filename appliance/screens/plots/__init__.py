"""Plots for the screens: SVG made here, from plain data, and the same data as rows of a table.

Nothing is drawn by a script and nothing is styled: there are presentation attributes alone, so that
the Content-Security-Policy stands as it is. What a colour tells, a pattern, an outline or a number
tells too; every mark has a ``<title>``. A plot without data says so.

Each function takes a ``name``, unique in the page, from which the ids are made, and a caption;
it returns a ``Plot``. Read it in this order::

    canvas.py    one drawing: its elements, its title, its colours
    numbers.py   how numbers are written, and where an axis has its marks
    plane.py     values upwards over labels: the axes of lines and columns
    lanes.py     labels downwards: the axes of all others
    lines.py     lines with the range that is usual, and what is beside it
    columns.py   columns, stacked: histograms, years, what failed
    bars.py      bars, stacked, ranked or as shares
    heat.py      a table whose cells are darker where there is more
    strip.py     boxes: median, quartiles, ends
    times.py     events in time, and spans in time
"""

from appliance.screens.plots.bars import bars, ranked, shares
from appliance.screens.plots.canvas import Plot
from appliance.screens.plots.columns import columns
from appliance.screens.plots.heat import heat
from appliance.screens.plots.lines import Line, lines
from appliance.screens.plots.strip import Box, box_of, strip
from appliance.screens.plots.times import Event, Span, gantt, timeline

__all__ = [
    "Box",
    "Event",
    "Line",
    "Plot",
    "Span",
    "bars",
    "box_of",
    "columns",
    "gantt",
    "heat",
    "lines",
    "ranked",
    "shares",
    "strip",
    "timeline",
]
