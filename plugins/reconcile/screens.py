"""整合性確認 at a terminal: the calendar, the runs of a period, whom one was about (R91 to R95).

A run is begun by a municipality's server and by nobody else, and what differs is put right by a
notice of the municipality (R203); staff see what came of it, and plan how often it is due.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from appliance.plugin_api import (
    JST,
    Desk,
    Form,
    Municipalities,
    OperationName,
    Page,
    Rejected,
    Screen,
    Waiting,
)
from plugins.reconcile.runs import EVERY_DAYS
from plugins.reconcile.staff import LONGEST_DAYS

STATUS, RUNS, REPORT, PLAN = (f"reconcile/{name}" for name in ("status", "runs", "report", "plan"))
PATH = "/screens/reconcile/runs"
AT_FIRST = timedelta(days=365)
"""How far back the runs are looked for unless somebody says otherwise."""
RUNS_ON_A_PAGE, FOUND_ON_A_PAGE = 100, 100
EVERYWHERE = "all"
STATES = {
    "agreed": ("一致", "good"),
    "differs": ("不一致あり", "bad"),
    "open": ("実施中", "wait"),
    "abandoned": ("中止", "plain"),
}
KINDS = {
    "differing": ("項目の不一致", "wait"),
    "missing-here": ("市町村にのみ記録", "bad"),
    "missing-there": ("都道府県にのみ記録", "bad"),
}
HERE = {
    "": "",
    "here": "県内の他の市区町村に現存",
    "elsewhere": "県外へ転出",
    "dead": "死亡により消除",
    "struck-off": "職権により消除",
    "unknown": "記録なし",
}
"""How somebody the municipality alone has stands with us."""


def show(desk: Desk) -> Page:
    """Tell when each municipality was compared last and is due next."""
    today = desk.who.now.astimezone(JST).date()
    told = desk.ask(STATUS, {})
    planned = [each["municipality_code"] for each in told["municipalities"]]
    return Page(
        template="calendar.html",
        data={
            **told,
            "planned": [(code, _name(code)) for code in planned],
            "states": STATES,
            "places": _places(desk.who.prefecture, today),
            "since": (today - AT_FIRST).isoformat(),
            "until": today.isoformat(),
            "everywhere": EVERYWHERE,
            "every_days": EVERY_DAYS,
            "longest": LONGEST_DAYS,
            "may": {name: desk.may(name) for name in (RUNS, REPORT, PLAN)},
        },
    )


def runs(desk: Desk, form: Form) -> Page:
    """List the runs that a period ended."""
    form.need(since="期間の始まり", until="期間の終わり")
    since, until = form.day("since"), form.day("until")
    if since and until and until < since:
        form.wrong("until", "期間の始まりと同じか後の日にしてください。")
    code = form.text("municipality_code")
    period = {"since": since, "until": until, **({"municipality_code": code} if code else {})}
    asked = {**period, "after": form.number("after") or 0, "limit": RUNS_ON_A_PAGE}
    found = desk.ask(RUNS, asked)
    return Page(
        template="runs.html",
        title="整合性確認の実施結果",
        data={**found, "period": period, "code": code, "may_report": desk.may(REPORT)},
    )


def run(desk: Desk, form: Form) -> Page:
    """Ask what for somebody wants to see whom a run was about."""
    number = form.number("run")
    if not number:
        raise Rejected("表示する整合性確認を一覧から選んでください。")
    return Page(
        template="run.html",
        title=f"整合性確認 実施番号{number}",
        data={"run": number, "grounds": desk.grounds(REPORT)},
    )


def report(desk: Desk, form: Form) -> Page:
    """Show what a run found, a page of it."""
    stated, number = form.stated(), form.number("run")
    asked = {"run": number, "after": form.raw("after"), "limit": FOUND_ON_A_PAGE}
    found = desk.ask(REPORT, asked, **stated)
    carried = {name: form.raw(name) for name in ("run", "ground", "case")}
    return Page(
        template="report.html",
        title=f"整合性確認 実施番号{number} 内訳",
        resident=True,
        data={
            "found": found,
            "states": STATES,
            "kinds": KINDS,
            "here": HERE,
            "going_on": bool(form.raw("after")),
            "carried": carried,
            "per_page": FOUND_ON_A_PAGE,
        },
    )


def plan(desk: Desk, form: Form) -> Page:
    """Plan how often a municipality, or every one, is compared."""
    form.need(place="市区町村", every_days="実施間隔")
    days = form.number("every_days")
    if days == 0:
        form.wrong("every_days", "1以上の日数を入力してください。")
    place = form.raw("place")
    today = desk.who.now.astimezone(JST).date()
    every = [code for code, _ in _places(desk.who.prefecture, today)]
    codes = every if place == EVERYWHERE else [place]
    desk.ask(PLAN, {"municipality_codes": codes, "every_days": days})
    named = "すべての市区町村" if place == EVERYWHERE else _name(place)
    return _noticed(desk, f"{named}の実施間隔を{days}日に設定しました。")


def take_out(desk: Desk, form: Form) -> Page:
    """Plan nothing any more for a municipality."""
    form.need(out="市区町村")
    if not form.ticked("sure"):
        form.wrong("sure", "確認欄にチェックを付けてください。")
    code = form.raw("out")
    desk.ask(PLAN, {"municipality_codes": [code], "every_days": 0})
    return _noticed(desk, f"{_name(code)}を実施予定から外しました。")


def again(desk: Desk, form: Form) -> Page:
    """Return the page an act was pressed on."""
    typed = Form(form.fields)
    return run(desk, typed) if typed.number("run") else show(desk)


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say how many municipalities are overdue."""
    overdue = desk.ask(STATUS, {})["overdue"]
    return [Waiting("整合性確認の期限を過ぎた市区町村", overdue, urgent=True)]


def _noticed(desk: Desk, notice: str) -> Page:
    page = show(desk)
    return Page(template=page.template, data=page.data, notice=notice)


def _name(code: str) -> str:
    entry = Municipalities.load().lookup(code)
    return entry.full_name if entry else code


def _places(prefecture: str, today: date) -> list[tuple[str, str]]:
    """Return the municipalities with a server of their own, by code; a ward's is its city's."""
    master = Municipalities.load()
    found = master.named(prefecture, today)
    return [
        (each.code, each.full_name) for each in found if master.office_of(each.code) == each.code
    ]


SCREENS = [
    Screen(
        path=PATH,
        title="整合性確認",
        group="更新・整合",
        package=__package__ or "plugins.reconcile",
        needs=OperationName(STATUS),
        show=show,
        acts={
            "list": runs,
            "run": run,
            "report": report,
            "plan": plan,
            "take-out": take_out,
        },
        again=again,
        waiting=waiting,
    )
]
