"""What the prefecture has to tell a municipality: the inbox of its CS.

Whoever finds something puts a message about a resident into the outbox for ``cs/市町村コード``; a
disclosure that was found wrong (住民基本台帳法12条の5), an error that the national server noticed
(30条の8), a difference between two files. The CS reads them in order and says up to which number it
has them. Nothing here changes a record: the answer to a report is a notice of the municipality,
like any other; what is said to the first one about that person names the report as answered.

Kinds that are ours::

    report     from other functions: what is told stands in the note
    awaited    another municipality has notified a 転入等 of this resident; the 転出 is missing
    refused    a notice that had been held was refused when its turn came

Papers::

    asked      ALIAS/431001/000…42    a report that the CS has, and that no notice has answered
    answered   431001/000…42          the sequence of the notice that did
    awaited    00000000007/432032     of whom a 転出 is waited for, and by which municipality
"""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    AreaText,
    Arguments,
    Case,
    Dispatch,
    ItemName,
    NotPermitted,
    PersonId,
    inbox_of,
)
from plugins.update.held import Held
from plugins.update.notice import RESIDENT_CODE, Notice
from plugins.update.sender import sender_in, sender_of
from plugins.update.verdict import Verdict

REPORT, AWAITED, REFUSED = "report", "awaited", "refused"
TEXT, AT = "text", "at"
MOVING_OUT_AWAITED = (
    "この人の転入等の通知が他の市区町村から届いています。転出を確認し、通知してください。"
)
MOST = 1000
_TOLD: tuple[ItemName, ...] = (RESIDENT_CODE,)

Number = Annotated[int, Meta(ge=0)]


class ReadInbox(Arguments, frozen=True, kw_only=True):
    """Messages above which number (left out: above what the CS has), and how many."""

    after: Number | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 100
    municipality_code: AreaText | None = None
    """Left out: the CS's own; of a 指定都市 a ward may be named."""


class InboxMessage(Answer, frozen=True, kw_only=True):
    """One message: about whom, of which kind, and what is told."""

    number: int
    kind: str
    resident_code: str
    note: dict[str, str]
    answered_by: int | None
    """The sequence of the notice that answered it."""


class InboxRead(Answer, frozen=True, kw_only=True):
    """Messages in order; up to which number there are any, and up to which the CS has them."""

    messages: list[InboxMessage]
    last: int
    acknowledged: int


class AcknowledgeInbox(Arguments, frozen=True, kw_only=True):
    """Up to which number the CS has everything."""

    through: Number
    municipality_code: AreaText | None = None


class InboxAcknowledged(Answer, frozen=True, kw_only=True):
    """Up to which number it has said so by now; at most 1,000 further with each request."""

    acknowledged: int


class Inbox:
    """Messages to municipalities about residents, and which of them were answered."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def moving_out_awaited(self, municipality_code: str, person: PersonId, sender: str) -> None:
        """Tell the municipality on record that its 転出 is waited for; once for each who waits."""
        key = f"{_awaited(person)}{sender}"
        if self._case.papers.get("awaited", key) is not None:
            return
        self._case.papers.put("awaited", key, {})
        self._send(municipality_code, AWAITED, person, {"rule": "L-01", TEXT: MOVING_OUT_AWAITED})

    def moved_out(self, person: PersonId) -> None:
        """Forget who waited for it: the next time it is told again."""
        for key, _ in list(self._case.papers.every("awaited", _awaited(person))):
            self._case.papers.drop("awaited", key)

    def refused(self, held: Held, person: PersonId, verdict: Verdict) -> None:
        """Tell a municipality that a notice which waited has been refused."""
        [problem, *_] = verdict.problems
        note = {
            "sequence": str(held.notice.sequence),
            "rule": problem.rule,
            "item": problem.item,
            TEXT: problem.text,
        }
        self._send(held.sender, REFUSED, person, note)

    def answer(self, sender: str, notice: Notice) -> tuple[int, ...]:
        """Return which reports an applied notice answers; they are answered from now on."""
        papers, numbers = self._case.papers, []
        covers = sender_of(sender, self._case.registry.municipalities).covers
        for code in dict.fromkeys((notice.known_by, notice.resident_code)):
            person = self._case.registry.alias(code)
            for key, _ in list(papers.every("asked", f"{person}/")):
                _, place, number = key.split("/")
                if place not in covers:
                    continue
                papers.drop("asked", key)
                papers.put("answered", _key(place, int(number)), {"sequence": notice.sequence})
                numbers.append(int(number))
        return tuple(numbers)

    def _send(
        self, municipality_code: str, kind: str, person: PersonId, note: dict[str, str]
    ) -> None:
        destination = inbox_of(municipality_code, self._case.registry.municipalities)
        at = self._case.request.now.isoformat()
        self._case.outgoing.send(destination, kind, person, {**note, AT: at})


def read_inbox(case: Case, asked: ReadInbox) -> InboxRead:
    """Tell a CS what the prefecture has to say about its residents."""
    place = _place(case, asked.municipality_code)
    destination = f"cs/{place}"
    acknowledged = case.outgoing.acknowledged(destination)
    after = acknowledged if asked.after is None else asked.after
    messages = []
    for dispatch in _dispatches(case, destination, after, asked.limit):
        answered = case.papers.get("answered", _key(place, dispatch.number))
        messages.append(
            InboxMessage(
                number=dispatch.number,
                kind=dispatch.kind,
                resident_code=str(dispatch.values[RESIDENT_CODE]),
                note=dict(dispatch.note),
                answered_by=None if answered is None else answered["sequence"],
            )
        )
    case.note.hits = len(messages)
    return InboxRead(
        messages=messages, last=case.outgoing.last(destination), acknowledged=acknowledged
    )


def acknowledge_inbox(case: Case, asked: AcknowledgeInbox) -> InboxAcknowledged:
    """Remember what a CS has; from then on its notices may be answers.

    Raises:
        Conflict: there is no such message yet.
    """
    place = _place(case, asked.municipality_code)
    destination = f"cs/{place}"
    before = case.outgoing.acknowledged(destination)
    through = min(asked.through, before + MOST)
    case.outgoing.acknowledge(destination, through)
    if through > before:
        for dispatch in _dispatches(case, destination, before, through - before):
            if dispatch.kind == REPORT:
                person = case.registry.alias(str(dispatch.values[RESIDENT_CODE]))
                case.papers.put("asked", f"{person}/{_key(place, dispatch.number)}", {})
    return InboxAcknowledged(acknowledged=case.outgoing.acknowledged(destination))


def _dispatches(case: Case, destination: str, after: int, limit: int) -> Iterator[Dispatch]:
    for dispatch in case.outgoing.after(destination, after, limit, _TOLD):
        if dispatch.withheld:
            raise NotPermitted("a plugin withholds whom the messages are about; nothing is told")
        yield dispatch


def _place(case: Case, municipality_code: str | None) -> str:
    sender = sender_in(case)
    if municipality_code not in (None, *sender.covers):
        raise NotPermitted("this is not the inbox of your municipality")
    return municipality_code or sender.code


def _key(place: str, number: int) -> str:
    return f"{place}/{number:012}"


def _awaited(person: PersonId) -> str:
    return f"{person:012}/"
