"""The entries of the books: opened, taken from step to step, found again, and gone when over.

An entry is plain data, sealed as a paper in a register of its book::

    {"office": …, "state": …, "fields": {…}, "parent": {"book", "number"} or None,
     "ended": day or "", "steps": [{"step", "on", "at", "person", "operator", "office", "given"}]}

Two small indexes lie beside the registers, so that nobody has to read whole books: ``running``
(entries of which a clock runs) and ``over`` (those that have ended, by the last day they are kept).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from appliance.plugin_api import (
    Case,
    Entry,
    NotFound,
    NotPermitted,
    Operator,
    Papers,
    Problem,
)
from plugins.compliance import clocks, forms, people
from plugins.compliance.book import (
    OVERSEERS,
    Book,
    Given,
    Kind,
    Sheet,
    Spread,
    Step,
)
from plugins.compliance.rules import broken, problem
from plugins.compliance.shelf import BOOKS

RUNNING, OVER = "running", "over"
Opened = list[tuple[str, int]]
"""Book and number of entries that came of one request."""


def book_of(name: str) -> Book:
    """Return a book by its name.

    Raises:
        NotFound: there is none.
    """
    try:
        return BOOKS[name]
    except KeyError:
        raise NotFound("there is no such book; compliance/books names them") from None


def open_entry(case: Case, book: Book, given: Given) -> Opened:
    """Open an entry by hand; return it first, and then those that were opened with it.

    Raises:
        Rejected: what is given is not as it must be, or a rule is against it.
        NotPermitted: not by these roles.
    """
    step = book.opening
    _must_be_for(case, step)
    if not book.by_hand:
        raise broken([problem("C-15", "book")])
    given = _filled(case, step, given)
    _must_be_right(case, step, given, _blank(myself(case).office))
    return _write_first(case, book, given, myself(case).office, None)


def take_step(case: Case, book: Book, number: int, name: str, given: Given) -> Opened:
    """Take a step with an entry; return the entries that were opened by it.

    Raises:
        NotFound: there is no such entry or step, or it is another office's.
        NotPermitted: not by these roles, by this office or by this person.
        Rejected: not now, not so, or a rule is against it.
    """
    entry = entry_of(case, book, number)
    step = book.step(name)
    if step is None:
        raise NotFound("the book has no such step; compliance/books names them")
    _must_be_for(case, step)
    _must_be_by(case, step, entry)
    _must_be_now(book, step, entry)
    _must_be_right(case, step, given, entry)
    return write(case, book, number, step, entry, given)


def take_by_machine(case: Case, book: Book, number: int, step: Step, given: Given) -> None:
    """Take a step that is not in the table of its book: what is given was found out, not told.

    Raises:
        NotFound: there is no such entry, or it is another office's.
        NotPermitted: not by these roles.
        Rejected: not now.
    """
    entry = entry_of(case, book, number)
    _must_be_for(case, step)
    _must_be_now(book, step, entry)
    write(case, book, number, step, entry, given)


def entry_of(case: Case, book: Book, number: int) -> Entry:
    """Return an entry that the caller may see.

    Raises:
        NotFound: there is none, or it is another office's.
    """
    entry = book.register(case.papers).get(number)
    if not is_seen(case, book, entry):
        raise NotFound("the register has no entry of this number")
    return entry


def is_seen(case: Case, book: Book, entry: Mapping[str, Any]) -> bool:
    """Return whether the caller may see an entry: by role, as of his office, or named in it."""
    asking = myself(case)
    return (
        bool(case.actor.roles & OVERSEERS)
        or entry["office"] == asking.office
        or asking.person_id in _named(book, entry)
    )


def may_open(case: Case, book: Book) -> bool:
    """Return whether a role of the caller's opens an entry of this book by hand."""
    return book.by_hand and bool(case.actor.roles & set(book.opening.roles))


def is_his(case: Case, step: Step, entry: Entry) -> bool:
    """Return whether a step with an entry is the caller's: by role, office and person."""
    try:
        _must_be_for(case, step)
        _must_be_by(case, step, entry)
    except NotPermitted:
        return False
    return True


def myself(case: Case) -> Operator:
    """Return whoever asks.

    Raises:
        NotPermitted: nobody has logged in.
    """
    if case.actor.operator is None:
        raise NotPermitted("log in first")
    return case.actor.operator


def still_running(papers: Papers) -> Iterator[tuple[Book, int, Entry]]:
    """Yield what is known of every entry of which a clock runs, without opening it."""
    for key, paper in papers.every(RUNNING):
        name, _, number = key.partition("/")
        yield BOOKS[name], int(number), paper


def note_running(papers: Papers, book: Book, number: int, entry: Entry) -> None:
    """Note which clocks of an entry run; of one that has ended, how long it is kept."""
    key = f"{book.name}/{number:012}"
    if entry["ended"]:
        papers.drop(RUNNING, key)
        until = clocks.kept_until(book, date.fromisoformat(entry["ended"]))
        papers.replace(OVER, f"{until}/{key}", {})
        return
    due = {clock.name: day.isoformat() for clock, day in clocks.running(book, entry)}
    if not due:
        papers.drop(RUNNING, key)
        return
    papers.replace(RUNNING, key, {"office": entry["office"], "state": entry["state"], "due": due})


