"""一括提供 at a terminal: from a file to its result, each step by who may (R44, R45, R55 to R58).

Everything is under a 事務, which is chosen first. A job has a page of its own: what stands there is
what is next in its state, for whoever looks.
"""

from collections.abc import Mapping
from datetime import datetime
from math import ceil
from typing import Any

from appliance.plugin_api import (
    JST,
    Desk,
    Form,
    OperationName,
    Page,
    Paper,
    Progress,
    Refusal,
    Rejected,
    Screen,
)
from plugins.provision.rows import MEANINGS, Code
from plugins.provision.screens import filing
from plugins.provision.screens.glances import Glance, Glances
from plugins.provision.screens.words import CHECK_INPUT, GROUP, PACKAGE, Based, based, label_of

STATUS, CANCEL = "provision/bulk-status", "provision/bulk-cancel"
APPROVE, FETCH, OUTPUTS = "provision/bulk-approve", "provision/bulk-fetch", "provision/outputs"
PATH = "/screens/provision/bulk"
A_PAGE = 50
STATES = {
    "queued": ("受付済み", "wait"),
    "running": ("処理中", "wait"),
    "done": ("承認待ち", "wait"),
    "approved": ("出力できます", "good"),
    "cancelled": ("取消し", "plain"),
    "expired": ("保存期間終了", "plain"),
}
UNDER_WAY, ENDED = ("queued", "running"), ("cancelled", "expired")
WHICHES = {"open": "終了していない申請", "all": "すべての申請"}
STEPS = ("申請", "処理", "承認", "媒体出力")
REACHED = {"queued": 2, "running": 2, "done": 3, "approved": 4}
ADVICE = {
    Code.ONE: "選んだ項目を提供します。",
    Code.SEVERAL: "氏名、生年月日、性別、住所などの情報を加えて、照会し直してください。",
    Code.NONE: "番号又は4情報に誤りがないか、提供先に確認を求めてください。",
    Code.MOVED: "即時提供で1件ずつ照会してください。全国サーバに照会します。",
    Code.DEAD: "項目は提供しません。",
    Code.STRUCK_OFF: "項目は提供しません。",
    Code.NOT_PERMITTED: "事務で認められた照会の方法と項目、申請した人の権限を確認してください。",
    Code.PROTECTED: "即時提供で1件ずつ、二人で開いて照会してください。",
}
GLANCES = Glances()


def show(desk: Desk) -> Page:
    """Ask for which 事務."""
    return Page(template="bulk.html", data={"grounds": desk.grounds(STATUS)})


def jobs(desk: Desk, form: Form) -> Page:
    """List the jobs of a 事務, the newest first."""
    known = based(desk, form, STATUS)
    which = form.raw("which") if form.raw("which") in WHICHES else "open"
    every = desk.ask(STATUS, {}, **known.stated)["jobs"]
    shown = [each for each in every if which == "all" or each["state"] not in ENDED]
    pages = max(1, ceil(len(shown) / A_PAGE))
    page = min(max(form.number("page") or 1, 1), pages)
    return Page(
        template="bulk_jobs.html",
        title="一括提供の申請一覧",
        data={
            **known.told,
            "jobs": shown[(page - 1) * A_PAGE : page * A_PAGE],
            "count": len(shown),
            "page": page,
            "pages": pages,
            "which": which,
            "whiches": WHICHES,
            "states": STATES,
            "may_submit": desk.may(filing.SUBMIT),
        },
    )


def job(desk: Desk, form: Form) -> Page:
    """Open one job."""
    return _opened(desk, based(desk, form, STATUS), _number(form))


def submit(desk: Desk, form: Form) -> Page:
    """Hand a file in, and open the job that answers it; or tell what is wrong with the file."""
    handed = filing.handed_in(desk, form)
    if isinstance(handed, Page):
        return handed
    notice = f"申請番号{handed}で受け付けました。照会ファイルに誤りはありません。"
    return _opened(desk, based(desk, form, STATUS), handed, notice)


def approve(desk: Desk, form: Form) -> Page:
    """Let a result leave on one medium."""
    known, number = based(desk, form, STATUS), _number(form)
    form.need(media_id="出力する媒体の管理番号")
    if not form.ticked("compared"):
        form.wrong("compared", "依頼書と照合し、確認欄にチェックを入れてください。")
    body = {"job": number, "media_id": form.text("media_id")}
    if witness := form.text("witness"):
        body["witness"] = witness
    desk.ask(APPROVE, body, **known.stated)
    return _opened(desk, known, number, "媒体への出力を承認しました。")


def fetch(desk: Desk, form: Form) -> Paper:
    """Take a result out; that is an entry of 媒体出力の記録."""
    known, number = based(desk, form, STATUS), _number(form)
    form.need(media_id="出力する媒体の管理番号")
    body = {"job": number, "media_id": form.text("media_id")}
    fetched = desk.ask(FETCH, body, **known.stated)
    return Paper(
        content=fetched["file"],
        media_type="application/octet-stream",
        name=f"bulk-result-{number}.sealed",
        saved=True,
    )


