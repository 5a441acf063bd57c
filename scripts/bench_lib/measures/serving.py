"""The appliance over mutual TLS, beside an empty handler behind the same edge server.

Both are processes of their own, asked in turns by a third that holds all clients. The same bytes go
to both: the empty handler reads the request, throws it away and answers a few bytes. What it
reaches is what TLS, the strict reader, cheroot and bottle leave to anybody.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from scripts.bench_lib.hammer import Client, Latencies, Task, hammer
from scripts.bench_lib.rows import Row, Setting, at_least, told
from scripts.bench_lib.served import BATCH, EMPTY, SENDERS, Served, Site, processor_seconds
from scripts.bench_lib.wire import Papers, connect, request

CLIENTS = (1, 8, 32)
FLOOR, BATCHES_GAIN = 0.4, 5.0
PERCENTS = (50, 95, 99)
SHAKERS = 4


class Size(NamedTuple):
    """How much is measured."""

    rounds: int
    seconds: float
    """Of each side in each round."""
    notices: int
    """One by one, in a round."""
    batches: int
    """Of ``of`` notices each, in a round."""
    of: int
    shakes: int
    """New connections."""


QUICK = Size(rounds=2, seconds=0.5, notices=320, batches=2, of=250, shakes=60)
FULL = Size(rounds=5, seconds=4.0, notices=3_200, batches=8, of=BATCH, shakes=2_000)


@dataclass(slots=True)
class Side:
    """What one process came to, round after round."""

    served: Served
    rounds: list[Latencies] = field(default_factory=list)
    processor: float = 0.0
    """Seconds of processor the process took in all rounds."""

    def hear(self, clients: Sequence[Client], seconds: float) -> None:
        """Be asked for one round.

        Raises:
            ValueError: something was refused; then the figures would be of something else.
        """
        before = processor_seconds(self.served.pid)
        heard = hammer(Task(self.served.address, clients, seconds, warm=0))
        self.processor += processor_seconds(self.served.pid) - before
        if heard.refused:
            raise ValueError(f"requests were refused: {heard.refused}")
        self.rounds.append(heard)

    @property
    def rate(self) -> float:
        """Requests a second in the middle round."""
        return median(each.rate for each in self.rounds)

    @property
    def spread(self) -> float:
        """Fastest over slowest round."""
        rates = [each.rate for each in self.rounds]
        return max(rates) / min(rates)

    @property
    def each(self) -> float:
        """Microseconds of processor a request."""
        return self.processor * 1e6 / sum(len(each.timings) for each in self.rounds)

    @property
    def ceiling(self) -> float:
        """Requests a second that the clients could have asked."""
        return median(each.ceiling for each in self.rounds)

    def percentiles(self) -> str:
        """Return p50, p95 and p99 in milliseconds; each of the middle round."""
        return "/".join(
            f"{median(each.at(percent) for each in self.rounds) * 1e3:.1f}" for percent in PERCENTS
        )


def measure(setting: Setting) -> Iterator[Row]:
    """Yield provision at 1, 8 and 32 clients, notices alone and in batches, new connections."""
    size = QUICK if setting.quick else FULL
    site = Site.make(setting.folder / "serving", setting.sizes[0], setting.seed)
    with ExitStack() as stack:
        ours = stack.enter_context(site.appliance())
        empty = stack.enter_context(site.rival(EMPTY))
        yield from _provision(site, ours, empty, size)
        yield from _notices(site, ours, empty, size)
        yield from _connections(site, ours, size)


def _provision(site: Site, ours: Served, empty: Served, size: Size) -> Iterator[Row]:
    for count in CLIENTS:
        clients = site.inquirers(count)
        sides = _in_turns(ours, empty, size, lambda clients=clients: clients)  # type: ignore[misc]
        note = f"{count} clients, by 住民票コード, 8 items; {_told(sides)}"
        if count < max(CLIENTS):
            yield _row(told, f"serving/provision-{count}", sides, note)
        else:
            yield _row(at_least, "serving/provision", sides, note, bar=FLOOR)


def _notices(site: Site, ours: Served, empty: Served, size: Size) -> Iterator[Row]:
    each = max(1, size.notices // SENDERS)
    one = _in_turns(ours, empty, size, lambda: site.tellers(SENDERS, each, 1))
    note = f"{SENDERS} municipalities, a newcomer and a move in turn; {_told(one)}"
    yield _row(at_least, "serving/notify-one", one, note, bar=FLOOR)
    senders = min(4, size.batches)
    batch = Side(ours)
    for _ in range(size.rounds):
        batch.hear(site.tellers(senders, size.batches // senders, size.of), size.seconds * 10)
    alone = one["ours"].rate
    yield at_least(
        "serving/notify-batch",
        batch.rate * size.of,
        alone,
        "notices/s",
        BATCHES_GAIN,
        spread=batch.spread,
        note=(
            f"batches of {size.of} from {senders} municipalities, against one by one; processor "
            f"{batch.each / size.of:,.0f} µs a notice, one by one {one['ours'].each:,.0f} µs"
        ),
    )


def _connections(site: Site, ours: Served, size: Size) -> Iterator[Row]:
    papers = site.papers("TERM-1000")
    with site.rival(EMPTY, resumes=True) as other:
        rates: dict[str, list[float]] = {"new": [], "resumed": []}
        for _ in range(size.rounds):
            rates["new"].append(_shaken(ours.address, papers, size.shakes, resume=False))
            rates["resumed"].append(_shaken(other.address, papers, size.shakes, resume=True))
    yield told(
        "serving/connections",
        median(rates["new"]),
        "/s",
        median(rates["resumed"]),
        note=(
            "new mutual TLS 1.3 connections, each with one small answer; baseline: resumed "
            "sessions, at an empty handler that allows them. The appliance resumes none: a resumed "
            "session would carry a certificate that was checked earlier"
        ),
    )


def _in_turns(
    ours: Served, empty: Served, size: Size, clients: Callable[[], Sequence[Client]]
) -> Mapping[str, Side]:
    """Let both be asked in turns; clients are made anew for each round."""
    sides = {"ours": Side(ours), "empty": Side(empty)}
    for turn in range(size.rounds):
        asked = clients()
        for name in sorted(sides, reverse=turn % 2 == 0):
            sides[name].hear(asked, size.seconds)
    return sides


def _row(
    kind: Callable[..., Row], name: str, sides: Mapping[str, Side], note: str, **bar: float
) -> Row:
    ours, empty = sides["ours"], sides["empty"]
    figures = {"ours": ours.rate, "baseline": empty.rate, "unit": "requests/s"}
    return kind(name, **figures, **bar, spread=ours.spread, note=note)


def _told(sides: Mapping[str, Side]) -> str:
    ours, empty = sides["ours"], sides["empty"]
    return (
        f"p50/p95/p99 {ours.percentiles()} ms, empty {empty.percentiles()} ms; processor of the "
        f"server {ours.each:,.0f} µs a request, empty {empty.each:,.0f} µs; clients share "
        f"{os.cpu_count()} cores with it, and could ask {ours.ceiling:,.0f}/s"
    )


def _shaken(address: tuple[str, int], papers: Papers, count: int, *, resume: bool) -> float:
    """Return how many connections a second are made, by some threads at once."""

    def shake(times: int) -> None:
        session = None
        for _ in range(times):
            with connect(address, papers, session) as sock:
                sock.sendall(request("/v1/nothing/here", b"{}", {}))
                sock.recv(4096)
                session = sock.session if resume else None

    begin = time.perf_counter()
    with ThreadPoolExecutor(SHAKERS) as pool:
        list(pool.map(shake, [count // SHAKERS] * SHAKERS))
    return count / (time.perf_counter() - begin)
