"""What the screens of 操作履歴 have in common: words, the period, an entry as a row."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from appliance.plugin_api import JST, SYSTEM, Form
from plugins.ledger.wording import FILTERS, FUNCTIONS, LABELS, REFUSALS

GROUP = "監査"
PACKAGE = "plugins.ledger"
RESULTS = {"ok": "許可", "denied": "拒否", "error": "異常終了"}
EVENTS = {"system": "システム", "read": "照会", "change": "変更"}
CHIPS = {"ok": "good", "denied": "bad", "error": "bad"}
WORDS: Mapping[str, Any] = {
    "functions": FUNCTIONS,
    "results": RESULTS,
    "events": EVENTS,
    "chips": CHIPS,
    "refusals": REFUSALS,
    "system": SYSTEM,
}
"""For every template of this function."""
PERIOD = ("since", "until")
CHOICES = {"exact": "完全一致", "prefix": "前方一致", "open": "不詳の部分は問わない"}
SEXES = {"1": "男", "2": "女", "0": "不明"}
ASKED = {
    **LABELS,
    **FILTERS,
    "by": "照会のキー",
    "items": "項目",
    "claims": "照合した項目",
    "name_match": "氏名の照合",
    "kana_match": "ふりがなの照合",
    "birth_match": "生年月日の照合",
    "include_removed": "消除者を含める",
    "history": "履歴を含める",
    "since": "期間の始まり",
    "until": "期間の終わり",
    "before": "この番号より前",
    "limit": "件数の上限",
    "month": "月",
    "number": "番号",
    "index": "番号",
    "format": "形式",
}
"""What conditions are called; by their names on the wire where nothing else is known."""


def period(form: Form) -> dict[str, str]:
    """Return the days of a period as moments in Japan; a wrong order is noted in the form."""
    since, until = (form.day(name) for name in PERIOD)
    if since and until and date.fromisoformat(until) < date.fromisoformat(since):
        form.wrong("until", "期間の始まりと同じか後の日にしてください。")
    told = {}
    if since:
        told["since"] = f"{since}T00:00:00+09:00"
    if until:
        told["until"] = f"{until}T23:59:59.999+09:00"
    return told


def carried(form: Form) -> dict[str, str]:
    """Return what was asked by, for the next form."""
    names = (*FILTERS, *PERIOD, "contractor")
    return {name: form.raw(name) for name in names if form.raw(name)}


def rows(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return entries with the 機能 in words, and when it was in Japan, to the second."""
    return [
        {**entry, "function": _function(entry["operation"]), "when": _in_japan(entry["at"])}
        for entry in entries
    ]


def asked_by(conditions: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what was asked by, in words; of numbers that name somebody the last four digits."""
    return [(ASKED.get(name, name), text) for name, text in _flat(conditions)]


def _in_japan(at: datetime | str) -> str:
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return moment.astimezone(JST).strftime("%Y-%m-%d %H:%M:%S")


def _function(operation: str) -> str:
    name = operation.partition("/")[0]
    return FUNCTIONS.get(name, name)


def _flat(conditions: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in conditions.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        elif value not in (None, "", (), []):
            yield name, _text(name, value)


def _text(name: str, value: Any) -> str:
    if name in ("my_number", "resident_code", "previous_resident_code"):
        return f"(末尾4桁) {str(value)[-4:]}"
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    if name == "sex":
        return SEXES.get(value, str(value))
    if isinstance(value, list | tuple):
        return "、".join(str(LABELS.get(each, each)) for each in value)
    return CHOICES.get(value, str(value)) if isinstance(value, str) else str(value)
