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
    "not-permitted": "この操作の権限がありません。必要な場合はシステム管理者に相談してください。",
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

<<<<<<< HEAD
CATALOGUE = {re.compile(english): japanese for english, japanese in TEXTS.items()}
_FORMS = {re.compile(english): japanese for english, japanese in FORMS.items()}
=======
_FORMS = {
    "YYYY-MM-DD with 00 for unknown parts": "年月日(YYYY-MM-DD、不明な部分は00)",
    "1 (男), 2 (女) or 0 (unknown)": "1(男)、2(女)、0(不明)のいずれか",
    "four digits": "数字4桁",
    "six digits": "数字6桁",
    "eleven digits": "数字11桁",
    "twelve digits": "数字12桁",
    "text of 1 to 200 characters": "1文字以上200文字以内",
    "text of 1 to 400 characters": "1文字以上400文字以内",
    "1 to 16 of A-Z a-z 0-9 -": "英数字とハイフンで16文字以内",
    "1 to 32 of A-Z a-z 0-9 -": "英数字とハイフンで32文字以内",
    "the name of one of the 24 items": "24項目のいずれかの名称",
    "a list of 1 to 24 names of items": "1から24個の項目名",
}
_AGAIN = "操作者ID、暗証番号又は端末が正しくないか、操作者がロックされています。"
_LOG_IN = "ログインしてください。操作がない時間が続くと自動的にログアウトします。"
_TEXTS = {
    # 整合性確認
    r"municipality_code: not in the calendar of reconcile/plan": (
        "この市町村は整合性確認の予定にありません。先に実施間隔を登録してください。"
    ),
    r"municipality_codes: one is no municipality today": (
        "市町村コードに、現在の市町村でないものがあります。コードを確認してください。"
    ),
    # bulk provision
    r"a second person must do this": "同じ人はこの操作をできません。別の担当者が操作してください。",
    r"approved for another medium": "承認された媒体と違います。承認された媒体を使ってください。",
    r"nothing of the file was taken; see the problems": (
        "ファイルに誤りがあるため、全件を受け付けませんでした。個々の理由を確認してください。"
    ),
    r"this purpose has no such (?:job|recipient)": "この事務にその番号のものはありません。",
    r"the job is not \S+": "まだその段階ではないか、既に済んでいます。",
    r"the job has ended": "この一括照会は終了しています。",
    r"the recipient was retired": "この提供先の鍵は廃止されています。",
    r"the file was not sealed for this key, or was changed since": (
        "このシステムの公開鍵で暗号化されたファイルではありません。作り直してください。"
    ),
    r"public_key must be an X25519 public key, 32 bytes in base64": (
        "公開鍵の形式が違います。juki media keygen で作った公開鍵を指定してください。"
    ),
    # who asks
    r"log in first.*": _LOG_IN,
    r"the operator, the PIN or the terminal is not right, or the operator is locked": _AGAIN,
    r"this operator is logged in at another terminal": (
        "この操作者は別の端末でログイン中です。そちらでログアウトしてください。"
    ),
    r"this enrolment code is not known, is used or is over": (
        "この登録コードは無効か、使用済みか、期限切れです。システム管理者に再発行を依頼してください。"
    ),
    r"the PIN needs (?P<what>[0-9]+) digits or more": (
        "暗証番号は{what}桁以上の数字にしてください。"
    ),
    r"the PIN is too easy: .*": (
        "この暗証番号は推測されやすいため使えません。繰り返しや連番を避けてください。"
    ),
    r"others are logging in at this moment; .*": (
        "他の人がログイン処理中です。数秒後にもう一度操作してください。"
    ),
    r"the certificate of this terminal is not in force": (
        "この端末の証明書は有効期間外です。システム管理者に連絡してください。"
    ),
    r"the certificate of this terminal is not registered": (
        "この端末は登録されていません。システム管理者に連絡してください。"
    ),
    r"the appliance is sealed or stopping": (
        "システムは停止中か、開錠されていません。システム管理者に連絡してください。"
    ),
    # rights
    r"no role of yours reaches (?P<what>[a-z/-]+) at this terminal": (
        "この端末では、あなたの役割でこの機能({what})を使えません。"
    ),
    r"name the purpose \(X-Purpose\) and its reason \(X-Reason\)": (
        "利用する事務と利用事由を選んでください。"
    ),
    r"this purpose is not among yours": (
        "この事務はあなたに認められていません。事務の選択を確認してください。"
    ),
    r"this purpose is not in force today": "この事務は本日有効ではありません。",
    r"this purpose does not allow (?P<what>[a-z/-]+)": (
        "この事務では、この機能({what})を使えません。"
    ),
    r"this reason does not belong to the purpose": (
        "この利用事由は、選んだ事務のものではありません。選び直してください。"
    ),
    r"not within your rights: (?P<items>[a-z_, ]+)": (
        "次の項目は、この事務又は役割では利用できません: {items}"
    ),
    r"withheld here: (?P<items>[a-z_, ]+)": (
        "次の項目は、この端末又は操作では開示も照合もできません: {items}"
    ),
    r"whoever asked for this may not work any more": (
        "申請した人は停止中又は任期満了です。取り消して申請し直してください。"
    ),
    r"this purpose is no more among those of whoever asked for this": (
        "申請した人にこの事務は認められなくなりました。取り消して申請し直してください。"
    ),
    r"no role of whoever asked for this reaches it any more": (
        "申請した人の役割ではこの機能を使えなくなりました。取り消して申請し直してください。"
    ),
    r"your rights do not allow to ask by (?P<items>[a-z_]+)": (
        "この事務又は役割では、{items}による照会はできません。"
    ),
    r"your rights do not allow to ask about anybody": (
        "この事務又は役割では、本人確認情報の照会はできません。"
    ),
    r"struck-off residents are not within your rights": (
        "消除された者の検索は、この役割では認められていません。"
    ),
    r"the history is not within your rights": "履歴の閲覧は、この役割では認められていません。",
    r"a plugin could not decide": (
        "利用可否を判定できなかったため、実行しませんでした。システム管理者に連絡してください。"
    ),
    r"nobody appoints or suspends himself": "自分自身の登録や変更はできません。",
    # what is asked for
    r"(?P<place>[a-z0-9_.\[\]]+) must be (?P<form>.+)": "{place}は、{form}で入力してください。",
    r"(?P<items>[a-z_]+): the check digit is wrong": (
        "{items}の検査数字が合いません。番号を確認してください。"
    ),
    r"(?P<items>[a-z_]+) holds nothing that can be searched for": (
        "{items}に、検索に使える文字がありません。"
    ),
    r"items: there are .*; something else is asked for": "項目名が正しくありません。",
    r"by: give resident_code, or my_number, or four informations": (
        "住民票コード、個人番号又は4情報のいずれか一つで照会してください。"
    ),
    r"by: give name or kana, and birth_date, sex or address": (
        "氏名又はふりがなに、生年月日、性別又は住所を加えてください。"
    ),
    r"add birth_date, or municipality_code and town_code; kana needs 2 characters": (
        "生年月日、又は市町村と大字・字を追加してください。ふりがなは2文字以上必要です。"
    ),
    r"add birth_date, or municipality_code and town_code, or give the full name": (
        "生年月日、又は市町村と大字・字を追加するか、氏名の全部を入力してください。"
    ),
    r"add municipality_code, name or kana": "市町村、氏名又はふりがなを追加してください。",
    r"give a full name, full kana, a full address, or birth_date with another condition": (
        "氏名、ふりがな若しくは住所の全部、又は生年月日と他の条件を入力してください。"
    ),
    r"add the day of birth or the sex; this stands for too many dates": (
        "生年月日の日又は性別を追加してください。"
    ),
    r"give at least year and month of birth where unknown parts match": (
        "生年月日は、少なくとも年と月を入力してください。"
    ),
    r"more than (?P<what>[0-9]+) candidates; add a condition": (
        "候補者が{what}人を超えています。条件を追加してください。"
    ),
    r"more than (?P<what>[0-9]+) residents fit; add a condition": (
        "該当者が{what}人を超えています。条件を追加してください。"
    ),
    # what is not there, or not any more
    r"this reference is not known.*": "検索結果の有効時間が過ぎました。もう一度検索してください。",
    r"the record was changed in the meantime; read it again": (
        "その間に記録が更新されました。もう一度表示してください。"
    ),
    r"nobody has this resident_code": "この住民票コードの者はいません。",
    r"the ledger has no entry of this number": "この番号の操作履歴はありません。",
    # the rosters
    r"there is no such operator": "この操作者IDは登録されていません。",
    r"this operator_id was given out before: .*": (
        "この操作者IDは既に使われています。別のIDにするか、既存の登録を変更又は再開してください。"
    ),
    r"this (operator|terminal)_id is the appliance's own; .*": (
        "このIDはシステム自身のものです。別のIDにしてください。"
    ),
    r"say what changes: .*": "変更する項目を入力してください。",
    r"this operator is suspended: .*": (
        "この操作者は停止中です。再開すると、新しい登録コードも発行されます。"
    ),
    r"this operator is suspended already; .*": "この操作者は既に停止されています。",
    r"this operator is not suspended; .*": (
        "この操作者は停止されていません。登録コードだけが必要な場合は、再発行してください。"
    ),
    r"this appointment is over: .*": (
        "この操作者の任期は終わっています。先に任期の末日を変更してください。"
    ),
    r"this appointment cannot be made": "この登録はできません。個々の理由を確認してください。",
    r"this certificate is registered, or was once: .*": (
        "この証明書は既に登録されたことがあります。新しい証明書を発行してください。"
    ),
    r"this terminal_id is registered: .*": (
        "この操作端末IDは登録済みです。先に失効させるか、別のIDにしてください。"
    ),
    r"no live terminal has this terminal_id": "この操作端末IDの有効な端末はありません。",
    r"certificate is of another authority: .*": (
        "この証明書は、このシステムが信頼する認証局のものではありません。"
    ),
    r"certificate is not in force": "この証明書は有効期間外です。",
    r"place is needed for kind .*": "端末の設置場所を入力してください。",
}
CATALOGUE = {re.compile(english): japanese for english, japanese in _TEXTS.items()}
>>>>>>> 591cd7b (Test the rights of bulk inquiries; warn of formulas, tell no result before approval)


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


def is_told(detail: str) -> bool:
    """Return whether the catalogue has this sentence."""
    return any(english.fullmatch(detail) for english in CATALOGUE)


def _carried_over(match: re.Match[str], titles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in match.groupdict().items():
        if name == "items":
            yield name, "、".join(_label(each, titles) for each in text.split(", "))
        elif name == "place":
            yield name, _label(text.rpartition(".")[2].partition("[")[0], titles)
        elif name == "form":
            yield name, _form(text)
        elif name == "choices":
            yield name, "、".join(map(_choice, text.split(", ")))
        else:
            yield name, text or ""


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


def _label(name: str, titles: Mapping[str, str]) -> str:
    """Return what a field is called: by its operation, by law, by us; else its wire name."""
    if name in titles:
        return titles[name]
    item = BY_NAME.get(ItemName(name))
    return LABELS.get(name, name) if item is None else item.label
