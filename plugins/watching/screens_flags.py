"""検知 at a terminal: what stood out, why, which entries it is about, and what came of it.

A flag accuses nobody: every page says so. Whoever may read the ledger goes on to its entries.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from appliance.plugin_api import JST, Desk, Form, OperationName, Page, Refusal, Screen, Waiting

FLAGS, FLAG, DECIDE, FIGURES = (
    f"watching/{each}" for each in ("flags", "flag", "decide", "figures")
)
PATH = "/screens/watching/flags"
PAGE, WEEKS = 50, 12
STATES = {"open": "未判定", "decided": "判定済み", "all": "すべて"}
DECISIONS = {
    "justified": "正当な利用",
    "misuse": "不正な利用",
    "unclear": "判断できない(調査を続ける)",
}
CHIPS = {"": "wait", "justified": "good", "misuse": "bad", "unclear": "wait"}
DETECTORS = {
    "seen-by-many": (
        "同じ人の閲覧の集中",
        "1人の住民を、共通の使用簿番号なしに、複数の者が見ています。",
    ),
    "looked-only": ("閲覧のみの多さ", "提供や交付につながらない閲覧が、想定より多くあります。"),
    "out-of-hours": ("時間外の利用", "承認のない夜間又は閉庁日の利用があります。"),
    "volume": ("利用件数の多さ", "1日の利用が、本人の普段の日より大幅に多くなっています。"),
    "own-name": ("同じ氏名の検索", "操作者と同じ氏名又は氏の人が検索又は閲覧されています。"),
    "name-fishing": ("氏名の探索", "短い時間に、似た氏名の検索が続いています。"),
    "overlap": ("利用の重なり", "1人の操作者の利用が、複数の端末で重なっています。"),
    "failed-logins": ("認証の失敗", "操作者認証の失敗が続いています。"),
    "canary": (
        "架空の住民の閲覧",
        "訓練以外で、実在しない住民の情報が開かれました。直ちに確認してください。",
    ),
}
"""What a detector is called, and what it tells."""
MEASURES = {
    "persons": ("閲覧した者", "人"),
    "offices": ("閲覧した所属", "所属"),
    "looks": ("閲覧", "件"),
    "looked_only": ("閲覧のみ", "件"),
    "without_case": ("使用簿番号のない閲覧", "件"),
    "expected": ("想定", "件"),
    "spread": ("ばらつき", "件"),
    "days": ("比べた日数", "日"),
    "uses": ("利用", "件"),
    "evening": ("区分: 夜間前の時間外", ""),
    "night": ("区分: 夜間", ""),
    "off_day": ("区分: 閉庁日", ""),
    "whole_name": ("氏名の全体が一致", ""),
    "variations": ("似た氏名", "通り"),
    "hits": ("該当者の合計", "人"),
    "searches": ("検索", "件"),
    "returns": ("端末の行き来", "回"),
    "seconds_between": ("離れた端末の利用の間隔", "秒"),
    "refused_logins": ("拒否された認証", "回"),
    "failures": ("失敗した認証", "回"),
    "persons_tried": ("試された照合ID", "人"),
    "succeeded": ("失敗の後の成功", "回"),
    "subjects_of_use": ("同時に開かれた人", "人"),
}
"""What a figure counts, and in what; with no unit it is a fact."""
WORDS: Mapping[str, Any] = {
    "states": STATES,
    "decisions": DECISIONS,
    "chips": CHIPS,
    "detectors": DETECTORS,
}


def show(desk: Desk) -> Page:
    """List the flags that nobody has decided."""
    return _list(desk, Form())


def choose(desk: Desk, form: Form) -> Page:
    """List the flags that are chosen, or those that follow."""
    return _list(desk, form)


def flag(desk: Desk, form: Form) -> Page:
    """Show one flag whole."""
    return _one(desk, form.number("number"))


def decide(desk: Desk, form: Form) -> Page:
    """Enter what came of a flag; what was said before stays."""
    form.need(reason="理由")
    if form.raw("decision") not in DECISIONS:
        form.wrong("decision", "判定を選んでください。")
    number = form.number("number")
    said = {"decision": form.raw("decision"), "reason": form.raw("reason").strip()}
    desk.ask(DECIDE, {"number": number, **said})
    return _one(desk, number, notice=f"判定「{DECISIONS[said['decision']]}」を記録しました。")


def again(desk: Desk, form: Form) -> Page:
    """Return the flag a button was pressed on, or the list."""
    try:
        if form.raw("number"):
            return _one(desk, Form(form.fields).number("number"), form)
    except Refusal:
        pass
    return _list(desk, Form())


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say how many flags wait to be decided."""
    if not desk.may(FIGURES):
        return []
    count = desk.ask(FIGURES, {"weeks": 1})["open"]
    return [Waiting("未判定の検知", count)]


def _list(desk: Desk, form: Form) -> Page:
    state = form.raw("state") if form.raw("state") in STATES else "open"
    detector = form.raw("detector") if form.raw("detector") in DETECTORS else ""
    asked = {"state": state, "limit": PAGE, "after": form.number("after") or 0}
    found = desk.ask(FLAGS, {**asked, **({"detector": detector} if detector else {})})
    figures = desk.ask(FIGURES, {"weeks": WEEKS})
    return Page(
        template="flags.html",
        data={
            **WORDS,
            "flags": found["flags"],
            "next": found["next"],
            "state": state,
            "detector": detector,
            "kinds": [(name, words) for name, (words, _) in DETECTORS.items()],
            "figures": figures,
            "by_week": _by_detector(figures["weeks"]),
            "weeks": WEEKS,
        },
    )


def _by_detector(weeks: Iterable[Mapping[str, Any]]) -> list[tuple[str, int, int]]:
    """Return how many flags each detector raised in all the weeks, and how many are open."""
    sums: dict[str, tuple[int, int]] = {}
    for each in weeks:
        raised, still = sums.get(each["detector"], (0, 0))
        sums[each["detector"]] = (raised + each["flags"], still + each["open"])
    return [(_called(name), *counts) for name, counts in sorted(sums.items())]


def _one(desk: Desk, number: int | None, kept: Form | None = None, notice: str = "") -> Page:
    found = desk.ask(FLAG, {"number": number})
    listed = found["flag"]
    return Page(
        template="flag.html",
        title=f"検知 番号{number}",
        notice=notice,
        data={
            **WORDS,
            "form": kept or Form(),
            "flag": listed,
            "names": found["names"],
            "evidence": found["evidence"],
            "thresholds": found["thresholds"],
            "decide_by": found["decide_by"],
            "history": found["decisions"],
            "called": _called(listed["detector"]),
            "why": DETECTORS.get(listed["detector"], ("", ""))[1],
            "measures": [_measure(*each) for each in listed["figures"].items()],
            "today": desk.who.now.astimezone(JST).date().isoformat(),
            "may_decide": desk.may(DECIDE),
        },
    )


def _called(detector: str) -> str:
    return DETECTORS.get(detector, (detector, ""))[0]


def _measure(name: str, value: float) -> tuple[str, str]:
    words, unit = MEASURES.get(name, (name, ""))
    if name in MEASURES and not unit:
        return words, "該当" if value else "非該当"
    return words, f"{value:g}{unit}"


SCREENS = [
    Screen(
        path=PATH,
        title="検知",
        group="監査",
        package=__package__ or "plugins.watching",
        needs=OperationName(FLAGS),
        show=show,
        acts={"list": choose, "flag": flag, "decide": decide},
        again=again,
        waiting=waiting,
    )
]
