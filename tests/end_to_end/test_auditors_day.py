"""What an auditor and a セキュリティ責任者 do in a real browser by keyboard alone.

Every page is held against WCAG 2.2 AA and its own policy.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from appliance.model import JST
from tests.browser import Browser
from tests.keyboard import FRAMES, Keyboard
from tests.machine import PIN, accepted
from tests.plugins.people import code
from tests.town import HANAKO, TERMINAL, Town, at_the_terminal, town

CLERK, AUDITOR, OFFICER = "OP-0100", "OP-0003", "OP-0200"
PEOPLE = {CLERK: ["clerk"], AUDITOR: ["auditor"], OFFICER: ["security-officer"]}
FOR_TAX = {"purpose": "prefectural-tax", "reason": "01"}
LAST_MONTH = (datetime.now(UTC).astimezone(JST).replace(day=1) - timedelta(days=1)).date()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose clerk looked at somebody, and wrote down what he never did last month."""
    with town(tmp_path_factory.mktemp("town") / "machine", PEOPLE) as served:
        terminal = served.machine.terminal(TERMINAL)
        terminal.login(CLERK, PIN)
        accepted(terminal.call("search/find", {"name": HANAKO}, **FOR_TAX))
        line = {"day": LAST_MONTH.isoformat(), "begins": "10:00", "operator": CLERK, **FOR_TAX}
        key = {"idempotency_key": "a-line-of-last-month"}
        accepted(terminal.call("usebook/enter", {**line, "count": 1}, **key))
        terminal.close()
        yield served


@pytest.fixture(scope="module")
def page(served: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with at_the_terminal(served, tmp_path_factory.mktemp("browser"), AUDITOR) as page:
        yield page


@pytest.fixture
def auditor(page: Browser) -> Keyboard:
    page.logs_in(AUDITOR.replace("OP", "P"), PIN)
    return Keyboard(page)


@pytest.fixture
def officer(page: Browser) -> Keyboard:
    page.logs_in(OFFICER.replace("OP", "P"), PIN)
    return Keyboard(page)


@pytest.mark.requirement("R134")
def test_an_auditor_looks_at_the_plots_and_at_the_figures_below_one(auditor: Keyboard) -> None:
    auditor.opens("利用状況・監査")
    auditor.sees("表示する範囲")
    auditor.enters(person="P-0100")
    auditor.sees("操作の時系列")
    auditor.presses("表で見る")
    table = auditor.page.driver.find_element(By.CSS_SELECTOR, "figure details > :nth-child(2)")
    assert table.is_displayed()
    auditor.sees("表で見る")
    plots = auditor.page.driver.find_elements(By.CSS_SELECTOR, "figure svg[role=img]")
    assert len(plots) == len(auditor.page.driver.find_elements(By.TAG_NAME, "figure")) > 0


@pytest.mark.requirement("R134", "R136")
def test_an_auditor_prints_who_looked_at_a_person(auditor: Keyboard) -> None:
    auditor.opens("本人確認情報利用記録")
    auditor.sees("対象の方と期間")
    auditor.page.chord(Keys.ALT, "1")
    assert auditor.page.focused() == "resident_code"
    auditor.page.keys(code(1), Keys.ENTER)
    auditor.sees(f"末尾4桁が{code(1)[-4:]}の方")
    assert auditor.page.focused() == "利用記録の一覧"
    auditor.page.keys(Keys.ARROW_DOWN)
    assert auditor.page.focused() == "開く"
    auditor.page.keys(Keys.ENTER)
    auditor.sees("入力された条件")
    auditor.goes_back()
    auditor.sees("本人に渡す書面")
    auditor.presses("書面を作成")
    auditor.sees(FRAMES)
    assert code(1) not in auditor.page.driver.current_url + auditor.page.driver.title


@pytest.mark.requirement("R136", "R137")
def test_an_officer_matches_a_month_and_closes_it(officer: Keyboard) -> None:
    officer.opens("使用簿突合")
    officer.sees("突合していません")
    officer.opens_row()
    officer.sees("まだ突合していません。")
    officer.presses("突合")
    officer.sees("操作履歴に記録なし 1件")
    officer.opens_row()
    officer.sees("理由を記録する")
    officer.enters(reason="誤記。本人に確認した。")
    officer.sees("この月を締める")
    officer.presses("締める")
    officer.sees("確認欄にチェックを入れてください。")
    officer.ticks("confirmed")
    officer.presses("締める")
    officer.sees("を締めました。")
    officer.presses("月次確認書を作成")
    officer.sees(FRAMES)
