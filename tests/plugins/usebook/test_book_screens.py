"""使用簿 at a terminal: a clerk writes in his office's book, an auditor reads it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.usebook import screens_book
from tests.plugins.usebook.office import HEADING, MONTH, OFFICE, TaxOffice, line, open_office
from tests.screens import Seen, Visitor

pytestmark = pytest.mark.requirement("R136")
BOOK = "/screens/usebook/book"
ONE = {
    "month": MONTH,
    "day": "R8.4.1",
    "begins": "９:05",
    "operator": "OP-0001",
    "case": "R8-1",
    "use": "prefectural-tax/01",
    "count": "1",
    "note": "窓口",
}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[TaxOffice]:
    with open_office(tmp_path) as office:
        yield office


@pytest.fixture
def clerk(office: TaxOffice) -> Visitor:
    return sits(office, "OP-0100", "clerk")


def sits(office: TaxOffice, operator: str, role: str, place: str = OFFICE) -> Visitor:
    visitor = Visitor.at(office.bench, f"TERM-{operator}")
    purposes = ("prefectural-tax",) if role == "clerk" else ()
    return visitor.logs_in(office.bench, operator, roles=(role,), purposes=purposes, office=place)


def imports(visitor: Visitor, *lines: str) -> Seen:
    content = "\r\n".join([HEADING, *lines, ""])
    body = (
        f'--b\r\nContent-Disposition: form-data; name="month"\r\n\r\n{MONTH}\r\n--b\r\n'
        'Content-Disposition: form-data; name="file"; filename="book.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\n{content}\r\n--b--\r\n"
    )
    kind = "multipart/form-data; boundary=b"
    path = f"{BOOK}/import"
    return visitor.follows(visitor.asks("POST", path, body.encode(), content_type=kind))


def written(office: TaxOffice) -> list[dict[str, object]]:
    return list(office.clerk.ask("usebook/lines", {"month": MONTH}).data["lines"])


def test_an_empty_month_says_what_to_do(clerk: Visitor) -> None:
    page = clerk.goes(BOOK)
    assert page.status == 200
    assert "県税事務所の使用簿 令和8年4月 (2026年4月)" in page.text
    assert "下の欄に記入するか、CSVファイルを取り込んでください。" in page.text
    assert "県税の賦課徴収に関する事務: 納税義務者の住所の確認" in page.text


def test_a_line_is_written_and_the_form_is_empty_again(office: TaxOffice, clerk: Visitor) -> None:
    page = clerk.presses(f"{BOOK}/enter", **ONE)
    assert "令和8年4月 (2026年4月)の使用簿に、行番号1で記入しました。" in page.text
    (one,) = written(office)
    assert (one["day"], one["begins"], one["note"]) == ("2026-04-01", "09:05", "窓口")
    assert "令和8年4月1日 (2026年4月1日)" in page.text
    assert "県税の賦課徴収に関する事務01 納税義務者の住所の確認" in page.text
    assert 'name="case" type="text" class="short" value=""' in page.markup


@pytest.mark.parametrize(
    ("typed", "field", "told"),
    [
        ({"begins": "25:00"}, "begins", "0:00から23:59までの時刻を入力してください。"),
        ({"use": ""}, "use", "事務と利用事由を一覧から選んでください。"),
        ({"count": ""}, "count", "件数を入力してください。"),
        ({"ends": "9:00"}, "ends", "開始時刻より後の時刻を書いてください。"),
        ({"day": "R8.4.30"}, "day", "まだ来ていない日です。"),
        ({"use": "prefectural-tax/99"}, "use", "この利用事由のコードはありません。"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_the_rest_stays(
    office: TaxOffice, clerk: Visitor, typed: dict[str, str], field: str, told: str
) -> None:
    page = clerk.presses(f"{BOOK}/enter", **{**ONE, **typed})
    assert told in page.text
    assert f'<a href="#f-{field}">' in page.markup
    assert f'id="e-{field}"' in page.markup
    assert 'value="窓口"' in page.markup
    assert written(office) == []


def test_a_file_is_taken_in_whole(office: TaxOffice, clerk: Visitor) -> None:
    page = imports(clerk, line("9:05", "R8-1"), line("9:30", "R8-2"))
    assert "2行を記入しました。令和8年4月 (2026年4月) 2行" in page.text
    assert [each["case"] for each in written(office)] == ["R8-1", "R8-2"]


def test_a_long_book_is_shown_page_after_page_the_newest_first(
    clerk: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens_book, "PAGE", 2)
    page = imports(clerk, *(line("9:05", f"R8-{each}") for each in (1, 2, 3)))
    assert re.findall("<td>(R8-[0-9])</td>", page.markup) == ["R8-3", "R8-2"]
    assert "全3行" in page.text
    (before,) = page.hidden("before")
    more = clerk.presses(f"{BOOK}/month", month=MONTH, before=before)
    assert re.findall("<td>(R8-[0-9])</td>", more.markup) == ["R8-1"]
    assert not more.hidden("before")


def test_the_bad_lines_of_a_file_are_told_by_line_and_column(
    office: TaxOffice, clerk: Visitor
) -> None:
    page = imports(clerk, line("9:05"), line("99:99", "R8-2"), line("9:30", purpose="nothing"))
    assert "3行目「開始時刻」: 「9:05」の形で" in page.text
    assert "4行目「事務」: この事務のコードはありません。" in page.text
    assert page.markup.count('<a href="#f-file">') == 2
    assert written(office) == []


def test_no_file_is_told_beside_its_field(clerk: Visitor) -> None:
    page = clerk.presses(f"{BOOK}/import", month=MONTH)
    assert "CSVファイルを入力してください。" in page.text
    assert 'id="e-file"' in page.markup


def test_a_line_is_corrected_and_what_stood_there_stays_readable(
    office: TaxOffice, clerk: Visitor
) -> None:
    clerk.presses(f"{BOOK}/enter", **ONE)
    page = clerk.presses(f"{BOOK}/line", month=MONTH, number="1", office=OFFICE)
    assert 'value="09:05"' in page.markup
    wrong = clerk.presses(f"{BOOK}/correct", **{**ONE, "number": "1", "count": "3"})
    assert "訂正の理由を入力してください。" in wrong.text
    assert 'name="count" type="text" class="short" value="3"' in wrong.markup
    done = clerk.presses(
        f"{BOOK}/correct", **{**ONE, "number": "1", "count": "3", "why": "数え間違い"}
    )
    assert "行番号1を訂正しました。" in done.text
    assert "訂正の理由数え間違い" in done.text
    assert re.search("訂正前の記載.*件数1件", done.text)
    assert written(office)[0]["count"] == 3


def test_a_line_is_struck_out_with_a_reason_and_takes_no_more(
    office: TaxOffice, clerk: Visitor
) -> None:
    clerk.presses(f"{BOOK}/enter", **ONE)
    wrong = clerk.presses(f"{BOOK}/strike", month=MONTH, number="1", strike_why="")
    assert "抹消の理由を入力してください。" in wrong.text
    done = clerk.presses(f"{BOOK}/strike", month=MONTH, number="1", strike_why="二重の記入")
    assert "行番号1を抹消しました。" in done.text
    assert "訂正する" not in done.text
    assert written(office)[0]["struck"] is True


def test_a_closed_month_is_read_only(office: TaxOffice, clerk: Visitor) -> None:
    clerk.presses(f"{BOOK}/enter", **ONE)
    officer = office.next_month()
    office.matches()
    for each in office.leftovers():
        # Whoever wrote the line may not mark it; the officer did not.
        officer.ask("usebook/mark", {"month": MONTH, "finding": each["id"], "reason": "確認済み"})
    officer.ask("usebook/sign-off", {"month": MONTH})
    page = sits(office, "OP-0101", "clerk").presses(f"{BOOK}/month", month=MONTH)
    assert "この月は締め済みで、記入できません。" in page.text
    assert "1行を記入する" not in page.text


def test_an_auditor_reads_any_book_and_an_officer_his_own(
    office: TaxOffice, clerk: Visitor
) -> None:
    clerk.presses(f"{BOOK}/enter", **ONE)
    auditor = sits(office, "AUDIT-2", "auditor", "監査室")
    page = auditor.presses(f"{BOOK}/month", month=MONTH, office=OFFICE)
    assert "県税事務所の使用簿" in page.text
    assert "R8-1" in page.text
    assert "1行を記入する" not in page.text
    officer = sits(office, "SEC-9", "security-officer", "パスポートセンター")
    refused = officer.presses(f"{BOOK}/month", month=MONTH, office=OFFICE)
    assert 'class="banner wrong summary"' in refused.markup
    assert "R8-1" not in refused.text


def test_whoever_keeps_no_book_has_no_such_screen(office: TaxOffice) -> None:
    visitor = sits(office, "SYS-1", "statistician", "監査室")
    assert visitor.goes(BOOK).status == 403


def test_nothing_on_the_pages_is_styled_or_scripted_inline(clerk: Visitor) -> None:
    for page in (
        clerk.presses(f"{BOOK}/enter", **ONE),
        clerk.presses(f"{BOOK}/line", month=MONTH, number="1"),
    ):
        assert not re.search(r"<style|<script(?! src)| style=| on[a-z]+=", page.markup)
        ids = re.findall(r' id="([^"]+)"', page.markup)
        assert len(ids) == len(set(ids))
