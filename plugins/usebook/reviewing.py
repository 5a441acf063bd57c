"""Matching a month of an office with the ledger, and looking into what does not come out."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    Conflict,
    NotFound,
    NotPermitted,
    Operation,
    OperationName,
    Problem,
    Rejected,
    ShortText,
)
from plugins.usebook.book import (
    Book,
    Finding,
    Mark,
    Matched,
    Month,
    MonthText,
    Signed,
    first_day,
    stands_for,
)
from plugins.usebook.entering import own_office, readable_office, who
from plugins.usebook.held import Found, held_against, uses_around

TOLERANCE = 15
"""Minutes by which the times of a book may be off, unless a matching says otherwise."""

Minutes = Annotated[int, Meta(ge=0, le=240)]
FindingText = Annotated[
    str,
    Meta(
        min_length=5,
        max_length=64,
        pattern="^(use|line)-[0-9]{1,12}(-line-[0-9]{1,6})?$",
        description="the id of a finding",
    ),
]


class Match(Arguments, frozen=True, kw_only=True):
    """Which month of one's office, and by how many minutes its times may be off."""

    month: MonthText
    tolerance: Minutes = TOLERANCE


class Leftovers(Arguments, frozen=True, kw_only=True):
    """Of which month, of which office: one's own if it is left out."""

    month: MonthText
    office: ShortText | None = None
    marked: Literal["all", "no", "yes"] = "all"


class MarkFinding(Arguments, frozen=True, kw_only=True):
    """Which finding, and why it is as it is."""

    month: MonthText
    finding: FindingText
    reason: ShortText


class Shown(Answer, frozen=True, kw_only=True):
    """A finding, and the mark that stands for it."""

    finding: Finding
    mark: Mark | None


class MonthFigures(Answer, frozen=True, kw_only=True):
    """How a month of an office stands, in numbers."""

    office: str
    month: str
    state: Literal["open", "signed-off"]
    lines: int
    """Written in the book, struck out ones included."""
    matched: Matched | None
    changed_since: bool
    """The book was written in after it was matched."""
    marked: int
    unmarked: int
    signed: Signed | None
    reopened: int
    """How often it was opened again."""


class AllLeftovers(Answer, frozen=True, kw_only=True):
    """What the last matching left, in the order of time."""

    office: str
    month: str
    matched_at: datetime | None
    leftovers: tuple[Shown, ...]


class Marked(Answer, frozen=True, kw_only=True):
    """How many findings still have no mark."""

    unmarked: int


def look(case: Case, asked: Match) -> Found:
    """Read ledger and book, and match them; off the writer.

    Raises:
        Rejected: the month has not begun.
    """
    office, month = own_office(case), asked.month
    if first_day(month) > case.request.today:
        told = "まだ来ていない月です。"
        raise Rejected("the month has not begun", [Problem("U-18", "month", told)])
    there = uses_around(case, month, asked.tolerance)
    return held_against(case, office, month, there.get(office, ()), asked.tolerance)


def keep(case: Case, asked: Match) -> MonthFigures:
    """Keep what was found.

    Raises:
        Conflict: the month is closed, or the book was written in meanwhile.
    """
    found: Found = case.prepared
    book, office = Book(case.papers), own_office(case)
    month = book.month(office, asked.month)
    if month.signed is not None:
        raise Conflict("the month is signed off")
    if month.changed != found.matched.changed:
        raise Conflict("the book was written in meanwhile; match again")
    store(book, month, found)
    case.note.result = _in_words(found.matched)
    return figures_of(book, book.month(office, asked.month))


def leftovers(case: Case, asked: Leftovers) -> AllLeftovers:
    """Show what does not come out.

    Raises:
        NotPermitted: it is the book of another office.
    """
    book, office = Book(case.papers), readable_office(case, asked.office)
    shown = list(with_marks(book, office, asked.month))
    if asked.marked != "all":
        shown = [each for each in shown if (each.mark is not None) == (asked.marked == "yes")]
    case.note.hits = len(shown)
    matched = book.month(office, asked.month).matched
    return AllLeftovers(
        office=office,
        month=asked.month,
        matched_at=None if matched is None else matched.at,
        leftovers=tuple(shown),
    )


