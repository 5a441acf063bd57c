"""One mutual TLS connection to a server of the closed network, kept open between requests.

An answer can get lost: the connection breaks after the request has left. :meth:`Link.ask` then
raises ``Lost``, and only who sent the request knows whether it may be sent again;
:meth:`Link.insist` sends it again, for requests that carry an Idempotency-Key or change nothing.
"""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

import cbor2

JSON: Final = "application/json"
CBOR: Final = "application/cbor"
BUSY: Final = frozenset({429, 503})
"""Statuses that say: not now, ask again."""


class Lost(Exception):
    """No answer came; whether the request was carried out is not known."""


@dataclass
class Refused(Exception):
    """The server answered no; ``problem`` is its problem document."""

    status: int
    problem: Any

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.problem, ensure_ascii=False)}"


FRESH_SECONDS = 5.0
"""For which a connection that nobody used is taken to be there still."""


class Credentials(NamedTuple):
    """Files in PEM form: our certificate and its key, and the authority we believe."""

    certificate: Path
    key: Path
    ca: Path


class Answer(NamedTuple):
    """What came back, parsed."""

    status: int
    body: Any


class Link:
    """A connection that is opened when needed and again after it broke.

    Args:
        url: ``https://host:port``.
        credentials: who we are, whom we believe.
        timeout: seconds to wait for anything.
        sleep: waits between tries; a test gives its own.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname is None:
            raise ValueError("the address must begin with https:// and name a host")
        self._sleep = sleep
        self._used = time.monotonic()
        self._connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=timeout, context=client_context(credentials)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the next request opens a new connection."""
        self._connection.close()

    def send(self, path: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        """Send a request: POST with a JSON body, or GET without one.

        Raises:
            Lost: the connection broke.
        """
        kind = {} if body is None else {"Content-Type": JSON}
        if time.monotonic() - self._used > FRESH_SECONDS:
            # The other side ends what nobody uses, and a request may cross with the end.
            self.close()
        try:
            self._connection.request(
                "GET" if body is None else "POST", path, body, {"Accept": JSON, **kind, **headers}
            )
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            raise Lost(str(problem)) from problem

    def receive(self) -> Answer:
        """Return the answer to the request just sent.

        Raises:
            Lost: the connection broke, or what came is not an answer.
        """
        try:
            response = self._connection.getresponse()
            content = response.read()
            self._used = time.monotonic()
            return Answer(response.status, _parsed(response.headers.get_content_type(), content))
        except (OSError, http.client.HTTPException, ValueError, cbor2.CBORDecodeError) as problem:
            self.close()
            raise Lost(str(problem)) from problem

    def ask(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request once and return the answer.

        Raises:
            Lost: no answer came.
        """
        self.send(path, body, headers or {})
        return self.receive()

    def insist(
        self,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        tries: int = 8,
    ) -> Answer:
        """Send a request again and again, with the same headers, until it is answered.

        Raises:
            Lost: the last try was not answered either.
        """
        for attempt in range(1, tries + 1):
            try:
                answer = self.ask(path, body, headers)
            except Lost:
                if attempt == tries:
                    raise
            else:
                if answer.status not in BUSY or attempt == tries:
                    return answer
            self._sleep(min(5.0, 0.1 * 2**attempt))
        raise Lost("no tries were allowed")


def client_context(credentials: Credentials) -> ssl.SSLContext:
    """Return the TLS 1.3 settings of a client that proves itself and believes one authority."""
    context = ssl.create_default_context(cafile=str(credentials.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(credentials.certificate, credentials.key)
    return context


def server_context(credentials: Credentials) -> ssl.SSLContext:
    """Return the TLS 1.3 settings of a server that asks every client for a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(credentials.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(credentials.certificate, credentials.key)
    return context


def _parsed(media_type: str, content: bytes) -> Any:
    if media_type == CBOR:
        return cbor2.loads(content)
    return json.loads(content) if media_type.endswith("json") else content.decode()
