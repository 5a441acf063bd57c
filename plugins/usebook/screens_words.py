"""What the screens of the 使用簿 have in common: months, words, and what a refusal is about."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from unicodedata import normalize

from appliance.plugin_api import JST, Desk, Eras, Form, PartialDate, Problem, Rejected
from plugins.usebook.book import month_before, month_of
from plugins.usebook.sheet import LABELS

PACKAGE = "plugins.usebook"
MONTHS_OFFERED = 24
KINDS = {
    "unrecorded": "使用簿に記入なし",
    "unfounded": "操作履歴に記録なし",
    "differing": "記載の相違",
}
KIND_HINTS = {
    "unrecorded": "操作履歴にある利用が、使用簿にありません。",
    "unfounded": "使用簿にある利用が、操作履歴にありません。",
    "differing": "同じ利用と考えられますが、使用簿と操作履歴で記載が違います。",
}
STATES = {"open": "締め前", "signed-off": "締め済み"}
_FIELD = {label: name for name, label in LABELS.items()}
_CLOCK = re.compile("([0-9]{1,2}):?([0-9]{2})")
_MONTH = re.compile("20[0-9]{2}-(0[1-9]|1[0-2])")


def today(desk: Desk) -> date:
    """Return what day it is in Japan."""
    return desk.who.now.astimezone(JST).date()


def this_month(desk: Desk) -> str:
    """Return the month of today, YYYY-MM."""
    return month_of(today(desk))


def months(desk: Desk, chosen: str = "") -> list[tuple[str, str]]:
    """Return the last months with their words, the newest first, and the one that is chosen."""
    found = [this_month(desk)]
    while len(found) < MONTHS_OFFERED:
        found.append(month_before(found[-1]))
    if chosen and chosen not in found:
        found.append(chosen)
    return [(each, month_in_words(each)) for each in found]


def month_in_words(month: str) -> str:
    """Return a month in 和暦 with the 西暦 behind: 令和8年4月 (2026年4月)."""
    first = next(iter(_eras().spellings(PartialDate.parse(f"{month}-01"))), "")
    return f"{first.removesuffix('1日')} ({int(month[:4])}年{int(month[5:])}月)"


def month_chosen(form: Form, name: str = "month") -> str:
    """Return the month that was chosen.

    Raises:
        Rejected: none was.
    """
    month = form.raw(name)
    if _MONTH.fullmatch(month):
        return month
    text = "月を一覧から選んでください。"
    raise Rejected(text, [Problem("", name, text)])


def clock(form: Form, name: str) -> str | None:
    """Return a time of the day as HH:MM, typed as 9:05 or 0905; another is noted as wrong."""
    text = normalize("NFKC", form.raw(name)).strip()
    if not text:
        return None
    found = _CLOCK.fullmatch(text)
    if found and int(found[1]) < 24 and int(found[2]) < 60:
        return f"{int(found[1]):02}:{found[2]}"
    form.wrong(name, "「9:05」の形で、0:00から23:59までの時刻を入力してください。")
    return None


def beside(refused: Rejected) -> Rejected:
    """Return a refusal whose problems are about the fields of a page, or the lines of its file."""
    problems = [_told(each) for each in refused.problems]
    return Rejected(refused.text, problems)


def moment(at: datetime | str) -> str:
    """Return a moment in Japan, to the minute."""
    when = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return when.astimezone(JST).strftime("%Y-%m-%d %H:%M")


def own(desk: Desk, office: str) -> bool:
    """Return whether an office is that of whoever sits there."""
    return desk.who.office == office


def over(month: str, day: date) -> bool:
    """Return whether a month is over."""
    return month < month_of(day)


def a_year_before(month: str) -> str:
    """Return the same month of the year before."""
    return month_of(date.fromisoformat(f"{month}-15") - timedelta(days=365))


def by_number(lines: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """Return the lines of a month by their number."""
    return {each["number"]: each for each in lines["lines"]}


def _told(problem: Problem) -> Problem:
    place, _, label = problem.item.partition(", ")
    if found := re.fullmatch("line ([0-9]+)", place):
        column = f"「{label}」" if label else ""
        return Problem(problem.rule, "file", f"{found[1]}行目{column}: {problem.text}")
    if place == "file":
        return problem
    name = _FIELD.get(label, label) or place.removeprefix("line.")
    name = {"purpose": "use", "reason": "use", "line": "", "month": ""}.get(name, name)
    return Problem(problem.rule, name, problem.text)


@cache
def _eras() -> Eras:
    return Eras.load()
