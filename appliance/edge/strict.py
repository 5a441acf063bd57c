"""The strict reader of request heads: what two programs could read differently is refused.

A WSGI environment has already merged, dropped or guessed what should have been refused (two
``Content-Length``, ``X_Purpose`` for ``X-Purpose``, folded lines). So heads are read here, from
bytes, before cheroot or bottle see anything. Refused are, among others: every repeated header
field, every ``Transfer-Encoding``, bare line feeds, bytes that are not ASCII, and every path with
an escape, a dot segment, an empty segment or a query. Personal data has no business in a URL.

Sources: RFC 9110, RFC 9112 (message syntax, request smuggling in §11.2).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from appliance.edge.problems import TurnedAway, malformed

MOST_LINE = 1024
"""A request line beyond this is 414; the longest path we have is under 100."""
MOST_FIELDS = 64

HEAD_END = b"\r\n\r\n"
LONE_LINE_FEED = re.compile(rb"(?<!\r)\n")
REQUEST_LINE = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])")
PATH = re.compile(
    rb"/(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?:/[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)*)?"
)
FIELD_NAME = re.compile(rb"[!#$%&'*+.^`|~0-9A-Za-z-]+")
FIELD_VALUE = re.compile(rb"[\x20-\x7e]*")
LENGTH = re.compile(r"0|[1-9][0-9]{0,9}")
HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
CONNECTION_OPTIONS = frozenset({"close", "keep-alive"})
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request that can be read in one way only."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By name in lower case; every name once."""
    length: int
    """Bytes of the body; 0 where there is none."""
    keep_alive: bool
    expects_continue: bool


def find_end(data: bytearray, seen: int, most: int) -> int:
    """Return where the body begins, or 0 while the head is not complete.

    ``seen`` bytes of ``data`` were looked at before; a head sent byte by byte costs no more to
    search than one sent whole.

    Raises:
        TurnedAway: 400, 414 or 431, as soon as it is certain.
    """
    start = max(0, seen - len(HEAD_END) + 1)
    end = data.find(HEAD_END, start)
    stop = len(data) if end < 0 else end
    if LONE_LINE_FEED.search(data, start, stop):
        raise malformed("lines end in CR LF")
    if stop > most:
        if b"\r\n" not in data[:MOST_LINE]:
            raise _line_too_long()
        raise _head_too_large()
    return 0 if end < 0 else end + len(HEAD_END)


def read_head(data: bytes, body_bytes: Callable[[str], int]) -> Head:
    """Return what a complete head says; ``data`` ends in the empty line.

    ``body_bytes`` tells how large a body its path may have.

    Raises:
        TurnedAway: with the status that fits.
    """
    first, *lines = data[: -len(HEAD_END)].split(b"\r\n")
    method, path = _request_line(first)
    headers = _fields(lines)
    _check_host(headers)
    length = _length(method, headers)
    if length > body_bytes(path):
        raise TurnedAway(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "the body is too large")
    _check_encoding(headers)
    return Head(
        method=method,
        path=path,
        headers=headers,
        length=length,
        keep_alive=_keep_alive(headers),
        expects_continue=_expects_continue(headers),
    )


def _request_line(line: bytes) -> tuple[str, str]:
    if len(line) > MOST_LINE:
        raise _line_too_long()
    parts = REQUEST_LINE.fullmatch(line)
    if parts is None:
        raise malformed("the request line is not method, path, version")
    method, target, major, minor = parts.groups()
    if (major, minor) != (b"1", b"1"):
        raise TurnedAway(
            HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "version-not-supported", "speak HTTP/1.1"
        )
    if b"?" in target:
        raise malformed("arguments belong into the body, not into the URL")
    if PATH.fullmatch(target) is None:
        raise malformed("the path must be plain segments without escapes, dots or empty parts")
    return method.decode("ascii"), target.decode("ascii")


def _fields(lines: list[bytes]) -> dict[str, str]:
    if len(lines) > MOST_FIELDS:
        raise _head_too_large()
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        # Also refuses folded lines and a space before the colon, which readers take differently.
        if not colon or FIELD_NAME.fullmatch(name) is None:
            raise malformed("a header name holds a character that must not be there")
        value = value.strip(b" \t")
        if FIELD_VALUE.fullmatch(value) is None:
            raise malformed("a header value holds a character that is not printable ASCII")
        key = name.decode("ascii").lower()
        if key in fields:
            raise malformed("a header is given twice")
        fields[key] = value.decode("ascii")
    return fields


def _check_host(headers: Mapping[str, str]) -> None:
    if HOST.fullmatch(headers.get("host", "")) is None:
        raise malformed("Host is missing, or no host")


def _length(method: str, headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise malformed("Transfer-Encoding is not accepted; give Content-Length")
    text = headers.get("content-length")
    if text is None:
        if method in WITH_BODY:
            raise TurnedAway(
                HTTPStatus.LENGTH_REQUIRED, "length-required", "Content-Length is missing"
            )
        return 0
    if LENGTH.fullmatch(text) is None:
        raise malformed("Content-Length is not a plain number")
    return int(text)


def _check_encoding(headers: Mapping[str, str]) -> None:
    if "content-encoding" in headers:
        raise TurnedAway(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "encoded bodies are not accepted",
            [("Accept-Encoding", "identity")],
        )


def _keep_alive(headers: Mapping[str, str]) -> bool:
    text = headers.get("connection")
    if text is None:
        return True
    options = {option.strip().lower() for option in text.split(",")}
    # Other options name header fields that a proxy on the way would drop.
    if not options <= CONNECTION_OPTIONS:
        raise malformed("Connection may say close or keep-alive")
    return "close" not in options


def _expects_continue(headers: Mapping[str, str]) -> bool:
    text = headers.get("expect")
    if text is None:
        return False
    if text.lower() != "100-continue":
        raise TurnedAway(
            HTTPStatus.EXPECTATION_FAILED, "expectation-failed", "Expect may say 100-continue"
        )
    return True


def _line_too_long() -> TurnedAway:
    return TurnedAway(
        HTTPStatus.REQUEST_URI_TOO_LONG, "uri-too-long", "the request line is too long"
    )


def _head_too_large() -> TurnedAway:
    return TurnedAway(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", "the headers are too large"
    )
