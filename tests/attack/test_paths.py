"""Paths that could mean others, methods that could do more, and ports that are not each other's."""

import http.client
from collections.abc import Callable

import pytest

from tests.attack.field import CANARY, CS, TERMINAL, Field, tells_nothing
from tests.edge import HttpReply, post

TRICKS = [
    "/v1/search/../ledger/search",
    "/v1/search/%2e%2e/ledger/search",
    "/v1/sys/../search/find",
    "/v1/search/find/",
    "/v1/search/find%00",
    "/v1/search/find%2f",
    "/v1/search//find",
    "//v1/search/find",
    "/v1/search/find?Kanaria",
    "/v1/search/find#Kanaria",
    "/v1/search/find;Kanaria",
    "/v1\\search\\find",
    "/v1/search/fi%6ed",
    "/v1/search/\uff0e\uff0e/find",
    "https://127.0.0.1/v1/search/find",
    "v1/search/find",
    "/.env",
]
STRANGE = [
    "/",
    "/v1",
    "/v2/search/find",
    "/v1/search",
    "/v1/search/find/Kanaria",
    "/v1/SEARCH/find",
    "/v1/search/FIND",
    "/v1/search/-find",
    "/v1/search/" + "a" * 41,
    "/v1/sys/unseal",
    "/v1/sys/seal",
    "/v1/sys/metrics",
    "/v1/sys/Kanaria",
    "/metrics",
    "/openapi.json",
    "/static/app.js",
    "/favicon.ico",
]


@pytest.mark.parametrize("path", TRICKS)
def test_a_path_that_could_mean_another_is_refused(field: Field, path: str) -> None:
    reply = field.say(TERMINAL, post(path, b"{}"))
    assert (reply.status, reply.plain["code"]) == (400, "malformed")
    tells_nothing(reply)


@pytest.mark.parametrize("path", STRANGE)
def test_where_nothing_is_nothing_is_told(field: Field, path: str) -> None:
    reply = field.say(TERMINAL, post(path, b"{}"))
    assert (reply.status, reply.plain["code"]) == (404, "not-found")
    tells_nothing(reply)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "POST2"])
def test_an_operation_takes_post_and_nothing_else(field: Field, method: str) -> None:
    head = f"{method} /v1/search/find HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    reply = field.say(TERMINAL, head.encode())
    assert (reply.status, reply.plain["code"]) in ((405, "method-not-allowed"), (400, "malformed"))
    tells_nothing(reply)


@pytest.mark.parametrize("path", ["/v1/sys/health", "/v1/sys/checkpoint", "/v1/openapi.json"])
def test_what_is_to_be_looked_at_takes_no_post(field: Field, path: str) -> None:
    reply = field.say(CS, post(path, b"{}"))
    assert (reply.status, reply.plain["code"]) in ((405, "method-not-allowed"), (404, "not-found"))


# --- the port for whoever is on the machine ---


def ask_loopback(field: Field, method: str, path: str, **headers: str) -> HttpReply:
    connection = http.client.HTTPConnection("127.0.0.1", field.machine.management, timeout=10)
    body = None if method == "GET" else b"{}"
    fields = {"Content-Type": "application/json"} if body else {}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return HttpReply(answer.status, told, answer.read())
    finally:
        connection.close()


LED_HERE: dict[str, Callable[[Field], HttpReply]] = {
    "by a name that is now ours": lambda field: ask_loopback(
        field, "GET", "/v1/sys/health", Host="attacker.example"
    ),
    "by a name like ours": lambda field: ask_loopback(
        field, "GET", "/v1/sys/health", Host="127.0.0.1.attacker.example"
    ),
    "by a page": lambda field: ask_loopback(
        field, "POST", "/v1/sys/seal", Origin="https://attacker.example"
    ),
    "by a page of nowhere": lambda field: ask_loopback(
        field, "POST", "/v1/sys/unseal", Origin="null"
    ),
}


@pytest.mark.parametrize("how", LED_HERE)
def test_a_browser_that_was_led_here_is_refused(field: Field, how: str) -> None:
    reply = LED_HERE[how](field)
    assert (reply.status, reply.plain["code"]) == (400, "malformed")


@pytest.mark.parametrize("path", ["/v1/search/find", "/v1/openapi.json", "/v1/sys/checkpoint"])
def test_the_loopback_port_does_no_business(field: Field, path: str) -> None:
    assert ask_loopback(field, "POST", path).status == 404


@pytest.mark.parametrize("token", ["", "0" * 64, CANARY])
def test_nobody_seals_without_the_token(field: Field, token: str) -> None:
    headers = {"X_Seal_Token": token} if token else {}
    reply = ask_loopback(field, "POST", "/v1/sys/seal", **headers)
    assert (reply.status, reply.plain["code"]) == (403, "not-permitted")
    assert ask_loopback(field, "GET", "/v1/sys/seal-status").plain["sealed"] is False
