"""月次確認書: a month that was signed, on paper, with the reason of all that does not come out."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from appliance.plugin_api import Paper, Who, printed_table
from plugins.usebook.screens_words import KINDS, moment, month_in_words

TITLE = "使用簿月次確認書"
COLUMNS = {
    "区分": 2,
    "日時": 2,
    "操作者": 2.4,
    "内容": 5,
    "理由": 5,
    "理由を記録した者": 2.4,
    "記録日時": 2,
}


def confirmation(
    figures: Mapping[str, Any], found: Iterable[Mapping[str, Any]], who: Who, on: date
) -> Paper:
    """Print a month that was signed.

    Raises:
        Unavailable, Rejected: as ``printed_table``.
    """
    made = printed_table(
        TITLE,
        COLUMNS,
        [_row(each) for each in found],
        _notes(figures),
        on,
        issuer=f"{who.prefecture} {figures['office']}",
        footer=f"出力 {who.person_id} {who.operator_id} {moment(who.now)}",
    )
    return Paper(
        content=made.pdf,
        media_type="application/pdf",
        name=f"usebook-{figures['month']}.pdf",
        title=f"{TITLE} {month_in_words(figures['month'])}",
    )


def _notes(figures: Mapping[str, Any]) -> list[str]:
    signed, matched = figures["signed"], figures["matched"]
    own = "(この月に本人確認情報を利用した者)" if signed["own_uses"] else ""
    again = f"　再開: {figures['reopened']}回" if figures["reopened"] else ""
    return [
        f"対象: {figures['office']} {month_in_words(figures['month'])}"
        f"　締めた者: {signed['by']['person']} {signed['by']['operator']}{own}"
        f"　締めた日時: {moment(signed['at'])}{again}",
        f"突合: {moment(matched['at'])}(時刻の許容差 {matched['tolerance']}分)"
        f"　操作履歴の利用: {matched['uses']}件　使用簿: {matched['lines']}行"
        f"　一致: {matched['matched']}件",
        f"不一致: 使用簿に記入なし {matched['unrecorded']}件、"
        f"操作履歴に記録なし {matched['unfounded']}件、記載の相違 {matched['differing']}件",
    ]


def _row(shown: Mapping[str, Any]) -> list[str]:
    finding, mark = shown["finding"], shown["mark"]
    said = mark or {"reason": "", "by": {"person": "", "operator": ""}, "at": None}
    return [
        KINDS[finding["kind"]],
        moment(finding["at"]),
        " ".join(finding["people"]),
        finding["text"],
        said["reason"],
        f"{said['by']['person']} {said['by']['operator']}".strip(),
        moment(said["at"]) if said["at"] else "",
    ]
