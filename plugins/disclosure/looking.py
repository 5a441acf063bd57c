"""The 受付簿 as staff see it: which cases are open, which are late, and one of them whole."""

from typing import Annotated, Any, Literal

from msgspec import Meta, convert, to_builtins

from appliance.plugin_api import Answer, Arguments, Case, Operation, OperationName
from plugins.disclosure.book import (
    CaseState,
    Kind,
    OneCase,
    Representative,
    Subject,
    book,
    concern,
    must_be_open,
    state_of,
)
from plugins.disclosure.correcting import is_answered


class Cases(Arguments, frozen=True, kw_only=True):
    """Which cases: the most urgent first."""

    kind: Kind | None = None
    which: Literal["open", "overdue", "closed", "all"] = "open"
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class CaseList(Answer, frozen=True, kw_only=True):
    """Cases, and how many there are of them in all."""

    cases: tuple[CaseState, ...]
    count: int


class CaseFile(CaseState, frozen=True, kw_only=True):
    """A case whole: what was written, what was done."""

    states: tuple[str, ...]
    """Every state it has been in, the first one first."""
    subject: Subject
    representative: Representative | None
    identity: tuple[str, ...]
    stamps_yen: int | None = None
    differing: tuple[str, ...] = ()
    issued: dict[str, str] | None = None
    extended: dict[str, str] | None = None
    closed: dict[str, str] | None = None
    disclosure: int | None = None
    wish: str | None = None
    items: tuple[str, ...] = ()
    claim: str | None = None
    investigated: dict[str, str] | None = None
    reported: dict[str, str | int] | None = None
    answered: bool = False
    """The municipality has notified something of the person since the 通報: link it."""
    linked: dict[str, str | int | None] | None = None
    explanation: str | None = None


def cases(case: Case, asked: Cases) -> CaseList:
    """List cases; nobody's name is in the list."""
    today = case.request.today
    found = [
        state
        for number, entry in book(case).every()
        if asked.kind in (None, entry["kind"])
        and _fits(state := state_of(number, entry, today), asked.which)
    ]
    case.note.hits = len(found)
    found.sort(key=lambda state: (state.state == "closed", state.due_on, state.number))
    return CaseList(cases=tuple(found[: asked.limit]), count=len(found))


def one(case: Case, asked: OneCase) -> CaseFile:
    """Show a case whole."""
    entry = book(case).get(asked.number)
    concern(case, entry)
    must_be_open(case, entry)
    case.note.result = f"case {asked.number}"
    known: dict[str, Any] = {
        name: entry[name] for name in CaseFile.__struct_fields__ if name in entry
    }
    before = [kept["state"] for kept in book(case).history(asked.number)]
    states = [now for now, last in zip(before, [None, *before], strict=False) if now != last]
    state = to_builtins(state_of(asked.number, entry, case.request.today))
    return convert(
        {**known, **state, "states": states, "answered": is_answered(case, entry)}, CaseFile
    )


def _fits(state: CaseState, which: str) -> bool:
    match which:
        case "open":
            return state.state != "closed"
        case "overdue":
            return state.days_left < 0
        case "closed":
            return state.state == "closed"
        case _:
            return True


CASES = Operation(
    name=OperationName("disclosure/cases"),
    summary="List the cases, the most urgent first, without a name.",
    asks=Cases,
    answers=CaseList,
    handler=cases,
    records=("kind", "which", "limit"),
)
ONE = Operation(
    name=OperationName("disclosure/case"),
    summary="Show a case whole.",
    asks=OneCase,
    answers=CaseFile,
    handler=one,
    records=("number",),
)
OPERATIONS = (CASES, ONE)
