"""提供・移転 in a real browser, by keyboard alone: a file and its result, a person, the reports."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from appliance.media import new_key, open_sealed, seal_for, unframed
from tests.accessibility import axe
from tests.browser import Browser
from tests.machine import PIN, accepted
from tests.plugins.people import code, number
from tests.plugins.provision.desks import by_number, inquiry
from tests.town import HANAKO, RESIDENTS, Town, at_the_terminal, no_violations, town
from tests.waiting import until

OPERATOR, APPROVER, REGISTRAR = "OP-0100", "OP-0200", "OP-0300"
PEOPLE = {
    OPERATOR: ["media-operator"],
    APPROVER: ["media-approver"],
    REGISTRAR: ["registrar"],
}
BULK, INQUIRE = "/screens/provision/bulk", "/screens/provision/inquire"
ROWS = 5_000
"""Some seconds of work: long enough to be seen under way."""
MOST_TABS = 80


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town") / "machine", PEOPLE) as served:
        yield served


@pytest.fixture(scope="module")
def page(served: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with at_the_terminal(served, tmp_path_factory.mktemp("browser"), OPERATOR) as page:
        page.complaints(), page.requests()
        yield page
        no_violations(page)


def sits_down(page: Browser, operator: str) -> None:
    page.logs_in(operator.replace("OP", "P"), PIN)


def tabs_to(page: Browser, name: str) -> None:
    """Go on by Tab to the field or the button of this name."""
    for _ in range(MOST_TABS):
        page.keys(Keys.TAB)
        if page.focused() == name:
            return
    raise AssertionError(f"no way by Tab to {name!r}")


def fills(page: Browser, name: str, text: str) -> None:
    tabs_to(page, name)
    page.keys(*text)


def presses(page: Browser, button: str) -> None:
    tabs_to(page, button)
    page.keys(Keys.ENTER)


def chooses(page: Browser, name: str, label: str) -> None:
    """Choose in a list by what its entry begins with."""
    fills(page, name, label)
    field = Select(page.driver.find_element(By.ID, f"f-{name}"))
    if not field.first_selected_option.get_attribute("value"):
        page.keys(Keys.ARROW_DOWN)


def is_fine(page: Browser) -> None:
    assert axe(page.driver) == [], page.driver.title


def states_the_ground(page: Browser, path: str) -> None:
    page.goes_to(path)
    page.sees("利用の根拠")
    is_fine(page)
    chooses(page, "ground", "01")
    fills(page, "case", "R8-77")


def opens_the_list(page: Browser) -> None:
    states_the_ground(page, BULK)
    presses(page, "申請の一覧へ")
    page.sees("一括提供の申請一覧")
    assert page.focused() == "一括提供の申請一覧"


def hands_in(page: Browser, file: Path) -> None:
    """Fill in the form of a new request, from the file on; a dialog of the system chooses it."""
    tabs_to(page, "file")
    page.driver.switch_to.active_element.send_keys(str(file))


@pytest.fixture(scope="module")
def recipient(served: Town) -> bytes:
    """Enter a recipient; return the private half of its key."""
    key, public = new_key()
    body = {"purpose": "prefectural-tax", "name": "test", "public_key": public}
    administrator = served.machine.administrator()
    served.machine.agreed(administrator, "provision/add-recipient", body, "the-new-recipient")
    administrator.close()
    return key


@pytest.fixture(scope="module")
def media_key(served: Town) -> str:
    administrator = served.machine.administrator()
    key: str = accepted(administrator.call("provision/media-key", {}))["public_key"]
    administrator.close()
    return key


@pytest.mark.requirement("R44", "R45", "R55", "R56")
def test_a_file_becomes_a_result_by_keyboard_alone(
    page: Browser, recipient: bytes, media_key: str, tmp_path: Path
) -> None:
    wrong, right = tmp_path / "wrong.sealed", tmp_path / "right.sealed"
    rows = [by_number(which) for which in range(1, ROWS + 1)]
    wrong.write_bytes(seal_for(media_key, inquiry([["x"], *rows[:2]])))
    right.write_bytes(seal_for(media_key, inquiry(rows)))
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)

    opens_the_list(page)
    page.sees("該当する申請はありません。")
    is_fine(page)
    presses(page, "提供先に伝える公開鍵")
    page.sees(media_key)
    is_fine(page)
    presses(page, "申請の一覧に戻る")
    page.sees("該当する申請はありません。")
    presses(page, "新しく申請する")
    page.sees("検査して申請する")
    is_fine(page)
    hands_in(page, wrong)
    fills(page, "media_id", "USB-1")
    chooses(page, "recipient", "1")
    tabs_to(page, "items")
    page.keys(Keys.SPACE)
    presses(page, "検査して申請する")
    page.sees("照会ファイルに誤りがあるため、受け付けませんでした。")
    page.sees("B-05")
    is_fine(page)

    presses(page, "直したファイルを申請する")
    page.sees("検査して申請する")
    hands_in(page, right)
    presses(page, "検査して申請する")
    page.sees("申請番号1で受け付けました。")
    page.sees("処理の状況")
    is_fine(page)
    page.sees("5,000件すべての処理が終わりました。")
    assert page.focused() == "一括提供 申請番号1"
    is_fine(page)

    sits_down(page, APPROVER)
    opens_the_list(page)
    page.keys(Keys.ARROW_DOWN)
    page.keys(Keys.ENTER)
    page.sees("媒体への出力を承認する")
    is_fine(page)
    fills(page, "media_id", "USB-2")
    tabs_to(page, "compared")
    page.keys(Keys.SPACE)
    presses(page, "承認する")
    page.sees("媒体への出力を承認しました。")
    page.sees(f"{ROWS - RESIDENTS:,}件は、一致する人を1人に決められなかった")
    is_fine(page)

    sits_down(page, OPERATOR)
    opens_the_list(page)
    page.keys(Keys.ARROW_DOWN)
    page.keys(Keys.ENTER)
    page.sees("結果を媒体に出力する")
    is_fine(page)
    fills(page, "media_id", "USB-2")
    presses(page, "結果ファイルを出力する")
    result = tmp_path / "bulk-result-1.sealed"
    until(lambda: result.exists() or None, 60, "no file was saved")
    frame = unframed(open_sealed(recipient, result.read_bytes()))
    assert frame.problems == ()
    assert [row[1] for row in frame.rows].count("00") == RESIDENTS
    assert frame.rows[0][3] == HANAKO

    sits_down(page, APPROVER)
    page.goes_to("/screens/provision/outputs")
    page.sees("媒体出力 1件")
    is_fine(page)


@pytest.mark.requirement("R41", "R52", "R62")
def test_a_person_is_inquired_about_by_keyboard_and_the_provision_is_reported(
    page: Browser,
) -> None:
    sits_down(page, REGISTRAR)
    states_the_ground(page, INQUIRE)
    tabs_to(page, "key")
    page.keys(Keys.SPACE)
    presses(page, "次へ")
    page.sees("照会する人と項目")
    assert page.focused() == "即時提供(個人番号による照会)"
    is_fine(page)
    fills(page, "my_number", number(1))
    page.sees("検査数字は合っています。")
    presses(page, "照会する")
    page.sees("項目を1つ以上選んでください。")
    is_fine(page)
    for box in page.driver.find_elements(By.NAME, "items"):
        box.send_keys(Keys.SPACE)
    presses(page, "照会する")
    page.sees("提供した項目")
    page.sees("平成2年4月5日 (1990年4月5日)")
    page.sees(HANAKO)
    folded = page.driver.find_element(By.CSS_SELECTOR, "dd details span.number")
    assert page.driver.execute_script("return arguments[0].checkVisibility()", folded) is False
    is_fine(page)
    tabs_to(page, "●●●● ●●●● ●●●● 個人番号を表示する")
    page.keys(Keys.ENTER)
    assert page.driver.execute_script("return arguments[0].checkVisibility()", folded) is True
    states_the_ground(page, "/screens/provision/verify")
    tabs_to(page, "key")
    page.keys(Keys.SPACE)
    presses(page, "次へ")
    page.sees("照合する内容")
    is_fine(page)
    fills(page, "my_number", number(1))
    fills(page, "claim_name", "試験　太郎")
    presses(page, "照合する")
    page.sees("不一致")
    is_fine(page)
    states_the_ground(page, "/screens/provision/report")
    fills(page, "resident_code", code(1))
    presses(page, "提供状況を表示")
    page.sees("提供の記録 3件")
    is_fine(page)
    page.goes_to("/screens/provision/yearly")
    page.sees("提供先と事務ごとの件数")
    is_fine(page)
