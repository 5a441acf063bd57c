"""統計 at a terminal: residents, updates and provisions as tables; what recounts came to."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from appliance.plugin_api import (
    JST,
    Answered,
    Desk,
    Form,
    OperationName,
    Page,
    Paper,
    Screen,
    plots,
)
from plugins.statistics.tables import PROVISIONS, RESIDENTS, UPDATES, Kind
from plugins.statistics.wording import HEADINGS, period, value

PACKAGE = "plugins.statistics"
GROUP = "統計"
MOST_ROWS = 1000
"""Of a table on a page; the CSV has them all."""
MOST_COLUMNS = 5
"""Values of the last dimension that stand side by side."""
MOST_BARS = 60
NO_PERIOD = "年又は年月を読み取れません。令和8年、令和8年4月、2026-04のように入力してください。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One of the three: how it is asked for, and by what at first."""

    kind: Kind
    name: str
    title: str
    first: tuple[str, ...]
    today: bool = False
    """Without a period it is of today; else a period is needed."""

    @property
    def operation(self) -> str:
        """Who tells it."""
        return f"statistics/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cross:
    """A table as it is shown: labels downwards, and the last dimension across if it is short."""

    headings: tuple[str, ...]
    columns: tuple[str, ...]
    """What the numbers of a row are of; the last is their sum where there are several."""
    rows: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]


def show(statistic: Statistic, desk: Desk) -> Page:
    """Show the table that is asked for most."""
    of = None if statistic.today else str(desk.who.now.astimezone(JST).year)
    return _page(desk, statistic, statistic.first, of)


def table(statistic: Statistic, desk: Desk, form: Form) -> Answered:
    """Show the table that was chosen, or let it be saved as CSV."""
    by = tuple(name for name in statistic.kind.dimensions if name in form.all("by"))
    if not by:
        form.wrong("by", "集計の区分を1つ以上選んでください。")
    of = _period(statistic, form)
    if form.raw("format") == "csv":
        told = _ask(desk, statistic, by, of, format="csv")
        return Paper(
            content=told["csv"].encode(),
            media_type="text/csv; charset=utf-8",
            name=f"{statistic.name}-{told['period']}.csv",
            saved=True,
        )
    return _page(desk, statistic, by, of)


def again(statistic: Statistic, desk: Desk) -> Page:
    """Show the form alone: what was asked for was refused."""
    return Page(template="statistic.html", data=_data(statistic, statistic.first, None))


def show_recounts(desk: Desk) -> Page:
    """Show what the recounts came to, the newest first."""
    found = desk.ask("statistics/recounts", {})["recounts"]
    return Page(template="recounts.html", data={"recounts": found})


def crossed(kind: Kind, told: Mapping[str, Any]) -> Cross:
    """Return the rows of an answer as a table that is read."""
    by, names = tuple(told["by"]), told["names"]
    counts: Counter[tuple[str, ...]] = Counter()
    for row in told["rows"]:
        counts[tuple(row["of"][name] for name in by)] += row["count"]
    across = sorted({place[-1] for place in counts}, key=_place_across)
    if len(by) == 1 or len(across) > MOST_COLUMNS:
        rows = [(place, (count,)) for place, count in sorted(counts.items())]
        return Cross(
            headings=tuple(HEADINGS[name] for name in by),
            columns=(kind.unit,),
            rows=tuple((_read(by, place, names), numbers) for place, numbers in rows),
        )
    places = sorted({place[:-1] for place in counts})
    sums = {place: [counts[(*place, last)] for last in across] for place in places}
    read = [value(by[-1], last, names.get(by[-1], {})) for last in across]
    return Cross(
        headings=tuple(HEADINGS[name] for name in by[:-1]),
        columns=(*read, "計"),
        rows=tuple(
            (_read(by, place, names), (*numbers, sum(numbers))) for place, numbers in sums.items()
        ),
    )


def _place_across(told: str) -> tuple[int, str]:
    """男 and 女 before 不明; everything else in the order of its codes."""
    return (told == "0", told)


def _read(by: Sequence[str], place: Sequence[str], names: Mapping[str, Any]) -> tuple[str, ...]:
    pairs = zip(by, place, strict=False)
    return tuple(value(name, each, names.get(name, {})) for name, each in pairs)


def _page(desk: Desk, statistic: Statistic, by: Sequence[str], of: str | None) -> Page:
    told = _ask(desk, statistic, by, of)
    return Page(template="statistic.html", data=_data(statistic, by, told))


def _data(
    statistic: Statistic, by: Sequence[str], told: Mapping[str, Any] | None
) -> dict[str, Any]:
    cross = None if told is None else crossed(statistic.kind, told)
    return {
        "statistic": statistic,
        "dimensions": [(name, HEADINGS[name]) for name in statistic.kind.dimensions],
        "by": by,
        "told": told,
        "cross": cross,
        "rows": cross.rows[:MOST_ROWS] if cross else (),
        "plot": _drawn(statistic, cross) if cross else None,
        "period": "" if told is None else period(told["period"]),
    }


def _drawn(statistic: Statistic, cross: Cross) -> plots.Plot | None:
    """Draw what has one label a row, and not too many."""
    if len(cross.headings) != 1 or not 0 < len(cross.rows) <= MOST_BARS:
        return None
    parts = cross.columns[:-1] or cross.columns
    return plots.bars(
        statistic.name,
        f"{statistic.title}の図",
        [labels[0] for labels, _ in cross.rows],
        parts,
        [numbers[: len(parts)] for _, numbers in cross.rows],
        unit="人" if statistic.kind is RESIDENTS else "件",
        axis=cross.headings[0],
    )


def _ask(
    desk: Desk, statistic: Statistic, by: Sequence[str], of: str | None, **more: str
) -> Mapping[str, Any]:
    body: dict[str, Any] = {"by": list(by), **more, **({"period": of} if of else {})}
    return desk.ask(statistic.operation, body)


def _period(statistic: Statistic, form: Form) -> str | None:
    """Return the year or month that was typed; a population is of the first of a month."""
    typed = normalize("NFKC", form.text("period") or "")
    if not typed:
        if not statistic.today:
            form.need(period="年又は年月")
        return None
    known = len(form.problems)
    day = f"{typed}-00-00" if re.fullmatch("[0-9]{4}", typed) else form.date("period") or ""
    year, month = day[:4], day[5:7]
    if len(form.problems) > known or (statistic.today and month == "00"):
        del form.problems[known:]
        form.wrong("period", "年月を入力してください。" if day else NO_PERIOD)
        return None
    return year if month == "00" else f"{year}-{month}"


def _screen(statistic: Statistic) -> Screen:
    def shown(desk: Desk) -> Page:
        return show(statistic, desk)

    def asked(desk: Desk, form: Form) -> Answered:
        return table(statistic, desk, form)

    def refused(desk: Desk, form: Form) -> Page:
        return again(statistic, desk)

    return Screen(
        path=f"/screens/statistics/{statistic.name}",
        title=statistic.title,
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(statistic.operation),
        show=shown,
        acts={"table": asked},
        again=refused,
    )


STATISTICS = (
    Statistic(
        kind=RESIDENTS, name="population", title="人口統計", first=("age", "sex"), today=True
    ),
    Statistic(kind=UPDATES, name="updates", title="更新件数", first=("month",)),
    Statistic(kind=PROVISIONS, name="provisions", title="提供件数", first=("month",)),
)
SCREENS = [
    *map(_screen, STATISTICS),
    Screen(
        path="/screens/statistics/recounts",
        title="集計値の再集計",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName("statistics/recounts"),
        show=show_recounts,
    ),
]
