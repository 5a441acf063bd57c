"""自己点検 and the other books as the staff of a prefecture see them at a terminal."""

import io
import zipfile
from typing import Any

import pytest

from plugins.compliance.forms import checklists
from plugins.compliance.screens.words import ROLES
from tests.plugins.compliance.staff import (
    ADMIN,
    AUDITOR,
    CLERK,
    CONTRACTOR,
    OFFICER,
    OTHER_CLERK,
    TAX,
    WELFARE,
    Person,
    Staff,
    hired,
    right,
)
from tests.plugins.people import shipped_policy
from tests.screens import Seen, Visitor

SELF_CHECK = "/screens/compliance/self-check"
BOOKS = "/screens/compliance/books"
DUE = "/screens/compliance/due"
OVERVIEW = "/screens/compliance/overview"
PACK = "/screens/compliance/pack"
SHEET = "self-check"


def at(staff: Staff, who: Person) -> Visitor:
    """Let somebody log in at the terminal; what he asks by ``Staff`` ends this session."""
    visitor = Visitor.at(staff.bench)
    granted: dict[str, Any] = {"roles": (who.role,), "purposes": (), "office": who.office}
    return visitor.logs_in(staff.bench, who.operator, **granted)


@pytest.fixture
def sheets(staff: Staff) -> dict[str, int]:
    """A campaign in two offices; return the sheet of each."""
    given = {"fiscal_year": 2026, "due_on": "2026-06-30", "offices": [TAX, WELFARE]}
    opened = staff.ask(ADMIN, "open", book="self-check-campaign", given=given)["opened"]
    numbers = [each["number"] for each in opened]
    return {staff.entry(SHEET, n)["entry"]["office"]: n for n in numbers}


def filled_in(**wrong: str) -> dict[str, str]:
    """Return the checklist as it is filled in: all is right, but ``item_1="what is wrong"``."""
    found = {}
    for check in right(SHEET, **wrong):
        found[f"results-{check['item']}"] = check["answer"]
        found[f"results-{check['item']}-remark"] = check.get("remark", "")
    return found


def takes(visitor: Visitor, number: int, step: str, path: str = SELF_CHECK, **typed: Any) -> Seen:
    form = visitor.presses(f"{path}/form", book=SHEET, number=str(number), step=step)
    assert form.status == 200
    return visitor.presses(
        f"{path}/take",
        book=SHEET,
        number=str(number),
        step=step,
        _key=form.hidden("_key")[-1],
        **typed,
    )


def test_the_roles_are_called_as_the_policy_calls_them() -> None:
    labels = {name: rule.label for name, rule in shipped_policy().roles.items() if name in ROLES}
    assert dict(ROLES) == labels


def test_without_a_sheet_it_is_said_what_to_do(staff: Staff) -> None:
    page = at(staff, CLERK).goes(SELF_CHECK)
    assert "該当する記録はありません。" in page.text
    assert "システム管理者が自己点検を依頼すると" in page.text
    assert f"{SELF_CHECK}/new" not in page.markup
    assert "各所属に点検を依頼してください。" in at(staff, ADMIN).goes(SELF_CHECK).text


@pytest.mark.requirement("R174", "R177")
def test_the_administrator_asks_every_office_and_sees_how_far_each_is(staff: Staff) -> None:
    admin = at(staff, ADMIN)
    form = admin.presses(f"{SELF_CHECK}/new", book="self-check-campaign")
    assert "選ばない場合は、全ての所属を対象とします。" in form.text
    assert f'value="{WELFARE}"' in form.markup
    page = admin.presses(
        f"{SELF_CHECK}/open", book="self-check-campaign", fiscal_year="２０２６", due_on="R8.6.30"
    )
    assert "自己点検簿を4件登録しました。" in page.text
    listed = admin.goes(SELF_CHECK)
    assert "2026年度に依頼した点検簿 4件: 依頼済み 4件" in listed.text
    assert "令和8年6月30日 (2026年6月30日)" in listed.text
    told = staff.ask(ADMIN, "entries", book=SHEET)["entries"]
    assert listed.hidden("number") == [str(line["number"]) for line in told]


@pytest.mark.requirement("R174")
def test_what_is_missing_of_a_campaign_is_told_beside_its_field(staff: Staff) -> None:
    admin = at(staff, ADMIN)
    page = admin.presses(
        f"{SELF_CHECK}/open", book="self-check-campaign", fiscal_year="2026", offices=TAX
    )
    assert "期限を記入してください。" in page.text
    assert 'href="#f-due_on"' in page.markup
    assert f'value="{TAX}" checked' in page.markup
    assert staff.ask(ADMIN, "entries", book=SHEET)["entries"] == ()


