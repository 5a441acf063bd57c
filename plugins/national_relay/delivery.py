"""Every change is told to the national server (R25 to R27, 住民基本台帳法30条の7).

A change puts one message in the outbox, in the unit of work that makes the change. The message
names the version it tells of; its eight items are opened when it is delivered, no sooner. The
outbox is a gapless numbered feed: the courier delivers it in order and at least once, and the
national server can read it again from any number.

A message that the national server refuses by a rule of its own would be refused again for ever. As
every message tells all eight items, the next one about the same person makes it good: so it is set
aside as a case (``cases.py``), its municipality is asked to correct the record, and the feed goes
on. When too many are open, it is no matter of single messages, and the feed stops.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, convert

from appliance.plugin_api import (
    PROVIDED,
    Answer,
    AnyOperation,
    Arguments,
    Case,
    Conflict,
    Dispatch,
    Malformed,
    NotPermitted,
    Operation,
    OperationName,
    Value,
)
from plugins.national_relay.book import DESTINATION, Book

MOST_REFUSED = 100
"""Open cases of refused messages; with more the feed stops until somebody has seen to them."""

Number = Annotated[int, Meta(ge=0)]
RuleText = Annotated[
    str, Meta(max_length=16, pattern="^[A-Za-z0-9-]{1,16}$", description="1 to 16 of A-Z a-z 0-9 -")
]


class Feed(Arguments, frozen=True, kw_only=True):
    """Messages above which number (left out: above the acknowledged one), and how many."""

    after: Number | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class Notification(Answer, frozen=True, kw_only=True):
    """One message: its number in the feed, and exactly the eight items (R27)."""

    number: int
    kind: str
    resident_code: str
    name: str
    birth_date: str
    sex: str
    address: str
    my_number: str | None
    reason: str
    effective_date: str


class Fed(Answer, frozen=True, kw_only=True):
    """Messages in order; up to which number there are any, and up to which they are heard."""

    messages: tuple[Notification, ...]
    last: int
    acknowledged: int


class Refused(Arguments, frozen=True, kw_only=True):
    """A message the national server will never take, and the number of its rule."""

    number: Number
    rule: RuleText


class Acknowledge(Arguments, frozen=True, kw_only=True):
    """Up to which number the national server has heard everything, and what it refused of it."""

    through: Number
    refused: Annotated[tuple[Refused, ...], Meta(max_length=1000)] = ()


class Acknowledged(Answer, frozen=True, kw_only=True):
    """Up to which number it has said so by now; the cases opened and the cases answered by it."""

    acknowledged: int
    opened: tuple[int, ...] = ()
    answered: tuple[int, ...] = ()


class Outbox(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class OutboxState(Answer, frozen=True, kw_only=True):
    """How much waits, for how long (seconds), what is set aside, and whether delivery is paused."""

    depth: int
    last: int
    acknowledged: int
    oldest_at: datetime | None
    oldest_age: int | None
    refused: int
    """Messages set aside, not yet made good."""
    paused_until: datetime | None


def feed(case: Case, asked: Feed) -> Fed:
    """Tell messages, in order.

    Raises:
        NotPermitted: an item is withheld; what cannot be told whole is not told.
    """
    acknowledged = case.outgoing.acknowledged(DESTINATION)
    after = acknowledged if asked.after is None else asked.after
    dispatches = case.outgoing.after(DESTINATION, after, asked.limit, PROVIDED)
    case.note.hits = len(dispatches)
    return Fed(
        messages=tuple(map(_notification, dispatches)),
        last=case.outgoing.last(DESTINATION),
        acknowledged=acknowledged,
    )


def acknowledge(case: Case, asked: Acknowledge) -> Acknowledged:
    """Remember what was heard, never going back; open and answer the cases that follow from it.

    Raises:
        Conflict: it has not been sent, or too many refused messages are open.
        Malformed: a refused message is not among those acknowledged now.
    """
    before = case.outgoing.acknowledged(DESTINATION)
    case.outgoing.acknowledge(DESTINATION, asked.through)
    opened, answered = _follow(case, before, asked)
    return Acknowledged(
        acknowledged=case.outgoing.acknowledged(DESTINATION), opened=opened, answered=answered
    )


def outbox(case: Case, asked: Outbox) -> OutboxState:
    """Say how far the national server is behind."""
    waiting = case.outgoing.backlog(DESTINATION)
    paused = case.national.paused if case.national else None
    return OutboxState(
        depth=waiting.depth,
        last=waiting.last,
        acknowledged=waiting.acknowledged,
        oldest_at=waiting.since,
        oldest_age=waiting.age(case.request.now),
        refused=Book(case).refused,
        paused_until=paused.until if paused else None,
    )


def _follow(case: Case, before: int, asked: Acknowledge) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the numbers of the cases opened, and of those answered."""
    book = Book(case)
    if not asked.refused and not book.has_open:
        return (), ()
    told = dict(case.outgoing.about(DESTINATION, before, asked.through))
    if not {each.number for each in asked.refused} <= told.keys():
        raise Malformed("refused: names a message that is not acknowledged now")
    opened = tuple(
        book.refuse(each.number, told.pop(each.number), each.rule) for each in asked.refused
    )
    if book.refused > MOST_REFUSED:
        raise Conflict(f"more than {MOST_REFUSED} refused messages are open; see to them first")
    return opened, book.answer(told)


def _notification(dispatch: Dispatch) -> Notification:
    if dispatch.withheld:
        raise NotPermitted("a plugin withholds an item that the law wants told; nothing is told")
    told: dict[str, Value] = {item: dispatch.values[item] for item in PROVIDED}
    return convert(told | {"number": dispatch.number, "kind": dispatch.kind}, Notification)


FEED = Operation(
    name=OperationName("relay/feed"),
    summary="Read the numbered feed of changes, from any number.",
    asks=Feed,
    answers=Fed,
    handler=feed,
    uses=frozenset({"outgoing"}),
    purposed=False,
    records=Feed.__struct_fields__,
)
ACKNOWLEDGE = Operation(
    name=OperationName("relay/acknowledge"),
    summary="Remember up to which message the national server has heard everything.",
    asks=Acknowledge,
    answers=Acknowledged,
    handler=acknowledge,
    uses=frozenset({"outgoing"}),
    changes=True,
    purposed=False,
    records=Acknowledge.__struct_fields__,
)
OUTBOX = Operation(
    name=OperationName("relay/outbox"),
    summary="Say how many messages wait for the national server, and since when.",
    asks=Outbox,
    answers=OutboxState,
    handler=outbox,
    uses=frozenset({"outgoing"}),
    purposed=False,
    blind=True,
)
OPERATIONS: list[AnyOperation] = [FEED, ACKNOWLEDGE, OUTBOX]
