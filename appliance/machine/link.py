"""One connection to another server (全国サーバ, witness) over mutual TLS, with a deadline.

A socket's own timeout starts again with every byte that arrives; here the whole exchange has one,
TLS handshake included, however slowly bytes come. Answers are read up to a size and no further.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

JSON = {"Content-Type": "application/json", "Accept": "application/json"}


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes


class TooLong(Exception):
    """The answer is longer than is read."""


class Link:
    """A connection that is opened when needed and kept until it is closed; one thread posts.

    Args:
        url: ``https://host[:port]``.
        context: how we prove ourselves, and whom we believe (``tls.client_context``).
        connect: seconds for the TCP connection.
        exchange: seconds for all of an exchange after that.
        largest: bytes of an answer that are read.
    """

    def __init__(
        self, url: str, context: ssl.SSLContext, *, connect: float, exchange: float, largest: int
    ) -> None:
        """Take the address apart.

        Raises:
            ValueError: it is not of the form ``https://host[:port]``.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("the address of the other server must be https://host:port")
        self._host, self._port = parts.hostname, parts.port or 443
        self._context = context
        self._connect = connect
        self._exchange = exchange
        self._largest = largest
        self._socket: ssl.SSLSocket | None = None
        self._connection: http.client.HTTPConnection | None = None

    @property
    def is_open(self) -> bool:
        """Whether the next post uses a connection that was opened before."""
        return self._connection is not None

    def post(self, path: str, body: bytes, headers: Mapping[str, str] = JSON) -> Answer:
        """Post a body, JSON unless the headers say otherwise; return status and body of the answer.

        Raises:
            TimeoutError: not in time.
            OSError, HTTPException: the other side is not reached, or breaks off.
            TooLong: it answers more than is read.
        """
        with self._in_time():
            connection = self._connection = self._connection or self._opened()
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            answer = response.read(self._largest + 1)
            if len(answer) <= self._largest and response.length:
                # Reading up to a size, http.client takes an end that comes too soon for the end.
                raise http.client.IncompleteRead(answer, response.length)
        if len(answer) > self._largest:
            self.close()
            raise TooLong
        if response.will_close:
            self.close()
        return Answer(response.status, answer)

    def post_again(self, path: str, body: bytes, headers: Mapping[str, str] = JSON) -> Answer:
        """Post what may arrive twice: once more if a kept connection breaks, but not for lateness.

        The other side may have ended it while it was idle. Raises as ``post`` does.
        """
        kept = self.is_open
        try:
            return self.post(path, body, headers)
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException):
            self.close()
            if not kept:
                raise
            return self.post(path, body, headers)

    def close(self) -> None:
        """Close the connection; the next post opens a new one."""
        connected, self._connection, self._socket = self._socket, None, None
        if connected is not None:
            connected.close()

    def hang_up(self) -> None:
        """Break off an exchange under way in another thread."""
        if (connected := self._socket) is not None:
            _cut(connected)

    def _opened(self) -> http.client.HTTPConnection:
        tcp = socket.create_connection((self._host, self._port), timeout=self._connect)
        tcp.settimeout(self._exchange)
        # It owns the connection from here on, whether or not the handshake goes well.
        self._socket = self._context.wrap_socket(
            tcp, server_hostname=self._host, do_handshake_on_connect=False
        )
        self._socket.do_handshake()
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.sock = self._socket
        # It would open a new one in clear.
        connection.auto_open = 0
        return connection

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        late = threading.Event()

        def cut() -> None:
            late.set()
            self.hang_up()

        timer = threading.Timer(self._exchange, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (OSError, http.client.HTTPException):
            # What is cut looks like a connection that broke, ...
            if not late.is_set():
                raise
        finally:
            timer.cancel()
        # ... or, cut within the head, like a short answer.
        if late.is_set():
            raise TimeoutError("the deadline has passed")


def _cut(connected: ssl.SSLSocket) -> None:
    # Not SSLSocket.shutdown: it takes TLS away under the feet of the thread that reads.
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
