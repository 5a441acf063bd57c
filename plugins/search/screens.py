"""本人確認情報検索 at a terminal: what for, whom, who fits, then one of them (R87 to R90).

個人番号 is hidden until somebody says why he must see it; showing it is a request of its own. The
forms carry what the next one needs (``ref``, the ground); nothing of it stands in a URL.
"""

from collections.abc import Mapping
from typing import Any

from appliance.plugin_api import (
    Desk,
    Form,
    Municipalities,
    OperationName,
    Page,
    Rejected,
    Screen,
    ground_stated,
)

FIND, DETAIL = "search/find", "search/detail"
PATH = "/screens/search/find"
MY_NUMBER = "my_number"
SHOWN = (
    "name",
    "kana",
    "birth_date",
    "sex",
    "address",
    "municipality_code",
    "town_code",
    "resident_code",
    "reason",
    "effective_date",
    "removed_flag",
    "gaiji_flag",
    "update_number",
    "notified_on",
)
"""The items of the detail, in the order of the page, as far as they are granted."""
TYPED = (
    *("name", "name_match", "kana", "kana_match", "birth_date", "birth_match", "sex"),
    *("municipality_code", "address", "town_code", "include_removed"),
)
"""The fields of the form."""
WHYS = {
    "exact": "氏名が一致",
    "variant": "氏名が異体字で一致",
    "kana": "ふりがなが一致",
    "seion": "清音で一致",
    "prefix": "先頭が一致",
    "conditions": "条件に一致",
}


def show(desk: Desk) -> Page:
    """Ask what for, and whom."""
    return Page(
        template="find.html",
        data={"grounds": desk.grounds(FIND), "places": _places(desk.who.prefecture)},
    )


def find(desk: Desk, form: Form) -> Page:
    """List who fits; no number is in a list."""
    stated = form.stated()
    found = desk.ask(FIND, _conditions(form), **stated)
    return Page(
        template="list.html",
        title="検索結果一覧",
        resident=bool(found["count"]),
        data={
            "count": found["count"],
            "residents": found["residents"],
            "whys": WHYS,
            "typed": {name: form.all(name) for name in TYPED if form.raw(name)},
            **_based(desk, form),
        },
    )


def change(desk: Desk, form: Form) -> Page:
    """Show the form again as it was filled in."""
    return show(desk)


def detail(desk: Desk, form: Form) -> Page:
    """Open one person of the list; without 個人番号."""
    return _detail(desk, form)


def my_number(desk: Desk, form: Form) -> Page:
    """Show 個人番号 too: a request of its own, with the reason for it."""
    form.need(my_number_reason="個人番号を表示する理由")
    stated = form.stated()
    stated["reason"] = form.text("my_number_reason")
    asked = {"ref": form.raw("ref"), "items": [MY_NUMBER]}
    found = desk.ask(DETAIL, asked, **stated)
    return _detail(desk, form, found["resident"].get(MY_NUMBER))


def _detail(desk: Desk, form: Form, number: str | None = None) -> Page:
    stated = form.stated()
    ground = ground_stated(desk.grounds(DETAIL), form)
    items = [item for item in SHOWN if ground and item in ground.grant.items]
    history = bool(ground and ground.grant.history)
    asked = {"ref": form.raw("ref"), "items": items, "history": history}
    found = desk.ask(DETAIL, asked, **stated)
    return Page(
        template="detail.html",
        title="本人確認情報",
        resident=True,
        data={
            "resident": found["resident"],
            "versions": found["versions"],
            "withheld": found["withheld"],
            "items": items,
            "number": number,
            "may_see_number": bool(ground and MY_NUMBER in ground.grant.items),
            "ref": form.raw("ref"),
            **_based(desk, form),
        },
    )


def _conditions(form: Form) -> Mapping[str, Any]:
    given = {
        "name": form.text("name"),
        "kana": form.kana("kana"),
        "birth_date": form.date("birth_date"),
        "sex": form.text("sex"),
        "address": form.text("address"),
        "municipality_code": form.text("municipality_code"),
        "town_code": form.digits("town_code", 6),
    }
    conditions: dict[str, Any] = {name: value for name, value in given.items() if value}
    if not conditions and not form.problems:
        form.wrong("name", "検索する条件を入力してください。")
    for name, with_ in (("name", "name_match"), ("kana", "kana_match")):
        if name in conditions and form.raw(with_) == "prefix":
            conditions[with_] = "prefix"
    if "birth_date" in conditions and form.ticked("birth_match"):
        conditions["birth_match"] = "open"
    return {**conditions, "include_removed": form.ticked("include_removed")}


def _based(desk: Desk, form: Form) -> dict[str, Any]:
    """Return the ground as the next page says and carries it."""
    ground, stated = ground_stated(desk.grounds(DETAIL), form), form.stated()
    if ground is None or stated["reason"] not in ground.reasons:
        raise Rejected("利用する事務と利用事由を選び直してください。")
    return {
        "ground": ground,
        "reason": stated["reason"],
        "case": stated["case"],
        "carried": {"ground": form.raw("ground"), "case": form.raw("case")},
    }


def _places(prefecture: str) -> list[tuple[str, str]]:
    """Return the municipalities of a prefecture, by code."""
    return [(each.code, each.full_name) for each in Municipalities.load().named(prefecture)]


SCREENS = [
    Screen(
        path=PATH,
        title="本人確認情報検索",
        group="検索・提供",
        package=__package__ or "plugins.search",
        needs=OperationName(FIND),
        show=show,
        acts={"list": find, "change": change, "detail": detail, "my-number": my_number},
    )
]
