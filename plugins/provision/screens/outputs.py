"""媒体出力の記録 at a terminal: every time a result was taken out (R45, R55, R56)."""

from math import ceil

from appliance.plugin_api import Desk, Form, OperationName, Page, Screen
from plugins.provision.screens.words import GROUP, PACKAGE

OUTPUTS = "provision/outputs"
PATH = "/screens/provision/outputs"
A_PAGE = 50


def show(desk: Desk) -> Page:
    """List the newest."""
    return _listing(desk, 1)


def turn(desk: Desk, form: Form) -> Page:
    """List others."""
    return _listing(desk, form.number("page") or 1)


def _listing(desk: Desk, page: int) -> Page:
    every = desk.ask(OUTPUTS, {})["outputs"]
    pages = max(1, ceil(len(every) / A_PAGE))
    page = min(max(page, 1), pages)
    return Page(
        template="outputs.html",
        data={
            "outputs": every[(page - 1) * A_PAGE : page * A_PAGE],
            "count": len(every),
            "page": page,
            "pages": pages,
        },
    )


SCREENS = [
    Screen(
        path=PATH,
        title="媒体出力の記録",
        group=GROUP,
        package=PACKAGE,
        needs=OperationName(OUTPUTS),
        show=show,
        acts={"list": turn},
    )
]
