"""Values upwards over labels: the axes of lines and columns."""

from collections.abc import Sequence
from math import ceil

from appliance.screens.plots.canvas import GREY, WIDTH, Canvas, wide
from appliance.screens.plots.numbers import ticks, written

LEFT, RIGHT, TOP, BOTTOM = 70, 16, 56, 44
HEIGHT = 320
SPACE = 14
"""Pixels between two labels."""


class Plane:
    """Where a value of a label is."""

    def __init__(self, labels: Sequence[str], most: float) -> None:
        self._labels = labels
        self._ticks = ticks(most)
        self.slot = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
        """How wide there is room for one label."""

    def x(self, number: int) -> float:
        """Return the middle of the room for a label."""
        return LEFT + (number + 0.5) * self.slot

    def y(self, value: float) -> float:
        """Return the height of a value."""
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / self._ticks[-1]

    def draw(self, canvas: Canvas, unit: str) -> None:
        """Draw the axes, with as many labels as there is room for."""
        canvas.write(LEFT - 8, TOP - 12, f"({unit})", text_anchor="end")
        for value in self._ticks:
            y = self.y(value)
            canvas.line(LEFT, y, WIDTH - RIGHT, y, GREY if not value else "#d8d8db")
            canvas.write(LEFT - 8, y + 4, written(value), text_anchor="end")
        every = ceil((max(map(wide, self._labels)) + SPACE) / self.slot)
        for number in range(0, len(self._labels), every):
            x = self.x(number)
            canvas.line(x, self.y(0), x, self.y(0) + 5, GREY)
            canvas.write(x, self.y(0) + 20, self._labels[number], text_anchor="middle")
