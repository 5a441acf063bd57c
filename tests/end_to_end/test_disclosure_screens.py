"""The counter of 開示 in a real browser: from the receipt to the paper, each page held to WCAG."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By

from tests.accessibility import axe
from tests.browser import Browser
from tests.plugins.disclosure.desk import OTHER
from tests.town import ADDRESS, HANAKO, at_the_terminal, no_violations, town

SCREENS = "/screens/disclosure"
REGISTRAR = {"OP-0100": ["registrar"]}


@pytest.fixture(scope="module")
def registrar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    machine, folder = (tmp_path_factory.mktemp(name) for name in ("town", "browser"))
    with (
        town(machine / "machine", REGISTRAR) as served,
        at_the_terminal(served, folder) as page,
    ):
        page.complaints(), page.requests()
        yield page


def chooses(page: Browser, **fields: str) -> None:
    """Choose among radio buttons and boxes."""
    for name, value in fields.items():
        box = f"[name='{name}'][value='{value}']"
        page.driver.find_element(By.CSS_SELECTOR, f"main {box}").click()


def presses(page: Browser, text: str) -> None:
    """Press the button of this text."""
    for button in page.driver.find_elements(By.CSS_SELECTOR, "main button"):
        if button.text == text:
            page.driver.execute_script("arguments[0].scrollIntoView()", button)
            return button.click()
    raise AssertionError(f"there is no button {text!r}")


def is_sound(page: Browser, heading: str) -> None:
    """Hold a page of this heading to WCAG as it is, and with everything open that can be."""
    page.sees(heading)
    opens = "for (const each of document.querySelectorAll('main details')) each.open = true;"
    for script in ("", opens):
        page.driver.execute_script(script)
        assert [(each.rule, each.places) for each in axe(page.driver)] == [], heading


def receives(page: Browser, name: str, address: str) -> None:
    """Enter a request."""
    page.goes_to(f"{SCREENS}/receive")
    is_sound(page, "開示請求の受付")
    page.goes_to(f"{SCREENS}/receive")
    written = {"name": name, "birth_date": "1990-04-05", "address": address, "stamps_yen": "10"}
    page.types(**{f"f-{field}": text for field, text in written.items()})
    chooses(page, sex="1", identity="passport")
    presses(page, "受け付ける")
    is_sound(page, "で受け付けました。")


def looks(page: Browser) -> None:
    """Match a request, and look at what is to be issued."""
    presses(page, "突合")
    is_sound(page, "突合しました。")
    presses(page, "見本を表示")
    is_sound(page, "の見本(1枚)")
    source = page.driver.find_element(By.CSS_SELECTOR, "iframe.paper").get_attribute("src")
    told = page.runs(
        "const found = await fetch(arguments[0]);"
        "return [found.headers.get('Content-Type'), (await found.text()).slice(0, 5)];",
        source,
    )
    assert told == ["application/pdf", "%PDF-"]


def test_a_paper_is_looked_at_issued_and_entered(registrar: Browser) -> None:
    receives(registrar, HANAKO, ADDRESS)
    looks(registrar)
    assert "字形を確認" not in registrar.driver.find_element(By.TAG_NAME, "main").text
    presses(registrar, "発行")
    is_sound(registrar, "(別記第3号様式) 帳票番号")
    registrar.goes_to(f"{SCREENS}/sheets")
    is_sound(registrar, "帳票管理簿")
    presses(registrar, "開く")
    is_sound(registrar, "廃棄を登録する")
    no_violations(registrar)


def test_a_shape_the_font_lacks_is_told_and_asked_for(registrar: Browser) -> None:
    receives(registrar, OTHER, "熊本県八代市本町１番")
    looks(registrar)
    registrar.sees("(U+845B U+E0100)")
    presses(registrar, "発行")
    is_sound(registrar, "字形を確認し、確認済み")
    registrar.driver.find_element(By.ID, "f-shapes_seen").click()
    presses(registrar, "発行")
    registrar.sees("不存在通知書 帳票番号")
    no_violations(registrar)


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("cases", "処理中"),
        ("corrections", "該当する記録はありません。"),
        ("correct", "訂正等の申出の受付"),
        ("inquiries", "該当する記録はありません。"),
    ],
)
def test_what_lies_beside_it_is_sound(registrar: Browser, path: str, heading: str) -> None:
    registrar.goes_to(f"{SCREENS}/{path}")
    is_sound(registrar, heading)
    if path == "inquiries":
        presses(registrar, "問合せを登録する")
        is_sound(registrar, "問合せの登録")
    no_violations(registrar)
