"""機構からの誤り通報 (住民基本台帳法30条の8, R190), and what staff do with the cases (``book.py``).

``relay/report-error`` is for the national server. ``relay/cases`` lists without saying who it is;
``relay/case`` shows the person too, within rights and 事務. A case ends when the national server
has taken a newer version of the record, or by hand.
"""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Literal

from msgspec import Meta

from appliance.plugin_api import (
    PROVIDED,
    Answer,
    AnyOperation,
    Arguments,
    Case,
    Conflict,
    ItemName,
    Items,
    NotFound,
    Operation,
    OperationName,
    PersonId,
    ResidentCodeText,
    ShortText,
    Told,
    told,
)
from plugins.national_relay.book import Book, age

NOTICES = "notices"

Number = Annotated[int, Meta(ge=1)]
NoticeText = Annotated[
    str, Meta(max_length=32, pattern="^[A-Za-z0-9-]{1,32}$", description="1 to 32 of A-Z a-z 0-9 -")
]
Doubted = Literal[
    "name", "birth_date", "sex", "address", "my_number", "reason", "effective_date", "resident_code"
]
Finding = Literal["differs", "impossible", "duplicate", "other"]


class ReportError(Arguments, frozen=True, kw_only=True):
    """The notice's number at 機構, about whom, which of the eight items, and what is wrong."""

    notice: NoticeText
    resident_code: ResidentCodeText
    items: Annotated[tuple[Doubted, ...], Meta(min_length=1, max_length=len(PROVIDED))]
    finding: Finding


class Reported(Answer, frozen=True, kw_only=True):
    """The number of the case, and whether the notice was known already."""

    case: int
    known: bool


class Cases(Arguments, frozen=True, kw_only=True):
    """Open ones or all, numbered above ``after``."""

    state: Literal["open", "all"] = "open"
    after: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class Entered(Answer, frozen=True, kw_only=True):
    """One case; nothing of it says who it is."""

    number: int
    kind: str
    state: str
    at: datetime
    age: int
    """Seconds from its beginning to its end, or until now."""
    municipality_code: str
    items: tuple[str, ...]
    finding: str
    notice: str
    message: int | None
    """Of a refused message: its number in the feed."""
    again: int | None
    """The number under which it was sent again."""
    ended_at: datetime | None
    reason: str | None
    closed_by: str | None


class CaseList(Answer, frozen=True, kw_only=True):
    """Cases by number."""

    cases: tuple[Entered, ...]


class Look(Arguments, frozen=True, kw_only=True):
    """Which case, and which items of the person."""

    number: Number
    items: Items


class Looked(Answer, frozen=True, kw_only=True):
    """A case in all its states, the first one first, and the person as recorded now."""

    states: tuple[Entered, ...]
    resident: Told
    withheld: tuple[str, ...]


class Close(Arguments, frozen=True, kw_only=True):
    """Which case, and why nothing has to be corrected."""

    number: Number
    reason: Annotated[ShortText, Meta(title="理由")]


class SendAgain(Arguments, frozen=True, kw_only=True):
    """Which case of a refused message."""

    number: Number


class Sent(Answer, frozen=True, kw_only=True):
    """The number of the new message in the feed."""

    message: int


def report_error(case: Case, asked: ReportError) -> Reported:
    """Open a case and pass it on to the municipality; the same notice again changes nothing.

    Raises:
        NotFound: there is nobody with this 住民票コード here.
        Conflict: the number of the notice was used for something else.
    """
    person = case.registry.by_code(asked.resident_code)
    if person is None:
        raise NotFound("there is nobody with this resident_code here")
    case.registry.concerns(person)
    same = {"person": person, "items": list(asked.items), "finding": asked.finding}
    known = case.papers.get(NOTICES, asked.notice)
    if known is not None:
        if any(known[key] != value for key, value in same.items()):
            raise Conflict("this number of a notice was used for something else")
        return Reported(case=known["case"], known=True)
    number = Book(case).report(person, asked.items, asked.finding, asked.notice)
    case.papers.put(NOTICES, asked.notice, {**same, "case": number})
    case.note.result = f"case {number}"
    return Reported(case=number, known=False)


