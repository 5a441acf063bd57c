"""更新: take what the municipalities notify, and keep the file true (R23 to R40).

A 市町村CS sends notices, one or a batch of them. Each is judged by numbered rules and then applied,
held until a missing one comes, or refused with everything that is against it. A new version is
saved, the old one becomes history, and what must be told to the national server is put in the
outbox by whoever answers the ``messages`` hook, all in one unit of work.

Read it in this order::

    notice.py    what a notification says, and the record it becomes
    rules.py     the state machine of 異動事由 as one table: rules L-01 to L-34
    checks.py    what must hold of every notice, as one table: rules G-01 to G-12
    clashes.py   how often a sender has met what stands in another's record
    judging.py   all rules together, about one notice
    order.py     sequence numbers: what came twice, what is missing
    held.py      notices that wait for another one
    inbox.py     what the prefecture tells a municipality
    batch.py     all of it together, one notice after another
    receptions.py  what came from whom, in numbers, for the staff
    recovery.py  a municipality's full set after a loss of data
    firstload.py the same rules, for ``juki load``
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from appliance.plugin_api import (
    Alarm,
    Answer,
    AnyOperation,
    Arguments,
    Case,
    FirstLoad,
    Operation,
    OperationName,
    Power,
    Problem,
    Screen,
    Watch,
    hookimpl,
)
from plugins.update import inbox, recovery
from plugins.update.batch import Batch
from plugins.update.firstload import FIRST_LOAD
from plugins.update.held import WAITS_LONG, Waiting
from plugins.update.notice import Notice
from plugins.update.order import Receipts
from plugins.update.receptions import RECEPTIONS
from plugins.update.screens import SCREENS
from plugins.update.sender import sender_in

MOST_NOTICES = 1000
SENDING: frozenset[Power] = frozenset({"outgoing"})
MOST_MISSING = 100


class Notify(Arguments, frozen=True, kw_only=True):
    """A batch of notices."""

    notifications: Annotated[list[Notice], msgspec.Meta(max_length=MOST_NOTICES)]


class Result(Answer, frozen=True, kw_only=True):
    """What has become of one notice, and every rule that is against it."""

    sequence: int
    outcome: str
    problems: list[Problem]
    answers: list[int]
    """The numbers of the reports in the inbox that it answers (住民基本台帳法12条の5)."""


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
    age: int
    """Seconds."""
    problems: list[Problem]


class HeldNotices(Answer, frozen=True, kw_only=True):
    """What waits and what is missing of the sender's notices, and how many wait in all."""

    held: list[Waits]
    count: int
    oldest_age: int | None
    """Seconds that the oldest one of the page waits."""
    missing: list[int]
    last_sequence: int


class Withdraw(Arguments, frozen=True, kw_only=True):
    """Which of the sender's notices."""

    sequence: Annotated[int, msgspec.Meta(ge=1)]


class Withdrawn(Answer, frozen=True, kw_only=True):
    """Whether it was waiting; it no longer is."""

    withdrawn: bool


def notify(case: Case, asked: Notify) -> Notified:
    """Take the notices one after another (R23, R24)."""
    batch = Batch(case)
    verdicts = [(notice.sequence, batch.take(notice)) for notice in asked.notifications]
    batch.close()
    return Notified(
        results=[
            Result(
                sequence=sequence,
                outcome=verdict.outcome,
                problems=list(verdict.problems),
                answers=list(verdict.answers),
            )
            for sequence, verdict in verdicts
        ],
        missing=batch.receipts.missing(MOST_MISSING),
    )


def tell_held(case: Case, asked: AskHeld) -> HeldNotices:
    """Tell a municipality which of its notices wait, and for what."""
    sender = sender_in(case).code
    receipts = Receipts(case.papers, sender)
    waiting = Waiting(case.papers, case.registry.alias)
    page = [
        Waits(
            sequence=held.notice.sequence,
            since=held.since.isoformat(),
            age=int((case.request.now - held.since).total_seconds()),
            problems=list(held.problems),
        )
        for held in waiting.of_sender(sender, asked.after, asked.limit)
    ]
    return HeldNotices(
        held=page,
        count=waiting.count(sender),
        oldest_age=max((each.age for each in page), default=None),
        missing=receipts.missing(MOST_MISSING),
        last_sequence=receipts.last,
    )


def withdraw(case: Case, asked: Withdraw) -> Withdrawn:
    """Take back a notice that waits; its sequence number stays used."""
    batch = Batch(case)
    found = batch.withdraw(asked.sequence)
    batch.close()
    return Withdrawn(withdrawn=found)


NOTIFY = Operation(
    name=OperationName("update/notify"),
    summary="Take notices of a municipality about its residents",
    asks=Notify,
    answers=Notified,
    handler=notify,
    uses=SENDING,
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


WITHDRAW = Operation(
    name=OperationName("update/withdraw"),
    summary="Take back a notice that waits, because it was an error",
    asks=Withdraw,
    answers=Withdrawn,
    handler=withdraw,
    changes=True,
    purposed=False,
    records=("sequence",),
)
INBOX = Operation(
    name=OperationName("update/inbox"),
    summary="Read what the prefecture tells a municipality about its residents",
    asks=inbox.ReadInbox,
    answers=inbox.InboxRead,
    handler=inbox.read_inbox,
    uses=SENDING,
    purposed=False,
    records=inbox.ReadInbox.__struct_fields__,
)
ACKNOWLEDGE_INBOX = Operation(
    name=OperationName("update/acknowledge-inbox"),
    summary="Remember up to which message a municipality has its inbox",
    asks=inbox.AcknowledgeInbox,
    answers=inbox.InboxAcknowledged,
    handler=inbox.acknowledge_inbox,
    uses=SENDING,
    changes=True,
    purposed=False,
    records=inbox.AcknowledgeInbox.__struct_fields__,
)
RECOVER = Operation(
    name=OperationName("update/recover"),
    summary="Compare a municipality's full set with the file, and take over what is newer",
    asks=recovery.Recover,
    answers=recovery.Recovered,
    handler=recovery.recover,
    uses=SENDING,
    changes=True,
    purposed=False,
    records=("last_sequence",),
    drops=("records",),
)
OPEN_RECOVERY = Operation(
    name=OperationName("update/open-recovery"),
    summary="Let a municipality send its full set after a loss of data, until a day",
    asks=recovery.OpenRecovery,
    answers=recovery.RecoveryOpened,
    handler=recovery.open_recovery,
    changes=True,
    purposed=False,
    records=recovery.OpenRecovery.__struct_fields__,
)


@hookimpl
def operations() -> Iterable[AnyOperation]:
    return (NOTIFY, HELD, WITHDRAW, INBOX, ACKNOWLEDGE_INBOX, RECOVER, OPEN_RECOVERY, RECEPTIONS)


@hookimpl
def screens() -> list[Screen]:
    return SCREENS


@hookimpl
def first_loads() -> Iterable[FirstLoad]:
    return (FIRST_LOAD,)


@hookimpl
def alarms(watch: Watch) -> Iterable[Alarm]:
    since = Waiting(watch.papers, str).oldest()
    if since is None or watch.now - since <= WAITS_LONG:
        return ()
    text = "市区町村の通知が長く保留されています。update/heldの内容を市区町村に確認してください。"
    return (Alarm(name="update/held", text=text, since=since),)
