"""One entry of any book: shown with its history, printed, and taken from step to step.

The acts are shared by every screen that leads to an entry; ``book``, ``number`` and ``step`` come
with the form, and which steps somebody is offered is what ``compliance/entry`` says of him.
"""

from collections.abc import Mapping
from typing import Any

from appliance.plugin_api import Desk, Form, Page, Refusal, Rejected
from plugins.compliance.book import ANSWERS, Book, Field, Kind, Step
from plugins.compliance.books.selfcheck import SHEET
from plugins.compliance.screens import filling
from plugins.compliance.screens.words import Data, ask, called, chip, days_left, this_year
from plugins.compliance.shelf import BOOKS

COUNTED = "compliance/count-affected"
WAY = ("依頼", "記入", "責任者の確認", "受理")
REACHED = {"asked": 2, "returned": 2, "answered": 3, "confirmed": 4, "accepted": 5}
"""Of a sheet of the 自己点検: which part of the way is under way."""
CHOSEN_WRONG = "一覧から選び直してください。"


def whole(desk: Desk, form: Form) -> Page:
    """Open the entry that was chosen."""
    return opened(desk, book_of(form), form.number("number"))


def opened(desk: Desk, book: Book, number: int | None, notice: str = "") -> Page:
    """Show an entry with its history and what can be done with it now."""
    return Page(
        template="entry.html",
        title=f"{book.title} {number}",
        notice=notice,
        data=_told(desk, book, number),
    )


def paper(desk: Desk, form: Form) -> Page:
    """Show an entry as it is printed and put into the file."""
    book, number = book_of(form), form.number("number")
    data = _told(desk, book, number)
    fields = data["told"]["fields"]
    # Whoever walks round with a paper first needs the questions.
    unanswered = [
        (field.title, filling.items(field))
        for step in book.possible(data["entry"]["state"])
        for field in step.fields
        if field.kind is Kind.CHECKS and field.name not in fields
    ]
    data["unanswered"] = unanswered
    return Page(template="sheet.html", title=f"{book.title} {number}", prints=True, data=data)


def blank(desk: Desk, form: Form) -> Page:
    """Show the form of a step with an entry."""
    book, number = book_of(form), form.number("number")
    step = _step_of(book, form)
    told = ask(desk, "entry", book=book.name, number=number)
    before = [taken["given"] for taken in told["steps"] if taken["step"] == step.name]
    return Page(
        template="step.html",
        title=f"{step.title} ({book.title} {number})",
        data={
            **_form(desk, book, step, before[-1] if before else {}),
            "number": number,
            "told": told,
        },
    )


def first(desk: Desk, form: Form) -> Page:
    """Show the form that opens an entry."""
    book = book_of(form)
    step = book.opening
    data = {**_form(desk, book, step, {}), "number": None}
    return Page(template="step.html", title=f"{step.title} ({book.title})", data=data)


def begin(desk: Desk, form: Form) -> Page:
    """Open an entry; go on with it."""
    book = book_of(form)
    made = ask(desk, "open", book=book.name, given=filling.given(book.opening, form))
    notice = f"{book.title}の登録番号{made['number']}で登録しました。{_followed(made)}"
    return opened(desk, book, made["number"], notice)


def take(desk: Desk, form: Form) -> Page:
    """Take a step; show the entry as it then is."""
    book, number = book_of(form), form.number("number")
    step = _step_of(book, form)
    body = {"book": book.name, "number": number, "step": step.name}
    made = ask(desk, "step", **body, given=filling.given(step, form))
    state = made["state_title"]
    notice = f"「{step.title}」を登録しました。現在の状態は「{state}」です。{_followed(made)}"
    return opened(desk, book, number, notice)


