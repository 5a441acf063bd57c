"""A day of whoever uses residents' items, in a real browser and by keyboard alone.

Each test begins wherever the one before left the clerk, logged in. Every page is held against
WCAG 2.2 AA and its own policy; in the evening nothing of a resident is on the terminal.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from appliance.media import new_key, open_sealed, seal_for, unframed
from tests.browser import browser
from tests.keyboard import FRAMES, Keyboard
from tests.machine import PIN, accepted
from tests.plugins.disclosure.desk import OTHER
from tests.plugins.people import code, number
from tests.plugins.provision.desks import by_number, inquiry
from tests.town import ADDRESS, HANAKO, RESIDENTS, TERMINAL, Town, town
from tests.waiting import until

CLERK, APPROVER = "OP-0100", "OP-0200"
PEOPLE = {CLERK: ["clerk", "registrar", "media-operator"], APPROVER: ["media-approver"]}
MENU = "今日の確認事項"
ROWS = 5_000
"""Some seconds of work: long enough to be seen under way."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town") / "machine", PEOPLE) as served:
        yield served


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the browser leaves what it leaves."""
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def clerk(served: Town, folder: Path) -> Iterator[Keyboard]:
    """Come in the morning, register a device, and log in by it."""
    administrator = served.machine.administrator()
    person = {"person_id": CLERK.replace("OP", "P")}
    key = "the-device-of-the-clerk"
    told = served.machine.agreed(administrator, "roster/enrol-person", person, key)
    administrator.close()
    with browser(folder, served.origin, served.machine.credentials(TERMINAL)) as page:
        page.gets_device()
        page.goes_to("/screens/login")
        clerk = Keyboard(page)
        clerk.sees("操作者認証")
        clerk.presses("照合情報を登録する")
        clerk.writes(code=told["enrolment_code"], label="指紋認証装置 1号")
        clerk.presses("register")
        clerk.sees("照合情報を登録しました。")
        clerk.presses("by-device")
        goes_on(clerk)
        yield clerk


def logs_in(clerk: Keyboard, operator: str, pin: str = "", *, then: str = MENU) -> None:
    """Log in at 操作者認証, by the device unless by a PIN, and go on to a page that says this."""
    clerk.sees("操作者認証", "照合ID")
    clerk.page.keys(operator.replace("OP", "P"))
    if pin:
        clerk.presses("照合情報が使えないとき")
        clerk.enters(pin=pin)
    else:
        clerk.presses("by-device")
    goes_on(clerk, then)


def goes_on(clerk: Keyboard, then: str = MENU) -> None:
    clerk.sees("ログイン中", "ログインしました。")
    clerk.page.keys(Keys.ENTER)
    clerk.sees(then)


def logs_out(clerk: Keyboard) -> None:
    clerk.reaches("leave", back=True)
    clerk.page.keys(Keys.ENTER)
    clerk.sees("照合情報で認証")


def test_somebody_is_found_and_opened_and_back_works(clerk: Keyboard) -> None:
    clerk.opens("本人確認情報検索")
    clerk.states_the_ground("2026-15")
    clerk.enters(name="試験　太郎")
    clerk.sees("該当する人 5人")
    assert clerk.page.focused() == "検索結果一覧"
    clerk.opens_row(2)
    clerk.sees("本人確認情報", "昭和55年1月")
    opened = clerk.page.driver.current_url
    clerk.goes_back()
    clerk.sees("該当する人 5人")
    assert clerk.page.driver.current_url != opened
    assert "試験" not in clerk.page.driver.current_url


def test_a_date_is_told_while_it_is_typed(clerk: Keyboard) -> None:
    clerk.opens("本人確認情報検索")
    clerk.sees("利用の根拠")
    clerk.reaches("birth_date")
    for typed in ("H2.4.5", "19900405", "平成2年4月5日", "h020405"):
        clerk.page.chord(Keys.CONTROL, "a")
        clerk.page.keys(typed)
        assert "1990年4月5日" in clerk.page.driver.find_element(By.ID, "c-birth_date").text


@pytest.mark.requirement("R41", "R52", "R62")
def test_a_person_is_inquired_about_and_verified_and_each_provision_reported(
    clerk: Keyboard,
) -> None:
    clerk.opens("即時提供")
    clerk.states_the_ground("R8-77")
    clerk.ticks("key")
    clerk.presses("次へ")
    clerk.sees("照会する人と項目")
    assert clerk.page.focused() == "即時提供(個人番号による照会)"
    clerk.writes(my_number=number(1))
    clerk.sees("検査数字は合っています。")
    clerk.presses("照会する")
    clerk.sees("項目を1つ以上選んでください。")
    clerk.ticks(*["items"] * len(clerk.page.driver.find_elements(By.NAME, "items")))
    clerk.presses("照会する")
    clerk.sees("提供した項目", "平成2年4月5日 (1990年4月5日)", HANAKO)
    folded = clerk.page.driver.find_element(By.CSS_SELECTOR, "dd details span.number")
    is_open = "return arguments[0].checkVisibility()"
    assert clerk.page.driver.execute_script(is_open, folded) is False
    clerk.presses("●●●● ●●●● ●●●● 個人番号を表示する")
    assert clerk.page.driver.execute_script(is_open, folded) is True
    clerk.opens("照合")
    clerk.states_the_ground("R8-77")
    clerk.ticks("key")
    clerk.presses("次へ")
    clerk.sees("照合する内容")
    clerk.writes(my_number=number(1), claim_name="試験　太郎")
    clerk.presses("照合する")
    clerk.sees("不一致")
    clerk.opens("本人の提供状況")
    clerk.states_the_ground("R8-77")
    clerk.writes(resident_code=code(1))
    clerk.presses("提供状況を表示")
    clerk.sees("提供の記録 2件")
    clerk.opens("提供状況(年度)")
    clerk.sees("提供先と事務ごとの件数")


def test_a_request_for_disclosure_ends_in_a_paper(clerk: Keyboard) -> None:
    receives(clerk, HANAKO, ADDRESS)
    looks(clerk)
    assert "字形を確認" not in clerk.page.driver.find_element(By.TAG_NAME, "main").text
    clerk.presses("発行")
    clerk.sees("(別記第3号様式) 帳票番号", FRAMES)
    assert paper(clerk) == ["application/pdf", "%PDF-"]
    clerk.opens("帳票管理簿")
    clerk.sees("帳票 1件")
    clerk.opens_row()
    clerk.sees("廃棄を登録する")


def test_a_shape_the_font_lacks_is_told_and_asked_for(clerk: Keyboard) -> None:
    receives(clerk, OTHER, "熊本県八代市本町１番")
    looks(clerk)
    clerk.sees("(U+845B U+E0100)")
    clerk.presses("発行")
    clerk.sees("字形を確認し、確認済み")
    clerk.ticks("shapes_seen")
    clerk.presses("発行")
    clerk.sees("不存在通知書 帳票番号", FRAMES)


def test_what_else_comes_to_the_counter_has_its_form(clerk: Keyboard) -> None:
    clerk.opens("訂正等の申出")
    clerk.presses("申出を受け付ける")
    clerk.sees("訂正等の申出の受付")
    clerk.opens("問合せ")
    clerk.presses("問合せを登録する")
    clerk.sees("問合せの登録")


def receives(clerk: Keyboard, name: str, address: str) -> None:
    """Enter a request for disclosure."""
    clerk.opens("開示")
    clerk.presses("開示請求を受け付ける")
    clerk.sees("開示請求の受付")
    clerk.ticks("identity")
    clerk.writes(name=name, birth_date="1990-04-05")
    clerk.ticks("sex")
    clerk.writes(address=address, stamps_yen="10")
    clerk.presses("受け付ける")
    clerk.sees("で受け付けました。")


def looks(clerk: Keyboard) -> None:
    """Match a request, and look at what is to be issued."""
    clerk.presses("突合")
    clerk.sees("突合しました。")
    clerk.presses("見本を表示")
    clerk.sees("の見本(1枚)")
    assert paper(clerk) == ["application/pdf", "%PDF-"]


def paper(clerk: Keyboard) -> list[str]:
    """Return what the PDF of the page is, and how it begins."""
    frame = clerk.page.driver.find_element(By.CSS_SELECTOR, "iframe.paper")
    told: list[str] = clerk.page.runs(
        "const found = await fetch(arguments[0]);"
        "return [found.headers.get('Content-Type'), (await found.text()).slice(0, 5)];",
        frame.get_attribute("src"),
    )
    return told


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


def opens_the_jobs(clerk: Keyboard) -> None:
    clerk.opens("一括提供")
    clerk.states_the_ground("R8-77")
    clerk.presses("申請の一覧へ")
    clerk.sees("一括提供の申請一覧")
    assert clerk.page.focused() == "一括提供の申請一覧"


@pytest.mark.requirement("R44", "R45", "R55", "R56")
def test_a_file_becomes_a_result_that_somebody_else_approved(
    clerk: Keyboard, recipient: bytes, media_key: str, tmp_path: Path
) -> None:
    wrong, right = tmp_path / "wrong.sealed", tmp_path / "right.sealed"
    rows = [by_number(which) for which in range(1, ROWS + 1)]
    wrong.write_bytes(seal_for(media_key, inquiry([["x"], *rows[:2]])))
    right.write_bytes(seal_for(media_key, inquiry(rows)))
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
    clerk.page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)

    opens_the_jobs(clerk)
    clerk.presses("提供先に伝える公開鍵")
    clerk.sees(media_key)
    clerk.presses("申請の一覧に戻る")
    clerk.sees("該当する申請はありません。")
    clerk.presses("新しく申請する")
    clerk.sees("検査して申請する")
    clerk.hands_in("file", wrong)
    clerk.writes(media_id="USB-1")
    clerk.picks("recipient", "1")
    clerk.ticks("items")
    clerk.presses("検査して申請する")
    clerk.sees("照会ファイルに誤りがあるため、受け付けませんでした。", "B-05")
    clerk.presses("直したファイルを申請する")
    clerk.sees("検査して申請する")
    clerk.hands_in("file", right)
    clerk.presses("検査して申請する")
    clerk.sees("申請番号1で受け付けました。", "処理の状況")
    clerk.sees("5,000件すべての処理が終わりました。")
    assert clerk.page.focused() == "一括提供 申請番号1"

    logs_out(clerk)
    logs_in(clerk, APPROVER, PIN)
    opens_the_jobs(clerk)
    clerk.opens_row()
    clerk.sees("媒体への出力を承認する")
    clerk.writes(media_id="USB-2")
    clerk.ticks("compared")
    clerk.presses("承認する")
    clerk.sees("媒体への出力を承認しました。")
    clerk.sees(f"{ROWS - RESIDENTS:,}件は、一致する人を1人に決められなかった")

    logs_out(clerk)
    logs_in(clerk, CLERK)
    opens_the_jobs(clerk)
    clerk.opens_row()
    clerk.sees("結果を媒体に出力する")
    clerk.writes(media_id="USB-2")
    clerk.presses("結果ファイルを出力する")
    result = tmp_path / "bulk-result-1.sealed"
    until(lambda: result.exists() or None, 60, "no file was saved")
    frame = unframed(open_sealed(recipient, result.read_bytes()))
    assert frame.problems == ()
    assert [row[1] for row in frame.rows].count("00") == RESIDENTS
    assert frame.rows[0][3] == HANAKO


@pytest.mark.requirement("R136")
def test_what_was_used_is_written_in_the_book(clerk: Keyboard) -> None:
    clerk.opens("使用簿")
    clerk.sees("1行を記入する")
    clerk.writes(begins="0:00")
    clerk.picks("use", "県税")
    clerk.enters(count="1")
    clerk.sees("行番号1で記入しました。")
    clerk.opens_row()
    clerk.sees("訂正する")


@pytest.mark.requirement("R161")
def test_f8_empties_the_page_and_whoever_comes_back_proves_himself_again(clerk: Keyboard) -> None:
    finds_hanako(clerk)
    kept = clerk.page.driver.current_url
    clerk.page.keys(Keys.F8)
    is_locked(clerk)
    clerk.page.driver.get(kept)
    clerk.sees("操作者認証")
    assert HANAKO not in clerk.page.driver.page_source
    logs_in(clerk, CLERK)


@pytest.mark.requirement("R161")
def test_whoever_does_nothing_is_locked_out_and_goes_on_at_the_same_screen(
    clerk: Keyboard,
) -> None:
    finds_hanako(clerk)
    clerk.page.driver.execute_script("document.body.dataset.idle = '1'")
    is_locked(clerk)
    clerk.page.keys(Keys.ENTER)
    logs_in(clerk, CLERK, then="利用の根拠")
    assert clerk.page.driver.current_url == f"{clerk.page.origin}/screens/search/find"
    assert HANAKO not in clerk.page.driver.page_source


def finds_hanako(clerk: Keyboard) -> None:
    clerk.opens("本人確認情報検索")
    clerk.states_the_ground("2026-15")
    clerk.enters(name=HANAKO)
    clerk.sees("該当する人 1人", ADDRESS)


def is_locked(clerk: Keyboard) -> None:
    clerk.sees("ロック中")
    assert clerk.page.driver.title == "ロック中"
    assert HANAKO not in clerk.page.driver.page_source
    assert clerk.page.focused() == "操作者認証へ"


def test_in_the_evening_nothing_of_a_resident_is_left_on_the_terminal(
    clerk: Keyboard, folder: Path
) -> None:
    logs_out(clerk)
    clerk.page.goes_to("/screens/menu")
    clerk.sees("操作者認証")
    clerk.page.driver.quit()
    files = [path for path in folder.rglob("*") if path.is_file()]
    numbers = [each(which) for each in (number, code) for which in range(1, RESIDENTS + 1)]
    ours = b"/screens/login"
    assert any(ours in path.read_bytes() for path in files)  # what is left of us is found
    traces = [
        (path.name, trace)
        for path in files
        for content in [path.read_bytes()]
        for trace in (HANAKO, "試験　太郎", ADDRESS, "松江城町９番", "1990-04-05", *numbers)
        for form in ("utf-8", "utf-16-le")
        if trace.encode(form) in content
    ]
    assert traces == []
