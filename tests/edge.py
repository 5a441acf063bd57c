"""A real port for tests: real sockets, real TLS, short deadlines, and a double behind the door."""

import itertools
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from appliance import wire
from appliance.certificates import CertificateAuthority, Issued, fingerprint
from appliance.edge import tls
from appliance.edge.door import Seat
from appliance.edge.limits import Limits
from appliance.edge.metrics import Metrics
from appliance.edge.problems import Early
from appliance.edge.server import App, Server
from appliance.errors import Unidentified
from appliance.http import make_app
from appliance.model import Envelope, OperationName, Peer, Reply
from appliance.operation import Answer, AnyOperation, Arguments, Operation
from appliance.screen import Screen

NOW = datetime.now(UTC)
TIMEOUT = 5.0
QUICK = Limits(
    handshake_seconds=0.5,
    head_seconds=0.5,
    body_seconds=0.5,
    reply_seconds=0.5,
    idle_seconds=2.0,
    linger_seconds=0.5,
    drain_seconds=2.0,
    tick_seconds=0.02,
    workers=4,
)


class Find(Arguments, frozen=True):
    name: str = ""


class Found(Answer, frozen=True):
    count: int


class Notify(Arguments, frozen=True):
    notifications: tuple[dict[str, str], ...] = ()


OPERATIONS: tuple[AnyOperation, ...] = (
    Operation(
        name=OperationName("search/find"),
        summary="Find residents.",
        asks=Find,
        answers=Found,
        handler=lambda case, arguments: Found(count=0),
    ),
    Operation(
        name=OperationName("update/notify"),
        summary="Take notices.",
        asks=Notify,
        answers=Found,
        handler=lambda case, arguments: Found(count=0),
        changes=True,
        purposed=False,
    ),
)


@dataclass
class DoorDouble:
    """Stands for the appliance: keeps what it was asked, answers or raises what it was told to."""

    envelopes: list[Envelope] = field(default_factory=list)
    early: list[tuple[str | None, str]] = field(default_factory=list)
    fails_with: BaseException | None = None
    data: Mapping[str, Any] = field(default_factory=lambda: {"count": 0})
    before: Callable[[], object] = lambda: None
    status: int = 200
    note: str | None = "audit.juki.test\n1\nroot\n\n— audit.juki.test sig\n"

    def answer(self, envelope: Envelope) -> Reply:
        self.envelopes.append(envelope)
        self.before()
        if self.fails_with is not None:
            raise self.fails_with
        wire.decode(envelope.media_type, envelope.body)
        return Reply(envelope.request_id, 7, self.data)

    def operations(self) -> tuple[AnyOperation, ...]:
        return OPERATIONS

    def screens(self) -> tuple[Screen, ...]:
        return ()

    def seated(self, peer: Peer, bearer: str, *, attended: bool) -> Seat:
        raise Unidentified("log in first (session/open)")

    def health(self) -> tuple[int, dict[str, Any]]:
        return self.status, {"sealed": self.status != 200}

    def seal_status(self) -> dict[str, Any]:
        return {"type": "slip39", "sealed": False, "t": 3, "n": 5, "progress": 0}

    def checkpoint(self) -> str | None:
        return self.note

    def witnessed(self) -> str | None:
        return self.note and self.note + "— witness.test sig\n"

    def refused_early(self, early: Early) -> None:
        self.early.append((early.peer.fingerprint if early.peer else None, early.why))