def count(desk: Desk, form: Form) -> Page:
    """Count in the ledger whom an incident may concern."""
    form.need(since="期間の始まり", until="期間の終わり")
    number = form.number("number")
    filters = ("operator", "person", "terminal", "office", "operation")
    body = {name: form.text(name) for name in filters}
    days = {"since": form.day("since"), "until": form.day("until")}
    made = ask(desk, "count-affected", number=number, **days, **body)
    notice = (
        f"対象者は{made['persons']}人です。操作履歴{made['entries']}件から集計し、登録しました。"
    )
    return opened(desk, BOOKS["incident"], number, notice)


def again(desk: Desk, form: Form) -> Page | None:
    """Return the page that an act of these was pressed on; None: not one of these."""
    typed = Form(form.fields)
    if typed.raw("book") not in BOOKS:
        return None
    try:
        if typed.number("number") is None:
            return first(desk, typed)
        return blank(desk, typed) if typed.raw("step") else whole(desk, typed)
    except Refusal:
        return None


def book_of(form: Form) -> Book:
    """Return the book that was chosen.

    Raises:
        Rejected: none of them.
    """
    book = BOOKS.get(form.raw("book"))
    if book is None:
        raise Rejected(CHOSEN_WRONG)
    return book


def _step_of(book: Book, form: Form) -> Step:
    step = book.step(form.raw("step"))
    if step is None:
        raise Rejected(CHOSEN_WRONG)
    return step


def _told(desk: Desk, book: Book, number: int | None) -> dict[str, Any]:
    told = ask(desk, "entry", book=book.name, number=number)
    entry = told["entry"]
    steps = {step.name: step for step in book.possible(entry["state"])}
    counts = book.name == "incident" and entry["ended_on"] is None and desk.may(COUNTED)
    return {
        "book": book,
        "told": told,
        "entry": entry,
        "chip": chip(book, entry["state"]),
        "days_left": days_left(desk, entry["due"]),
        "clocks": {clock.name: clock.title for clock in book.clocks},
        "fields": filling.shown(book, told["fields"]),
        "history": [(taken, filling.shown(book, taken["given"])) for taken in told["steps"]],
        "summed": filling.summed,
        "answers": ANSWERS,
        "yours": [steps[name] for name in told["yours"]],
        "others": [(step.title, called(step.roles)) for step in steps.values()],
        "parent_title": BOOKS[told["parent"]["book"]].title if told["parent"] else "",
        "counts": counts,
        "way": WAY if book is SHEET else (),
        "reached": REACHED.get(entry["state"], 0) if book is SHEET else 0,
    }


def _form(desk: Desk, book: Book, step: Step, before: Data) -> dict[str, Any]:
    return {
        "book": book,
        "step": step,
        "before": {
            field.name: _typed(desk, field, before.get(field.name)) for field in step.fields
        },
        "offices": _offices(desk, step),
        "items": filling.items,
        "answers": ANSWERS,
        "flags": filling.FLAGS,
        "ends": bool(step.to) and step.to in book.ends,
        "kinds": Kind,
    }


def _typed(desk: Desk, field: Field, value: Any) -> Any:
    """Return what stands in a field before anything is typed."""
    if field.kind is Kind.CHECKS:
        return {check["item"]: check for check in value or ()}
    if field.name == "fiscal_year":
        return this_year(desk)
    if field.kind is Kind.FLAG:
        return None if value is None else "yes" if value else "no"
    if field.kind in (Kind.LINES, Kind.PERSONS):
        return "\n".join(value or ())
    return value


def _offices(desk: Desk, step: Step) -> list[str]:
    """Return the offices of the roster for a step that asks for some, as far as may be known."""
    asks = any(field.kind is Kind.OFFICES for field in step.fields)
    if not asks or not desk.may("compliance/coverage"):
        return []
    return [each["office"] for each in ask(desk, "coverage")["offices"]]


def _followed(made: Mapping[str, Any]) -> str:
    opened_too = made["opened"]
    if not opened_too:
        return ""
    title = BOOKS[opened_too[0]["book"]].title
    return f"{title}を{len(opened_too)}件登録しました。"


ACTS = {
    "entry": whole,
    "paper": paper,
    "form": blank,
    "take": take,
    "new": first,
    "open": begin,
    "count": count,
}
