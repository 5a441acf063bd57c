"""端末管理 at a terminal: which certificates are let in, where they stand, how they age (R126)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from appliance.plugin_api import (
    Desk,
    Form,
    Municipalities,
    OperationName,
    Page,
    Redirect,
    Screen,
    Waiting,
)
from plugins.roster.ageing import RUNS_OUT, UNUSED
from plugins.roster.printing import KINDS
from plugins.roster.screens.book import GROUP, PACKAGE, Book, Entry, Listed, Step, moment
from plugins.roster.screens.filling import certificate, changed, code, lines, narrow, reason

TERMINALS, HISTORY, ENROL = "roster/terminals", "roster/terminal-history", "roster/enrol-terminal"
PATH, ENROLLING = "/screens/roster/terminals", "/screens/roster/enrol-terminal"
SEATED = ("representative", "business")
STATES = {
    "active": "有効",
    "ending": "期限が近い",
    "expired": "期限切れ",
    "unused": "長期未使用",
    "former": "更新前の証明書",
    "revoked": "失効",
}
CHIPS = {"active": "good", "ending": "wait", "expired": "bad", "unused": "wait", "revoked": "bad"}
LIVE = ("active", "ending", "expired", "unused")
FUNCTIONS = {
    "search": "検索",
    "provision": "提供",
    "disclosure": "開示・訂正",
    "update": "更新",
    "reconcile": "整合",
    "relay": "全国サーバへの通知・照会",
    "protection": "要注意",
    "usebook": "使用簿の突合",
    "ledger": "操作履歴",
    "watching": "監視",
    "statistics": "統計",
    "compliance": "監査の支援",
    "retention": "保存期間",
    "roster": "名簿・端末",
    "approval": "承認",
    "job": "自動処理",
}
"""What a terminal can be limited to, in words."""


def _state(entry: Entry, now: datetime) -> str:
    ends = moment(entry["not_after"])
    if entry["revoked"]:
        return "revoked"
    if entry["until"]:
        return "former"
    if ends is not None and ends <= now:
        return "expired"
    if ends is not None and ends - now <= RUNS_OUT:
        return "ending"
    since = max(
        filter(None, map(moment, (entry["registered_at"], entry["last_login"]))), default=None
    )
    old = entry["kind"] in SEATED and since is not None and now - since > UNUSED
    return "unused" if old else "active"


def _terminals(desk: Desk) -> list[Entry]:
    """Return every certificate, of each terminal the one in force first."""
    now = desk.who.now
    found = [{**each, "state": _state(each, now)} for each in desk.ask(TERMINALS, {})["terminals"]]
    found.sort(key=lambda each: each["registered_at"] or "", reverse=True)
    return sorted(found, key=lambda each: (each["terminal_id"], each["state"] not in LIVE))


def _listed(desk: Desk) -> Listed:
    return _terminals(desk), {"may_enrol": desk.may(ENROL)}


def _history(desk: Desk, entry: Entry) -> Mapping[str, Any]:
    """Return every state the terminal was in, the newest first."""
    found = desk.ask(HISTORY, {"terminal_id": entry["terminal_id"]})
    newest = sorted(found["revisions"], key=lambda each: each["changed_at"] or "", reverse=True)
    return {"revisions": newest}


def _fits(desk: Desk, entry: Entry) -> Iterator[str]:
    if entry["state"] not in LIVE:
        return
    yield "change"
    yield "renew"
    if entry["terminal_id"] != desk.who.terminal_id:
        yield "revoke"


def _limits(form: Form) -> dict[str, Any]:
    """Return where a terminal stands, and what for and when it may be used."""
    if form.ticked("own_office_only") and form.text("office") is None:
        form.wrong("office", "この所属だけに限るときは、所属を入力してください。")
    return {
        "place": form.text("place") or "",
        "office": form.text("office") or "",
        "own_office_only": form.ticked("own_office_only"),
        "operations": [*form.all("operations"), *lines(form, "single_operations")],
        "hours": lines(form, "hours"),
        "request_number": narrow(form.raw("request_number")),
    }


def _change(desk: Desk, form: Form) -> dict[str, Any]:
    return {**changed(form, **_limits(form)), **reason(desk, form)}


def _renew(desk: Desk, form: Form) -> dict[str, Any]:
    return {
        "certificate": certificate(form),
        "request_number": narrow(form.raw("request_number")),
    }


STEPS = {
    "change": Step(
        operation="roster/change-terminal",
        title="端末の登録内容の変更",
        text="変更した内容は次の操作から適用されます。変更前の内容は履歴に残ります。",
        button="変更",
        done="登録内容を変更しました。",
        read=_change,
    ),
    "renew": Step(
        operation="roster/renew-terminal",
        title="証明書の更新",
        text="新しい証明書を登録します。今の証明書は、登録から7日後に使えなくなります。"
        "市町村CSと全国サーバの証明書には、別の職員の承認が必要です。",
        button="証明書を更新",
        done="新しい証明書を登録しました。",
        read=_renew,
    ),
    "revoke": Step(
        operation="roster/revoke-terminal",
        title="端末の失効",
        text="直ちに、この端末の全ての証明書が使えなくなり、使用中の画面は終了します。"
        "失効させた証明書は、再び使うことができません。",
        button="端末を失効",
        done="端末を失効させました。",
        read=reason,
        danger=True,
    ),
}
WORDS = {
    "kinds": KINDS,
    "seated": SEATED,
    "functions": FUNCTIONS,
    "enrolling": ENROLLING,
    "live": LIVE,
}

BOOK = Book(
    path=PATH,
    name="terminals",
    key="terminal_id",
    title="端末の登録内容",
    entries=_listed,
    states=STATES,
    chips=CHIPS,
    steps=STEPS,
    fits=_fits,
    words=WORDS,
    opened_with=_history,
)


def ask_terminal(desk: Desk) -> Page:
    """Ask for a terminal or server as it was applied for, with its certificate."""
    data = {**WORDS, "book": BOOK, "places": _places(desk.who.prefecture), "back": PATH}
    return Page(template="enrol-terminal.html", data=data)


def enrol(desk: Desk, form: Form) -> Redirect:
    """Register a certificate."""
    form.need(terminal_id="操作端末ID", kind="種別")
    kind, place = form.text("kind"), form.text("municipality_code")
    if kind in SEATED:
        form.need(place="設置場所")
    if kind == "municipality":
        form.need(municipality_code="市区町村")
    asked = {
        "terminal_id": code(form, "terminal_id", 16),
        "kind": kind,
        **_limits(form),
        "certificate": certificate(form),
        **({"municipality_code": place} if place else {}),
    }
    desk.ask(ENROL, asked)
    return Redirect(PATH, f"操作端末ID {asked['terminal_id']}を登録しました。")


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say how many certificates run out, and at how many terminals nobody logs in."""
    states = [each["state"] for each in _terminals(desk)]
    ending = sum(each in ("ending", "expired") for each in states)
    return [
        Waiting("証明書の期限が30日以内又は過ぎた端末", ending, urgent=True),
        Waiting("90日を超えて使われていない端末", states.count("unused")),
    ]


def _places(prefecture: str) -> list[tuple[str, str]]:
    """Return the municipalities of a prefecture, by code."""
    found = Municipalities.load().named(prefecture)
    return [(each.code, f"{each.full_name} ({each.code})") for each in found]


SCREENS = [
    Screen(
        path=PATH,
        title="端末管理",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(TERMINALS),
        show=BOOK.show,
        acts=BOOK.acts,
        again=BOOK.again,
        waiting=waiting,
    ),
    Screen(
        path=ENROLLING,
        title="端末の登録",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(ENROL),
        show=ask_terminal,
        acts={"enter": enrol},
    ),
]
