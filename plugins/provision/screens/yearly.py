"""提供状況 at a terminal: how much was provided in a fiscal year, and to whom (30条の16, R62).

The page shows the sum of each 提供先 first, then each month. On paper it is the table to publish.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from appliance.plugin_api import (
    JST,
    Desk,
    Eras,
    Form,
    OperationName,
    Page,
    Paper,
    PartialDate,
    Screen,
    printed_table,
)
from plugins.provision.screens.words import GROUP, PACKAGE

YEARLY = "provision/yearly"
PATH = "/screens/provision/yearly"
APRIL, YEARS = 4, 10
PAPER = {
    "年月": 3.0,
    "提供先": 4,
    "事務": 7,
    "根拠": 7,
    "区分": 2,
    "方法": 5,
    "照会件数": 2,
    "提供件数": 2,
}
UNITS = (
    "照会件数は回答した照会の件数、提供件数はそのうち本人確認情報の項目又は一致の有無を"
    "回答した件数です。"
)


Who = tuple[str, str, str, str]


class Sum(NamedTuple):
    """What one 提供先 was told under one 事務 over the year."""

    agency: str
    label: str
    basis: str
    kind: str
    asked: int
    provided: int


def show(desk: Desk) -> Page:
    """Show this fiscal year."""
    return _page(desk, _this_year(desk))


def choose(desk: Desk, form: Form) -> Page:
    """Show another fiscal year."""
    return _page(desk, _chosen(desk, form))


def on_paper(desk: Desk, form: Form) -> Paper:
    """Put the table of a year on paper."""
    year = _chosen(desk, form)
    told = desk.ask(YEARLY, {"fiscal_year": year})
    title = "本人確認情報の提供状況"
    made = printed_table(
        title,
        PAPER,
        [
            (
                month_in_words(each["month"]),
                each["agency"],
                each["label"],
                each["basis"],
                each["kind"],
                each["method"],
                f"{each['asked']:,}",
                f"{each['provided']:,}",
            )
            for each in told["lines"]
        ],
        [f"{year_in_words(year)}　{len(told['lines'])}行", UNITS],
        _today(desk),
        issuer=desk.who.prefecture,
    )
    return Paper(
        content=made.pdf, media_type="application/pdf", name=f"provisions-{year}.pdf", title=title
    )


def year_in_words(year: int) -> str:
    """Return a fiscal year in 和暦 and 西暦: 令和8年度 (2026年度)."""
    return f"{_wareki(f'{year}-{APRIL:02}').partition('年')[0]}年度 ({year}年度)"


def month_in_words(month: str) -> str:
    """Return a month, YYYY-MM, in 和暦 and 西暦."""
    year, _, number = month.partition("-")
    return f"{_wareki(month)} ({year}年{int(number)}月)"


def _wareki(month: str) -> str:
    day = PartialDate.parse(f"{month}-01")
    return next(iter(Eras.load().spellings(day))).partition("月")[0] + "月"


def _page(desk: Desk, year: int) -> Page:
    told = desk.ask(YEARLY, {"fiscal_year": year})
    return Page(
        template="yearly.html",
        data={
            "year": str(year),
            "shown": year_in_words(year),
            "years": [(str(each), year_in_words(each)) for each in _years(desk)],
            "sums": _sums(told["lines"]),
            "lines": [(month_in_words(each["month"]), each) for each in told["lines"]],
            "asked": sum(told["asked"].values()),
            "provided": sum(told["provided"].values()),
            "units": UNITS,
        },
    )


def _sums(lines: Sequence[Mapping[str, Any]]) -> list[Sum]:
    """Return the sum of each 提供先 and 事務, the largest first."""
    asked, provided = Counter[Who](), Counter[Who]()
    for each in lines:
        who = each["agency"], each["label"], each["basis"], each["kind"]
        asked[who] += each["asked"]
        provided[who] += each["provided"]
    found = [Sum(*who, asked[who], provided[who]) for who in asked]
    return sorted(found, key=lambda each: (-each.provided, -each.asked, each.agency, each.label))


def _chosen(desk: Desk, form: Form) -> int:
    year = form.number("fiscal_year")
    if year is None or year not in _years(desk):
        form.wrong("fiscal_year", "年度を一覧から選んでください。")
        return _this_year(desk)
    return year


def _years(desk: Desk) -> range:
    this = _this_year(desk)
    return range(this, this - YEARS, -1)


def _this_year(desk: Desk) -> int:
    today = _today(desk)
    return today.year - (today.month < APRIL)


def _today(desk: Desk) -> date:
    return desk.who.now.astimezone(JST).date()


SCREENS = [
    Screen(
        path=PATH,
        title="提供状況(年度)",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(YEARLY),
        show=show,
        acts={"choose": choose, "print": on_paper},
    )
]
