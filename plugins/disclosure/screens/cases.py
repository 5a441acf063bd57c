"""開示 at a terminal: the 受付簿 by due date, and one request from its receipt to its end (R63).

A paper is looked at before it is issued, marked 見本: what comes out of a printer without that mark
is in the 帳票管理簿. The page that shows it carries its hash, and is shown anew when what would be
issued has changed.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from appliance.plugin_api import (
    Desk,
    Form,
    NotFound,
    Onward,
    OperationName,
    Page,
    Paper,
    Protected,
    Redirect,
    Refusal,
    Screen,
    Waiting,
)
from plugins.disclosure.form import LABELS
from plugins.disclosure.receiving import ADVICE
from plugins.disclosure.screens.words import (
    CLOSED,
    DISCLOSURE,
    FORMS,
    GROUP,
    METHODS,
    PACKAGE,
    SEXES,
    WHICH,
    WORDS,
    ask,
    chosen,
    given,
    proofs,
    representative,
)

PATH, RECEIVING = "/screens/disclosure/cases", "/screens/disclosure/receive"
GUARDED = "要注意の方の請求である可能性があります。二人で開いて、突合してください。"
MOST = 100
STEPS = ("受付", "突合", "字形と内容の確認", "発行", "交付", "完了")
LOOKING = 3
REACHED = {"received": 2, "mismatch": 2, "several": 2, "matched": LOOKING, "absent": LOOKING}
REACHED |= {"issued": 5, "delivered": 6, "closed": 7}


def show(desk: Desk) -> Page:
    """List what is open, the most urgent first."""
    return listing(desk, "disclosure", DISCLOSURE, "open")


def listing(desk: Desk, kind: str, why: str, which: str, receiving: str = RECEIVING) -> Page:
    """List cases of a kind."""
    found = ask(desk, why, "cases", kind=kind, which=which, limit=MOST)
    data = {**WORDS, "cases": found["cases"], "count": found["count"], "which": which}
    return Page(template="cases.html", data={**data, "kind": kind, "receiving": receiving})


def which_of(form: Form) -> str:
    """Return which cases are chosen: the open ones without a choice."""
    return form.raw("which") if form.raw("which") in WHICH else "open"


def pick(desk: Desk, form: Form) -> Page:
    """List the cases that are chosen."""
    return listing(desk, "disclosure", DISCLOSURE, which_of(form))


def whole(desk: Desk, form: Form) -> Page:
    """Open one case."""
    return opened(desk, form.number("number"))


def opened(desk: Desk, number: int | None, notice: str = "") -> Page:
    """Show a case whole, with the step that is next."""
    case = case_of(desk, DISCLOSURE, "disclosure", number)
    papers = ask(desk, DISCLOSURE, "sheets", number=number)["sheets"]
    return Page(
        template="case.html",
        title=f"開示 受付番号{number}",
        resident=True,
        notice=notice,
        data={
            **WORDS,
            "case": case,
            "papers": papers,
            "steps": STEPS,
            "reached": REACHED[case["state"]],
            "advice": ADVICE.get(case["state"], ""),
            "path": PATH,
            "sheets_path": "/screens/disclosure/sheets",
        },
    )


def case_of(desk: Desk, why: str, kind: str, number: int | None) -> Mapping[str, Any]:
    """Return a case of a kind.

    Raises:
        NotFound: there is none of this number; one of the other kind has a screen of its own.
    """
    case = ask(desk, why, "case", number=number)
    if case["kind"] != kind:
        raise NotFound("the register has no entry of this number")
    return case


def again(desk: Desk, form: Form) -> Page:
    """Return what an act was pressed on: a paper as it is now, a case, or the list."""
    number = Form(form.fields).number("number")
    if number is None:
        return show(desk)
    if form.raw("sha256"):
        with suppress(Refusal):
            return looked_at(desk, number)
    try:
        return opened(desk, number)
    except Refusal:
        return show(desk)


def match(desk: Desk, form: Form) -> Page:
    """Do the 突合; the page says what it came to and what is next."""
    number = form.number("number")
    ask(desk, DISCLOSURE, "match", number=number, confirmed=form.ticked("confirmed"))
    return opened(desk, number, "突合しました。")


def amend(desk: Desk, form: Form) -> Page:
    """補正."""
    number = form.number("number")
    changed = given(received_on=form.day("received_on"), stamps_yen=form.number("stamps_yen"))
    if form.ticked("subject_too"):
        changed["subject"] = _subject(form)
    ask(desk, DISCLOSURE, "amend", number=number, **changed)
    return opened(desk, number, "補正を登録しました。")


def preview(desk: Desk, form: Form) -> Page:
    """Show what would be issued."""
    return looked_at(desk, form.number("number"))


def looked_at(desk: Desk, number: int | None) -> Page:
    """Show what would be issued, and which shapes must be looked at; it is issued from there."""
    seen = ask(desk, DISCLOSURE, "preview", number=number)
    shapes = [
        (LABELS.get(each["item"], "記載"), _written(each["character"])) for each in seen["shapes"]
    ]
    return Page(
        template="preview.html",
        title=f"発行する内容の確認 受付番号{number}",
        resident=True,
        paper=Paper(content=seen["pdf"], media_type="application/pdf", name="specimen.pdf"),
        data={
            **WORDS,
            "seen": seen,
            "shapes": shapes,
            "steps": STEPS,
            "reached": LOOKING,
            "path": PATH,
        },
    )


def _written(points: str) -> tuple[str, str]:
    """Return a character and its code points."""
    return "".join(chr(int(each[2:], 16)) for each in points.split()), points


def issue(desk: Desk, form: Form) -> Paper:
    """Put out the 確認書, or the notice that there is nothing, as it was looked at."""
    number, seen = form.number("number"), form.raw("sha256")
    # Ticked beside another preview, the box says nothing of this one.
    shapes_seen = bool(seen) and form.raw("shapes_seen") == seen
    made = ask(desk, DISCLOSURE, "issue", number=number, sha256=seen, shapes_seen=shapes_seen)
    return printed(made, to_case(PATH, number))


def extend(desk: Desk, form: Form) -> Paper:
    """Put the disclosure off, and put out the notice of it."""
    form.need(until="延長後の期限", extension_why="延長の理由")
    told = given(until=form.day("until"), why=form.text("extension_why"), again=form.text("again"))
    told["shapes_seen"] = form.ticked("shapes_seen")
    made = ask(desk, DISCLOSURE, "extend", number=form.number("number"), **told)
    return printed(made, to_case(PATH, form.number("number")))


def printed(made: Mapping[str, Any], back: Onward | None = None) -> Paper:
    """Return a sheet as it is opened and printed, and what leads on from there."""
    return Paper(
        content=made["pdf"],
        media_type="application/pdf",
        name=f"sheet-{made['sheet']}.pdf",
        title=f"{FORMS[made['form']]} 帳票番号{made['sheet']}",
        back=back,
    )


def to_case(path: str, number: int | None) -> Onward:
    """Return the way back to a case, where its 交付 is entered."""
    return Onward("この事案に戻る", f"{path}/case", {"number": str(number)})


def deliver(desk: Desk, form: Form) -> Page:
    """Enter the 交付 of a sheet."""
    handed(desk, DISCLOSURE, form)
    return opened(desk, form.number("number"), "交付を登録しました。")


def handed(desk: Desk, why: str, form: Form) -> Mapping[str, Any]:
    """Ask that a sheet be entered as handed over."""
    told = given(method=chosen(form, "method", METHODS, "交付の方法"), on=form.day("on"))
    return ask(desk, why, "deliver", sheet=form.number("sheet"), **told)


def close(desk: Desk, form: Form) -> Page:
    """End a case."""
    return opened(desk, closed(desk, DISCLOSURE, form), "事案を終了しました。")


def closed(desk: Desk, why: str, form: Form) -> int | None:
    """Ask that a case be closed; return its number."""
    number = form.number("number")
    ask(desk, why, "close", number=number, why=chosen(form, "why_closed", CLOSED, "終了の区分"))
    return number


def ask_receipt(desk: Desk) -> Page:
    """Ask for a 本人確認情報開示請求書 as it was handed in."""
    return Page(template="receive.html", data={**WORDS, "cases_path": PATH})


def receive(desk: Desk, form: Form) -> Page | Redirect:
    """Enter a request; go on with its case, or say that two persons do."""
    body = {
        "method": chosen(form, "method", METHODS, "受付の方法"),
        "subject": _subject(form),
        "identity": proofs(form),
        "stamps_yen": form.number("stamps_yen") or 0,
        **given(received_on=form.day("received_on"), representative=representative(form)),
    }
    number = ask(desk, DISCLOSURE, "receive", **body)["number"]
    notice = f"受付番号{number}で受け付けました。"
    try:
        return opened(desk, number, notice)
    except Protected:
        return Redirect(PATH, f"{notice}{GUARDED}")


def _subject(form: Form) -> dict[str, Any]:
    form.need(name="氏名", birth_date="生年月日", address="住所")
    return {
        "name": form.text("name"),
        "birth_date": form.date("birth_date"),
        "sex": chosen(form, "sex", SEXES, "性別"),
        "address": form.text("address"),
        **given(resident_code=form.resident_code("resident_code")),
    }


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say how many cases of either kind are late."""
    count = ask(desk, DISCLOSURE, "cases", which="overdue", limit=1)["count"]
    return [Waiting("期限を過ぎた開示・訂正等の事案", count, urgent=True)]


SCREENS = [
    Screen(
        path=PATH,
        title="開示",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("disclosure/cases"),
        show=show,
        acts={
            "list": pick,
            "case": whole,
            "match": match,
            "amend": amend,
            "preview": preview,
            "issue": issue,
            "extend": extend,
            "deliver": deliver,
            "close": close,
        },
        again=again,
        waiting=waiting,
    ),
    Screen(
        path=RECEIVING,
        title="開示請求の受付",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("disclosure/receive"),
        show=ask_receipt,
        acts={"enter": receive},
    ),
]
