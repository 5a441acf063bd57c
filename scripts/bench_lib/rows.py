"""A row of the table: what was compared with what, and whether the bar is met."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. ``ours`` and ``baseline`` have the same unit; ``ratio`` is what counts."""

    name: str
    """Such as ``find/handler``: the measure, and what of it."""
    ours: float | None
    baseline: float | None
    """None: an absolute bar."""
    unit: str
    """Such as ``residents/s`` or ``µs``."""
    ratio: float | None
    """``ours`` over ``baseline``; None if there is no baseline."""
    bar: str
    """In words, such as ``>= 0.6``; empty: no bar, only told."""
    met: bool | None
    """None: no bar, or not measured; then ``note`` says why."""
    spread: float | None = None
    """Slowest over fastest round of ours."""
    note: str = ""
    """Sizes, rounds, and for a bar that is not met the measured reason."""

    def plain(self) -> dict[str, Any]:
        """Return the row as data."""
        return asdict(self)


def at_least(name: str, ours: float, baseline: float, unit: str, bar: float, **more: Any) -> Row:
    """Return a row whose ratio must not be below ``bar``."""
    ratio = ours / baseline
    return _row(name, ours, baseline, unit, ratio, f">= {bar:g}", ratio >= bar, more)


def at_most(name: str, ours: float, baseline: float, unit: str, bar: float, **more: Any) -> Row:
    """Return a row whose ratio must not be above ``bar``."""
    ratio = ours / baseline
    return _row(name, ours, baseline, unit, ratio, f"<= {bar:g}", ratio <= bar, more)


def below(name: str, ours: float, unit: str, bar: float, **more: Any) -> Row:
    """Return a row with an absolute bar: not above ``bar``."""
    return _row(name, ours, None, unit, None, f"<= {bar:g} {unit}", ours <= bar, more)


def told(name: str, ours: float, unit: str, baseline: float | None = None, **more: Any) -> Row:
    """Return a row without a bar."""
    ratio = None if baseline is None else ours / baseline
    return _row(name, ours, baseline, unit, ratio, "", None, more)


def left_out(name: str, why: str) -> Row:
    """Return a row that was not measured, and why."""
    return _row(name, None, None, "", None, "", None, {"note": f"not measured: {why}"})


def _row(
    name: str,
    ours: float | None,
    baseline: float | None,
    unit: str,
    ratio: float | None,
    bar: str,
    met: bool | None,
    more: dict[str, Any],
) -> Row:
    return Row(
        name=name,
        ours=ours,
        baseline=baseline,
        unit=unit,
        ratio=ratio,
        bar=bar,
        met=met,
        **more,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a run of the bench measures with."""

    folder: Path
    """Empty at the start; each measure works in a folder of its own name inside."""
    sizes: tuple[int, ...]
    """Numbers of residents, smallest first."""
    seed: int
    quick: bool
    postgres: bool
