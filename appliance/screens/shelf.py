"""Rendered pages, in memory, each for the session that made it, for ten minutes.

A POST is answered by 303 to a page here (ui: a browser writes what was posted into its files, and
what a GET with ``no-store`` shows it does not). So nothing typed or found reaches the terminal's
disk, no URL tells of anybody, and going back works. With the session its drawer is gone.
"""

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from appliance.edge.answers import HttpAnswer
from appliance.errors import Unavailable

T = TypeVar("T")
LIFE_SECONDS = 600
MOST_PAGES = 60
"""Of one session; then the oldest makes room."""
MOST_BYTES = 40 * 1024 * 1024
"""Of one session: more than the largest file that can be fetched."""
MOST_BYTES_TOGETHER = 256 * 1024 * 1024
MOST_RECENT = 8
TODAY_SECONDS = 60
"""For which the menu repeats itself instead of asking: every question is in the ledger."""


class Weighs(Protocol):
    """Something beside a page, that says how much memory it holds."""

    @property
    def weight(self) -> int:
        """In bytes, about."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """Something on the shelf, since when, and what it weighs."""

    what: T
    since: float
    size: int


@dataclass(slots=True)
class Drawer:
    """What belongs to one session."""

    pages: "OrderedDict[str, Kept[HttpAnswer | Weighs]]" = field(default_factory=OrderedDict)
    recent: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MOST_RECENT))
    """What was done lately: the seconds of then, and the title of a screen; nobody's data."""
    notice: str = ""
    """What the next page tells, once."""
    today: tuple[float, Any] | None = None
    """What the menu said of today, and when."""

    @property
    def size(self) -> int:
        """How many bytes are kept."""
        return sum(kept.size for kept in self.pages.values())


class Shelf:
    """All drawers; any thread may use them."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._drawers: dict[str, Drawer] = {}
        self._lock = Lock()

    def put(self, session: str, what: HttpAnswer | Weighs) -> str:
        """Keep something for a session; return the opaque word it is fetched by.

        Raises:
            Unavailable: there is no room for anything as large.
        """
        size = len(what.body) if isinstance(what, HttpAnswer) else what.weight
        if size > MOST_BYTES:
            raise Unavailable("the page is too large to be shown")
        word = secrets.token_urlsafe(24)
        with self._lock:
            self._expire()
            drawer = self._drawers.setdefault(session, Drawer())
            drawer.pages[word] = Kept(what, self._seconds(), size)
            while len(drawer.pages) > MOST_PAGES or drawer.size > MOST_BYTES:
                drawer.pages.popitem(last=False)
            if sum(each.size for each in self._drawers.values()) > MOST_BYTES_TOGETHER:
                del drawer.pages[word]
                raise Unavailable("too many pages are kept now")
        return word

    def page(self, session: str, word: str) -> HttpAnswer | None:
        """Return a page of this session, or None: too old, another's, or never there."""
        found = self._find(session, word)
        return found if isinstance(found, HttpAnswer) else None

    def kept(self, session: str, word: str, kind: type[T]) -> T | None:
        """Return something else of this session, or None."""
        found = self._find(session, word)
        return found if isinstance(found, kind) else None

    def note(self, session: str, title: str) -> None:
        """Remember that something was done on a screen."""
        with self._lock:
            drawer = self._drawers.setdefault(session, Drawer())
            drawer.recent.append((self._seconds(), title))
            drawer.today = None

    def recent(self, session: str) -> list[tuple[float, str]]:
        """Return what was done lately, newest first: how many seconds ago, and on which screen."""
        with self._lock:
            drawer = self._drawers.get(session)
            now = self._seconds()
            return [(now - at, title) for at, title in reversed(drawer.recent)] if drawer else []

    def keep_today(self, session: str, said: object) -> None:
        """Keep what the menu says of today, until something is done."""
        with self._lock:
            self._drawers.setdefault(session, Drawer()).today = (self._seconds(), said)

    def today(self, session: str) -> Any:
        """Return what was kept a minute ago or less, or None."""
        with self._lock:
            drawer = self._drawers.get(session)
            kept = drawer.today if drawer else None
            return kept[1] if kept and self._seconds() - kept[0] <= TODAY_SECONDS else None

    def tell(self, session: str, notice: str) -> None:
        """Keep a sentence for the next page of this session."""
        with self._lock:
            self._drawers.setdefault(session, Drawer()).notice = notice

    def told(self, session: str) -> str:
        """Return that sentence, once."""
        with self._lock:
            drawer = self._drawers.get(session)
            if drawer is None:
                return ""
            notice, drawer.notice = drawer.notice, ""
            return notice

    def empty(self, session: str) -> None:
        """Forget everything of a session."""
        with self._lock:
            self._drawers.pop(session, None)

    def _find(self, session: str, word: str) -> HttpAnswer | Weighs | None:
        with self._lock:
            self._expire()
            drawer = self._drawers.get(session)
            kept = drawer.pages.get(word) if drawer else None
            return kept.what if kept else None

    def _expire(self) -> None:
        end = self._seconds() - LIFE_SECONDS
        for session, drawer in list(self._drawers.items()):
            while drawer.pages and next(iter(drawer.pages.values())).since < end:
                drawer.pages.popitem(last=False)
            said = drawer.today is not None and drawer.today[0] >= end
            if not drawer.pages and not said and all(at < end for at, _ in drawer.recent):
                del self._drawers[session]