def _write_first(
    case: Case, book: Book, given: Given, office: str, parent: tuple[Book, int] | None
) -> Opened:
    entry = _blank(office)
    if parent is not None:
        entry["parent"] = {"book": parent[0].name, "number": parent[1]}
    number = book.register(case.papers).add(entry)
    return [(book.name, number), *write(case, book, number, book.opening, entry, given)]


def write(case: Case, book: Book, number: int, step: Step, before: Entry, given: Given) -> Opened:
    """Enter a step that may be taken, and whatever follows from it; return what it opened."""
    given = {name: value for name, value in given.items() if value not in (None, "", [])}
    asking, today = myself(case), case.request.today.isoformat()
    taken = {
        "step": step.name,
        "on": today,
        "at": case.request.now.isoformat(),
        "person": asking.person_id,
        "operator": asking.operator_id,
        "office": asking.office,
        "given": given,
    }
    state = step.to or before["state"]
    entry = {
        **before,
        "state": state,
        "fields": {**before["fields"], **given},
        "steps": [*before["steps"], taken],
        "ended": today if state in book.ends else "",
    }
    book.register(case.papers).amend(number, **entry)
    note_running(case.papers, book, number, entry)
    if step.effect is not None:
        step.effect(case, entry["fields"])
    return [] if step.opens is None else _spread(case, book, number, step.opens, entry)


def _spread(case: Case, book: Book, number: int, spread: Spread, entry: Entry) -> Opened:
    """Open what a step opens: one entry for each office, or for each item that is not right."""
    below, fields = BOOKS[spread.book], entry["fields"]
    carried = {name: fields[name] for name in spread.carried if name in fields}
    opened: Opened = []
    for each in fields[spread.by]:
        if isinstance(each, str):
            opened += _write_first(case, below, carried, each, (book, number))
        elif each["answer"] == "no":
            found = {**carried, "item": each["item"], "finding": each["remark"]}
            opened += _write_first(case, below, found, entry["office"], (book, number))
    return opened


def _must_be_for(case: Case, step: Step) -> None:
    if not case.actor.roles & set(step.roles):
        raise NotPermitted("no role of yours may take this step")


def _must_be_by(case: Case, step: Step, entry: Entry) -> None:
    """Refuse whom a step is not for, or who had a hand in what it confirms."""
    asking, fields = myself(case), entry["fields"]
    if step.own_office and entry["office"] != asking.office:
        raise NotPermitted("this step is for the office whose entry it is")
    if step.by_field and fields.get(step.by_field) != asking.person_id:
        raise NotPermitted("this step is for the person whom the entry names")
    had_a_hand = {taken["person"] for taken in entry["steps"] if taken["step"] in step.apart_from}
    named = {fields.get(name) for name in step.apart_from}
    if asking.person_id in had_a_hand | named:
        raise NotPermitted("a second person must do this")


def _must_be_now(book: Book, step: Step, entry: Entry) -> None:
    """Refuse a step that the state of an entry, or what was done before, does not allow."""
    taken = {each["step"] for each in entry["steps"]}
    if entry["state"] not in step.since:
        raise broken([problem("C-11", "step", state=book.states[entry["state"]])])
    if not step.to and not step.again and step.name in taken:
        raise broken([problem("C-12", "step")])
    for name in step.after:
        if name not in taken and (before := book.step(name)) is not None:
            raise broken([problem("C-13", "step", before=before.title)])
    if step.settles:
        left = [
            problem("C-14", "step", clock=clock.title) for clock, _ in clocks.running(book, entry)
        ]
        if left:
            raise broken(left)


def _must_be_right(case: Case, step: Step, given: Given, entry: Entry) -> None:
    """Refuse what is not as the fields say, or against a rule: every problem at once."""
    if found := [*forms.problems(step, given, case.request.today), *_strangers(case, step, given)]:
        raise broken(found)
    fields = {**entry["fields"], **given}
    sheet = Sheet(
        case=case,
        office=entry["office"],
        fields=fields,
        given=given,
        steps=tuple(entry["steps"]),
    )
    if against := [problem(number) for rule in step.rules for number in rule(sheet)]:
        raise broken(against)


def _strangers(case: Case, step: Step, given: Given) -> Iterator[Problem]:
    """Yield the fields that name a person or an office whom the roster does not know."""
    known = {
        Kind.PERSON: ("C-08", people.persons),
        Kind.PERSONS: ("C-08", people.persons),
        Kind.OFFICES: ("C-09", people.offices),
    }
    for field in step.fields:
        if field.kind in known and (value := given.get(field.name)):
            rule, everybody = known[field.kind]
            named = [value] if isinstance(value, str) else value
            if isinstance(named, list) and not set(map(str, named)) <= set(everybody(case)):
                yield problem(rule, field.name, title=field.title)


def _filled(case: Case, step: Step, given: Given) -> Given:
    """Return what is given, with every office where none is and all are meant."""
    blank = [f.name for f in step.fields if f.all_unless_given and not given.get(f.name)]
    return {**given, **{name: list(people.offices(case)) for name in blank}}


def _named(book: Book, entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield the 照合ID of everybody whom the fields of an entry name."""
    for step in book.steps:
        for field in step.fields:
            if field.kind is Kind.PERSON:
                yield entry["fields"].get(field.name, "")
            elif field.kind is Kind.PERSONS:
                yield from entry["fields"].get(field.name, ())


def _blank(office: str) -> Entry:
    return {
        "office": office,
        "state": "",
        "fields": {},
        "parent": None,
        "ended": "",
        "steps": [],
    }
