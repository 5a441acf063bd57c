"""The rows as people read them."""

from collections.abc import Iterable

from scripts.bench_lib.rows import Row

_HEAD = f"{'row':<40} {'ours':>12} {'baseline':>12} {'unit':<14} {'ratio':>7}  {'bar':<12} met"


def heading() -> str:
    """Return the first line."""
    return _HEAD


def line(row: Row) -> str:
    """Return one row, and its note below it."""
    met = {True: "yes", False: "NO", None: "-"}[row.met]
    text = (
        f"{row.name:<40} {_figure(row.ours):>12} {_figure(row.baseline):>12} {row.unit:<14} "
        f"{'-' if row.ratio is None else f'{row.ratio:.3g}':>7}  {row.bar:<12} {met}"
    )
    return text + (f"\n    {row.note}" if row.note else "")


def verdict(rows: Iterable[Row]) -> str:
    """Return the last line."""
    judged = [row for row in rows if row.met is not None]
    missed = [row.name for row in judged if not row.met]
    text = f"{len(judged) - len(missed)} of {len(judged)} bars met"
    return text + (f"; not met: {', '.join(missed)}" if missed else "")


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
