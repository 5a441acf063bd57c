"""Every "no" has one form on the wire: RFC 9457, ``application/problem+json``.

::

    {"type": "urn:juki:problem:not-found", "title": "Not found", "status": 404,
     "code": "not-found", "detail": "…", "request_id": "…", "problems": [{rule, item, text}]}

``detail`` and ``text`` are sentences of ours; nothing that a caller sent is ever repeated in them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from appliance.errors import Problem
from appliance.model import Peer

PROBLEM_TYPE = "application/problem+json"
TLS = "tls"
"""The code of whoever did not get through the handshake."""


class ProblemItem(msgspec.Struct, frozen=True):
    """One rule that was broken."""

    rule: str
    item: str
    text: str


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every answer that is not 2xx."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    problems: tuple[ProblemItem, ...]
    count: int | msgspec.UnsetType = msgspec.UNSET


class TurnedAway(Exception):
    """A request that is refused as HTTP, before anybody asks what it wants.

    Holds the status, a stable code, a sentence of ours, and header fields the status calls for.
    """

    def __init__(
        self, status: int, code: str, text: str, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(f"{status} {code}: {text}")
        self.status = status
        self.code = code
        self.text = text
        self.headers = tuple(headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """A refusal made before the line: by TLS, or by HTTP; it has still to be written down."""

    code: str
    text: str
    peer: Peer | None = None
    request_id: str = ""
    operation: str = ""
    """What was asked for, if it is an operation there is."""
    address: str = ""

    @property
    def why(self) -> str:
        """Code, sentence and where from, for the boot journal."""
        return f"{self.code}: {self.text}" + (f", from {self.address}" if self.address else "")


Report = Callable[[Early], None]
"""Who writes such refusals down, before they are answered; may take its time."""


def malformed(text: str) -> TurnedAway:
    """Return the refusal of a request that is wrong, or that two readers could take differently."""
    return TurnedAway(HTTPStatus.BAD_REQUEST, "malformed", text)


def document(
    *,
    status: int,
    code: str,
    detail: str,
    request_id: str,
    title: str = "",
    problems: Sequence[Problem] = (),
    count: int | None = None,
) -> bytes:
    """Return the body of a refusal; the title is the status's own phrase unless given."""
    return msgspec.json.encode(
        ProblemDocument(
            type=f"urn:juki:problem:{code}",
            title=title or HTTPStatus(status).phrase,
            status=status,
            code=code,
            detail=detail,
            request_id=request_id,
            problems=tuple(ProblemItem(p.rule, p.item, p.text) for p in problems),
            count=msgspec.UNSET if count is None else count,
        )
    )


def origin(bug: BaseException) -> str:
    """Return what went wrong and where, for the log: never the text, which may hold anything."""
    step = bug.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    if step is None:
        return type(bug).__name__
    return f"{type(bug).__name__} at {step.tb_frame.f_code.co_filename}:{step.tb_lineno}"
