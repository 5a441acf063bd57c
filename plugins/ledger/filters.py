"""What an entry must be, and how the newest that fit are found.

The ledger has no index but the one by person. It is read from the newest entry down, or from the
end of the period, and no more than ``SCANNED`` entries a call: ``next`` says where to go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta

from appliance.plugin_api import Arguments, Case, Reading, ShortText
from plugins.ledger.entries import Index, Moment, named

SCANNED = 50_000
"""Entries opened in one call: about two seconds."""
CLOCK_SET_BACK = timedelta(days=1)
"""How far entries may be out of the order of time."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Period(Arguments, frozen=True, kw_only=True):
    """Of when, and below which number; all there is unless given."""

    since: Moment | None = None
    until: Annotated[Moment, Meta(title="期間の終わり")] | None = None
    before: Index | None = None
    """Only entries below this number."""


class Filter(Period, frozen=True, kw_only=True):
    """What an entry must be; everything given must hold."""

    operator: ShortText | None = None
    """操作者ID"""
    person: ShortText | None = None
    """照合ID, also where it was only typed in to log in."""
    terminal: ShortText | None = None
    office: ShortText | None = None
    """所属, as it was then."""
    function: ShortText | None = None
    """機能: what stands before the stroke of an operation, such as search."""
    operation: ShortText | None = None
    purpose: ShortText | None = None
    reason: Annotated[ShortText, Meta(title="利用事由")] | None = None
    case: ShortText | None = None
    """使用簿 number."""
    result: Literal["ok", "denied", "error"] | None = None
    refusal: ShortText | None = None
    """Code of a refusal."""
    contractor: bool = False
    """Only what somebody did who is of the 委託先, or was (R144)."""
    request_id: ShortText | None = None
    """Of a request or a provision."""


@dataclass(frozen=True, slots=True)
class Found:
    """Entries that fit, the newest first; ``after`` is where to go on, None at the end."""

    readings: list[Reading]
    after: int | None


def find(case: Case, asked: Filter, limit: int) -> Found:
    """Return the newest entries that fit, at most ``limit``, of the ``SCANNED`` that are read."""
    outside = _contractors(case) if asked.contractor else None
    found: list[Reading] = []
    stretch = Stretch(case, asked)
    for reading in stretch.readings():
        if _fits(reading, asked) and (outside is None or reading.person in outside):
            found.append(reading)
            if len(found) == limit:
                break
    return Found(found, stretch.after)


class Stretch:
    """As much of a period as one call reads."""

    def __init__(self, case: Case, period: Period) -> None:
        self._ledger = case.ledger
        self._since, self._until = _ms(period.since), _ms(period.until)
        size = self._ledger.size
        self._top = size if period.before is None else min(size, period.before)
        if self._until is not None:
            latest = self._until + _ms_of(CLOCK_SET_BACK)
            self._top = min(self._top, self._ledger.place_of(latest + 1))
        self.after: int | None = None
        """Where to go on below what was read so far; None if nothing of the period is there."""

    def readings(self) -> Iterator[Reading]:
        """Yield the entries of the period, the newest first."""
        end = max(0, self._top - SCANNED)
        for reading in self._ledger.newest_first(self._top, end):
            if self._since is not None and reading.at_ms + _ms_of(CLOCK_SET_BACK) < self._since:
                self.after = None
                return
            self.after = reading.index or None
            if self._holds(reading.at_ms):
                yield reading

    def _holds(self, at_ms: int) -> bool:
        since, until = self._since, self._until
        return (since is None or since <= at_ms) and (until is None or at_ms <= until)


def _fits(reading: Reading, asked: Filter) -> bool:
    wanted = (
        (asked.operator, reading.operator),
        (asked.person, reading.person or named(reading)),
        (asked.terminal, reading.terminal),
        (asked.office, reading.office),
        (asked.function, reading.operation.partition("/")[0]),
        (asked.operation, reading.operation),
        (asked.purpose, reading.purpose),
        (asked.reason, reading.reason),
        (asked.case, reading.case_number),
        (asked.result, reading.result.name.lower()),
        (asked.refusal, reading.refusal),
        (asked.request_id, reading.request_id),
    )
    return all(value is None or value == found for value, found in wanted)


def _contractors(case: Case) -> frozenset[str]:
    """Return the 照合ID of everybody who is of the 委託先 or was, suspended or not.

    By what the roster says today alone, whoever keeps it could take what they did out of sight.
    """
    return frozenset(
        person.person_id
        for person in case.roster.persons()
        if any(each.contractor for each in case.roster.person_history(person.person_id))
    )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else _ms_of(moment - _EPOCH)


def _ms_of(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
