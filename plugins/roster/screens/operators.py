"""操作者ID at a terminal: which authorities there are, what for, who holds each (R125 to R127)."""

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.plugin_api import Desk, Form, OperationName, Page, Redirect, Screen
from plugins.roster.screens.book import GROUP, PACKAGE, Book, Entry, Listed, Step, today
from plugins.roster.screens.filling import changed, code, codes, coming, reason

OPERATORS, PEOPLE, ADD = "roster/operators", "roster/people", "roster/add-operator"
PATH, ADDING = "/screens/roster/operators", "/screens/roster/add-operator"
STATES = {"active": "有効", "over": "任期満了", "suspended": "停止中"}
CHIPS = {"active": "good", "over": "bad"}
FORM = "申請書等の番号"


def _listed(desk: Desk) -> Listed:
    answer = desk.ask(OPERATORS, {})
    choices = {name: list(answer[name].items()) for name in ("roles", "purposes")}
    called = {name: answer[name] for name in ("roles", "purposes")}
    return list(answer["operators"]), {
        "choices": choices,
        "called": called,
        "may_add": desk.may(ADD),
    }


def _names(desk: Desk, entry: Entry) -> Mapping[str, Any]:
    """Return who the holders are, as whoever may see it is told."""
    people = desk.ask(PEOPLE, {})["people"] if desk.may(PEOPLE) else ()
    return {"people": {each["person_id"]: each for each in people}}


def _fits(desk: Desk, entry: Entry) -> Iterator[str]:
    if desk.who.person_id in entry["holders"] or desk.who.operator_id == entry["operator_id"]:
        return
    yield "change"
    yield "resume" if entry["suspended"] else "suspend"


def _authority(desk: Desk, form: Form) -> dict[str, Any]:
    """Return what an authority is to be, with every field that must be given."""
    form.need(
        office="所属", roles="役割", holders="担当者の照合ID", expires_on="任期の末日", form=FORM
    )
    return {
        "office": form.text("office"),
        "roles": list(form.all("roles")),
        "purposes": list(form.all("purposes")),
        "holders": codes(form, "holders"),
        "expires_on": coming(form, "expires_on", today(desk)),
    }


def _change(desk: Desk, form: Form) -> dict[str, Any]:
    return {**changed(form, **_authority(desk, form)), "form": form.text("form")}


STEPS = {
    "change": Step(
        operation="roster/change-operator",
        title="操作者IDの登録内容の変更",
        text="別の職員の承認が必要です。変更した内容は次の操作から適用され、"
        "担当から外れた人は直ちに利用できなくなります。変更前の内容は履歴に残ります。",
        button="変更",
        done="登録内容を変更しました。",
        read=_change,
    ),
    "suspend": Step(
        operation="roster/suspend-operator",
        title="操作者IDの停止",
        text="この操作者IDでは直ちに利用できなくなり、使用中の画面は終了します。",
        button="操作者IDを停止",
        done="操作者IDを停止しました。",
        read=reason,
        danger=True,
    ),
    "resume": Step(
        operation="roster/resume-operator",
        title="操作者IDの再開",
        text="担当者が再びこの操作者IDで利用できるようになります。別の職員の承認が必要です。",
        button="操作者IDを再開",
        done="操作者IDを再開しました。",
        read=reason,
    ),
}

BOOK = Book(
    path=PATH,
    name="operators",
    key="operator_id",
    title="操作者IDの登録内容",
    entries=_listed,
    states=STATES,
    chips=CHIPS,
    steps=STEPS,
    fits=_fits,
    words={"paper": FORM, "adding": ADDING, "people_path": "/screens/roster/people"},
    opened_with=_names,
)


def ask_authority(desk: Desk) -> Page:
    """Ask for an authority as it was applied for."""
    _, beside = _listed(desk)
    return Page(
        template="add-operator.html", data={**beside, "book": BOOK, "paper": FORM, "back": PATH}
    )


def add(desk: Desk, form: Form) -> Redirect:
    """Make an authority."""
    form.need(operator_id="操作者ID")
    asked = {
        "operator_id": code(form, "operator_id", 16),
        **_authority(desk, form),
        "form": form.text("form"),
    }
    desk.ask(ADD, asked)
    return Redirect(PATH, f"操作者ID {asked['operator_id']}を登録しました。")


SCREENS = [
    Screen(
        path=PATH,
        title="操作者ID",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(OPERATORS),
        show=BOOK.show,
        acts=BOOK.acts,
        again=BOOK.again,
    ),
    Screen(
        path=ADDING,
        title="操作者IDの登録",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(ADD),
        show=ask_authority,
        acts={"enter": add},
    ),
]
