"""What an auditor and a セキュリティ責任者 do at a browser by keyboard alone, page by page.

Every page is held against WCAG 2.2 AA, and none does what its policy forbids.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from appliance.model import JST
from tests.accessibility import axe
from tests.browser import Browser
from tests.machine import PIN, accepted
from tests.plugins.people import code
from tests.town import HANAKO, TERMINAL, Town, at_the_terminal, no_violations, town

PEOPLE = {"OP-0100": ["clerk"], "OP-0003": ["auditor"], "OP-0200": ["security-officer"]}
FOR_TAX = {"purpose": "prefectural-tax", "reason": "01"}
LAST_MONTH = (datetime.now(UTC).astimezone(JST).replace(day=1) - timedelta(days=1)).date()
MOST_TABS = 60


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose clerk looked at somebody, and wrote down what he never did last month."""
    with town(tmp_path_factory.mktemp("town") / "machine", PEOPLE) as served:
        terminal = served.machine.terminal(TERMINAL)
        terminal.login("OP-0100", PIN)
        accepted(terminal.call("search/find", {"name": HANAKO}, **FOR_TAX))
        line = {"day": LAST_MONTH.isoformat(), "begins": "10:00", "operator": "OP-0100", **FOR_TAX}
        key = {"idempotency_key": "a-line-of-last-month"}
        accepted(terminal.call("usebook/enter", {**line, "count": 1}, **key))
        terminal.close()
        yield served


def tabs_to(page: Browser, name: str) -> None:
    """Go on with Tab until something has the focus, by its name or its text."""
    for _ in range(MOST_TABS):
        if page.focused() == name:
            return
        page.keys(Keys.TAB)
    raise AssertionError(f"{name!r} is not reached; the focus is on {page.focused()!r}")


def sees(page: Browser, text: str) -> None:
    """See a page that says something, and against which there is nothing to be said."""
    page.sees(text)
    assert [(each.rule, each.places) for each in axe(page.driver)] == []


@pytest.mark.requirement("R134", "R136")
def test_an_auditor_prints_who_looked_at_a_person_by_keyboard_alone(
    served: Town, tmp_path: Path
) -> None:
    with at_the_terminal(served, tmp_path, "OP-0003") as page:
        page.complaints(), page.requests()
        page.goes_to("/screens/ledger/operations")
        sees(page, "記録の連鎖の状態")
        page.goes_to("/screens/watching/flags")
        sees(page, "未判定の検知はありません。")
        page.goes_to("/screens/ledger/person")
        sees(page, "対象の方と期間")
        page.chord(Keys.ALT, "1")
        assert page.focused() == "resident_code"
        page.keys(*code(1), Keys.ENTER)
        sees(page, f"末尾4桁が{code(1)[-4:]}の方")
        assert page.focused() == "利用記録の一覧"
        page.keys(Keys.ARROW_DOWN)
        assert page.focused() == "開く"
        page.keys(Keys.ENTER)
        sees(page, "入力された条件")
        page.driver.back()
        page.sees("本人に渡す書面")
        tabs_to(page, "書面を作成")
        page.keys(Keys.ENTER)
        page.sees("印刷は、下の枠の印刷ボタンで行います。")
        assert code(1) not in page.driver.current_url + page.driver.title
        no_violations(page)


@pytest.mark.requirement("R136", "R137")
def test_an_officer_closes_a_month_by_keyboard_alone(served: Town, tmp_path: Path) -> None:
    with at_the_terminal(served, tmp_path, "OP-0200") as page:
        page.complaints(), page.requests()
        page.goes_to("/screens/usebook/matching")
        sees(page, "突合していません")
        page.keys(Keys.ARROW_DOWN)
        assert page.focused() == "開く"
        page.keys(Keys.ENTER)
        sees(page, "まだ突合していません。")
        tabs_to(page, "突合")
        page.keys(Keys.ENTER)
        sees(page, "操作履歴に記録なし 1件")
        page.keys(Keys.ARROW_DOWN, Keys.ENTER)
        sees(page, "理由を記録する")
        tabs_to(page, "reason")
        page.keys(*"誤記。本人に確認した。", Keys.ENTER)
        sees(page, "この月を締める")
        tabs_to(page, "締める")
        page.keys(Keys.ENTER)
        sees(page, "確認欄にチェックを入れてください。")
        tabs_to(page, "confirmed")
        page.keys(Keys.SPACE)
        tabs_to(page, "締める")
        page.keys(Keys.ENTER)
        sees(page, "を締めました。")
        tabs_to(page, "月次確認書を作成")
        page.keys(Keys.ENTER)
        page.sees("印刷は、下の枠の印刷ボタンで行います。")
        no_violations(page)


@pytest.mark.requirement("R136")
def test_a_clerk_writes_in_the_book_by_keyboard_alone(served: Town, tmp_path: Path) -> None:
    with at_the_terminal(served, tmp_path) as page:
        page.complaints(), page.requests()
        page.goes_to("/screens/usebook/book")
        sees(page, "1行を記入する")
        tabs_to(page, "begins")
        page.keys(*"0:00")
        tabs_to(page, "use")
        page.keys(*"県税", Keys.ARROW_DOWN)
        tabs_to(page, "count")
        page.keys(*"1", Keys.ENTER)
        sees(page, "行番号1で記入しました。")
        page.keys(Keys.ARROW_DOWN, Keys.ENTER)
        sees(page, "訂正する")
        no_violations(page)
