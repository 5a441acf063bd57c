"""Pages are kept in memory, for the session that made them, and not for long."""

from http import HTTPStatus

import pytest

from appliance.edge.answers import HttpAnswer
from appliance.errors import Unavailable
from appliance.filled import Form, Upload
from appliance.model import OperationName
from appliance.screen import Page, Screen
from appliance.screens import shelf as limits
from appliance.screens.refused import Waits
from appliance.screens.shelf import Shelf

SCREEN = Screen(
    path="/screens/probe/form",
    title="試験画面",
    group="システム",
    package="tests",
    needs=OperationName("probe/form"),
    show=lambda desk: Page(template="none.html"),
)
MINE, ANOTHERS = "a" * 64, "b" * 64


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf(clock: Clock) -> Shelf:
    return Shelf(clock)


def page(body: bytes = b"somebody") -> HttpAnswer:
    return HttpAnswer(HTTPStatus.OK, "text/html", body)


def test_a_page_is_there_again_for_whoever_made_it_and_for_nobody_else(shelf: Shelf) -> None:
    word = shelf.put(MINE, page())
    assert shelf.page(MINE, word) == page()
    assert shelf.page(MINE, word) == page()
    assert shelf.page(ANOTHERS, word) is None


def test_a_page_is_gone_after_ten_minutes(shelf: Shelf, clock: Clock) -> None:
    word = shelf.put(MINE, page())
    clock.now += limits.LIFE_SECONDS
    assert shelf.page(MINE, word) is not None
    clock.now += 1
    assert shelf.page(MINE, word) is None


def test_nothing_is_left_of_a_session_that_ended(shelf: Shelf) -> None:
    word, others = shelf.put(MINE, page()), shelf.put(ANOTHERS, page())
    shelf.note(MINE, "本人確認情報検索")
    shelf.empty(MINE)
    assert shelf.page(MINE, word) is None
    assert shelf.recent(MINE) == []
    assert shelf.page(ANOTHERS, others) is not None


def test_the_oldest_page_makes_room(shelf: Shelf) -> None:
    words = [shelf.put(MINE, page()) for _ in range(limits.MOST_PAGES + 1)]
    assert shelf.page(MINE, words[0]) is None
    assert all(shelf.page(MINE, word) for word in words[1:])


def test_large_pages_push_out_older_ones_by_their_bytes(shelf: Shelf) -> None:
    half = bytes(limits.MOST_BYTES // 2)
    first, second, third = (shelf.put(MINE, page(half)) for _ in range(3))
    assert shelf.page(MINE, first) is None
    assert shelf.page(MINE, second) is not None
    assert shelf.page(MINE, third) is not None


def test_what_is_larger_than_a_drawer_is_refused(shelf: Shelf) -> None:
    with pytest.raises(Unavailable):
        shelf.put(MINE, page(bytes(limits.MOST_BYTES + 1)))


def test_all_sessions_together_have_a_bound_and_the_next_page_is_refused(shelf: Shelf) -> None:
    whole = page(bytes(limits.MOST_BYTES))
    rooms = limits.MOST_BYTES_TOGETHER // limits.MOST_BYTES
    words = [shelf.put(f"{which}", whole) for which in range(rooms)]
    with pytest.raises(Unavailable):
        shelf.put(MINE, whole)
    assert shelf.page("0", words[0]) is not None
    shelf.empty("0")
    assert shelf.put(MINE, whole)


def test_a_sentence_for_the_next_page_is_told_once(shelf: Shelf) -> None:
    shelf.tell(MINE, "登録しました。")
    assert shelf.told(ANOTHERS) == ""
    assert shelf.told(MINE) == "登録しました。"
    assert shelf.told(MINE) == ""


def test_what_waits_weighs_as_much_as_the_files_in_it(shelf: Shelf) -> None:
    upload = Upload(bytes(limits.MOST_BYTES // 2))
    waits = Waits(SCREEN, "send", Form({"name": ("x",)}, {"file": upload}), None)
    words = [shelf.put(MINE, waits) for _ in range(3)]
    assert [shelf.kept(MINE, word, Waits) is not None for word in words] == [False, False, True]


def test_what_is_said_of_today_holds_for_a_minute_or_until_something_is_done(
    shelf: Shelf, clock: Clock
) -> None:
    shelf.keep_today(MINE, "1件")
    shelf.put(ANOTHERS, page())
    assert (shelf.today(MINE), shelf.today(ANOTHERS)) == ("1件", None)
    clock.now += limits.TODAY_SECONDS + 1
    assert shelf.today(MINE) is None
    shelf.keep_today(MINE, "1件")
    shelf.note(MINE, "承認")
    assert shelf.today(MINE) is None
