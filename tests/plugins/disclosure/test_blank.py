"""Forms without a resident in them, and the log of inquiries."""

from pathlib import Path

import pytest

from appliance.errors import NotFound
from appliance.items import ITEMS
from tests.plugins.disclosure.desk import Desk, read
from tests.plugins.people import shipped_policy

OFFICE = shipped_policy().office


def words(text: str) -> str:
    return "".join(text.split())


@pytest.fixture
def request_form(desk: Desk, tmp_path: Path) -> str:
    return words(read(desk.ask("forms", form="request")["pdf"], tmp_path))


@pytest.fixture
def correction_form(desk: Desk, tmp_path: Path) -> str:
    return words(read(desk.ask("forms", form="correction")["pdf"], tmp_path))


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("別記第2号様式", id="R74-number"),
        pytest.param("本人確認情報開示請求書", id="R74-title"),
        pytest.param("1件につき10円", id="R78-fee"),
        pytest.param("件数1件", id="R78-count"),
        pytest.param("誰の情報か", id="R74-whose"),
        pytest.param("□男□女", id="R74-sex"),
        pytest.param(
            "□運転免許証□マイナンバーカード□旅券□在留カード□障害者手帳□その他の書類2点",
            id="R74-proofs",
        ),
        pytest.param("受付番号受付日受付者", id="R74-office"),
        pytest.param("熊本県収入証紙をここに貼って", id="R78-stamps"),
        pytest.param("熊本県庁本館3階", id="R79-address"),
        pytest.param(OFFICE.phone, id="R79-phone"),
        pytest.param("□来庁(窓口での交付)□郵送", id="R77-ways"),
        pytest.param("地方公共団体情報システム機構に対しても", id="R196-other-way"),
    ],
)
def test_the_request_form_says(request_form: str, said: str) -> None:
    assert said in request_form


@pytest.mark.requirement("R64")
def test_neither_form_has_a_place_for_a_my_number(request_form: str, correction_form: str) -> None:
    for form in (request_form, correction_form):
        # That the item is wrong may be ticked.
        assert form.replace("□個人番号", "").count("個人番号") == 1
        assert "個人番号は記入しないでください" in form
    assert "□個人番号" not in request_form


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("本人確認情報訂正（追加・削除）申出書", id="R76-title"),
        pytest.param("□住民票コード□個人番号□異動事由□異動年月日", id="R75-items"),
        pytest.param("□運転免許証□マイナンバーカード□旅券□在留カード", id="R76-proofs"),
        pytest.param("受付番号受付日受付者", id="R76-office"),
        pytest.param("□訂正□追加□削除", id="R75-wishes"),
        pytest.param("熊本県庁本館3階", id="R79-address"),
        pytest.param(OFFICE.phone, id="R79-phone"),
    ],
)
def test_the_correction_form_says(correction_form: str, said: str) -> None:
    assert said in correction_form


@pytest.mark.requirement("R80")
def test_the_file_register_names_the_file_its_items_and_whom_it_goes_to(
    desk: Desk, tmp_path: Path
) -> None:
    text = words(read(desk.ask("forms", form="file-register")["pdf"], tmp_path))
    assert "住民基本台帳ネットワークシステム事務" in text
    assert "閲覧場所情報プラザ" in text
    assert all(item.label in text for item in ITEMS)
    used = text[text.index("利用目的") : text.index("記録項目")]
    given = text[text.index("経常的提供先") : text.index("開示請求等を受理する")]
    assert "県税事務所" in used
    assert "教育委員会" not in used
    assert given == "経常的提供先地方公共団体情報システム機構、教育委員会"
    assert "市町村課行政班" not in text
    assert "令和8年4月1日現在" in text


def test_a_form_is_about_nobody_and_its_hash_is_in_the_ledger(desk: Desk) -> None:
    made = desk.ask("forms", form="request")
    entry = desk.bench.ledger()[-1]
    assert (entry.subjects, entry.note) == ((), f"request, {made['sha256']}")
    assert desk.ask("forms", form="request")["pdf"] == made["pdf"]
    assert desk.ask("sheets")["sheets"] == []


@pytest.mark.requirement("R81")
def test_how_an_inquiry_was_answered_is_kept(desk: Desk) -> None:
    asked = {"method": "telephone", "topic": "disclosure", "asked": "手数料はいくらか"}
    first = desk.ask("inquiry", **asked, answered="調べて折り返す", finished=False)["number"]
    desk.ask("inquiry", **{**asked, "topic": "complaint"}, answered="説明した")
    assert [each["number"] for each in desk.ask("inquiries", unfinished=True)["inquiries"]] == [1]
    desk.ask("inquiry", **asked, answered="1件10円と答えた", number=first)
    (seen,) = desk.ask("inquiries", topic="disclosure")["inquiries"]
    assert (seen["answered"], seen["finished"]) == ("1件10円と答えた", True)
    assert (seen["on"], seen["operator"], seen["method"]) == ("2026-04-01", "OP-0001", "telephone")
    assert [each["number"] for each in desk.ask("inquiries")["inquiries"]] == [2, 1]
    assert len(desk.ask("inquiries", limit=1)["inquiries"]) == 1
    assert "手数料はいくらか" not in str([entry.conditions for entry in desk.bench.ledger()])


def test_an_inquiry_that_is_not_there_is_not_carried_on(desk: Desk) -> None:
    asked = {"method": "post", "topic": "other", "asked": "x", "answered": "y"}
    with pytest.raises(NotFound):
        desk.ask("inquiry", **asked, number=3)
