"""Writing in the book: one line, a file of lines, corrections; and reading it.

An office's people write in their own office's book and in no other's. What is wrong with a file is
told all at once, and nothing of it is taken. A correction says why; what stood there before stays
readable, and a line that should not be there is struck out, never taken away.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    Conflict,
    NotPermitted,
    Operation,
    OperationName,
    Problem,
    PurposeCode,
    Rejected,
    Role,
    ShortText,
)
from plugins.usebook.book import (
    Book,
    BookLine,
    ClockText,
    Count,
    IdText,
    Month,
    MonthText,
    NoteText,
    Written,
    written,
)
from plugins.usebook.sheet import read_sheet

EVERY_OFFICE = Role("auditor")
"""Reads the books of all offices, and writes in none."""
EARLIEST = date(2002, 8, 5)
"""The day on which the network began; nobody has used it before."""
LARGEST = 4 * 1024 * 1024
MOST_TOLD = 100
"""Problems of one file that are told; so many more would tell nobody more."""
Number = Annotated[int, Meta(ge=1, le=999_999)]


class Enter(Arguments, frozen=True, kw_only=True):
    """One line."""

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


class Import(Arguments, frozen=True, kw_only=True):
    """A book as a CSV file (``plugins/usebook/README.md``); in base64 in JSON."""

    file: Annotated[bytes, Meta(min_length=1, max_length=LARGEST)]


class Correct(Arguments, frozen=True, kw_only=True):
    """Which line, what it should say, and why; without ``line`` it is struck out."""

    month: MonthText
    number: Number
    line: Enter | None = None
    why: ShortText


class Lines(Arguments, frozen=True, kw_only=True):
    """Which month, of which office: one's own if it is left out."""

    month: MonthText
    office: ShortText | None = None
    number: Number | None = None
    """Only this line, in all its states."""


class LineNumber(Answer, frozen=True, kw_only=True):
    """Where a line stands."""

    month: str
    number: int


class Imported(Answer, frozen=True, kw_only=True):
    """How many lines were taken into which months."""

    lines: int
    months: dict[str, int]


class InWords(Answer, frozen=True, kw_only=True):
    """What a 事務 and its 利用事由 are called today."""

    label: str
    reasons: dict[str, str]


class TheLines(Answer, frozen=True, kw_only=True):
    """Lines as they stand now; or the states of one, the first one first."""

    office: str
    month: str
    signed_off: bool
    lines: tuple[BookLine, ...]
    purposes: dict[str, InWords]
    """By code: what a line may name."""


def enter(case: Case, asked: Enter) -> LineNumber:
    """Write one line.

    Raises:
        Rejected: a rule is broken; the problems name it.
    """
    said = msgspec.convert(msgspec.to_builtins(asked), Written)
    only = [("line", said)]
    _refuse(_problems(case, only))
    numbers = _write(case, only)
    return LineNumber(month=said.month, number=numbers[0])


def take_in(case: Case, asked: Import) -> Imported:
    """Write every line of a file, or none.

    Raises:
        Rejected: something in it is wrong; the problems name line, column and rule.
    """
    sheet = read_sheet(asked.file)
    lines = [(f"line {number}", said) for number, said in sheet.lines]
    _refuse([*sheet.problems, *_problems(case, lines)])
    _write(case, lines)
    months: dict[str, int] = {}
    for _, said in lines:
        months[said.month] = months.get(said.month, 0) + 1
    case.note.result = f"{len(lines)} lines"
    return Imported(lines=len(lines), months=months)


def correct(case: Case, asked: Correct) -> LineNumber:
    """Write a line anew, or strike it out; how it was stays.

    Raises:
        NotFound: there is no such line.
        Rejected: a rule is broken.
        Conflict: it is struck out already.
    """
    book, office = Book(case.papers), own_office(case)
    line = book.history(office, asked.month, asked.number)[-1]
    if line.struck:
        raise Conflict("this line is struck out")
    _refuse(_closed(book.month(office, asked.month), "line"))
    changes: dict[str, object] = {"struck": True}
    if asked.line is not None:
        said = msgspec.convert(msgspec.to_builtins(asked.line), Written)
        _refuse(_rules(case, "line", said))
        if said.month != asked.month:
            told = "別の月に移すときは、この行を抹消してから、その月に書き直してください。"
            raise Rejected("the line stays in its month", [Problem("U-17", "line.day", told)])
        changes = msgspec.structs.asdict(said)
    line = msgspec.structs.replace(
        line, **changes, by=who(case), at=case.request.now, why=asked.why
    )
    book.put_line(office, line)
    month = written(book.month(office, asked.month), line)
    book.put_month(msgspec.structs.replace(month, changed=month.changed + 1))
    return LineNumber(month=asked.month, number=asked.number)


def lines(case: Case, asked: Lines) -> TheLines:
    """Show a month of a book, or one line with its history.

    Raises:
        NotPermitted: it is the book of another office.
        NotFound: there is no such line.
    """
    book, office = Book(case.papers), readable_office(case, asked.office)
    if asked.number is None:
        shown = book.lines(office, asked.month)
    else:
        shown = book.history(office, asked.month, asked.number)
    case.note.hits = len(shown)
    signed = book.month(office, asked.month).signed is not None
    return TheLines(
        office=office,
        month=asked.month,
        signed_off=signed,
        lines=tuple(shown),
        purposes={
            code: InWords(label=rule.label, reasons=dict(rule.reasons))
            for code, rule in case.policy.purposes.items()
        },
    )