def cancel(desk: Desk, form: Form) -> Page:
    """End a job."""
    known, number = based(desk, form, STATUS), _number(form)
    if not form.ticked("sure"):
        form.wrong("sure", "取り消す場合は、確認欄にチェックを入れてください。")
    desk.ask(CANCEL, {"job": number}, **known.stated)
    return _opened(desk, known, number, f"申請番号{number}を取り消しました。")


def progress(desk: Desk, form: Form) -> Progress:
    """Tell how far a job is, and as of when."""
    known, number = based(desk, form, STATUS), _number(form)
    now = desk.who.now
    glance = GLANCES.still_good(_whose(desk, known, number), now)
    if glance is None:
        glance = _glance(desk, known, number)
    return _told(glance)


def again(desk: Desk, form: Form) -> Page:
    """Return the page an act was pressed on, or the first one."""
    typed = Form(form.fields)
    try:
        if form.raw("step") == "file":
            return filing.asking(desk, typed)
        return job(desk, typed) if form.raw("job") else show(desk)
    except Refusal:
        return show(desk)


def _opened(desk: Desk, known: Based, number: int, notice: str = "") -> Page:
    glance = _glance(desk, known, number)
    job = glance.job
    mine = desk.who.operator_id
    data: dict[str, Any] = {
        **known.told,
        "job": job,
        "ours": {**known.told["carried"], "job": str(number)},
        "state": STATES[job["state"]],
        "steps": STEPS,
        "reached": _reached(job),
        "told": _told(glance),
        "items": [label_of(item) for item in job["items"]],
        "results": _results(job),
        "unmatched": sum(count for code, count in job["counts"].items() if code != Code.ONE),
        "may_approve": desk.may(APPROVE) and job["submitted_by"] != mine,
        "may_fetch": desk.may(FETCH) and job["approved_by"] != mine,
        "may_cancel": desk.may(CANCEL) and job["state"] not in ENDED and not job["put_out"],
        "may_see_outputs": desk.may(OUTPUTS),
    }
    return Page(
        template="bulk_job.html", title=f"一括提供 申請番号{number}", notice=notice, data=data
    )


def _glance(desk: Desk, known: Based, number: int) -> Glance:
    (found,) = desk.ask(STATUS, {"job": number}, **known.stated)["jobs"]
    return GLANCES.note(_whose(desk, known, number), found, desk.who.now)


def _whose(desk: Desk, known: Based, number: int) -> tuple[object, ...]:
    return desk.who.session, known.choice, known.case, number


def _number(form: Form) -> int:
    number = form.number("job")
    if number is None:
        raise Rejected(CHECK_INPUT)
    return number


def _reached(job: Mapping[str, Any]) -> int:
    return len(STEPS) + 1 if job["put_out"] else REACHED.get(job["state"], 0)


def _results(job: Mapping[str, Any]) -> list[tuple[str, str, int, str]]:
    """Return the rows by result; nothing before it is approved."""
    counts = job["counts"]
    return [
        (code.value, MEANINGS[code], counts[code.value], ADVICE[code])
        for code in Code
        if counts.get(code.value)
    ]


def _told(glance: Glance) -> Progress:
    job = glance.job
    return Progress(
        done=job["done"],
        total=job["rows"],
        text=f"{_pace(job)} {_time(glance.at)}現在",
        finished=job["state"] not in UNDER_WAY,
    )


def _pace(job: Mapping[str, Any]) -> str:
    done, rows = job["done"], job["rows"]
    if job["state"] == "queued":
        return f"全{rows:,}件。処理の順番を待っています。"
    parts = [f"全{rows:,}件のうち{done:,}件({done * 100 // rows}%)"]
    if job["rate"]:
        parts.append(f"毎秒{job['rate']:,.0f}件")
    if job["eta"] is not None:
        parts.append(f"残り約{duration(job['eta'])}")
    return "、".join(parts) + "。"


def duration(seconds: float) -> str:
    """Return a time as it is said, rounded up."""
    if seconds < 60:
        return f"{ceil(seconds)}秒"
    minutes = ceil(seconds / 60)
    return f"{minutes}分" if minutes < 60 else f"{minutes // 60}時間{minutes % 60}分"


def _time(at: datetime) -> str:
    return at.astimezone(JST).strftime("%H:%M:%S")


SCREENS = [
    Screen(
        path=PATH,
        title="一括提供",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(STATUS),
        show=show,
        acts={
            "jobs": jobs,
            "new": filing.asking,
            "key": filing.media_key,
            "submit": submit,
            "job": job,
            "progress-done": job,
            "approve": approve,
            "fetch": fetch,
            "cancel": cancel,
        },
        polls={"progress": progress},
        again=again,
    )
]
