import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.simulators.link import Link, Lost, Refused
from tests.simulators.network import Network
from tests.simulators.terminal import Terminal
from tests.simulators.tls_server import JsonExchange, TlsServer, serving

SENT = ("Authorization", "X-Purpose", "X-Reason", "X-Case", "X-Approval", "Idempotency-Key")


class Echo(JsonExchange):
    """Opens sessions for one PIN, and says what it was asked."""

    def get(self) -> None:
        self.answer(200, {"path": self.path})

    def post(self, body: bytes) -> None:
        asked = json.loads(body)
        if asked.get("pin", "12345678") != "12345678":
            self.refuse(401, "wrong PIN")
            return
        headers = {name: self.headers[name] for name in SENT if name in self.headers}
        said = {"path": self.path, "asked": asked, "headers": headers, "terminal": self.caller()}
        self.answer(200, {"data": {"token": "t-1", **said}})


@pytest.fixture
def url(network: Network) -> Iterator[str]:
    with serving(TlsServer(("127.0.0.1", 0), network.server(), Echo)) as port:
        yield f"https://127.0.0.1:{port}"


@pytest.fixture
def terminal(url: str, network: Network) -> Iterator[Terminal]:
    with closing(Terminal(url, *network.client("TERM-0001"))) as terminal:
        yield terminal


def called(terminal: Terminal, **headers: Any) -> Any:
    status, body = terminal.call("search/find", {"name": "山田　花子"}, **headers)
    assert status == 200
    return body["data"]


def test_a_call_goes_to_its_operation_under_the_terminal_s_certificate(terminal: Terminal) -> None:
    said = called(terminal)

    assert said["path"] == "/v1/search/find"
    assert said["asked"] == {"name": "山田　花子"}
    assert said["terminal"] == "TERM-0001"
    assert said["headers"] == {}


def test_whoever_has_logged_in_carries_the_session_until_logging_out(terminal: Terminal) -> None:
    assert terminal.login("OP-0001", "12345678")["token"] == "t-1"
    assert called(terminal)["headers"] == {"Authorization": "Bearer t-1"}

    terminal.logout()
    assert called(terminal)["headers"] == {}


def test_a_session_that_was_opened_elsewhere_can_be_carried_on(terminal: Terminal) -> None:
    terminal.resume("t-2")

    assert called(terminal)["headers"] == {"Authorization": "Bearer t-2"}


def test_an_approval_travels_as_a_header(terminal: Terminal) -> None:
    status, body = terminal.call("ledger/search", {}, approval=12)
    assert (status, body["data"]["headers"]) == (200, {"X-Approval": "12"})


def test_purpose_reason_case_and_key_travel_as_headers(terminal: Terminal) -> None:
    said = called(terminal, purpose="tax", reason="01", case="2026-17", idempotency_key="k" * 16)

    assert said["headers"] == {
        "X-Purpose": "tax",
        "X-Reason": "01",
        "X-Case": "2026-17",
        "Idempotency-Key": "k" * 16,
    }


def test_a_wrong_pin_opens_nothing(terminal: Terminal) -> None:
    terminal.login("OP-0001", "12345678")

    with pytest.raises(Refused, match="401"):
        terminal.login("OP-0001", "00000000")
    assert called(terminal)["headers"] == {}


def test_a_pin_is_set_with_an_enrolment_code(terminal: Terminal) -> None:
    terminal.enrol("code-1", "12345678")


def test_a_path_can_be_read(terminal: Terminal) -> None:
    assert terminal.read("/v1/sys/health") == (200, {"path": "/v1/sys/health"})


def test_a_server_of_another_network_is_not_believed(
    url: str, network: Network, strangers: Network
) -> None:
    deceived = network.client("TERM-0001")._replace(ca=strangers.ca)
    with Link(url, deceived) as link, pytest.raises(Lost):
        link.ask("/v1/sys/health")


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "https://", "127.0.0.1:8443"])
def test_an_address_must_be_https_and_name_a_host(address: str, network: Network) -> None:
    with pytest.raises(ValueError, match="https"):
        Link(address, network.client("TERM-0001"))
