"""利用状況・監査: twelve plots of a period, each with its table (R134 to R138, R172).

The screen asks for what whoever sits there may ask: an auditor of every 所属, a セキュリティ責任者
of his own. What he may not ask for is not there. Each question is in the ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from msgspec import convert

from appliance.plugin_api import JST, Desk, Form, OperationName, Page, Screen
from plugins.watching import closeup
from plugins.watching.closeup import Closely
from plugins.watching.drawing import Data, Told, sections
from plugins.watching.usage import Used

USES, WEEK = "watching/uses", "watching/week"
MATCHING, RUNS, YEARLY = "usebook/figures", "reconcile/runs", "provision/yearly"
PATH = "/screens/watching/uses"
TEMPLATE = "uses.html"
AT_FIRST = 28
"""Days that are shown before anything is chosen."""
YEARS = 5
APRIL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Of what the plots are."""

    since: date
    until: date
    office: str | None = None
    person: str | None = None


def show(desk: Desk) -> Page:
    """Show the last four weeks."""
    return _page(desk, _at_first(desk))


def choose(desk: Desk, form: Form) -> Page:
    """Show a period and a 所属."""
    form.need(since="期間の始まり", until="期間の終わり")
    first, last = form.day("since"), form.day("until")
    at_first = _at_first(desk)
    return _page(
        desk,
        Chosen(
            since=date.fromisoformat(first) if first else at_first.since,
            until=date.fromisoformat(last) if last else at_first.until,
            office=form.text("office"),
            person=form.text("person"),
        ),
    )


def again(desk: Desk, form: Form) -> Page:
    """Show the form alone: what was asked for was refused."""
    return Page(template=TEMPLATE, data={"chosen": _at_first(desk), "told": None, "sections": ()})


def _page(desk: Desk, chosen: Chosen) -> Page:
    told = _asked(desk, chosen)
    return Page(
        template=TEMPLATE,
        data={"chosen": chosen, "told": told, "sections": sections(told)},
    )


def _at_first(desk: Desk) -> Chosen:
    # Today is counted by night.
    yesterday = desk.who.now.astimezone(JST).date() - timedelta(days=1)
    return Chosen(since=yesterday - timedelta(days=AT_FIRST - 1), until=yesterday)


def _asked(desk: Desk, chosen: Chosen) -> Told:
    office = {"office": chosen.office} if chosen.office else {}
    whom = {"person": chosen.person} if chosen.person else {}
    close_since = max(chosen.since, chosen.until - timedelta(days=closeup.LONGEST - 1))
    uses = desk.ask(USES, {**_period(chosen.since, chosen.until), **office})
    week = desk.ask(WEEK, {**_period(close_since, chosen.until), **office, **whom})
    return Told(
        since=chosen.since,
        until=chosen.until,
        close_since=close_since,
        person=chosen.person,
        uses=convert(uses, Used, strict=False),
        week=convert(week, Closely, strict=False),
        months=_months(desk, chosen, office),
        runs=_runs(desk, chosen),
        years=_years(desk, chosen.until),
    )


def _months(desk: Desk, chosen: Chosen, office: Mapping[str, str]) -> Data | None:
    if not desk.may(MATCHING):
        return None
    since, until = (f"{each:%Y-%m}" for each in (chosen.since, chosen.until))
    return _rows(desk.ask(MATCHING, {"since": since, "until": until, **office}), "months")


def _runs(desk: Desk, chosen: Chosen) -> Data | None:
    if not desk.may(RUNS):
        return None
    asked: dict[str, Any] = _period(chosen.since, chosen.until)
    found: list[Mapping[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = desk.ask(RUNS, {**asked, "after": after})
        found += page["runs"]
        after = page["next"]
    return found


def _years(desk: Desk, until: date) -> Mapping[int, Data] | None:
    if not desk.may(YEARLY):
        return None
    this = until.year - (until.month < APRIL)
    return {
        year: _rows(desk.ask(YEARLY, {"fiscal_year": year}), "lines")
        for year in range(this - YEARS + 1, this + 1)
    }


def _rows(data: Mapping[str, Any], name: str) -> Data:
    rows: Data = data[name]
    return rows


def _period(since: date, until: date) -> dict[str, str]:
    return {"since": since.isoformat(), "until": until.isoformat()}


SCREENS = [
    Screen(
        path=PATH,
        title="利用状況・監査",
        group="監査",
        package=__package__ or "plugins.watching",
        needs=OperationName(USES),
        show=show,
        acts={"choose": choose},
        again=again,
    )
]
