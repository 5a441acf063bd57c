"""The clocks of an entry: by when something must be done; and how long it is kept."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from plugins.compliance.book import Book, Clock

MARCH = 3


def running(book: Book, entry: Mapping[str, Any]) -> Iterator[tuple[Clock, date]]:
    """Yield each clock of an entry that runs, and the last day on which it can be stopped in time.

    The day from which a clock runs is its first: of five days from the 1st the last is the 5th. No
    holiday makes it longer.
    """
    if entry["state"] in book.ends:
        return
    fields: Mapping[str, Any] = entry["fields"]
    days = {step["step"]: step["on"] for step in entry["steps"]}
    for clock in book.clocks:
        since = fields.get(clock.since) or days.get(clock.since)
        if since is not None and _applies(clock, entry) and not days.keys() & set(clock.until):
            yield clock, date.fromisoformat(since) + timedelta(days=clock.days - 1)


def fiscal_year(day: date) -> int:
    """Return the 年度 of a day: the year in whose April it began."""
    return day.year - (day.month <= MARCH)


def kept_until(book: Book, ended: date) -> date:
    """Return the last day on which an entry is kept: whole fiscal years after that it ended in."""
    return date(fiscal_year(ended) + 1 + book.kept_years, MARCH, 31)


def _applies(clock: Clock, entry: Mapping[str, Any]) -> bool:
    fields: Mapping[str, Any] = entry["fields"]
    conditions = (clock.when or {}).items()
    fits = all(fields.get(name) in values for name, values in conditions)
    return fits and (not clock.states or entry["state"] in clock.states)