def mark(case: Case, asked: MarkFinding) -> Marked:
    """Say why a finding is as it is; whatever was said before stays on record.

    Raises:
        NotFound: the last matching found no such thing.
        NotPermitted: it is about one's own use, or a line one wrote oneself.
        Conflict: the month is closed.
    """
    book, office = Book(case.papers), own_office(case)
    if book.month(office, asked.month).signed is not None:
        raise Conflict("the month is signed off")
    findings = {each.id: each for each in book.findings(office, asked.month)}
    if (finding := findings.get(asked.finding)) is None:
        raise NotFound("the last matching of this month found no such thing")
    by = who(case)
    if {*finding.people, *_writers(book, office, asked.month, finding)} & set(by.values()):
        raise NotPermitted("nobody marks what came of a use or a line of his own")
    said = Mark(reason=asked.reason, by=by, at=case.request.now, what=stands_for(finding))
    book.put_mark(office, asked.month, finding.id, said)
    return Marked(unmarked=unmarked(book, office, asked.month))


def _writers(book: Book, office: str, month: str, finding: Finding) -> Iterator[str]:
    """Yield everybody who ever wrote in the lines of a finding: a correction takes nobody out."""
    for number in finding.lines:
        # The line of a pair may stand in the month beside this one.
        with suppress(NotFound):
            for state in book.history(office, month, number):
                yield from state.by.values()


def with_marks(book: Book, office: str, month: str) -> Iterator[Shown]:
    """Yield the findings of a month, each with the mark that stands for it as it is now."""
    marks = book.marks(office, month)
    for finding in book.findings(office, month):
        said = marks.get(finding.id)
        holds = said is not None and list(said.what) == list(stands_for(finding))
        yield Shown(finding=finding, mark=said if holds else None)


def unmarked(book: Book, office: str, month: str) -> int:
    """Return how many findings of a month nobody has given a reason for."""
    return sum(each.mark is None for each in with_marks(book, office, month))


def figures_of(book: Book, month: Month) -> MonthFigures:
    """Return how a month stands."""
    marks = [each.mark for each in with_marks(book, month.office, month.month)]
    return MonthFigures(
        office=month.office,
        month=month.month,
        state="open" if month.signed is None else "signed-off",
        lines=month.lines,
        matched=month.matched,
        changed_since=month.matched is not None and month.matched.changed != month.changed,
        marked=sum(mark is not None for mark in marks),
        unmarked=sum(mark is None for mark in marks),
        signed=month.signed,
        reopened=len(month.reopened),
    )


def store(book: Book, month: Month, found: Found) -> None:
    """Write what was found in a month."""
    book.put_month(msgspec.structs.replace(month, matched=found.matched))
    book.put_findings(month.office, month.month, found.findings)


def _in_words(matched: Matched) -> str:
    return (
        f"{matched.uses} uses, {matched.lines} lines: {matched.unrecorded} unrecorded, "
        f"{matched.unfounded} unfounded, {matched.differing} differing"
    )


MATCH = Operation(
    name=OperationName("usebook/match"),
    summary="Match a month of the usage book of one's office with the ledger.",
    asks=Match,
    answers=MonthFigures,
    handler=keep,
    prepare=look,
    changes=True,
    purposed=False,
    uses=frozenset({"ledger"}),
    records=Match.__struct_fields__,
)
LEFTOVERS = Operation(
    name=OperationName("usebook/leftovers"),
    summary="Show what the last matching of a month left, with reasons and marks.",
    asks=Leftovers,
    answers=AllLeftovers,
    handler=leftovers,
    purposed=False,
    records=Leftovers.__struct_fields__,
)
MARK = Operation(
    name=OperationName("usebook/mark"),
    summary="Say why something that does not come out is as it is.",
    asks=MarkFinding,
    answers=Marked,
    handler=mark,
    changes=True,
    purposed=False,
    records=MarkFinding.__struct_fields__,
)
