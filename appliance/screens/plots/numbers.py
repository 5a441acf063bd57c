"""How numbers are written, and where an axis has its marks."""

from math import floor, log10

STEPS = (1, 2, 5, 10)


def written(value: float | None) -> str:
    """Return a number as people write it: 12,345 or 2.5; – where there is none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def share(part: float, whole: float) -> str:
    """Return a part of a whole in percent; – of nothing."""
    return f"{100 * part / whole:.1f}%" if whole else "–"


def ticks(most: float, about: int = 5) -> list[float]:
    """Return round numbers from 0 up to ``most`` or just above; whole ones, for things counted."""
    rough = max(most, 1) / about
    power = 10.0 ** floor(log10(rough))
    step = max(1.0, next(each * power for each in STEPS if each * power >= rough - 1e-9))
    marks = [0.0]
    while marks[-1] < most or len(marks) == 1:
        marks.append(marks[-1] + step)
    return marks
