"""Forms without a resident in them: for the counter, for the web, for whoever wants to ask.

別記第2号様式 (R74), the form of correction (R76) and the 個人情報ファイル簿 (R80). None has a place
for a 個人番号 (R64).
"""

from datetime import date
from typing import Literal

from appliance.plugin_api import ITEMS, Answer, Arguments, Case, Operation, OperationName, Policy
from plugins.disclosure.form import printed, sender

NAME = "住民基本台帳ネットワークシステム事務"
"""Under which the file is published (R80)."""


class Forms(Arguments, frozen=True, kw_only=True):
    """Which form: the request, the wish for a correction, or the 個人情報ファイル簿."""

    form: Literal["request", "correction", "file-register"]


class Blank(Answer, frozen=True, kw_only=True):
    """A form."""

    form: str
    pages: int
    sha256: str
    pdf: bytes
    """PDF/A-2u; base64 in JSON, a byte string in CBOR."""


def forms(case: Case, asked: Forms) -> Blank:
    """Print a form, with the office on it."""
    today = case.request.today
    data = sender(case, today)
    if asked.form == "file-register":
        data["rows"] = _rows(case.policy, today)
    made = printed(asked.form, data, today)
    case.note.result = f"{asked.form}, {made.sha256}"
    return Blank(form=asked.form, pages=made.pages, sha256=made.sha256, pdf=made.pdf)


def _rows(policy: Policy, today: date) -> list[tuple[str, str]]:
    """Return the 個人情報ファイル簿: what is kept, what for, and to whom it goes by this policy."""
    ours = policy.office
    where = f"{ours.department}\n{ours.address}　電話 {ours.phone}"
    used, provided = _agencies(policy, today, "transfer"), _agencies(policy, today, "provision")
    return [
        ("個人情報ファイルの名称", f"{NAME}(都道府県知事保存本人確認情報ファイル)"),
        ("行政機関等の名称", ours.issuer),
        ("事務をつかさどる組織の名称", ours.department),
        (
            "個人情報ファイルの利用目的",
            "住民基本台帳法に基づく本人確認情報の保存、提供及び利用のため"
            f"(利用する部署: {'、'.join(used) or 'なし'})",
        ),
        ("記録項目", "、".join(item.label for item in ITEMS)),
        (
            "記録範囲",
            f"{ours.prefecture}内の市町村の住民基本台帳に記録された者"
            "(消除された者で保存期間が経過していないものを含む。)",
        ),
        ("記録情報の収集方法", "住民基本台帳法第30条の6第1項の規定による市町村長からの通知"),
        ("要配慮個人情報", "含まない"),
        ("記録情報の経常的提供先", "、".join(("地方公共団体情報システム機構", *provided))),
        ("開示請求等を受理する組織の名称及び所在地", where),
        (
            "訂正等に関する特別の手続",
            "住民基本台帳法第30条の35の規定による。記録の訂正は、市町村長からの通知により行う。",
        ),
        ("個人情報ファイルの種別", "電子計算機処理に係るファイル"),
    ]


def _agencies(policy: Policy, today: date, kind: str) -> tuple[str, ...]:
    """Return who works on a 事務 of a kind (移転 within the 知事部局, 提供 to others) today."""
    rules = policy.purposes.values()
    return tuple(
        dict.fromkeys(rule.agency for rule in rules if rule.kind == kind and rule.holds_on(today))
    )


FORMS = Operation(
    name=OperationName("disclosure/forms"),
    summary="Print a form without a resident in it.",
    asks=Forms,
    answers=Blank,
    handler=forms,
    records=("form",),
)
OPERATIONS = (FORMS,)
