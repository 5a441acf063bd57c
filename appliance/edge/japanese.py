"""What a refusal says to the staff at a terminal: Japanese, and what to do next.

A catalogue beside the code, as gettext has it: the key is the English sentence, which developers
of the API read; names of items, 事務 and operations in it are carried over. A sentence that is not
here (a vendor's) is told by its code alone, unless it is Japanese itself. Nothing but our own
sentences and names reaches the texts.
"""

import re
from collections.abc import Iterator, Mapping

from appliance.edge.labels import CHOICES, FORMS, LABELS
from appliance.edge.sentences import TEXTS
from appliance.items import BY_NAME, ItemName

CODES = {
    "malformed": "入力内容を読み取れませんでした。内容と端末のソフトウェアを確認してください。",
    "unidentified": "ログインしていないか、登録されていない端末です。",
    "verify-again": "この操作の前に、もう一度認証してください。",
    "not-permitted": "この操作の権限がありません。必要な場合はシステム管理者に相談してください。",
    "needs-approval": "この操作には別の職員の承認が必要です。承認を求めてから実行してください。",
    "protected": "要注意: 二人で開いてください。",
    "unknown-operation": "その機能はありません。端末のソフトウェアの版を確認してください。",
    "not-found": "該当するものがありません。",
    "conflict": "他の操作と競合したため、実行しませんでした。最新の状態を確認してください。",
    "rejected": "規則に合わないため、実行しませんでした。個々の理由を確認してください。",
    "add-conditions": "条件が足りません。条件を追加してください。",
    "too-many": "該当者が多すぎるため、表示できません。条件を追加してください。",
    "bad-gateway": "全国サーバから正しい回答が得られませんでした。個々の理由を確認してください。",
    "unavailable": "現在利用できません。しばらくしてからもう一度操作してください。",
    "integrity": "保存されたデータに異常があります。操作をやめ、システム管理者に連絡してください。",
    "internal": "システム内部の異常です。変更は行われていません。管理者に連絡してください。",
    "outcome-unknown": "実行されたか確認できません。もう一度同じ内容で送信してください。",
    "busy": "混み合っています。しばらくしてからもう一度操作してください。",
    "certificate-expired": "端末の証明書の有効期間外です。システム管理者に連絡してください。",
    "request-timeout": "通信に時間がかかりすぎました。もう一度操作してください。",
}
OTHER = "この操作は実行できません。システム管理者に連絡してください。"
"""Of a code that only developers meet, or a vendor's own."""

CATALOGUE = {re.compile(english): japanese for english, japanese in TEXTS.items()}
_FORMS = {re.compile(english): japanese for english, japanese in FORMS.items()}


def told_in_japanese(code: str, detail: str, titles: Mapping[str, str] | None = None) -> str:
    """Return what the staff is told of a refusal.

    Args:
        code: the refusal's.
        detail: its English sentence.
        titles: what the operation itself calls its fields, by wire name.
    """
    for english, japanese in CATALOGUE.items():
        if match := english.fullmatch(detail):
            return japanese.format(**dict(_carried_over(match, titles or {})))
    if not detail.isascii():
        return detail  # a plugin that speaks to the staff itself
    return CODES.get(code, OTHER)


def field_named(detail: str) -> str | None:
    """Return the wire name of the one field that a sentence is about, or None."""
    for english in CATALOGUE:
        if match := english.fullmatch(detail):
            place = match.groupdict().get("place")
            return _last_step(place) if place else None
    return None


def is_told(detail: str) -> bool:
    """Return whether the catalogue has this sentence."""
    return any(english.fullmatch(detail) for english in CATALOGUE)


def _carried_over(match: re.Match[str], titles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in match.groupdict().items():
        if name == "items":
            yield name, "、".join(field_label(each, titles) for each in text.split(", "))
        elif name == "place":
            yield name, field_label(_last_step(text), titles)
        elif name == "form":
            yield name, _form(text)
        elif name == "choices":
            yield name, "、".join(map(_choice, text.split(", ")))
        else:
            yield name, text or ""


def _last_step(place: str) -> str:
    return place.rpartition(".")[2].partition("[")[0]


def _form(text: str) -> str:
    for english, japanese in _FORMS.items():
        if match := english.fullmatch(text):
            return japanese.format(*match.groups())
    return "定められた形式" if text.isascii() else text


def _choice(text: str) -> str:
    """Return a choice with what it means, so that it is found both on a form and on the wire."""
    meaning = CHOICES.get(text) or LABELS.get(text)
    if meaning is None and text in BY_NAME:
        meaning = BY_NAME[ItemName(text)].label
    return text if meaning is None else f"{meaning}({text})"


def field_label(name: str, titles: Mapping[str, str]) -> str:
    """Return what a field is called: by its operation, by law, by us; else its wire name."""
    if name in titles:
        return titles[name]
    item = BY_NAME.get(ItemName(name))
    return LABELS.get(name, name) if item is None else item.label
