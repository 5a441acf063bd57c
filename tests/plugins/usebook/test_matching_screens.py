"""使用簿突合 at a terminal: match, give reasons, close the month, print, open again."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.usebook import screens_matching
from tests.plugins.usebook.office import MONTH, OFFICE, TaxOffice, line, open_office
from tests.screens import Seen, Visitor

pytestmark = pytest.mark.requirement("R136", "R137")
MATCHING = "/screens/usebook/matching"
WHY = "記入漏れ。本人に確認した。"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[TaxOffice]:
    """April: a use nobody wrote down, a line without a use, and one that differs; now it is May."""
    with open_office(tmp_path) as office:
        office.at(9, 5)
        office.inquires(1, "R8-1")
        office.at(10, 0)
        office.inquires(2, "R8-2")
        office.writes(line("10:00", "R8-2", 2), line("15:00", "R8-3"))
        office.next_month()
        yield office


@pytest.fixture
def officer(office: TaxOffice) -> Visitor:
    return sits(office, "SEC-2", "security-officer")


def sits(office: TaxOffice, operator: str, role: str, place: str = OFFICE) -> Visitor:
    visitor = Visitor.at(office.bench, f"TERM-{operator}")
    return visitor.logs_in(office.bench, operator, roles=(role,), purposes=(), office=place)


def findings(page: Seen) -> list[str]:
    return page.hidden("finding")


def closes(officer: Visitor) -> Seen:
    """Match, give every reason, and close April."""
    page = officer.presses(f"{MATCHING}/match", month=MONTH, tolerance="15")
    for each in findings(page):
        officer.presses(f"{MATCHING}/mark", month=MONTH, finding=each, reason=WHY)
    return officer.presses(f"{MATCHING}/sign-off", month=MONTH, confirmed="1")


def test_a_month_that_was_not_matched_says_what_to_do(officer: Visitor) -> None:
    page = officer.goes(MATCHING)
    assert "突合していません" in page.text
    page = officer.presses(f"{MATCHING}/month", month=MONTH)
    assert "まだ突合していません。" in page.text
    assert "使用簿と操作履歴を突合してください。" in page.text
    nothing = officer.presses(f"{MATCHING}/month", month="2026-01")
    assert "まだ突合していません。" in nothing.text


def test_what_does_not_come_out_is_shown_as_the_operation_answers_it(
    office: TaxOffice, officer: Visitor
) -> None:
    page = officer.presses(f"{MATCHING}/match", month=MONTH, tolerance="15")
    assert "使用簿と操作履歴を突合しました。" in page.text
    told = office.leftovers()
    assert sorted(findings(page)) == sorted(each["id"] for each in told)
    for each in told:
        assert each["text"] in page.text
    for heading in ("使用簿に記入なし 1件", "操作履歴に記録なし 1件", "記載の相違 1件"):
        assert heading in page.text
    assert page.text.count("未記録") == 4
    assert "理由が未記録の不一致3件に、理由を記録してください。" in page.text
    assert "締めた月には" not in page.text


def test_a_finding_shows_its_lines_and_takes_a_reason(office: TaxOffice, officer: Visitor) -> None:
    page = officer.presses(f"{MATCHING}/match", month=MONTH, tolerance="15")
    differing = next(each for each in findings(page) if each.count("-") == 3)
    shown = officer.presses(f"{MATCHING}/finding", month=MONTH, finding=differing)
    assert "違うところ件数" in shown.text
    assert "使用簿の行" in shown.text
    assert "県税の賦課徴収に関する事務" in shown.text
    empty = officer.presses(f"{MATCHING}/mark", month=MONTH, finding=differing, reason="")
    assert "理由を入力してください。" in empty.text
    assert 'id="e-reason"' in empty.markup
    done = officer.presses(f"{MATCHING}/mark", month=MONTH, finding=differing, reason=WHY)
    assert "残り2件です。" in done.text
    (marked,) = [
        each
        for each in office.officer.ask("usebook/leftovers", {"month": MONTH}).data["leftovers"]
        if each["mark"]
    ]
    assert (marked["finding"]["id"], marked["mark"]["reason"]) == (differing, WHY)
    assert WHY in done.text


def test_of_very_many_findings_those_without_a_reason_come_first(
    office: TaxOffice, officer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens_matching, "MOST_FINDINGS", 1)
    office.writes(line("16:00", "R8-4"))
    page = officer.presses(f"{MATCHING}/match", month=MONTH, tolerance="15")
    assert "操作履歴に記録なし 2件" in page.text
    assert "全2件のうち、理由が未記録のものから1件を表示しています。" in page.text
    first = next(each for each in findings(page) if each.startswith("line-"))
    done = officer.presses(f"{MATCHING}/mark", month=MONTH, finding=first, reason=WHY)
    assert first not in findings(done)
    assert any(each.startswith("line-") for each in findings(done))


def test_very_many_months_are_shown_in_part_and_it_is_said(
    officer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer.presses(f"{MATCHING}/match", month="2026-03", tolerance="15")
    officer.presses(f"{MATCHING}/match", month=MONTH, tolerance="15")
    monkeypatch.setattr(screens_matching, "MOST_MONTHS", 1)
    page = officer.goes(MATCHING)
    assert page.hidden("month") == [MONTH]
    assert "全2件のうち、新しい1件を表示しています。" in page.text


def test_a_finding_that_is_gone_is_said_to_be(officer: Visitor) -> None:
    page = officer.presses(f"{MATCHING}/finding", month=MONTH, finding="use-99")
    assert 'class="banner wrong summary"' in page.markup


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"tolerance": "長め"}, "数字で入力してください。"),
        ({"month": ""}, "月を一覧から選んでください。"),
        ({"month": "2026-07"}, "まだ来ていない月です。"),
    ],
)
def test_what_cannot_be_matched_is_told(officer: Visitor, typed: dict[str, str], told: str) -> None:
    page = officer.presses(f"{MATCHING}/match", **{"month": MONTH, "tolerance": "15", **typed})
    assert told in page.text


def test_a_month_is_closed_only_by_whoever_says_he_has_looked(
    office: TaxOffice, officer: Visitor
) -> None:
    early = officer.presses(f"{MATCHING}/sign-off", month=MONTH, confirmed="1")
    assert "月が終わり、使用簿への記入が済んだ後に突合してください。" in early.text
    page = officer.presses(f"{MATCHING}/match", month=MONTH, tolerance="15")
    for each in findings(page):
        officer.presses(f"{MATCHING}/mark", month=MONTH, finding=each, reason=WHY)
    unticked = officer.presses(f"{MATCHING}/sign-off", month=MONTH)
    assert "確認欄にチェックを入れてください。" in unticked.text
    (figures,) = office.officer.ask("usebook/figures", {}).data["months"]
    assert figures["state"] == "open"
    done = officer.presses(f"{MATCHING}/sign-off", month=MONTH, confirmed="1")
    assert "令和8年4月 (2026年4月)を締めました。" in done.text
    assert "締めた者P-SEC-2 SEC-2" in done.text
    assert "もう一度突合" not in done.text


def test_the_paper_of_a_closed_month_has_every_reason_and_who_signed(
    officer: Visitor, tmp_path: Path
) -> None:
    refused = officer.presses(f"{MATCHING}/paper", month=MONTH, office=OFFICE)
    assert "先に締めてください。" in refused.text
    closes(officer)
    page = officer.presses(f"{MATCHING}/paper", month=MONTH, office=OFFICE)
    assert "使用簿月次確認書 令和8年4月 (2026年4月)" in page.text
    source = re.search(r'<iframe class="paper" src="([^"]+)"', page.markup)
    assert source is not None
    (tmp_path / "read.pdf").write_bytes(officer.goes(source[1]).body)
    command = ["pdftotext", "-layout", str(tmp_path / "read.pdf"), "-"]
    read = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    text = "".join(read.split())
    for words in (
        *("使用簿月次確認書", "対象:県税事務所令和8年4月(2026年4月)", "締めた者:P-SEC-2SEC-2"),
        *("使用簿に記入なし1件", "操作履歴に記録なし1件", "記載の相違1件", "2026-05-0710:00"),
    ):
        assert words in text
    assert text.count("本人に") == 3


def test_an_auditor_sees_all_offices_and_opens_a_month_again(
    office: TaxOffice, officer: Visitor
) -> None:
    closes(officer)
    auditor = sits(office, "AUDIT-2", "auditor", "監査室")
    page = auditor.goes(MATCHING)
    assert "県税事務所" in page.text
    assert "締め済み" in page.text
    shown = auditor.presses(f"{MATCHING}/month", month=MONTH, office=OFFICE)
    assert "この月を再開する" in shown.text
    assert "理由を記録する" not in shown.text
    empty = auditor.presses(f"{MATCHING}/reopen", month=MONTH, office=OFFICE, why="")
    assert "再開の理由を入力してください。" in empty.text
    done = auditor.presses(f"{MATCHING}/reopen", month=MONTH, office=OFFICE, why="記入漏れの報告")
    assert "令和8年4月 (2026年4月)を再開しました。" in done.text
    assert "締め前 再開 1回" in done.text
    none = auditor.presses(f"{MATCHING}/list", since="2025-01", until="2025-02")
    assert "該当する記録はありません。" in none.text


def test_an_officer_sees_his_own_office_alone(office: TaxOffice) -> None:
    other = sits(office, "SEC-8", "security-officer", "パスポートセンター")
    assert "県税事務所" not in other.goes(MATCHING).text
    page = other.presses(f"{MATCHING}/month", month=MONTH, office=OFFICE)
    assert 'class="banner wrong summary"' in page.markup
    assert "R8-3" not in page.text


def test_the_menu_tells_an_officer_of_months_that_wait(officer: Visitor) -> None:
    officer.presses(f"{MATCHING}/match", month=MONTH, tolerance="15")
    assert "締めていない使用簿の月" in officer.goes("/screens/menu").text
    closes(officer)
    assert "締めていない使用簿の月" not in officer.goes("/screens/menu").text


def test_a_clerk_has_no_such_screen(office: TaxOffice) -> None:
    visitor = Visitor.at(office.bench, "TERM-OP-0200")
    visitor.logs_in(office.bench, "OP-0200", roles=("clerk",), office=OFFICE)
    assert "使用簿突合" not in visitor.goes("/screens/menu").text
    assert visitor.goes(MATCHING).status == 403


def test_nothing_on_the_pages_is_styled_or_scripted_inline(officer: Visitor) -> None:
    month = officer.presses(f"{MATCHING}/match", month=MONTH, tolerance="15")
    one = officer.presses(f"{MATCHING}/finding", month=MONTH, finding=findings(month)[0])
    for page in (month, one, officer.goes(MATCHING), closes(officer)):
        assert not re.search(r"<style|<script(?! src)| style=| on[a-z]+=", page.markup)
        ids = re.findall(r' id="([^"]+)"', page.markup)
        assert len(ids) == len(set(ids))
