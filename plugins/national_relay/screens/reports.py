"""機構からの通報: what the national server reports as wrong or refuses, and what becomes of it.

The list says of nobody who it is; the person of a case is shown under a 事務. A case ends by a
newer version of the record; by hand only where nothing has to be corrected.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from appliance.plugin_api import (
    PROVIDED,
    Desk,
    Form,
    OperationName,
    Page,
    Protected,
    Refusal,
    Rejected,
    Screen,
    Waiting,
    ground_stated,
)
from plugins.national_relay.book import FINDINGS

CASES, CASE, CLOSE, SEND_AGAIN = (
    f"relay/{name}" for name in ("cases", "case", "close-case", "send-again")
)
PATH = "/screens/relay/cases"
MY_NUMBER = "my_number"
ON_A_PAGE, MOST_COUNTED = 100, 1000
GUARDED = (
    "要注意の者についての事案のため、ここでは表示できません。"
    "市区町村の担当者に、機構からの通報の内容を確認してください。"
)
WHICH = {"open": "対応中", "all": "すべて"}
WORDS: Mapping[str, Any] = {
    "kinds": {"reported": "機構からの通報", "refused": "機構が受け付けなかった通知"},
    "states": {
        "open": ("対応中", "wait"),
        "answered": ("修正済み", "good"),
        "closed": ("終了", "plain"),
    },
    "findings": FINDINGS,
}


def show(desk: Desk) -> Page:
    """List what is open."""
    return _listed(desk, "open", 0)


def choose(desk: Desk, form: Form) -> Page:
    """List open ones or all, a page of them."""
    which = form.raw("which") if form.raw("which") in WHICH else "open"
    return _listed(desk, which, form.number("after") or 0)


def whole(desk: Desk, form: Form) -> Page:
    """Open one case, without the person."""
    return _opened(desk, _number(form))


def look(desk: Desk, form: Form) -> Page:
    """Show a case in all its states, with the person as recorded now."""
    stated, number = form.stated(), _number(form)
    ground = ground_stated(desk.grounds(CASE), form)
    items = [item for item in PROVIDED if ground and item in ground.grant.items]
    items = [item for item in items if item != MY_NUMBER]
    try:
        told = desk.ask(CASE, {"number": number, "items": items}, **stated)
    except Protected:
        # To be opened, somebody must be named, and a case names nobody.
        raise Rejected(GUARDED) from None
    return Page(
        template="case_person.html",
        title=f"機構からの通報 事案番号{number} 本人確認情報",
        resident=True,
        data={
            **WORDS,
            "states_of": told["states"],
            "resident": told["resident"],
            "withheld": told["withheld"],
            "items": items,
            "ground": ground,
            "reason": stated["reason"],
            "case": stated["case"],
        },
    )


def close(desk: Desk, form: Form) -> Page:
    """End a case because nothing has to be corrected."""
    form.need(reason="理由")
    number = _number(form)
    desk.ask(CLOSE, {"number": number, "reason": form.text("reason")})
    return _opened(desk, number, "事案を終了しました。")


def send_again(desk: Desk, form: Form) -> Page:
    """Tell the national server anew what it refused."""
    number = _number(form)
    if not form.ticked("sure"):
        form.wrong("sure", "確認欄にチェックを付けてください。")
    message = desk.ask(SEND_AGAIN, {"number": number})["message"]
    return _opened(desk, number, f"通知番号{message}で、もう一度通知します。")


def again(desk: Desk, form: Form) -> Page:
    """Return the case an act was pressed on, or the list."""
    if not (number := Form(form.fields).number("number")):
        return show(desk)
    try:
        return _opened(desk, number)
    except Refusal:
        return show(desk)


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say how many cases are open."""
    cases = desk.ask(CASES, {"state": "open", "limit": MOST_COUNTED})["cases"]
    return [Waiting("対応中の機構からの通報", len(cases))]


def _listed(desk: Desk, which: str, after: int) -> Page:
    asked = {"state": which, "after": after, "limit": ON_A_PAGE + 1}
    found = desk.ask(CASES, asked)["cases"]
    shown = found[:ON_A_PAGE]
    more = shown[-1]["number"] if len(found) > len(shown) else None
    data = {"cases": shown, "which": which, "choices": WHICH, "next": more, "going_on": after > 0}
    return Page(template="cases.html", data={**WORDS, **data})


def _opened(desk: Desk, number: int, notice: str = "") -> Page:
    found = desk.ask(CASES, {"state": "all", "after": number - 1, "limit": 1})["cases"]
    if not found or found[0]["number"] != number:
        raise Rejected("この番号の事案はありません。一覧から選んでください。")
    return Page(
        template="case.html",
        title=f"機構からの通報 事案番号{number}",
        notice=notice,
        data={
            **WORDS,
            "entry": found[0],
            "grounds": desk.grounds(CASE) if desk.may(CASE) else (),
            "may_close": desk.may(CLOSE),
            "may_send": desk.may(SEND_AGAIN),
        },
    )


def _number(form: Form) -> int:
    number = form.number("number")
    if not number:
        raise Rejected("事案を一覧から選んでください。")
    return number


SCREEN = Screen(
    path=PATH,
    title="機構からの通報",
    group="更新・整合",
    package="plugins.national_relay",
    needs=OperationName(CASES),
    show=show,
    acts={
        "list": choose,
        "case": whole,
        "look": look,
        "close": close,
        "send-again": send_again,
    },
    again=again,
    waiting=waiting,
)
