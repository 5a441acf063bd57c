"""更新受信状況 at a terminal: what came from whom, what waits, why notices were refused.

In numbers and of nobody; who a notice is about, its municipality knows.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from appliance.plugin_api import JST, Desk, Form, OperationName, Page, Rejected, Screen, Waiting
from plugins.update.receptions import MOST_DAYS
from plugins.update.words import reason

RECEPTIONS, OUTBOX = "update/receptions", "relay/outbox"
PATH = "/screens/update/receptions"
MONTHS_BACK = 12


def show(desk: Desk) -> Page:
    """Show this month."""
    return _listed(desk, _today(desk).strftime("%Y-%m"))


def choose(desk: Desk, form: Form) -> Page:
    """Show another month."""
    return _listed(desk, _month(desk, form))


def municipality(desk: Desk, form: Form) -> Page:
    """Show one municipality: why its notices were refused in a month."""
    month, code = _month(desk, form), form.raw("municipality_code")
    rows = desk.ask(RECEPTIONS, {"month": month})["municipalities"]
    row = next((each for each in rows if each["municipality_code"] == code), None)
    if row is None:
        raise Rejected("市区町村を一覧から選んでください。")
    return Page(
        template="municipality.html",
        title="市区町村の更新受信状況",
        data={"row": row, "month": month, "reason": reason, "most_days": MOST_DAYS},
    )


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say from how many municipalities something has waited too long."""
    rows = desk.ask(RECEPTIONS, {})["municipalities"]
    late = sum(each["waits_long"] for each in rows)
    return [Waiting("通知の保留が3日を超えている市区町村", late, urgent=True)]


def _listed(desk: Desk, month: str) -> Page:
    told = desk.ask(RECEPTIONS, {"month": month})
    rows = told["municipalities"]
    return Page(
        template="receptions.html",
        data={
            "rows": rows,
            "month": told["month"],
            "months": _months(_today(desk)),
            "totals": {name: sum(each[name] for each in rows) for name in _SUMMED},
            "reason": reason,
            "most_days": MOST_DAYS,
            "outbox": _outbox(desk),
        },
    )


_SUMMED = ("received", "applied", "held", "rejected", "duplicates", "waiting", "missing")


def _outbox(desk: Desk) -> Mapping[str, Any] | None:
    return desk.ask(OUTBOX, {}) if desk.may(OUTBOX) else None


def _month(desk: Desk, form: Form) -> str:
    month = form.raw("month")
    if month not in _months(_today(desk)):
        form.wrong("month", "表示する月を一覧から選んでください。")
    return month


def _months(today: date) -> list[str]:
    """Return this month and those before of which counts are kept, the newest first."""
    this = today.year * 12 + today.month - 1
    return [f"{at // 12:04}-{at % 12 + 1:02}" for at in range(this, this - MONTHS_BACK - 1, -1)]


def _today(desk: Desk) -> date:
    return desk.who.now.astimezone(JST).date()


SCREENS = [
    Screen(
        path=PATH,
        title="更新受信状況",
        group="更新・整合",
        package=__package__ or "plugins.update",
        needs=OperationName(RECEPTIONS),
        show=show,
        acts={"list": choose, "municipality": municipality},
        waiting=waiting,
    )
]
