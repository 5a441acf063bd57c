"""A sealed process: it has no keys, so whatever is asked, nobody learns or changes anything."""

import json
from collections.abc import Iterator

import pytest

from tests.attack.field import CANARY, tells_nothing
from tests.edge import HttpReply, post, read_reply
from tests.machine import Machine

OPERATIONS = [
    "update/notify",
    "update/held",
    "search/find",
    "search/detail",
    "provision/inquire",
    "session/open",
    "session/enrol",
    "roster/enrol-terminal",
    "ledger/search",
    "relay/feed",
    "relay/acknowledge",
    "no/such-thing",
]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine.make(tmp_path_factory.mktemp("sealed") / "machine")
    machine.start()
    try:
        machine.wait_until_asked()
        yield machine
    finally:
        machine.kill()


def ask(machine: Machine, path: str, body: bytes = b"{}", **headers: str) -> HttpReply:
    with machine.connect(machine.context("TERM-0001")) as sock:
        sock.sendall(post(path, body, Accept="application/json", **headers))
        return read_reply(sock)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_operation_is_carried_out(sealed: Machine, operation: str) -> None:
    body = json.dumps({"operator": CANARY, "name": CANARY}).encode()
    reply = ask(sealed, f"/v1/{operation}", body, Idempotency_Key="k" * 16)
    assert (reply.status, reply.plain["code"]) == (503, "unavailable")
    tells_nothing(reply)


def test_it_says_only_that_it_is_sealed(sealed: Machine) -> None:
    link = sealed.link("TERM-0001")
    assert link.ask("/v1/sys/health").status == 503
    status = link.ask("/v1/sys/seal-status").body
    assert (status["sealed"], status["progress"], status["t"]) == (True, 0, 3)
    assert link.ask("/v1/sys/checkpoint").status == 404
    paths = link.ask("/v1/openapi.json").body["paths"]
    assert all(path.startswith("/v1/sys/") or path == "/v1/openapi.json" for path in paths)
    link.close()


def test_the_operators_figures_hold_nothing(sealed: Machine) -> None:
    status, text = sealed.loopback("GET", "metrics")
    assert status == 200
    assert CANARY not in text


SHARE = "academic acid acrobat romp"
BAD_SHARES = {
    "nothing": "",
    "words that are none": f"{CANARY} {CANARY}",
    "too few": SHARE,
    "a hundred thousand words": "academic " * 1500,
    "not ASCII": "カナリア " * 20,
}


@pytest.mark.parametrize("name", BAD_SHARES)
def test_a_share_that_is_none_is_refused_and_not_repeated(sealed: Machine, name: str) -> None:
    status, told = sealed.loopback("POST", "unseal", {"share": BAD_SHARES[name]})
    assert (status, told["code"]) == (400, "malformed")
    assert CANARY not in json.dumps(told, ensure_ascii=False)
    assert sealed.loopback("GET", "seal-status")[1]["progress"] == 0


def test_shares_of_another_store_open_nothing(
    sealed: Machine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Machine.make(tmp_path_factory.mktemp("other") / "machine")
    for share in other.founded.shares:
        status, told = sealed.loopback("POST", "unseal", {"share": share})
        assert (status, told["code"]) == (400, "malformed")
    assert sealed.loopback("GET", "seal-status")[1]["progress"] == 0


def test_the_same_share_twice_counts_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    machine = Machine.make(tmp_path_factory.mktemp("twice") / "machine")
    machine.start()
    try:
        machine.wait_until_asked()
        share = machine.founded.shares[4]
        assert machine.loopback("POST", "unseal", {"share": share})[0] == 200
        status, _ = machine.loopback("POST", "unseal", {"share": share})
        assert status == 400
        known = machine.loopback("GET", "seal-status")[1]
        assert (known["progress"], known["sealed"]) == (1, True)
    finally:
        machine.kill()


def test_a_second_process_on_the_same_store_does_not_start(sealed: Machine) -> None:
    second = sealed.juki("serve", "--config", str(sealed.config))
    assert second.returncode != 0
    assert sealed.loopback("GET", "seal-status")[0] == 200
