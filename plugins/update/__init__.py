"""更新: take what the municipalities notify, and keep the file true (R23 to R40).

A 市町村CS sends notices, one or a batch of them. Each is judged by numbered rules and then applied,
held until a missing one comes, or refused with everything that is against it. A new version is
saved, the old one becomes history, and what must be told to the national server is put in the
outbox by whoever answers the ``messages`` hook, all in one unit of work.

Read it in this order::

    notice.py   what a notification says, and the record it becomes
    rules.py    the state machine of 異動事由 as one table: rules L-01 to L-19
    checks.py   what must hold of every notice, as one table: rules G-01 to G-12
    order.py    sequence numbers: what came twice, what is missing
    held.py     notices that wait for another one
    clashes.py  how often a sender has met what stands in another's record
    batch.py    all of it together, one notice after another
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from appliance.plugin_api import (
    Answer,
    AnyOperation,
    Arguments,
    Case,
    Operation,
    OperationName,
    Problem,
    hookimpl,
)
from plugins.update.batch import Batch, sender_in
from plugins.update.held import Waiting
from plugins.update.notice import Notice
from plugins.update.order import Receipts

MOST_NOTICES = 1000
MOST_MISSING = 100


class Notify(Arguments, frozen=True, kw_only=True):
    """A batch of notices."""

    notifications: Annotated[list[Notice], msgspec.Meta(max_length=MOST_NOTICES)]


class Result(Answer, frozen=True, kw_only=True):
    """What has become of one notice, and every rule that is against it."""

    sequence: int
    outcome: str
    problems: list[Problem]


class Notified(Answer, frozen=True, kw_only=True):
    """One result for each notice, in their order; ``missing`` should be sent again."""

    results: list[Result]
    missing: list[int]


class AskHeld(Arguments, frozen=True, kw_only=True):
    """From which sequence number on, and how many; the certificate says whose notices."""

    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000


class Waits(Answer, frozen=True, kw_only=True):
    """A notice that waits, since when and for what."""

    sequence: int
    since: str
    problems: list[Problem]


class HeldNotices(Answer, frozen=True, kw_only=True):
    """What waits and what is missing of the sender's notices, and how many wait in all."""

    held: list[Waits]
    count: int
    missing: list[int]
    last_sequence: int


def notify(case: Case, asked: Notify) -> Notified:
    """Take the notices one after another (R23, R24)."""
    batch = Batch(case)
    verdicts = [(notice.sequence, batch.take(notice)) for notice in asked.notifications]
    return Notified(
        results=[
            Result(sequence=sequence, outcome=verdict.outcome, problems=list(verdict.problems))
            for sequence, verdict in verdicts
        ],
        missing=batch.close(MOST_MISSING),
    )


def tell_held(case: Case, asked: AskHeld) -> HeldNotices:
    """Tell a municipality which of its notices wait, and for what."""
    sender = sender_in(case).code
    receipts = Receipts(case.papers, sender)
    waiting = Waiting(case.papers, case.registry.alias)
    return HeldNotices(
        held=[
            Waits(
                sequence=held.notice.sequence,
                since=held.since.isoformat(),
                problems=list(held.problems),
            )
            for held in waiting.of_sender(sender, asked.after, asked.limit)
        ],
        count=waiting.count(sender),
        missing=receipts.missing(MOST_MISSING),
        last_sequence=receipts.last,
    )


NOTIFY = Operation(
    name=OperationName("update/notify"),
    summary="Take notices of a municipality about its residents",
    asks=Notify,
    answers=Notified,
    handler=notify,
    changes=True,
    purposed=False,
    drops=("notifications",),
)
HELD = Operation(
    name=OperationName("update/held"),
    summary="Tell a municipality which of its notices wait, and which are missing",
    asks=AskHeld,
    answers=HeldNotices,
    handler=tell_held,
    purposed=False,
    records=("after", "limit"),
)


@hookimpl
def operations() -> Iterable[AnyOperation]:
    return (NOTIFY, HELD)
