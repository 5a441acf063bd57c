"""即時提供 at a terminal: what for, whom and which items, the answer (R41, R42, R48, R49).

Only what the 事務 reaches can be chosen. No item is ticked beforehand: whoever asks says what he
needs. 個人番号 comes with the answer where it was asked for, and is folded away on the page.
"""

from typing import Any

from appliance.plugin_api import Desk, Form, OperationName, Page, Refusal, Screen
from plugins.provision.screens.words import (
    GROUP,
    MY_NUMBER,
    PACKAGE,
    Based,
    based,
    chosen,
    chosen_items,
    expect_no_problem,
    label_of,
)

INQUIRE = "provision/inquire"
PATH = "/screens/provision/inquire"
KEYS = {"my_number": "個人番号", "resident_code": "住民票コード", "four": "4情報"}
RESULTS = {
    "one": ("該当者1人", "good"),
    "none": ("該当なし", "plain"),
    "several": ("該当者複数", "wait"),
    "elsewhere": ("他の都道府県に転出", "wait"),
}
MATCHES = {
    "exact": "氏名が一致",
    "variant": "氏名が異体字で一致",
    "kana": "ふりがなが一致",
    "seion": "清音で一致",
    "prefix": "先頭が一致",
}


def show(desk: Desk) -> Page:
    """Ask what for, and by what the person is named."""
    grounds = desk.grounds(INQUIRE)
    reaching = {key for each in grounds for key in each.grant.keys}
    keys = [(key, label) for key, label in KEYS.items() if key in reaching]
    return Page(template="inquire.html", data={"grounds": grounds, "keys": keys})


def whom(desk: Desk, form: Form) -> Page:
    """Ask whom, and which of the items that may be asked for."""
    known = based(desk, form, INQUIRE)
    return _asking(known, _key(known, form))


def inquire(desk: Desk, form: Form) -> Page:
    """Answer the items."""
    known = based(desk, form, INQUIRE)
    key = _key(known, form)
    body = {"by": _by(form, key), "items": chosen_items(form, known.items)}
    if key != "four" and (claimed := _four(form)):
        body["claimed"] = claimed
    told = desk.ask(INQUIRE, body, **known.stated)
    found = told["result"] == "one"
    return Page(
        template="inquired.html",
        title="提供の結果",
        resident=found,
        data={
            **known.told,
            "told": told,
            "items": body["items"],
            "result": RESULTS[told["result"]],
            "match": MATCHES.get(told["match"] or ""),
            "at": desk.who.now,
            "key": key,
            "key_label": KEYS[key],
        },
    )


def again(desk: Desk, form: Form) -> Page:
    """Return the step that was refused: the person, or already the ground."""
    if form.raw("step") != "whom":
        return show(desk)
    try:
        return whom(desk, Form(form.fields))
    except Refusal:
        return show(desk)


def _asking(known: Based, key: str) -> Page:
    return Page(
        template="whom.html",
        title=f"即時提供({KEYS[key]}による照会)",
        data={
            **known.told,
            "key": key,
            "choices": [(item, label_of(item)) for item in known.items],
        },
    )


def _key(known: Based, form: Form) -> str:
    key = chosen(form, "key", KEYS, "照会の方法")
    if key in KEYS and key not in known.ground.grant.keys:
        form.wrong("key", f"この事務では{KEYS[key]}による照会はできません。")
    expect_no_problem(form)
    return key


def _by(form: Form, key: str) -> dict[str, Any]:
    if key == "four":
        four = _four(form)
        if not form.problems and not ({"name", "kana"} & set(four)):
            form.wrong("name", "氏名又はふりがなを入力してください。")
        if not form.problems and not ({"birth_date", "sex", "address"} & set(four)):
            form.wrong("birth_date", "生年月日、性別又は住所を入力してください。")
        return four
    form.need(**{key: KEYS[key]})
    number = form.my_number(key) if key == MY_NUMBER else form.resident_code(key)
    return {key: number}


def _four(form: Form) -> dict[str, Any]:
    given = {
        "name": form.text("name"),
        "kana": form.kana("kana"),
        "birth_date": form.date("birth_date"),
        "sex": form.text("sex"),
        "address": form.text("address"),
    }
    return {name: value for name, value in given.items() if value}


SCREENS = [
    Screen(
        path=PATH,
        title="即時提供",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(INQUIRE),
        show=show,
        acts={"whom": whom, "inquire": inquire},
        again=again,
    )
]
