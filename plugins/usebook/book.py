"""The book itself: its lines, its months, and what the matching left in each.

Papers::

    lines     <office>/<month>/<number>     every revision stays: corrections keep what was before
    months    <office>/<month>              how the month stands; every revision stays
    findings  <office>/<month>              what the last matching found
    marks     <office>/<month>/<finding>    why a finding is as it is; every revision stays
    open      open                          which months of which offices are not signed off

Keys hold a digest of the office's name, of fixed length, so that no office's name can be the
beginning of another's.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from appliance.plugin_api import NotFound, Papers
from plugins.usebook.matching import Kind

LINES, MONTHS, FINDINGS, MARKS, OPEN = "lines", "months", "findings", "marks", "open"

MonthText = Annotated[
    str,
    Meta(min_length=7, max_length=7, pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$", description="YYYY-MM"),
]
ClockText = Annotated[
    str,
    Meta(
        min_length=5,
        max_length=5,
        pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="HH:MM",
    ),
]
Count = Annotated[int, Meta(ge=0, le=100_000)]
IdText = Annotated[str, Meta(min_length=1, max_length=64, description="text of 1 to 64 characters")]
NoteText = Annotated[str, Meta(max_length=200, description="text of 200 or less characters")]


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What an office wrote in one line."""

    day: date
    begins: ClockText
    ends: ClockText | None = None
    operator: IdText
    case: IdText | None = None
    """使用簿番号"""
    purpose: IdText
    reason: IdText
    count: Count
    note: NoteText = ""

    @property
    def month(self) -> str:
        """In which month it stands."""
        return month_of(self.day)


class BookLine(Written, frozen=True, kw_only=True):
    """A line as it stands in the book."""

    number: int
    by: dict[str, str]
    """Who entered or last changed it."""
    at: datetime
    why: str = ""
    """Of a correction."""
    struck: bool = False
    """It does not count; what it said can still be read."""


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """What the last matching of a month came to."""

    at: datetime
    tolerance: int
    """Minutes"""
    changed: int
    """How often the month had been written in."""
    entries: int
    """How long the ledger was."""
    uses: int
    requests: int
    lines: int
    matched: int
    """Uses that have their line, or their share of one."""
    unrecorded: int
    unfounded: int
    differing: int
    people: tuple[str, ...]
    """照合ID of everybody who used the system."""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers for a month."""

    by: dict[str, str]
    at: datetime
    own_uses: bool
    """He used the system in that month himself, and the office had nobody else."""


class Reopened(msgspec.Struct, frozen=True, kw_only=True):
    """Who opened a month again, and why."""

    by: dict[str, str]
    at: datetime
    why: str
    signed: Signed


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """A month of an office."""

    office: str
    month: str
    lines: int = 0
    """Number of the last line."""
    changed: int = 0
    """How often it was written in."""
    edges: tuple[int, ...] = ()
    """Lines of its first and its last day: the months beside it are matched with them."""
    matched: Matched | None = None
    signed: Signed | None = None
    reopened: tuple[Reopened, ...] = ()


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that does not come out."""

    id: str
    kind: Kind
    uses: tuple[int, ...]
    """Numbers of the first entries in the ledger."""
    lines: tuple[int, ...]
    differs: tuple[str, ...]
    """In what the two sides disagree, or the nearest one does."""
    nearest: int | None = None
    taken: bool = False
    at: datetime
    """When the use began, or the line says so."""
    people: tuple[str, ...]
    """照合ID and 操作者ID of whose uses and lines these are."""
    text: str


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Why a finding is as it is, in the words of whoever looked into it."""

    reason: str
    by: dict[str, str]
    at: datetime
    what: tuple[Any, ...]
    """What was marked: if the finding changes, the mark does not stand for it."""


class Book:
    """The papers of one request."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers

    def month(self, office: str, month: str) -> Month:
        """Return how a month stands; one that nobody wrote in is empty and open."""
        found = self._papers.get(MONTHS, _month_key(office, month))
        if found is None:
            return Month(office=office, month=month)
        return msgspec.convert(found, Month)

    def months(self, office: str | None) -> Iterator[Month]:
        """Yield every month there is of an office, or of all, in the order of months."""
        prefix = "" if office is None else f"{_office_key(office)}/"
        found = (msgspec.convert(body, Month) for _, body in self._papers.every(MONTHS, prefix))
        yield from sorted(found, key=lambda each: (each.month, each.office))

    def put_month(self, month: Month) -> None:
        """Write how a month stands, and whether it is still open."""
        self._papers.put(MONTHS, _month_key(month.office, month.month), msgspec.to_builtins(month))
        listed = (month.month, month.office)
        before = self.open_months()
        # A month in which nothing was done need not be signed off.
        is_open = month.signed is None and (month.lines or (month.matched and month.matched.uses))
        after = sorted({*before, listed} if is_open else {*before} - {listed})
        if after != before:
            self._papers.replace(OPEN, OPEN, {"months": [list(each) for each in after]})

    def open_months(self) -> list[tuple[str, str]]:
        """Return months and offices that are not signed off, in order."""
        return open_months(self._papers)

    def lines(self, office: str, month: str) -> list[BookLine]:
        """Return the lines of a month as they stand now."""
        kept = self._papers.every(LINES, f"{_month_key(office, month)}/")
        return [msgspec.convert(body, BookLine) for _, body in kept]

    def edge_lines(self, office: str, month: str) -> list[BookLine]:
        """Return the lines of the first and the last day of a month; no others are opened."""
        keys = (_line_key(office, month, each) for each in self.month(office, month).edges)
        kept = (self._papers.get(LINES, key) for key in keys)
        return [msgspec.convert(body, BookLine) for body in kept if body is not None]

    def history(self, office: str, month: str, number: int) -> list[BookLine]:
        """Return a line in all its states, the first one first.

        Raises:
            NotFound: there is no such line.
        """
        kept = self._papers.revisions(LINES, _line_key(office, month, number))
        states = [msgspec.convert(body, BookLine) for body in kept]
        if not states:
            raise NotFound("the book has no line of this number in this month")
        return states

    def put_line(self, office: str, line: BookLine) -> None:
        """Write a line; how it stood before is kept."""
        key = _line_key(office, line.month, line.number)
        self._papers.put(LINES, key, msgspec.to_builtins(line))

    def findings(self, office: str, month: str) -> list[Finding]:
        """Return what the last matching of a month found."""
        found = self._papers.get(FINDINGS, _month_key(office, month))
        return [] if found is None else msgspec.convert(found["findings"], list[Finding])

    def put_findings(self, office: str, month: str, findings: Sequence[Finding]) -> None:
        """Write what a matching found, if it is something else than before."""
        if list(findings) != self.findings(office, month):
            body = {"findings": msgspec.to_builtins(findings)}
            self._papers.put(FINDINGS, _month_key(office, month), body)

    def marks(self, office: str, month: str) -> dict[str, Mark]:
        """Return the marks of a month by finding, those of the past too."""
        prefix = f"{_month_key(office, month)}/"
        kept = self._papers.every(MARKS, prefix)
        return {key.removeprefix(prefix): msgspec.convert(body, Mark) for key, body in kept}

    def put_mark(self, office: str, month: str, finding: str, mark: Mark) -> None:
        """Write a mark; the one before is kept."""
        key = f"{_month_key(office, month)}/{finding}"
        self._papers.put(MARKS, key, msgspec.to_builtins(mark))


