"""訂正等の申出 at a terminal: from the wish to the written result (R75, R76, R82)."""

from collections.abc import Mapping
from typing import Any

from appliance.plugin_api import (
    Answered,
    Desk,
    Form,
    Municipalities,
    OperationName,
    Page,
    Paper,
    Refusal,
    Screen,
)
from plugins.disclosure.form import LABELS
from plugins.disclosure.letters import WISHES
from plugins.disclosure.screens.cases import (
    case_of,
    closed,
    handed,
    listing,
    printed,
    to_case,
    which_of,
)
from plugins.disclosure.screens.words import (
    CORRECTION,
    FINDINGS,
    GROUP,
    METHODS,
    OUTCOMES,
    PACKAGE,
    WORDS,
    ask,
    chosen,
    given,
    proofs,
    representative,
)

PATH, RECEIVING = "/screens/disclosure/corrections", "/screens/disclosure/correct"
CONCERNED = (
    "resident_code",
    "name",
    "birth_date",
    "sex",
    "address",
    "my_number",
    "reason",
    "effective_date",
)
STEPS = ("受付", "調査", "通報", "通知の関連付け", "結果の通知", "交付", "完了")
REACHED = {"received": 2, "investigated": 3, "reported": 4, "linked": 5}
REACHED |= {"issued": 6, "delivered": 7, "closed": 8}


def show(desk: Desk) -> Page:
    """List what is open, the most urgent first."""
    return listing(desk, "correction", CORRECTION, "open", RECEIVING)


def pick(desk: Desk, form: Form) -> Page:
    """List the cases that are chosen."""
    return listing(desk, "correction", CORRECTION, which_of(form), RECEIVING)


def whole(desk: Desk, form: Form) -> Page:
    """Open one case."""
    return opened(desk, form.number("number"))


def opened(desk: Desk, number: int | None, notice: str = "") -> Page:
    """Show a case whole, with the step that is next."""
    case = case_of(desk, CORRECTION, "correction", number)
    papers = ask(desk, CORRECTION, "sheets", number=number)["sheets"]
    found = (case["investigated"] or {}).get("finding")
    return Page(
        template="correction.html",
        title=f"訂正等の申出 受付番号{number}",
        resident=True,
        notice=notice,
        data={
            **WORDS,
            "case": case,
            "papers": papers,
            "steps": STEPS,
            "reached": _reached(case),
            "finding": found,
            "allowed": _allowed(case, found),
            "places": _places(desk.who.prefecture),
            "path": PATH,
            "sheets_path": "/screens/disclosure/sheets",
        },
    )


def again(desk: Desk, form: Form) -> Page:
    """Return the case an act was pressed on, or the list."""
    number = Form(form.fields).number("number")
    if number is None:
        return show(desk)
    try:
        return opened(desk, number)
    except Refusal:
        return show(desk)


def investigate(desk: Desk, form: Form) -> Page:
    """Enter what the investigation came to."""
    number = form.number("number")
    finding = chosen(form, "finding", FINDINGS, "調査の結果")
    form.need(account="調査の内容")
    ask(
        desk,
        CORRECTION,
        "investigate",
        number=number,
        finding=finding,
        account=form.text("account"),
    )
    return opened(desk, number, "調査の結果を登録しました。")


def report(desk: Desk, form: Form) -> Answered:
    """通報: a message, or a 通報書 where nothing is recorded."""
    number = form.number("number")
    told = given(municipality_code=form.text("municipality_code"))
    told["shapes_seen"] = form.ticked("shapes_seen")
    made = ask(desk, CORRECTION, "report", number=number, **told)
    if made.get("paper"):
        return printed(made["paper"], to_case(PATH, number))
    return opened(desk, number, "市町村長に通報しました。")


def link(desk: Desk, form: Form) -> Page:
    """Link what the municipality notified."""
    number = form.number("number")
    ask(desk, CORRECTION, "link", number=number)
    return opened(desk, number, "市町村長からの通知を関連付けました。")


def result(desk: Desk, form: Form) -> Paper:
    """Put out the written result."""
    form.need(explanation="説明")
    outcome = chosen(form, "outcome", OUTCOMES, "結果")
    told = {
        "outcome": outcome,
        "explanation": form.text("explanation"),
        "shapes_seen": form.ticked("shapes_seen"),
    }
    number = form.number("number")
    return printed(ask(desk, CORRECTION, "result", number=number, **told), to_case(PATH, number))


def deliver(desk: Desk, form: Form) -> Page:
    """Enter the 交付 of a sheet."""
    handed(desk, CORRECTION, form)
    return opened(desk, form.number("number"), "交付を登録しました。")


def close(desk: Desk, form: Form) -> Page:
    """End a case."""
    return opened(desk, closed(desk, CORRECTION, form), "事案を終了しました。")


def ask_receipt(desk: Desk) -> Page:
    """Ask for a 申出書 as it was handed in."""
    items = [(item, LABELS[item]) for item in CONCERNED]
    return Page(template="correct.html", data={**WORDS, "items": items, "cases_path": PATH})


def correct(desk: Desk, form: Form) -> Page:
    """Enter a wish; go on with its case."""
    form.need(disclosure="開示の受付番号", claim="申出の内容")
    items = [each for each in form.all("items") if each in CONCERNED]
    if not items:
        form.wrong("items", "申出に係る項目を選んでください。")
    body = {
        "disclosure": form.number("disclosure"),
        "method": chosen(form, "method", METHODS, "受付の方法"),
        "identity": proofs(form),
        "wish": chosen(form, "wish", WISHES, "申出の種類"),
        "items": items,
        "claim": form.text("claim"),
        **given(received_on=form.day("received_on"), representative=representative(form)),
    }
    number = ask(desk, CORRECTION, "correct", **body)["number"]
    return opened(desk, number, f"受付番号{number}で受け付けました。")


def _reached(case: Mapping[str, Any]) -> int:
    """Return the step under way; a wish that is unfounded is neither reported nor linked."""
    if case["state"] == "investigated" and case["investigated"]["finding"] == "no-error":
        return REACHED["linked"]
    return REACHED[case["state"]]


def _allowed(case: Mapping[str, Any], finding: str | None) -> list[tuple[str, str]]:
    """Return the results that what was done does not contradict; none yet, if it is too early."""
    if case["issued"] or finding is None or (finding == "error" and not case["reported"]):
        return []
    fitting = ("corrected", "partly") if case["linked"] else ("not-corrected",)
    return [(each, OUTCOMES[each]) for each in fitting]


def _places(prefecture: str) -> list[tuple[str, str]]:
    """Return the municipalities of a prefecture, by code."""
    return [(each.code, each.full_name) for each in Municipalities.load().named(prefecture)]


SCREENS = [
    Screen(
        path=PATH,
        title="訂正等の申出",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("disclosure/cases"),
        show=show,
        acts={
            "list": pick,
            "case": whole,
            "investigate": investigate,
            "report": report,
            "link": link,
            "result": result,
            "deliver": deliver,
            "close": close,
        },
        again=again,
    ),
    Screen(
        path=RECEIVING,
        title="訂正等の申出の受付",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("disclosure/correct"),
        show=ask_receipt,
        acts={"enter": correct},
    ),
]