def own_office(case: Case) -> str:
    """Return the office of whoever asks.

    Raises:
        NotPermitted: nobody is logged in.
    """
    if case.actor.operator is None:
        raise NotPermitted("a book is kept by people")
    return case.actor.operator.office


def readable_office(case: Case, office: str | None) -> str:
    """Return whose book is meant, if whoever asks may read it.

    Raises:
        NotPermitted: it is the book of another office.
    """
    own = own_office(case)
    if office is None or office == own or EVERY_OFFICE in case.actor.roles:
        return office or own
    raise NotPermitted("this is the book of another office")


def who(case: Case) -> dict[str, str]:
    """Return who does this, as the book keeps it."""
    operator = case.actor.operator
    if operator is None:
        raise NotPermitted("a book is kept by people")
    return {"person": operator.person_id, "operator": operator.operator_id}


def _write(case: Case, lines: Sequence[tuple[str, Written]]) -> list[int]:
    """Write lines into their months; return their numbers."""
    book, office, by = Book(case.papers), own_office(case), who(case)
    months: dict[str, Month] = {}
    numbers = []
    for _, said in lines:
        month = months.get(said.month) or book.month(office, said.month)
        line = BookLine(
            **msgspec.structs.asdict(said), number=month.lines + 1, by=by, at=case.request.now
        )
        book.put_line(office, line)
        months[said.month] = written(month, line)
        numbers.append(line.number)
    for month in months.values():
        book.put_month(msgspec.structs.replace(month, changed=month.changed + 1))
    return numbers


def _problems(case: Case, lines: Sequence[tuple[str, Written]]) -> list[Problem]:
    """Return what is wrong; one file may say the same twice, a book is not told it again."""
    book, office = Book(case.papers), own_office(case)
    problems: list[Problem] = []
    months = {name: book.month(office, name) for name in {line.month for _, line in lines}}
    there = {
        name: {_said(each) for each in book.lines(office, name) if not each.struck}
        for name in months
    }
    for place, said in lines:
        problems += _rules(case, place, said)
        problems += _closed(months[said.month], place)
        if said in there[said.month]:
            told = (
                "同じ内容の行が使用簿に既にあります。取込済みの行を除いてください。"
                "別の利用であれば、備考で区別してください。"
            )
            problems.append(Problem("U-14", place, told))
    return problems


def _said(line: BookLine) -> Written:
    """Return what a line says, without who wrote it."""
    return Written(**{name: getattr(line, name) for name in Written.__struct_fields__})


def _rules(case: Case, place: str, line: Written) -> Iterator[Problem]:
    if line.day > case.request.today:
        told = "まだ来ていない日です。使用した日を書いてください。"
        yield Problem("U-05", f"{place}, 使用日", told)
    if line.day < EARLIEST:
        told = "住民基本台帳ネットワークシステムの稼働より前の日です。使用した日を書いてください。"
        yield Problem("U-19", f"{place}, 使用日", told)
    if line.ends is not None and line.ends < line.begins:
        told = "開始時刻より後の時刻を書いてください。日をまたぐ利用は2行に分けてください。"
        yield Problem("U-09", f"{place}, 終了時刻", told)
    rule = case.policy.purposes.get(PurposeCode(line.purpose))
    if rule is None:
        told = "この事務のコードはありません。事務の一覧を確認してください。"
        yield Problem("U-10", f"{place}, 事務", told)
    elif line.reason not in rule.reasons:
        told = "この事務に、この利用事由のコードはありません。利用事由の一覧を確認してください。"
        yield Problem("U-11", f"{place}, 利用事由", told)


def _closed(month: Month, place: str) -> Iterator[Problem]:
    if month.signed is not None:
        told = "この月は確認済みで、書き込めません。監査責任者に再開を依頼してください。"
        yield Problem("U-15", f"{place}, 使用日", told)


def _refuse(problems: Iterator[Problem] | Sequence[Problem]) -> None:
    if found := list(problems):
        text = f"nothing was written; see the problems ({len(found)})"
        raise Rejected(text, found[:MOST_TOLD])


ENTER = Operation(
    name=OperationName("usebook/enter"),
    summary="Write one line in the usage book (使用簿) of one's office.",
    asks=Enter,
    answers=LineNumber,
    handler=enter,
    changes=True,
    purposed=False,
    records=tuple(name for name in Enter.__struct_fields__ if name != "note"),
    drops=("note",),
)
IMPORT = Operation(
    name=OperationName("usebook/import"),
    summary="Write the lines of a CSV file in the usage book of one's office, all or none.",
    asks=Import,
    answers=Imported,
    handler=take_in,
    changes=True,
    purposed=False,
    drops=("file",),
)
CORRECT = Operation(
    name=OperationName("usebook/correct"),
    summary="Write a line of the usage book anew, or strike it out; how it was stays on record.",
    asks=Correct,
    answers=LineNumber,
    handler=correct,
    changes=True,
    purposed=False,
    records=(
        *("month", "number", "why"),
        *(f"line.{name}" for name in Enter.__struct_fields__ if name != "note"),
    ),
    drops=("line.note",),
)
LINES = Operation(
    name=OperationName("usebook/lines"),
    summary="Show a month of a usage book, or one of its lines in all its states.",
    asks=Lines,
    answers=TheLines,
    handler=lines,
    purposed=False,
    records=Lines.__struct_fields__,
)
