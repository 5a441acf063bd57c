"""The screens: who may sit down at them, how they are opened, and the first of them opened."""

import shlex
from datetime import date, timedelta
from pathlib import Path
from shutil import which

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from scripts.demo.cast import Cast
from scripts.demo.grounds import Grounds
from scripts.demo.people import PIN, Person, agreed, granted, log_in_by_pin
from scripts.demo.stage import Stage
from tests.browser import Browser, browser, keeps_certificates, packed
from tests.simulators.notices import Notice

COUNTER = Person(
    "counter",
    "OP-0013",
    "市町村課",
    "registrar",
    "TERM-0001",
    ("register-administration", "disclosure"),
    "01",
)
SECOND = Person(
    "second",
    "OP-0015",
    "市町村課",
    "registrar",
    "TERM-0002",
    ("register-administration", "disclosure"),
    "01",
)
"""Who agrees to what the first asks for: another person, at another terminal."""
REVIEWER = Person("reviewer", "OP-0014", "監査室", "auditor", "TERM-0001")
BY_PIN = (COUNTER, SECOND, REVIEWER)
FIND, OPENS = "/screens/search/find", "main table button"
PROGRAMS = ("chromium", "chromedriver", "certutil", "pk12util")
"""Of the packages chromium, chromium-driver and libnss3-tools."""


def let_in(stage: Stage, today: date) -> None:
    """Give three persons a PIN: a virtual device is not to be had in everybody's browser."""
    until = ("--until", str(today + timedelta(days=7)))
    with stage.steps.step("three more have a PIN for a week, for the screens") as step:
        step.asks("juki person issue-pin, juki login --enrol")
        for person in BY_PIN:
            granted(stage, person, today)
            words = ("person", "issue-pin", person.person, "--reason", "装置の手配中", *until)
            issued = agreed(stage, *words, form=f"暗証付-{person.person}")
            opened = log_in_by_pin(stage, person, issued["enrolment_code"])
            step.saw(f"{person.person} ({', '.join(opened['roles'])})", opened["method"] == "pin")


def look(stage: Stage, cast: Cast) -> None:
    """Find somebody on the screens, in a real browser, if one is here."""
    with stage.steps.step("the first screens in a browser") as step:
        if missing := _missing():
            step.saw(f"not tried: {', '.join(missing)} not installed")
            return
        terminal = stage.grounds.credentials(stage.grounds.terminal, COUNTER.terminal)
        step.asks(f"Chromium at {COUNTER.terminal}")
        with browser(stage.grounds.terminal / "visit", _origin(stage.grounds), terminal) as page:
            page.logs_in(COUNTER.person, PIN)
            step.saw("業務メニュー")
            _find(page, cast.sawako)
            step.saw("検索結果一覧: 1人")
            page.driver.find_element(By.CSS_SELECTOR, OPENS).click()
            page.sees("本人確認情報")
            step.saw("詳細")
            complaints = [line for line in page.complaints() if "Security Policy" in line]
            step.saw(f"{len(complaints)} violations of the policy of a page", not complaints)
            page.keys(Keys.F8)
            page.sees("ロック中")
            step.saw("F8: ロック中", cast.sawako.name not in page.driver.page_source)


def _find(page: Browser, resident: Notice) -> None:
    page.goes_to(FIND)
    Select(page.driver.find_element(By.ID, "f-ground")).select_by_index(1)
    page.types(**{"f-case": "2026-0001"})
    page.types(**{"f-birth_date": resident.birth_date.replace("-", ""), "f-name": resident.name})
    page.keys(Keys.ENTER)
    page.sees("該当する人 1人")


def how(grounds: Grounds) -> str:
    """Return how to open the screens; what a browser needs lies in the terminals' folder."""
    terminals = (COUNTER.terminal, SECOND.terminal)
    lines = [
        f"The screens: {url(grounds)}",
        "",
        "照合情報が使えないとき → 暗証番号で認証, with one of these:",
        f"  {COUNTER.person}  {PIN}  searches, provides, discloses (本人確認情報利用担当者)",
        f"  {SECOND.person}  {PIN}  the same, at the other terminal: agrees to what takes two",
        f"  {REVIEWER.person}  {PIN}  audits; what is counted by night is there tomorrow",
        "",
        *(_ready(grounds, each) for each in terminals if which("certutil") and which("pk12util")),
        "Any other browser comes as a terminal once it has imported its certificate and key (no",
        "passphrase), and the authority for web sites:",
        *(f"  {_packed(grounds, each)}" for each in terminals),
        f"  {grounds.ca}",
    ]
    return "\n".join(lines)


def _ready(grounds: Grounds, terminal: str) -> str:
    """Make the certificate store of a browser at a terminal; return the line that starts it."""
    folder = grounds.terminal / f"browser-{terminal}"
    store = folder / "home" / ".pki" / "nssdb"
    keeps_certificates(store, grounds.credentials(grounds.terminal, terminal))
    words = ["chromium", f"--user-data-dir={folder / 'profile'}", "--no-first-run", url(grounds)]
    return f"HOME={shlex.quote(str(folder / 'home'))} {shlex.join(words)}\n"


def _packed(grounds: Grounds, terminal: str) -> Path:
    file = grounds.terminal / f"{terminal}.p12"
    file.write_bytes(packed(grounds.credentials(grounds.terminal, terminal)))
    file.chmod(0o600)
    return file


def url(grounds: Grounds) -> str:
    """Return where a browser begins; WebAuthn needs a name, not an address."""
    return f"{_origin(grounds)}/screens/login"


def _missing() -> list[str]:
    return [name for name in PROGRAMS if which(name) is None]


def _origin(grounds: Grounds) -> str:
    return f"https://localhost:{grounds.port}"
