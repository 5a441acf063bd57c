"""The part of the ledger that lies in a period, found by halving and read within a limit."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from appliance.plugin_api import JST, Case, Reading, Rejected

MOST = 500_000
"""Entries read in one request: some ten seconds."""
CHUNK = 1000
CLOCK_SET_BACK = timedelta(days=1)
"""How far entries may be out of the order of time."""


def readings(case: Case, since: date, until: date) -> Iterator[Reading]:
    """Yield every entry of the days from ``since`` to ``until`` in Japan, the oldest first.

    Raises:
        Rejected: there are more than ``MOST``: ask for a shorter period.
    """
    begin = datetime.combine(since, time.min, JST).astimezone(UTC)
    end = datetime.combine(until, time.min, JST).astimezone(UTC) + timedelta(days=1)
    start, stop = _first(case, begin - CLOCK_SET_BACK), _first(case, end + CLOCK_SET_BACK)
    if stop - start > MOST:
        raise Rejected("the ledger has too many entries of this period; give a shorter one")
    for at in range(start, stop, CHUNK):
        for reading in case.ledger.between(at, min(at + CHUNK, stop)):
            if begin <= _at(reading) < end:
                yield reading


def _first(case: Case, moment: datetime) -> int:
    """Return the number of the first entry at or after a moment, were all in order."""
    low, high = 0, case.ledger.size
    while low < high:
        middle = (low + high) // 2
        if _at(case.ledger.entry(middle)) < moment:
            low = middle + 1
        else:
            high = middle
    return low


def _at(reading: Reading) -> datetime:
    return datetime.fromtimestamp(reading.at_ms / 1000, UTC)
