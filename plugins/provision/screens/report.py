"""本人の提供状況 at a terminal: to whom the data of one person was provided (R52, R53, R54)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance.plugin_api import JST, Desk, Form, OperationName, Page, Screen
from plugins.provision.screens.words import GROUP, PACKAGE, based, label_of

REPORT = "provision/report"
PATH = "/screens/provision/report"


def show(desk: Desk) -> Page:
    """Ask what for, and whose."""
    return Page(template="report.html", data={"grounds": desk.grounds(REPORT)})


def whose(desk: Desk, form: Form) -> Page:
    """List the provisions of a person's data, the newest first."""
    known = based(desk, form, REPORT)
    form.need(resident_code="住民票コード")
    code = form.resident_code("resident_code")
    since, until = form.day("since"), form.day("until")
    body: dict[str, Any] = {"by": {"resident_code": code}}
    body |= {name: day for name, day in (("since", since), ("until", until)) if day}
    if (before := form.number("before")) is not None:
        body["before"] = before
    told = desk.ask(REPORT, body, **known.stated)
    return Page(
        template="reported.html",
        title="提供の記録の一覧",
        resident=True,
        data={
            **known.told,
            "provisions": [(each, _day(each), _items(each)) for each in told["provisions"]],
            "next": told["next"],
            "continued": before is not None,
            "since": since,
            "until": until,
            "onward": {
                **known.told["carried"],
                "resident_code": code,
                "since": since or "",
                "until": until or "",
            },
        },
    )


def _day(provision: Mapping[str, Any]) -> str:
    at = datetime.fromisoformat(provision["at"])
    return at.astimezone(JST).date().isoformat()


def _items(provision: Mapping[str, Any]) -> str:
    return "、".join(label_of(item) for item in provision["items"])


SCREENS = [
    Screen(
        path=PATH,
        title="本人の提供状況",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(REPORT),
        show=show,
        acts={"list": whose},
    )
]