@pytest.mark.requirement("R175", "R176", "R177")
def test_a_sheet_is_answered_signed_and_accepted_at_three_terminals(
    staff: Staff, sheets: dict[str, int]
) -> None:
    number = sheets[TAX]
    form = at(staff, CLERK).presses(
        f"{SELF_CHECK}/form", book=SHEET, number=str(number), step="answer"
    )
    assert all(text in form.text for text in checklists()[SHEET].values())
    page = takes(at(staff, CLERK), number, "answer", **filled_in(item_4_1="保管庫の鍵を発注済み"))
    assert "「記入」を登録しました。現在の状態は「記入済み」です。" in page.text
    assert "適 13、不適 1、該当なし 0" in page.text
    assert "責任者の確認: セキュリティ責任者(所属)" in page.text
    takes(at(staff, OFFICER), number, "confirm")
    page = takes(at(staff, ADMIN), number, "accept", remark="受領")
    assert "全ての手続が終了しています。" in page.text
    assert "令和14年3月31日 (2032年3月31日)" in page.text
    entry = staff.entry(SHEET, number)
    assert entry["fields"]["results"] == right(SHEET, item_4_1="保管庫の鍵を発注済み")
    assert [taken["person"] for taken in entry["steps"][1:]] == [CLERK.id, OFFICER.id, ADMIN.id]


@pytest.mark.requirement("R175")
def test_an_item_left_out_and_one_that_is_not_right_without_a_remark_are_told_beside_them(
    staff: Staff, sheets: dict[str, int]
) -> None:
    typed = {**filled_in(item_2_1="x"), "results-2-1-remark": "", "results-5-1": ""}
    page = takes(at(staff, CLERK), sheets[TAX], "answer", **typed)
    assert "5-1 に回答してください。" in page.text
    assert "2-1 を「不適」とする内容と対応を備考に記入してください。" in page.text
    assert 'href="#f-results-5-1"' in page.markup
    assert 'id="f-results-2-1-remark"' in page.markup
    # What was answered stays.
    assert 'name="results-2-1" value="no" checked' in page.markup
    assert staff.entry(SHEET, sheets[TAX])["entry"]["state"] == "asked"


@pytest.mark.requirement("R176")
def test_a_sheet_sent_back_is_answered_again_from_what_was_answered(
    staff: Staff, sheets: dict[str, int]
) -> None:
    number = sheets[TAX]
    results = right(SHEET, item_4_1="鍵を発注済み")
    staff.step(CLERK, SHEET, number, "answer", results=results)
    page = takes(at(staff, OFFICER), number, "send-back", why="2-3を確認のこと")
    assert "現在の状態は「差戻し」です。" in page.text
    form = at(staff, CLERK).presses(
        f"{SELF_CHECK}/form", book=SHEET, number=str(number), step="answer"
    )
    assert 'name="results-4-1" value="no" checked' in form.markup
    assert 'value="鍵を発注済み"' in form.markup


@pytest.mark.requirement("R176")
def test_who_answered_is_not_offered_to_sign_and_is_refused_if_he_tries(
    staff: Staff, sheets: dict[str, int]
) -> None:
    number = sheets[TAX]
    staff.step(CLERK, SHEET, number, "answer", results=right(SHEET))
    clerk = at(staff, CLERK)
    page = clerk.presses(f"{SELF_CHECK}/entry", book=SHEET, number=str(number))
    assert "あなたが行う手続はありません。" in page.text
    refused = takes(clerk, number, "confirm")
    assert "あなたの役割では、この手続はできません。" in refused.text
    assert staff.entry(SHEET, number)["entry"]["state"] == "answered"


def test_two_who_press_at_once_do_it_once_and_the_second_is_told(
    staff: Staff, sheets: dict[str, int]
) -> None:
    clerk = at(staff, CLERK)
    asked = {"book": SHEET, "number": str(sheets[TAX]), "step": "answer"}
    form = clerk.presses(f"{SELF_CHECK}/form", **asked)
    staff.step(OTHER_CLERK._replace(office=TAX), SHEET, sheets[TAX], "answer", results=right(SHEET))
    typed = {**asked, **filled_in(), "_key": form.hidden("_key")[-1]}
    page = clerk.presses(f"{SELF_CHECK}/take", **typed)
    assert "現在の状態(記入済み)では、この手続はできません。" in page.text
    assert 'id="f-step"' in page.markup


@pytest.mark.requirement("R176")
def test_an_office_sees_its_own_sheet_alone(staff: Staff, sheets: dict[str, int]) -> None:
    page = at(staff, CLERK).goes(SELF_CHECK)
    assert page.hidden("number") == [str(sheets[TAX])]
    assert WELFARE not in page.text
    other = at(staff, CLERK).presses(f"{SELF_CHECK}/entry", book=SHEET, number=str(sheets[WELFARE]))
    assert "現在の状態" not in other.text
    assert 'class="banner wrong summary"' in other.markup


