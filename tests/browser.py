"""A real browser at a registered terminal: headless Chromium with a client certificate.

Its certificate store is its own (NSS), so is its profile; both are gone with the folder. The device
that verifies its user is Chromium's virtual authenticator, which signs as a real one does.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from fido2.utils import websafe_decode
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import ActionChains, Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.virtual_authenticator import Credential, VirtualAuthenticatorOptions
from selenium.webdriver.support.ui import WebDriverWait

from tests.simulators.device import Device
from tests.simulators.link import Credentials

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
PATIENCE = 60.0
"""Seconds; a browser on a busy machine takes its time."""


@contextmanager
def browser(folder: Path, origin: str, terminal: Credentials) -> Iterator["Browser"]:
    """Yield a browser that comes as a terminal to whatever is at ``origin``."""
    keeps_certificates(folder / "home" / ".pki" / "nssdb", terminal)
    # Which certificate to come with; without it Chromium asks in a dialog nobody sees.
    choice = {"setting": {"filters": [{}]}}
    prefs = {"profile.content_settings.exceptions.auto_select_certificate": {f"{origin},*": choice}}
    with chromium(folder, prefs) as driver:
        yield Browser(driver, origin)


@contextmanager
def chromium(folder: Path, prefs: dict[str, Any] | None = None) -> Iterator[Chrome]:
    """Yield a Chromium whose home and profile are in a folder."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-proxy-server",
        f"--user-data-dir={folder / 'profile'}",
    ):
        options.add_argument(argument)
    options.add_experimental_option("prefs", prefs or {})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    env = {**os.environ, "HOME": str(folder / "home"), "LANGUAGE": "ja"}
    service = ChromeService(str(DRIVER), env=env)
    driver = Chrome(options=options, service=service)
    driver.set_page_load_timeout(PATIENCE)
    driver.set_script_timeout(PATIENCE)
    try:
        yield driver
    finally:
        driver.quit()


def packed(terminal: Credentials) -> bytes:
    """Return certificate and key of a terminal as a browser takes them: PKCS #12, no passphrase."""
    certificate = x509.load_pem_x509_certificate(terminal.certificate.read_bytes())
    key = load_pem_private_key(terminal.key.read_bytes(), None)
    return pkcs12.serialize_key_and_certificates(
        b"terminal",
        key,  # type: ignore[arg-type]
        certificate,
        None,
        NoEncryption(),
    )


def keeps_certificates(store: Path, terminal: Credentials) -> None:
    """Make the certificate store (NSS) of a browser at a terminal."""
    store.mkdir(parents=True)
    file = store / "terminal.p12"
    file.write_bytes(packed(terminal))
    where = ("-d", f"sql:{store}")
    for command in (
        ("certutil", "-N", *where, "--empty-password"),
        ("certutil", "-A", *where, "-n", "ca", "-t", "C,,", "-i", str(terminal.ca)),
        ("pk12util", "-i", str(file), *where, "-W", ""),
    ):
        subprocess.run(command, check=True, capture_output=True)
    file.unlink()


class Browser:
    """Somebody at the browser."""

    def __init__(self, driver: Chrome, origin: str) -> None:
        self.driver = driver
        self.origin = origin

    def goes_to(self, path: str) -> None:
        """Open a page."""
        self.driver.get(self.origin + path)

    def gets_device(self, *, verifies: bool = True) -> None:
        """Plug in a device that verifies its user, or that looks at nobody."""
        options = VirtualAuthenticatorOptions(
            protocol=VirtualAuthenticatorOptions.Protocol.CTAP2,
            transport=VirtualAuthenticatorOptions.Transport.INTERNAL,
            has_user_verification=True,
            is_user_verified=verifies,
            is_user_consenting=True,
        )
        self.driver.add_virtual_authenticator(options)

    def has_device(self, device: Device) -> None:
        """Plug in a device that somebody has registered elsewhere, with the keys it has."""
        self.gets_device()
        for identifier, kept in json.loads(device.path.read_bytes()).items():
            key = load_pem_private_key(kept["key"].encode(), None)
            plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            self.driver.add_credential(
                Credential.create_non_resident_credential(
                    websafe_decode(identifier),
                    kept["rp_id"],
                    plain,
                    kept["counter"],
                )
            )

    def types(self, **fields: str) -> None:
        """Fill in fields by their id, open what hides them first."""
        for name, text in fields.items():
            self._unfold(name)
            field = self.driver.find_element(By.ID, name)
            field.clear()
            field.send_keys(text)

    def presses(self, name: str) -> None:
        """Press a button by its id."""
        self._unfold(name)
        self.driver.find_element(By.ID, name).click()

    def sees(self, text: str) -> None:
        """Wait until a text is shown.

        Raises:
            AssertionError: it is not.
        """

        def is_shown(driver: Chrome) -> bool:
            return text in driver.find_element(By.TAG_NAME, "body").text

        try:
            # While one page makes way for the next, what was found of the old one is stale.
            WebDriverWait(self.driver, PATIENCE, 0.1, [WebDriverException]).until(is_shown)
        except Exception:
            shown = self.driver.find_element(By.TAG_NAME, "body").text
            raise AssertionError(f"{text!r} is not shown, but {shown!r}") from None

    def runs(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page; it calls ``done`` with what it found."""
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"(async () => {{ {script} }})().then(done, (e) => done({{error: String(e)}}));"
        )
        return self.driver.execute_async_script(wrapped, *arguments)

    def complaints(self) -> list[str]:
        """Return what the browser wrote in its console since last asked."""
        return [line["message"] for line in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses of what pages asked for since last asked."""
        found = []
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found

    def keys(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def chord(self, held: str, key: str) -> None:
        """Press a key while another is held."""
        ActionChains(self.driver).key_down(held).send_keys(key).key_up(held).perform()

    def focused(self) -> str:
        """Return the text or the name of what has the focus."""
        text: str = self.driver.execute_script(
            "const at = document.activeElement; return at.name || at.textContent.trim();"
        )
        return text

    def logs_in(self, person: str, pin: str) -> None:
        """Come to 操作者認証, log in by PIN, and go on to 業務メニュー."""
        self.goes_to("/screens/login")
        self.types(person=person, pin=pin)
        self.presses("by-pin")
        self.sees("ログイン中")
        self.presses("go-on")
        self.sees("今日の確認事項")

    def _unfold(self, name: str) -> None:
        self.driver.execute_script(
            "const hides = document.getElementById(arguments[0]).closest('details');"
            "if (hides) hides.open = true;",
            name,
        )