def cases(case: Case, asked: Cases) -> CaseList:
    """List cases."""
    book = Book(case)
    if asked.state == "open":
        numbers = (each.number for each in book.open() if each.number > asked.after)
    else:
        numbers = (number for number in range(asked.after + 1, book.last + 1))
    now = case.request.now
    listed = (_entered(number, book.get(number), now) for number in islice(numbers, asked.limit))
    return CaseList(cases=tuple(listed))


def look(case: Case, asked: Look) -> Looked:
    """Show a case with the person.

    Raises:
        NotFound: there is no such case.
        NotPermitted: an item is beyond the grant.
    """
    items = [ItemName(item) for item in asked.items]
    case.registry.require(items)
    states = Book(case).history(asked.number)
    if not states:
        raise NotFound("the register has no entry of this number")
    resident = case.registry.read(PersonId(states[0]["person"]), items)
    return Looked(
        states=tuple(_entered(asked.number, state, case.request.now) for state in states),
        resident=told(resident),
        withheld=resident.withheld,
    )


def close(case: Case, asked: Close) -> Entered:
    """Close a case by hand.

    Raises:
        NotFound: there is no such case.
        Conflict: it is not open.
    """
    return _entered(asked.number, Book(case).close(asked.number, asked.reason), case.request.now)


def send_again(case: Case, asked: SendAgain) -> Sent:
    """Tell the national server anew what it refused, as the record stands now.

    Raises:
        NotFound: there is no such case.
        Conflict: it is not open, or not of a refused message.
    """
    return Sent(message=Book(case).send_again(asked.number))


def _entered(number: int, entry: Mapping[str, Any], now: datetime) -> Entered:
    ended = entry.get("ended_at")
    return Entered(
        number=number,
        kind=entry["kind"],
        state=entry["state"],
        at=datetime.fromisoformat(entry["at"]),
        age=age(dict(entry), now),
        municipality_code=entry["municipality_code"],
        items=tuple(entry["items"]),
        finding=entry["finding"],
        notice=entry["notice"],
        message=entry["message"],
        again=entry.get("again"),
        ended_at=None if ended is None else datetime.fromisoformat(ended),
        reason=entry.get("reason"),
        closed_by=entry.get("closed_by"),
    )


REPORT_ERROR = Operation(
    name=OperationName("relay/report-error"),
    summary="Take the national server's notice that an item of somebody's record is wrong.",
    asks=ReportError,
    answers=Reported,
    handler=report_error,
    uses=frozenset({"outgoing"}),
    changes=True,
    purposed=False,
    records=ReportError.__struct_fields__,
)
CASES = Operation(
    name=OperationName("relay/cases"),
    summary="List what the national server reports as wrong or refuses, without saying of whom.",
    asks=Cases,
    answers=CaseList,
    handler=cases,
    purposed=False,
    records=Cases.__struct_fields__,
)
CASE = Operation(
    name=OperationName("relay/case"),
    summary="Show one case in all its states, with items of the person.",
    asks=Look,
    answers=Looked,
    handler=look,
    records=Look.__struct_fields__,
)
CLOSE = Operation(
    name=OperationName("relay/close-case"),
    summary="Close a case because nothing has to be corrected.",
    asks=Close,
    answers=Entered,
    handler=close,
    changes=True,
    purposed=False,
    records=Close.__struct_fields__,
)
SEND_AGAIN = Operation(
    name=OperationName("relay/send-again"),
    summary="Tell the national server anew what it refused, as the record stands now.",
    asks=SendAgain,
    answers=Sent,
    handler=send_again,
    uses=frozenset({"outgoing"}),
    changes=True,
    purposed=False,
    records=SendAgain.__struct_fields__,
)
OPERATIONS: list[AnyOperation] = [REPORT_ERROR, CASES, CASE, CLOSE, SEND_AGAIN]
