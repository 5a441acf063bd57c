"""What is measured, in the order of the table."""

from collections.abc import Callable, Iterator, Mapping

from scripts.bench_lib.measures import crypto, loading, rival, serving
from scripts.bench_lib.rows import Row, Setting

MEASURES: Mapping[str, Callable[[Setting], Iterator[Row]]] = {
    "crypto": crypto.measure,
    "loading": loading.measure,
    "serving": serving.measure,
    "rival": rival.measure,
}
