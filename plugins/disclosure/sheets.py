"""帳票管理簿: every paper that was put out, from the printer to its end (R66).

::

    printed ──deliver──► handed-over
       ├──────store────► stored ────dispose──► disposed    by whom, how, and who witnessed it
       └─────reissue───► replaced ──dispose──► disposed

A paper that was spoiled, or not fetched, is stored or disposed of; it is never just forgotten. A
sheet that another one replaced is never handed over. The register says which file it was (SHA-256),
of which case and which state of it (``revision``), and nothing of what stands on it.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    DateText,
    Entry,
    Operation,
    OperationName,
    Printed,
    Register,
    ShortText,
)
from plugins.disclosure.book import Channel, Number, book, concern
from plugins.disclosure.rules import broken, day_of

PRINTED, HANDED_OVER, STORED, DISPOSED = "printed", "handed-over", "stored", "disposed"
REPLACED = "replaced"
IN_HAND = (PRINTED, STORED, REPLACED)
"""Neither handed over nor destroyed."""
STATES = {
    PRINTED: "印刷済み",
    HANDED_OVER: "交付済み",
    STORED: "保管中",
    REPLACED: "再発行により差替え済み",
    DISPOSED: "廃棄済み",
}
"""The states of a sheet as staff read them."""
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
    """操作者ID or 職員番号 of the 立会者; not whoever disposes of it (D-22)."""


class Sheets(Arguments, frozen=True, kw_only=True):
    """Which papers: of one case, in one state; the newest first."""

    number: Number | None = None
    state: Literal["printed", "handed-over", "stored", "replaced", "disposed"] | None = None
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
    shapes_seen: bool = False
    """Whoever put it out has looked at the shapes that the font lacks."""
    why: str = ""
    """Of a 再発行."""
    replaced_by: int | None = None
    """The sheet that was put out in its place."""
    handed: dict[str, str] | None = None
    stored: dict[str, str] | None = None
    disposed: dict[str, str] | None = None


class SheetList(Answer, frozen=True, kw_only=True):
    """Lines of the 帳票管理簿."""

    sheets: tuple[Sheet, ...]


def put_out(
    case: Case,
    number: int,
    form: str,
    made: Printed,
    *,
    on: str,
    shapes_seen: bool,
    why: str = "",
    revision: int | None = None,
) -> Paper:
    """Enter a paper in the 帳票管理簿, and its hash in the ledger; return it.

    It shows the case as it is now, or as it was at its ``revision``; ``shapes_seen`` is what the
    clerk said of the shapes that the font lacks.
    """
    sheet = _sheets(case).add(
        {
            "number": number,
            "revision": revision or len(book(case).history(number)),
            "form": form,
            "state": PRINTED,
            "pages": made.pages,
            "sha256": made.sha256,
            "issued_on": on,
            "operator": _operator(case),
            "terminal": case.actor.terminal.terminal_id,
            "shapes_seen": shapes_seen,
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


def replaceable(case: Case, sheet: int) -> Entry:
    """Return a sheet in whose place another one may be put out.

    Raises:
        NotFound: there is no such sheet.
        Rejected: it was handed over (D-32), or was replaced before (D-14).
    """
    entry = _sheets(case).get(sheet)
    if entry["state"] == HANDED_OVER:
        raise broken("D-32")
    if "replaced_by" in entry:
        raise broken("D-14", state=STATES[REPLACED])
    return entry


def shown_by(case: Case, entry: Entry) -> Entry:
    """Return the case of a sheet as it was when the sheet was put out."""
    shown: Entry = book(case).history(entry["number"])[entry["revision"] - 1]
    return shown


def replace(case: Case, sheet: int, made: Printed, *, why: str) -> Paper:
    """Put out a sheet in the place of another, which can but be destroyed from now on."""
    old = _sheets(case).get(sheet)
    paper = put_out(
        case,
        old["number"],
        old["form"],
        made,
        on=old["issued_on"],
        shapes_seen=old.get("shapes_seen", False),
        why=why,
        revision=old["revision"],
    )
    state = DISPOSED if old["state"] == DISPOSED else REPLACED
    _sheets(case).amend(sheet, state=state, replaced_by=paper.sheet)
    return paper


def in_hand(case: Case, number: int) -> tuple[int, ...]:
    """Return the sheets of a case that were neither handed over nor destroyed."""
    return tuple(
        sheet
        for sheet, entry in _sheets(case).every()
        if entry["number"] == number and entry["state"] in IN_HAND
    )


def deliver(case: Case, asked: Deliver) -> Sheet:
    """Enter that a paper reached whom it is for; a case whose answer it is, is delivered."""
    today = case.request.today
    on = today if asked.on is None else day_of(asked.on, "D-24")
    before = _in_state(case, asked.sheet, PRINTED, STORED)
    concerned = book(case).get(before["number"])
    if concerned["state"] == "closed":
        raise broken("D-30")
    if on > today or on.isoformat() < before["issued_on"]:
        raise broken("D-24")
    entry = _sheets(case).amend(
        asked.sheet, state=HANDED_OVER, handed=_done(case, method=asked.method, on=on.isoformat())
    )
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
    _in_state(case, asked.sheet, *IN_HAND)
    if asked.witness.casefold() in _myself(case):
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
        raise broken("D-14", state=STATES[entry["state"]])
    concern(case, book(case).get(entry["number"]))
    case.note.result = f"case {entry['number']}, sheet {sheet}"
    return entry


def _done(case: Case, **how: str) -> dict[str, str]:
    return {**how, "operator": _operator(case)}


def _operator(case: Case) -> str:
    return case.actor.operator.operator_id if case.actor.operator else ""


def _myself(case: Case) -> tuple[str, ...]:
    operator = case.actor.operator
    known = (operator.operator_id, operator.person_id) if operator else ()
    return tuple(name.casefold() for name in known)


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