@pytest.mark.requirement("R177")
def test_the_sheets_of_a_past_year_are_found_and_printed(
    staff: Staff, sheets: dict[str, int]
) -> None:
    staff.step(CLERK, SHEET, sheets[TAX], "answer", results=right(SHEET))
    staff.today("2027-05-10")
    given = {"fiscal_year": 2027, "due_on": "2027-06-30"}
    staff.ask(ADMIN, "open", book="self-check-campaign", given=given)
    admin = at(staff, ADMIN)
    assert "2027年度に依頼した点検簿 4件" in admin.goes(SELF_CHECK).text
    page = admin.presses(f"{SELF_CHECK}/list", year="2026", state="answered")
    assert "2026年度に依頼した点検簿 2件" in page.text
    assert "2026年度の自己点検簿 1件" in page.text
    assert page.hidden("number") == [str(sheets[TAX])]
    none = admin.presses(f"{SELF_CHECK}/list", year="2026", state="accepted")
    assert "状態を「すべて」にして表示してください。" in none.text
    paper = admin.presses(f"{SELF_CHECK}/paper", book=SHEET, number=str(sheets[TAX]))
    assert '<body class="prints"' in paper.markup
    assert "手続と担当者" in paper.text
    assert CLERK.id in paper.text
    assert checklists()[SHEET]["4-2"] in paper.text


@pytest.mark.requirement("R175")
def test_a_sheet_not_yet_answered_is_printed_to_be_filled_in_by_hand(
    staff: Staff, sheets: dict[str, int]
) -> None:
    paper = at(staff, CLERK).presses(f"{SELF_CHECK}/paper", book=SHEET, number=str(sheets[TAX]))
    assert "点検結果 (未記入)" in paper.text
    assert paper.text.count("適・不適・該当なし") == len(checklists()[SHEET])


@pytest.mark.parametrize("path", [SELF_CHECK, BOOKS, DUE, OVERVIEW, PACK])
def test_a_contractor_has_none_of_the_screens(staff: Staff, path: str) -> None:
    visitor = at(staff, CONTRACTOR)
    assert path not in visitor.goes("/screens/menu").markup
    assert visitor.goes(path).status == 403


@pytest.mark.parametrize("path", [OVERVIEW, PACK])
def test_a_clerk_oversees_nobody(staff: Staff, path: str) -> None:
    visitor = at(staff, CLERK)
    assert path not in visitor.goes("/screens/menu").markup
    assert visitor.goes(path).status == 403


def test_the_menu_says_what_is_late(staff: Staff, sheets: dict[str, int]) -> None:
    clerk = at(staff, CLERK)
    assert "確認事項はありません。" in clerk.goes("/screens/menu").text
    staff.today("2026-06-28")
    assert "1件 7日以内に期限となる手続" in at(staff, CLERK).goes("/screens/menu").text
    staff.today("2026-07-02")
    assert "1件 期限を過ぎた手続" in at(staff, CLERK).goes("/screens/menu").text


def test_what_is_due_is_listed_with_whose_turn_it_is(staff: Staff, sheets: dict[str, int]) -> None:
    auditor = at(staff, AUDITOR)
    staff.today("2026-07-02")
    auditor = at(staff, AUDITOR)
    page = auditor.goes(DUE)
    assert "期限を過ぎた手続 2件" in page.text
    assert "2日超過" in page.text
    assert "本人確認情報利用担当者" in page.text
    told = staff.ask(AUDITOR, "due", within=30)["due"]
    assert page.hidden("number") == [str(each["number"]) for each in told]
    staff.today("2026-04-02")
    none = at(staff, AUDITOR).presses(f"{DUE}/list", within="7")
    assert "期限を過ぎた手続も、7日以内に期限となる手続もありません。" in none.text


