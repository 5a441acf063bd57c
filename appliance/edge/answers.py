"""What every HTTP answer of the appliance has in common, whichever port it leaves by."""

from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from appliance.edge.problems import PROBLEM_TYPE, TurnedAway, document

NO_STORE = "no-store"
"""Nothing is kept on the way."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer."""

    status: int
    media_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    """What this answer has beside those that every answer has."""
    cache: str = NO_STORE
    """Another only for what is the same for everybody, under a name that says its content."""

    @property
    def status_line(self) -> str:
        """The status as HTTP spells it: ``404 Not Found``."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    @property
    def fields(self) -> list[tuple[str, str]]:
        """All header fields."""
        return [
            ("Content-Type", self.media_type),
            ("Content-Length", str(len(self.body))),
            ("Cache-Control", self.cache),
            ("X-Content-Type-Options", "nosniff"),
            *self.headers,
        ]

    def last_bytes(self) -> bytes:
        """Return the answer as it is sent when it ends the connection."""
        fields = [*self.fields, ("Date", formatdate(usegmt=True)), ("Connection", "close")]
        lines = [f"HTTP/1.1 {self.status_line}", *(f"{name}: {value}" for name, value in fields)]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + self.body


def turned_away(refusal: TurnedAway, request_id: str) -> HttpAnswer:
    """Return the answer to a request that was refused as HTTP."""
    body = document(
        status=refusal.status, code=refusal.code, detail=refusal.text, request_id=request_id
    )
    return HttpAnswer(refusal.status, PROBLEM_TYPE, body, refusal.headers)
