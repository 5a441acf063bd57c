"""業務メニュー: what waits for whoever is there, what he did lately, and what he may do."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from appliance.edge.answers import HttpAnswer
from appliance.edge.door import Seat
from appliance.errors import Refusal, Unidentified
from appliance.screen import Desk, Screen, Waiting
from appliance.screens.acting import Acting
from appliance.screens.asked import Asked
from appliance.screens.look import PREFIX, Around, Look
from appliance.screens.shelf import Shelf

MENU = f"{PREFIX}/menu"


class Menu:
    """The first page after 操作者認証."""

    def __init__(self, look: Look, shelf: Shelf, screens: Iterable[Screen], acting: Acting) -> None:
        self._look = look
        self._shelf = shelf
        self._screens = tuple(screens)
        self._acting = acting

    def page(self, seat: Seat, asked: Asked) -> HttpAnswer:
        """Return the menu; what a screen cannot say now is said to be unknown."""
        now = seat.who.now
        recent = [
            (now - timedelta(seconds=ago), title)
            for ago, title in self._shelf.recent(seat.who.session)
        ]
        at, waiting = self._today(seat, asked)
        around = Around(title="業務メニュー", seat=seat, here=MENU)
        around.notice = self._shelf.told(seat.who.session)
        return self._look.page(
            "menu.html", around, {"waiting": waiting, "at": at, "recent": recent}
        )

    def _today(self, seat: Seat, asked: Asked) -> "_Today":
        """Return what there is to see to, and as of when."""
        kept: _Today | None = self._shelf.today(seat.who.session)
        if kept is not None:
            return kept
        waiting = [
            (screen, found)
            for screen in self._screens
            if screen.waiting is not None and seat.may(screen.needs)
            if (found := self._waiting(seat, asked, screen)) != []
        ]
        self._shelf.keep_today(seat.who.session, (seat.who.now, waiting))
        return seat.who.now, waiting

    def _waiting(self, seat: Seat, asked: Asked, screen: Screen) -> list[Waiting] | None:
        desk = self._acting.desk(seat, asked)
        try:
            return [each for each in (screen.waiting or _nothing)(desk) if each.count]
        except Unidentified:
            raise
        except Refusal:
            return None


_Today = tuple[datetime, list[tuple[Screen, list[Waiting] | None]]]


def _nothing(desk: Desk) -> Iterable[Waiting]:
    return ()
