"""使用簿突合 at a terminal: what does not come out, why, and the 締め of a month with its paper."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from appliance.plugin_api import (
    Desk,
    Form,
    NotFound,
    OperationName,
    Page,
    Paper,
    Refusal,
    Rejected,
    Screen,
    Waiting,
)
from plugins.usebook.book import month_before
from plugins.usebook.closing import due_on
from plugins.usebook.held import DIFFERS
from plugins.usebook.reviewing import TOLERANCE
from plugins.usebook.screens_paper import confirmation
from plugins.usebook.screens_words import (
    KIND_HINTS,
    KINDS,
    PACKAGE,
    STATES,
    a_year_before,
    beside,
    by_number,
    month_chosen,
    month_in_words,
    months,
    over,
    own,
    this_month,
    today,
)

FIGURES, LEFTOVERS, LINES = (f"usebook/{each}" for each in ("figures", "leftovers", "lines"))
MATCH, MARK = "usebook/match", "usebook/mark"
SIGN_OFF, REOPEN = "usebook/sign-off", "usebook/reopen"
PATH = "/screens/usebook/matching"
MOST_MONTHS, MOST_FINDINGS = 200, 100
"""Rows of a table; of findings, in each kind."""
WORDS: Mapping[str, Any] = {
    "kinds": KINDS,
    "kind_hints": KIND_HINTS,
    "states": STATES,
    "aspects": DIFFERS,
}


def show(desk: Desk) -> Page:
    """List how the months of the last year stand."""
    return _list(desk, Form())


def choose(desk: Desk, form: Form) -> Page:
    """List the months that are chosen."""
    return _list(desk, form)


def month(desk: Desk, form: Form) -> Page:
    """Show one month of an office, with all that does not come out."""
    return _month(desk, month_chosen(form), form.text("office"))


def match(desk: Desk, form: Form) -> Page:
    """Hold the book of one's own office against the ledger."""
    chosen, tolerance = month_chosen(form), form.number("tolerance")
    _asked(desk, MATCH, month=chosen, tolerance=TOLERANCE if tolerance is None else tolerance)
    return _month(desk, chosen, None, "使用簿と操作履歴を突合しました。")


def finding(desk: Desk, form: Form) -> Page:
    """Show one thing that does not come out, and the lines it is about."""
    return _finding(desk, month_chosen(form), form.text("office"), form.raw("finding"))


def mark(desk: Desk, form: Form) -> Page:
    """Say why it is as it is."""
    form.need(reason="理由")
    chosen = month_chosen(form)
    said = {"finding": form.raw("finding"), "reason": form.text("reason")}
    left = _asked(desk, MARK, month=chosen, **said)["unmarked"]
    return _month(
        desk, chosen, None, f"理由を記録しました。理由が未記録の不一致は、残り{left}件です。"
    )


def sign_off(desk: Desk, form: Form) -> Page:
    """Close a month."""
    if not form.ticked("confirmed"):
        form.wrong("confirmed", "内容を確認し、確認欄にチェックを入れてください。")
    chosen = month_chosen(form)
    _asked(desk, SIGN_OFF, month=chosen)
    return _month(desk, chosen, None, f"{month_in_words(chosen)}を締めました。")


def reopen(desk: Desk, form: Form) -> Page:
    """Open a month again."""
    form.need(why="再開の理由")
    chosen, office = month_chosen(form), form.text("office")
    _asked(desk, REOPEN, month=chosen, office=office, why=form.text("why"))
    return _month(desk, chosen, office, f"{month_in_words(chosen)}を再開しました。")


def paper(desk: Desk, form: Form) -> Paper:
    """Print what was signed."""
    chosen, office = month_chosen(form), form.text("office")
    figures = _figures(desk, chosen, office)
    if figures["signed"] is None:
        raise Rejected("締めていない月の月次確認書は作成できません。先に締めてください。")
    return confirmation(figures, _leftovers(desk, chosen, office), desk.who, today(desk))


def again(desk: Desk, form: Form) -> Page:
    """Return the page a button was pressed on."""
    fields = form.fields
    try:
        if "finding" in fields:
            return _finding(desk, form.raw("month"), form.text("office"), form.raw("finding"), form)
        if "month" in fields:
            return _month(desk, form.raw("month"), form.text("office"), kept=form)
    except Refusal:
        pass
    return _list(desk, Form())


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say how many months of one's own office should have been closed."""
    if not desk.may(SIGN_OFF):
        return []
    now, since = today(desk), a_year_before(this_month(desk))
    found = desk.ask(FIGURES, {"since": since, "office": desk.who.office})["months"]
    late = [e["month"] for e in found if e["state"] == "open" and over(e["month"], now)]
    urgent = any(due_on(each) < now for each in late)
    return [Waiting("締めていない使用簿の月", len(late), urgent=urgent)]


def _asked(desk: Desk, operation: str, **body: Any) -> Mapping[str, Any]:
    try:
        return desk.ask(operation, body)
    except Rejected as refused:
        if not desk.form.problems:
            raise beside(refused) from None
        raise


