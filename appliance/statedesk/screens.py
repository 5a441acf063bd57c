"""システム状態 at a terminal: what a human should see to, and how everything is."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from appliance.model import OperationName
from appliance.screen import Desk, Form, Page, Screen, Waiting

STATE, JOBS, JOB, RUN = "system/state", "job/list", "job/status", "job/run"
PATH = "/screens/system/state"
SOON = timedelta(days=60)
"""Before which a certificate is to be renewed."""
CERTIFICATES = {
    "server": "このサーバ",
    "national": "全国サーバとの接続",
    "witness": "証人との接続",
}
WARNINGS = {
    "storage": "保存に失敗しています。操作をやめ、運用担当者に連絡してください。",
    "disk": "ディスクの空きが少なくなっています。運用担当者に連絡してください。",
    "tiles": "操作履歴の書き出しに失敗しています。運用担当者に連絡してください。",
    "national": "全国サーバへの通知に失敗しています。通信を確認してください。",
    "national-maintenance": "全国サーバへの通知を停止しています(保守中)。",
    "outbox": "全国サーバへの通知が15分以上届いていません。通信を確認してください。",
    "jobs": "失敗している自動処理があります。下の一覧で理由を確認してください。",
    "witness": "証人との通信に失敗しています。通信を確認してください。",
    "alarms": "対応が必要な警報があります。下の一覧を確認してください。",
}
WITNESS = {
    "waiting": ("確認待ち", "wait"),
    "cosigned": ("確認済み", "good"),
    "failing": ("通信に失敗", "bad"),
    "rollback": ("操作履歴が短くなっている", "bad"),
    "fork": ("操作履歴が書き換えられている", "bad"),
}
DELIVERY = {
    "delivering": ("通知中", "good"),
    "idle": ("待機中", "good"),
    "failing": ("失敗", "bad"),
    "paused": ("停止中(保守)", "wait"),
    "stopped": ("停止", "bad"),
}
OUTCOMES = {
    None: ("未実行", "plain"),
    "running": ("実行中", "wait"),
    "done": ("正常終了", "good"),
    "failed": ("失敗", "bad"),
}
REASONS = {
    "not-permitted": "権限がありません",
    "conflict": "他の操作と競合しました",
    "rejected": "規則に合いません",
    "bad-gateway": "全国サーバから正しい回答がありません",
    "unavailable": "現在利用できません",
    "integrity": "保存されたデータに異常があります",
    "internal": "内部の異常です",
}
"""Why a step of a job was refused, by the code of the refusal."""
_UNITS = {"day": "日", "hour": "時間", "minute": "分"}
_PERIOD = re.compile(r"every ([0-9]+) (day|hour|minute)s?")
_DAILY = re.compile(r"daily at ([0-9]{2}:[0-9]{2}) JST")
_OTHERS = {
    "when there is something to do": "処理するものがあるとき",
    "when asked for": "指示したとき",
}


def show(desk: Desk) -> Page:
    """Show how the appliance is now, and its jobs to whoever may see them."""
    state = desk.ask(STATE, {})
    jobs = desk.ask(JOBS, {})["jobs"] if desk.may(JOBS) else None
    return Page(
        template="state.html",
        data={
            **_words(),
            "state": state,
            "warned": [WARNINGS.get(each, each) for each in state["degraded"] + state["warnings"]],
            "backup_age": _since(desk, state["backup"]["at"]),
            "certificates": [_certificate(desk, each) for each in state["certificates"]],
            "jobs": jobs,
        },
    )


def job(desk: Desk, form: Form) -> Page:
    """Show one job and its last runs."""
    return _shown(desk, desk.ask(JOB, {"name": form.raw("name")}))


def run(desk: Desk, form: Form) -> Page:
    """Let a job run now."""
    found = desk.ask(RUN, {"name": form.raw("name")})
    notice = (
        "実行を指示しました。数秒後に始まります。結果は「最新の状態を表示」で確認してください。"
    )
    return _shown(desk, found, notice)


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say how much there is to see to; it is urgent while something does not work."""
    state = desk.ask(STATE, {})
    yield Waiting("対応が必要な警報", len(state["alarms"]), urgent=bool(state["degraded"]))
    ending = [each for each in state["certificates"] if _ends_soon(desk, each)]
    yield Waiting("有効期限が近い証明書", len(ending), urgent=True)


def when(told: str) -> str:
    """Return in Japanese when a job runs; what is told in other words is left as it is."""
    if period := _PERIOD.fullmatch(told):
        return f"{period[1]}{_UNITS[period[2]]}ごと"
    if daily := _DAILY.fullmatch(told):
        return f"毎日 {daily[1]}"
    return _OTHERS.get(told, told)


def _shown(desk: Desk, found: Mapping[str, Any], notice: str = "") -> Page:
    return Page(
        template="job.html",
        title=found["job"]["summary"],
        notice=notice,
        data={**_words(), "job": found["job"], "runs": found["runs"], "may_run": desk.may(RUN)},
    )


def _certificate(desk: Desk, told: Mapping[str, Any]) -> dict[str, Any]:
    until = told["not_after"]
    left = None if until is None else _left(desk, until)
    return {
        "name": CERTIFICATES.get(told["name"], told["name"]),
        "until": until,
        "days": None if left is None else left.days,
        "soon": _ends_soon(desk, told),
    }


def _ends_soon(desk: Desk, told: Mapping[str, Any]) -> bool:
    return told["not_after"] is None or _left(desk, told["not_after"]) < SOON


def _left(desk: Desk, until: str) -> timedelta:
    return datetime.fromisoformat(until) - desk.who.now


def _since(desk: Desk, at: str | None) -> str:
    """Return how long ago that was: 3日、5時間、12分."""
    if at is None:
        return ""
    seconds = int((desk.who.now - datetime.fromisoformat(at)).total_seconds())
    for unit, name in ((86_400, "日"), (3600, "時間")):
        if seconds >= unit:
            return f"{seconds // unit}{name}"
    return f"{max(0, seconds) // 60}分"


def _words() -> dict[str, Any]:
    return {
        "when": when,
        "outcomes": OUTCOMES,
        "reasons": REASONS,
        "witness_states": WITNESS,
        "delivery_states": DELIVERY,
    }


SCREENS = [
    Screen(
        path=PATH,
        title="システム状態",
        group="システム",
        package=__package__ or "appliance.statedesk",
        needs=OperationName(STATE),
        show=show,
        acts={"job": job, "run": run},
        waiting=waiting,
    )
]
