"""問合せ as whoever answers them sees the log."""

import pytest

from appliance.testing import Bench
from tests.plugins.disclosure.desk import Desk
from tests.screens import Seen, Visitor

LOG = "/screens/disclosure/inquiries"
ASKED = {
    "method": "telephone",
    "topic": "disclosure",
    "asked": "開示の手続を知りたい",
    "answered": "請求書の様式を案内した",
    "finished": "1",
}


@pytest.fixture
def registrar(bench: Bench) -> Visitor:
    visitor = Visitor.at(bench, "TERM-0002")
    return visitor.logs_in(bench, "OP-0002", roles=("registrar",), purposes=("disclosure",))


def enters(visitor: Visitor, **other: str) -> Seen:
    return visitor.presses(f"{LOG}/enter", **{**ASKED, **other})


def test_an_empty_log_says_what_to_do(registrar: Visitor) -> None:
    page = registrar.goes(LOG)
    assert "該当する記録はありません。" in page.text
    assert "問合せを登録する" in page.text


@pytest.mark.requirement("R81")
def test_an_inquiry_is_entered_and_stands_in_the_log(desk: Desk, registrar: Visitor) -> None:
    assert "問合せの登録" in registrar.presses(f"{LOG}/new").text
    page = enters(registrar)
    assert "問合せ1を登録しました。" in page.text
    (line,) = desk.ask("inquiries")["inquiries"]
    assert (line["operator"], line["finished"], line["method"]) == ("OP-0002", True, "telephone")
    for shown in (line["asked"], line["answered"], line["operator"], "電話", "完了"):
        assert shown in page.text
    assert desk.bench.ledger()[-2].reason == "03"


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("method", "問合せの方法を選んでください。"),
        ("topic", "区分を選んでください。"),
        ("asked", "問合せの内容を入力してください。"),
        ("answered", "回答を入力してください。"),
        ("finished", "対応の状況を選んでください。"),
    ],
)
def test_what_is_missing_is_told_beside_its_field_and_nothing_is_entered(
    desk: Desk, registrar: Visitor, field: str, said: str
) -> None:
    page = enters(registrar, **{field: ""})
    assert said in page.text
    assert f'id="e-{field}"' in page.markup
    assert desk.ask("inquiries")["inquiries"] == []


def test_an_inquiry_is_carried_on_under_its_number(desk: Desk, registrar: Visitor) -> None:
    enters(registrar, finished="0")
    page = registrar.presses(f"{LOG}/entry", number="1")
    assert "前の記録は残ります。" in page.text
    assert ASKED["answered"] in page.text
    enters(registrar, number="1", answered="様式を郵送した")
    (line,) = desk.ask("inquiries")["inquiries"]
    assert (line["number"], line["answered"], line["finished"]) == (1, "様式を郵送した", True)


def test_the_log_is_narrowed_by_topic_and_to_what_has_no_end(registrar: Visitor) -> None:
    enters(registrar)
    enters(registrar, topic="complaint", finished="0", asked="待ち時間が長い")
    about = registrar.presses(f"{LOG}/list", about="complaint")
    assert "待ち時間が長い" in about.text
    assert ASKED["asked"] not in about.text
    open_ones = registrar.presses(f"{LOG}/list", unfinished="1")
    assert "問合せ 1件" in open_ones.text
    assert "条件を見直してください。" in registrar.presses(f"{LOG}/list", about="system").text


def test_an_inquiry_that_is_not_there_leaves_the_list(registrar: Visitor) -> None:
    page = registrar.presses(f"{LOG}/entry", number="9")
    assert "一覧から選び直してください。" in page.text
    assert "該当する記録はありません。" in page.text


def test_whoever_has_no_part_in_disclosure_does_not_see_the_log(bench: Bench) -> None:
    visitor = Visitor.at(bench, "TERM-0003").logs_in(bench, "OP-0003", roles=("security-officer",))
    assert visitor.goes(LOG).status == 403
