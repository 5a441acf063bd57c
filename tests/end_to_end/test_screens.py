"""The screens in a real browser over mutual TLS: by keyboard, without a trace, and locked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.accessibility import axe
from tests.browser import Browser
from tests.machine import PIN
from tests.plugins.people import number
from tests.town import ADDRESS, HANAKO, Town, at_the_terminal, no_violations, town

FIND = "/screens/search/find"
PERSON = "P-0100"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town") / "machine") as served:
        yield served


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def clerk(served: Town, folder: Path) -> Iterator[Browser]:
    with at_the_terminal(served, folder) as page:
        yield page


@pytest.fixture(autouse=True)
def fresh(clerk: Browser) -> Iterator[None]:
    """Come logged in to the menu, and find afterwards that nothing was done that is forbidden."""
    clerk.goes_to("/screens/menu")
    if "操作者認証" in clerk.driver.title:
        clerk.logs_in(PERSON, PIN)
    clerk.complaints(), clerk.requests()
    yield
    no_violations(clerk)


def finds(page: Browser, name: str) -> None:
    """Search by keyboard alone."""
    page.goes_to(FIND)
    page.sees("利用の根拠")
    page.chord(Keys.ALT, "1")
    assert page.focused() == "ground"
    page.keys(*"県税", Keys.ARROW_DOWN)
    ground = page.driver.find_element(By.ID, "f-ground")
    if not Select(ground).first_selected_option.get_attribute("value"):
        page.keys(Keys.ARROW_DOWN)
    page.keys(Keys.TAB)
    assert page.focused() == "case"
    page.keys(*"2026-15", Keys.TAB)
    assert page.focused() == "name"
    page.keys(*name, Keys.ENTER)


def test_somebody_is_found_and_opened_by_keyboard_alone_and_back_works(clerk: Browser) -> None:
    finds(clerk, "試験　太郎")
    clerk.sees("該当する人 5人")
    assert clerk.focused() == "検索結果一覧"
    clerk.keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert clerk.focused() == "詳細"
    clerk.keys(Keys.ENTER)
    clerk.sees("本人確認情報")
    clerk.sees("昭和55年1月")
    listed = clerk.driver.current_url
    clerk.driver.back()
    clerk.sees("該当する人 5人")
    assert clerk.driver.current_url != listed
    assert "試験" not in clerk.driver.current_url


@pytest.mark.requirement("R161")
def test_f8_empties_the_page_and_ends_the_session(clerk: Browser) -> None:
    finds(clerk, HANAKO)
    clerk.sees("該当する人 1人")
    kept = clerk.driver.current_url
    clerk.keys(Keys.F8)
    clerk.sees("ロック中")
    assert clerk.driver.title == "ロック中"
    assert HANAKO not in clerk.driver.page_source
    clerk.driver.get(kept)
    clerk.sees("操作者認証")
    assert HANAKO not in clerk.driver.page_source


def test_whoever_unlocks_goes_on_at_the_same_screen(clerk: Browser) -> None:
    finds(clerk, HANAKO)
    clerk.sees("該当する人 1人")
    clerk.keys(Keys.F8, Keys.ENTER)
    clerk.sees("操作者認証")
    clerk.types(person=PERSON, pin=PIN)
    clerk.presses("by-pin")
    clerk.sees("元の画面へ戻る")
    clerk.presses("go-on")
    clerk.sees("利用の根拠")
    assert clerk.driver.current_url == clerk.origin + FIND
    assert HANAKO not in clerk.driver.page_source


def test_no_address_leads_from_the_login_to_anywhere_else(clerk: Browser) -> None:
    for elsewhere in ("//evil.example/x", "/screens/../v1/x", "/screens/r/abc?x", "javascript:x"):
        clerk.goes_to(f"/screens/login#{elsewhere}")
        clerk.types(person=PERSON, pin=PIN)
        clerk.presses("by-pin")
        clerk.sees("業務メニューへ進む")
        clerk.driver.refresh()


@pytest.mark.requirement("R161")
def test_whoever_does_nothing_is_locked_out_by_the_page_itself(clerk: Browser) -> None:
    finds(clerk, HANAKO)
    clerk.sees("該当する人 1人")
    clerk.driver.execute_script("document.body.dataset.idle = '1'")
    clerk.sees("ロック中")
    assert HANAKO not in clerk.driver.page_source


def test_a_date_and_a_number_are_told_while_they_are_typed(clerk: Browser) -> None:
    clerk.goes_to(FIND)
    field = clerk.driver.find_element(By.ID, "f-birth_date")
    for typed in ("H2.4.5", "19900405", "平成2年4月5日", "h020405"):
        field.clear()
        field.send_keys(typed)
        assert "1990年4月5日" in clerk.driver.find_element(By.ID, "c-birth_date").text


def test_nothing_of_a_resident_is_left_on_the_terminal(clerk: Browser, folder: Path) -> None:
    finds(clerk, HANAKO)
    clerk.sees(ADDRESS)
    clerk.goes_to("/screens/menu")
    clerk.sees("このログインでの操作")
    files = [path for path in (folder / "profile").rglob("*") if path.is_file()]
    traces = [
        (path.name, trace)
        for path in files
        for trace in (HANAKO, ADDRESS, "松江城町９番", number(1))
        for form in ("utf-8", "utf-16-le")
        if trace.encode(form) in path.read_bytes()
    ]
    assert files
    assert traces == []


@pytest.mark.parametrize("path", ["/screens/menu", FIND, "/screens/login"])
def test_axe_finds_nothing_wrong(clerk: Browser, path: str) -> None:
    clerk.goes_to(path)
    assert axe(clerk.driver) == []
