"""What staff read of the comparisons, and plan."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from appliance.errors import Malformed, NotPermitted
from appliance.plugin_api import hookimpl
from appliance.testing import Bench, Seat
from plugins import reconcile as plugin
from tests.plugins.people import UTO, YATSUSHIRO, admit, change, code, shipped_policy
from tests.plugins.reconcile.files import (
    REPORTING,
    begun,
    both,
    entries,
    logged_in,
    notice,
    reconcile,
)


@pytest.mark.requirement("R93")
def test_staff_read_what_was_found_page_by_page(bench: Bench, registrar: Seat) -> None:
    theirs = both(bench, range(1, 8))
    theirs[2] = replace(theirs[2], sex="1")
    del theirs[3]
    theirs[70] = notice(70)
    moved = admit(bench, 71)
    change(bench, moved, 71, municipality_code=UTO)
    theirs[71] = notice(71)
    outcome = reconcile(bench, theirs.values())
    pages, after = [], ""
    while True:
        asked = {"run": outcome.run, "after": after, "limit": 3}
        page = registrar.ask("reconcile/report", asked, **REPORTING).data
        pages.append(page)
        if page["next"] is None:
            break
        after = page["next"]
    findings = [each for page in pages for each in page["findings"]]
    assert len(pages) == 2
    assert {(f["resident_code"], f["kind"], f["here"]) for f in findings} == {
        (code(2), "differing", ""),
        (code(3), "missing-there", ""),
        (code(70), "missing-here", "unknown"),
        (code(71), "missing-here", "here"),
    }
    counts = ("differing", "missing_here", "missing_there", "theirs", "ours")
    assert [pages[0][name] for name in counts] == [1, 2, 1, 8, 7]
    shown = {who for entry in entries(bench, "reconcile/report") for who in entry.subjects}
    assert len(shown) == 3


def test_staff_need_a_purpose_that_allows_it(bench: Bench, registrar: Seat) -> None:
    run = reconcile(bench, []).run
    with pytest.raises(NotPermitted, match="purpose"):
        registrar.ask("reconcile/report", {"run": run})
    clerk = bench.clerk("CLERK", roles=("clerk",), purposes=("register-administration",))
    with pytest.raises(NotPermitted, match="no role"):
        clerk.ask("reconcile/report", {"run": run}, **REPORTING)


def test_a_withheld_code_is_not_shown_to_staff_either(tmp_path: Path) -> None:
    class Shy:
        @hookimpl
        def withhold(self, request: Any) -> frozenset[str]:
            shy = request.operation == "reconcile/report"
            return frozenset({"resident_code"} if shy else ())

    with Bench.open(tmp_path, {"reconcile": plugin, "shy": Shy()}, shipped_policy()) as bench:
        both(bench, [1])
        run = reconcile(bench, []).run
        seat = bench.clerk("R", roles=("registrar",), purposes=("register-administration",))
        page = seat.ask("reconcile/report", {"run": run}, **REPORTING).data
        assert [each["resident_code"] for each in page["findings"]] == [None]


@pytest.mark.requirement("R95")
def test_a_municipality_not_compared_in_time_is_told(bench: Bench) -> None:
    asked = {"municipality_codes": [YATSUSHIRO, UTO], "every_days": 7}
    logged_in(bench).ask("reconcile/plan", asked)
    bench.now += timedelta(days=7)
    assert logged_in(bench).ask("reconcile/status", {}).data["overdue"] == 0
    assert reconcile(bench, []).next_due == "2026-04-15"
    bench.now += timedelta(days=3)
    administrator = bench.clerk("ADMIN", roles=("system-administrator",), purposes=())
    for seat in (logged_in(bench), administrator):
        told = seat.ask("reconcile/status", {}).data
        assert told["overdue"] == 1
        rows = {row["municipality_code"]: row for row in told["municipalities"]}
        assert (rows[YATSUSHIRO]["age_days"], rows[YATSUSHIRO]["overdue"]) == (3, False)
        assert rows[YATSUSHIRO]["last_result"] == "agreed"
        assert (rows[UTO]["age_days"], rows[UTO]["overdue"]) == (None, True)
        assert "期限(2026-04-08)を3日過ぎています。実施されたことがありません" in rows[UTO]["text"]
    bench.now += timedelta(days=30)
    told = logged_in(bench).ask("reconcile/status", {"municipality_code": YATSUSHIRO}).data
    (row,) = told["municipalities"]
    assert "2026-04-08が最後です" in row["text"]


@pytest.mark.requirement("R95")
def test_who_was_compared_once_is_in_the_calendar(bench: Bench, registrar: Seat) -> None:
    with pytest.raises(Malformed, match="not in the calendar"):
        registrar.ask("reconcile/status", {"municipality_code": YATSUSHIRO})
    reconcile(bench, [])
    (row,) = registrar.ask("reconcile/status", {}).data["municipalities"]
    assert (row["municipality_code"], row["every_days"], row["due"]) == (
        YATSUSHIRO,
        31,
        "2026-05-02",
    )


def test_only_municipalities_are_planned(registrar: Seat) -> None:
    asked = {"municipality_codes": ["999999"], "every_days": 7}
    with pytest.raises(Malformed, match="no municipality"):
        registrar.ask("reconcile/plan", asked)


@pytest.mark.parametrize(
    "code", [pytest.param("401307", id="福岡市"), pytest.param("430005", id="熊本県")]
)
def test_only_municipalities_of_the_prefecture_are_planned(registrar: Seat, code: str) -> None:
    asked = {"municipality_codes": [YATSUSHIRO, code], "every_days": 7}
    with pytest.raises(Malformed, match="not of this prefecture"):
        registrar.ask("reconcile/plan", asked)
    assert registrar.ask("reconcile/status", {}).data["municipalities"] == ()


def test_a_ward_is_of_the_prefecture_too(registrar: Seat) -> None:
    registrar.ask("reconcile/plan", {"municipality_codes": ["431010"], "every_days": 7})
    (row,) = registrar.ask("reconcile/status", {}).data["municipalities"]
    assert row["municipality_code"] == "431010"


def test_a_municipality_is_taken_out_of_the_calendar(bench: Bench, registrar: Seat) -> None:
    both_there = {"municipality_codes": [YATSUSHIRO, UTO], "every_days": 7}
    registrar.ask("reconcile/plan", both_there)
    out = registrar.ask("reconcile/plan", {"municipality_codes": [UTO], "every_days": 0}).data
    assert out == {"municipalities": (), "overdue": 0}
    bench.now += timedelta(days=30)
    (row,) = logged_in(bench).ask("reconcile/status", {}).data["municipalities"]
    assert row["municipality_code"] == YATSUSHIRO
    asked = {"municipality_codes": [UTO], "every_days": 0}
    assert logged_in(bench).ask("reconcile/plan", asked).data["municipalities"] == ()


def test_a_run_that_goes_on_is_shown_as_such(bench: Bench, registrar: Seat) -> None:
    run = begun(bench.municipality(YATSUSHIRO))["run"]
    page = registrar.ask("reconcile/report", {"run": run}, **REPORTING).data
    assert (page["state"], page["text"]) == ("open", "整合性確認は完了していません。")


@pytest.mark.requirement("R95")
def test_what_the_runs_of_a_period_came_to_is_told_in_numbers(bench: Bench) -> None:
    theirs = both(bench, range(1, 5))
    del theirs[3]
    reconcile(bench, theirs.values())
    bench.now += timedelta(days=40)
    last = reconcile(bench, theirs.values()).run
    auditor = bench.clerk("OP-A", roles=("auditor",), purposes=(), terminal_id="TERM-0002")
    day = bench.now.date()
    period = {"since": (day - timedelta(days=60)).isoformat(), "until": day.isoformat()}
    told = auditor.ask("reconcile/runs", period).data
    counts = [(each["theirs"], each["ours"], each["missing_there"]) for each in told["runs"]]
    assert (counts, told["next"]) == ([(3, 4, 1), (3, 4, 1)], None)
    assert code(3) not in str(told)
    (late,) = auditor.ask("reconcile/runs", {**period, "since": period["until"]}).data["runs"]
    assert (late["run"], late["municipality_code"]) == (last, YATSUSHIRO)
    assert auditor.ask("reconcile/runs", {**period, "municipality_code": UTO}).data["runs"] == ()


def test_many_runs_are_told_page_by_page_and_open_ones_not_at_all(bench: Bench) -> None:
    for _ in range(3):
        reconcile(bench, [])
    begun(bench.municipality(YATSUSHIRO))
    seat, today = logged_in(bench), bench.now.date().isoformat()
    asked = {"since": today, "until": today, "limit": 2}
    first = seat.ask("reconcile/runs", asked).data
    rest = seat.ask("reconcile/runs", {**asked, "after": first["next"]}).data
    assert [each["run"] for each in (*first["runs"], *rest["runs"])] == [1, 2, 3]
    assert rest["next"] is None
