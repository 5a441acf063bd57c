"""本人確認情報利用記録 at a terminal: who looked at one person, and the same on paper for him.

The 住民票コード comes and goes in the body of a POST; a page shows its last four digits.
"""

from typing import Any

from appliance.plugin_api import Desk, Form, OperationName, Page, Paper, Rejected, Screen
from plugins.ledger.persons import TITLE
from plugins.ledger.screens_words import GROUP, PACKAGE, PERIOD, WORDS, period, rows

PERSON, REPORT = "ledger/person", "ledger/report"
PATH = "/screens/ledger/person"
PAGE = 50
CODE = "resident_code"


def show(desk: Desk) -> Page:
    """Ask about whom."""
    return Page(template="person.html", data={"may_print": desk.may(REPORT)})


def look(desk: Desk, form: Form) -> Page:
    """List the entries about one person."""
    found = desk.ask(PERSON, {**_about(form), "limit": PAGE})
    code = form.resident_code(CODE) or ""
    names = (CODE, *PERIOD)
    return Page(
        template="person_entries.html",
        title="利用記録の一覧",
        resident=True,
        data={
            **WORDS,
            "entries": rows(found["entries"]),
            "next": found["next"],
            "ending": code[-4:],
            "since": form.day("since"),
            "until": form.day("until"),
            "carried": {name: form.raw(name) for name in names if form.raw(name)},
            "may_print": desk.may(REPORT),
            "may_open": desk.may("ledger/search"),
            "operations": "/screens/ledger/operations",
        },
    )


def paper(desk: Desk, form: Form) -> Paper:
    """Print the entries about one person, for himself."""
    made = desk.ask(REPORT, {**_about(form), "operators": form.ticked("operators")})
    return Paper(
        content=made["pdf"],
        media_type="application/pdf",
        name=f"access-report-{made['sha256'][:12]}.pdf",
        title=f"{TITLE} {made['count']}件",
    )


def _about(form: Form) -> dict[str, Any]:
    form.need(resident_code="住民票コード")
    about = {"by": {CODE: form.resident_code(CODE)}, **period(form)}
    before = form.number("before")
    if form.problems:
        raise Rejected("入力内容を確認してください。", problems=tuple(form.problems))
    return about if before is None else {**about, "before": before}


SCREENS = [
    Screen(
        path=PATH,
        title=TITLE,
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(PERSON),
        show=show,
        acts={"list": look, "paper": paper},
    )
]
