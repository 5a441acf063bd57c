"""監査・研修の実施状況: who is missing; and the evidence for an audit from outside (R182)."""

from appliance.plugin_api import Desk, Form, OperationName, Page, Paper, Screen
from plugins.compliance.screens.words import GROUP, PACKAGE, ask
from plugins.compliance.shelf import BOOKS

PATH, PACK = "/screens/compliance/overview", "/screens/compliance/pack"


def show(desk: Desk) -> Page:
    """Show whom and what audits and training have left out, as far as whoever asks oversees."""
    coverage = ask(desk, "coverage") if desk.may("compliance/coverage") else None
    removed = ask(desk, "removed")["removed"] if desk.may("compliance/removed") else None
    return Page(
        template="overview.html",
        data={
            "coverage": coverage,
            "lacking": ask(desk, "lacking"),
            "removed": removed,
            "titles": {book.name: book.title for book in BOOKS.values()},
        },
    )


def ask_pack(desk: Desk) -> Page:
    """Ask of which days, and of which offices."""
    offices = [each["office"] for each in ask(desk, "coverage")["offices"]]
    return Page(template="pack.html", data={"offices": offices})


def pack(desk: Desk, form: Form) -> Paper:
    """Put the archive together, to be saved."""
    form.need(since="期間の始まり", until="期間の終わり")
    days = {"since": form.day("since"), "until": form.day("until")}
    made = ask(desk, "pack", **days, offices=list(form.all("offices")))
    return Paper(
        content=made["archive"], media_type="application/zip", name="audit-pack.zip", saved=True
    )


SCREENS = [
    Screen(
        path=PATH,
        title="監査・研修の実施状況",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("compliance/lacking"),
        show=show,
    ),
    Screen(
        path=PACK,
        title="外部監査の資料",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("compliance/pack"),
        show=ask_pack,
        acts={"make": pack},
    ),
]
