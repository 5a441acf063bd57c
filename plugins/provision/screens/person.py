"""Whom an inquiry at a terminal means: by a number, or by 4情報, as far as the 事務 allows."""

from collections.abc import Callable
from typing import Any

from appliance.plugin_api import Desk, Form, Page, Refusal
from plugins.provision.screens.words import MY_NUMBER, Based, chosen, expect_no_problem

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
FOUR = ("name", "kana", "birth_date", "sex", "address")


def beginning(desk: Desk, operation: str, steps: tuple[str, ...], lead: str) -> Page:
    """Ask what for, and by what the person is named."""
    grounds = desk.grounds(operation)
    reaching = {key for each in grounds for key in each.grant.keys}
    keys = [(key, label) for key, label in KEYS.items() if key in reaching]
    data = {"grounds": grounds, "keys": keys, "steps": steps, "lead": lead}
    return Page(template="beginning.html", data=data)


def step_refused(
    desk: Desk, form: Form, show: Callable[[Desk], Page], whom: Callable[[Desk, Form], Page]
) -> Page:
    """Return the step that was refused: the person, or already the ground."""
    if form.raw("step") != "whom":
        return show(desk)
    try:
        return whom(desk, Form(form.fields))
    except Refusal:
        return show(desk)


def key_chosen(known: Based, form: Form) -> str:
    """Return by what the person is named.

    Raises:
        Rejected: by nothing, or by what the 事務 does not allow.
    """
    key = chosen(form, "key", KEYS, "照会の方法")
    if key in KEYS and key not in known.ground.grant.keys:
        form.wrong("key", f"この事務では{KEYS[key]}による照会はできません。")
    expect_no_problem(form)
    return key


def by_whom(form: Form, key: str) -> dict[str, Any]:
    """Return who is meant; what is missing is noted beside its field."""
    if key == "four":
        four = informations(form)
        if not form.problems and not ({"name", "kana"} & set(four)):
            form.wrong("name", "氏名又はふりがなを入力してください。")
        if not form.problems and not ({"birth_date", "sex", "address"} & set(four)):
            form.wrong("birth_date", "生年月日、性別又は住所を入力してください。")
        return four
    form.need(**{key: KEYS[key]})
    return {key: form.my_number(key) if key == MY_NUMBER else form.resident_code(key)}


def informations(form: Form, prefix: str = "") -> dict[str, Any]:
    """Return those of the four informations that were typed."""
    given = {
        "name": form.text(f"{prefix}name"),
        "kana": form.kana(f"{prefix}kana"),
        "birth_date": form.date(f"{prefix}birth_date"),
        "sex": form.text(f"{prefix}sex"),
        "address": form.text(f"{prefix}address"),
    }
    return {name: value for name, value in given.items() if value}


def answered(desk: Desk, known: Based, key: str, told: Any) -> dict[str, Any]:
    """Return what the page of an answer says first."""
    return {
        **known.told,
        "told": told,
        "result": RESULTS[told["result"]],
        "match": MATCHES.get(told["match"] or ""),
        "at": desk.who.now,
        "key": key,
        "key_label": KEYS[key],
    }
