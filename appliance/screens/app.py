"""Which path of a browser means what.

::

    GET  /screens                        to 業務メニュー
    GET  /screens/login                  操作者認証
    POST /screens/session/{what}         entry.py
    GET  /screens/menu                   業務メニュー
    GET  /screens/{function}/{name}      a screen, before anything was done
    POST /screens/{function}/{name}/{act}   a button of it: 303 to
    GET  /screens/r/{word}               what came of it, from the shelf
    POST /screens/go-on/{word}           an act that waited for a proof or another person
    GET  /screens/static/{file}          what pages are made of

Nothing is done by a GET, and nothing is shown by a POST. Who is not logged in sees only 操作者認証.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus

from appliance.edge.answers import HttpAnswer
from appliance.edge.door import Ask, Door, Seat
from appliance.edge.japanese import told_in_japanese
from appliance.edge.problems import Early, TurnedAway, malformed, origin
from appliance.edge.refusals import CODES, OTHER, UNKNOWN_OUTCOME, not_allowed, nothing_here
from appliance.errors import (
    Failed,
    Malformed,
    NotFound,
    NotPermitted,
    Refusal,
    Unidentified,
    VerifyAgain,
)
from appliance.forms import titles
from appliance.screen import Screen
from appliance.screens.acting import Acting
from appliance.screens.asked import GET, POST, Asked
from appliance.screens.entry import GONE, Entry
from appliance.screens.look import PREFIX, STATIC, Around, Look
from appliance.screens.menu import MENU, Menu
from appliance.screens.shelf import Shelf
from appliance.sessions import digest
from storage.errors import OutcomeUnknown

log = logging.getLogger(__name__)

LOGIN = f"{PREFIX}/login"
SESSION, KEPT, GO_ON = f"{PREFIX}/session/", f"{PREFIX}/r/", f"{PREFIX}/go-on/"
NO_REQUEST = {"": None}
"""Fits no operation: whoever was given the right this very moment has still asked for nothing."""
GONE_TEXT = "表示の期限(10分)が切れたか、既に閉じた画面です。もう一度操作してください。"


class Screens:
    """Answers browsers; any thread may ask."""

    def __init__(self, door: Door, ask_line: Ask) -> None:
        self._door = door
        screens = door.screens()
        self._screens: Mapping[str, Screen] = {screen.path: screen for screen in screens}
        self._look = Look(screens)
        self._shelf = Shelf()
        self._entry = Entry(ask_line, self._shelf.empty)
        operations = {str(each.name): each for each in door.operations()}
        named = {name: titles(each.asks) for name, each in operations.items()}
        self._acting = Acting(self._look, self._shelf, ask_line, operations, named)
        self._menu = Menu(self._look, self._shelf, self._screens.values(), self._acting)

    def answer(self, asked: Asked) -> HttpAnswer:
        """Return the answer to a browser; whatever happens, it is a page it can show."""
        if asked.path.startswith(STATIC):
            return self._file(asked)
        try:
            asked.must_come_from_here()
            return self._routed(asked)
        except TurnedAway as refusal:
            self._report(asked, refusal.code, refusal.text)
            return self._said(refusal.status, refusal.code, refusal.text, asked)
        except Unidentified as refusal:
            return self._must_log_in(asked, refusal)
        except Refusal as refusal:
            status = CODES.get(refusal.code, OTHER)
            return self._said(status, refusal.code, refusal.text, asked)
        except OutcomeUnknown:
            unknown = UNKNOWN_OUTCOME
            return self._said(unknown.status, unknown.code, unknown.text, asked)
        except Exception as bug:
            log.error("a screen failed: %s", origin(bug), extra={"request_id": asked.request_id})
            return self._said(HTTPStatus.INTERNAL_SERVER_ERROR, Failed.code, "", asked)

    def _routed(self, asked: Asked) -> HttpAnswer:
        path = asked.path
        if path == LOGIN:
            _must_be(asked, GET)
            return self._look.page("login.html", Around(title="操作者認証"), {})
        if path.startswith(SESSION):
            _must_be(asked, POST)
            return self._entry.answer(asked, path.removeprefix(SESSION))
        if path == PREFIX:
            _must_be(asked, GET)
            return _see(MENU)
        seat = self._seat(asked)
        if path.startswith(KEPT):
            _must_be(asked, GET)
            return self._kept(seat, path.removeprefix(KEPT), asked)
        if path.startswith(GO_ON):
            _must_be(asked, POST)
            return self._acting.goes_on(seat, asked, path.removeprefix(GO_ON))
        if path == MENU:
            _must_be(asked, GET)
            return self._menu.page(seat, asked)
        return self._screen(seat, asked)

    def _screen(self, seat: Seat, asked: Asked) -> HttpAnswer:
        if (screen := self._screens.get(asked.path)) is not None:
            _must_be(asked, GET)
            self._must_reach(seat, asked, screen)
            return self._acting.shown(seat, asked, screen)
        above, _, act = asked.path.rpartition("/")
        screen = self._screens.get(above)
        if screen is None or act not in {*screen.acts, *screen.polls}:
            raise nothing_here()
        _must_be(asked, POST)
        self._must_reach(seat, asked, screen, attended=act not in screen.polls)
        if act in screen.polls:
            return self._acting.polled(seat, asked, screen, act)
        return self._acting.pressed(seat, asked, screen, act, asked.form())

    def _must_reach(
        self, seat: Seat, asked: Asked, screen: Screen, *, attended: bool = True
    ) -> None:
        """Refuse whom a screen is not for; the line refuses him first, and so the ledger has it."""
        if seat.may(screen.needs):
            return
        with suppress(VerifyAgain, Malformed):
            self._acting.desk(seat, asked, attended=attended).ask(screen.needs, NO_REQUEST)
        raise NotPermitted(f"no role of yours reaches {screen.needs} at this terminal")

    def _seat(self, asked: Asked) -> Seat:
        if asked.peer is None or asked.token is None:
            raise Unidentified("log in first (session/open)")
        above, _, last = asked.path.rpartition("/")
        screen = self._screens.get(above)
        by_itself = screen is not None and last in screen.polls
        try:
            return self._door.seated(asked.peer, asked.token, attended=not by_itself)
        except Unidentified:
            self._shelf.empty(digest(asked.token))
            raise

    def _kept(self, seat: Seat, word: str, asked: Asked) -> HttpAnswer:
        page = self._shelf.page(seat.who.session, word)
        if page is not None:
            return page
        around = Around(title="表示できません", seat=seat)
        return self._look.page("state.html", around, {"state": "gone", "text": GONE_TEXT}, 410)

    def _file(self, asked: Asked) -> HttpAnswer:
        found = self._look.file(asked.path.removeprefix(STATIC))
        if asked.method != GET or found is None:
            return self._said(HTTPStatus.NOT_FOUND, NotFound.code, "", asked)
        return found

    def _must_log_in(self, asked: Asked, refusal: Unidentified) -> HttpAnswer:
        """Send a browser to 操作者認証; a session that is over, or another terminal's, is noted."""
        if asked.token is not None:
            self._report(asked, refusal.code, refusal.text)
        return _see(LOGIN, *([GONE] if asked.token else ()))

    def _said(self, status: int, code: str, detail: str, asked: Asked) -> HttpAnswer:
        seat: Seat | None = None
        if asked.peer is not None and asked.token is not None and code != "malformed":
            try:
                seat = self._door.seated(asked.peer, asked.token, attended=False)
            except Refusal:
                seat = None
        text = told_in_japanese(code, detail)
        denied = code == NotPermitted.code
        around = Around(title="この操作はできません" if denied else "表示できません", seat=seat)
        return self._look.page("state.html", around, {"state": code, "text": text}, status)

    def _report(self, asked: Asked, code: str, text: str) -> None:
        """Have a refusal written down that did not reach the line."""
        early = Early(code=code, text=text, peer=asked.peer, request_id=asked.request_id)
        try:
            self._door.refused_early(early)
        except Exception as bug:
            log.error("a refusal could not be reported: %s", origin(bug))


def _must_be(asked: Asked, method: str) -> None:
    if asked.method == method:
        return
    if asked.method not in (GET, POST):
        raise malformed("a browser sends GET and POST")
    raise not_allowed(method)


def _see(path: str, *headers: tuple[str, str]) -> HttpAnswer:
    return HttpAnswer(HTTPStatus.SEE_OTHER, "text/plain", b"", (("Location", path), *headers))
