"""訂正等の申出 as whoever sees it through at a terminal sees it."""

import pytest

from appliance.plugin_api import PersonId
from appliance.testing import Bench
from tests.plugins.disclosure.counter import paper
from tests.plugins.disclosure.desk import HANAKO, OTHER, Desk
from tests.plugins.people import YATSUSHIRO, admit, change
from tests.screens import Seen, Visitor

WISHES, RECEIVE = "/screens/disclosure/corrections", "/screens/disclosure/correct"
WRITTEN = {
    "disclosure": "1",
    "method": "post",
    "identity": "driving-licence",
    "wish": "correct",
    "items": "address",
    "claim": "番地が違う",
}
ERROR = {"finding": "error", "account": "転記の誤り"}


@pytest.fixture
def registrar(bench: Bench) -> Visitor:
    visitor = Visitor.at(bench, "TERM-0002")
    return visitor.logs_in(bench, "OP-0002", roles=("registrar",), purposes=("disclosure",))


@pytest.fixture
def who(bench: Bench) -> PersonId:
    return admit(bench)


@pytest.fixture
def disclosed(desk: Desk, who: PersonId, registrar: Visitor) -> Visitor:
    """Somebody at a terminal, when case 1 was disclosed and the record is wrong."""
    desk.disclosed()
    return registrar


def received(visitor: Visitor, **other: str) -> Seen:
    return visitor.presses(f"{RECEIVE}/enter", **{**WRITTEN, **other})


def enters(visitor: Visitor, act: str, **typed: str) -> Seen:
    return visitor.presses(f"{WISHES}/{act}", number="2", **typed)


def test_no_wish_is_said_and_where_to_enter_one(registrar: Visitor) -> None:
    page = registrar.goes(WISHES)
    assert "該当する記録はありません。" in page.text
    assert f'href="{RECEIVE}"' in page.markup


@pytest.mark.requirement("R75")
def test_a_wish_is_entered_as_it_was_written(desk: Desk, disclosed: Visitor) -> None:
    page = received(disclosed)
    assert "受付番号2で受け付けました。" in page.text
    case = desk.ask("case", number=2)
    assert (case["wish"], case["items"], case["claim"]) == ("correct", ["address"], "番地が違う")
    assert case["disclosure"] == 1
    assert "申出の種類訂正" in page.text
    listed = disclosed.goes(WISHES)
    assert "処理中 1件" in listed.text
    assert "番地が違う" not in listed.text


@pytest.mark.parametrize(("path", "number"), [(WISHES, "1"), ("/screens/disclosure/cases", "2")])
def test_a_case_of_the_other_kind_is_none_of_this_screen(
    disclosed: Visitor, path: str, number: str
) -> None:
    received(disclosed)
    for act in ("case", "deliver"):
        page = disclosed.presses(f"{path}/{act}", number=number)
        assert page.status == 200
        assert 'class="banner wrong summary"' in page.markup
        assert HANAKO["address"] not in page.text


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("disclosure", "", "開示の受付番号を入力してください。"),
        ("wish", "", "申出の種類を選んでください。"),
        ("items", "", "申出に係る項目を選んでください。"),
        ("claim", "", "申出の内容を入力してください。"),
        ("received_on", "R8.3.1", "申出の受付日は、開示の発行日以後で"),
    ],
)
def test_what_is_wrong_with_a_wish_is_told_beside_its_field(
    disclosed: Visitor, field: str, typed: str, said: str
) -> None:
    page = received(disclosed, **{field: typed})
    assert said in page.text
    assert f'id="e-{field}"' in page.markup
    assert "該当する記録はありません。" in disclosed.goes(WISHES).text


@pytest.mark.requirement("R76", "R82")
def test_a_wish_is_investigated_reported_linked_and_answered(
    desk: Desk, who: PersonId, disclosed: Visitor
) -> None:
    received(disclosed)
    page = enters(disclosed, "investigate", **ERROR)
    assert "調査の結果を登録しました。" in page.text
    assert "市町村長に通報する" in page.text
    assert "通知書を発行する" not in page.text
    assert "市町村長に通報しました。" in enters(disclosed, "report").text
    assert "まだありません。" in enters(disclosed, "link").text
    change(desk.bench, who, address="熊本県八代市松江城町１番２６号", reason="33")
    assert "市町村長から通知がありました。" in enters(disclosed, "case").text
    linked = enters(disclosed, "link")
    assert "市町村長からの通知を関連付けました。" in linked.text
    assert "改めない" not in linked.text
    paper(
        disclosed,
        enters(disclosed, "result", outcome="corrected", explanation="記録を改めました。"),
    )
    sheet = str(desk.ask("sheets", number=2)["sheets"][0]["sheet"])
    assert "交付を登録しました。" in enters(disclosed, "deliver", sheet=sheet, method="post").text
    assert "事案を終了しました。" in enters(disclosed, "close", why_closed="completed").text
    assert desk.state(2) == "closed"


def test_an_unfounded_wish_is_only_answered(disclosed: Visitor) -> None:
    received(disclosed)
    page = enters(disclosed, "investigate", finding="no-error", account="誤りなし")
    assert "市町村長に通報する" not in page.text
    assert 'value="not-corrected"' in page.markup
    assert 'value="corrected"' not in page.markup
    refused = enters(disclosed, "result", outcome="corrected", explanation="改めた")
    assert "「改めた」とする通知はできません。" in refused.text
    paper(disclosed, enters(disclosed, "result", outcome="not-corrected", explanation="誤りなし"))


def test_a_letter_with_a_shape_the_font_lacks_asks_for_a_look_at_it(
    desk: Desk, registrar: Visitor
) -> None:
    wish = desk.correction(desk.disclosed({**HANAKO, "name": OTHER}, shapes_seen=True))
    desk.ask("investigate", number=wish, finding="no-error", account="誤りなし")
    told = {"outcome": "not-corrected", "explanation": "誤りなし"}
    refused = enters(registrar, "result", **told)
    assert "氏名に、書体 IPAmj明朝 にない字形の文字(U+845B U+E0100)があり" in refused.text
    assert "字形を確認しました。標準の字形で発行します" in refused.text
    paper(registrar, enters(registrar, "result", **told, shapes_seen="1"))


def test_where_nothing_is_recorded_the_report_is_a_letter(desk: Desk, registrar: Visitor) -> None:
    desk.disclosed()
    received(registrar, wish="add")
    enters(registrar, "investigate", **ERROR)
    assert "市町村コードを指定してください。" in enters(registrar, "report").text
    paper(registrar, enters(registrar, "report", municipality_code=YATSUSHIRO))
    assert "八代市 (通報書)" in enters(registrar, "case").text


@pytest.mark.parametrize("path", [WISHES, RECEIVE])
def test_whoever_has_no_part_in_correction_is_denied(bench: Bench, path: str) -> None:
    visitor = Visitor.at(bench, "TERM-0003").logs_in(bench, "OP-0003", roles=("security-officer",))
    assert visitor.goes(path).status == 403
