"""Labels downwards, one lane each: the axes of bars, boxes, tables and times."""

from appliance.screens.plots.canvas import GREY, PALE, WIDTH, Canvas, cut

LEFT, RIGHT, TOP = 190, 16, 56
LANE = 30
FOOT = 12


def height(lanes: int, top: float = TOP) -> float:
    """Return how high a drawing of that many lanes is."""
    return top + lanes * LANE + FOOT


def label(canvas: Canvas, number: int, words: str, top: float = TOP) -> float:
    """Write what a lane is, and return its upper edge."""
    y = top + number * LANE
    canvas.write(LEFT - 10, y + LANE / 2 + 4, cut(words, LEFT - 18), words, text_anchor="end")
    return y


def scale(canvas: Canvas, lanes: int, marks: list[tuple[float, str]], right: float) -> None:
    """Draw where the marks of the upper axis are: (position from 0 to 1, label)."""
    for place, words in marks:
        x = LEFT + place * (right - LEFT)
        canvas.line(x, TOP - 4, x, TOP + lanes * LANE, PALE)
        canvas.write(x, TOP - 9, words, text_anchor="middle")
    canvas.line(LEFT, TOP - 4, LEFT, TOP + lanes * LANE, GREY)


def room() -> float:
    """Return how wide there is room beside the labels."""
    return WIDTH - LEFT - RIGHT
