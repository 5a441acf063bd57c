"""操作者認証 in a real browser, over mutual TLS, by a device that verifies its user (R121)."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser import Browser, browser
from tests.machine import PIN, Machine, accepted, running
from tests.simulators.terminal import Terminal

LOGIN = "/screens/login"
PERSON, OPERATOR = "P-0100", "OP-0100"
GET = """
const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(arguments[0]);
publicKey.userVerification = arguments[1];
return (await navigator.credentials.get({publicKey})).toJSON();
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine.make(tmp_path_factory.mktemp("machine"))
    with running(machine):
        administrator = machine.administrator()
        machine.register(administrator, "TERM-0002", "representative")
        machine.appoint(administrator, "OP-0003", ["auditor"])
        machine.appoint(administrator, OPERATOR, ["clerk"])
        administrator.close()
        yield machine


@pytest.fixture(scope="module")
def page(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    origin = f"https://localhost:{machine.port}"
    with browser(
        tmp_path_factory.mktemp("browser"), origin, machine.credentials("TERM-0002")
    ) as page:
        page.gets_device()
        yield page


@pytest.fixture(autouse=True)
def fresh(page: Browser) -> Iterator[None]:
    """Come to the page anew, and find afterwards that it did nothing its policy forbids."""
    page.goes_to(LOGIN)
    page.complaints()
    yield
    complaints = page.complaints()
    assert not any("Content Security Policy" in line for line in complaints), complaints


@pytest.fixture
def enrolled(machine: Machine, page: Browser) -> None:
    """Register the device, unless one is registered already that is not retired."""
    administrator = machine.administrator()
    people = accepted(administrator.call("roster/people", {}))["people"]
    (person,) = (each for each in people if each["person_id"] == PERSON)
    if not any(not device["retired"] for device in person["devices"]):
        register(machine, page, administrator)
    administrator.close()


def register(machine: Machine, page: Browser, administrator: Terminal) -> None:
    key = f"another-{datetime.now(UTC).timestamp():.6f}".replace(".", "-")
    told = machine.agreed(administrator, "roster/enrol-person", {"person_id": PERSON}, key)
    page.types(code=told["enrolment_code"], label="指紋認証装置 1号")
    page.presses("register")
    page.sees("照合情報を登録しました")


def entry(machine: Machine) -> dict[str, Any]:
    """Return what the ledger says of the last request at the browser's terminal."""
    terminal = machine.terminal()
    terminal.login("OP-0003", PIN)
    asked = {"terminal": "TERM-0002", "limit": 1}
    (found,) = accepted(terminal.call("ledger/search", asked))["entries"]
    terminal.close()
    entry: dict[str, Any] = found
    return entry


def at_the_terminal(machine: Machine) -> Terminal:
    """Return the terminal of the browser, without the browser."""
    return machine.terminal("TERM-0002")


def challenge(terminal: Terminal) -> dict[str, Any]:
    public_key: dict[str, Any] = accepted(terminal.call("session/challenge", {"person": PERSON}))[
        "public_key"
    ]
    return public_key


def opened(terminal: Terminal, answer: dict[str, Any]) -> int:
    return terminal.call("session/open", {"person": PERSON, "device": answer}).status


def log_in(page: Browser) -> None:
    page.types(person=PERSON)
    page.presses("by-device")
    page.sees("ログイン中")


@pytest.mark.requirement("R7", "R121", "R122")
def test_somebody_registers_a_device_and_logs_in_with_it(
    machine: Machine, page: Browser, enrolled: None
) -> None:
    log_in(page)
    page.sees("照合情報")
    page.sees("ログインしました")
    page.sees("操作者\n認証方法")  # the role in the staff's words, not its name in the policy
    assert entry(machine)["note"].startswith("device ")
    page.presses("verify")
    page.sees("認証しました")
    page.presses("logout")
    page.sees("ログアウトしました")
    assert entry(machine)["operation"] == "session/close"


def test_no_address_leads_from_the_login_to_anywhere_else(page: Browser, enrolled: None) -> None:
    for elsewhere in ("//evil.example/x", "/screens/../v1/x", "/screens/r/abc?x", "javascript:x"):
        page.goes_to(f"{LOGIN}#{elsewhere}")
        log_in(page)
        page.sees("業務メニューへ進む")
        page.presses("logout")
        page.sees("ログアウトしました")


@pytest.mark.requirement("R121")
def test_a_device_that_verified_nobody_is_refused_by_browser_and_server(
    machine: Machine, page: Browser, enrolled: None
) -> None:
    page.driver.set_user_verified(False)
    try:
        page.types(person=PERSON)
        page.presses("by-device")
        page.sees("装置による照合ができませんでした")
        # A page that was tampered with asks for less: what is signed says so.
        terminal = at_the_terminal(machine)
        answer = page.runs(GET, challenge(terminal), "discouraged")
        assert "error" not in answer
        assert opened(terminal, answer) == 401
        assert "User verification required" in entry(machine)["note"]
    finally:
        page.driver.set_user_verified(True)


def test_an_answer_is_good_once(machine: Machine, page: Browser, enrolled: None) -> None:
    terminal = at_the_terminal(machine)
    answer = page.runs(GET, challenge(terminal), "required")
    assert opened(terminal, answer) == 200
    assert opened(terminal, answer) == 401
    challenge(terminal)
    assert opened(terminal, answer) == 401
    assert "Wrong challenge" in entry(machine)["note"]


class Elsewhere(BaseHTTPRequestHandler):
    """A page of somebody else on the same host."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_page_of_another_origin_proves_nobody(
    machine: Machine, page: Browser, enrolled: None
) -> None:
    """The browser lets a page of the same host use the key; the origin it signs is another one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        page.driver.get(f"http://localhost:{server.server_port}/")
        terminal = at_the_terminal(machine)
        answer = page.runs(GET, challenge(terminal), "required")
        assert "error" not in answer, answer
        assert opened(terminal, answer) == 401
        assert "Invalid origin" in entry(machine)["note"]
    finally:
        server.shutdown()
        server.server_close()


def test_whoever_is_shut_out_is_out_in_the_middle_of_his_session(
    machine: Machine, page: Browser, enrolled: None
) -> None:
    log_in(page)
    administrator = machine.administrator()
    paper = {"person_id": PERSON, "form": "照合無-1"}
    answer = administrator.call(
        "roster/suspend-person", {**paper, "reason": "退職"}, idempotency_key="suspended-0000001"
    )
    accepted(answer)
    page.presses("verify")
    page.sees("操作者認証")
    assert entry(machine)["refusal"] == "unidentified"
    page.types(person=PERSON)
    page.presses("by-device")
    page.sees("照合情報が使えないとき")
    assert entry(machine)["refusal"] == "unidentified"
    machine.agreed(
        administrator, "roster/resume-person", {**paper, "reason": "復職"}, "resumed-00000001"
    )
    administrator.close()
    page.goes_to(LOGIN)
    log_in(page)
    page.presses("logout")


def test_a_copied_device_is_found_and_retired(
    machine: Machine, page: Browser, enrolled: None
) -> None:
    for _ in range(2):
        log_in(page)
        page.presses("logout")
        page.sees("ログアウトしました")
    (credential,) = page.driver.get_credentials()
    copy = credential.to_dict()
    page.driver.remove_all_credentials()
    copy["signCount"] = 1
    page.driver.add_credential(type(credential).from_dict(copy))
    page.types(person=PERSON)
    page.presses("by-device")
    page.sees("正しくない")
    assert entry(machine)["note"].endswith("did not advance")
    page.driver.remove_all_credentials()


@pytest.mark.requirement("R124")
def test_whose_device_cannot_be_used_logs_in_by_a_pin_until_it_is_locked(
    machine: Machine, page: Browser
) -> None:
    administrator = machine.administrator()
    until = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
    asked = {"person_id": PERSON, "reason": "指の負傷", "until": until}
    told = machine.agreed(administrator, "roster/issue-pin", asked, "pin-issued-000001")
    administrator.close()
    code = {"pin-code": told["enrolment_code"]}
    page.types(**code, **{"pin-new": PIN, "pin-repeated": PIN[:-1]})
    page.presses("choose")
    page.sees("二つの暗証番号が違います")
    page.types(**code, **{"pin-new": PIN, "pin-repeated": PIN})
    page.presses("choose")
    page.sees("操作者照合暗証番号を設定しました")
    page.types(person=PERSON, pin=PIN + Keys.ENTER)
    page.sees("操作者照合暗証番号")
    page.sees("ログイン中")
    assert entry(machine)["note"] == "pin"
    page.types(**{"pin-again": PIN})
    page.presses("verify")
    page.sees("認証しました。")
    page.presses("logout")
    page.sees("ログアウトしました")
    for _ in range(5):
        page.types(person=PERSON, pin="00000000")
        page.presses("by-pin")
        page.sees("正しくない")
        page.goes_to(LOGIN)
    page.types(person=PERSON, pin=PIN)
    page.presses("by-pin")
    page.sees("正しくない")
    assert entry(machine)["refusal"] == "unidentified"


def test_nothing_of_a_session_is_left_in_the_browser(
    machine: Machine, page: Browser, tmp_path: Path
) -> None:
    stored = page.runs(
        "return [localStorage.length, sessionStorage.length, document.cookie, location.search]"
    )
    assert stored == [0, 0, "", ""]
