"""Every "no" has one form on the wire: RFC 9457, ``application/problem+json``.

::

    {"type": "urn:juki:problem:not-found", "title": "Not found", "status": 404,
     "code": "not-found", "detail": "…", "detail_ja": "…", "request_id": "…",
     "problems": [{rule, item, text}]}

``detail`` (English, for developers), ``detail_ja`` and ``text`` (Japanese, for the staff) are
sentences of ours; nothing that a caller sent is ever repeated in them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from appliance.edge.japanese import told_in_japanese
from appliance.errors import Problem
from appliance.model import Peer

PROBLEM_TYPE = "application/problem+json"
TITLES = {
    "malformed": "Not understood",
    "unidentified": "Not identified",
    "certificate-expired": "Certificate not in force",
    "verify-again": "Prove again who you are",
    "not-permitted": "Not permitted",
    "needs-approval": "Takes a second person",
    "protected": "Two persons open this together",
    "unknown-operation": "No such operation",
    "not-found": "Not found",
    "method-not-allowed": "Method not allowed",
    "not-acceptable": "No such form of answer",
    "request-timeout": "Request too slow",
    "conflict": "Conflict",
    "length-required": "Length required",
    "too-large": "Body too large",
    "uri-too-long": "Path too long",
    "unsupported-media-type": "No such form of body",
    "expectation-failed": "Expectation not met",
    "rejected": "Against a rule",
    "add-conditions": "Add conditions",
    "too-many": "Too many found",
    "headers-too-large": "Head too large",
    "integrity": "Stored data is damaged",
    "internal": "A fault of the appliance",
    "bad-gateway": "No answer from the national server",
    "unavailable": "Not available now",
    "busy": "Busy",
    "outcome-unknown": "Outcome unknown",
    "version-not-supported": "HTTP version not supported",
}
"""One title for each code, whoever refuses."""
OTHER_TITLE = "Refused"
"""Of a refusal that a vendor made, with a code of its own."""
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
    detail_ja: str
    """The same for the staff at a terminal, with what to do next."""
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


def busy(text: str) -> TurnedAway:
    """Return the refusal of a request for which there is no room now."""
    return TurnedAway(HTTPStatus.SERVICE_UNAVAILABLE, "busy", text, [("Retry-After", "1")])


def document(
    *,
    status: int,
    code: str,
    detail: str,
    request_id: str,
    problems: Sequence[Problem] = (),
    count: int | None = None,
    titles: Mapping[str, str] | None = None,
) -> bytes:
    """Return the body of a refusal; ``titles`` are what the operation calls its fields."""
    return msgspec.json.encode(
        ProblemDocument(
            type=f"urn:juki:problem:{code}",
            title=TITLES.get(code, OTHER_TITLE),
            status=status,
            code=code,
            detail=detail,
            detail_ja=told_in_japanese(code, detail, titles),
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
