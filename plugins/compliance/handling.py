"""Open an entry, take a step: the two operations with which every book is kept."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    Operation,
    OperationName,
)
from plugins.compliance.entries import Opened, book_of, open_entry, take_step

BookName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        title="簿冊の名称",
        description="text of 1 to 32 characters",
        examples=["incident"],
    ),
]
"""The name of a book, as ``compliance/books`` tells it."""
Number = Annotated[int, Meta(ge=1, le=999_999_999_999, title="登録番号")]
StepName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        title="手続",
        description="text of 1 to 32 characters",
        examples=["contain"],
    ),
]
GivenFields = Annotated[dict[str, Any], Meta(title="記入内容", description="an object")]


class Open(Arguments, frozen=True, kw_only=True):
    """A new entry of a book, with what its form asks for."""

    book: BookName
    given: GivenFields = msgspec.field(default_factory=dict)


class Take(Arguments, frozen=True, kw_only=True):
    """A step with an entry, with what its form asks for."""

    book: BookName
    number: Number
    step: StepName
    given: GivenFields = msgspec.field(default_factory=dict)


class Reference(Answer, frozen=True, kw_only=True):
    """An entry by its number."""

    book: str
    number: int


class Written(Answer, frozen=True, kw_only=True):
    """Where an entry stands, and the entries of other books that were opened with it."""

    book: str
    number: int
    state: str
    state_title: str
    opened: tuple[Reference, ...]


def open_book(case: Case, asked: Open) -> Written:
    """Open an entry."""
    (name, number), *others = open_entry(case, book_of(asked.book), asked.given)
    return _written(case, name, number, "open", others)


def take(case: Case, asked: Take) -> Written:
    """Take a step with an entry."""
    opened = take_step(case, book_of(asked.book), asked.number, asked.step, asked.given)
    return _written(case, asked.book, asked.number, asked.step, opened)


def _written(case: Case, name: str, number: int, step: str, opened: Opened) -> Written:
    book = book_of(name)
    state = book.register(case.papers).get(number)["state"]
    case.note.result = f"{name} {number} {step}: {state}"
    if opened:
        case.note.result += f", {len(opened)} {opened[0][0]}"
    return Written(
        book=name,
        number=number,
        state=state,
        state_title=book.states[state],
        opened=tuple(Reference(book=book, number=number) for book, number in opened),
    )


OPEN = Operation(
    name=OperationName("compliance/open"),
    summary="Open an entry of a book.",
    asks=Open,
    answers=Written,
    handler=open_book,
    changes=True,
    purposed=False,
    # Who wrote and why may name people: it lies in the sealed entry, and not in the ledger.
    uses=frozenset({"roster"}),
    records=("book",),
    drops=("given",),
)
TAKE = Operation(
    name=OperationName("compliance/step"),
    summary="Take a step with an entry of a book.",
    asks=Take,
    answers=Written,
    handler=take,
    changes=True,
    purposed=False,
    uses=frozenset({"roster"}),
    records=("book", "number", "step"),
    drops=("given",),
)
OPERATIONS = (OPEN, TAKE)
