"""One lean client connection: mutual TLS, requests as bytes, answers only counted.

What it costs itself must stay small beside what it measures; so there are no header objects and no
bodies parsed. Nothing but the standard library and msgspec is imported, so that a process of
clients starts at once.
"""

import socket
import ssl
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

READ_BYTES = 64 * 1024
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
PATIENCE = 30.0
"""Seconds a server has to take a connection, and to answer."""


class Papers(NamedTuple):
    """Files in PEM form: our certificate and its key, and the authority we believe."""

    certificate: str
    key: str
    ca: str


@cache
def context_of(papers: Papers) -> ssl.SSLContext:
    """Return the TLS 1.3 settings of a client that proves itself; made once for its papers."""
    context = ssl.create_default_context(cafile=papers.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(papers.certificate, papers.key)
    return context


def connect(
    address: tuple[str, int], papers: Papers, session: ssl.SSLSession | None = None
) -> ssl.SSLSocket:
    """Return a connection whose handshake is done.

    Raises:
        OSError: nobody is there, or one does not believe the other.
    """
    raw = socket.create_connection(address, timeout=PATIENCE)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context_of(papers).wrap_socket(raw, server_hostname=address[0], session=session)


class Connection:
    """A connection over which one request at a time is asked."""

    def __init__(self, address: tuple[str, int], papers: Papers) -> None:
        self.sock = connect(address, papers)
        self._arrived = bytearray()
        self._end = 0
        """Bytes of the whole answer; 0 while its head is not there."""
        self._left = memoryview(b"")

    def ask(self, request: bytes) -> int:
        """Send a request, wait for the answer, and return its status. For a blocking socket.

        Raises:
            OSError: the connection broke.
        """
        self.sock.sendall(request)
        while (status := self.receive()) is None:
            pass
        return status

    def send(self, request: bytes) -> bool:
        """Begin to send a request; return whether it has left whole.

        Raises:
            OSError: the connection broke.
        """
        self._left = memoryview(request)
        return self.go_on()

    def go_on(self) -> bool:
        """Send more of a request; return whether it has left whole.

        Raises:
            OSError: the connection broke.
        """
        try:
            while self._left:
                self._left = self._left[self.sock.send(self._left) :]
        except (ssl.SSLWantWriteError, BlockingIOError):
            return False
        return True

    def receive(self) -> int | None:
        """Take what has arrived; return the status once the answer is there, None before.

        Raises:
            OSError: the connection broke, or its end came first.
        """
        try:
            chunk = self.sock.recv(READ_BYTES)
        except (ssl.SSLWantReadError, BlockingIOError):
            return None
        if not chunk:
            raise ConnectionResetError("the server closed the connection")
        self._arrived += chunk
        if not self._end:
            self._find_end()
        if not self._end or len(self._arrived) < self._end:
            return None
        status = int(self._arrived[9:12])
        self._arrived.clear()
        self._end = 0
        return status

    def _find_end(self) -> None:
        head = self._arrived.find(HEAD_END)
        if head < 0:
            return
        lines = bytes(self._arrived[:head]).lower()
        at = lines.find(LENGTH)
        length = int(lines[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self._end = head + len(HEAD_END) + length


def request(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a POST of a JSON body as it goes over the wire."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        "Accept: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode("ascii") + HEAD_END + body
