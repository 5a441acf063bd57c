"""機構への通知: every change is told to the national server (R25 to R27, 住民基本台帳法30条の7).

A change puts one message in the outbox, in the unit of work that makes the change. The message
names the version it tells of; its eight items are opened when it is delivered, no sooner. The
outbox is a gapless numbered feed: the appliance's courier delivers it in order and at least once
(``appliance/machine/courier.py``), and the national server can read it again from any number.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from msgspec import Meta, convert

from appliance.plugin_api import (
    PROVIDED,
    Answer,
    AnyOperation,
    Arguments,
    Case,
    Change,
    Dispatch,
    ItemName,
    Message,
    NotPermitted,
    Operation,
    OperationName,
    Value,
    hookimpl,
)

DESTINATION = "national"
KIND = "update"
RECORDED_AT = ItemName("recorded_at")

Number = Annotated[int, Meta(ge=0)]


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


class Acknowledge(Arguments, frozen=True, kw_only=True):
    """Up to which number the national server has everything."""

    through: Number


class Acknowledged(Answer, frozen=True, kw_only=True):
    """Up to which number it has said so by now."""

    acknowledged: int


class Outbox(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class OutboxState(Answer, frozen=True, kw_only=True):
    """How much waits, and for how long (seconds)."""

    depth: int
    last: int
    acknowledged: int
    oldest_at: datetime | None
    oldest_age: int | None


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
    """Remember what was heard; never goes back."""
    case.outgoing.acknowledge(DESTINATION, asked.through)
    return Acknowledged(acknowledged=case.outgoing.acknowledged(DESTINATION))


def outbox(case: Case, asked: Outbox) -> OutboxState:
    """Say how far the national server is behind."""
    acknowledged = case.outgoing.acknowledged(DESTINATION)
    last = case.outgoing.last(DESTINATION)
    noted = case.outgoing.note(DESTINATION, acknowledged + 1) or {}
    at = datetime.fromisoformat(noted["at"]) if "at" in noted else None
    return OutboxState(
        depth=last - acknowledged,
        last=last,
        acknowledged=acknowledged,
        oldest_at=at,
        oldest_age=None if at is None else max(0, int((case.request.now - at).total_seconds())),
    )


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
    purposed=False,
    uses=frozenset({"outgoing"}),
    records=Feed.__struct_fields__,
)
ACKNOWLEDGE = Operation(
    name=OperationName("relay/acknowledge"),
    summary="Remember up to which message the national server has everything.",
    asks=Acknowledge,
    answers=Acknowledged,
    handler=acknowledge,
    changes=True,
    purposed=False,
    uses=frozenset({"outgoing"}),
    records=Acknowledge.__struct_fields__,
)
OUTBOX = Operation(
    name=OperationName("relay/outbox"),
    summary="Say how many messages wait for the national server, and since when.",
    asks=Outbox,
    answers=OutboxState,
    handler=outbox,
    purposed=False,
    uses=frozenset({"outgoing"}),
)


@hookimpl
def operations() -> list[AnyOperation]:
    return [FEED, ACKNOWLEDGE, OUTBOX]


@hookimpl
def messages(change: Change) -> Iterable[Message]:
    # When it was noted lies beside the message, so that its age is known without opening items.
    at = change.after.get(RECORDED_AT)
    return [Message(DESTINATION, KIND, {"at": str(at)} if at else {})]
