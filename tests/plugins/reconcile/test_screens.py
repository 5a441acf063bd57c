"""整合性確認 as whoever keeps the file true sees it at a terminal."""

from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from msgspec.structs import replace

from appliance.testing import Bench
from tests.plugins.people import UTO, YATSUSHIRO, code
from tests.plugins.protection.office import at_work
from tests.plugins.reconcile.files import (
    REPORTING,
    begun,
    both,
    entries,
    logged_in,
    notice,
    reconcile,
)
from tests.screens import Visitor

SCREENS = import_module("plugins.reconcile.screens")
PATH = "/screens/reconcile/runs"
GROUND = {"ground": "register-administration/03", "case": "2026-15"}
PERIOD = {"since": "R8.1.1", "until": "2026-12-31"}


def spaced(which: int) -> str:
    text = code(which)
    return f"{text[:4]} {text[4:8]} {text[8:]}"


def sits(bench: Bench, role: str, *purposes: str) -> Visitor:
    visitor = Visitor.at(bench, "TERM-0002")
    return visitor.logs_in(bench, f"OP-{role.upper()}", roles=(role,), purposes=purposes)


@pytest.fixture
def keeper(bench: Bench) -> Visitor:
    return sits(bench, "registrar", "register-administration")


@pytest.fixture
def differing(bench: Bench) -> int:
    """A run with one finding of each kind; its number."""
    theirs = both(bench, range(1, 8))
    theirs[2] = replace(theirs[2], sex="1")
    del theirs[3]
    theirs[70] = notice(70)
    return reconcile(bench, theirs.values()).run


def test_before_anything_is_planned_the_page_says_what_to_do(keeper: Visitor) -> None:
    page = keeper.goes(PATH)
    assert "実施予定の市区町村はありません。" in page.text
    assert "実施間隔の設定" in page.text
    assert "市町村CSから実施します" in page.text


@pytest.mark.requirement("R95")
def test_the_calendar_shows_what_the_operation_answers(bench: Bench, keeper: Visitor) -> None:
    reconcile(bench, [])
    asked = {"municipality_codes": [UTO], "every_days": 7}
    logged_in(bench).ask("reconcile/plan", asked)
    bench.now += timedelta(days=8)
    page = keeper.logs_in(bench, "OP-AGAIN", roles=("registrar",), purposes=()).goes(PATH)
    told = logged_in(bench).ask("reconcile/status", {}).data
    (compared, late) = told["municipalities"]
    assert (compared["age_days"], compared["overdue"], late["overdue"]) == (8, False, True)
    assert "八代市432024" in page.text
    assert "8日" in page.text
    assert "令和8年5月2日 (2026年5月2日)" in page.text
    assert "令和8年4月8日 (2026年4月8日) 期限超過" in page.text
    assert "1の市区町村が、整合性確認の期限を過ぎています。" in page.text
    assert page.text.count("期限超過") == told["overdue"]


@pytest.mark.requirement("R95")
def test_the_menu_says_how_many_are_overdue(bench: Bench) -> None:
    asked = {"municipality_codes": [UTO, YATSUSHIRO], "every_days": 7}
    logged_in(bench).ask("reconcile/plan", asked)
    bench.now += timedelta(days=30)
    menu = sits(bench, "registrar").goes("/screens/menu").text
    assert "整合性確認の期限を過ぎた市区町村" in menu
    assert "2件" in menu


@pytest.mark.requirement("R93")
def test_the_runs_of_a_period_are_listed_with_their_counts(
    bench: Bench, keeper: Visitor, differing: int
) -> None:
    page = keeper.presses(f"{PATH}/list", municipality_code=YATSUSHIRO, **PERIOD)
    told = (
        logged_in(bench).ask("reconcile/runs", {"since": "2026-01-01", "until": "2026-12-31"}).data
    )
    (run,) = told["runs"]
    counts = [run[n] for n in ("theirs", "ours", "differing", "missing_here", "missing_there")]
    assert "不一致あり " + " ".join(map(str, counts)) in page.text
    assert "令和8年1月1日 (2026年1月1日)から" in page.text
    assert "八代市" in page.text
    assert page.hidden("run") == [str(differing)]
    assert entries(bench, "reconcile/report") == []


def test_no_run_of_a_period_is_said_and_what_to_do(keeper: Visitor, differing: int) -> None:
    page = keeper.presses(f"{PATH}/list", municipality_code=UTO, **PERIOD)
    assert "該当する記録はありません。" in page.text
    assert "期間を広げるか" in page.text


def test_many_runs_are_listed_page_by_page(
    bench: Bench, keeper: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SCREENS, "RUNS_ON_A_PAGE", 2)
    for _ in range(3):
        reconcile(bench, [])
    first = keeper.presses(f"{PATH}/list", **PERIOD)
    assert first.hidden("run") == ["1", "2"]
    carried = {name: first.hidden(name)[0] for name in ("since", "until", "after")}
    rest = keeper.presses(f"{PATH}/list", **carried)
    assert rest.hidden("run") == ["3"]
    assert "続きを表示" not in rest.text


