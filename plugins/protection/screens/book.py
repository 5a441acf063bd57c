"""The book of 要注意: what waits for a second person first, then the marks by their last day.

A request is read whole before anybody agrees to it; extending and lifting are pages of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from appliance.plugin_api import JST, Desk, Form, OperationName, Page, Redirect, Screen, Waiting
from plugins.protection.book import a_year_after
from plugins.protection.screens.words import BOOK, GROUP, KINDS, PACKAGE, WORDS, narrow

LIST, AGREE, REFUSE = "protection/list", "protection/agree", "protection/refuse"
EXTEND, LIFT = "protection/extend", "protection/lift"
MOST = 100
SOON = 31
"""A mark that ends within so many days: whether it goes on is asked now."""

Listed = Mapping[str, Any]


def show(desk: Desk) -> Page:
    """List what waits, and the marks that are in force or asked for."""
    return _listing(desk)


def pick(desk: Desk, form: Form) -> Page:
    """List the marks of a paper or a number, ended ones too where that is ticked."""
    return _listing(desk, narrow(form, "sought"), ended=form.ticked("ended"))


def request(desk: Desk, form: Form) -> Page | Redirect:
    """Show one request to whoever may agree to it."""
    number = form.number("number")
    shown = _request(desk, number)
    return shown or Redirect(BOOK, f"受付番号{number}は、もう承認を待っていません。")


def agree(desk: Desk, form: Form) -> Redirect:
    """Agree to a request."""
    number = form.number("number")
    agreed = desk.ask(AGREE, {"number": number})
    told = {
        "mark": "これから、この人の情報は二人でなければ開けません。",
        "lift": "要注意を解除しました。",
        "opening": "申請した職員は、これから10分間、対象者の情報を開けます。",
    }
    return Redirect(BOOK, f"受付番号{number}を承認しました。{told[agreed['kind']]}")


def refuse(desk: Desk, form: Form) -> Redirect:
    """Refuse a request, or take back one's own."""
    form.need(why="理由")
    number = form.number("number")
    refused = desk.ask(REFUSE, {"number": number, "why": form.text("why") or ""})
    return Redirect(BOOK, f"受付番号{number}({KINDS[refused['kind']]})を却下又は取り下げました。")


def extending(desk: Desk, form: Form) -> Page:
    """Ask until when a mark shall hold."""
    return _changing(desk, form, "extend")


def extend(desk: Desk, form: Form) -> Redirect:
    """Let a mark hold longer."""
    form.need(form_number="申出書の番号", until="延長後の期限")
    number = form.number("number")
    asked = {
        "number": number,
        "form_number": narrow(form, "form_number"),
        "until": form.day("until"),
    }
    desk.ask(EXTEND, asked)
    return Redirect(BOOK, f"要注意の番号{number}の期限を延長しました。")


def lifting(desk: Desk, form: Form) -> Page:
    """Ask why a mark shall go."""
    return _changing(desk, form, "lift")


def lift(desk: Desk, form: Form) -> Redirect:
    """Ask that a mark be taken off."""
    form.need(form_number="申出書の番号", why="解除の理由")
    number = form.number("number")
    asked = {
        "number": number,
        "form_number": narrow(form, "form_number"),
        "why": form.text("why") or "",
    }
    told = desk.ask(LIFT, asked)
    return Redirect(
        BOOK,
        f"要注意の番号{number}の解除を申請しました。受付番号は{told['number']}です。"
        "別の職員が別の端末で承認するまで、要注意は有効です。",
    )


def again(desk: Desk, form: Form) -> Page:
    """Return the page an act was pressed on, or the list if that has nothing to show any more."""
    step, number = form.raw("step"), Form(form.fields).number("number")
    if step == "request":
        return _request(desk, number) or _listing(desk)
    if step in ("extend", "lift"):
        return _changing(desk, Form(form.fields), step)
    return _listing(desk)


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say what waits for whoever may agree, and which marks end soon to whoever may extend them."""
    found = desk.ask(LIST, {})
    if desk.may(AGREE):
        kinds = [each["kind"] for each in found["waiting"] if not _is_own(desk, each)]
        opening = kinds.count("opening")
        yield Waiting("二人で開くことの承認待ち", opening, urgent=True)
        yield Waiting("要注意の登録・解除の承認待ち", len(kinds) - opening)
    if desk.may(EXTEND):
        ending = [e for e in found["marks"] if e["state"] == "in-force" and e["days_left"] <= SOON]
        yield Waiting("1か月以内に終わる要注意", len(ending))


def _listing(desk: Desk, sought: str | None = None, *, ended: bool = False) -> Page:
    found = desk.ask(LIST, {"ended": ended})
    marks = _fitting(found["marks"], sought)
    return Page(
        template="book.html",
        data={
            **WORDS,
            "waiting": found["waiting"],
            "marks": marks[:MOST],
            "count": len(marks),
            "narrowed": bool(sought) or ended,
            "soon": SOON,
            "me": desk.who.operator_id,
            "may_extend": desk.may(EXTEND),
            "may_lift": desk.may(LIFT),
        },
    )


def _fitting(marks: Sequence[Listed], sought: str | None) -> Sequence[Listed]:
    if sought is None:
        return marks
    return [each for each in marks if sought in (str(each["number"]), each["form_number"])]


def _request(desk: Desk, number: int | None) -> Page | None:
    found = desk.ask(LIST, {})
    each = next((each for each in found["waiting"] if each["number"] == number), None)
    if each is None:
        return None
    # What a request for a mark says of it stands with the marks.
    of = each["mark"] if each["kind"] == "lift" else number
    return Page(
        template="request.html",
        title=f"受付番号{number} {KINDS[each['kind']]}",
        data={
            **WORDS,
            "request": each,
            "mark": next((mark for mark in found["marks"] if mark["number"] == of), None),
            "own": _is_own(desk, each),
            "may_agree": desk.may(AGREE),
            "may_refuse": desk.may(REFUSE),
        },
    )


def _changing(desk: Desk, form: Form, step: str) -> Page:
    number = form.number("number")
    marks = desk.ask(LIST, {})["marks"]
    mark = next((m for m in marks if m["number"] == number and m["state"] == "in-force"), None)
    if mark is None:
        return _listing(desk)
    return Page(
        template="change.html",
        title=f"要注意の番号{number}の{'延長' if step == 'extend' else '解除'}",
        data={**WORDS, "mark": mark, "step": step, "latest": latest(desk)},
    )


def latest(desk: Desk) -> str:
    """Return the last day up to which a mark may hold that is asked for today."""
    today: date = desk.who.now.astimezone(JST).date()
    return a_year_after(today).isoformat()


def _is_own(desk: Desk, each: Listed) -> bool:
    return bool(each["asked_by"] == desk.who.operator_id)


SCREENS = [
    Screen(
        path=BOOK,
        title="要注意(支援措置等)",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(LIST),
        show=show,
        acts={
            "list": pick,
            "request": request,
            "agree": agree,
            "refuse": refuse,
            "extending": extending,
            "extend": extend,
            "lifting": lifting,
            "lift": lift,
        },
        again=again,
        waiting=waiting,
    )
]
