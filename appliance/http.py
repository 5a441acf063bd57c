"""HTTP: from a WSGI environment to an envelope, and from a reply or a refusal to an answer.

The only module that knows bottle; refusals get their HTTP numbers in ``edge/refusals.py``. What
HTTP itself forbids was refused before (``strict.py``); here it is what a request must say:

::

    POST /v1/{function}/{operation}    body JSON or CBOR, answer by Accept
        Idempotency-Key   16 to 64 of A-Z a-z 0-9 _ -; required where data changes
        X-Purpose         事務 code            X-Reason   利用事由 code
        X-Case            使用簿 no            X-Approval   number of another person's agreement
        Authorization     Bearer, an operator's session
    GET  /v1/openapi.json
    GET  /v1/sys/health  /v1/sys/seal-status  /v1/sys/checkpoint  /v1/sys/witnessed
    GET, POST /screens/…  what a terminal's browser is given (``screens/``)

Who is asking is never read from a header: it is the certificate that TLS proved.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypeVar

import bottle
import msgspec

from appliance import wire
from appliance.edge import openapi
from appliance.edge.answers import HttpAnswer, turned_away
from appliance.edge.door import Door
from appliance.edge.metrics import UNKNOWN, Metrics
from appliance.edge.negotiation import answer_type, body_type
from appliance.edge.problems import (
    Early,
    TurnedAway,
    malformed,
    origin,
)
from appliance.edge.refusals import UNKNOWN_OUTCOME, not_allowed, nothing_here, refusal_answer
from appliance.edge.server import PEER, REQUEST_ID, App, Environ
from appliance.errors import Failed, NotFound, Refusal, Unidentified
from appliance.forms import titles
from appliance.model import Envelope, OperationName, Reply, RequestId
from appliance.screens.app import Screens
from appliance.screens.asked import Asked
from appliance.screens.look import PREFIX
from storage.errors import OutcomeUnknown

log = logging.getLogger(__name__)
T = TypeVar("T")

OPERATION = re.compile(r"[a-z][a-z0-9-]{0,39}/[a-z][a-z0-9-]{0,39}")
BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/-]{16,512}=*)")
HEADERS: Mapping[str, tuple[str, re.Pattern[str]]] = {
    "HTTP_IDEMPOTENCY_KEY": ("Idempotency-Key", re.compile(r"[A-Za-z0-9_-]{16,64}")),
    "HTTP_X_PURPOSE": ("X-Purpose", re.compile(r"[A-Za-z0-9._-]{1,32}")),
    "HTTP_X_REASON": ("X-Reason", re.compile(r"[A-Za-z0-9._-]{1,32}")),
    "HTTP_X_CASE": ("X-Case", re.compile(r"[A-Za-z0-9._/-]{1,64}")),
    "HTTP_X_APPROVAL": ("X-Approval", re.compile(r"[1-9][0-9]{0,8}")),
}
SYS = "/v1/sys/"
TO_LOOK_AT = frozenset(
    {
        "/v1/openapi.json",
        SYS + "health",
        SYS + "seal-status",
        SYS + "checkpoint",
        SYS + "witnessed",
    }
)
"""Paths that take GET; all others take POST."""


def make_app(door: Door, metrics: Metrics | None = None) -> App:
    """Return the WSGI application of the main port.

    Raises:
        StartupError: an operation cannot be described in the OpenAPI document.
    """
    edge = _Edge(door, metrics or Metrics())
    app = bottle.Bottle()
    app.route("/v1/openapi.json", "GET", lambda: edge.show(edge.openapi))
    app.route("/v1/sys/health", "GET", lambda: edge.show(edge.health))
    app.route("/v1/sys/seal-status", "GET", lambda: edge.show(edge.seal_status))
    app.route("/v1/sys/checkpoint", "GET", lambda: edge.show(edge.checkpoint))
    app.route("/v1/sys/witnessed", "GET", lambda: edge.show(edge.witnessed))
    for path in (PREFIX, f"{PREFIX}/<rest:path>"):
        app.route(path, ["GET", "POST"], lambda rest="": edge.run(edge.screen))
    app.route("/v1/sys/<name>", "POST", lambda name: edge.run(lambda env: edge.no_post(name)))
    app.route(
        "/v1/<function>/<operation>",
        "POST",
        lambda function, operation: edge.run(lambda env: edge.operate(env, function, operation)),
    )
    app.default_error_handler = lambda error: edge.run(
        lambda env: edge.bottle_refused(env["PATH_INFO"], error)
    )
    wsgi: App = app.wsgi
    return wsgi


def refuse_body(environ: Environ) -> None:
    """Refuse a request with a body where none belongs.

    Raises:
        TurnedAway: 400.
    """
    if environ["CONTENT_LENGTH"] not in ("", "0"):
        raise malformed("a body is given where none belongs")


class _Edge:
    """What the routes do; every exception ends here."""

    def __init__(self, door: Door, metrics: Metrics) -> None:
        operations = door.operations()
        self._door = door
        self._metrics = metrics
        self._titles = {str(each.name): titles(each.asks) for each in operations}
        self._document = msgspec.json.encode(openapi.document(operations))
        self._screens = Screens(door, self._asked_by_screen)

    def run(self, work: Callable[[Environ], HttpAnswer]) -> bottle.HTTPResponse:
        """Do the work for the current request; whatever happens, return an answer."""
        environ: Environ = bottle.request.environ
        answer = self._answer(environ, work)
        return bottle.HTTPResponse(answer.body, answer.status, dict(answer.fields))

    def show(self, work: Callable[[], HttpAnswer]) -> bottle.HTTPResponse:
        """Do what only shows something."""

        def look(environ: Environ) -> HttpAnswer:
            refuse_body(environ)
            return work()

        return self.run(look)

    def operate(self, environ: Environ, function: str, operation: str) -> HttpAnswer:
        """Carry out an operation, and count it."""
        name = f"{function}/{operation}"
        return self._counted(name, lambda: self._operate(environ, name))

    def _asked_by_screen(self, envelope: Envelope) -> Reply:
        return self._counted(envelope.operation, lambda: self._door.answer(envelope))

    def _counted(self, name: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        result = Failed.code
        try:
            done = work()
            result = "ok"
        except (Refusal, TurnedAway) as refusal:
            result = refusal.code
            raise
        finally:
            known = name if name in self._titles else UNKNOWN
            self._metrics.answered(known, result, time.perf_counter() - started)
        return done

    def openapi(self) -> HttpAnswer:
        """Return the description of this interface."""
        return HttpAnswer(HTTPStatus.OK, wire.JSON, self._document)

    def health(self) -> HttpAnswer:
        """Return whether the appliance can work."""
        status, details = self._door.health()
        return HttpAnswer(status, wire.JSON, wire.encode(wire.JSON, details))

    def seal_status(self) -> HttpAnswer:
        """Return how far unsealing is."""
        return HttpAnswer(
            HTTPStatus.OK, wire.JSON, wire.encode(wire.JSON, self._door.seal_status())
        )

    def checkpoint(self) -> HttpAnswer:
        """Return the ledger's signed checkpoint, a C2SP note."""
        note = self._door.checkpoint()
        if note is None:
            raise NotFound("there is no checkpoint now")
        return _signed(note)

    def witnessed(self) -> HttpAnswer:
        """Return the newest checkpoint that a witness has cosigned."""
        note = self._door.witnessed()
        if note is None:
            raise NotFound("no witness has cosigned the ledger yet")
        return _signed(note)

    def screen(self, environ: Environ) -> HttpAnswer:
        """Return a page, what a page is made of, or what came of pressing a button."""
        if environ["REQUEST_METHOD"] == "GET":
            refuse_body(environ)
        names = ("cookie", "authorization", "sec-fetch-site")
        keys = {name: "HTTP_" + name.upper().replace("-", "_") for name in names}
        headers = {name: environ[key] for name, key in keys.items() if key in environ}
        return self._screens.answer(
            Asked(
                method=environ["REQUEST_METHOD"],
                path=environ["PATH_INFO"],
                headers={**headers, "content-type": environ["CONTENT_TYPE"]},
                body=environ["wsgi.input"].read(),
                peer=environ[PEER],
                request_id=environ[REQUEST_ID],
            )
        )

    def no_post(self, name: str) -> HttpAnswer:
        """Refuse a POST where only looking is possible; unsealing has a port of its own."""
        raise not_allowed("GET, HEAD") if SYS + name in TO_LOOK_AT else nothing_here()

    def bottle_refused(self, path: str, error: bottle.HTTPError) -> HttpAnswer:
        """Refuse what bottle found no route for."""
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            if path in TO_LOOK_AT:
                raise not_allowed("GET, HEAD")
            if not path.startswith(SYS):
                raise not_allowed("POST")
        if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise nothing_here()
        raise Failed("a fault of the appliance")

    def _answer(self, environ: Environ, work: Callable[[Environ], HttpAnswer]) -> HttpAnswer:
        request_id: str = environ[REQUEST_ID]
        try:
            return work(environ)
        except TurnedAway as refusal:
            self._report(environ, refusal)
            return turned_away(refusal, request_id)
        except Refusal as refusal:
            name = environ["PATH_INFO"].removeprefix("/v1/")
            return refusal_answer(refusal, request_id, self._titles.get(name))
        except OutcomeUnknown:
            return turned_away(UNKNOWN_OUTCOME, request_id)
        except Exception as bug:
            log.error("a request failed: %s", origin(bug), extra={"request_id": request_id})
            return refusal_answer(Failed("a fault of the appliance"), request_id)

    def _operate(self, environ: Environ, name: str) -> HttpAnswer:
        envelope = _envelope(environ, name)
        media_type = answer_type(environ.get("HTTP_ACCEPT"), envelope.media_type)
        reply = self._door.answer(envelope)
        plain = {
            "request_id": reply.request_id,
            "receipt": {"index": reply.receipt},
            "data": reply.data,
        }
        return HttpAnswer(HTTPStatus.OK, media_type, wire.encode(media_type, plain))

    def _report(self, environ: Environ, refusal: TurnedAway) -> None:
        name = environ["PATH_INFO"].removeprefix("/v1/")
        try:
            self._door.refused_early(
                Early(
                    code=refusal.code,
                    text=refusal.text,
                    peer=environ[PEER],
                    request_id=environ[REQUEST_ID],
                    operation=name if name in self._titles else "",
                )
            )
        except Exception as bug:
            log.error("a refusal could not be reported: %s", origin(bug))


