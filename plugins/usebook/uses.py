"""What counts as a use: requests of the ledger, put together as an office writes them down.

A request counts if a person made it under a 事務, it was answered, and residents were asked for
or told of. Requests of one person under one 操作者ID for one 事務, 利用事由 and 使用簿番号 are one
use, as long as none of them is further from the one before than the tolerance of the matching;
without a 使用簿番号 they belong together only within ``SITTING``, because nothing else says so.

A use is about whoever was opened in it. Where nobody was, it is about whoever was listed; where
nobody was found, about nobody: 0. Of a bulk inquiry the rows that were handed in count. Whoever
only the national server knows counts with every answer, since nothing is kept to tell him by.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from unicodedata import normalize

from appliance.plugin_api import JST, LedgerReader, Reading
from plugins.usebook.matching import DAY, Use

SITTING = 5 * 60
"""Seconds between two requests without a 使用簿番号 that still belong together."""
MARGIN = timedelta(days=1)
"""Read before and after a month: uses across midnight, and entries out of the order of time."""
LISTS = "search/find"
BULK = "provision/bulk-submit"
ASKS = frozenset(
    {LISTS, BULK, "search/detail", "provision/inquire", "provision/verify", "relay/inquire"}
)
"""What is a use even if nobody was found."""
TOLD_ABROAD = re.compile(r"told by the national server|national server: one\b")
ROWS = re.compile(r": ([0-9]+) rows\b")
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A use, and what matching does not look at."""

    use: Use
    office: str
    person: str
    """照合ID of whoever it was."""
    requests: int


def seconds(moment: datetime) -> int:
    """Return a moment as seconds of the clock in Japan since 1970."""
    there = moment.astimezone(JST)
    of_day = there.hour * 3600 + there.minute * 60 + there.second
    return (there.date().toordinal() - EPOCH) * DAY + of_day


def moment(clock: int) -> datetime:
    """Return the moment of ``seconds``."""
    days, rest = divmod(clock, DAY)
    midnight = datetime.combine(date.fromordinal(EPOCH + days), time(0), JST)
    return midnight + timedelta(seconds=rest)


def plain(text: str | None) -> str:
    """Return a number or id as it is compared: without the differences of how it is typed."""
    return normalize("NFKC", text or "").strip()


def read_uses(
    ledger: LedgerReader, first: date, last: date, tolerance: int
) -> Mapping[str, Sequence[Used]]:
    """Return the uses of every office from the day before ``first`` to the day after ``last``.

    In the order of their first entry. What began earlier may be there without its beginning.
    """
    since = datetime.combine(first, time(0), JST) - MARGIN
    until = datetime.combine(last, time(0), JST) + 2 * MARGIN
    start = _index_at(ledger, since - MARGIN)
    stop = _index_at(ledger, until + MARGIN)
    chosen = (r for r in ledger.between(start, stop) if _counts(r))
    within = [r for r in chosen if since <= _at(r) < until]
    by_office: dict[str, list[Used]] = defaultdict(list)
    for used in put_together(within, tolerance):
        by_office[used.office].append(used)
    return by_office


def put_together(readings: Iterable[Reading], tolerance: int) -> list[Used]:
    """Return requests as uses, in the order of their first entry."""
    alike: dict[tuple[str | None, ...], list[Reading]] = defaultdict(list)
    for reading in readings:
        key = (
            *(reading.office, reading.person, reading.operator, reading.purpose, reading.reason),
            plain(reading.case_number),
        )
        alike[key].append(reading)
    uses = [
        _used(sitting)
        for key, those in alike.items()
        for sitting in _sittings(those, tolerance if key[-1] else min(SITTING, tolerance))
    ]
    return sorted(uses, key=lambda used: used.use.key)


def _sittings(readings: Sequence[Reading], gap: int) -> Iterator[list[Reading]]:
    """Yield requests that follow one another without a longer gap."""
    in_order = sorted(readings, key=lambda reading: (reading.at_ms, reading.index))
    sitting = in_order[:1]
    for reading in in_order[1:]:
        if reading.at_ms - sitting[-1].at_ms > gap * 1000:
            yield sitting
            sitting = []
        sitting.append(reading)
    yield sitting


def _used(readings: Sequence[Reading]) -> Used:
    first, last = readings[0], readings[-1]
    opened = [who for each in readings if each.operation != LISTS for who in _about(each)]
    listed = [who for each in readings if each.operation == LISTS for who in _about(each)]
    rows = sum(_rows(each) for each in readings)
    use = Use(
        key=min(reading.index for reading in readings),
        operator=plain(first.operator),
        case=plain(first.case_number),
        purpose=f"{first.purpose}/{first.reason}",
        begins=seconds(_at(first)),
        ends=seconds(_at(last)),
        persons=frozenset(opened if opened or rows else listed),
        rows=rows,
    )
    requests = len({reading.request_id for reading in readings})
    return Used(use=use, office=first.office or "", person=first.person or "", requests=requests)


def _about(reading: Reading) -> Iterable[int | str]:
    if not reading.subjects and TOLD_ABROAD.search(reading.note):
        return (f"abroad {reading.request_id}",)
    return reading.subjects


def _rows(reading: Reading) -> int:
    found = ROWS.search(reading.note) if reading.operation == BULK else None
    return int(found[1]) if found else 0


def _counts(reading: Reading) -> bool:
    asked = reading.operation in ASKS or bool(reading.subjects)
    by_a_person = bool(reading.operator and reading.office and reading.purpose)
    return asked and by_a_person and reading.result == reading.result.OK


def _at(reading: Reading) -> datetime:
    return datetime.fromtimestamp(reading.at_ms / 1000, JST)


def _index_at(ledger: LedgerReader, moment: datetime) -> int:
    """Return the number of the first entry that is not before a moment."""
    at_ms = int(moment.timestamp() * 1000)
    return bisect_left(range(ledger.size), at_ms, key=lambda index: ledger.entry(index).at_ms)