@pytest.mark.parametrize(
    ("typed", "told", "field"),
    [
        ({"since": ""}, "期間の始まりを入力してください。", "since"),
        ({"since": "きのう"}, "日付を読み取れません。", "since"),
        ({"until": "R7.1.1"}, "期間の始まりと同じか後の日にしてください。", "until"),
    ],
)
def test_a_period_that_cannot_be_is_told_beside_the_field(
    bench: Bench, keeper: Visitor, typed: dict[str, str], told: str, field: str
) -> None:
    page = keeper.presses(f"{PATH}/list", **{**PERIOD, **typed})
    assert told in page.text
    assert f'href="#f-{field}"' in page.markup
    assert entries(bench, "reconcile/runs") == []


@pytest.mark.requirement("R93")
def test_whom_a_run_was_about_is_shown_under_a_purpose(
    bench: Bench, keeper: Visitor, differing: int
) -> None:
    asks_why = keeper.presses(f"{PATH}/run", run=str(differing))
    assert "都道府県知事保存本人確認情報の管理に関する事務" in asks_why.markup
    page = keeper.presses(f"{PATH}/report", run=str(differing), **GROUND)
    told = logged_in(bench).ask("reconcile/report", {"run": differing}, **REPORTING).data
    assert len(told["findings"]) == 3
    for each, kind in ((2, "項目の不一致"), (3, "都道府県にのみ記録"), (70, "市町村にのみ記録")):
        assert f"{spaced(each)} {kind}" in page.text
    assert f"{spaced(2)} 項目の不一致 性別" in page.text
    assert f"{spaced(70)} 市町村にのみ記録 記録なし" in page.text
    for text in (told["text"], *(each["text"] for each in told["findings"])):
        assert text in page.text
    assert 'class="watermark"' in page.markup
    assert "熊本　花子" not in page.text
    entry = entries(bench, "reconcile/report")[0]
    assert (entry.purpose, entry.reason, entry.case_number) == (
        "register-administration",
        "03",
        "2026-15",
    )


def test_whom_a_run_was_about_is_shown_page_by_page(
    keeper: Visitor, differing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SCREENS, "FOUND_ON_A_PAGE", 2)
    first = keeper.presses(f"{PATH}/report", run=str(differing), **GROUND)
    carried = {name: first.hidden(name)[0] for name in ("run", "ground", "case", "after")}
    rest = keeper.presses(f"{PATH}/report", **carried)
    shown = [{each for each in (2, 3, 70) if spaced(each) in p.text} for p in (first, rest)]
    assert [len(each) for each in shown] == [2, 1]
    assert shown[0] | shown[1] == {2, 3, 70}
    assert rest.hidden("after") == []


@pytest.mark.requirement("R94")
def test_likely_pairs_are_shown_as_likely(bench: Bench, keeper: Visitor) -> None:
    theirs = both(bench, range(1, 4))
    theirs[2] = replace(theirs[2], resident_code=code(80))
    run = reconcile(bench, theirs.values()).run
    page = keeper.presses(f"{PATH}/report", run=str(run), **GROUND)
    assert "同一人の可能性がある組" in page.text
    assert f"{spaced(80)}{spaced(2)}" in page.text.replace(f"{spaced(80)} ", spaced(80))
    assert "これだけで同一人とは判断できません" in page.text


def test_a_protected_resident_is_not_named(tmp_path: Path) -> None:
    with at_work(tmp_path) as office:
        office.mark(1)
        run = reconcile(office.bench, []).run
        visitor = Visitor.at(office.bench, "TERM-0004")
        visitor.logs_in(
            office.bench, "OP-K", roles=("registrar",), purposes=(GROUND["ground"][:-3],)
        )
        page = visitor.presses(f"{PATH}/report", run=str(run), **GROUND)
        assert "表示できません 都道府県にのみ記録" in page.text
        assert spaced(1) not in page.text
        assert spaced(3) in page.text


def test_a_pair_with_a_protected_resident_is_not_told(tmp_path: Path) -> None:
    with at_work(tmp_path) as office:
        office.mark(1)
        theirs = [replace(notice(1), resident_code=code(80))]
        outcome = reconcile(office.bench, theirs)
        assert [pair["kept"] for pair in outcome.pairs] == [code(1)]
        told = office.registrar.ask("reconcile/report", {"run": outcome.run}, **REPORTING).data
        assert told["pairs"] == ()
        assert code(1) not in str(told)


@pytest.mark.requirement("R94")
def test_whoever_is_shown_in_a_pair_is_in_the_ledger(bench: Bench) -> None:
    theirs = both(bench, range(1, 4))
    theirs[2] = replace(theirs[2], resident_code=code(80))
    run = reconcile(bench, theirs.values()).run
    seat = logged_in(bench)
    last = seat.ask("reconcile/report", {"run": run}, **REPORTING).data["next"]
    assert last is None
    asked = {"run": run, "after": "~"}
    told = seat.ask("reconcile/report", asked, **REPORTING).data
    assert (told["findings"], len(told["pairs"])) == ((), 1)
    assert len(entries(bench, "reconcile/report")[-1].subjects) == 1


