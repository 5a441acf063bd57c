"""The two forms that name somebody: for a mark, and for opening him together with another person.

Whom they are about comes from a page of a search, as a hidden ``ref`` that only this session can
use, or is typed in. Neither form is answered with anything of him.
"""

from typing import Any

from appliance.plugin_api import Desk, Form, OperationName, Page, Redirect, Screen
from plugins.protection.screens.book import latest
from plugins.protection.screens.words import GROUP, MARKING, OPENING, PACKAGE, WORDS, narrow

MARK, ASK = "protection/mark", "protection/ask-opening"
EVERY_KEY = frozenset({"resident_code", "my_number", "four"})


def show_marking(desk: Desk) -> Page:
    """Ask whom, by which 申出書, until when and why."""
    data = {**WORDS, "keys": EVERY_KEY, "latest": latest(desk)}
    return Page(template="mark.html", data=data)


def of_search(desk: Desk, form: Form) -> Page:
    """Ask the same of somebody who is shown by a search; his ``ref`` is in the form."""
    return show_marking(desk)


def mark(desk: Desk, form: Form) -> Redirect:
    """Ask for a mark."""
    form.need(form_number="申出書の番号", until="期限")
    if form.text("reason") not in WORDS["reasons"]:
        form.wrong("reason", "理由を選んでください。")
    asked = {
        "who": _who(form),
        "form_number": narrow(form, "form_number"),
        "until": form.day("until"),
        "reason": form.text("reason"),
    }
    told = desk.ask(MARK, asked)
    return Redirect(
        MARKING,
        f"要注意の登録を申請しました。受付番号は{told['number']}です。申出書に控えてください。"
        "別の職員が別の端末で承認すると有効になります。",
    )


def show_opening(desk: Desk) -> Page:
    """Ask what for, whom, and why."""
    grounds = desk.grounds(ASK)
    keys = frozenset[str]().union(*(each.grant.keys for each in grounds))
    return Page(template="opening.html", data={**WORDS, "grounds": grounds, "keys": keys})


def ask_opening(desk: Desk, form: Form) -> Redirect:
    """Ask a second person to agree that this session opens somebody."""
    form.need(why="開く理由")
    stated = form.stated()
    told = desk.ask(ASK, {"who": _who(form), "why": form.text("why") or ""}, **stated)
    return Redirect(
        OPENING,
        f"二人で開くことを求めました。受付番号は{told['number']}です。1時間以内に、別の職員が別の"
        "端末で承認すると、10分間開けます。ログアウトせずに待ち、承認後に操作してください。",
    )


def _who(form: Form) -> dict[str, Any]:
    given = {
        "ref": form.text("ref"),
        "resident_code": form.resident_code("resident_code"),
        "my_number": form.my_number("my_number"),
        "name": form.text("name"),
        "birth_date": form.date("birth_date"),
        "sex": form.text("sex"),
    }
    if not any(form.text(name) for name in given):
        form.wrong("who", "対象者を指定してください。")
    return {name: value for name, value in given.items() if value}


SCREENS = [
    Screen(
        path=MARKING,
        title="要注意の登録申請",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(MARK),
        show=show_marking,
        acts={"of-search": of_search, "ask": mark},
    ),
    Screen(
        path=OPENING,
        title="二人で開く申請",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(ASK),
        show=show_opening,
        acts={"ask": ask_opening},
    ),
]
