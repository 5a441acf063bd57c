"""What municipalities and staff read (Japanese): what is so, and what to do next."""

from plugins.reconcile.runs import Due, Run
from plugins.reconcile.wire import Kind

TO_DO: dict[Kind, str] = {
    "differing": "住民票の記載を確認し、市町村の記載が正しければ"
    "職権修正等の通知を送信してください。都道府県では修正しません。",
    "missing-here": "都道府県に現存者としての記録がありません。"
    "転入等・出生・職権記載等の通知が未送信でないか確認し、通知してください。",
    "missing-there": "市町村の現存者にありません。"
    "転出・死亡・職権消除等の通知が未送信でないか確認し、通知してください。",
}
"""R203: a wrong item is corrected at the municipality, never at the prefecture."""


def result(run: Run) -> str:
    """Return 整合性確認結果 as the municipality is told it (R93)."""
    if run.state == "agreed":
        return f"整合性確認の結果、{run.ours:,}人の本人確認情報がすべて一致しました。"
    parts = [
        f"整合性確認の結果、不一致がありました。項目の不一致{run.differing:,}人、"
        f"都道府県に記録なし{run.missing_here:,}人、市町村に記録なし{run.missing_there:,}人。"
        "各件の案内に従い、必要な通知を送信してください。"
    ]
    if run.paired:
        parts.append(
            f"住民票コードが異なる同一人の可能性がある組が{run.paired:,}件あります。"
            "住民票コードを確認してください。"
        )
    if not run.explained:
        parts.append(
            "見つかった差異では人数の差を説明できません。確認中に異動があったか、"
            "照合が途中で終わっています。もう一度実施してください。"
        )
    return "".join(parts)


def overdue(due: Due, days: int) -> str:
    """Return what staff are told of a municipality that was not compared in time (R95)."""
    since = "実施されたことがありません" if due.last is None else f"{due.last.on}が最後です"
    return (
        f"{due.municipality}: 整合性確認の期限({due.on})を{days}日過ぎています。{since}。"
        "市町村の担当者に整合性確認の実施を依頼してください。"
    )
