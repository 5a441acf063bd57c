"""What is measured, in the order of the table."""

from collections.abc import Callable, Iterator, Mapping

from scripts.bench_lib.measures import crypto, rewrapping
from scripts.bench_lib.rows import Row, Setting

MEASURES: Mapping[str, Callable[[Setting], Iterator[Row]]] = {
    "crypto": crypto.measure,
    "rewrapping": rewrapping.measure,
}
