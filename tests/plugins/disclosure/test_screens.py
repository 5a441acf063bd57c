"""開示 as whoever sits at the counter sees it."""

from datetime import timedelta
from hashlib import sha256

import pytest

from appliance.testing import PIN, Bench
from tests.plugins.disclosure.counter import paper
from tests.plugins.disclosure.desk import HANAKO, KNOWN, OTHER, Desk
from tests.plugins.people import admit, change
from tests.screens import Seen, Visitor

CASES, RECEIVE = "/screens/disclosure/cases", "/screens/disclosure/receive"
WRITTEN = {
    "method": "counter",
    "name": "熊本　花子",
    "birth_date": "H2.4.5",
    "sex": "2",
    "address": "熊本県八代市松江城町１番２５号",
    "identity": "passport",
    "stamps_yen": "１０",
}


@pytest.fixture
def registrar(bench: Bench) -> Visitor:
    visitor = Visitor.at(bench, "TERM-0002")
    return visitor.logs_in(bench, "OP-0002", roles=("registrar",), purposes=("disclosure",))


def received(visitor: Visitor, **other: str) -> Seen:
    return visitor.presses(f"{RECEIVE}/enter", **{**WRITTEN, **other})


def opened(visitor: Visitor, number: int) -> Seen:
    return visitor.presses(f"{CASES}/case", number=str(number))


def looked_at(visitor: Visitor, number: int) -> Seen:
    """Look at what would be issued."""
    return visitor.presses(f"{CASES}/preview", number=str(number))


def presses_issue(visitor: Visitor, page: Seen, **ticked: str) -> Seen:
    """Press 発行 below what was looked at."""
    (number,), (digest,) = set(page.hidden("number")), page.hidden("sha256")
    return visitor.presses(f"{CASES}/issue", number=number, sha256=digest, **ticked)


def issued(visitor: Visitor, number: int, **ticked: str) -> Seen:
    """Look, press 発行, and prove who one is where the frame asks for it."""
    page = presses_issue(visitor, looked_at(visitor, number), **ticked)
    if "/go-on/" in page.markup:
        page = visitor.presses(page.action("/go-on/"), how="verify", pin=PIN)
    return paper(visitor, page)


def test_no_case_is_said_and_what_to_do(registrar: Visitor) -> None:
    page = registrar.goes(CASES)
    assert "該当する記録はありません。" in page.text
    assert f'href="{RECEIVE}"' in page.markup


@pytest.mark.requirement("R63")
def test_a_request_is_entered_as_it_was_written(bench: Bench, registrar: Visitor) -> None:
    page = received(registrar)
    assert "受付番号1で受け付けました。" in page.text
    assert "平成2年4月5日 (1990年4月5日)" in page.text
    assert 'class="watermark"' in page.markup
    answered = Desk(bench, bench.clerk("OP-0005", roles=("registrar",), purposes=("disclosure",)))
    case = answered.ask("case", number=1)
    assert {name: case["subject"][name] for name in HANAKO} == HANAKO
    assert (case["stamps_yen"], case["identity"]) == (10, ["passport"])
    listed = registrar.goes(CASES)
    assert "処理中 1件" in listed.text
    assert "令和8年4月30日 (2026年4月30日)" in listed.text
    assert "熊本　花子" not in listed.markup


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "", "氏名を入力してください。"),
        ("sex", "", "性別を選んでください。"),
        ("identity", "", "確認した本人確認書類を選んでください。"),
        ("birth_date", "きのう", "日付を読み取れません"),
        ("standing", "minor", "代理人の氏名を入力してください。"),
    ],
)
def test_what_is_missing_is_told_beside_its_field_and_nothing_is_asked(
    bench: Bench, registrar: Visitor, field: str, typed: str, said: str
) -> None:
    before = len(bench.ledger())
    page = received(registrar, **{field: typed})
    assert said in page.text
    assert 'value="熊本県八代市松江城町１番２５号"' in page.markup
    assert len(bench.ledger()) == before


