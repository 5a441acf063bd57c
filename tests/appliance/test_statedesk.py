"""システム状態: how the appliance is, for its staff at a terminal, and of nobody."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.errors import NotPermitted, Unavailable
from appliance.statedesk import (
    Certificate,
    Delivery,
    LastBackup,
    LedgerState,
    SystemState,
    Told,
    WitnessState,
)
from appliance.statedesk.screens import WARNINGS, when
from appliance.testing import Bench
from plugins import statistics
from tests.plugins.people import shipped_policy
from tests.screens import Visitor

NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
SCREEN = "/screens/system/state"
JOB = "statistics/recount"
WELL = SystemState(
    at=NOW,
    version="0.1.0",
    unsealed_at=NOW - timedelta(days=2),
    policy_serial=3,
    degraded=(),
    warnings=(),
    disk_free=0.5,
    certificates=(Certificate(name="server", not_after=NOW + timedelta(days=400)),),
    national=Delivery(
        state="idle",
        depth=0,
        oldest_at=None,
        last_delivery=NOW - timedelta(minutes=5),
        last_error=None,
        paused_until=None,
    ),
    backup=LastBackup(at=NOW - timedelta(hours=7), entries=11_000, under_way=False),
    witness=WitnessState(
        name="witness.pref.test",
        state="cosigned",
        entries=12_300,
        cosigned_at=NOW - timedelta(seconds=20),
        last_error=None,
    ),
    ledger=LedgerState(entries=12_345, exported=12_344, well=True),
    alarms=(),
)


def changed(**fields: Any) -> SystemState:
    return msgspec.structs.replace(WELL, **fields)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"statistics": statistics}, shipped_policy()) as bench:
        bench.loaded.state.look = lambda: WELL
        yield bench


def of_role(bench: Bench, role: str) -> Visitor:
    return Visitor.at(bench).logs_in(bench, roles=(role,), purposes=())


def seen(bench: Bench, state: SystemState = WELL, role: str = "system-administrator") -> str:
    bench.loaded.state.look = lambda: state
    return of_role(bench, role).goes(SCREEN).text


def test_the_operation_tells_what_the_process_that_serves_knows(bench: Bench) -> None:
    told = bench.clerk(roles=("auditor",), purposes=()).ask("system/state", {}).data
    assert msgspec.convert(told, SystemState, strict=False) == WELL
    assert bench.ledger()[-1].operation == "system/state"


def test_where_nobody_serves_nothing_is_told(tmp_path: Path) -> None:
    with (
        Bench.open(tmp_path, {}, shipped_policy()) as bench,
        pytest.raises(Unavailable, match="is not known here"),
    ):
        bench.clerk(roles=("auditor",), purposes=()).ask("system/state", {})


@pytest.mark.parametrize("role", ["clerk", "registrar", "statistician", "security-officer"])
def test_who_does_not_look_after_the_appliance_is_not_told(bench: Bench, role: str) -> None:
    visitor = of_role(bench, role)
    assert SCREEN not in visitor.goes("/screens/menu").markup
    assert visitor.goes(SCREEN).status == 403
    with pytest.raises(NotPermitted):
        bench.clerk(roles=(role,), purposes=()).ask("system/state", {})


def test_all_well_is_said_with_every_figure(bench: Bench) -> None:
    text = seen(bench)
    for told in (
        "正常に動作しています。",
        "警報はありません。",
        "版0.1.0",
        "ディスクの空き50.0%",
        "令和9年5月6日 (2027年5月6日)",
        "未送信の通知0件",
        "記録の件数12,345件",
        "12,344件まで 正常",
        "12,300件まで 確認済み",
        "(7時間前)",
        "11,000件まで",
    ):
        assert told in text, told


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"degraded": ("storage",)}, "保存に失敗しています。"),
        ({"warnings": ("disk", "tiles")}, "ディスクの空きが少なくなっています。"),
        ({"national": None}, "全国サーバとの接続は設定されていません。"),
        ({"witness": None}, "証人は設定されていません。"),
        ({"backup": LastBackup(at=None, entries=None, under_way=True)}, "まだありません。"),
        ({"ledger": LedgerState(entries=5, exported=0, well=False)}, "0件まで 失敗"),
        ({"certificates": (Certificate(name="national", not_after=None),)}, "読み取れません"),
        (
            {"certificates": (Certificate(name="server", not_after=NOW + timedelta(days=59)),)},
            "まもなく期限",
        ),
        (
            {"certificates": (Certificate(name="server", not_after=NOW - timedelta(days=1)),)},
            "期限切れ",
        ),
        (
            {
                "alarms": (
                    Told(name="backup-old", text="バックアップが古い。", count=1, since=NOW),
                    Told(name="update/gaps", text="通知が欠けている。", count=2, since=None),
                )
            },
            "現在の警報 2件",
        ),
        (
            {"national": msgspec.structs.replace(WELL.national, state="failing", last_error="off")},
            "失敗の理由off",
        ),
        (
            {"witness": msgspec.structs.replace(WELL.witness, state="fork", last_error="two")},
            "操作履歴が書き換えられている",
        ),
    ],
)
def test_what_is_not_well_is_said_in_words(bench: Bench, fields: dict[str, Any], told: str) -> None:
    assert told in seen(bench, changed(**fields))


def test_every_warning_of_the_machine_has_a_sentence() -> None:
    warned = {"disk", "tiles", "national", "jobs", "alarms", "witness"}
    assert warned | {"national-maintenance", "outbox", "storage"} == set(WARNINGS)


def test_the_menu_says_what_there_is_to_see_to(bench: Bench) -> None:
    soon = (Certificate(name="server", not_after=NOW + timedelta(days=3)),)
    alarm = (Told(name="backup-old", text="バックアップが古い。", count=1, since=NOW),)
    bench.loaded.state.look = lambda: changed(certificates=soon, alarms=alarm)
    menu = of_role(bench, "system-administrator").goes("/screens/menu").text
    assert "1件 対応が必要な警報" in menu
    assert "1件 有効期限が近い証明書" in menu
    bench.loaded.state.look = lambda: WELL
    menu = of_role(bench, "system-administrator").goes("/screens/menu").text
    assert "確認事項はありません。" in menu


@pytest.mark.parametrize(
    ("told", "japanese"),
    [
        ("every 7 days", "7日ごと"),
        ("every 1 hour", "1時間ごと"),
        ("every 90 minutes", "90分ごと"),
        ("daily at 01:45 JST", "毎日 01:45"),
        ("when there is something to do", "処理するものがあるとき"),
        ("when asked for", "指示したとき"),
        ("every 2.5 seconds", "every 2.5 seconds"),
    ],
)
def test_when_a_job_runs_is_told_in_japanese(told: str, japanese: str) -> None:
    assert when(told) == japanese


def test_every_job_of_ours_runs_at_a_time_that_has_japanese_words(tmp_path: Path) -> None:
    with Bench.open(tmp_path) as bench:
        jobs = bench.clerk().ask("job/list", {}).data["jobs"]
    assert [job["name"] for job in jobs if when(job["when"]) == job["when"]] == []


def test_the_jobs_are_listed_and_one_is_let_run(bench: Bench) -> None:
    admin = of_role(bench, "system-administrator")
    page = admin.goes(SCREEN)
    assert "7日ごと" in page.text
    assert JOB in page.hidden("name")
    none = admin.presses(f"{SCREEN}/job", name=JOB)
    assert "この処理は、まだ実行されていません。" in none.text
    asked = admin.presses(f"{SCREEN}/run", name=JOB)
    assert "実行を指示しました。" in asked.text
    assert "実行待ち" in asked.text
    bench.work()
    ran = admin.presses(f"{SCREEN}/job", name=JOB)
    assert "正常終了" in ran.text
    assert "OP-0001" in ran.text
    told = bench.clerk(roles=("system-administrator",), purposes=())
    runs = told.ask("job/status", {"name": JOB}).data["runs"]
    assert f"最近の実行 {len(runs)}回" in ran.text


def test_an_auditor_sees_the_state_without_the_jobs(bench: Bench) -> None:
    text = seen(bench, role="auditor")
    assert "正常に動作しています。" in text
    assert "自動処理の一覧" not in text


def test_a_job_that_does_not_exist_is_refused_on_the_page(bench: Bench) -> None:
    page = of_role(bench, "system-administrator").presses(f"{SCREEN}/job", name="no/such")
    assert "この名前の自動処理はありません。" in page.text
