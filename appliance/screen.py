"""What a plugin offers to a browser: a screen, declared whole as an operation is.

A screen shows a form or a list, and has acts, each a button. It has no rights of its own: whatever
it shows or does it asks for at the ``Desk``, which is the line everybody goes down. Nothing of a
resident stands in its path: what is typed comes in the body of a POST, and what is found leaves by
a page that only this session can fetch, for ten minutes (``screens/shelf.py``).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from appliance.filled import Form, Upload
from appliance.model import Grant, OperationName

GROUPS = ("検索・提供", "開示・訂正", "更新・整合", "監査", "名簿・端末", "システム")
"""The groups of the menu, in their order; a group of a vendor's own stands behind them."""

__all__ = [
    "GROUPS",
    "Act",
    "Answered",
    "Desk",
    "Form",
    "Ground",
    "Onward",
    "Page",
    "Paper",
    "Progress",
    "Redirect",
    "Screen",
    "Upload",
    "Waiting",
    "Who",
    "ground_stated",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who sits at the terminal, as the header of every page says it."""

    prefecture: str
    terminal_id: str
    place: str
    person_id: str
    operator_id: str
    name: str
    office: str
    roles: tuple[str, ...]
    """In the staff's words: 操作者."""
    session: str
    """Hex digest of the session's token."""
    ends: datetime
    """When the session is over at the latest."""
    idle: timedelta
    """How long it may go unused."""
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A 事務 under which an operation may be asked here and today, and how far it then reaches."""

    purpose: str
    label: str
    reasons: Mapping[str, str]
    """利用事由 by code."""
    grant: Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A file: a PDF that is looked at and printed, or one that is saved."""

    content: bytes
    media_type: str
    name: str
    """ASCII, and nobody's."""
    title: str = ""
    """Above a PDF that is looked at; the screen's own title without it."""
    saved: bool = False
    """Offered to be saved, not opened."""
    back: "Onward | None" = None
    """Where the button below a PDF leads; the screen itself without it."""


@dataclass(frozen=True, slots=True)
class Onward:
    """A button that presses an act of a screen."""

    label: str
    path: str
    carried: Mapping[str, str]


def ground_stated(grounds: Iterable[Ground], form: Form) -> Ground | None:
    """Return which of these a form states, or None; nothing is noted in the form."""
    purpose = Form(form.fields).stated()["purpose"]
    return next((each for each in grounds if each.purpose == purpose), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A template of the plugin's, and what it shows."""

    template: str
    data: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    """The heading; the screen's own title without it."""
    resident: bool = False
    """Shows somebody: the page bears who looked, where and when, as a watermark."""
    prints: bool = False
    """Is a form: everything else stays blank on paper (R163)."""
    notice: str = ""
    """What was done, in a sentence, above everything else."""
    paper: Paper | None = None
    """A PDF that is looked at within the page: the template has its address as ``paper``."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go to a screen of this path, and tell there what was done."""

    path: str
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far something is; ``finished`` ends the asking and presses the form's own button."""

    done: int
    total: int
    text: str
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something the operator should see to, for the menu; tells of nobody."""

    text: str
    count: int
    urgent: bool = False


class Desk(Protocol):
    """What a screen works at. One visit's; not for keeping."""

    @property
    def who(self) -> Who:
        """Who sits there."""

    @property
    def form(self) -> Form:
        """What was filled in; empty when the screen is only looked at."""

    def may(self, operation: str) -> bool:
        """Return whether a role reaches this here and now, under some 事務 if it needs one."""

    def grounds(self, operation: str) -> tuple[Ground, ...]:
        """Return under which 事務 it may be asked; nothing for what needs none."""

    def ask(
        self,
        operation: str,
        body: Mapping[str, Any],
        *,
        purpose: str | None = None,
        reason: str | None = None,
        case: str | None = None,
        approval: int | None = None,
    ) -> Mapping[str, Any]:
        """Return the data of the answer; it is in the ledger by then.

        Where the operation changes something, the form's key makes a second press the same one.

        Raises:
            Refusal: no. Leave it to the frame, which shows the form again and says why.
            Rejected: something in the form cannot be read; nothing was asked.
        """


Answered = Page | Paper | Redirect
Act = Callable[[Desk, Form], Answered]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One entry of the menu, and what can be done from it."""

    path: str
    """``/screens/{function}/{name}``."""
    title: str
    group: str
    package: str
    """Write ``__package__``: whose folder ``templates`` is looked in."""
    needs: OperationName
    """The menu has the screen for whoever may ask this; anybody else is denied it."""
    show: Callable[[Desk], Page]
    """What stands there before anything was done."""
    acts: Mapping[str, Act] = field(default_factory=dict)
    """By the last part of the path they are posted to."""
    polls: Mapping[str, Callable[[Desk, Form], Progress]] = field(default_factory=dict)
    """As ``acts``; asked by the page itself every two seconds, which is no use of the session."""
    again: Callable[[Desk, Form], Page] | None = None
    """The page an act was pressed on, when the act is refused; without it what ``show`` returns."""
    waiting: Callable[[Desk], Iterable[Waiting]] | None = None
    """What the menu says of today."""
    listed: bool = True
    """Stands in the menu; False for what only leads on from another screen."""