@pytest.mark.requirement("R168")
def test_an_incident_is_written_counted_and_followed_on_the_screen(staff: Staff) -> None:
    clerk = at(staff, CLERK)
    page = clerk.presses(
        f"{BOOKS}/open",
        book="incident",
        discovered_on="R8.4.1",
        what="窓口で紙を渡し間違えた",
        place="県税事務所",
    )
    assert "事故簿の登録番号1で登録しました。" in page.text
    assert "対象者数の集計" not in page.text
    admin = at(staff, ADMIN)
    entry = admin.presses(f"{BOOKS}/entry", book="incident", number="1")
    assert "対象者数の集計" in entry.text
    day = staff.day()
    counted = admin.presses(
        f"{BOOKS}/count", book="incident", number="1", since=day, until=day, office=TAX
    )
    assert "対象者は0人です。" in counted.text
    assert "操作履歴による対象者数" in counted.text
    wrong = admin.presses(f"{BOOKS}/count", book="incident", number="1", since="きのう")
    assert "日付を読み取れません。" in wrong.text
    assert "期間の終わりを入力してください。" in wrong.text
    assert "対象者数の集計" in wrong.text
    fields = {"cause": "mistake", "affected": "1", "my_number": "no", "reporting": "not-required"}
    asked = {"book": "incident", "number": "1", "step": "classify"}
    done = admin.presses(f"{BOOKS}/take", **asked, **fields, remark="一人分")
    assert "現在の状態は「区分済み」です。" in done.text
    told = staff.entry("incident", 1)["fields"]
    assert (told["affected"], told["my_number"], told["counted"]) == (1, False, 0)


def test_the_books_offer_to_open_what_whoever_asks_may_open(staff: Staff) -> None:
    page = at(staff, CLERK).goes(BOOKS)
    assert "事故の登録" in page.text
    assert "委託先の登録" not in page.text
    assert "委託先の登録" in at(staff, ADMIN).goes(BOOKS).text
    every = staff.ask(CLERK, "books")["books"]
    assert page.hidden("book").count("incident") == 2
    assert {each["name"] for each in every} == set(page.hidden("book"))
    assert {each["name"] for each in every if each["yours"]} == {"incident", "acknowledgement"}


def test_a_long_book_is_shown_a_hundred_entries_at_a_time(staff: Staff) -> None:
    for which in range(101):
        staff.open(CLERK, "incident", discovered_on="2026-04-01", what=f"訓練{which}", place="窓口")
    admin = at(staff, ADMIN)
    first = admin.presses(f"{BOOKS}/list", book="incident")
    assert "事故簿の記録 100件" in first.text
    (after,) = first.hidden("after")
    rest = admin.presses(f"{BOOKS}/list", book="incident", state="unfinished", after=after)
    assert "事故簿の記録 1件" in rest.text
    assert "最初から表示" in rest.text
    none = admin.presses(f"{BOOKS}/list", book="incident", state="closed")
    assert "該当する記録はありません。" in none.text


def test_a_book_that_does_not_exist_is_refused_on_the_page(staff: Staff) -> None:
    page = at(staff, ADMIN).presses(f"{BOOKS}/list", book="nothing")
    assert "一覧から選び直してください。" in page.text
    assert "簿冊の一覧" in page.text


def test_every_form_of_every_book_is_shown_and_holds_what_was_typed(staff: Staff) -> None:
    books = staff.ask(ADMIN, "books")["books"]
    admin, auditor = at(staff, ADMIN), at(staff, AUDITOR)
    for book in books:
        page = (admin if book["yours"] else auditor).presses(f"{BOOKS}/new", book=book["name"])
        assert page.status == 200
        for blank in book["steps"][0]["fields"]:
            assert blank["title"] in page.text
    text = "保守太郎 主任\n保守花子"
    kept = admin.presses(f"{BOOKS}/open", book="contractor", company="八代計算", workers=text)
    assert text in kept.markup
    assert ">八代計算</textarea>" in kept.markup


@pytest.mark.requirement("R178", "R183", "R184")
def test_who_is_missing_is_shown_as_the_operations_answer(staff: Staff) -> None:
    hired(staff)
    page = at(staff, AUDITOR).goes(OVERVIEW)
    told = staff.ask(AUDITOR, "coverage")
    assert f"監査も計画もない所属: {len(told['missing'])}所属" in page.text
    lacking = staff.ask(AUDITOR, "lacking")
    assert f"済んでいない者は{len(lacking['lacking'])}人です。" in page.text
    assert "1年以内の研修がない委託先" in page.text
    officer = at(staff, OFFICER).goes(OVERVIEW)
    assert "内部監査の実施状況" not in officer.text
    assert CLERK.id in officer.text
    assert OTHER_CLERK.id not in officer.text


@pytest.mark.requirement("R182")
def test_the_evidence_for_an_audit_from_outside_is_saved_as_a_file(staff: Staff) -> None:
    auditor = at(staff, AUDITOR)
    assert "期間の始まりを入力してください。" in auditor.presses(f"{PACK}/make").text
    saved = auditor.presses(f"{PACK}/make", since="R8.4.1", until="R8.4.30", offices=TAX)
    assert saved.headers["Content-Disposition"] == 'attachment; filename="audit-pack.zip"'
    with zipfile.ZipFile(io.BytesIO(saved.body)) as archive:
        assert "manifest.json" in archive.namelist()
        assert TAX in archive.read("people.csv").decode("utf-8")
        assert WELFARE not in archive.read("people.csv").decode("utf-8")
