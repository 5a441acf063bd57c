"""What is measured, in the order of the table."""

from collections.abc import Callable, Iterator, Mapping

from scripts.bench_lib.measures import (
    crypto,
    finding,
    growth,
    ledger,
    loading,
    memory,
    papers,
    reconciling,
    rewrapping,
    rival,
    screens,
    serving,
)
from scripts.bench_lib.rows import Row, Setting

MEASURES: Mapping[str, Callable[[Setting], Iterator[Row]]] = {
    "crypto": crypto.measure,
    "loading": loading.measure,
    "finding": finding.measure,
    "serving": serving.measure,
    "rival": rival.measure,
    "ledger": ledger.measure,
    "reconcile": reconciling.measure,
    "rewrapping": rewrapping.measure,
    "papers": papers.measure,
    "screens": screens.measure,
    "memory": memory.measure,
    "growth": growth.measure,
}