def test_a_run_that_agreed_or_goes_on_says_so(bench: Bench, keeper: Visitor) -> None:
    agreed = reconcile(bench, both(bench, [1]).values()).run
    page = keeper.presses(f"{PATH}/report", run=str(agreed), **GROUND)
    assert "すべて一致したため、必要な作業はありません。" in page.text
    run = begun(bench.municipality(YATSUSHIRO))["run"]
    page = keeper.presses(f"{PATH}/report", run=str(run), **GROUND)
    assert "実施中" in page.text
    assert "終わってからもう一度表示してください。" in page.text


def test_a_report_without_a_ground_is_asked_for_again_on_its_page(
    bench: Bench, keeper: Visitor, differing: int
) -> None:
    page = keeper.presses(f"{PATH}/report", run=str(differing), ground="", case="")
    assert "利用する事務と利用事由を入力してください。" in page.text
    assert page.hidden("run") == [str(differing)]
    assert entries(bench, "reconcile/report") == []


def test_a_run_that_is_not_there_is_said(keeper: Visitor) -> None:
    page = keeper.presses(f"{PATH}/report", run="9", **GROUND)
    assert 'class="banner wrong summary"' in page.markup
    assert "この番号の登録はありません。" in page.text


@pytest.mark.requirement("R95")
def test_the_calendar_is_planned_for_one_or_for_all(bench: Bench, keeper: Visitor) -> None:
    page = keeper.presses(f"{PATH}/plan", place=YATSUSHIRO, every_days="７")
    assert "八代市の実施間隔を7日に設定しました。" in page.text
    page = keeper.presses(f"{PATH}/plan", place="all", every_days="31")
    assert "すべての市区町村の実施間隔を31日に設定しました。" in page.text
    rows = logged_in(bench).ask("reconcile/status", {}).data["municipalities"]
    codes = {row["municipality_code"] for row in rows}
    assert len(codes) == 45
    assert "431001" in codes
    assert "431010" not in codes
    assert {row["every_days"] for row in rows} == {31}


def test_a_municipality_is_taken_out_only_when_somebody_is_sure(
    bench: Bench, keeper: Visitor
) -> None:
    keeper.presses(f"{PATH}/plan", place=YATSUSHIRO, every_days="7")
    page = keeper.presses(f"{PATH}/take-out", out=YATSUSHIRO)
    assert "確認欄にチェックを付けてください。" in page.text
    page = keeper.presses(f"{PATH}/take-out", out=YATSUSHIRO, sure="1")
    assert "八代市を実施予定から外しました。" in page.text
    assert logged_in(bench).ask("reconcile/status", {}).data["municipalities"] == ()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"place": "", "every_days": "7"}, "市区町村を入力してください。"),
        ({"place": YATSUSHIRO, "every_days": "0"}, "1以上の日数を入力してください。"),
        ({"place": YATSUSHIRO, "every_days": "毎日"}, "数字で入力してください。"),
        ({"place": YATSUSHIRO, "every_days": "400"}, "実施間隔"),
    ],
)
def test_a_plan_that_cannot_be_is_told_and_changes_nothing(
    bench: Bench, keeper: Visitor, typed: dict[str, str], told: str
) -> None:
    page = keeper.presses(f"{PATH}/plan", **typed)
    assert 'class="banner wrong summary"' in page.markup
    assert told in page.text
    assert logged_in(bench).ask("reconcile/status", {}).data["municipalities"] == ()


def test_an_administrator_sees_the_calendar_and_nothing_else(bench: Bench, differing: int) -> None:
    admin = sits(bench, "system-administrator")
    page = admin.goes(PATH)
    assert "八代市" in page.text
    assert "実施結果を調べる" not in page.text
    assert "実施間隔の設定" not in page.text
    assert "内訳" not in page.markup
    for act in ("list", "report", "plan"):
        refused = admin.presses(f"{PATH}/{act}", run="1", place=UTO, every_days="7", **PERIOD)
        assert spaced(2) not in refused.text
        assert 'class="banner wrong summary"' in refused.markup


def test_whoever_has_nothing_to_do_with_it_has_no_such_screen(bench: Bench) -> None:
    clerk = sits(bench, "clerk", "prefectural-tax")
    assert "整合性確認" not in clerk.goes("/screens/menu").text
    assert clerk.goes(PATH).status == 403
    assert [e.refusal for e in entries(bench, "reconcile/status")] == ["not-permitted"]


def test_nobody_stands_in_a_path_or_a_title(keeper: Visitor, differing: int) -> None:
    page = keeper.presses(f"{PATH}/report", run=str(differing), **GROUND)
    title = page.markup.partition("<title>")[2].partition("</title>")[0]
    for which in (2, 3, 70):
        assert code(which) not in page.path
        assert code(which) not in title.replace(" ", "")
