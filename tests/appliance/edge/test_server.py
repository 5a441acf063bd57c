"""The server: TLS on both sides, deadlines, keep-alive, caps, and stopping without half answers."""

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.certificates import CertificateAuthority
from appliance.edge import tls
from appliance.edge.caller import Phase
from appliance.edge.limits import Limits
from appliance.edge.server import PEER, REQUEST_ID, Server
from appliance.errors import StartupError
from appliance.model import Peer
from tests.edge import (
    NOW,
    QUICK,
    DoorDouble,
    Edge,
    HttpReply,
    Papers,
    is_closed,
    open_edge,
    post,
    read_reply,
)

Start = Callable[..., Any]


class App:
    """A WSGI app that shows what it was given and answers what the test wants."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.answers: Callable[[], bytes] = lambda: b"{}"
        self.headers: list[tuple[str, str]] = []

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        self.environs.append(environ)
        self.bodies.append(environ["wsgi.input"].read())
        body = self.answers()
        start("200 OK", [("Content-Length", str(len(body))), *self.headers])
        return [body]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Edge, App]]:
    app = App()
    with open_edge(tmp_path_factory.mktemp("server"), app=app) as edge:
        yield edge, app


@pytest.fixture
def app(served: tuple[Edge, App]) -> App:
    app = served[1]
    app.__init__()  # type: ignore[misc]
    return app


@pytest.fixture
def edge(served: tuple[Edge, App]) -> Edge:
    edge = served[0]
    edge.offset = timedelta(0)
    edge.door.early.clear()
    return edge


def wait_for(condition: Callable[[], object], seconds: float = 3.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


# --- who is there ---


def test_the_app_is_told_whom_the_certificate_proved(edge: Edge, app: App) -> None:
    assert edge.say(post()).status == 200
    peer = app.environs[0][PEER]
    assert isinstance(peer, Peer)
    assert peer.fingerprint == edge.papers.fingerprint()
    assert peer.not_after > NOW
    assert app.environs[0]["wsgi.url_scheme"] == "https"


def test_header_fields_reach_the_app_one_to_one(edge: Edge, app: App) -> None:
    edge.say(post(body=b"{}", X_Purpose="J-01", juki_peer="nobody"))
    environ = app.environs[0]
    assert environ["HTTP_X_PURPOSE"] == "J-01"
    assert environ["CONTENT_TYPE"] == "application/json"
    assert environ["CONTENT_LENGTH"] == "2"
    assert "HTTP_CONTENT_LENGTH" not in environ
    assert environ["HTTP_JUKI_PEER"] == "nobody"
    assert environ[PEER].fingerprint == edge.papers.fingerprint()
    assert environ["wsgi.errors"].write("dropped") == 7


def test_every_request_has_an_id_of_its_own(edge: Edge, app: App) -> None:
    for _ in range(2):
        edge.say(post())
    first, second = (environ[REQUEST_ID] for environ in app.environs)
    assert first != second


def test_only_tls_1_3_is_spoken(edge: Edge) -> None:
    with edge.connect() as sock:
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.version() == "TLSv1.3"
        assert sock.selected_alpn_protocol() == "http/1.1"
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.load_verify_locations(edge.papers.folder / "ca.pem")
    with edge.tcp() as raw, pytest.raises(ssl.SSLError):
        old.wrap_socket(raw, server_hostname="localhost")


def test_no_session_can_be_resumed(edge: Edge) -> None:
    context = edge.papers.client()
    with context.wrap_socket(edge.tcp(), server_hostname="localhost") as sock:
        sock.sendall(post())
        assert read_reply(sock).status == 200
        assert sock.session is None or not sock.session.has_ticket


def refused_handshake(edge: Edge, context: ssl.SSLContext) -> None:
    """Assert that no request gets through; TLS 1.3 tells a client only when it reads."""
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)), edge.tcp() as raw:  # noqa: PT012
        sock = context.wrap_socket(raw, server_hostname="localhost")
        sock.sendall(post())
        read_reply(sock)


def test_no_certificate_is_no_entry(edge: Edge, app: App) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(edge.papers.folder / "ca.pem")
    refused_handshake(edge, context)
    wait_for(lambda: edge.door.early)
    fingerprint, why = edge.door.early[0]
    assert fingerprint is None
    assert why.startswith("tls: PEER_DID_NOT_RETURN_A_CERTIFICATE, from 127.0.0.1")
    assert app.environs == []


@pytest.mark.parametrize(
    ("stem", "reason"),
    [("foreign", "self-signed|unable to get local issuer|signature"), ("expired", "expired")],
)
def test_a_foreign_or_expired_certificate_is_no_entry(
    edge: Edge, app: App, stem: str, reason: str
) -> None:
    papers = edge.papers
    if stem == "foreign":
        stranger = CertificateAuthority.create("Test CA", NOW)
        papers.file(stem, stranger.issue_client("terminal", now=NOW))
    else:
        earlier = NOW - timedelta(days=40)
        papers.file(stem, papers.authority.issue_client("terminal", now=earlier, days=30))
    refused_handshake(edge, papers.client(stem))
    wait_for(lambda: edge.door.early)
    assert "CERTIFICATE_VERIFY_FAILED" in edge.door.early[0][1]
    assert app.environs == []


def test_a_servers_certificate_is_not_a_clients(edge: Edge, app: App) -> None:
    refused_handshake(edge, edge.papers.client("server"))
    wait_for(lambda: edge.door.early)
    assert "unsuitable certificate purpose" in edge.door.early[0][1]
    assert app.environs == []


def test_plain_http_is_not_understood(edge: Edge, app: App) -> None:
    with edge.tcp() as raw:
        raw.sendall(post())
        with contextlib.suppress(EOFError, ConnectionError):
            assert b"200" not in raw.recv(100)
    wait_for(lambda: edge.door.early)
    assert "HTTP_REQUEST" in edge.door.early[0][1]
    assert app.environs == []


def test_a_certificate_that_expires_during_a_connection_ends_it(edge: Edge, app: App) -> None:
    with edge.connect() as sock:
        sock.sendall(post())
        assert read_reply(sock).status == 200
        edge.offset = timedelta(days=1000)
        sock.sendall(post())
        reply = read_reply(sock)
        assert reply.status == 403
        assert reply.plain["code"] == "certificate-expired"
        assert is_closed(sock)
    assert len(app.environs) == 1
    assert edge.door.early[0][0] == edge.papers.fingerprint()


def test_a_certificate_is_not_valid_before_its_time(edge: Edge) -> None:
    edge.offset = timedelta(days=-1)
    assert edge.say(post()).status == 403


def test_a_renewed_certificate_is_shown_to_new_connections(edge: Edge, app: App) -> None:
    papers, before = edge.papers, edge.server.context
    papers.file("renewed", papers.authority.issue_server(["renewed.example"], now=NOW))
    edge.server.context = tls.server_context(
        papers.folder / "renewed.pem", papers.folder / "renewed.key", papers.folder / "ca.pem"
    )
    try:
        with papers.client().wrap_socket(edge.tcp(), server_hostname="renewed.example") as sock:
            sock.sendall(post())
            assert read_reply(sock).status == 200
    finally:
        edge.server.context = before


# --- TLS files ---


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    papers = Papers.draw_up(tmp_path)
    (tmp_path / "server.key").chmod(0o640)
    with pytest.raises(StartupError, match="open to others"):
        papers.server()


@pytest.mark.parametrize("missing", ["server.pem", "server.key", "ca.pem"])
def test_missing_tls_files_are_named(tmp_path: Path, missing: str) -> None:
    papers = Papers.draw_up(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(StartupError, match=missing):
        papers.server()


def test_a_connection_that_proved_nothing_has_no_peer() -> None:
    class Unproven:
        def getpeercert(self, *, binary_form: bool) -> None:
            assert binary_form

    with pytest.raises(ssl.SSLError, match="no certificate"):
        tls.peer_of(Unproven())  # type: ignore[arg-type]


def test_damaged_tls_files_are_named(tmp_path: Path) -> None:
    papers = Papers.draw_up(tmp_path)
    (tmp_path / "server.pem").write_text("garbage")
    with pytest.raises(StartupError, match=r"server\.pem"):
        papers.server()


def test_session_keys_are_never_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    papers = Papers.draw_up(tmp_path)
    assert papers.server().keylog_filename is None
    assert papers.client().keylog_filename is None


# --- requests and connections ---


def test_a_connection_is_kept_for_many_requests(edge: Edge, app: App) -> None:
    with edge.connect() as sock:
        for number in range(20):
            sock.sendall(post(body=b"%d" % number))
            reply = read_reply(sock)
            assert reply.status == 200
            assert "connection" not in reply.headers
    assert app.bodies == [b"%d" % number for number in range(20)]


def test_a_client_may_end_the_connection(edge: Edge, app: App) -> None:
    with edge.connect() as sock:
        sock.sendall(post(Connection="close"))
        assert read_reply(sock).headers["connection"] == "close"
        assert is_closed(sock)


def test_a_request_may_come_in_the_smallest_pieces(edge: Edge, app: App) -> None:
    with edge.connect() as sock:
        for byte in post(body=b'{"a": 1}'):
            sock.sendall(bytes([byte]))
        assert read_reply(sock).status == 200
    assert app.bodies == [b'{"a": 1}']


def test_a_large_body_arrives_whole(edge: Edge, app: App) -> None:
    body = bytes(range(256)) * (32 * 1024)
    assert edge.say(post("/v1/update/notify", body)).status == 200
    assert app.bodies == [body]


def test_a_large_answer_leaves_whole(edge: Edge, app: App) -> None:
    big = bytes(range(256)) * (16 * 1024)
    app.answers = lambda: big
    reply = edge.say(post())
    assert reply.body == big
    with edge.connect() as sock:
        for _ in range(3):
            sock.sendall(post())
            assert read_reply(sock).body == big


def test_a_client_that_asks_to_go_on_is_told_so(edge: Edge, app: App) -> None:
    with edge.connect() as sock:
        head, body = post(Expect="100-continue")[:-2], b"{}"
        sock.sendall(head)
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert read_reply(sock).status == 200


def test_a_client_that_asks_to_go_on_may_be_told_no_at_once(edge: Edge, app: App) -> None:
    with edge.connect() as sock:
        sock.sendall(post(Expect="100-continue", Content_Length="99999999"))
        assert read_reply(sock).status == 413
    assert app.environs == []


def test_what_a_refusal_says_survives_a_client_that_is_still_sending(edge: Edge, app: App) -> None:
    with edge.connect() as sock:
        sock.sendall(post("/v1/search/find", bytes(2_000_000)))
        reply = read_reply(sock)
    assert reply.status == 413
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["connection"] == "close"
    assert app.environs == []


def test_a_refusal_is_reported_before_it_is_answered(edge: Edge) -> None:
    reply = edge.say(post(X_Pur_pose="a").replace(b"X-Pur-pose", b"X_Purpose"))
    assert reply.status == 400
    assert reply.plain["type"] == "urn:juki:problem:malformed"
    assert reply.plain["request_id"].startswith("request-")
    [(fingerprint, why)] = edge.door.early
    assert fingerprint == edge.papers.fingerprint()
    assert why.startswith("malformed: a header name")
    assert why.endswith("from 127.0.0.1")


def test_a_report_that_fails_does_not_let_anybody_in(tmp_path: Path) -> None:
    app = App()
    with open_edge(tmp_path, app=app) as edge:

        def broken(fingerprint: str | None, why: str) -> None:
            raise OSError("the journal is full")

        edge.server._report = broken
        for _ in range(2):
            assert edge.say(b"GET /../ HTTP/1.1\r\nHost: a\r\n\r\n").status == 400


def test_a_fault_of_the_app_is_a_plain_500(
    edge: Edge, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> bytes:
        raise ValueError("世帯主 山田太郎")

    app.answers = fails
    with caplog.at_level(logging.DEBUG):
        reply = edge.say(post())
    assert reply.status == 500
    assert reply.plain["code"] == "internal"
    assert "山田" not in caplog.text + reply.body.decode()
    assert "ValueError at" in caplog.text
    assert edge.say(post(body=b"")).status == 500
    app.answers = lambda: b"{}"
    assert edge.say(post()).status == 200


def test_an_app_cannot_stop_the_server_by_exiting(edge: Edge, app: App) -> None:
    def leaves() -> bytes:
        raise SystemExit

    app.answers = leaves
    assert edge.say(post()).status == 500
    app.answers = lambda: b"{}"
    assert edge.say(post()).status == 200


def test_an_app_that_unwinds_oddly_loses_its_caller_and_no_more(edge: Edge, app: App) -> None:
    def unwinds() -> bytes:
        raise GeneratorExit

    app.answers = unwinds
    with edge.connect() as sock:
        sock.sendall(post())
        assert is_closed(sock)
    app.answers = lambda: b"{}"
    assert edge.say(post()).status == 200


def test_what_cheroot_reports_is_logged_without_its_text(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        raise ValueError("山田太郎")
    except ValueError as bug:
        with caplog.at_level(logging.DEBUG):
            edge.server.error_log(repr(bug), level=logging.ERROR, traceback=True)
    with caplog.at_level(logging.DEBUG):
        edge.server.error_log("山田太郎 connected")
    assert "ValueError at" in caplog.text
    assert "a remark" in caplog.text
    assert "山田" not in caplog.text


def test_the_refusing_thread_survives_a_fault(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(refusal: object, request_id: str) -> None:
        raise ValueError("山田太郎")

    with monkeypatch.context() as patched:
        patched.setattr("appliance.edge.server.turned_away", broken)
        with edge.connect() as sock:
            sock.sendall(post(Content_Length="+2"))
            assert is_closed(sock)
    assert "a refusal could not be told: ValueError at" in caplog.text
    assert "山田" not in caplog.text
    assert edge.say(post(Content_Length="+2")).status == 400


def test_a_second_request_in_a_record_of_its_own_is_answered_after_the_first(
    edge: Edge, app: App
) -> None:
    with edge.connect() as sock:
        for number in range(5):
            sock.sendall(post(body=b"%d" % number))
        assert [read_reply(sock).status for _ in range(5)] == [200] * 5
    assert app.bodies == [b"%d" % number for number in range(5)]


def test_a_client_that_vanishes_before_the_answer_hurts_nobody(edge: Edge, app: App) -> None:
    def slowly() -> bytes:
        time.sleep(0.2)
        return bytes(1_000_000)

    app.answers = slowly
    sock = edge.connect()
    sock.sendall(post())
    sock.close()
    app.answers = lambda: b"{}"
    assert edge.say(post()).status == 200


# --- deadlines ---


def timed(work: Callable[[], HttpReply]) -> tuple[HttpReply, float]:
    start = time.monotonic()
    return work(), time.monotonic() - start


def test_an_idle_connection_is_closed_after_a_while(tmp_path: Path) -> None:
    limits = replace(QUICK, idle_seconds=0.3)
    with open_edge(tmp_path, limits=limits, app=App()) as edge, edge.connect() as sock:
        sock.sendall(post())
        assert read_reply(sock).status == 200
        assert is_closed(sock)
        assert edge.door.early == []


def test_a_head_that_drips_is_cut_at_the_deadline(edge: Edge, app: App) -> None:
    with edge.connect() as sock:
        reply, seconds = timed(lambda: drip(sock, post()[:100]))
    assert reply.status == 408
    assert 0.4 < seconds < 1.5
    assert edge.door.early[0][1].startswith("request-timeout")
    assert app.environs == []


def test_a_body_that_drips_is_cut_at_the_deadline(edge: Edge, app: App) -> None:
    request = post(body=bytes(1000))
    with edge.connect() as sock:
        sock.sendall(request[:-1000])
        reply, seconds = timed(lambda: drip(sock, request[-1000:]))
    assert reply.status == 408
    assert 0.4 < seconds < 1.5
    assert app.environs == []


def drip(sock: socket.socket, data: bytes) -> HttpReply:
    """Send a byte every 20 ms until there is an answer."""
    sock.settimeout(0.02)
    for byte in data:
        sock.sendall(bytes([byte]))
        with contextlib.suppress(TimeoutError):
            return read_reply(sock)
    raise AssertionError("everything was sent, and nobody objected")


def test_a_handshake_that_does_not_end_is_cut(edge: Edge) -> None:
    with edge.tcp() as raw:
        raw.sendall(b"\x16\x03\x01\x02\x00\x01")
        start = time.monotonic()
        assert is_closed(raw)
        assert 0.3 < time.monotonic() - start < 1.5
    wait_for(lambda: edge.door.early)
    assert edge.door.early[0][1].startswith("tls: no handshake in time")


def test_a_client_that_does_not_read_its_answer_is_cut(edge: Edge, app: App) -> None:
    app.answers = lambda: bytes(30_000_000)
    before = edge.server._reception.count
    with edge.connect() as sock:
        sock.sendall(post())
        wait_for(lambda: app.environs)
        wait_for(lambda: edge.server._reception.count <= before)


# --- caps ---


def test_a_certificate_may_have_so_many_connections(tmp_path: Path) -> None:
    limits = replace(QUICK, connections_per_certificate=3)
    with (
        open_edge(tmp_path, limits=limits, app=App()) as edge,
        contextlib.ExitStack() as stack,
    ):
        several = [stack.enter_context(edge.connect()) for _ in range(3)]
        for sock in several:
            sock.sendall(post())
            assert read_reply(sock).status == 200
        reply = edge.say(post())
        assert reply.status == 503
        assert reply.plain["code"] == "busy"
        assert reply.headers["retry-after"] == "1"
        assert edge.say(post(), "other").status == 200
        several[0].close()
        wait_for(lambda: edge.say(post()).status == 200)


def test_when_it_is_full_the_unproven_make_room(tmp_path: Path) -> None:
    limits = replace(QUICK, connections=5, handshake_seconds=5)
    with (
        open_edge(tmp_path, limits=limits, app=App()) as edge,
        contextlib.ExitStack() as stack,
    ):
        proven = stack.enter_context(edge.connect())
        proven.sendall(post())
        assert read_reply(proven).status == 200
        silent = [stack.enter_context(edge.tcp()) for _ in range(20)]
        assert edge.say(post(), "other").status == 200
        assert is_closed(silent[0])
        proven.sendall(post())
        assert read_reply(proven).status == 200


def test_when_it_is_full_of_proven_callers_the_longest_idle_makes_room(tmp_path: Path) -> None:
    limits = replace(QUICK, connections=3)
    with (
        open_edge(tmp_path, limits=limits, app=App()) as edge,
        contextlib.ExitStack() as stack,
    ):
        socks = [stack.enter_context(edge.connect()) for _ in range(3)]
        places = edge.server._reception._places
        for sock in (*socks, socks[0]):
            sock.sendall(post())
            assert read_reply(sock).status == 200
            wait_for(lambda: all(c.phase is Phase.IDLE for c in places.everybody()))
        assert edge.say(post()).status == 200
        assert is_closed(socks[1])
        socks[0].sendall(post())
        assert read_reply(socks[0]).status == 200


def test_when_all_are_busy_the_next_waits_until_one_is_done(tmp_path: Path) -> None:
    app, go = App(), threading.Event()

    def waits() -> bytes:
        go.wait(5)
        return b"{}"

    app.answers = waits
    limits = replace(QUICK, connections=2)
    with (
        open_edge(tmp_path, limits=limits, app=app) as edge,
        contextlib.ExitStack() as stack,
    ):
        socks = [stack.enter_context(edge.connect()) for _ in range(2)]
        for sock in socks:
            sock.sendall(post())
        wait_for(lambda: len(app.environs) == 2)
        replies: list[HttpReply] = []
        late = threading.Thread(target=lambda: replies.append(edge.say(post())))
        late.start()
        time.sleep(0.2)
        assert len(app.environs) == 2
        go.set()
        assert [read_reply(sock).status for sock in socks] == [200, 200]
        late.join(5)
        assert [reply.status for reply in replies] == [200]


def test_bodies_may_take_so_much_memory_together(tmp_path: Path) -> None:
    limits = replace(QUICK, bodies_bytes=1_000_000, body_seconds=5)
    with open_edge(tmp_path, limits=limits, app=App()) as edge, edge.connect() as sock:
        announced = post("/v1/update/notify", bytes(900_000))
        sock.sendall(announced[:1000])
        wait_for(lambda: edge.say(post("/v1/update/notify", bytes(200_000))).status == 503)
        sock.sendall(announced[1000:])
        assert read_reply(sock).status == 200
        assert edge.say(post("/v1/update/notify", bytes(200_000))).status == 200


def test_one_certificate_may_take_so_much_memory(tmp_path: Path) -> None:
    limits = replace(QUICK, bodies_bytes_per_certificate=1_000_000, body_seconds=5)
    with open_edge(tmp_path, limits=limits, app=App()) as edge, edge.connect() as sock:
        announced = post("/v1/update/notify", bytes(900_000))
        sock.sendall(announced[:1000])
        wait_for(lambda: edge.say(post("/v1/update/notify", bytes(200_000))).status == 503)
        assert edge.say(post("/v1/update/notify", bytes(900_000)), "other").status == 200
        sock.sendall(announced[1000:])
        assert read_reply(sock).status == 200
        assert edge.say(post("/v1/update/notify", bytes(200_000))).status == 200


def test_one_certificate_may_hold_so_many_workers(tmp_path: Path) -> None:
    app, go = App(), threading.Event()

    def waits() -> bytes:
        go.wait(5)
        return b"{}"

    app.answers = waits
    limits = replace(QUICK, workers=2, workers_per_certificate=1)
    with open_edge(tmp_path, limits=limits, app=app) as edge, contextlib.ExitStack() as stack:
        busy = [stack.enter_context(edge.connect()) for _ in range(3)]
        for sock in busy:
            sock.sendall(post())
        wait_for(lambda: app.environs and edge.server.requests.qsize == 2)
        assert len(app.environs) == 1
        app.answers = lambda: b"{}"
        assert edge.say(post(), "other").status == 200
        go.set()
        assert [read_reply(sock).status for sock in busy] == [200] * 3
        assert edge.server.requests.qsize == 0


def test_so_many_requests_may_wait_for_a_worker(tmp_path: Path) -> None:
    app, go = App(), threading.Event()

    def waits() -> bytes:
        go.wait(5)
        return b"{}"

    app.answers = waits
    limits = replace(QUICK, workers=1, waiting=2)
    with open_edge(tmp_path, limits=limits, app=app) as edge, contextlib.ExitStack() as stack:
        served = stack.enter_context(edge.connect())
        served.sendall(post())
        wait_for(lambda: app.environs)
        queued = [stack.enter_context(edge.connect()) for _ in range(2)]
        for sock in queued:
            sock.sendall(post())
        wait_for(lambda: edge.server.requests.qsize == 2)
        reply, seconds = timed(lambda: edge.say(post()))
        assert (reply.status, reply.plain["code"]) == (503, "busy")
        assert seconds < 1
        go.set()
        assert [read_reply(sock).status for sock in (served, *queued)] == [200] * 3


def test_it_goes_on_when_there_are_no_file_descriptors_for_a_moment(
    edge: Edge, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    reception = edge.server._reception

    class Exhausted:
        def fileno(self) -> int:
            return listener.fileno()

        def accept(self) -> None:
            raise OSError(24, "Too many open files")

    listener = reception._listener
    monkeypatch.setattr(reception, "_listener", Exhausted())
    with edge.tcp():
        time.sleep(0.1)
        monkeypatch.setattr(reception, "_listener", listener)
        assert edge.say(post()).status == 200


# --- starting and stopping ---


def test_a_request_under_way_is_answered_before_the_server_stops(tmp_path: Path) -> None:
    app, begun = App(), threading.Event()

    def slowly() -> bytes:
        begun.set()
        time.sleep(0.3)
        return b"done"

    app.answers = slowly
    with open_edge(tmp_path, app=app) as edge, edge.connect() as sock, edge.connect() as idle:
        sock.sendall(post())
        begun.wait(5)
        stopping = threading.Thread(target=edge.server.stop)
        stopping.start()
        assert is_closed(idle)
        reply = read_reply(sock)
        assert reply.body == b"done"
        assert reply.headers["connection"] == "close"
        stopping.join(5)
        with pytest.raises(OSError):
            edge.tcp()


def test_who_is_seen_off_half_shaken_when_the_server_stops_is_not_noted(tmp_path: Path) -> None:
    app, begun = App(), threading.Event()

    def slowly() -> bytes:
        begun.set()
        time.sleep(0.3)
        return b"done"

    app.answers = slowly
    limits = replace(QUICK, handshake_seconds=30)
    with open_edge(tmp_path, limits=limits, app=app) as edge, edge.connect() as sock:
        with edge.tcp() as silent:
            sock.sendall(post())
            begun.wait(5)
            edge.server.stop()
            assert is_closed(silent)
        assert edge.door.early == []


def test_stopping_does_not_wait_for_ever(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app, go, begun = App(), threading.Event(), threading.Event()

    def hangs() -> bytes:
        begun.set()
        go.wait(10)
        return b""

    app.answers = hangs
    limits = replace(QUICK, drain_seconds=0.2)
    with open_edge(tmp_path, limits=limits, app=app) as edge, edge.connect() as sock:
        sock.sendall(post())
        begun.wait(5)
        start = time.monotonic()
        edge.server.stop()
        assert time.monotonic() - start < 3
        go.set()
        assert is_closed(sock)
    assert "stopping although requests are still under way" in caplog.text


def test_stopping_twice_or_before_starting_is_harmless(tmp_path: Path) -> None:
    with open_edge(tmp_path, app=App()) as edge:
        edge.server.stop()
        edge.server.stop()


def test_a_socket_from_systemd_is_not_taken_by_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LISTEN_PID", "1")
    with pytest.raises(StartupError, match="socket activation"), open_edge(tmp_path, app=App()):
        pass


def test_threads_and_connections_do_not_grow(edge: Edge, app: App) -> None:
    edge.say(post())
    wait_for(lambda: edge.server._reception.count == 0)
    before = threading.active_count()
    for _ in range(50):
        edge.say(post())
    wait_for(lambda: edge.server._reception.count == 0)
    assert threading.active_count() == before


def test_the_usual_limits_are_those_of_the_design() -> None:
    usual = Limits()
    assert (usual.head_seconds, usual.body_seconds, usual.idle_seconds) == (5, 10, 60)
    assert usual.body_bytes("/v1/update/notify") == 8 * 1024 * 1024
    assert usual.body_bytes("/v1/search/find") == 256 * 1024
    assert usual.body_bytes("/v1/provision/bulk-submit") == 32 * 1024 * 1024
    assert usual.body_bytes("/v1/provision/bulk-status") == 256 * 1024
    server = Server(
        ("127.0.0.1", 0),
        App(),
        context=None,
        report=DoorDouble().refused_early,
        clock=lambda: NOW,
        request_id=lambda: "1",
    )
    assert server.limits == usual