@pytest.mark.requirement("R66", "R67")
def test_a_request_is_matched_issued_handed_over_and_closed(
    bench: Bench, registrar: Visitor
) -> None:
    admit(bench)
    received(registrar)
    page = registrar.presses(f"{CASES}/match", number="1")
    assert "突合済み(一致)" in page.text
    assert "本人確認情報確認書(別記第3号様式)の内容を確認する" in page.text
    sheet = issued(registrar, 1)
    assert sheet.headers["Content-Disposition"] == 'inline; filename="sheet-1.pdf"'
    assert "印刷済み" in opened(registrar, 1).text
    done = registrar.presses(f"{CASES}/deliver", number="1", sheet="1", method="counter")
    assert "交付を登録しました。" in done.text
    closed = registrar.presses(f"{CASES}/close", number="1", why_closed="completed")
    assert "事案を終了しました。" in closed.text
    assert "完了 令和8年4月1日" in closed.text


def test_an_issue_takes_a_fresh_proof(bench: Bench, registrar: Visitor) -> None:
    admit(bench)
    received(registrar)
    registrar.presses(f"{CASES}/match", number="1")
    bench.now += timedelta(minutes=3)
    page = presses_issue(registrar, looked_at(registrar, 1))
    assert "もう一度認証してください" in page.text
    issued(registrar, 1)
    assert "印刷済み" in opened(registrar, 1).text


@pytest.mark.requirement("R72")
def test_where_nobody_is_recorded_the_notice_of_it_is_issued(registrar: Visitor) -> None:
    received(registrar)
    page = registrar.presses(f"{CASES}/match", number="1")
    assert "不存在通知書の内容を確認する" in page.text
    issued(registrar, 1)
    assert "不存在通知書" in opened(registrar, 1).text


def test_a_mismatch_names_the_item_and_is_put_right(bench: Bench, registrar: Visitor) -> None:
    admit(bench)
    received(registrar, birth_date="H2.4.6")
    page = registrar.presses(f"{CASES}/match", number="1")
    assert "異なる項目: 生年月日" in page.text
    assert "1990年4月5日" not in page.text
    put_right = registrar.presses(
        f"{CASES}/amend", number="1", **{**WRITTEN, "subject_too": "1", "stamps_yen": "10"}
    )
    assert "補正を登録しました。" in put_right.text
    assert "突合済み(一致)" in registrar.presses(f"{CASES}/match", number="1").text


def test_a_refused_step_is_told_on_the_case(bench: Bench, registrar: Visitor) -> None:
    admit(bench)
    received(registrar, stamps_yen="")
    registrar.presses(f"{CASES}/match", number="1")
    page = looked_at(registrar, 1)
    assert "手数料の収入証紙が足りません。" in page.text
    assert 'aria-invalid="true"' in page.markup


def test_what_is_issued_is_looked_at_first(bench: Bench, registrar: Visitor) -> None:
    admit(bench)
    received(registrar)
    registrar.presses(f"{CASES}/match", number="1")
    page = looked_at(registrar, 1)
    assert "本人確認情報確認書(別記第3号様式)の見本(1枚)" in page.text
    assert "字形を確認" not in page.text
    assert 'class="watermark"' in page.markup
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    specimen = paper(registrar, page)
    assert specimen.headers["Content-Disposition"] == 'inline; filename="specimen.pdf"'
    desk = Desk(bench, bench.clerk("OP-0005", roles=("registrar",), purposes=("disclosure",)))
    answered = desk.ask("preview", number=1)
    assert specimen.body == answered["pdf"]
    assert page.hidden("sha256") == [answered["sha256"]]
    assert "帳票番号" not in opened(registrar, 1).text
    sheet = paper(registrar, presses_issue(registrar, page))
    assert sha256(sheet.body).hexdigest() == answered["sha256"]


