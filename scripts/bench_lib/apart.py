"""The appliance over a store in a process of its own, so that its memory can be told.

::

    with Apart(site) as apart:
        apart.ask("431001", "reconcile/begin", {"mode": "differences"})
        seconds = apart.open_all(["431001"])
        print(apart.peak_mb())
"""

import gc
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from appliance.items import BY_NAME
from appliance.marks import AGREED
from appliance.testing import Bench, Seat
from scripts.bench_lib.machines import memory
from scripts.bench_lib.site import Filled, opened

_CELLS = [BY_NAME[name].number for name in AGREED]
_PATIENCE = 60.0


class Apart:
    """The process, as whoever asks it sees it."""

    def __init__(self, site: Filled) -> None:
        context = get_context("spawn")
        self._line, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, site), daemon=True)
        self._process.start()
        # Ours alone from here on: if the process dies, a call ends and does not wait.
        other.close()

    def ask(self, municipality: str, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Let the server of a municipality ask; return the data of the answer."""
        told: dict[str, Any] = self._call("ask", municipality, operation, msgspec.to_builtins(body))
        return told

    def open_all(self, groups: Sequence[str]) -> float:
        """Open everything that is compared of everybody in these groups; return the seconds."""
        return float(self._call("open_all", groups))

    def rest(self) -> float:
        """Forget the peak so far; return what is in memory now, in MB."""
        return float(self._call("rest"))

    def peak_mb(self) -> float:
        """Return the most there was in memory since ``rest``."""
        return float(self._call("peak"))

    def _call(self, *what: Any) -> Any:
        self._line.send(what)
        return self._line.recv()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._line.close()
        self._process.join(_PATIENCE)


def _serve(line: Connection, site: Filled) -> None:
    with opened(site) as bench, suppress(EOFError):
        appliance = _Appliance(bench)
        while True:
            name, *arguments = line.recv()
            line.send(getattr(appliance, name)(*arguments))


class _Appliance:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._seats: dict[str, Seat] = {}

    def ask(self, municipality: str, operation: str, body: Mapping[str, Any]) -> Any:
        if municipality not in self._seats:
            self._seats[municipality] = self._bench.municipality(municipality)
        return msgspec.to_builtins(self._seats[municipality].ask(operation, body).data)

    def open_all(self, groups: Iterable[str]) -> float:
        begin = time.perf_counter()
        with self._bench.vault.view() as view:
            for group in groups:
                for mark in view.marks(group):
                    view.read(mark.person, _CELLS)
        return time.perf_counter() - begin

    def rest(self) -> float:
        gc.collect()
        # proc_pid_clear_refs(5): 5 sets the peak to what there is now.
        Path("/proc/self/clear_refs").write_text("5", "ascii")
        return memory(os.getpid(), "VmRSS")

    def peak(self) -> float:
        return memory(os.getpid())
