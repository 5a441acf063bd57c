"""保存期間・消去 at a terminal: what may be kept how long, what is over when, what was erased.

Nobody chooses what is erased and nobody holds it back: the time of law alone decides (R155). So the
screen has nothing to press that erases. The counts are the システム管理者's; whoever confirms sees
the book of erasures alone.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from appliance.plugin_api import JST, Desk, Form, OperationName, Page, Screen, Waiting

DUE, BOOK, STATUS = "retention/due", "retention/book", "job/status"
PATH = "/screens/retention/book"
ERASING = "retention/erase"
"""The job that erases."""
AT_ONCE = 50
MARCH, LAST_OF_MARCH, APRIL = 3, 31, 4
OUTCOMES = {"running": "実行中", "done": "完了", "failed": "失敗"}
CHIPS = {"running": "wait", "done": "good", "failed": "bad"}
BY_ITSELF = "schedule"


def show(desk: Desk) -> Page:
    """Show what is over today and at the ends of this and the next 年度, and the book."""
    return _page(desk)


def due(desk: Desk, form: Form) -> Page:
    """Show the same, and what is over on a day that was chosen."""
    form.need(on="確認する日")
    return _page(desk, desk.ask(DUE, {"on": form.day("on")}))


def older(desk: Desk, form: Form) -> Page:
    """Show entries of the book before a number."""
    form.need(before="番号")
    return Page(
        template="older.html", title="消去の記録", data={"book": _book(desk, form.number("before"))}
    )


def waiting(desk: Desk) -> Iterable[Waiting]:
    """Say that erasing failed, to whoever may see to it."""
    job = _job(desk)
    if job is not None:
        text = "続けて失敗した、保存期間を経過した記録の消去"
        yield Waiting(text, job["job"]["failures"], urgent=True)


def _page(desk: Desk, chosen: Mapping[str, Any] | None = None) -> Page:
    counts = _counts(desk, chosen) if desk.may(DUE) else None
    return Page(
        template="retention.html",
        data={
            "counts": counts,
            "job": _job(desk),
            "book": _book(desk),
            "outcomes": OUTCOMES,
            "chips": CHIPS,
            "by_itself": BY_ITSELF,
        },
    )


def _counts(desk: Desk, chosen: Mapping[str, Any] | None) -> list[tuple[str, str, int]]:
    """Return what each day is called, the day, and how many versions are over by then."""
    days = _days(desk.who.now)
    found = [(name, desk.ask(DUE, {"on": day.isoformat()})) for name, day in days.items()]
    if chosen is not None:
        found.append(("選んだ日", chosen))
    return [(name, told["on"], told["versions"]) for name, told in found]


def _days(now: datetime) -> Mapping[str, date]:
    today = now.astimezone(JST).date()
    ends = today.year + (today.month >= APRIL)
    return {
        "本日": today,
        "今年度の末日": date(ends, MARCH, LAST_OF_MARCH),
        "来年度の末日": date(ends + 1, MARCH, LAST_OF_MARCH),
    }


def _job(desk: Desk) -> Mapping[str, Any] | None:
    return desk.ask(STATUS, {"name": ERASING}) if desk.may(STATUS) else None


def _book(desk: Desk, before: int | None = None) -> dict[str, Any]:
    """Return entries newest first: the newest, or those before a number."""
    if before is None:
        found = desk.ask(BOOK, {"limit": AT_ONCE})
        if found["last"] <= AT_ONCE:
            return _turned(found)
        before = found["last"] + 1
    after = max(0, before - 1 - AT_ONCE)
    return _turned(desk.ask(BOOK, {"after": after, "limit": max(1, before - 1 - after)}))


def _turned(found: Mapping[str, Any]) -> dict[str, Any]:
    entries = list(reversed(found["entries"]))
    older = entries[-1]["number"] if entries and entries[-1]["number"] > 1 else None
    return {"entries": entries, "last": found["last"], "older": older}


SCREENS = [
    Screen(
        path=PATH,
        title="保存期間・消去",
        group="システム",
        package=__package__ or "plugins.retention",
        needs=OperationName(BOOK),
        show=show,
        acts={"due": due, "older": older},
        waiting=waiting,
    )
]
