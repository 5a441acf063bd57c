"""帳票管理簿 as whoever keeps it sees it."""

import pytest

from appliance.testing import Bench
from tests.plugins.disclosure.counter import paper
from tests.plugins.disclosure.desk import Desk
from tests.plugins.people import admit
from tests.screens import Seen, Visitor

SHEETS = "/screens/disclosure/sheets"
DISPOSED = {"how": "shredded", "witness": "OP-0009", "destroyed": "1"}


@pytest.fixture
def registrar(bench: Bench) -> Visitor:
    visitor = Visitor.at(bench, "TERM-0002")
    return visitor.logs_in(bench, "OP-0002", roles=("registrar",), purposes=("disclosure",))


@pytest.fixture
def keeper(desk: Desk, registrar: Visitor) -> Visitor:
    """Somebody at a terminal, when sheet 1 of case 1 was just printed."""
    admit(desk.bench)
    desk.issue(desk.matched())
    return registrar


def enters(visitor: Visitor, act: str, **typed: str) -> Seen:
    return visitor.presses(f"{SHEETS}/{act}", number="1", sheet="1", **typed)


def test_no_sheet_is_said(registrar: Visitor) -> None:
    assert "該当する記録はありません。" in registrar.goes(SHEETS).text


@pytest.mark.requirement("R66")
def test_the_book_shows_what_the_operation_answers(desk: Desk, keeper: Visitor) -> None:
    page = keeper.goes(SHEETS)
    line = desk.ask("sheets")["sheets"][0]
    assert "帳票 1件" in page.text
    assert "本人確認情報確認書(別記第3号様式)" in page.text
    assert "印刷済み" in page.text
    assert line["operator"] in page.text
    assert line["sha256"] in enters(keeper, "sheet").text
    assert "熊本　花子" not in page.markup


def test_the_book_is_narrowed_by_case_and_state(keeper: Visitor) -> None:
    found = keeper.presses(f"{SHEETS}/list", number="1", state="printed")
    assert "帳票 1件" in found.text
    assert 'value="printed" selected' in found.markup
    assert "条件を見直してください。" in keeper.presses(f"{SHEETS}/list", number="2").text
    assert "条件を見直してください。" in keeper.presses(f"{SHEETS}/list", state="disposed").text


@pytest.mark.requirement("R66")
@pytest.mark.parametrize(
    ("act", "typed", "said", "state"),
    [
        ("deliver", {"method": "post"}, "帳票番号1の交付を登録しました。", "交付済み"),
        ("store", {"place": "保管庫A"}, "帳票番号1の保管を登録しました。", "保管中"),
        ("dispose", DISPOSED, "帳票番号1の廃棄を登録しました。", "廃棄済み"),
    ],
)
def test_what_became_of_a_sheet_is_entered(
    keeper: Visitor, act: str, typed: dict[str, str], said: str, state: str
) -> None:
    answer = keeper.posts(f"{SHEETS}/{act}", number="1", sheet="1", **typed)
    assert answer.headers["Location"] == SHEETS
    page = keeper.follows(answer)
    assert said in page.text
    assert state in page.text


@pytest.mark.parametrize(
    ("act", "typed", "said"),
    [
        ("deliver", {}, "交付の方法を選んでください。"),
        ("deliver", {"method": "post", "on": "R8.3.1"}, "交付日は、発行日以後で"),
        ("store", {}, "保管場所を入力してください。"),
        ("dispose", {**DISPOSED, "destroyed": ""}, "確認欄にチェックを入れてください。"),
        ("dispose", {**DISPOSED, "witness": "OP-0002"}, "廃棄する者以外の職員"),
        ("reissue", {}, "再発行の理由を入力してください。"),
    ],
)
def test_what_cannot_be_entered_is_told_on_the_sheet(
    desk: Desk, keeper: Visitor, act: str, typed: dict[str, str], said: str
) -> None:
    page = enters(keeper, act, **typed)
    assert said in page.text
    assert 'class="error"' in page.markup
    assert desk.ask("sheets")["sheets"][0]["state"] == "printed"


def test_a_spoiled_sheet_is_replaced_and_can_only_be_destroyed(desk: Desk, keeper: Visitor) -> None:
    first = desk.ask("sheets")["sheets"][0]["sha256"]
    paper(keeper, enters(keeper, "reissue", again_why="汚損"))
    again = desk.ask("sheets")["sheets"][0]
    assert (again["sheet"], again["sha256"], again["why"]) == (2, first, "汚損")
    page = enters(keeper, "sheet")
    assert "再発行により差替え済み" in page.text
    assert "廃棄を登録する" in page.text
    assert "交付を登録する" not in page.text


def test_a_sheet_that_is_not_there_is_refused_on_the_list(registrar: Visitor) -> None:
    page = enters(registrar, "sheet")
    assert 'class="banner wrong summary"' in page.markup


def test_whoever_has_no_part_in_disclosure_does_not_see_the_book(bench: Bench) -> None:
    visitor = Visitor.at(bench, "TERM-0003").logs_in(bench, "OP-0003", roles=("security-officer",))
    assert visitor.goes(SHEETS).status == 403
