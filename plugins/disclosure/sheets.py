"""帳票管理簿: every paper that was put out, from the printer to its end (R66).

::

    printed ──deliver──► handed-over
       └──────store────► stored ──dispose──► disposed      by whom, how, and who witnessed it

A paper that was spoiled, or not fetched, is stored or disposed of; it is never just forgotten. The
register says which file it was (SHA-256), of which case, and nothing of what stands on it.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    DateText,
    Operation,
    OperationName,
    Register,
    ShortText,
)
from plugins.disclosure.book import Channel, Entry, Number, book, concern
from plugins.disclosure.press import Printed
from plugins.disclosure.rules import broken, day_of

PRINTED, HANDED_OVER, STORED, DISPOSED = "printed", "handed-over", "stored", "disposed"
Limit = Annotated[int, Meta(ge=1, le=1000)]


class Paper(Answer, frozen=True, kw_only=True):
    """A paper that was put out: its number in the 帳票管理簿, and the file itself."""

    number: int
    """Of the case."""
    sheet: int
    form: str
    pages: int
    sha256: str
    pdf: bytes
    """PDF/A-2u; base64 in JSON, a byte string in CBOR."""


class Deliver(Arguments, frozen=True, kw_only=True):
    """A paper was handed over at the counter, or posted."""

    sheet: Number
    method: Channel
    on: DateText | None = None
    """Today unless given."""


class Store(Arguments, frozen=True, kw_only=True):
    """A paper is kept under lock (保管)."""

    sheet: Number
    place: ShortText


class Dispose(Arguments, frozen=True, kw_only=True):
    """A paper was destroyed (廃棄): how, and who watched."""

    sheet: Number
    how: Literal["shredded", "burnt", "dissolved"]
    witness: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=32,
            pattern="^[A-Z0-9-]+$",
            description="1 to 32 of A-Z 0-9 -",
        ),
    ]
    """操作者ID or 職員番号 of the 立会者; not whoever disposes of it."""


class Sheets(Arguments, frozen=True, kw_only=True):
    """Which papers: of one case, in one state; the newest first."""

    number: Number | None = None
    state: Literal["printed", "handed-over", "stored", "disposed"] | None = None
    limit: Limit = 100


class Sheet(Answer, frozen=True, kw_only=True):
    """A line of the 帳票管理簿."""

    sheet: int
    number: int
    form: str
    state: str
    pages: int
    sha256: str
    issued_on: str
    operator: str
    terminal: str
    why: str = ""
    """Of a 再発行."""
    handed: dict[str, str] | None = None
    stored: dict[str, str] | None = None
    disposed: dict[str, str] | None = None


class SheetList(Answer, frozen=True, kw_only=True):
    """Lines of the 帳票管理簿."""

    sheets: tuple[Sheet, ...]


def put_out(case: Case, number: int, form: str, made: Printed, *, on: str, why: str = "") -> Paper:
    """Enter a paper in the 帳票管理簿, and its hash in the ledger; return it."""
    sheet = _sheets(case).add(
        {
            "number": number,
            "form": form,
            "state": PRINTED,
            "pages": made.pages,
            "sha256": made.sha256,
            "issued_on": on,
            "operator": _operator(case),
            "terminal": case.actor.terminal.terminal_id,
            "why": why,
        }
    )
    case.note.result = f"case {number}, sheet {sheet}, {form}, {made.pages} pages, {made.sha256}"
    return Paper(
        number=number,
        sheet=sheet,
        form=form,
        pages=made.pages,
        sha256=made.sha256,
        pdf=made.pdf,
    )


def deliver(case: Case, asked: Deliver) -> Sheet:
    """Enter that a paper reached whom it is for; a case whose answer it is, is delivered."""
    today = case.request.today
    on = today if asked.on is None else day_of(asked.on, "D-01")
    before = _in_state(case, asked.sheet, PRINTED, STORED)
    if on > today or on.isoformat() < before["issued_on"]:
        raise broken("D-01")
    entry = _sheets(case).amend(
        asked.sheet, state=HANDED_OVER, handed=_done(case, method=asked.method, on=on.isoformat())
    )
    concerned = book(case).get(entry["number"])
    if concerned["state"] == "issued" and concerned["issued"]["form"] == entry["form"]:
        book(case).amend(entry["number"], state="delivered")
    return _line(asked.sheet, entry)


def store(case: Case, asked: Store) -> Sheet:
    """Enter that a paper is kept."""
    _in_state(case, asked.sheet, PRINTED)
    done = _done(case, place=asked.place, on=case.request.today.isoformat())
    return _line(asked.sheet, _sheets(case).amend(asked.sheet, state=STORED, stored=done))


def dispose(case: Case, asked: Dispose) -> Sheet:
    """Enter that a paper was destroyed before a witness."""
    _in_state(case, asked.sheet, PRINTED, STORED)
    if asked.witness == _operator(case):
        raise broken("D-22")
    today = case.request.today.isoformat()
    done = _done(case, how=asked.how, witness=asked.witness, on=today)
    return _line(asked.sheet, _sheets(case).amend(asked.sheet, state=DISPOSED, disposed=done))


def sheets(case: Case, asked: Sheets) -> SheetList:
    """Show the 帳票管理簿."""
    found = [
        _line(sheet, entry)
        for sheet, entry in _sheets(case).every()
        if asked.number in (None, entry["number"]) and asked.state in (None, entry["state"])
    ]
    return SheetList(sheets=tuple(found[::-1][: asked.limit]))


def _sheets(case: Case) -> Register:
    return Register(case.papers, "sheets")


def _in_state(case: Case, sheet: int, *states: str) -> Entry:
    entry = _sheets(case).get(sheet)
    if entry["state"] not in states:
        raise broken("D-14")
    concern(case, book(case).get(entry["number"]))
    case.note.result = f"case {entry['number']}, sheet {sheet}"
    return entry


def _done(case: Case, **how: str) -> dict[str, str]:
    return {**how, "operator": _operator(case)}


def _operator(case: Case) -> str:
    return case.actor.operator.operator_id if case.actor.operator else ""


def _line(sheet: int, entry: Entry) -> Sheet:
    known: dict[str, Any] = {
        name: entry[name] for name in Sheet.__struct_fields__ if name in entry and name != "sheet"
    }
    return Sheet(sheet=sheet, **known)


DELIVER = Operation(
    name=OperationName("disclosure/deliver"),
    summary="Enter that a paper was handed over or posted.",
    asks=Deliver,
    answers=Sheet,
    handler=deliver,
    changes=True,
    records=("sheet", "method", "on"),
)
STORE = Operation(
    name=OperationName("disclosure/store"),
    summary="Enter that a paper is kept under lock.",
    asks=Store,
    answers=Sheet,
    handler=store,
    changes=True,
    records=("sheet", "place"),
)
DISPOSE = Operation(
    name=OperationName("disclosure/dispose"),
    summary="Enter that a paper was destroyed, how, and before whom.",
    asks=Dispose,
    answers=Sheet,
    handler=dispose,
    changes=True,
    records=("sheet", "how", "witness"),
)
SHEETS = Operation(
    name=OperationName("disclosure/sheets"),
    summary="Show the register of the papers that were put out.",
    asks=Sheets,
    answers=SheetList,
    handler=sheets,
    records=("number", "state", "limit"),
)
OPERATIONS = (DELIVER, STORE, DISPOSE, SHEETS)
