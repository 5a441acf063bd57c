"""簿冊 and 期限: every book of audit support, its entries, and what is due in any of them."""

from collections.abc import Iterable

from appliance.plugin_api import Desk, Form, OperationName, Page, Screen, Waiting
from plugins.compliance.screens import entry
from plugins.compliance.screens.words import GROUP, PACKAGE, ask, called, chip, days_left
from plugins.compliance.shelf import BOOKS

PATH, DUE = "/screens/compliance/books", "/screens/compliance/due"
AT_ONCE = 100
PERIODS = {"7": "7日以内", "30": "30日以内", "90": "90日以内", "365": "1年以内"}
"""Days ahead of which the deadlines are shown; what is overdue always is."""
SOON = 7
STATES = {"unfinished": "未了のもの", "all": "すべて"}
"""Choices beside the states of a book itself."""


def show(desk: Desk) -> Page:
    """Show which books there are, and which of them whoever asks may open an entry of."""
    found = ask(desk, "books")["books"]
    return Page(template="books.html", data={"books": found})


def listing(desk: Desk, form: Form) -> Page:
    """List the entries of a book: so many at once, those that are not over at first."""
    book = entry.book_of(form)
    state = form.raw("state") or "unfinished"
    office, after = form.text("office"), form.number("after") or 0
    found = ask(
        desk,
        "entries",
        book=book.name,
        office=office,
        state=state if state in book.states else None,
        unfinished=True if state == "unfinished" else None,
        after=after,
        limit=AT_ONCE,
    )
    return Page(
        template="entries.html",
        title=book.title,
        data={
            "book": book,
            "states": {**STATES, **book.states},
            "state": state,
            "carried": {"book": book.name, "state": state, "office": office or ""},
            "after": after,
            "next": found["next"],
            "lines": [
                (line, chip(book, line["state"]), days_left(desk, line["due"]))
                for line in found["entries"]
            ],
        },
    )


def again(desk: Desk, form: Form) -> Page:
    """Return the entry or form that an act was pressed on, or the books."""
    return entry.again(desk, form) or show(desk)


def show_due(desk: Desk) -> Page:
    """List what is due within a month."""
    return _due(desk, "30")


def pick_due(desk: Desk, form: Form) -> Page:
    """List what is due within a time."""
    within = form.raw("within")
    return _due(desk, within if within in PERIODS else "30")


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say what is overdue, and what is due within a week."""
    found = ask(desk, "due", within=SOON)
    late = found["overdue"]
    yield Waiting("期限を過ぎた手続", late, urgent=True)
    yield Waiting(f"{SOON}日以内に期限となる手続", len(found["due"]) - late)


def _due(desk: Desk, within: str) -> Page:
    found = ask(desk, "due", within=int(within))
    return Page(
        template="due.html",
        data={
            "found": found,
            "within": within,
            "periods": PERIODS,
            "lines": [(each, _then(each["book"], each["steps"])) for each in found["due"]],
            "called": called,
            "books_path": PATH,
        },
    )


def _then(book: str, steps: Iterable[str]) -> str:
    known = (BOOKS[book].step(name) for name in steps)
    return "、".join(step.title for step in known if step is not None)


SCREENS = [
    Screen(
        path=PATH,
        title="監査・研修・委託・事故の簿冊",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("compliance/books"),
        show=show,
        acts={"list": listing, **entry.ACTS},
        again=again,
    ),
    Screen(
        path=DUE,
        title="簿冊の期限",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("compliance/due"),
        show=show_due,
        acts={"list": pick_due},
        waiting=waiting,
    ),
]
