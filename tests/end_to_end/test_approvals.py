"""承認 in a real browser: the second person agrees, the first goes on, axe-core finds nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from tests.accessibility import axe
from tests.browser import Browser
from tests.machine import PIN, accepted
from tests.town import Town, at_the_terminal, no_violations, town

DESK = "/screens/approval/desk"
ASKER, OFFICER = "P-0001", "OP-9001"
NEW = {
    "operator_id": "OP-0200",
    "office": "試験",
    "roles": ["clerk"],
    "purposes": ["prefectural-tax"],
    "holders": ["P-0100"],
    "expires_on": "2099-03-31",
    "form": "操作者付-7",
}
WANTED = {
    "operation": "roster/add-operator",
    "arguments": NEW,
    "form": "申請-12",
    "reason": "4月の異動",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town") / "machine"
    with town(folder, {"OP-0100": ["clerk"]}) as served:
        administrator = served.machine.administrator()
        key = "asked-for-by-the-keeper"
        accepted(administrator.call("approval/request", WANTED, idempotency_key=key))
        for somebody in (administrator, served.machine.officer()):
            somebody.logout()
            somebody.close()
        yield served


def test_the_second_person_agrees_at_a_browser_and_the_first_goes_on(
    served: Town, tmp_path: Path
) -> None:
    with at_the_terminal(served, tmp_path, OFFICER) as page:
        page.complaints(), page.requests()
        sees(page, "あなたの承認を待っている申請")
        page.goes_to(DESK)
        sees(page, "あなたが承認できる申請 1件")
        presses(page, "開く")
        sees(page, "操作者 (clerk)")
        presses(page, "承認する")
        sees(page, "申請書と照合し、印を付けてから承認してください。")
        ticks(page, "compared")
        presses(page, "承認する")
        sees(page, "承認しました。")
        page.presses("leave")
        page.sees("操作者認証")

        page.logs_in(ASKER, PIN)
        sees(page, "承認され、あなたの実行を待っている申請")
        page.goes_to(DESK)
        presses(page, "開く")
        sees(page, "承認された内容で実行する")
        ticks(page, "meant")
        presses(page, "実行")
        sees(page, "操作者IDの付与を実行しました。")
        page.driver.set_window_size(480, 900)
        assert axe(page.driver) == []
        page.goes_to(DESK)
        sees(page, "実行済み")
        no_violations(page)


def sees(page: Browser, text: str) -> None:
    """Wait until a page shows this, and hold it against WCAG as it is then."""
    page.sees(text)
    assert [(each.rule, each.places) for each in axe(page.driver)] == []


def presses(page: Browser, label: str) -> None:
    """Press the button of this text."""
    page.driver.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()


def ticks(page: Browser, name: str) -> None:
    page.driver.find_element(By.NAME, name).click()
