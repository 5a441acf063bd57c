"""機構からの通報 and 全国サーバとの通信 as staff sees them at a terminal."""

from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from appliance.audit import Reading
from appliance.testing import Bench, FakeNational
from plugins import national_relay
from tests.plugins.national_relay.test_cases import acknowledge, cases, report
from tests.plugins.people import admit, change, code, number, shipped_policy
from tests.plugins.protection.office import at_work
from tests.screens import Visitor

CASES, LINE = "/screens/relay/cases", "/screens/relay/line"
REPORTS = import_module("plugins.national_relay.screens.reports")
GROUND = {"ground": "register-administration/01", "case": "2026-15"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plugins = {"national_relay": national_relay}
    with Bench.open(tmp_path, plugins, shipped_policy(), FakeNational()) as bench:
        yield bench


def sits(bench: Bench, role: str, *purposes: str, terminal: str = "TERM-0002") -> Visitor:
    visitor = Visitor.at(bench, terminal)
    named: dict[str, Any] = {"roles": (role,), "purposes": purposes}
    return visitor.logs_in(bench, f"OP-{role.upper()}", **named)


@pytest.fixture
def registrar(bench: Bench) -> Visitor:
    return sits(bench, "registrar", "register-administration")


@pytest.fixture
def administrator(bench: Bench) -> Visitor:
    return sits(bench, "system-administrator", terminal="TERM-0003")


@pytest.fixture
def reported(bench: Bench) -> None:
    """Case 1: an error that 機構 reports; case 2: a message about another one that it refuses."""
    admit(bench)
    report(bench)
    admit(bench, 2, name="熊本　次子")
    acknowledge(bench, 2, {2: "N-12"})


def entries(bench: Bench, operation: str) -> list[Reading]:
    return [entry for entry in bench.ledger() if entry.operation == operation]


def told(bench: Bench) -> list[dict[str, Any]]:
    return cases(bench.clerk("S", roles=("registrar",), purposes=()), "all")


# --- 機構からの通報 ---


def test_no_case_is_said(registrar: Visitor) -> None:
    page = registrar.goes(CASES)
    assert "該当する記録はありません。" in page.text
    assert "対応が必要な事案はありません。" in page.text


@pytest.mark.requirement("R190")
def test_the_list_shows_what_the_operation_answers_and_of_nobody(
    bench: Bench, registrar: Visitor, reported: None
) -> None:
    page = registrar.goes(CASES)
    first, second = told(bench)
    assert (first["finding"], second["finding"]) == ("differs", "N-12")
    assert "対応中の事案 2件" in page.text
    assert "1 対応中 機構からの通報 2026-04-01 10:00 0分 八代市 漢字氏名、住所" in page.text
    assert "他の記録と一致しません" in page.text
    assert "機構が受け付けなかった通知" in page.text
    assert "機構の規則 N-12 により" in page.text
    for value in (code(1), code(2), "熊本　花子", "熊本　次子"):
        assert value not in page.markup
    assert "2件 対応中の機構からの通報" in registrar.goes("/screens/menu").text


def test_ended_cases_are_among_all_only(bench: Bench, registrar: Visitor, reported: None) -> None:
    closed = registrar.presses(f"{CASES}/close", number="1", reason="住民票のとおり")
    assert "事案を終了しました。" in closed.text
    assert registrar.goes(CASES).hidden("number") == ["2"]
    assert registrar.presses(f"{CASES}/list", which="all").hidden("number") == ["1", "2"]


def test_many_cases_are_listed_page_by_page(
    registrar: Visitor, reported: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(REPORTS, "ON_A_PAGE", 1)
    first = registrar.goes(CASES)
    assert (first.hidden("number"), first.hidden("after")) == (["1"], ["1"])
    rest = registrar.presses(f"{CASES}/list", which="open", after="1")
    assert (rest.hidden("number"), rest.hidden("after")) == (["2"], [])


@pytest.mark.requirement("R190")
def test_the_person_of_a_case_is_shown_under_a_purpose_without_the_number(
    bench: Bench, registrar: Visitor, reported: None
) -> None:
    case = registrar.presses(f"{CASES}/case", number="1")
    assert "記録を確認する" in case.text
    assert "熊本　花子" not in case.text
    page = registrar.presses(f"{CASES}/look", number="1", **GROUND)
    assert "熊本　花子" in page.text
    assert "平成2年4月5日 (1990年4月5日)" in page.text
    assert "漢字氏名 通報された項目" in page.text
    assert number(1) not in page.markup
    assert 'class="watermark"' in page.markup
    (entry,) = entries(bench, "relay/case")
    assert (entry.purpose, entry.reason, entry.case_number) == (
        "register-administration",
        "01",
        "2026-15",
    )


def test_the_course_of_a_case_is_told(bench: Bench) -> None:
    who = admit(bench)
    report(bench)
    bench.now += timedelta(minutes=30)
    change(bench, who, name="熊本　華子", reason="31")
    acknowledge(bench, 2)
    registrar = sits(bench, "registrar", "register-administration")
    page = registrar.presses(f"{CASES}/look", number="1", **GROUND)
    assert "対応中 2026-04-01 10:00" in page.text
    assert "修正済み 2026-04-01 10:30" in page.text
    assert "新しい版の通知を機構が受け付けました。" in page.text


def test_a_case_is_looked_at_with_a_ground_only(
    bench: Bench, registrar: Visitor, reported: None
) -> None:
    page = registrar.presses(f"{CASES}/look", number="1", ground="", case="")
    assert "利用する事務と利用事由を入力してください。" in page.text
    assert "記録を確認する" in page.text
    assert entries(bench, "relay/case") == []


def test_a_case_about_a_protected_resident_is_left_to_the_municipality(tmp_path: Path) -> None:
    with at_work(tmp_path) as office:
        office.mark(1)
        report(office.bench)
        registrar = sits(office.bench, "registrar", "register-administration", terminal="TERM-0004")
        page = registrar.presses(f"{CASES}/look", number="1", **GROUND)
        assert "要注意の者についての事案のため、ここでは表示できません。" in page.text
        assert "熊本　花子" not in page.text
        assert entries(office.bench, "relay/case")[-1].refusal == "protected"


def test_a_case_is_closed_with_a_reason_and_once(
    bench: Bench, registrar: Visitor, reported: None
) -> None:
    page = registrar.presses(f"{CASES}/close", number="1", reason=" ")
    assert "理由を入力してください。" in page.text
    assert 'href="#f-reason"' in page.markup
    page = registrar.presses(f"{CASES}/close", number="1", reason="住民票のとおり")
    assert "終了の理由住民票のとおり" in page.text
    assert "修正せずに終了する" not in page.text
    assert told(bench)[0]["closed_by"] == "OP-REGISTRAR"
    page = registrar.presses(f"{CASES}/close", number="1", reason="もう一度")
    assert 'class="banner wrong summary"' in page.markup


def test_what_was_refused_is_sent_again_by_the_administrator_when_he_is_sure(
    bench: Bench, administrator: Visitor, reported: None
) -> None:
    case = administrator.presses(f"{CASES}/case", number="2")
    assert "もう一度通知する" in case.text
    assert "修正せずに終了する" not in case.text
    assert "記録を確認する" not in case.text
    page = administrator.presses(f"{CASES}/send-again", number="2")
    assert "確認欄にチェックを付けてください。" in page.text
    page = administrator.presses(f"{CASES}/send-again", number="2", sure="1")
    assert "通知番号3で、もう一度通知します。" in page.text
    assert told(bench)[1]["again"] == 3
    reported_one = administrator.presses(f"{CASES}/case", number="1")
    assert "もう一度通知する" not in reported_one.text


@pytest.mark.parametrize("given", ["9", "x", ""])
def test_a_case_that_is_not_there_is_told(registrar: Visitor, reported: None, given: str) -> None:
    page = registrar.presses(f"{CASES}/case", number=given)
    assert 'class="banner wrong summary"' in page.markup
    assert page.hidden("number") == ["1", "2"]


def test_whoever_has_nothing_to_do_with_it_has_no_such_screen(bench: Bench) -> None:
    clerk = sits(bench, "clerk", "prefectural-tax")
    for path, title in ((CASES, "機構からの通報"), (LINE, "全国サーバとの通信")):
        assert title not in clerk.goes("/screens/menu").text
        assert clerk.goes(path).status == 403


# --- 全国サーバとの通信 ---


@pytest.mark.requirement("R189")
def test_what_waits_is_shown_as_the_operation_answers(
    bench: Bench, administrator: Visitor, reported: None
) -> None:
    admit(bench, 3)
    page = administrator.goes(LINE)
    state = bench.clerk("S", roles=("system-administrator",), purposes=()).ask("relay/outbox", {})
    assert (state.data["depth"], state.data["refused"], state.data["last"]) == (1, 1, 3)
    assert "通知待ちあり" in page.text
    assert "通知待ち1件" in page.text
    assert "最後の通知番号3" in page.text
    assert "通知済みの番号2" in page.text
    assert "機構が受け付けなかった通知(対応中)1件" in page.text


def test_nothing_waits_is_said(administrator: Visitor) -> None:
    assert "すべて通知済み" in administrator.goes(LINE).text


def test_the_line_is_stopped_until_a_time_and_goes_on_before(
    bench: Bench, administrator: Visitor
) -> None:
    stopped = {"reason": "回線工事", "until": "R8.4.1", "clock": "17：30"}
    page = administrator.presses(f"{LINE}/pause", **stopped)
    assert "全国サーバとの通信を2026-04-01 17:30まで停止します。" in page.text
    assert "停止中(保守) 2026-04-01 17:30に自動で再開します。" in page.text
    assert "1件 全国サーバとの通信の停止(保守)" in administrator.goes("/screens/menu").text
    page = administrator.presses(f"{LINE}/resume")
    assert "全国サーバとの通信を再開しました。" in page.text
    assert "停止中" not in page.text
    assert [entry.refusal for entry in entries(bench, "relay/maintenance")] == [None, None]


@pytest.mark.parametrize(
    ("typed", "said", "field"),
    [
        ({"reason": ""}, "保守の理由を入力してください。", "reason"),
        ({"until": ""}, "終了日を入力してください。", "until"),
        ({"until": "あした"}, "日付を読み取れません。", "until"),
        ({"clock": "25:00"}, "17:30のように、時と分を入力してください。", "clock"),
        ({"until": "R8.4.9"}, "現在より後で3日以内としてください。", "until"),
        ({"until": "R8.3.1"}, "現在より後で3日以内としてください。", "until"),
    ],
)
def test_a_stop_that_cannot_be_is_told_beside_its_field(
    administrator: Visitor, typed: dict[str, str], said: str, field: str
) -> None:
    given = {"reason": "回線工事", "until": "R8.4.1", "clock": "17:30", **typed}
    page = administrator.presses(f"{LINE}/pause", **given)
    assert said in page.text
    assert f'href="#f-{field}"' in page.markup
    assert f'id="f-{field}"' in page.markup
    assert "停止中" not in administrator.goes(LINE).text


def test_the_contractor_sees_the_line_and_does_not_stop_it(bench: Bench) -> None:
    Visitor.at(bench, "TERM-0002").logs_in(bench, "OP-STAFF", roles=("clerk",), purposes=())
    contractor = sits(bench, "contractor")
    page = contractor.goes(LINE)
    assert page.status == 200
    assert "通知待ち0件" in page.text
    assert "通信の停止と再開は、システム管理者が行います。" in page.text
    refused = contractor.presses(f"{LINE}/pause", reason="工事", until="R8.4.1", clock="17:30")
    assert 'class="banner wrong summary"' in refused.markup
    assert "停止中" not in contractor.goes(LINE).text
