"""What stands in the books: their forms, their entries with history, and what is due."""

from datetime import date, timedelta
from typing import Annotated, Any

from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    Entry,
    Nothing,
    Operation,
    OperationName,
    Papers,
    ShortText,
)
from plugins.compliance import clocks, forms
from plugins.compliance.book import OVERSEERS, Book, Field, Step
from plugins.compliance.books.incidents import COUNT
from plugins.compliance.entries import (
    book_of,
    entry_of,
    is_his,
    is_seen,
    may_open,
    myself,
    still_running,
)
from plugins.compliance.handling import BookName, Number, Reference
from plugins.compliance.shelf import BOOKS

Limit = Annotated[int, Meta(ge=1, le=1000)]
Days = Annotated[int, Meta(ge=0, le=3660, title="日数")]


class Blank(Answer, frozen=True, kw_only=True):
    """One field of a form: how it is filled in, and of a list or a choice with what."""

    name: str
    title: str
    kind: str
    required: bool
    form: str
    choices: dict[str, str]
    """Of a choice what may be written; of a checklist its items."""


class Form(Answer, frozen=True, kw_only=True):
    """One step: from which states to which, by which roles, with which fields."""

    name: str
    title: str
    since: tuple[str, ...]
    to: str
    roles: tuple[str, ...]
    fields: tuple[Blank, ...]


class BookForms(Answer, frozen=True, kw_only=True):
    """A book: its states, its steps and its clocks. ``steps`` begins with ``open``."""

    name: str
    title: str
    basis: str
    states: dict[str, str]
    steps: tuple[Form, ...]
    clocks: dict[str, str]
    kept_years: int
    by_hand: bool
    yours: bool
    """Whether the caller may open an entry."""


class Books(Answer, frozen=True, kw_only=True):
    """Every book."""

    books: tuple[BookForms, ...]


class Which(Arguments, frozen=True, kw_only=True):
    """Which entries of a book: of an office, in a state, unfinished; after a number."""

    book: BookName
    office: ShortText | None = None
    state: ShortText | None = None
    unfinished: bool = False
    after: Annotated[int, Meta(ge=0)] = 0
    limit: Limit = 100


class OneEntry(Arguments, frozen=True, kw_only=True):
    """An entry by its number."""

    book: BookName
    number: Number


class Line(Answer, frozen=True, kw_only=True):
    """An entry in one line."""

    number: int
    office: str
    state: str
    state_title: str
    opened_on: date
    changed_on: date
    ended_on: date | None
    due: dict[str, date]
    """The clocks that run, and the last day of each."""


class Lines(Answer, frozen=True, kw_only=True):
    """Entries by number; ``next`` is the ``after`` of what follows, or null at the end."""

    entries: tuple[Line, ...]
    next: int | None


class Taken(Answer, frozen=True, kw_only=True):
    """A step that was taken: by whom, when, and what was given with it."""

    step: str
    title: str
    on: date
    at: str
    person: str
    operator: str
    office: str
    given: dict[str, Any]


class Whole(Answer, frozen=True, kw_only=True):
    """An entry with its history, and the steps that its state allows now."""

    book: str
    title: str
    entry: Line
    parent: Reference | None
    fields: dict[str, Any]
    steps: tuple[Taken, ...]
    possible: tuple[str, ...]
    yours: tuple[str, ...]
    """Those of the possible steps that are for the caller: by role, office and person."""
    kept_until: date | None


class Within(Arguments, frozen=True, kw_only=True):
    """What is due within so many days; what is overdue always is."""

    within: Days = 30


class Due(Answer, frozen=True, kw_only=True):
    """One clock that runs: by when, and who can take the next step."""

    book: str
    title: str
    number: int
    office: str
    state_title: str
    clock: str
    clock_title: str
    due_on: date
    days_left: int
    """Below 0: overdue."""
    steps: tuple[str, ...]
    roles: tuple[str, ...]


class DueList(Answer, frozen=True, kw_only=True):
    """What is due, the most urgent first."""

    on: date
    overdue: int
    due: tuple[Due, ...]


def books(case: Case, _: Nothing) -> Books:
    """Show the forms of every book."""
    return Books(books=tuple(_forms(book, may_open(case, book)) for book in BOOKS.values()))


def entries(case: Case, asked: Which) -> Lines:
    """List the entries of a book that the caller may see."""
    book = book_of(asked.book)
    found: list[Line] = []
    for number, entry in book.register(case.papers).every(after=asked.after):
        line = line_of(book, number, entry)
        fits = (
            asked.office in (None, entry["office"])
            and asked.state in (None, entry["state"])
            and not (asked.unfinished and entry["ended"])
        )
        if fits and is_seen(case, book, entry):
            found.append(line)
            if len(found) == asked.limit:
                return Lines(entries=tuple(found), next=number)
    return Lines(entries=tuple(found), next=None)


