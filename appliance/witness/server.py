"""The witness on the wire: one path, one small request, over mutual TLS or on the loopback address.

cheroot reads and answers. It would shake hands in the thread that accepts, and give each new caller
a worker to wait for: here a worker takes a caller who has said something, and shakes hands then.
"""

import logging
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cheroot.makefile import MakeFile
from cheroot.server import HTTPConnection
from cheroot.ssl import Adapter
from cheroot.wsgi import Server as Cheroot

from appliance.witness.desk import TEXT, Answer, Desk
from appliance.witness.setup import BadSetup, Setup, read_setup
from appliance.witness.shelf import Shelf
from storage.errors import LedgerBroken
from storage.lock import FolderLock
from storage.submission import LARGEST, PATH

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 5
EXCHANGE_SECONDS = 10
"""For a whole request: patience begins anew with every byte, and there are few workers."""
WORKERS = 4
LINGER_SECONDS = 2
"""How long a caller may pause who still sends what is not read any more."""
LINGER_BYTES = 1024 * 1024
"""How much of that is taken: more than any caller sends who means no harm."""
READ_BYTES = 64 * 1024

Environ = dict[str, Any]


class Connection(HTTPConnection):
    """A caller, who is cut off if he takes too long over one request.

    One who is refused is let finish what he is sending, within limits: he reads the answer then.
    """

    def communicate(self) -> bool:
        """Read and answer one request; return whether the connection stays open."""
        late = threading.Timer(EXCHANGE_SECONDS, self._cut)
        late.daemon = True
        late.start()
        untyped: Any = super()
        try:
            stays = bool(untyped.communicate())
            if not stays:
                self._let_finish()
        finally:
            late.cancel()
        return stays

    def _let_finish(self) -> None:
        # Closing while bytes are unread would reset the connection, and the answer with it.
        # Not through TLS: what comes is thrown away, and need not be deciphered for that.
        with suppress(OSError):
            self.socket.settimeout(LINGER_SECONDS)
            socket.socket.shutdown(self.socket, socket.SHUT_WR)
            left = LINGER_BYTES
            while left > 0 and (dropped := len(socket.socket.recv(self.socket, READ_BYTES))):
                left -= dropped

    def _cut(self) -> None:
        # Not SSLSocket.shutdown: it takes TLS away under the feet of the thread that reads.
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Server(Cheroot):
    """The port of a witness."""

    ConnectionClass = Connection
    timeout = PATIENCE_SECONDS
    max_request_header_size = 16 * 1024
    max_request_body_size = LARGEST

    def __init__(self, setup: Setup, desk: Desk) -> None:
        super().__init__(
            (setup.host, setup.port), make_app(desk), numthreads=WORKERS, server_name="witness"
        )
        if setup.context is not None:
            self.ssl_adapter = DeferredTls(setup.context)

    def process_conn(self, conn: Any) -> None:
        """Give a caller to a worker, once he has said something."""
        if hasattr(conn, "was_heard"):
            super().process_conn(conn)
        else:
            conn.was_heard = True
            self.put_conn(conn)

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Note what cheroot has to say, without what a caller has written."""
        log.log(level, "inside the server: %s", msg.partition("\n")[0][:200])


class DeferredTls(Adapter):
    """Secures a connection; the handshake is left to whoever reads first."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context

    def bind(self, sock: socket.socket) -> socket.socket:
        """Return the listening socket as it is."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        """Return a secured connection that has not shaken hands yet."""
        secured = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return secured, self.get_environ()

    def get_environ(self) -> dict[str, Any]:
        """Return what the application is told of the connection."""
        return {"wsgi.url_scheme": "https"}

    def makefile(self, sock: ssl.SSLSocket, mode: str = "r", bufsize: int = -1) -> Any:
        """Return a file to read from or write to."""
        return MakeFile(sock, mode, bufsize)


def make_app(desk: Desk) -> Callable[[Environ, Callable[..., Any]], Iterable[bytes]]:
    """Return the WSGI application."""

    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = []
        try:
            answer = _answered(desk, environ)
        except _NotWhole:
            answer = Answer(HTTPStatus.BAD_REQUEST, TEXT, "the body has not come whole\n")
            headers = [("Connection", "close")]
        body = answer.body.encode()
        start_response(
            f"{answer.status.value} {answer.status.phrase}",
            [("Content-Type", answer.media_type), ("Content-Length", str(len(body))), *headers],
        )
        return [body]

    return app


def serve(folder: Path, ready: Callable[[Setup, int], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        folder: of the witness.
        ready: told when the port answers, and which it is.

    Raises:
        BadSetup: the folder is not as it must be, or the port cannot be had.
        LedgerBroken: what was cosigned before is damaged.
        StoreInUse: another process serves this folder.
    """
    setup = read_setup(folder)
    lock = FolderLock.take(folder)
    try:
        shelf = Shelf(folder, setup.cosigner.key)
        shelf.make()
        known = [record.checkpoint for record in shelf.records()]
        log.info("cosigned so far: %s", {each.origin: each.size for each in known} or "nothing")
        desk = Desk(setup.cosigner, setup.ledgers, shelf, lambda: int(time.time()))
        _attend(Server(setup, desk), setup, ready)
    finally:
        lock.release()


def _attend(server: Server, setup: Setup, ready: Callable[[Setup, int], None]) -> None:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        server.prepare()
    except OSError as problem:
        raise BadSetup(f"{setup.host}:{setup.port}: {problem.strerror or problem}") from None
    port = threading.Thread(target=server.serve, name="port", daemon=True)
    port.start()
    ready(setup, int(server.bind_addr[1]))
    ended.wait()
    server.stop()
    port.join(PATIENCE_SECONDS)


def _answered(desk: Desk, environ: Environ) -> Answer:
    if environ["PATH_INFO"] != PATH:
        return Answer(HTTPStatus.NOT_FOUND, TEXT, f"only {PATH} is here\n")
    if environ["REQUEST_METHOD"] != "POST":
        return Answer(HTTPStatus.METHOD_NOT_ALLOWED, TEXT, "this takes POST\n")
    body = _body(environ)
    try:
        return desk.add_checkpoint(body)
    except (LedgerBroken, OSError) as problem:
        log.critical("nothing is cosigned: %s", problem)
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, TEXT, "the witness cannot keep it\n")


class _NotWhole(Exception):
    """The body of a request breaks off, is too long, or is not framed as HTTP says."""


def _body(environ: Environ) -> bytes:
    # It is the caller's fault, and must not be told as one of our disk.
    if environ.get("CONTENT_LENGTH", "").startswith("-"):
        raise _NotWhole
    try:
        return bytes(environ["wsgi.input"].read())
    except (OSError, ValueError):
        raise _NotWhole from None