def test_what_changed_since_it_was_looked_at_is_shown_anew(
    bench: Bench, registrar: Visitor
) -> None:
    who = admit(bench)
    received(registrar)
    registrar.presses(f"{CASES}/match", number="1")
    page = looked_at(registrar, 1)
    change(bench, who, my_number=None)
    assert "突合の後に記録が更新されました。" in presses_issue(registrar, page).text
    registrar.presses(f"{CASES}/match", number="1")
    anew = presses_issue(registrar, page)
    assert "内容が変わりました。" in anew.text
    assert 'href="#f-sha256"' in anew.markup
    assert 'id="f-sha256"' in anew.markup
    assert anew.hidden("sha256") != page.hidden("sha256")
    paper(registrar, presses_issue(registrar, anew))


def test_a_shape_the_font_lacks_is_looked_at_before_it_is_issued(
    bench: Bench, registrar: Visitor
) -> None:
    name = OTHER
    admit(bench, name=name)
    assert "外字未変換" in received(registrar, name=name).text
    registrar.presses(f"{CASES}/match", number="1")
    page = looked_at(registrar, 1)
    assert "字形を確認 次の文字は" in page.text
    assert "氏名: 葛\U000e0100 (U+845B U+E0100)" in page.text
    (digest,) = page.hidden("sha256")
    for ticked in ({}, {"shapes_seen": "0" * 64}):
        refused = presses_issue(registrar, page, **ticked)
        assert "氏名に、書体 IPAmj明朝 にない字形の文字(U+845B U+E0100)があり" in refused.text
        assert 'aria-invalid="true"' in refused.markup
    assert "帳票番号" not in opened(registrar, 1).text
    issued(registrar, 1, shapes_seen=digest)
    sheet = registrar.presses("/screens/disclosure/sheets/sheet", number="1", sheet="1")
    assert "字形の確認確認済み(標準の字形で印字)" in sheet.text.replace(" ", "")


def test_a_letter_with_such_a_shape_asks_for_the_same_look(registrar: Visitor) -> None:
    received(registrar, name=OTHER)
    told = {"number": "1", "until": "R8.5.20", "extension_why": "照会中のため"}
    assert "shapes_seen" not in opened(registrar, 1).markup
    refused = registrar.presses(f"{CASES}/extend", **told)
    assert "字形を確認しました。標準の字形で発行します" in refused.text
    paper(registrar, registrar.presses(f"{CASES}/extend", **told, shapes_seen="1"))


def test_a_name_the_screen_can_draw_has_no_chip(registrar: Visitor) -> None:
    assert "外字未変換" not in received(registrar, name=KNOWN).text


def test_a_disclosure_is_put_off_with_its_notice(registrar: Visitor) -> None:
    received(registrar)
    refused = registrar.presses(
        f"{CASES}/extend", number="1", until="R8.4.2", extension_why="照会中のため"
    )
    assert "期限の延長は、当初の期限までに" in refused.text
    told = {"until": "R8.5.20", "extension_why": "照会中のため"}
    paper(registrar, registrar.presses(f"{CASES}/extend", number="1", **told))
    assert "照会中のため" in opened(registrar, 1).text


def test_a_case_that_is_not_there_leaves_the_list(registrar: Visitor) -> None:
    page = opened(registrar, 99)
    assert 'class="banner wrong summary"' in page.markup
    assert "該当する記録はありません。" in page.text


def test_what_is_late_stands_on_the_menu(bench: Bench, registrar: Visitor) -> None:
    received(registrar, received_on="R8.1.5")
    page = registrar.goes("/screens/menu")
    assert "期限を過ぎた開示・訂正等の事案" in page.text
    assert "日超過" in registrar.presses(f"{CASES}/list", which="overdue").text


@pytest.mark.parametrize("path", [CASES, RECEIVE])
def test_whoever_has_no_part_in_disclosure_is_denied(bench: Bench, path: str) -> None:
    visitor = Visitor.at(bench, "TERM-0003").logs_in(bench, "OP-0003", roles=("security-officer",))
    assert path not in visitor.goes("/screens/menu").markup
    assert visitor.goes(path).status == 403