def entry(case: Case, asked: OneEntry) -> Whole:
    """Show an entry with its history."""
    book = book_of(asked.book)
    found = entry_of(case, book, asked.number)
    ended, parent = found["ended"], found["parent"]
    possible = book.possible(found["state"])
    return Whole(
        book=book.name,
        title=book.title,
        entry=line_of(book, asked.number, found),
        parent=None if parent is None else Reference(**parent),
        fields=found["fields"],
        steps=tuple(_taken(book, taken) for taken in found["steps"]),
        possible=tuple(step.name for step in possible),
        yours=tuple(step.name for step in possible if is_his(case, step, found)),
        kept_until=clocks.kept_until(book, date.fromisoformat(ended)) if ended else None,
    )


def due(case: Case, asked: Within) -> DueList:
    """List what is due, of every office or of the caller's."""
    today = case.request.today
    last = today + timedelta(days=asked.within)
    mine = None if case.actor.roles & OVERSEERS else myself(case).office
    found = [each for each in every_due(case.papers, today, mine) if each.due_on <= last]
    return DueList(on=today, overdue=sum(each.days_left < 0 for each in found), due=tuple(found))


def every_due(papers: Papers, today: date, office: str | None = None) -> list[Due]:
    """Return every clock that runs, of one office or of all, the most urgent first."""
    found = [
        _due(book, number, noted, name, date.fromisoformat(day), today)
        for book, number, noted in still_running(papers)
        for name, day in noted["due"].items()
        if office in (None, noted["office"])
    ]
    return sorted(found, key=lambda each: (each.due_on, each.book, each.number))


def line_of(book: Book, number: int, found: Entry) -> Line:
    """Return an entry in one line."""
    steps = found["steps"]
    return Line(
        number=number,
        office=found["office"],
        state=found["state"],
        state_title=book.states[found["state"]],
        opened_on=date.fromisoformat(steps[0]["on"]),
        changed_on=date.fromisoformat(steps[-1]["on"]),
        ended_on=date.fromisoformat(found["ended"]) if found["ended"] else None,
        due={clock.name: day for clock, day in clocks.running(book, found)},
    )


def _due(book: Book, number: int, noted: Entry, name: str, day: date, today: date) -> Due:
    clock = next(clock for clock in book.clocks if clock.name == name)
    possible = book.possible(noted["state"])
    steps = [step for step in possible if not clock.until or step.name in clock.until]
    return Due(
        book=book.name,
        title=book.title,
        number=number,
        office=noted["office"],
        state_title=book.states[noted["state"]],
        clock=clock.name,
        clock_title=clock.title,
        due_on=day,
        days_left=(day - today).days,
        steps=tuple(step.name for step in steps),
        roles=tuple(sorted({role for step in steps for role in step.roles})),
    )


def _taken(book: Book, taken: Entry) -> Taken:
    steps = (*book.steps, COUNT)
    titles = {step.name: step.title for step in steps}
    return Taken(title=titles[taken["step"]], **taken)


def _forms(book: Book, yours: bool) -> BookForms:
    return BookForms(
        name=book.name,
        title=book.title,
        basis=book.basis,
        states=dict(book.states),
        steps=tuple(map(_form, book.steps)),
        clocks={clock.name: clock.title for clock in book.clocks},
        kept_years=book.kept_years,
        by_hand=book.by_hand,
        yours=yours,
    )


def _form(step: Step) -> Form:
    return Form(
        name=step.name,
        title=step.title,
        since=step.since,
        to=step.to,
        roles=step.roles,
        fields=tuple(map(_blank, step.fields)),
    )


def _blank(field: Field) -> Blank:
    items = forms.checklists()[field.checklist] if field.checklist else field.choices
    return Blank(
        name=field.name,
        title=field.title,
        kind=field.kind,
        required=field.required and not field.all_unless_given,
        form=forms.form_of(field),
        choices=dict(items or {}),
    )


BOOK_FORMS = Operation(
    name=OperationName("compliance/books"),
    summary="Show the books: their steps, forms, clocks, and how long each is kept.",
    asks=Nothing,
    answers=Books,
    handler=books,
    purposed=False,
)
ENTRIES = Operation(
    name=OperationName("compliance/entries"),
    summary="List the entries of a book: all for those who oversee, else those of one's office.",
    asks=Which,
    answers=Lines,
    handler=entries,
    purposed=False,
    records=Which.__struct_fields__,
)
ENTRY = Operation(
    name=OperationName("compliance/entry"),
    summary="Show an entry of a book with its history.",
    asks=OneEntry,
    answers=Whole,
    handler=entry,
    purposed=False,
    records=("book", "number"),
)
DUE = Operation(
    name=OperationName("compliance/due"),
    summary="List what is due or overdue in all books, and whose turn it is.",
    asks=Within,
    answers=DueList,
    handler=due,
    purposed=False,
    records=("within",),
)
OPERATIONS = (BOOK_FORMS, ENTRIES, ENTRY, DUE)
