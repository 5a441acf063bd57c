"""使用簿 at a terminal: the book of one's office, a line or a file written in it, corrections."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from appliance.plugin_api import (
    Desk,
    Form,
    OperationName,
    Page,
    Refusal,
    Rejected,
    Screen,
)
from plugins.usebook.screens_words import (
    PACKAGE,
    beside,
    clock,
    month_chosen,
    month_in_words,
    months,
    own,
    this_month,
    today,
)

LINES, ENTER, IMPORT, CORRECT = (
    f"usebook/{each}" for each in ("lines", "enter", "import", "correct")
)
PATH = "/screens/usebook/book"
PAGE = 100


def show(desk: Desk) -> Page:
    """Show this month of one's own office."""
    return _book(desk, this_month(desk), None)


def choose(desk: Desk, form: Form) -> Page:
    """Show a month, or what follows on its page; of another office, if he may read it."""
    return _book(desk, month_chosen(form), form.text("office"), before=form.number("before"))


def enter(desk: Desk, form: Form) -> Page:
    """Write one line."""
    written = _asked(desk, ENTER, _line(form))
    month, number = written["month"], written["number"]
    notice = f"{month_in_words(month)}の使用簿に、行番号{number}で記入しました。"
    return _book(desk, month, None, notice)


def take_in(desk: Desk, form: Form) -> Page:
    """Write the lines of a CSV file, all or none."""
    form.need(file="CSVファイル")
    chosen = form.file("file")
    content = b64encode(chosen.content).decode() if chosen else ""
    taken = _asked(desk, IMPORT, {"file": content})
    told = "、".join(
        f"{month_in_words(month)} {count}行" for month, count in taken["months"].items()
    )
    return _book(desk, max(taken["months"]), None, f"{taken['lines']}行を記入しました。{told}")


def line(desk: Desk, form: Form) -> Page:
    """Show one line in all its states."""
    return _one(desk, month_chosen(form), form.text("office"), form.number("number"))


def correct(desk: Desk, form: Form) -> Page:
    """Write a line anew; how it was stays readable."""
    form.need(why="訂正の理由")
    return _corrected(desk, form, {"line": _line(form), "why": form.text("why")}, "訂正しました。")


def strike(desk: Desk, form: Form) -> Page:
    """Strike a line out."""
    form.need(strike_why="抹消の理由")
    return _corrected(desk, form, {"why": form.text("strike_why")}, "抹消しました。")


def again(desk: Desk, form: Form) -> Page:
    """Return the page a button was pressed on: the line's if it was about one."""
    month = form.raw("month") or this_month(desk)
    try:
        if form.raw("number"):
            return _one(desk, month, form.text("office"), Form(form.fields).number("number"), form)
        return _book(desk, month, form.text("office"), kept=form)
    except Refusal:
        return _book(desk, this_month(desk), None, kept=form)


def _corrected(desk: Desk, form: Form, said: Mapping[str, Any], done: str) -> Page:
    month, number = month_chosen(form), form.number("number")
    _asked(desk, CORRECT, {"month": month, "number": number, **said})
    return _one(desk, month, None, number, notice=f"行番号{number}を{done}")


def _line(form: Form) -> dict[str, Any]:
    form.need(day="使用日", begins="開始時刻", operator="操作者ID", count="件数")
    purpose, _, reason = form.raw("use").partition("/")
    if not reason:
        form.wrong("use", "事務と利用事由を一覧から選んでください。")
    said = {
        "day": form.day("day"),
        "begins": clock(form, "begins"),
        "ends": clock(form, "ends"),
        "operator": form.text("operator"),
        "case": form.text("case"),
        "purpose": purpose,
        "reason": reason,
        "count": form.number("count"),
        "note": form.text("note"),
    }
    return {name: value for name, value in said.items() if value is not None}


def _asked(desk: Desk, operation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return desk.ask(operation, body)
    except Rejected as refused:
        if not desk.form.problems:
            raise beside(refused) from None
        raise


def _book(
    desk: Desk,
    month: str,
    office: str | None,
    notice: str = "",
    kept: Form | None = None,
    before: int | None = None,
) -> Page:
    found = desk.ask(LINES, {"month": month, **({"office": office} if office else {})})
    newest = [e for e in reversed(found["lines"]) if before is None or e["number"] < before]
    return Page(
        template="book.html",
        notice=notice,
        data={
            **_common(desk, found, kept),
            "lines": newest[:PAGE],
            "count": len(found["lines"]),
            "next": newest[PAGE - 1]["number"] if len(newest) > PAGE else None,
            "may_choose_office": not desk.may(ENTER),
        },
    )


def _one(
    desk: Desk,
    month: str,
    office: str | None,
    number: int | None,
    kept: Form | None = None,
    notice: str = "",
) -> Page:
    asked = {"month": month, "number": number, **({"office": office} if office else {})}
    found = desk.ask(LINES, asked)
    return Page(
        template="line.html",
        title=f"使用簿 {month_in_words(month)} 行番号{number}",
        notice=notice,
        data={**_common(desk, found, kept), "states": found["lines"], "line": found["lines"][-1]},
    )


def _common(desk: Desk, found: Mapping[str, Any], kept: Form | None) -> dict[str, Any]:
    month, office = found["month"], found["office"]
    writes = desk.may(ENTER) and own(desk, office) and not found["signed_off"]
    return {
        # What was written is not to be written again: the form is empty after a page was made.
        "form": kept or Form(),
        "month": month,
        "month_words": month_in_words(month),
        "months": months(desk, month),
        "office": office,
        "signed_off": found["signed_off"],
        "may_write": writes,
        "purposes": found["purposes"],
        "uses": _uses(found["purposes"]),
        "today": today(desk).isoformat(),
        "operator": desk.who.operator_id,
    }


def _uses(purposes: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"{code}/{reason}", f"{rule['label']}: {words}")
        for code, rule in purposes.items()
        for reason, words in rule["reasons"].items()
    ]


SCREENS = [
    Screen(
        path=PATH,
        title="使用簿",
        group="検索・提供",
        package=PACKAGE,
        needs=OperationName(LINES),
        show=show,
        acts={
            "month": choose,
            "enter": enter,
            "import": take_in,
            "line": line,
            "correct": correct,
            "strike": strike,
        },
        again=again,
    )
]
