"""The witness on the wire, its folder, and its commands."""

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli import juki as group
from appliance.edge.tls import client_context
from appliance.witness.desk import Desk
from appliance.witness.server import LINGER_BYTES, WORKERS, Server
from appliance.witness.setup import BadSetup, read_setup
from appliance.witness.shelf import Shelf
from storage.cosignature import WitnessKey, with_cosignature
from storage.merkle import Tree
from storage.submission import PATH, SIZE_TYPE, submit
from tests.simulators.link import Credentials
from tests.simulators.network import Network
from tests.storage.made import SIGNER, LedgerInMemory, small_ledger

AT = 1_790_000_000
NAME = "witness.example"


def juki(*words: object) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


def made(folder: Path, *more: object) -> Result:
    return juki("witness", "init", folder, "--name", NAME, "--ledger", SIGNER.vkey, *more)


def secured(folder: Path, network: Network, listen: str = "127.0.0.1:0") -> Path:
    paper = network.server()
    tls = ("--certificate", paper.certificate, "--cert-key", paper.key, "--client-ca", network.ca)
    assert made(folder, "--listen", listen, *tls).exit_code == 0
    return folder


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    setup = read_setup(folder)
    shelf = Shelf(folder, setup.cosigner.key)
    shelf.make()
    server = Server(setup, Desk(setup.cosigner, setup.ledgers, shelf, lambda: AT))
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield int(server.bind_addr[1])
    finally:
        server.stop()
        thread.join()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network(tmp_path_factory.mktemp("network"), "premises")


@pytest.fixture
def folder(tmp_path: Path, network: Network) -> Path:
    return secured(tmp_path / "witness", network)


def body(ledger: LedgerInMemory, old: int) -> bytes:
    size = ledger.frontier.size
    return submit(Tree(size, ledger), old, ledger.checkpoint()).text().encode()


def ask(
    port: int, papers: Credentials, content: bytes, method: str = "POST", path: str = PATH
) -> tuple[int, str | None, str]:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", port, context=client_context(*papers), timeout=10
    )
    try:
        connection.request(method, path, content)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read().decode()
    finally:
        connection.close()


