"""問合せ (R81): every inquiry of a resident, and how it was answered."""

from typing import Annotated, Literal

from msgspec import Meta

from appliance.plugin_api import Answer, Arguments, Case, Operation, OperationName, Register
from plugins.disclosure.book import FreeText, Number

Topic = Literal["disclosure", "correction", "provision", "system", "complaint", "other"]


class Inquiry(Arguments, frozen=True, kw_only=True):
    """An inquiry, and the answer that was given; without numbers of anybody."""

    method: Literal["counter", "telephone", "post", "electronic"]
    topic: Topic
    asked: FreeText
    answered: FreeText
    finished: bool = True
    number: Number | None = None
    """The entry that is carried on, if the inquiry is not a new one."""


class InquiryEntered(Answer, frozen=True, kw_only=True):
    """Where the inquiry stands in the log."""

    number: int


class InquiryLog(Arguments, frozen=True, kw_only=True):
    """Which inquiries: the newest first."""

    topic: Topic | None = None
    unfinished: bool = False
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class LoggedInquiry(Answer, frozen=True, kw_only=True):
    """A line of the log."""

    number: int
    on: str
    method: str
    topic: str
    asked: str
    answered: str
    finished: bool
    operator: str


class LoggedInquiries(Answer, frozen=True, kw_only=True):
    """Lines of the log."""

    inquiries: tuple[LoggedInquiry, ...]


def inquiry(case: Case, asked: Inquiry) -> InquiryEntered:
    """Enter an inquiry in the log, or carry one on; what was there before is kept."""
    log = Register(case.papers, "inquiries")
    entry = {
        "on": case.request.today.isoformat(),
        "method": asked.method,
        "topic": asked.topic,
        "asked": asked.asked,
        "answered": asked.answered,
        "finished": asked.finished,
        "operator": case.actor.operator.operator_id if case.actor.operator else "",
    }
    if asked.number is None:
        number = log.add(entry)
    else:
        number = asked.number
        log.amend(number, **entry)
    case.note.result = f"inquiry {number}"
    return InquiryEntered(number=number)


def inquiries(case: Case, asked: InquiryLog) -> LoggedInquiries:
    """Show the log."""
    found = [
        LoggedInquiry(number=number, **entry)
        for number, entry in Register(case.papers, "inquiries").every()
        if asked.topic in (None, entry["topic"]) and not (asked.unfinished and entry["finished"])
    ]
    return LoggedInquiries(inquiries=tuple(found[::-1][: asked.limit]))


INQUIRY = Operation(
    name=OperationName("disclosure/inquiry"),
    summary="Enter an inquiry and how it was answered.",
    asks=Inquiry,
    answers=InquiryEntered,
    handler=inquiry,
    changes=True,
    records=("method", "topic", "finished", "number"),
    drops=("asked", "answered"),
)
INQUIRIES = Operation(
    name=OperationName("disclosure/inquiries"),
    summary="Show the inquiries and how they were answered.",
    asks=InquiryLog,
    answers=LoggedInquiries,
    handler=inquiries,
    records=("topic", "unfinished", "limit"),
)
OPERATIONS = (INQUIRY, INQUIRIES)
