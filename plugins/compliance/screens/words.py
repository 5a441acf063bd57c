"""What the books are called on screens, and how a screen of this function asks."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from appliance.plugin_api import JST, Desk
from plugins.compliance.book import (
    ADMINISTRATOR,
    AUDITOR,
    CLERK,
    OFFICER,
    REGISTRAR,
    Book,
)
from plugins.compliance.clocks import fiscal_year

PACKAGE = "plugins.compliance"
GROUP = "監査"
Data = Mapping[str, Any]
ROLES: Mapping[str, str] = {
    ADMINISTRATOR: "システム管理者",
    AUDITOR: "セキュリティ統括責任者(監査責任者)",
    OFFICER: "セキュリティ責任者(所属)",
    REGISTRAR: "本人確認情報利用担当者",
    CLERK: "操作者",
    "media-operator": "媒体連携担当者(一括提供)",
    "media-approver": "媒体出力承認者",
    "statistician": "統計担当",
    "contractor": "委託先(運用担当者)",
}
"""As the policy that is shipped labels them."""
BACK = ("returned", "refused")
"""States of an entry that came back to whoever wrote it."""


def ask(desk: Desk, what: str, **body: Any) -> Data:
    """Ask an operation of this function; what is None is not asked."""
    given = {name: value for name, value in body.items() if value is not None}
    return desk.ask(f"compliance/{what}", given)


def today(desk: Desk) -> date:
    """Return the day it is in Japan."""
    return desk.who.now.astimezone(JST).date()


def this_year(desk: Desk) -> int:
    """Return the 年度 it is."""
    return fiscal_year(today(desk))


def called(roles: Iterable[str]) -> str:
    """Return what the roles are called, with 、 between them."""
    return "、".join(ROLES.get(role, role) for role in roles)


def chip(book: Book, state: str) -> str:
    """Return the colour of a state: over, come back, or under way."""
    return "good" if state in book.ends else "bad" if state in BACK else "wait"


def days_left(desk: Desk, due: Mapping[str, str]) -> int | None:
    """Return how many days are left of the clock that ends first; None: no clock runs."""
    return (date.fromisoformat(min(due.values())) - today(desk)).days if due else None
