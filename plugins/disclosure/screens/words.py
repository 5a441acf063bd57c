"""What the codes of a case are called on screens, and how a screen of this function asks."""

from collections.abc import Mapping
from typing import Any

from appliance.plugin_api import Desk, Form
from plugins.disclosure.book import STATES as CASE_STATES
from plugins.disclosure.form import LABELS
from plugins.disclosure.letters import WISHES
from plugins.disclosure.sheets import STATES as SHEET_STATES

PACKAGE = "plugins.disclosure"
GROUP = "開示・訂正"
DISCLOSURE, CORRECTION, INQUIRY, SHEETS = "01", "02", "03", "04"
"""利用事由 of the 事務 of disclosure, as the policy is shipped."""
METHODS = {"counter": "来庁", "post": "郵送"}
SEXES = {"1": "男", "2": "女", "0": "不明"}
PROOFS = {
    "driving-licence": "運転免許証",
    "my-number-card": "個人番号カード",
    "passport": "旅券",
    "residence-card": "在留カード",
    "disability-certificate": "障害者手帳",
    "two-other-documents": "その他の書類2点",
}
STANDINGS = {"minor": "未成年者の法定代理人", "adult-ward": "成年被後見人の法定代理人"}
SHOWN_BY = {
    "family-register": "戸籍謄本等",
    "guardianship-certificate": "登記事項証明書",
    "court-decision": "審判書等",
}
FORMS = {
    "confirmation": "本人確認情報確認書(別記第3号様式)",
    "absence": "不存在通知書",
    "extension": "期限延長通知書",
    "report": "通報書",
    "result": "訂正等調査結果通知書",
}
CLOSED = {"completed": "完了", "withdrawn": "取下げ", "rejected": "却下"}
HOW_DISPOSED = {"shredded": "細断", "burnt": "焼却", "dissolved": "溶解"}
FINDINGS = {"error": "誤りあり", "no-error": "誤りなし"}
OUTCOMES = {"corrected": "改めた", "partly": "一部を改めた", "not-corrected": "改めない"}
WHICH = {
    "open": "処理中",
    "overdue": "期限を過ぎたもの",
    "closed": "終了したもの",
    "all": "すべて",
}
INQUIRY_METHODS = {"counter": "来庁", "telephone": "電話", "post": "郵送", "electronic": "電子"}
TOPICS = {
    "disclosure": "開示",
    "correction": "訂正等",
    "provision": "提供",
    "system": "システム",
    "complaint": "苦情",
    "other": "その他",
}
CHIPS = {
    "received": "wait",
    "mismatch": "bad",
    "several": "bad",
    "closed": "plain",
    "printed": "wait",
    "stored": "wait",
    "replaced": "bad",
    "disposed": "plain",
}
"""The colour of a state; ``good`` without an entry."""

WORDS: Mapping[str, Any] = {
    "methods": METHODS,
    "sexes": SEXES,
    "proofs": PROOFS,
    "standings": STANDINGS,
    "shown_by": SHOWN_BY,
    "forms": FORMS,
    "closed_as": CLOSED,
    "how_disposed": HOW_DISPOSED,
    "findings": FINDINGS,
    "outcomes": OUTCOMES,
    "wishes": WISHES,
    "labels": LABELS,
    "whiches": WHICH,
    "case_states": CASE_STATES,
    "sheet_states": SHEET_STATES,
    "chips": CHIPS,
}
"""For every template of this function."""


def ask(desk: Desk, reason: str, step: str, /, **body: Any) -> Mapping[str, Any]:
    """Ask an operation of this function under the 事務 of disclosure, for a 利用事由.

    Where the policy has no such 利用事由, the first it has is stated.

    Raises:
        Refusal: no.
    """
    operation = f"disclosure/{step}"
    ground = next(iter(desk.grounds(operation)), None)
    if ground is None:
        return desk.ask(operation, body)
    stated = reason if reason in ground.reasons else next(iter(ground.reasons), None)
    return desk.ask(operation, body, purpose=ground.purpose, reason=stated)


def chosen(form: Form, name: str, words: Mapping[str, str], label: str) -> str | None:
    """Return a choice that must be made; what is none of the words is noted as wrong."""
    value = form.text(name)
    if value not in words:
        form.wrong(name, f"{label}を選んでください。")
    return value


def proofs(form: Form) -> list[str]:
    """Return the 本人確認書類 that were ticked; at least one must be."""
    ticked = [each for each in form.all("identity") if each in PROOFS]
    if not ticked:
        form.wrong("identity", "確認した本人確認書類を選んでください。")
    return ticked


def representative(form: Form) -> dict[str, Any] | None:
    """Return the 法定代理人, if one is filled in."""
    names = ("standing", "representative_name", "representative_address", "shown_by")
    if not any(form.text(name) for name in names):
        return None
    form.need(representative_name="代理人の氏名", representative_address="代理人の住所")
    return {
        "standing": chosen(form, "standing", STANDINGS, "代理人の資格"),
        "name": form.text("representative_name"),
        "address": form.text("representative_address"),
        "shown_by": chosen(form, "shown_by", SHOWN_BY, "資格を確認した書類"),
    }


def given(**values: Any) -> dict[str, Any]:
    """Return what is not None."""
    return {name: value for name, value in values.items() if value is not None}
