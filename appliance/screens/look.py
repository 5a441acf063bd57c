"""Templates, what every page shows beside its own, and the files a page is made of.

Jinja2 with autoescape and ``StrictUndefined``: what a template names and nobody gave is a fault.
Files are served under the name of their content, so a browser may keep them; nothing else is kept.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FunctionLoader,
    PrefixLoader,
    StrictUndefined,
)

from appliance.edge.answers import HttpAnswer
from appliance.edge.door import Seat
from appliance.errors import Problem
from appliance.filled import APPROVAL, CASE, GROUND, KEY, Form
from appliance.press import is_drawn
from appliance.screen import GROUPS, Screen
from appliance.screens.wording import FILTERS, MASKED

PREFIX = "/screens"
STATIC = f"{PREFIX}/static/"
FOREVER = "public, max-age=31536000, immutable"
HTML = "text/html; charset=utf-8"
TYPES = {".css": "text/css", ".js": "text/javascript"}

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
COMMON: tuple[tuple[str, str], ...] = (
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    (
        "Permissions-Policy",
        "publickey-credentials-get=(self), publickey-credentials-create=(self)",
    ),
)
FRAMING = f"{POLICY}; frame-src 'self'"
"""Of a page that shows a PDF inside itself."""
HEADERS = (("Content-Security-Policy", POLICY), *COMMON)
PAPER_HEADERS = (
    # The viewer of Chromium draws a PDF in a document of its own, under this policy.
    (
        "Content-Security-Policy",
        "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    ),
    *COMMON,
)


@dataclass(slots=True, kw_only=True)
class Around:
    """What stands around a page's own content."""

    title: str
    seat: Seat | None = None
    here: str = ""
    crumbs: Sequence[tuple[str, str]] = ()
    """Title and path of what lies above."""
    notice: str = ""
    resident: bool = False
    prints: bool = False
    framing: bool = False
    """Shows a PDF inside itself."""
    form: Form = field(default_factory=Form)
    problems: Sequence[Problem] = ()
    refusal: str = ""
    """What a refusal says as a whole."""
    code: str = ""
    """The refusal's stable word."""
    count: int | None = None
    """How many a search found that found too many."""
    key: str | None = None
    """The key of the forms of this page; None: each form its own."""


class Look:
    """Renders pages, and serves what they are made of."""

    def __init__(self, screens: Iterable[Screen]) -> None:
        self._screens = tuple(screens)
        self._files = dict(_static())
        packages = sorted({screen.package for screen in self._screens})
        loader = ChoiceLoader(
            [_folder("appliance.screens"), PrefixLoader({p: _folder(p) for p in packages}, ":")]
        )
        self._environment = Environment(
            loader=loader,
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(
            static={
                name.partition(".")[0] + "." + name.rpartition(".")[2]: STATIC + name
                for name in self._files
            },
            prefix=PREFIX,
            MASKED=MASKED,
            KEY=KEY,
            APPROVAL=APPROVAL,
            GROUND=GROUND,
            CASE=CASE,
            is_drawn=is_drawn,
            fresh_key=lambda: secrets.token_urlsafe(24),
        )

    def file(self, name: str) -> HttpAnswer | None:
        """Return a file that pages are made of, or None."""
        content = self._files.get(name)
        if content is None:
            return None
        media_type = TYPES["." + name.rpartition(".")[2]] + "; charset=utf-8"
        return HttpAnswer(HTTPStatus.OK, media_type, content, HEADERS, FOREVER)

    def page(
        self, template: str, around: Around, data: Mapping[str, Any], status: int = HTTPStatus.OK
    ) -> HttpAnswer:
        """Return a page; ``template`` is one of ours, or ``package:name`` of a plugin's."""
        wrong: dict[str, list[str]] = {}
        for problem in around.problems:
            wrong.setdefault(problem.item, []).append(problem.text)
        seat = around.seat
        text = self._environment.get_template(template).render(
            **{
                "around": around,
                "title": around.title,
                "who": seat.who if seat else None,
                "menu": self.menu(seat) if seat else (),
                "form": around.form,
                "wrong": wrong,
                **data,
            }
        )
        policy = FRAMING if around.framing else POLICY
        headers = (("Content-Security-Policy", policy), *COMMON)
        return HttpAnswer(status, HTML, text.encode(), headers)

    def menu(self, seat: Seat) -> list[tuple[str, list[Screen]]]:
        """Return the screens of whoever sits there, by group, in the order of the groups."""
        groups: dict[str, list[Screen]] = {name: [] for name in GROUPS}
        for screen in self._screens:
            if screen.listed and seat.may(screen.needs):
                groups.setdefault(screen.group, []).append(screen)
        return [(name, screens) for name, screens in groups.items() if screens]


def _folder(package: str) -> BaseLoader:
    folder = files(package) / "templates"

    def load(name: str) -> str | None:
        file = folder / name
        return file.read_text("utf-8") if file.is_file() else None

    return FunctionLoader(load)


def _static() -> Iterable[tuple[str, bytes]]:
    """Yield every file by ``stem.digest.ext``."""
    for file in (files("appliance.screens") / "files").iterdir():
        stem, _, extension = file.name.rpartition(".")
        if f".{extension}" in TYPES:
            content = file.read_bytes()
            yield f"{stem}.{sha256(content).hexdigest()[:16]}.{extension}", content