def _list(desk: Desk, form: Form) -> Page:
    everywhere = desk.may(REOPEN)
    now = this_month(desk)
    since = form.raw("since") or (month_before(now) if everywhere else a_year_before(now))
    until, office = form.raw("until") or now, form.text("office")
    asked = {"since": since, "until": until, **({"office": office} if office else {})}
    found = desk.ask(FIGURES, asked)["months"]
    return Page(
        template="months.html",
        data={
            **WORDS,
            "found": [
                {**each, "words": month_in_words(each["month"])}
                for each in found[: -MOST_MONTHS - 1 : -1]
            ],
            "count": len(found),
            "since": since,
            "until": until,
            "office": office,
            "months": months(desk, since),
            "everywhere": everywhere,
            "may_match": desk.may(MATCH),
            "this_month": now,
        },
    )


def _month(
    desk: Desk, chosen: str, office: str | None, notice: str = "", kept: Form | None = None
) -> Page:
    figures = _figures(desk, chosen, office)
    where = figures["office"]
    found = _leftovers(desk, chosen, where)
    open_here = own(desk, where) and figures["state"] == "open"
    return Page(
        template="month.html",
        title=f"使用簿突合 {month_in_words(chosen)}",
        notice=notice,
        data={
            **WORDS,
            # What was said of one thing is not to stand in the form of the next.
            "form": kept or Form(),
            "figures": figures,
            "found": {kind: _first(found, kind) for kind in KINDS},
            "counts": Counter(each["finding"]["kind"] for each in found),
            "month": chosen,
            "words": month_in_words(chosen),
            "office": where,
            "in_the_way": _in_the_way(desk, figures),
            "tolerance": (figures["matched"] or {}).get("tolerance", TOLERANCE),
            "may_match": open_here and desk.may(MATCH),
            "may_sign": open_here and desk.may(SIGN_OFF),
            "may_reopen": figures["state"] == "signed-off" and desk.may(REOPEN),
        },
    )


def _finding(
    desk: Desk, chosen: str, office: str | None, which: str, kept: Form | None = None
) -> Page:
    figures = _figures(desk, chosen, office)
    where = figures["office"]
    found = _leftovers(desk, chosen, where)
    one = next((each for each in found if each["finding"]["id"] == which), None)
    if one is None:
        raise NotFound("the last matching of this month found no such thing")
    book = desk.ask(LINES, {"month": chosen, "office": where})
    lines, told = by_number(book), one["finding"]
    near = told["nearest"] if told["kind"] == "unrecorded" else None
    return Page(
        template="finding.html",
        title=f"{KINDS[told['kind']]} {month_in_words(chosen)}",
        data={
            **WORDS,
            "form": kept or Form(),
            "finding": told,
            "mark": one["mark"],
            "lines": [lines[number] for number in told["lines"] if number in lines],
            "near": lines.get(near) if near else None,
            "near_use": told["nearest"] if told["kind"] == "unfounded" else None,
            "purposes": book["purposes"],
            "month": chosen,
            "office": where,
            "may_mark": own(desk, where) and figures["state"] == "open" and desk.may(MARK),
        },
    )


def _first(found: Iterable[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """Return the findings of a kind, those without a reason first."""
    those = [each for each in found if each["finding"]["kind"] == kind]
    return sorted(those, key=lambda each: each["mark"] is not None)[:MOST_FINDINGS]


def _figures(desk: Desk, chosen: str, office: str | None) -> Mapping[str, Any]:
    """Return how a month stands; one in which nothing was done yet is open and empty."""
    where = office or desk.who.office
    found = desk.ask(FIGURES, {"since": chosen, "until": chosen, "office": where})["months"]
    nothing = {"state": "open", "lines": 0, "matched": None, "changed_since": False}
    return next(
        iter(found),
        {**nothing, "office": where, "month": chosen, "marked": 0, "unmarked": 0}
        | {"signed": None, "reopened": 0},
    )


def _leftovers(desk: Desk, chosen: str, office: str | None) -> list[Mapping[str, Any]]:
    where = office or desk.who.office
    return list(desk.ask(LEFTOVERS, {"month": chosen, "office": where})["leftovers"])


def _in_the_way(desk: Desk, figures: Mapping[str, Any]) -> list[str]:
    """Return what is still to be done before a month can be closed, as far as it shows."""
    told = []
    if not over(figures["month"], today(desk)):
        told.append("月が終わるまでお待ちください。")
    if figures["matched"] is None:
        told.append("使用簿と操作履歴を突合してください。")
    elif figures["changed_since"]:
        told.append("突合の後に使用簿が変更されました。もう一度突合してください。")
    if figures["unmarked"]:
        told.append(f"理由が未記録の不一致{figures['unmarked']}件に、理由を記録してください。")
    return told


SCREENS = [
    Screen(
        path=PATH,
        title="使用簿突合",
        group="監査",
        package=PACKAGE,
        needs=OperationName(FIGURES),
        show=show,
        acts={
            "list": choose,
            "month": month,
            "match": match,
            "finding": finding,
            "mark": mark,
            "sign-off": sign_off,
            "reopen": reopen,
            "paper": paper,
        },
        again=again,
        waiting=waiting,
    )
]
