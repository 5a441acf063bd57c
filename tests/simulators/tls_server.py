"""A server that speaks TLS 1.3 and asks every client for a certificate; one thread a connection."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.simulators.link import JSON, Credentials, server_context

LARGEST_BODY: Final = 4 * 1024 * 1024
SECONDS: Final = 10.0
"""How long a client may stay silent, TLS handshake included."""


class TlsServer(ThreadingHTTPServer):
    """Listens; the handshake is the connection's own affair, so a silent client hinders nobody.

    Args:
        address: host and port; port 0 takes any.
        credentials: the server's certificate and key, and the authority of the clients.
        exchange: what answers the requests of one connection.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], credentials: Credentials, exchange: "type[JsonExchange]"
    ) -> None:
        super().__init__(address, exchange)
        self._tls = server_context(credentials)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands, then answer requests until one side has had enough."""
        request.settimeout(SECONDS)
        with self._tls.wrap_socket(request, server_side=True) as encrypted:
            super().finish_request(encrypted, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line that a connection failed; never what was in it."""
        problem = sys.exc_info()[1]
        if not isinstance(problem, OSError):
            sys.stderr.write(f"{type(self).__name__}: {type(problem).__name__}\n")


@contextmanager
def serving(server: TlsServer) -> Iterator[int]:
    """Serve in a thread of its own; yield the port, and stop at the end."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class JsonExchange(BaseHTTPRequestHandler):
    """The requests of one connection, one after another, in JSON."""

    protocol_version = "HTTP/1.1"
    timeout = SECONDS
    # Head and body leave in two writes; the second must not wait for the other side's word.
    disable_nagle_algorithm = True

    def hangs_up(self) -> bool:
        """Whether this connection is to be closed without an answer."""
        return False

    def get(self) -> None:
        """Answer a GET of ``self.path``."""
        self.refuse(404, "there is nothing here")

    def post(self, body: bytes) -> None:
        """Answer a POST to ``self.path``."""
        self.refuse(404, "there is nothing here")

    def do_GET(self) -> None:
        if self.hangs_up():
            self.hang_up()
        else:
            self.get()

    def do_POST(self) -> None:
        if self.hangs_up():
            self.hang_up()
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.hang_up()
            self.refuse(413 if length.isdecimal() else 411, "the length is not acceptable")
            return
        body = self.rfile.read(int(length))
        if self.headers.get_content_type() == JSON:
            self.post(body)
        else:
            self.refuse(415, "only application/json is understood")

    def caller(self) -> str:
        """Return the common name in the client's certificate."""
        subject = self.connection.getpeercert()["subject"]
        return str(next(value for ((name, value),) in subject if name == "commonName"))

    def hang_up(self) -> None:
        """Close the connection after this request."""
        self.close_connection = True

    def refuse(self, status: int, text: str) -> None:
        """Answer no."""
        self.answer(status, {"status": status, "title": text}, "application/problem+json")

    def answer(self, status: int, body: Any, media_type: str = JSON) -> None:
        """Answer."""
        content = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet: a log of requests is not what this is for."""
