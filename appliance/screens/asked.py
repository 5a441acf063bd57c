"""What arrived from a browser, read strictly: cookie, origin, form.

A form is ``application/x-www-form-urlencoded`` or, with a file, ``multipart/form-data`` (RFC 7578).
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

from appliance.edge.problems import TurnedAway, malformed
from appliance.filled import Form, Upload
from appliance.model import Peer

COOKIE = "__Host-sid"
MOST_FIELDS = 400
GET, POST = "GET", "POST"

_SID = re.compile(rf"(?:.*; )?{COOKIE}=([A-Za-z0-9_-]{{16,128}})(?:; .*)?")
_BOUNDARY = re.compile(r"multipart/form-data; ?boundary=([A-Za-z0-9'()+_,./:=?-]{1,70})")
_DISPOSITION = re.compile(
    rb'form-data; name="([A-Za-z0-9_.-]{1,64})"(; filename="[^"\r\n]*")?', re.IGNORECASE
)
_URLENCODED = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a browser."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes
    peer: Peer | None
    request_id: str

    @property
    def token(self) -> str | None:
        """The session's token, if the browser has one."""
        found = _SID.fullmatch(self.headers.get("cookie", ""))
        return found[1] if found else None

    def must_come_from_here(self) -> None:
        """Refuse what another site made the browser ask.

        ``Sec-Fetch-Site`` (W3C Fetch Metadata) is written by the browser and by no script.

        Raises:
            TurnedAway: 403; or 400, for a request that brings a session twice.
        """
        if "authorization" in self.headers:
            raise malformed("give a session by Authorization or by Cookie, not by both")
        fine = ("same-origin", "none") if self.method == GET else ("same-origin",)
        if self.headers.get("sec-fetch-site") not in fine:
            raise TurnedAway(
                HTTPStatus.FORBIDDEN, "not-permitted", "this was asked for by another site"
            )

    def form(self) -> Form:
        """Return what was filled in.

        Raises:
            TurnedAway: 400, it is no form.
        """
        kind = self.headers.get("content-type", "")
        if found := _BOUNDARY.fullmatch(kind):
            return _multipart(self.body, found[1].encode("ascii"))
        if kind != _URLENCODED:
            raise malformed("a form is urlencoded or multipart")
        try:
            pairs = parse_qsl(
                self.body.decode("ascii"),
                keep_blank_values=True,
                strict_parsing=bool(self.body),
                errors="strict",
                max_num_fields=MOST_FIELDS,
            )
        except ValueError:
            raise malformed("the form cannot be read") from None
        fields = defaultdict[str, list[str]](list)
        for name, text in pairs:
            fields[name].append(_plain(text))
        return Form(dict(fields))


def _multipart(body: bytes, boundary: bytes) -> Form:
    fields, files = defaultdict[str, list[str]](list), dict[str, Upload]()
    first, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if first or not parts or parts.pop().strip(b"\r\n") != b"--" or len(parts) > MOST_FIELDS:
        raise malformed("the form cannot be read")
    for part in parts:
        head, gap, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name, is_file = _part_name(head)
        if not gap:
            raise malformed("the form cannot be read")
        if not is_file:
            try:
                fields[name].append(_plain(content.decode("utf-8")))
            except UnicodeDecodeError:
                raise malformed("the form cannot be read") from None
        elif content:
            files[name] = Upload(content)
    return Form(dict(fields), files)


def _part_name(head: bytes) -> tuple[str, bool]:
    for line in head.split(b"\r\n"):
        label, _, value = line.partition(b": ")
        if label.lower() == b"content-disposition":
            found = _DISPOSITION.fullmatch(value)
            if found:
                return found[1].decode("ascii"), found[2] is not None
    raise malformed("the form cannot be read")


def _plain(text: str) -> str:
    if "\0" in text:
        raise malformed("the form cannot be read")
    return text.replace("\r\n", "\n")
