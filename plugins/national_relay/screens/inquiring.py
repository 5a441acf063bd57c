"""機構への照会: for what, about whom, which items; then what the national server answers.

Nothing of an answer is kept (R85): the page is on the shelf for ten minutes, as every page is, and
whoever needs it again asks again. 個人番号 is asked for by itself, with the reason for it.
"""

from collections.abc import Mapping
from typing import Any

from appliance.plugin_api import (
    PROVIDED,
    Desk,
    Form,
    OperationName,
    Page,
    Rejected,
    Screen,
    ground_stated,
    is_birth_date,
)

INQUIRE = "relay/inquire"
PATH = "/screens/relay/inquire"
MY_NUMBER, RESIDENT_CODE = "my_number", "resident_code"
FOUR = ("name", "birth_date", "sex", "address")
BY = (RESIDENT_CODE, MY_NUMBER, *FOUR)
ONE_WAY = "住民票コード、個人番号、4情報のうち、いずれか一つの方法で照会してください。"


def show(desk: Desk) -> Page:
    """Ask what for, whom and which items."""
    grounds = desk.grounds(INQUIRE)
    return Page(
        template="inquire.html",
        data={
            "grounds": grounds,
            "keys": frozenset[str]().union(*(each.grant.keys for each in grounds)),
            "offered": [
                item
                for item in PROVIDED
                if item != MY_NUMBER and any(item in each.grant.items for each in grounds)
            ],
        },
    )


def inquire(desk: Desk, form: Form) -> Page:
    """Ask, without 個人番号."""
    return _answered(desk, form, _items(form))


def my_number(desk: Desk, form: Form) -> Page:
    """Ask once more, for 個人番号 too, with the reason for it."""
    form.need(my_number_reason="個人番号を表示する理由")
    return _answered(desk, form, [*_items(form), MY_NUMBER], form.raw("my_number_reason"))


def again(desk: Desk, form: Form) -> Page:
    """Return the page an act was pressed on."""
    ground = ground_stated(desk.grounds(INQUIRE), form)
    if not form.raw("answered") or ground is None:
        return show(desk)
    return Page(
        template="number.html",
        title="個人番号の表示",
        data={"ground": ground, "carried": _carried(form)},
    )


def _answered(desk: Desk, form: Form, items: list[str], reason: str | None = None) -> Page:
    stated, by = form.stated(), _by(form)
    chosen = stated["reason"]
    stated["reason"] = reason or chosen
    told = desk.ask(INQUIRE, {"by": by, "items": items}, **stated)
    ground = ground_stated(desk.grounds(INQUIRE), form)
    if ground is None:
        raise Rejected("利用する事務と利用事由を選び直してください。")
    found: Mapping[str, Any] = told["resident"] or {}
    return Page(
        template="answer.html",
        title="機構からの回答",
        resident=told["result"] == "one",
        data={
            "told": told,
            "found": found,
            "by": list(by),
            "items": [item for item in PROVIDED if item in found and item != MY_NUMBER],
            "number": found.get(MY_NUMBER),
            "may_see_number": MY_NUMBER in ground.grant.items and MY_NUMBER not in by,
            "at": desk.who.now,
            "ground": ground,
            "reason": chosen,
            "case": stated["case"],
            "carried": _carried(form),
        },
    )


def _by(form: Form) -> dict[str, str]:
    """Return how the person is named: by a number, or by the name and one more of the four."""
    given = {
        RESIDENT_CODE: form.resident_code(RESIDENT_CODE),
        MY_NUMBER: form.my_number(MY_NUMBER),
        "name": form.text("name"),
        "birth_date": form.date("birth_date"),
        "sex": form.text("sex"),
        "address": form.text("address"),
    }
    by = {name: value for name, value in given.items() if value}
    typed = [name for name in BY if form.text(name)]
    numbers = [name for name in (RESIDENT_CODE, MY_NUMBER) if name in typed]
    if not typed or len(numbers) + any(name in typed for name in FOUR) > 1:
        form.wrong(typed[0] if typed else MY_NUMBER, ONE_WAY)
    elif not numbers and ("name" not in typed or len(typed) == 1):
        form.wrong("name", "氏名と、生年月日、性別、住所のうち一つ以上を入力してください。")
    if (birth := by.get("birth_date")) and not is_birth_date(birth):
        form.wrong("birth_date", "暦にある日を入力してください。")
    return by


def _items(form: Form) -> list[str]:
    items = [item for item in form.all("items") if item != MY_NUMBER]
    if not items:
        form.wrong("items", "照会する項目を選んでください。")
    return items


def _carried(form: Form) -> dict[str, str | tuple[str, ...]]:
    """Return what asking once more needs; of whom, too, for nothing of it is kept here."""
    names = ("ground", "case", *BY)
    carried: dict[str, str | tuple[str, ...]] = {each: form.raw(each) for each in names}
    return {**carried, "items": form.all("items"), "answered": "1"}


SCREEN = Screen(
    path=PATH,
    title="機構への照会",
    group="検索・提供",
    package="plugins.national_relay",
    needs=OperationName(INQUIRE),
    show=show,
    acts={"ask": inquire, "my-number": my_number},
    again=again,
)
