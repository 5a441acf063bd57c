"""自己点検: the sheets of a 年度 and how far each office is, years back (R174 to R177)."""

from collections import Counter
from datetime import date
from typing import Any

from appliance.plugin_api import Desk, Form, OperationName, Page, Screen
from plugins.compliance.books.selfcheck import CAMPAIGN, SHEET
from plugins.compliance.clocks import fiscal_year
from plugins.compliance.screens import entry
from plugins.compliance.screens.words import (
    GROUP,
    PACKAGE,
    Data,
    ask,
    chip,
    days_left,
    this_year,
)

PATH = "/screens/compliance/self-check"
AT_ONCE = 1000


def show(desk: Desk) -> Page:
    """List the sheets of the last 年度 in which any was asked for."""
    return _list(desk, None, "")


def pick(desk: Desk, form: Form) -> Page:
    """List the sheets of a 年度, in a state."""
    state = form.raw("state")
    return _list(desk, form.number("year"), state if state in SHEET.states else "")


def again(desk: Desk, form: Form) -> Page:
    """Return the entry or form that an act was pressed on, or the list."""
    return entry.again(desk, form) or show(desk)


def _list(desk: Desk, year: int | None, state: str) -> Page:
    lines = _lines(desk)
    years = sorted({_year(line) for line in lines}, reverse=True)
    chosen = year if year in years else next(iter(years), this_year(desk))
    asked_then = [line for line in lines if _year(line) == chosen]
    counts = Counter(line["state"] for line in asked_then)
    return Page(
        template="selfcheck.html",
        data={
            "book": SHEET,
            "campaign": CAMPAIGN,
            "may_ask": any(
                each["name"] == CAMPAIGN.name and each["yours"]
                for each in ask(desk, "books")["books"]
            ),
            "year": chosen,
            "years": years,
            "state": state,
            "total": len(asked_then),
            "counts": [(title, counts[name]) for name, title in SHEET.states.items()],
            "lines": [
                (line, chip(SHEET, line["state"]), days_left(desk, line["due"]))
                for line in asked_then
                if state in ("", line["state"])
            ],
        },
    )


def _lines(desk: Desk) -> list[Data]:
    found: list[Data] = []
    after: Any = 0
    while after is not None:
        page = ask(desk, "entries", book=SHEET.name, after=after, limit=AT_ONCE)
        found += page["entries"]
        after = page["next"]
    return found


def _year(line: Data) -> int:
    return fiscal_year(date.fromisoformat(line["opened_on"]))


SCREENS = [
    Screen(
        path=PATH,
        title="自己点検",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("compliance/entries"),
        show=show,
        acts={"list": pick, **entry.ACTS},
        again=again,
    )
]
