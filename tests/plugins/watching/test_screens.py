"""利用状況・監査 as an auditor and a セキュリティ責任者 see it."""

import re

import pytest

from tests.plugins.people import YATSUSHIRO, code, number
from tests.plugins.update.making import wire
from tests.plugins.watching.office import FOR_TAX, Watched
from tests.screens import Seen, Visitor

PATH = "/screens/watching/uses"
BORN = {"birth_date": "1990-04-05"}
OTHERS = "福祉事務所"
TITLES = (
    *("日ごとの利用件数", "操作者と時刻", "使用簿の突合", "複数の操作者が閲覧した者"),
    *("閲覧のみの割合", "検索の広さ", "操作の時系列", "更新の遅れ"),
    *("整合性確認の差異", "認証の方法と失敗", "端末ごとの利用", "年度ごとの利用"),
)
OF_AN_AUDITOR = ("整合性確認の差異", "年度ごとの利用")
PERIOD = {"since": "R8.4.1", "until": "2026-04-06"}


@pytest.fixture
def busy(watched: Watched) -> Watched:
    """Two offices look at one resident on a Monday, and a night has counted it."""
    watched.resident(1, "熊本　花子", "くまもと　はなこ")
    cs = watched.bench.municipality(YATSUSHIRO)
    moved = wire(resident_code=code(2), my_number=number(2), effective_date="2026-03-30")
    told = cs.ask("update/notify", {"notifications": [moved]}).data
    assert [each["outcome"] for each in told["results"]] == ["applied"]
    for which, office in ((1, "県税事務所"), (2, OTHERS)):
        watched.look(watched.clerk(which, office), f"R8-{which}", name="熊本　花子", **BORN)
    asked = {"by": {"name": "熊本　花子", **BORN}, "items": ["address"]}
    watched.clerk(1).ask("provision/inquire", asked, **FOR_TAX, case_number="R8-1")
    watched.days_later(5)
    watched.night()
    return watched


def sits(watched: Watched, role: str, office: str = "監査室") -> Visitor:
    visitor = Visitor.at(watched.bench, "TERM-0100")
    named = {"roles": (role,), "purposes": (), "office": office}
    return visitor.logs_in(watched.bench, f"OP-{role.upper()}", **named)


def titles(page: Seen) -> list[str]:
    return re.findall(r'<h2 id="plot-[0-9]+">[0-9]+\. ([^<]+)</h2>', page.markup)


def asked_for(watched: Watched, operation: str) -> list[dict[str, object]]:
    entries = [each for each in watched.bench.ledger() if each.operation == operation]
    return [dict(each.conditions) for each in entries]


@pytest.mark.requirement("R137", "R138")
def test_an_auditor_sees_twelve_plots_each_with_its_table(busy: Watched) -> None:
    page = sits(busy, "auditor").presses(f"{PATH}/choose", **PERIOD)
    assert page.status == 200
    assert titles(page) == list(TITLES)
    drawn = page.markup.count("<svg xmlns")
    assert drawn == 14
    assert page.markup.count("表で見る") == drawn
    assert "全ての所属" in page.text
    assert "P-OP-0002(福祉事務所) 10 2件" in page.text


def test_what_is_shown_is_what_the_operations_answer(busy: Watched) -> None:
    page = sits(busy, "auditor").presses(f"{PATH}/choose", **PERIOD)
    auditor = busy.auditor()
    told = auditor.ask("watching/uses", {"since": "2026-04-01", "until": "2026-04-06"}).data
    for person in told["persons"]:
        looks = f"{person['looked_only']}/{person['looks']}件"
        assert f"{person['person']}({person['office']})" in page.text
        assert looks in page.text
    (update,) = told["updates"]
    assert update["lags"] == {7: 1}
    assert "中央値7日" in page.text
    week = {"since": "2026-04-01", "until": "2026-04-06"}
    (seen,) = auditor.ask("watching/week", week).data["residents"]
    assert f"操作履歴 {seen['index']}番 2人" in page.text
    for word in ("熊本　花子", "くまもと", "1990-04-05", "R8-1"):
        assert word not in page.text


def test_the_first_look_is_at_the_last_four_weeks(busy: Watched) -> None:
    page = sits(busy, "auditor").goes(PATH)
    assert page.status == 200
    assert titles(page) == list(TITLES)
    assert asked_for(busy, "watching/uses") == [{"since": "2026-03-14", "until": "2026-04-10"}]
    assert asked_for(busy, "watching/week") == [{"since": "2026-04-04", "until": "2026-04-10"}]


def test_an_officer_sees_his_own_office_and_what_he_may_ask_for(busy: Watched) -> None:
    officer = sits(busy, "security-officer", OTHERS)
    page = officer.presses(f"{PATH}/choose", **PERIOD)
    assert titles(page) == [title for title in TITLES if title not in OF_AN_AUDITOR]
    assert "P-OP-0002(福祉事務所)" in page.text
    assert "P-OP-0001" not in page.text
    refused = officer.presses(f"{PATH}/choose", office="県税事務所", **PERIOD)
    assert "他の所属の利用状況は閲覧できません" in refused.text
    assert titles(refused) == []
    assert 'value="県税事務所"' in refused.markup


def test_the_entries_of_one_person_are_shown_in_time(busy: Watched) -> None:
    auditor = sits(busy, "auditor")
    page = auditor.presses(f"{PATH}/choose", person="P-OP-0001", **PERIOD)
    assert "P-OP-0001 の操作" in page.text
    assert re.search(r"2026-04-06 10:00:00 ?検索 ?search/find\([0-9]+番、TERM-0001\)", page.text)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"since": "", "until": "2026-04-06"}, "期間の始まりを入力してください。"),
        ({"since": "きのう", "until": "2026-04-06"}, "日付を読み取れません。"),
        ({"since": "2026-04-07", "until": "2026-04-06"}, "始まりと同じか後の日にしてください。"),
        ({"since": "2020-04-07", "until": "2026-04-06"}, "一度に表示できるのは400日間です。"),
    ],
)
def test_a_period_that_cannot_be_shown_is_told_beside_the_form(
    watched: Watched, typed: dict[str, str], told: str
) -> None:
    page = sits(watched, "auditor").presses(f"{PATH}/choose", **typed)
    assert told in page.text
    assert titles(page) == []
    assert f'name="since" type="text" class="short" value="{typed["since"]}' in page.markup


def test_before_anything_was_counted_the_page_says_when_to_come_back(watched: Watched) -> None:
    page = sits(watched, "auditor").goes(PATH)
    assert "明日以降に確認してください。" in page.text
    assert page.text.count("記録がありません。") == 14


def test_whoever_does_not_audit_has_no_such_screen(watched: Watched) -> None:
    clerk = sits(watched, "clerk")
    assert "利用状況・監査" not in clerk.goes("/screens/menu").text
    assert clerk.goes(PATH).status == 403
    entry = watched.bench.ledger()[-1]
    assert (entry.operation, entry.refusal) == ("watching/uses", "not-permitted")


def test_nothing_on_the_page_is_styled_or_scripted_inline(busy: Watched) -> None:
    page = sits(busy, "auditor").presses(f"{PATH}/choose", **PERIOD)
    assert not re.search(r"<style|<script(?! src)| style=| on[a-z]+=", page.markup)
    ids = re.findall(r' id="([^"]+)"', page.markup)
    assert len(ids) == len(set(ids))