@dataclass(frozen=True)
class Papers:
    """An authority, and the certificates it issued into a folder."""

    folder: Path
    authority: CertificateAuthority

    @classmethod
    def draw_up(cls, folder: Path) -> "Papers":
        authority = CertificateAuthority.create("Test CA", NOW)
        authority.save(folder)
        papers = cls(folder, authority)
        authority.issue_server(["localhost", "127.0.0.1"], now=NOW).write(folder, "server")
        papers.file("client", authority.issue_client("terminal", now=NOW))
        papers.file("other", authority.issue_client("another terminal", now=NOW))
        return papers

    def file(self, stem: str, issued: Issued) -> None:
        issued.write(self.folder, stem)

    def server(self) -> ssl.SSLContext:
        return tls.server_context(
            self.folder / "server.pem", self.folder / "server.key", self.folder / "ca.pem"
        )

    def client(self, stem: str = "client") -> ssl.SSLContext:
        return tls.client_context(
            self.folder / f"{stem}.pem", self.folder / f"{stem}.key", self.folder / "ca.pem"
        )

    def fingerprint(self, stem: str = "client") -> str:
        return fingerprint((self.folder / f"{stem}.pem").read_bytes())


@dataclass
class HttpReply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def plain(self) -> Any:
        return json.loads(self.body)


@dataclass
class Edge:
    """A running port, and the clock it believes."""

    server: Server
    door: DoorDouble
    papers: Papers
    metrics: Metrics
    offset: timedelta = timedelta(0)

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.server.port

    def tcp(self) -> socket.socket:
        sock = socket.create_connection(self.address, timeout=TIMEOUT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def connect(self, stem: str = "client") -> socket.socket:
        """Return a connection secured like the port."""
        if self.server.context is None:
            return self.tcp()
        context = self.papers.client(stem)
        return context.wrap_socket(self.tcp(), server_hostname="localhost")

    def say(self, data: bytes, stem: str = "client") -> HttpReply:
        """Send bytes on a new connection; return the one answer there is."""
        with self.connect(stem) as sock:
            sock.sendall(data)
            return read_reply(sock)

    def ask(self, body: bytes = b"{}", path: str = "/v1/search/find", **headers: str) -> HttpReply:
        return self.say(post(path, body, **headers))

    def get(self, path: str, method: str = "GET") -> HttpReply:
        return self.say(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def post(path: str = "/v1/search/find", body: bytes = b"{}", **headers: str) -> bytes:
    """Return a good request; ``headers`` add or replace, by name with ``_`` for ``-``."""
    fields = {"Host": "localhost", "Content-Type": "application/json"}
    fields["Content-Length"] = str(len(body))
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Listens(Protocol):
    def recv(self, size: int, /) -> bytes: ...


def read_reply(sock: Listens, *, is_head: bool = False) -> HttpReply:
    """Read one answer; raises EOFError if the connection ends before it does."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(sock)
    head, _, body = data.partition(b"\r\n\r\n")
    line, *fields = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, value in (text.split(": ", 1) for text in fields)}
    while not is_head and len(body) < int(headers["content-length"]):
        body += _more(sock)
    return HttpReply(int(line.split(" ")[1]), headers, body)


def _more(sock: Listens) -> bytes:
    chunk = sock.recv(65536)
    if not chunk:
        raise EOFError("the connection ended")
    return chunk


def is_closed(sock: socket.socket) -> bool:
    """Return whether the server ended the connection; waits for it."""
    try:
        return sock.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@contextmanager
def open_edge(
    folder: Path,
    *,
    limits: Limits = QUICK,
    secured: bool = True,
    app: App | None = None,
) -> Iterator[Edge]:
    """Yield a running port."""
    door, papers, metrics = DoorDouble(), Papers.draw_up(folder), Metrics()
    numbers = itertools.count(1)
    edge: Edge

    server = Server(
        ("127.0.0.1", 0),
        app or make_app(door, metrics),
        context=papers.server() if secured else None,
        report=metrics.counting(door.refused_early),
        clock=lambda: datetime.now(UTC) + edge.offset,
        request_id=lambda: f"request-{next(numbers)}",
        limits=limits,
    )
    edge = Edge(server, door, papers, metrics)
    server.prepare()
    thread = threading.Thread(target=server.serve, name="serve")
    thread.start()
    try:
        yield edge
    finally:
        server.stop()
        thread.join(TIMEOUT)