def open_months(papers: Papers) -> list[tuple[str, str]]:
    """Return months and offices that are not signed off, in order."""
    kept = papers.get(OPEN, OPEN)
    return [] if kept is None else [(month, office) for month, office in kept["months"]]


def written(month: Month, line: BookLine) -> Month:
    """Return how a month stands once a line was written in it, a new one or one corrected."""
    at_an_edge = line.day in (first_day(month.month), last_day(month.month))
    edges = {*month.edges, line.number} if at_an_edge else set(month.edges)
    return msgspec.structs.replace(
        month, lines=max(month.lines, line.number), edges=tuple(sorted(edges))
    )


def stands_for(finding: Finding) -> tuple[Any, ...]:
    """Return what a mark is about, so that it does not stand for something else later."""
    return (finding.kind, list(finding.uses), list(finding.lines), list(finding.differs))


def month_of(day: date) -> str:
    """Return the month of a day."""
    return f"{day:%Y-%m}"


def first_day(month: str) -> date:
    """Return the first day of a month."""
    return date.fromisoformat(f"{month}-01")


def last_day(month: str) -> date:
    """Return the last day of a month."""
    return first_day(month_after(month)) - timedelta(days=1)


def month_after(month: str) -> str:
    """Return the month that follows."""
    return month_of(first_day(month) + timedelta(days=31))


def month_before(month: str) -> str:
    """Return the month that comes before."""
    return month_of(first_day(month) - timedelta(days=1))


def _office_key(office: str) -> str:
    return sha256(office.encode()).hexdigest()[:16]


def _month_key(office: str, month: str) -> str:
    return f"{_office_key(office)}/{month}"


def _line_key(office: str, month: str, number: int) -> str:
    return f"{_month_key(office, month)}/{number:06}"