def _envelope(environ: Environ, name: str) -> Envelope:
    """Return what arrived, well formed but not believed."""
    peer = environ[PEER]
    if peer is None:
        raise Unidentified("a client certificate is needed")
    if OPERATION.fullmatch(name) is None:
        raise nothing_here()
    given = {header: _header(environ, header) for header in HEADERS}
    approval = given["HTTP_X_APPROVAL"]
    return Envelope(
        request_id=RequestId(environ[REQUEST_ID]),
        peer=peer,
        operation=OperationName(name),
        media_type=body_type(environ["CONTENT_TYPE"]),
        # Not bottle's request.body: that one puts what is large into a file on disk, in clear.
        body=environ["wsgi.input"].read(),
        bearer=_bearer(environ),
        idempotency_key=given["HTTP_IDEMPOTENCY_KEY"],
        purpose=given["HTTP_X_PURPOSE"],
        reason=given["HTTP_X_REASON"],
        case_number=given["HTTP_X_CASE"],
        approval=None if approval is None else int(approval),
    )


def _header(environ: Environ, key: str) -> str | None:
    name, form = HEADERS[key]
    value: str | None = environ.get(key)
    if value is not None and form.fullmatch(value) is None:
        raise malformed(f"{name} is not of the form it must have")
    return value


def _bearer(environ: Environ) -> str | None:
    value: str | None = environ.get("HTTP_AUTHORIZATION")
    if value is None:
        return None
    if "HTTP_COOKIE" in environ:
        raise malformed("give a session by Authorization or by Cookie, not by both")
    found = BEARER.fullmatch(value)
    if found is None:
        raise malformed("Authorization is not Bearer and a token")
    return found[1]


def _signed(note: str) -> HttpAnswer:
    return HttpAnswer(HTTPStatus.OK, "text/plain; charset=utf-8", note.encode())
