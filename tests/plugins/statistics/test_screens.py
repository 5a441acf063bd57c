"""統計 as a statistician sees it at a terminal: what the operations tell, in words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.testing import Bench
from plugins import statistics
from plugins.statistics.wording import age, period
from tests.plugins.people import UTO, YATSUSHIRO, admit, shipped_policy
from tests.plugins.statistics.test_statistics import add
from tests.screens import Visitor

pytestmark = pytest.mark.requirement("R171", "R172")

POPULATION = "/screens/statistics/population"
UPDATES = "/screens/statistics/updates"
PROVISIONS = "/screens/statistics/provisions"
RECOUNTS = "/screens/statistics/recounts"
EVERY = (POPULATION, UPDATES, PROVISIONS, RECOUNTS)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"statistics": statistics}, shipped_policy()) as bench:
        yield bench


def of_role(bench: Bench, role: str = "statistician") -> Visitor:
    return Visitor.at(bench).logs_in(bench, roles=(role,), purposes=())


def crowd(bench: Bench, count: int, begin: int = 1, **items: Any) -> None:
    for which in range(begin, begin + count):
        admit(bench, which, **items)


def told(bench: Bench, name: str, **body: Any) -> dict[str, Any]:
    clerk = bench.clerk(roles=("statistician",), purposes=())
    return dict(clerk.ask(f"statistics/{name}", body).data)


@pytest.mark.parametrize("path", EVERY[:3])
def test_where_nothing_is_counted_it_is_said_what_to_do(bench: Bench, path: str) -> None:
    page = of_role(bench).goes(path)
    assert page.status == 200
    assert "該当する記録はありません。" in page.text
    assert "期間又は集計の区分を変えて表示してください。" in page.text


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize("role", ["clerk", "auditor", "system-administrator"])
def test_who_is_no_statistician_has_no_such_entry(bench: Bench, path: str, role: str) -> None:
    visitor = of_role(bench, role)
    assert path not in visitor.goes("/screens/menu").markup
    assert visitor.goes(path).status == 403


def test_residents_are_shown_by_age_with_the_sexes_side_by_side(bench: Bench) -> None:
    crowd(bench, 20)
    crowd(bench, 10, 100, municipality_code=UTO, sex="1", birth_date="2020-01-01")
    page = of_role(bench).goes(POPULATION)
    assert "令和8年4月1日 (2026年4月1日) 現在 合計 30人" in page.text
    assert "年齢(5歳階級) 男 女 計" in page.text.replace("男女計", "男 女 計").replace(
        ")男", ") 男"
    )
    assert "5〜9歳10010" in page.text
    assert "35〜39歳02020" in page.text
    assert "10単位に丸めています。" in page.text
    assert 'class="plot"' in page.markup


def test_a_table_by_municipality_has_its_name_and_the_numbers_of_the_operation(
    bench: Bench,
) -> None:
    crowd(bench, 20)
    crowd(bench, 10, 100, municipality_code=UTO)
    answer = told(bench, "population", by=["municipality"])
    page = of_role(bench).presses(f"{POPULATION}/table", by="municipality")
    assert [row["count"] for row in answer["rows"]] == [20, 10]
    assert answer["names"]["municipality"][UTO] == "宇土市"
    for row in answer["rows"]:
        name = answer["names"]["municipality"][row["of"]["municipality"]]
        assert f"{name}{row['count']}" in page.text
    assert 'value="municipality" checked' in page.markup
    assert 'value="age" checked' not in page.markup


def test_updates_of_a_month_are_asked_for_in_the_japanese_calendar(bench: Bench) -> None:
    add(bench, {f"update/2026-03/{YATSUSHIRO}/22": 30, f"update/2026-02/{YATSUSHIRO}/22": 40})
    page = of_role(bench).presses(f"{UPDATES}/table", by="reason", period="令和８年３月")
    assert "令和8年3月 (2026年3月) 合計 30件" in page.text
    assert bench.ledger()[-1].conditions["period"] == "2026-03"
    year = of_role(bench).presses(f"{UPDATES}/table", by="month", period="令和8年")
    assert "令和8年 (2026年) 合計 70件" in year.text
    assert "令和8年2月 (2026年2月)40" in year.text
    assert "令和8年 (2026年) 合計 70件" in of_role(bench).goes(UPDATES).text


def test_provisions_are_shown_by_what_the_policy_calls_the_purpose(bench: Bench) -> None:
    name = "provision/2026-03/prefectural-tax/県税事務所"
    add(bench, {f"{name}/inquire/one": 20, f"{name}/verify/none": 10})
    page = of_role(bench).presses(f"{PROVISIONS}/table", by=["purpose", "method"], period="2026-03")
    assert "県税の賦課徴収に関する事務201030" in page.text
    assert "即時提供" in page.text
    assert "照合" in page.text


@pytest.mark.parametrize(
    ("path", "typed", "told"),
    [
        (POPULATION, {"by": "", "period": ""}, "集計の区分を1つ以上選んでください。"),
        (POPULATION, {"by": "sex", "period": "2026"}, "年月を入力してください。"),
        (POPULATION, {"by": "sex", "period": "きのう"}, "年又は年月を読み取れません。"),
        (UPDATES, {"by": "month", "period": ""}, "年又は年月を入力してください。"),
        (PROVISIONS, {"by": "month", "period": "202604"}, "年又は年月を読み取れません。"),
    ],
)
def test_what_cannot_be_read_is_told_beside_its_field_and_nothing_is_asked(
    bench: Bench, path: str, typed: dict[str, str], told: str
) -> None:
    visitor = of_role(bench)
    before = len(bench.ledger())
    page = visitor.presses(f"{path}/table", **typed)
    assert told in page.text
    assert f'value="{typed["period"]}"' in page.markup
    assert "合計" not in page.text
    assert len(bench.ledger()) == before


def test_a_month_that_was_not_kept_is_refused_on_the_page(bench: Bench) -> None:
    page = of_role(bench).presses(f"{POPULATION}/table", by="sex", period="令和2年4月")
    assert 'class="banner wrong summary"' in page.markup
    assert "人口" in page.text
    assert 'value="令和2年4月"' in page.markup


def test_a_table_is_saved_as_the_csv_of_the_operation(bench: Bench) -> None:
    crowd(bench, 20)
    answer = told(bench, "population", by=["municipality"], format="csv")
    saved = of_role(bench).presses(f"{POPULATION}/table", by="municipality", format="csv")
    assert saved.body.decode() == answer["csv"]
    disposition = saved.headers["Content-Disposition"]
    assert disposition == 'attachment; filename="population-2026-04-01.csv"'


def test_a_long_table_says_where_the_rest_is(bench: Bench) -> None:
    towns = {f"update/2026-03/{number:06}/22": 10 for number in range(1, 1003)}
    add(bench, towns)
    page = of_role(bench).presses(f"{UPDATES}/table", by="municipality", period="2026-03")
    assert "1002行" in page.text
    assert "はじめの1000行を表示しています。" in page.text
    assert 'class="plot"' not in page.markup


def test_the_recounts_are_shown_the_newest_first(bench: Bench) -> None:
    statistician = of_role(bench)
    assert "システム管理者に依頼してください。" in statistician.goes(RECOUNTS).text
    crowd(bench, 3)
    bench.work()
    page = of_role(bench).goes(RECOUNTS)
    (recount,) = told(bench, "recounts")["recounts"]
    assert recount["persons"] == 3
    assert "再集計の結果 1回" in page.text
    assert "令和8年4月1日 (2026年4月1日)一致3" in page.text


def test_a_recount_that_differs_is_said_above_everything(bench: Bench) -> None:
    crowd(bench, 3)
    add(bench, {f"population/{YATSUSHIRO}/1980-05/2": 7})
    bench.work()
    page = of_role(bench).goes(RECOUNTS)
    assert "集計値と一致しませんでした。" in page.text
    assert "不一致" in page.text


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("2026", "令和8年 (2026年)"),
        ("2026-04", "令和8年4月 (2026年4月)"),
        ("2026-04-01", "令和8年4月1日 (2026年4月1日)"),
        ("2019-04", "平成31年4月 (2019年4月)"),
        ("2019-05", "令和元年5月 (2019年5月)"),
    ],
)
def test_a_period_is_read_in_both_calendars(told: str, read: str) -> None:
    assert period(told) == read


@pytest.mark.parametrize(
    ("told", "read"),
    [("000-004", "0〜4歳"), ("095-099", "95〜99歳"), ("100-", "100歳以上"), ("不詳", "不詳")],
)
def test_a_class_of_age_is_read_as_years(told: str, read: str) -> None:
    assert age(told) == read
