"""What a prefecture needs, computed from the rows of a bench: a page in Markdown.

Everything is a straight line through what was measured at the two largest sizes; the page says
with which formula, under which assumptions, and where it stops being true.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

YEARS = 10
NOTICES, INQUIRIES = 0.18, 2.0
"""Of a resident in a year."""
PEAK = 5.0
"""The busiest hour of spring over the mean of the working hours."""
WORKING_SECONDS = 240 * 8 * 3600
"""Of a year."""
PREFECTURES = (500_000, 1_700_000, 14_000_000)
NATION, APPLIANCES = 125_000_000, 47
DAY = 86_400
LARGE_ENOUGH = 200_000
"""Residents; from fewer, lines this long are worth little."""
HEADINGS = (
    "residents",
    "appliances",
    "disk, first load",
    f"disk after {YEARS} years",
    "of it history",
    "of it ledger",
    "memory",
    "peak inquiries/s",
    "peak notices/s",
    "cores busy at the peak",
    "start and unseal",
    "check",
)


class NotEnough(Exception):
    """The rows lack something the page is computed from."""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through the two largest sizes at which something was measured."""

    size: int
    value: float
    slope: float

    def at(self, residents: float) -> float:
        """Return the value at any number of residents."""
        return max(self.value + self.slope * (residents - self.size), 0.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the page is computed from."""

    first: float
    later: float
    entry: float
    inquiry: float
    notice: float
    memory: Line
    start: Line
    check: Line
    largest: int

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> "Measured":
        """Take what is needed out of the rows of ``--json``.

        Raises:
            NotEnough: something was not measured; names it.
        """
        found = _by_size(rows)
        start, unseal = _line(found, "growth/start"), _line(found, "growth/unseal")
        served = found.get("memory/all functions")
        memory = _line(found, "growth/memory")
        if served:
            level = max(served.values())
            memory = Line(memory.size, max(level, memory.value), memory.slope)
        return cls(
            first=_last(found, "growth/first version"),
            later=_last(found, "growth/later version"),
            entry=_last(found, "growth/ledger entry"),
            inquiry=_last(found, "growth/provision/inquire p50") / 1e3,
            notice=1 / _last(found, "growth/notices"),
            memory=memory,
            start=Line(start.size, start.value + unseal.value, start.slope + unseal.slope),
            check=_line(found, "growth/check"),
            largest=max(found["growth/first version"]),
        )


def page(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the page.

    Raises:
        NotEnough: something was not measured.
    """
    known = Measured.of(rows)
    table = [_row(known, residents, 1) for residents in PREFECTURES]
    table.append(_row(known, NATION, APPLIANCES))
    lines = [" | ".join(HEADINGS), " | ".join("---:" for _ in HEADINGS), *map(" | ".join, table)]
    body = "\n".join(f"| {line} |" for line in lines)
    return f"# What a prefecture needs\n\n{body}\n\n{_formulas(known)}\n{_ends(known)}"


def _row(known: Measured, residents: int, appliances: int) -> list[str]:
    each = residents / appliances
    first = known.first * residents
    history = known.later * residents * NOTICES * YEARS
    ledger = known.entry * residents * INQUIRIES * YEARS
    inquiries, notices = _peak(residents, INQUIRIES), _peak(residents, NOTICES)
    cores = inquiries * known.inquiry + notices * known.notice
    return [
        f"{residents:,}",
        f"{appliances}",
        _bytes(first),
        _bytes(first + history + ledger),
        _bytes(history),
        _bytes(ledger),
        _bytes(known.memory.at(each) * 1e6 * appliances),
        f"{inquiries:.3g}",
        f"{notices:.2g}",
        f"{cores:.2g}",
        f"{known.start.at(each):.1f} s" + " each" * (appliances > 1),
        _time(known.check.at(each)) + " each" * (appliances > 1),
    ]


def _peak(residents: float, a_year: float) -> float:
    return residents * a_year / WORKING_SECONDS * PEAK


def _formulas(known: Measured) -> str:
    memory, start, check = known.memory, known.start, known.check
    few = "" if known.largest >= LARGE_ENOUGH else "; too few for more than the order of magnitude"
    return f"""Computed from one run of the bench, largest size {known.largest:,} residents{few}:

- disk = residents × ({known.first:,.0f} bytes as loaded
  + {YEARS} years × ({NOTICES} notices a year × {known.later:,.0f} bytes a later version,
  message and all, + {INQUIRIES:g} inquiries a year × {known.entry:,.0f} bytes of ledger)).
  Double it for a copy, and leave half the disk free.
- memory = {memory.value:,.0f} MB measured
  + {memory.slope * 1e6:,.2f} MB for each million residents more.
- peak rate = residents × a year's requests ÷ {WORKING_SECONDS:,} working seconds
  × {PEAK:g} for the busiest hour.
- cores = peak inquiries × {known.inquiry * 1e3:.2f} ms (median, one caller, ledger on disk)
  + peak notices × {known.notice * 1e3:.2f} ms (in batches).
  TLS and HTTP come on top: see the rows of the served appliance.
- start and unseal = {start.value:.2f} s measured
  + {start.slope * 1e6:.3f} s for each million more.
- check = {check.value:,.1f} s measured
  + {check.slope * 1e6:,.0f} s for each million more.

Assumed, not measured: {NOTICES} notices and {INQUIRIES:g} inquiries a resident and year;
nothing erased in {YEARS} years. Beyond the largest size measured these are straight lines: a file
that no longer fits the memory of the machine reads its pages from the disk, and look-ups take what
that disk takes.
"""


def _ends(known: Measured) -> str:
    rate, slow = 1 / known.inquiry, known.check.slope
    served = rate / _peak(1, INQUIRIES)
    checked = f"{DAY / slow:,.0f} residents" if slow > 0 else "no number that was measured"
    return f"""## Where one machine ends

- One appliance is one process with one writer: some {rate:,.0f} inquiries/s from one caller here,
  the peak of {served:,.0f} residents. The largest prefecture has {max(PREFECTURES):,}.
- A check of the whole file takes a day at {checked}.
- A person has 4,095 versions at most.
- The nation is {APPLIANCES} files, keys and processes; nothing is shared, so it ends where its
  largest prefecture does. A centre needs the cores that are busy at the peak, on any number of
  machines.
"""


def _by_size(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        what, _, size = str(row["name"]).rpartition("@")
        if size.isdecimal() and row["ours"] is not None:
            found.setdefault(what, {})[int(size)] = float(row["ours"])
    return found


def _last(found: Mapping[str, Mapping[int, float]], what: str) -> float:
    if not (sizes := found.get(what)):
        raise NotEnough(f"{what} was not measured; run the bench with growth")
    return sizes[max(sizes)]


def _line(found: Mapping[str, Mapping[int, float]], what: str) -> Line:
    last, sizes = _last(found, what), sorted(found[what])
    if len(sizes) == 1:
        # Nothing to draw a line through: in proportion, which is more than it will be.
        return Line(sizes[0], last, last / sizes[0])
    before = found[what][sizes[-2]]
    return Line(sizes[-1], last, max(last - before, 0.0) / (sizes[-1] - sizes[-2]))


def _bytes(value: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e6:.3g} MB"


def _time(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.2g} {unit}"
    return f"{seconds:.2g} s"
