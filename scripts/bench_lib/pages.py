"""Somebody at a browser, as the appliance sees one: one connection, one cookie, form after form.

::

    with Pages(site.machine.port, papers) as pages:
        pages.logs_in("P-0001", "OP-0001", PIN)
        page = pages.opens("/screens/search/find")
        page = pages.presses("/screens/search/find/list", name="...", ground="...")

What a page links to beside (one style sheet, one script) a browser keeps; so it is not fetched.
"""

import html
import http.client
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

from scripts.bench_lib.wire import PATIENCE, Papers, context_of

MENU = "/screens/menu"
COOKIE = "__Host-sid"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
NOT_A_SCREEN = frozenset({MENU})

_LINK = re.compile(r'href="(/screens/[a-z0-9_-]+/[a-z0-9_-]+)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
_FORM = re.compile(r'<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
_SID = re.compile(rf"{COOKIE}=([A-Za-z0-9_-]+)")
_TITLE = re.compile(r"<title>(.*?)</title>")


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes


class NotThePage(Exception):
    """Something else came back: a refusal, an error, 操作者認証."""


class Pages:
    """A browser at a terminal; a request at a time."""

    def __init__(self, port: int, papers: Papers) -> None:
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=PATIENCE, context=context_of(papers)
        )
        self._cookie = ""

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def logs_in(self, person: str, operator: str, pin: str) -> None:
        """Log in by PIN.

        Raises:
            NotThePage: it was refused.
        """
        asked = {"person": person, "operator": operator, "pin": pin}
        answer = self._ask("POST", "/screens/session/open", json.dumps(asked).encode(), JSON)
        found = _SID.match(answer.headers.get("set-cookie", ""))
        if found is None:
            raise NotThePage(f"{answer.status} instead of a session")
        self._cookie = found[1]

    def opens(self, path: str) -> str:
        """Open a page.

        Raises:
            NotThePage: something else came back.
        """
        return _page(path, self._ask("GET", path))

    def presses(self, path: str, fields: Mapping[str, str | Sequence[str]]) -> str:
        """Press the button of a form, and fetch the page it leads to.

        Raises:
            NotThePage: something else came back.
        """
        answer = self._ask("POST", path, urlencode(fields, doseq=True).encode(), FORM)
        if answer.status != http.client.SEE_OTHER:
            raise NotThePage(f"{path}: {answer.status}")
        return self.opens(answer.headers["location"])

    def _ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Answer:
        headers = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        if body is not None:
            headers["Content-Type"] = kind
        if self._cookie:
            headers["Cookie"] = f"{COOKIE}={self._cookie}"
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, told, response.read())


@contextmanager
def browsing(port: int, papers: Papers) -> Iterator[Pages]:
    """Yield a browser; hang up after the block."""
    pages = Pages(port, papers)
    try:
        yield pages
    finally:
        pages.close()


def entries(menu: str) -> list[str]:
    """Return the screens that 業務メニュー leads to, each once, in its order."""
    return [path for path in dict.fromkeys(_LINK.findall(menu)) if path not in NOT_A_SCREEN]


def carried(page: str, path: str) -> dict[str, str]:
    """Return what the first form that goes to a path carries.

    Raises:
        NotThePage: there is no such form.
    """
    for action, inside in _FORM.findall(page):
        if action == path:
            return {name: html.unescape(value) for name, value in _HIDDEN.findall(inside)}
    raise NotThePage(f"no form that goes to {path}")


def _page(path: str, answer: Answer) -> str:
    text = answer.body.decode()
    if answer.status != http.client.OK:
        raise NotThePage(f"{path}: {answer.status}")
    found: Any = _TITLE.search(text)
    if found is None or found[1].startswith("エラー"):
        raise NotThePage(f"{path}: a form again, with what was wrong")
    return text