def exchanged(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    connection.request("POST", PATH, body(small_ledger(7), 0))
    return connection.getresponse()


def test_a_ledger_is_cosigned_over_mutual_tls(folder: Path, network: Network) -> None:
    vkey = str(read_setup(folder).cosigner.key)
    with serving(folder) as port:
        papers = network.client("pref-43")
        status, _, line = ask(port, papers, body(small_ledger(7), 0))
        assert status == 200
        with_cosignature(small_ledger(7).checkpoint(), line, WitnessKey.parse(vkey))
        assert ask(port, papers, body(small_ledger(9), 3)) == (409, SIZE_TYPE, "7\n")
        assert ask(port, papers, body(small_ledger(9), 7))[0] == 200


def test_who_is_not_of_the_authority_is_not_heard(
    folder: Path, network: Network, tmp_path: Path
) -> None:
    stranger = Network(tmp_path, "stranger").client("pref-43")._replace(ca=network.ca)
    bare = ssl.create_default_context(cafile=network.ca)
    with serving(folder) as port:
        with pytest.raises(OSError):
            ask(port, stranger, body(small_ledger(7), 0))
        for unproven in (
            http.client.HTTPSConnection("127.0.0.1", port, context=bare, timeout=10),
            http.client.HTTPConnection("127.0.0.1", port, timeout=10),
        ):
            with pytest.raises((OSError, http.client.HTTPException)):
                exchanged(unproven)
            unproven.close()
    assert json.loads(juki("witness", "show", folder, "--json").stdout)["cosigned"] == []


def test_callers_that_do_not_shake_hands_hold_up_nobody(folder: Path, network: Network) -> None:
    with serving(folder) as port:
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
        assert ask(port, network.client("pref-43"), body(small_ledger(7), 0))[0] == 200
        for each in silent:
            each.close()


def test_callers_that_take_for_ever_over_a_request_hold_up_nobody_for_long(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.witness.server.EXCHANGE_SECONDS", 1)
    ended = threading.Event()
    papers = network.client("pref-43")

    def drip(slow: ssl.SSLSocket) -> None:
        with contextlib.suppress(OSError):
            while not ended.wait(0.2):
                slow.sendall(b"a")

    with serving(folder) as port, contextlib.ExitStack() as closing:
        for _ in range(WORKERS):
            raw = socket.create_connection(("127.0.0.1", port))
            slow = client_context(*papers).wrap_socket(raw, server_hostname="127.0.0.1")
            closing.enter_context(slow).sendall(f"POST {PATH} HTTP/1.1\r\nX: ".encode())
            dripping = threading.Thread(target=drip, args=(slow,))
            dripping.start()
            closing.callback(dripping.join)
        closing.callback(ended.set)
        assert ask(port, papers, body(small_ledger(7), 0))[0] == 200


@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: -1\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n1ffff\r\n" + b"x" * 0x1FFFF + b"\r\n0\r\n\r\n",
    ],
)
def test_a_body_that_does_not_come_whole_is_the_callers_fault(
    folder: Path, network: Network, framed: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    papers = network.client("pref-43")
    with serving(folder) as port:
        raw = socket.create_connection(("127.0.0.1", port), timeout=10)
        with client_context(*papers).wrap_socket(raw, server_hostname="127.0.0.1") as caller:
            caller.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\n".encode() + framed)
            assert caller.recv(1024).startswith(b"HTTP/1.1 400 ")
    assert "nothing is cosigned" not in caplog.text


def test_a_caller_who_is_refused_may_finish_sending_but_not_for_ever(
    folder: Path, network: Network
) -> None:
    papers = network.client("pref-43")
    with serving(folder) as port:
        raw = socket.create_connection(("127.0.0.1", port), timeout=10)
        with client_context(*papers).wrap_socket(raw, server_hostname="127.0.0.1") as caller:
            caller.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: ".encode())
            caller.sendall(b"%d\r\n\r\n" % LINGER_BYTES)
            assert caller.recv(1024).startswith(b"HTTP/1.1 413 ")
            for _ in range(16):
                caller.sendall(b"x" * (LINGER_BYTES // 32))
            with pytest.raises(OSError):
                caller.sendall(b"x" * (LINGER_BYTES * 64))


def test_there_is_one_path_and_one_method(folder: Path, network: Network) -> None:
    with serving(folder) as port:
        papers = network.client("pref-43")
        assert ask(port, papers, b"", path="/")[0] == 404
        assert ask(port, papers, b"", method="GET")[0] == 405
        assert ask(port, papers, b"")[0] == 400
        assert ask(port, papers, b"x" * 100_000)[0] == 413


def test_a_witness_that_cannot_keep_cosigns_nothing(
    folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with serving(folder) as port:
        monkeypatch.setattr("appliance.witness.shelf.write_synced", full)
        assert ask(port, network.client("pref-43"), body(small_ledger(7), 0))[0] == 503


# --- its folder


def test_a_key_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    first = made(tmp_path / "w", "--json")
    assert first.exit_code == 0
    assert WitnessKey.parse(json.loads(first.stdout)["vkey"]).name == NAME
    assert (tmp_path / "w" / "witness.key").stat().st_mode & 0o077 == 0
    again = made(tmp_path / "w")
    assert again.exit_code == 3
    assert "never made anew" in again.stderr
    assert str(read_setup(tmp_path / "w").cosigner.key) == json.loads(first.stdout)["vkey"]


@pytest.mark.parametrize(
    ("changed", "to", "says"),
    [
        ("127.0.0.1:8550", "10.0.0.9:8550", "without \\[tls\\]"),
        ("127.0.0.1:8550", "witness:8550", "listen: must be an IP address"),
        ("127.0.0.1:8550", "127.0.0.1", "listen: must be an IP address"),
        ("listen", "lisen", "lisen"),
        ("+", "-", "ledgers"),
        ("[", "", "witness.toml"),
    ],
)
def test_what_is_wrong_in_the_configuration_is_named(
    tmp_path: Path, changed: str, to: str, says: str
) -> None:
    made(tmp_path)
    config = tmp_path / "witness.toml"
    config.write_text(config.read_text().replace(changed, to, 1))
    with pytest.raises(BadSetup, match=says):
        read_setup(tmp_path)
    assert juki("witness", "serve", tmp_path).exit_code == 2


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "witness.key").chmod(0o640)
    with pytest.raises(BadSetup, match="open to others"):
        read_setup(tmp_path)


def test_a_setup_that_is_no_good_leaves_nothing_behind(tmp_path: Path) -> None:
    assert made(tmp_path / "w", "--listen", "10.0.0.9:1").exit_code == 3
    assert made(tmp_path / "w", "--certificate", "only.pem").exit_code == 2
    assert not (tmp_path / "w").exists()


def test_show_says_what_was_cosigned_and_ends_with_4_if_anything_contradicts(
    folder: Path, network: Network
) -> None:
    with serving(folder) as port:
        papers = network.client("pref-43")
        ask(port, papers, body(small_ledger(7), 0))
        told = juki("witness", "show", folder)
        assert told.exit_code == 0
        assert SIGNER.verifier.name in told.stdout
        ask(port, papers, body(small_ledger(5), 0))
    told = juki("witness", "show", folder, "--json")
    assert told.exit_code == 4
    plain = json.loads(told.stdout)
    assert [each["size"] for each in plain["cosigned"]] == [7]
    (evidence,) = plain["evidence"]
    assert evidence["kind"] == "rollback"
    # A human has looked, and put it elsewhere.
    Path(evidence["file"]).rename(folder.parent / "kept")
    assert juki("witness", "show", folder).exit_code == 0
