"""Somebody at a terminal without a browser: real pages over WSGI, a real appliance behind them.

::

    with Bench.open(tmp_path) as bench:
        clerk = Visitor.at(bench)
        clerk.logs_in(bench, "OP-0001")
        page = clerk.presses("/screens/search/find/list", name="熊本　花子", ground="all/01")
        assert "該当する人はいません" in page.text
"""

import html
import io
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from appliance.edge.door import Seat as SeatAtDoor
from appliance.edge.problems import Early
from appliance.edge.server import PEER, REQUEST_ID, App
from appliance.http import make_app
from appliance.model import Envelope, Peer, Reply
from appliance.operation import AnyOperation
from appliance.screen import Screen
from appliance.testing import PIN, Bench

MOST_HOPS = 3


class BenchDoor:
    """A bench as HTTP sees it."""

    def __init__(self, bench: Bench, screens: Sequence[Screen] = ()) -> None:
        self.bench = bench
        self.early: list[Early] = []
        self.asked: list[Envelope] = []
        self.fails_with: BaseException | None = None
        self._screens = (*bench.loaded.screens, *screens)

    def answer(self, envelope: Envelope) -> Reply:
        self.asked.append(envelope)
        if self.fails_with is not None:
            raise self.fails_with
        return self.bench.pipeline.answer(envelope)

    def seated(self, peer: Peer, bearer: str, *, attended: bool) -> SeatAtDoor:
        return self.bench.pipeline.seated(peer, bearer, attended=attended)

    def operations(self) -> Sequence[AnyOperation]:
        return tuple(operation for _, operation in self.bench.loaded.operations.values())

    def screens(self) -> Sequence[Screen]:
        return self._screens

    def health(self) -> tuple[int, dict[str, Any]]:
        return 200, {}

    def seal_status(self) -> dict[str, Any]:
        return {}

    def checkpoint(self) -> str | None:
        return None

    def witnessed(self) -> str | None:
        return None

    def refused_early(self, early: Early) -> None:
        self.early.append(early)


@dataclass(frozen=True)
class Seen:
    """What came back, and from where."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    path: str

    @property
    def text(self) -> str:
        """What is read, without markup."""
        bare = re.sub(r"<(script|style)[^>]*>.*?</\1>", " ", self.body.decode(), flags=re.S)
        return html.unescape(re.sub(r"[ \n\t]+", " ", re.sub(r"<[^>]+>", "", bare)))

    @property
    def markup(self) -> str:
        return self.body.decode()

    def hidden(self, name: str) -> list[str]:
        """Return the values that hidden fields of this name carry."""
        found = re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)">', self.markup)
        return [html.unescape(value) for value in found]

    def action(self, ending: str) -> str:
        """Return where a form of the page posts to."""
        return next(each for each in re.findall(r'action="([^"]+)"', self.markup) if ending in each)


@dataclass
class Visitor:
    """Somebody at a terminal; follows redirects and keeps the one cookie, as a browser does."""

    app: App
    peer: Peer | None
    door: BenchDoor
    cookie: str = ""
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def at(
        cls, bench: Bench, terminal_id: str = "TERM-0001", screens: Sequence[Screen] = ()
    ) -> "Visitor":
        door = BenchDoor(bench, screens)
        return cls(make_app(door), bench.seat(terminal_id).peer, door)

    def logs_in(self, bench: Bench, operator_id: str = "OP-0001", **appointed: Any) -> "Visitor":
        """Appoint somebody, and log him in at this terminal by PIN."""
        bench.appoint(operator_id, f"P-{operator_id}", **appointed)
        asked = {"person": f"P-{operator_id}", "operator": operator_id, "pin": PIN}
        seen = self.asks("POST", "/screens/session/open", json.dumps(asked).encode())
        assert seen.status == 200, seen.body
        return self

    def goes(self, path: str, **headers: str) -> Seen:
        """Open a page."""
        return self.follows(self.asks("GET", path, **headers))

    def presses(self, path: str, **fields: str | Sequence[str]) -> Seen:
        """Press a button, and see the page it leads to."""
        return self.follows(self.posts(path, **fields))

    def posts(self, path: str, **fields: str | Sequence[str]) -> Seen:
        """Press a button; return the answer itself."""
        body = urlencode(fields, doseq=True).encode()
        kind = "application/x-www-form-urlencoded"
        return self.asks("POST", path, body, content_type=kind)

    def follows(self, seen: Seen) -> Seen:
        for _ in range(MOST_HOPS):
            if seen.status != 303:
                return seen
            seen = self.asks("GET", seen.headers["Location"])
        raise AssertionError("goes round in circles")

    def asks(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str = "application/json",
        **headers: str,
    ) -> Seen:
        """Send one request as a browser would; ``headers`` add or replace, None leaves out."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "juki",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)) if method == "POST" else "",
            "CONTENT_TYPE": content_type if method == "POST" else "",
            "HTTP_SEC_FETCH_SITE": "same-origin",
            PEER: self.peer,
            REQUEST_ID: f"visit-{next(self.numbers)}",
        }
        if self.cookie:
            environ["HTTP_COOKIE"] = f"__Host-sid={self.cookie}"
        for name, value in headers.items():
            environ[f"HTTP_{name.upper()}"] = value
        told: list[Any] = []
        content = b"".join(self.app(environ, lambda *answer: told.extend(answer)))
        status, fields = told[0], dict(told[1])
        if (found := re.match(r"__Host-sid=([^;]*)", fields.get("Set-Cookie", ""))) is not None:
            self.cookie = found[1]
        return Seen(int(status.split()[0]), fields, content, path)
