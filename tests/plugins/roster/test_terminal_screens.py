"""端末管理 as the システム管理者 sees it at his terminal."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.certificates import peer_from_pem
from appliance.errors import Unidentified
from appliance.testing import Bench, Seat
from plugins import roster
from tests.plugins.people import shipped_policy
from tests.plugins.roster.desk import Desk
from tests.plugins.roster.test_machines import certificate, named
from tests.screens import Seen, Visitor

TERMINALS, ENROL = "/screens/roster/terminals", "/screens/roster/enrol-terminal"
NEW: dict[str, Any] = {
    "terminal_id": "ｔerm-0002",
    "kind": "business",
    "place": "県税事務所 2階",
    "request_number": "T-2026-1",
    "office": "県税事務所",
    "own_office_only": "1",
    "operations": ["roster"],
    "single_operations": "relay/outbox",
    "hours": "平日 ０８:３０-１７:１５",
}
SERVER = {"terminal_id": "CS-432024", "kind": "municipality", "municipality_code": "432024"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"roster": roster}, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk.of(bench)


@pytest.fixture
def enrolled(desk: Desk) -> Desk:
    assert "登録しました。" in desk.sends(f"{ENROL}/enter", certificate(), **NEW).text
    return desk


def opened(desk: Desk, terminal_id: str = "TERM-0002") -> Seen:
    return desk.presses(f"{TERMINALS}/open", terminal_id=terminal_id)


def takes(desk: Desk, step: str, **typed: Any) -> Seen:
    typed = {"terminal_id": "TERM-0002", **typed}
    return desk.presses(f"{TERMINALS}/take", step=step, filled="1", **typed)


def line(desk: Desk, terminal_id: str = "TERM-0002") -> dict[str, Any]:
    found = desk.answer("roster/terminals")["terminals"]
    return dict(next(each for each in found if each["terminal_id"] == terminal_id))


def later(bench: Bench, desk: Desk, days: int) -> Desk:
    """Let days pass, and log in again at the terminal of the keeper."""
    bench.now += timedelta(days=days)
    visitor = Visitor.at(bench).logs_in(bench, "ADMIN", roles=("system-administrator",))
    return Desk(bench, visitor, desk.officer)


@pytest.mark.requirement("R126")
def test_the_list_shows_what_the_operation_answers(enrolled: Desk) -> None:
    page = enrolled.visitor.goes(TERMINALS)
    terminals = enrolled.answer("roster/terminals")["terminals"]
    assert f"証明書 {len(terminals)}件" in page.text
    for each in terminals:
        assert f'<th scope="row" class="code">{each["terminal_id"]}</th>' in page.markup
    assert "業務端末 県税事務所 2階 県税事務所 この所属のみ" in page.text
    assert "令和8年7月" in page.text
    assert line(enrolled, "TERM-0001")["last_login"] == "2026-04-01T01:00:00Z"
    assert "令和8年4月1日 (2026年4月1日) 10:00" in page.text
    assert "証明書 1件" in enrolled.presses(f"{TERMINALS}/list", words="2階").text
    nothing = enrolled.presses(f"{TERMINALS}/list", state="revoked")
    assert "該当する記録はありません。" in nothing.text


@pytest.mark.requirement("R126")
def test_a_terminal_is_registered_with_its_limits(bench: Bench, enrolled: Desk) -> None:
    stands = line(enrolled)
    assert stands["fingerprint"] == peer_from_pem(certificate()).fingerprint
    assert stands["operations"] == ("roster", "relay/outbox")
    assert stands["hours"] == ("平日 08:30-17:15",)
    assert (stands["own_office_only"], stands["request_number"]) == (True, "T-2026-1")
    page = opened(enrolled)
    assert "名簿・端末 (roster)、全国サーバへの通知・照会 (relay/outbox)" in page.text
    assert stands["fingerprint"] in page.text
    assert "変更の記録 1件" in page.text
    assert "ADMIN" in page.text


@pytest.mark.requirement("R127")
def test_a_server_is_registered_with_a_second_person(desk: Desk) -> None:
    page = desk.agreed(desk.sends(f"{ENROL}/enter", certificate(), **SERVER))
    assert "操作端末ID CS-432024を登録しました。" in page.text
    assert line(desk, "CS-432024")["municipality_code"] == "432024"
    shown = opened(desk, "CS-432024").text
    assert "八代市 (432024)" in shown
    assert "利用時間" not in shown


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"terminal_id": "TERM_2"}, "16字以内で入力してください。"),
        ({"kind": ""}, "種別を入力してください。"),
        ({"place": " "}, "設置場所を入力してください。"),
        ({"office": ""}, "この所属だけに限るときは、所属を入力してください。"),
        ({"kind": "municipality"}, "市区町村を入力してください。"),
        ({"hours": "平日 17:15-08:30"}, "利用時間が正しくありません。"),
        ({"single_operations": "search/everything"}, "どの役割にもない機能があります。"),
    ],
)
def test_what_cannot_be_registered_is_told_and_what_was_typed_stays(
    desk: Desk, changed: dict[str, Any], said: str
) -> None:
    page = desk.sends(f"{ENROL}/enter", certificate(), **{**NEW, **changed})
    assert said in page.text
    assert 'class="banner wrong summary"' in page.markup
    assert 'value="T-2026-1"' in page.markup
    assert 'value="roster" checked' in page.markup


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("-----BEGIN PRIVATE KEY-----", "証明書が1枚だけ入ったPEM形式のファイルを選んでください。"),
        (certificate() * 2, "証明書が1枚だけ入ったPEM形式のファイルを選んでください。"),
        (named("TERM-0099"), "この証明書は、別の操作端末IDのものです。"),
        (certificate(days_ago=200), "この証明書は有効期間外です。"),
    ],
)
def test_a_file_that_is_no_certificate_of_the_terminal_is_refused(
    desk: Desk, file: str, said: str
) -> None:
    assert said in desk.sends(f"{ENROL}/enter", file, **NEW).text
    assert "証明書のファイルを入力してください。" in desk.presses(f"{ENROL}/enter", **NEW).text


@pytest.mark.requirement("R126")
def test_only_what_was_changed_is_asked_for_and_the_former_state_is_shown(
    bench: Bench, enrolled: Desk
) -> None:
    page = enrolled.presses(f"{TERMINALS}/step", terminal_id="TERM-0002", step="change")
    assert 'value="roster" checked' in page.markup
    assert ">relay/outbox</textarea>" in page.markup
    names = ("place", "office", "own_office_only", "operations", "hours", "request_number")
    was = {f"was_{name}": page.hidden(f"was_{name}") for name in names}
    typed: dict[str, Any] = {
        **{name: was[f"was_{name}"] for name in names},
        "operations": ["roster"],
    }
    typed |= {"single_operations": "relay/outbox", "hours": "", "reason": "夜間の作業"}
    done = takes(enrolled, "change", **was, **typed)
    assert "登録内容を変更しました。" in done.text
    assert "利用時間制限なし" in done.text
    assert "変更の記録 2件" in done.text
    assert "夜間の作業" in done.text
    entry = [e for e in bench.ledger() if e.operation == "roster/change-terminal"][-1]
    assert entry.conditions == {"terminal_id": "TERM-0002", "hours": [], "reason": "夜間の作業"}
    silent = takes(enrolled, "change", **was, **{**typed, "reason": ""})
    assert "理由を入力してください。" in silent.text
    assert ">平日 08:30-17:15</textarea>" not in silent.markup


def test_a_certificate_is_renewed_and_the_former_one_is_still_listed(enrolled: Desk) -> None:
    carried = {"terminal_id": "TERM-0002", "step": "renew", "filled": "1"}
    page = enrolled.sends(f"{TERMINALS}/take", certificate("renewed"), **carried)
    assert "新しい証明書を登録しました。" in page.text
    assert peer_from_pem(certificate("renewed")).fingerprint in page.text
    found = enrolled.visitor.goes(TERMINALS).text
    assert "更新前の証明書" in found
    assert "令和8年4月8日 (2026年4月8日) 10:00" in found


@pytest.mark.requirement("R123")
def test_a_terminal_is_revoked_with_a_reason_and_asks_nothing_any_more(
    bench: Bench, enrolled: Desk
) -> None:
    seat = Seat(bench, peer_from_pem(certificate()))
    warned = enrolled.presses(f"{TERMINALS}/step", terminal_id="TERM-0002", step="revoke")
    assert "再び使うことができません。" in warned.text
    assert "理由を入力してください。" in takes(enrolled, "revoke").text
    seat.ask("session/close", {})
    done = takes(enrolled, "revoke", reason="盗難")
    assert "端末を失効させました。" in done.text
    assert "失効 理由: 盗難" in done.text
    assert 'name="step"' not in done.markup
    with pytest.raises(Unidentified):
        seat.ask("session/close", {})


def test_the_terminal_in_use_is_not_offered_to_be_revoked(desk: Desk) -> None:
    page = opened(desk, "TERM-0001")
    assert "失効は別の端末で行ってください。" in page.text
    assert 'value="revoke"' not in page.markup
    refused = takes(desk, "revoke", terminal_id="TERM-0001", reason="更新")
    assert 'class="banner wrong summary"' in refused.markup


@pytest.mark.parametrize(
    ("days", "state", "said"),
    [
        (60, "有効", ""),
        (75, "期限が近い", "証明書の期限が30日以内又は過ぎた端末"),
        (120, "期限切れ", "証明書の期限が30日以内又は過ぎた端末"),
    ],
)
def test_a_certificate_that_runs_out_is_shown_and_waits_on_the_menu(
    bench: Bench, enrolled: Desk, days: int, state: str, said: str
) -> None:
    desk = later(bench, enrolled, days)
    assert f"状態{state}" in opened(desk).text
    menu = desk.visitor.goes("/screens/menu").text
    assert said in menu
    assert ("30日以内" in menu) is bool(said)


def test_a_terminal_at_which_nobody_logs_in_is_shown_and_waits_on_the_menu(
    bench: Bench, desk: Desk
) -> None:
    desk.sends(f"{ENROL}/enter", certificate(days=800), **NEW)
    assert "90日を超えて" not in later(bench, desk, 90).visitor.goes("/screens/menu").text
    desk = later(bench, desk, 1)
    assert "90日を超えて使われていない端末" in desk.visitor.goes("/screens/menu").text
    assert "不要であれば失効させてください。" in opened(desk).text


def test_the_register_is_printed(bench: Bench, enrolled: Desk) -> None:
    assert "<iframe" in enrolled.presses(f"{TERMINALS}/print", print_office="県税事務所").markup
    entry = [e for e in bench.ledger() if e.operation == "roster/print"][-1]
    assert entry.conditions["register"] == "terminals"
    assert entry.hits == 1


@pytest.mark.parametrize("path", [TERMINALS, ENROL])
def test_whoever_does_not_keep_the_roster_is_denied_it(bench: Bench, path: str) -> None:
    visitor = Visitor.at(bench, "TERM-0003").logs_in(bench, "OP-0003", roles=("clerk",))
    assert path not in visitor.goes("/screens/menu").markup
    assert visitor.goes(path).status == 403
