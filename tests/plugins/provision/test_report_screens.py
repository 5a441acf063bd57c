"""提供状況 of a year and of a person, as those see it who publish and who tell it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.provision.screens import yearly
from tests.plugins.people import admit, code, number
from tests.plugins.provision.desks import TAX, Desks, by_number, inquiry
from tests.screens import Seen, Visitor

YEARLY, REPORT = "/screens/provision/yearly", "/screens/provision/report"
FOR_HIM = {"ground": "register-administration/02", "case": "R8-2"}


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Desks]:
    with Desks.open(tmp_path) as desks:
        yield desks


@pytest.fixture
def registrar(desks: Desks) -> Visitor:
    purposes = ("register-administration",)
    visitor = Visitor.at(desks.bench)
    return visitor.logs_in(desks.bench, roles=("registrar",), purposes=purposes)


@pytest.fixture
def provided(desks: Desks) -> Desks:
    """One resident: inquired about with and without 個人番号, and in a file; and one nobody has."""
    admit(desks.bench, 1)
    clerk = desks.bench.clerk("OP-0003", roles=("clerk",), purposes=("prefectural-tax",))
    for which, item in ((1, "address"), (1, "my_number"), (7, "address")):
        asked = {"by": {"my_number": number(which)}, "items": [item]}
        clerk.ask("provision/inquire", asked, case_number="R8-1", **TAX)
    job = desks.submit(inquiry([by_number(1), by_number(7)]))["job"]
    desks.work()
    desks.approve(job)
    desks.fetch(job)
    return desks


def cells(page: Seen) -> str:
    """Return what is read, cells apart."""
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page.markup))


def test_a_year_without_provisions_says_so(registrar: Visitor) -> None:
    page = registrar.goes(YEARLY)
    assert "令和8年度 (2026年度)の提供の記録はありません。" in page.text
    assert "公表用の表を作成する" not in page.text


@pytest.mark.requirement("R62")
def test_what_was_provided_is_shown_by_recipient_and_by_month_as_it_was_answered(
    provided: Desks, registrar: Visitor
) -> None:
    page = registrar.goes(YEARLY)
    told = cells(page)
    label = "県税の賦課徴収に関する事務"
    assert re.search(rf"県税事務所 {label} [^ ]+ 移転 5 3 ", told)
    assert "合計 5 3 " in told
    month = "令和8年4月 (2026年4月) 県税事務所"
    assert f"{month} {label} 移転 電磁的記録媒体(一括提供) 2 1 " in told
    assert f"{month} {label} 移転 電気通信回線(即時提供) 3 2 " in told
    entry = provided.bench.ledger()[-1]
    assert entry.operation == "provision/yearly"


def test_another_year_is_chosen_from_the_list_alone(provided: Desks, registrar: Visitor) -> None:
    before = registrar.presses(f"{YEARLY}/choose", fiscal_year="2025")
    assert "令和7年度 (2025年度)の提供の記録はありません。" in before.text
    wrong = registrar.presses(f"{YEARLY}/choose", fiscal_year="1999")
    assert "年度を一覧から選んでください。" in wrong.text


@pytest.mark.parametrize(("year", "said"), [(2026, "令和8年度"), (2018, "平成30年度")])
def test_a_fiscal_year_is_said_in_both_calendars(year: int, said: str) -> None:
    assert yearly.year_in_words(year) == f"{said} ({year}年度)"


def test_the_table_to_publish_is_a_paper(provided: Desks, registrar: Visitor) -> None:
    page = registrar.presses(f"{YEARLY}/print", fiscal_year="2026")
    (source,) = re.findall(r'<iframe[^>]* src="([^"]+)"', page.markup)
    paper = registrar.asks("GET", source)
    assert paper.headers["Content-Type"] == "application/pdf"
    assert paper.headers["Content-Disposition"] == 'inline; filename="provisions-2026.pdf"'
    assert paper.body.startswith(b"%PDF")


@pytest.mark.requirement("R52", "R53", "R54")
def test_a_person_is_told_what_was_provided_to_whom_and_when(
    provided: Desks, registrar: Visitor
) -> None:
    page = registrar.presses(f"{REPORT}/list", resident_code=code(1), **FOR_HIM)
    told = cells(page)
    assert "提供の記録 3件" in told
    assert told.count("令和8年4月1日 (2026年4月1日)") == 3
    assert told.count("含む") == 1
    assert "一括提供 移転 県税事務所" in told
    assert "漢字氏名、住所" in told
    assert "媒体出力 2026-04-01" in told
    assert "使用簿番号 R8-1" in told
    assert 'class="watermark"' in page.markup
    assert number(1) not in page.markup
    entry = provided.bench.ledger()[-1]
    assert (entry.operation, entry.reason, entry.case_number) == ("provision/report", "02", "R8-2")


def test_a_period_narrows_it_and_nothing_in_it_is_said(provided: Desks, registrar: Visitor) -> None:
    page = registrar.presses(
        f"{REPORT}/list", resident_code=code(1), since="R8.4.2", until="R8.5.1", **FOR_HIM
    )
    assert "該当する提供の記録はありません。" in page.text
    assert "令和8年4月2日 (2026年4月2日)から令和8年5月1日" in page.text


def test_a_long_report_goes_on(
    provided: Desks, registrar: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.provision.report.MOST", 2)
    page = registrar.presses(f"{REPORT}/list", resident_code=code(1), **FOR_HIM)
    assert "提供の記録 2件" in page.text
    names = ("ground", "case", "resident_code", "before")
    carried = {name: page.hidden(name)[0] for name in names}
    rest = registrar.presses(page.action("/list"), **carried)
    assert "提供の記録 1件" in rest.text
    assert not rest.hidden("before")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "住民票コードを入力してください。"),
        ({"resident_code": "1" * 11}, "検査数字が合いません"),
        ({"resident_code": code(9)}, "この住民票コードの者はいません。"),
        ({"resident_code": code(1), "since": "R8.5.1", "until": "R8.4.1"}, "期間の始まりが終わり"),
    ],
)
def test_what_cannot_be_told_is_said_at_the_form(
    provided: Desks, registrar: Visitor, typed: dict[str, str], said: str
) -> None:
    page = registrar.presses(f"{REPORT}/list", **typed, **FOR_HIM)
    assert 'class="banner wrong summary"' in page.markup
    assert said in page.text
    assert "提供の記録" not in cells(page)


@pytest.mark.parametrize("path", [YEARLY, REPORT])
def test_a_clerk_is_told_neither(desks: Desks, path: str) -> None:
    clerk = Visitor.at(desks.bench, "TERM-0004")
    clerk.logs_in(desks.bench, "OP-0004", roles=("clerk",), purposes=("prefectural-tax",))
    assert path not in clerk.goes("/screens/menu").markup
    assert clerk.goes(path).status == 403


def test_an_auditor_sees_the_year_and_nobody(desks: Desks) -> None:
    auditor = Visitor.at(desks.bench, "TERM-0005")
    auditor.logs_in(desks.bench, "OP-0005", roles=("auditor",), purposes=(), office="監査室")
    assert auditor.goes(YEARLY).status == 200
    assert auditor.goes(REPORT).status == 403
