"""更新受信状況: what came from whom, in numbers, and as staff see it at a terminal."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import Malformed, NotPermitted
from appliance.testing import Bench, Seat
from plugins import national_relay, update
from plugins.update.checks import CHECKS
from plugins.update.rules import TEXTS
from plugins.update.words import OTHER, REASONS
from tests.plugins.people import shipped_policy
from tests.plugins.update.making import HITOYOSHI, KUMAMOTO, YATSUSHIRO, code, number, wire
from tests.screens import Seen, Visitor

PATH = "/screens/update/receptions"
APRIL = "2026-04"
MUNICIPALITIES_OF_KUMAMOTO = 45


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    plugins = {"update": update, "national_relay": national_relay}
    with Bench.open(tmp_path, plugins, shipped_policy()) as bench:
        yield bench


@pytest.fixture
def cs(bench: Bench) -> Seat:
    return bench.municipality(YATSUSHIRO)


def notify(cs: Seat, *notices: dict[str, Any]) -> list[str]:
    told = cs.ask("update/notify", {"notifications": list(notices)}).data
    return [each["outcome"] for each in told["results"]]


def of(which: int, sequence: int, **changes: Any) -> dict[str, Any]:
    numbers = {"resident_code": code(which), "my_number": number(which)}
    return wire(sequence=sequence, **{**numbers, **changes})


def staff(bench: Bench, role: str = "registrar") -> Seat:
    return bench.clerk(f"S-{role.upper()}", roles=(role,), purposes=())


def received(bench: Bench, place: str = YATSUSHIRO, **asked: str) -> dict[str, Any]:
    told = staff(bench).ask("update/receptions", asked).data
    (row,) = (each for each in told["municipalities"] if each["municipality_code"] == place)
    return dict(row)


def counts(row: dict[str, Any]) -> tuple[int, ...]:
    names = ("received", "applied", "held", "rejected", "duplicates", "waiting", "missing")
    return tuple(row[name] for name in names)


def busy(cs: Seat) -> None:
    """Let one be applied twelve days after it took effect, one wait, two be refused, one repeat."""
    outcomes = notify(
        cs,
        of(1, 1),
        of(2, 2, update_number=2),
        of(3, 3, sex="9"),
        of(4, 6, birth_date="1980-13-40"),
        of(1, 1),
    )
    assert outcomes == ["applied", "held", "rejected", "rejected", "duplicate"]


@pytest.mark.requirement("R24")
def test_what_came_is_counted_with_what_became_of_it(bench: Bench, cs: Seat) -> None:
    busy(cs)
    row = received(bench)
    assert counts(row) == (4, 1, 1, 2, 1, 1, 2)
    assert row["refusals"] == ({"rule": "G-04", "count": 1}, {"rule": "G-05", "count": 1})
    assert (row["lag_median"], row["lag_longest"], row["last_sequence"]) == (12, 12, 6)
    refusal = row["last_refusal"]
    assert (refusal["rule"], refusal["item"]) == ("G-04", "birth_date")
    assert row["last_at"] == refusal["at"] == row["waiting_since"]


def test_a_notice_that_waited_is_counted_as_applied_when_its_turn_comes(
    bench: Bench, cs: Seat
) -> None:
    later = of(2, 2, update_number=2, reason="31", address="熊本県八代市本町２番３号")
    assert notify(cs, later) == ["held"]
    assert counts(received(bench))[:3] == (1, 0, 1)
    bench.now += timedelta(days=30)
    assert notify(cs, of(2, 1)) == ["applied"]
    assert counts(received(bench)) == (1, 2, 0, 0, 0, 0, 0)
    assert counts(received(bench, month=APRIL)) == (1, 0, 1, 0, 0, 0, 0)


def test_what_was_undone_is_not_counted(bench: Bench, cs: Seat) -> None:
    with pytest.raises(Malformed):
        notify(cs, of(1, 1), {"sequence": 2})
    assert counts(received(bench)) == (0, 0, 0, 0, 0, 0, 0)
    assert received(bench)["last_at"] is None


def test_every_municipality_is_there_and_nobody_else(bench: Bench, cs: Seat) -> None:
    busy(cs)
    told = staff(bench).ask("update/receptions", {}).data
    codes = [each["municipality_code"] for each in told["municipalities"]]
    assert len(codes) == MUNICIPALITIES_OF_KUMAMOTO
    assert codes == sorted(codes)
    assert {YATSUSHIRO, HITOYOSHI, KUMAMOTO} <= set(codes)
    assert (told["month"], counts(received(bench, HITOYOSHI))) == (APRIL, (0,) * 7)
    for which in (1, 2, 3, 4):
        assert code(which) not in str(told)
        assert number(which) not in str(told)
    assert "佐藤" not in str(told)


def test_each_month_is_kept_for_a_year(bench: Bench, cs: Seat) -> None:
    busy(cs)
    bench.now += timedelta(days=365)
    notify(cs, of(5, 7))
    assert counts(received(bench, month=APRIL))[:2] == (4, 1)
    assert counts(received(bench))[:2] == (1, 1)
    assert received(bench)["last_refusal"]["rule"] == "G-04"
    bench.now += timedelta(days=30)
    notify(cs, of(6, 8))
    assert counts(received(bench, month=APRIL))[:2] == (0, 0)
    assert received(bench)["last_refusal"] is None


def test_a_lag_beyond_what_is_counted_is_as_long_as_that(bench: Bench, cs: Seat) -> None:
    notify(cs, of(1, 1, effective_date="2020-04-01"), of(2, 2, effective_date="2026-03-30"))
    row = received(bench)
    assert (row["lag_median"], row["lag_longest"]) == (2, 99)


def test_what_waits_longer_than_three_days_is_said(bench: Bench, cs: Seat) -> None:
    busy(cs)
    bench.now += timedelta(days=3)
    assert received(bench)["waits_long"] is False
    bench.now += timedelta(minutes=1)
    assert received(bench)["waits_long"] is True


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-04-01"])
def test_a_month_is_written_as_one(bench: Bench, month: str) -> None:
    with pytest.raises(Malformed):
        staff(bench).ask("update/receptions", {"month": month})


def test_only_staff_that_keeps_the_file_asks(bench: Bench, cs: Seat) -> None:
    for role in ("clerk", "auditor", "contractor"):
        with pytest.raises(NotPermitted):
            staff(bench, role).ask("update/receptions", {})
    with pytest.raises(NotPermitted):
        cs.ask("update/receptions", {})


def test_every_rule_that_refuses_has_a_name_on_the_screen() -> None:
    refusing = {rule for rule in TEXTS if not rule.startswith("(")}
    refusing |= {check.rule for check in CHECKS} | {"L-30", "G-06", "G-13"}
    assert refusing == set(REASONS)


# --- at a terminal ---


def sits(bench: Bench, role: str = "registrar") -> Visitor:
    visitor = Visitor.at(bench, "TERM-0002")
    return visitor.logs_in(bench, f"OP-{role.upper()}", roles=(role,), purposes=())


def line(page: Seen, place: str) -> str:
    """Return what the row of a municipality says."""
    (row,) = (each for each in page.markup.split("<tr>") if f"<small>{place}</small>" in each)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip()


def test_the_screen_shows_what_the_operation_answers(bench: Bench, cs: Seat) -> None:
    busy(cs)
    page = sits(bench).goes(PATH)
    assert page.status == 200
    shown = line(page, YATSUSHIRO)
    assert "保留中 2026-04-01 10:00 4 1 1 2 1 1 2 12日" in shown
    assert "2026-04-01 10:00 G-04 日付の誤り" in shown
    assert line(page, HITOYOSHI).startswith(f"人吉市 {HITOYOSHI} 受信なし (なし) 0 0 0 0 0 0 0")
    assert "受信4件、反映1件、拒否2件。現在の保留1件、欠番2件。" in page.text
    assert "市区町村ごとの受信状況 45件" in page.text
    for which in (1, 2, 3, 4):
        assert code(which) not in page.markup
    assert "佐藤" not in page.text


def test_one_municipality_is_shown_with_the_reasons_of_its_refusals(bench: Bench, cs: Seat) -> None:
    busy(cs)
    page = sits(bench).presses(f"{PATH}/municipality", month=APRIL, municipality_code=YATSUSHIRO)
    assert "八代市 (432024) 保留中 令和8年4月 (2026年4月)" in page.text
    assert "G-05性別コードの誤り1" in page.text
    assert "G-04日付の誤り1" in page.text
    assert "2026-04-01 10:00 G-04 生年月日" in page.text
    assert "欠けている連番の通知を送るよう" in page.text


def test_a_municipality_without_refusals_is_said_to_have_none(bench: Bench, cs: Seat) -> None:
    notify(cs, of(1, 1))
    page = sits(bench).presses(f"{PATH}/municipality", month=APRIL, municipality_code=YATSUSHIRO)
    assert "正常" in page.text
    assert "この月に拒否した通知はありません。" in page.text


def test_another_month_is_chosen_from_the_last_year(bench: Bench, cs: Seat) -> None:
    busy(cs)
    bench.now += timedelta(days=31)
    keeper = sits(bench)
    page = keeper.goes(PATH)
    assert page.markup.count("<option") == 13
    assert '<option value="2026-05" selected>令和8年5月 (2026年5月)' in page.markup
    assert "受信0件" in page.text
    assert "受信4件" in keeper.presses(f"{PATH}/list", month=APRIL).text


@pytest.mark.parametrize("month", ["", "2026-05", "2020-01", "四月"])
def test_a_month_that_is_not_offered_is_told_beside_its_field(bench: Bench, month: str) -> None:
    page = sits(bench).presses(f"{PATH}/list", month=month)
    assert "表示する月を一覧から選んでください。" in page.text
    assert 'href="#f-month"' in page.markup


def test_a_place_that_is_no_municipality_is_told(bench: Bench) -> None:
    page = sits(bench).presses(f"{PATH}/municipality", month=APRIL, municipality_code="999999")
    assert "市区町村を一覧から選んでください。" in page.text


@pytest.mark.requirement("R25")
def test_the_queue_to_the_national_server_is_shown_to_whoever_may_ask(
    bench: Bench, cs: Seat
) -> None:
    notify(cs, of(1, 1))
    page = sits(bench, "system-administrator").goes(PATH)
    told = staff(bench, "system-administrator").ask("relay/outbox", {}).data
    assert told["depth"] == 1
    assert "通知待ち1件" in page.text
    assert "最も古い通知待ち2026-04-01 10:00から" in page.text
    assert "全国サーバへの通知" not in sits(bench).goes(PATH).text


def test_the_menu_says_from_how_many_something_waits_too_long(bench: Bench, cs: Seat) -> None:
    busy(cs)
    keeper = sits(bench)
    assert "確認事項はありません。" in keeper.goes("/screens/menu").text
    bench.now += timedelta(days=4)
    menu = sits(bench, "system-administrator").goes("/screens/menu").text
    assert "1件 通知の保留が3日を超えている市区町村" in menu
    assert "取り下げるよう" in sits(bench, "system-administrator").goes(PATH).text


def test_whoever_has_nothing_to_do_with_it_has_no_such_screen(bench: Bench) -> None:
    clerk = sits(bench, "clerk")
    assert "更新受信状況" not in clerk.goes("/screens/menu").text
    assert clerk.goes(PATH).status == 403


def test_a_rule_of_a_vendor_has_a_name_too() -> None:
    from plugins.update.words import reason

    assert (reason("X-01"), reason("L-10")) == (OTHER, "転居での住所以外の変更")
