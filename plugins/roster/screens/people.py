"""操作者名簿 at a terminal: everybody who has a 照合ID, and one of them (R122 to R125)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from appliance.plugin_api import Desk, Form, OperationName, Page, Screen, Waiting
from plugins.roster.screens.book import GROUP, PACKAGE, Book, Entry, Listed, Step, code_page, today
from plugins.roster.screens.filling import changed, code, coming, reason

PEOPLE, OPERATORS, GRANT = "roster/people", "roster/operators", "roster/grant"
PATH, GRANTING = "/screens/roster/people", "/screens/roster/grant"
SOON = timedelta(days=30)
STATES = {
    "active": "有効",
    "not-enrolled": "照合情報未登録",
    "locked": "ロック中",
    "over": "任期満了",
    "suspended": "停止中",
}
CHIPS = {"active": "good", "not-enrolled": "wait", "locked": "bad", "over": "bad"}
METHODS = {"device": "照合情報", "pin": "操作者照合暗証番号"}
GRANTED_FORM, VOIDED_FORM = "照合ID付与申請書の番号", "照合ID無効化依頼書の番号"


def _people(desk: Desk) -> Sequence[Entry]:
    return list(desk.ask(PEOPLE, {})["people"])


def _listed(desk: Desk) -> Listed:
    """Return everybody, and what each 操作者ID is for, as whoever may see it is told."""
    answer = desk.ask(OPERATORS, {}) if desk.may(OPERATORS) else {"operators": (), "roles": {}}
    names = answer["roles"]
    return _people(desk), {
        "soon": (today(desk) + SOON).isoformat(),
        "may_grant": desk.may(GRANT),
        "authorities": {
            each["operator_id"]: {
                **each,
                "called": "、".join(names.get(role, role) for role in each["roles"]),
            }
            for each in answer["operators"]
        },
    }


def _fits(desk: Desk, entry: Entry) -> Iterator[str]:
    himself = entry["person_id"] == desk.who.person_id
    shut_out = entry["state"] in ("suspended", "over")
    if not shut_out:
        yield "enrol"
    if any(not device["retired"] for device in entry["devices"]):
        yield "retire"
    if himself:
        return
    yield "change"
    if not shut_out:
        yield "pin"
    yield "resume" if entry["suspended"] else "suspend"


def _change(desk: Desk, form: Form) -> dict[str, Any]:
    form.need(name="氏名", office="所属", expires_on="任期の末日", form=GRANTED_FORM)
    given = {
        "name": form.text("name"),
        "kana": form.kana("kana") or "",
        "office": form.text("office"),
        "expires_on": coming(form, "expires_on", today(desk)),
    }
    return {**changed(form, **given), "form": form.text("form")}


def _pin(desk: Desk, form: Form) -> dict[str, Any]:
    form.need(until="有効期限")
    return {**reason(desk, form), "until": coming(form, "until", today(desk))}


def _suspend(desk: Desk, form: Form) -> dict[str, Any]:
    form.need(form=VOIDED_FORM)
    return {**reason(desk, form), "form": form.text("form")}


def _resume(desk: Desk, form: Form) -> dict[str, Any]:
    form.need(form=GRANTED_FORM)
    return {**reason(desk, form), "form": form.text("form")}


STEPS = {
    "change": Step(
        operation="roster/change-person",
        title="操作者の登録内容の変更",
        text="別の職員の承認が必要です。変更前の内容は履歴に残ります。",
        button="変更",
        done="登録内容を変更しました。",
        read=_change,
    ),
    "enrol": Step(
        operation="roster/enrol-person",
        title="登録コードの発行",
        text="照合情報(装置)を追加するための登録コードを発行します。別の職員の承認が必要です。"
        "前に発行した登録コードは使えなくなります。",
        button="登録コードを発行",
    ),
    "pin": Step(
        operation="roster/issue-pin",
        title="操作者照合暗証番号の発行・再設定",
        text="照合情報が使えない人が、期限まで暗証番号で認証できるようにします。"
        "別の職員の承認が必要です。今の暗証番号とそのロックは無効になります。",
        button="暗証番号用の登録コードを発行",
        read=_pin,
    ),
    "suspend": Step(
        operation="roster/suspend-person",
        title="照合IDの停止(無効化)",
        text="直ちに利用できなくなります。使用中の画面は終了し、登録コードと暗証番号は"
        "無効になります。照合IDは名簿に残り、別の人には付与されません。",
        button="照合IDを停止",
        done="照合IDを停止しました。",
        read=_suspend,
        danger=True,
    ),
    "resume": Step(
        operation="roster/resume-person",
        title="照合IDの復帰",
        text="停止前の照合情報が再び使えるようになり、登録コードも発行されます。"
        "別の職員の承認が必要です。",
        button="照合IDを復帰",
        read=_resume,
    ),
    "retire": Step(
        operation="roster/retire-device",
        title="照合情報(装置)の廃止",
        text="この装置では認証できなくなり、使用中の画面は終了します。元には戻せません。",
        button="装置を廃止",
        done="装置を廃止しました。",
        read=reason,
        carries=("device_id",),
        danger=True,
    ),
}

BOOK = Book(
    path=PATH,
    name="people",
    key="person_id",
    title="操作者の登録内容",
    entries=_listed,
    states=STATES,
    chips=CHIPS,
    steps=STEPS,
    fits=_fits,
    words={
        "methods": METHODS,
        "granted_form": GRANTED_FORM,
        "voided_form": VOIDED_FORM,
        "granting": GRANTING,
        "authorities_path": "/screens/roster/operators",
    },
)


def ask_grant(desk: Desk) -> Page:
    """Ask for a 照合ID付与申請書 as it was handed in."""
    return Page(template="grant.html", data={"granted_form": GRANTED_FORM, "back": PATH})


def grant(desk: Desk, form: Form) -> Page:
    """Give somebody a 照合ID; show the code to register his 照合情報 with."""
    form.need(
        person_id="照合ID", name="氏名", office="所属", expires_on="任期の末日", form=GRANTED_FORM
    )
    asked = {
        "person_id": code(form, "person_id", 32),
        "name": form.text("name"),
        "kana": form.kana("kana") or "",
        "office": form.text("office"),
        "contractor": form.ticked("contractor"),
        "expires_on": coming(form, "expires_on", today(desk)),
        "form": form.text("form"),
    }
    return code_page(desk.ask(GRANT, asked), PATH)


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say how many terms end soon, and how many people are locked out."""
    people = _people(desk)
    soon = (today(desk) + SOON).isoformat()
    ending = [
        each
        for each in people
        if each["state"] not in ("suspended", "over") and each["expires_on"] <= soon
    ]
    return [
        Waiting("任期が30日以内に満了する操作者", len(ending)),
        Waiting("暗証番号がロックされている操作者", sum(each["locked"] for each in people)),
    ]


SCREENS = [
    Screen(
        path=PATH,
        title="操作者名簿",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(PEOPLE),
        show=BOOK.show,
        acts=BOOK.acts,
        again=BOOK.again,
        waiting=waiting,
    ),
    Screen(
        path=GRANTING,
        title="照合IDの付与",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(GRANT),
        show=ask_grant,
        acts={"enter": grant},
    ),
]
