"""The management port: plain HTTP on the loopback address, for whoever is on the machine.

::

    GET  /v1/sys/health       what works and what does not, with details
    GET  /v1/sys/seal-status
    GET  /v1/sys/metrics      Prometheus text
    POST /v1/sys/unseal       {"share": "…"}      -> seal status
    POST /v1/sys/seal         X-Seal-Token: the content of a file only root can read
    POST /v1/sys/backup/STEP  the same; begin, go-on, point, finish, give-up (backupdesk.py)

It works while the appliance is sealed and knows no operator. Requests must name the loopback
address in ``Host`` and must not come from a web page: a browser on this machine could be led here.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol

from appliance import wire
from appliance.edge.answers import HttpAnswer, turned_away
from appliance.edge.limits import KIB, Limits
from appliance.edge.metrics import CONTENT_TYPE, Metrics
from appliance.edge.negotiation import body_type
from appliance.edge.problems import TurnedAway, malformed, origin
from appliance.edge.refusals import refusal_answer
from appliance.edge.server import REQUEST_ID, App, Environ
from appliance.errors import Failed, Malformed, NotPermitted, Refusal
from appliance.http import refuse_body
from appliance.machine.backupdesk import STEPS, BackupStep
from appliance.operation import Arguments

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
NAMES = frozenset({ADDRESS, "localhost"})
PREFIX = "/v1/sys/"

LIMITS = Limits(workers=4, connections=64, waiting=16, body_bytes=lambda path: 16 * KIB)
"""One person with a terminal, and one monitoring agent."""


class Share(Arguments, frozen=True):
    """One custodian's share of the unseal key."""

    share: str


class Keeper(Protocol):
    """What can be done to the appliance from its own machine."""

    def unseal(self, share: str) -> dict[str, Any]:
        """Take a share; return the seal status after it.

        Raises:
            Refusal: the share is mistyped, foreign or was given before; progress is kept.
        """

    def seal(self, token: str) -> None:
        """Seal the appliance, soon after this returns.

        Raises:
            NotPermitted: the token is not the one in the file.
        """

    def backup(self, step: str, token: str, asked: BackupStep) -> dict[str, Any]:
        """Do a step of a backup; return what the copier must know.

        Raises:
            Refusal: the token is not the one in the file, or it cannot be done.
        """

    def health(self) -> tuple[int, dict[str, Any]]:
        """Return the status as for the main port, with details for the operator."""

    def seal_status(self) -> dict[str, Any]:
        """Return type, initialized, sealed, t, n, progress and version."""


def make_sysport(keeper: Keeper, metrics: Metrics) -> App:
    """Return the WSGI application of the management port."""
    desk = _Desk(keeper, metrics)
    routes: Mapping[str, tuple[str, Callable[[Environ], HttpAnswer]]] = {
        "health": ("GET", desk.health),
        "seal-status": ("GET", desk.seal_status),
        "metrics": ("GET", desk.metrics),
        "unseal": ("POST", desk.unseal),
        "seal": ("POST", desk.seal),
        **{f"backup/{step}": ("POST", partial(desk.backup, step)) for step in STEPS},
    }

    def app(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = _answered(environ, routes)
        start_response(answer.status_line, answer.fields)
        return [answer.body]

    return app


class _Desk:
    """What the routes do."""

    def __init__(self, keeper: Keeper, metrics: Metrics) -> None:
        self._keeper = keeper
        self._metrics = metrics

    def health(self, _environ: Environ) -> HttpAnswer:
        status, details = self._keeper.health()
        return _plain(details, status)

    def seal_status(self, _environ: Environ) -> HttpAnswer:
        return _plain(self._keeper.seal_status())

    def metrics(self, _environ: Environ) -> HttpAnswer:
        return HttpAnswer(HTTPStatus.OK, CONTENT_TYPE, self._metrics.text())

    def unseal(self, environ: Environ) -> HttpAnswer:
        media_type = body_type(environ["CONTENT_TYPE"])
        asked = wire.parse(Share, wire.decode(media_type, environ["wsgi.input"].read()))
        if not isinstance(asked, Share):
            raise Malformed("a share is missing")
        return _plain(self._keeper.unseal(asked.share))

    def backup(self, step: str, environ: Environ) -> HttpAnswer:
        media_type = body_type(environ["CONTENT_TYPE"])
        asked = wire.parse(BackupStep, wire.decode(media_type, environ["wsgi.input"].read()))
        if not isinstance(asked, BackupStep):
            raise Malformed("the step is missing")
        return _plain(self._keeper.backup(step, _token(environ), asked))

    def seal(self, environ: Environ) -> HttpAnswer:
        self._keeper.seal(_token(environ))
        return _plain({"sealing": True}, HTTPStatus.ACCEPTED)


def _token(environ: Environ) -> str:
    token: str | None = environ.get("HTTP_X_SEAL_TOKEN")
    if token is None:
        raise NotPermitted("X-Seal-Token is missing")
    return token


def _answered(
    environ: Environ, routes: Mapping[str, tuple[str, Callable[[Environ], HttpAnswer]]]
) -> HttpAnswer:
    request_id: str = environ[REQUEST_ID]
    try:
        _check_origin(environ)
        return _route(environ, routes)(environ)
    except TurnedAway as refusal:
        return turned_away(refusal, request_id)
    except Refusal as refusal:
        return refusal_answer(refusal, request_id)
    except Exception as bug:
        log.error("a request failed: %s", origin(bug), extra={"request_id": request_id})
        return refusal_answer(Failed("a fault of the appliance"), request_id)


def _check_origin(environ: Environ) -> None:
    if environ["HTTP_HOST"].partition(":")[0] not in NAMES:
        raise malformed("Host must be the loopback address")
    if "HTTP_ORIGIN" in environ:
        raise malformed("web pages have no business here")


def _route(
    environ: Environ, routes: Mapping[str, tuple[str, Callable[[Environ], HttpAnswer]]]
) -> Callable[[Environ], HttpAnswer]:
    path: str = environ["PATH_INFO"]
    found = routes.get(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else None
    if found is None:
        raise TurnedAway(HTTPStatus.NOT_FOUND, "not-found", "there is nothing here")
    method, work = found
    if environ["REQUEST_METHOD"] != method:
        raise TurnedAway(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "this method is not allowed here",
            [("Allow", method)],
        )
    if method == "GET":
        refuse_body(environ)
    return work


def _plain(plain: Mapping[str, Any], status: int = HTTPStatus.OK) -> HttpAnswer:
    return HttpAnswer(status, wire.JSON, wire.encode(wire.JSON, plain))
