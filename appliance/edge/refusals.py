"""From a refusal to HTTP: the only place where refusals have HTTP numbers (``CODES``)."""

from collections.abc import Mapping
from http import HTTPStatus

from appliance.edge.answers import HttpAnswer
from appliance.edge.problems import PROBLEM_TYPE, TurnedAway, document
from appliance.errors import (
    AddConditions,
    BadGateway,
    Conflict,
    Damaged,
    Failed,
    Malformed,
    NeedsApproval,
    NotFound,
    NotPermitted,
    Protected,
    Refusal,
    Rejected,
    TooMany,
    Unavailable,
    Unidentified,
    UnknownOperation,
    VerifyAgain,
)

CODES: Mapping[str, HTTPStatus] = {
    Malformed.code: HTTPStatus.BAD_REQUEST,
    Unidentified.code: HTTPStatus.UNAUTHORIZED,
    VerifyAgain.code: HTTPStatus.UNAUTHORIZED,
    NotPermitted.code: HTTPStatus.FORBIDDEN,
    NeedsApproval.code: HTTPStatus.FORBIDDEN,
    Protected.code: HTTPStatus.FORBIDDEN,
    UnknownOperation.code: HTTPStatus.NOT_FOUND,
    NotFound.code: HTTPStatus.NOT_FOUND,
    Conflict.code: HTTPStatus.CONFLICT,
    Rejected.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    AddConditions.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooMany.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    BadGateway.code: HTTPStatus.BAD_GATEWAY,
    Unavailable.code: HTTPStatus.SERVICE_UNAVAILABLE,
    Damaged.code: HTTPStatus.INTERNAL_SERVER_ERROR,
    Failed.code: HTTPStatus.INTERNAL_SERVER_ERROR,
}
OTHER = HTTPStatus.UNPROCESSABLE_ENTITY
"""For a refusal a vendor made, with a code of its own."""

STATUS_HEADERS: Mapping[HTTPStatus, tuple[str, str]] = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate", "Bearer"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After", "5"),
}

UNKNOWN_OUTCOME = TurnedAway(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "outcome-unknown",
    "it is not known whether this was carried out; ask again with the same Idempotency-Key",
    [STATUS_HEADERS[HTTPStatus.SERVICE_UNAVAILABLE]],
)


def refusal_answer(
    refusal: Refusal, request_id: str, titles: Mapping[str, str] | None = None
) -> HttpAnswer:
    """Return a refusal as HTTP; ``titles`` are what the operation calls its fields."""
    status = CODES.get(refusal.code, OTHER)
    body = document(
        status=status,
        code=refusal.code,
        detail=refusal.text,
        request_id=request_id,
        problems=refusal.problems,
        count=refusal.count if isinstance(refusal, TooMany) else None,
        titles=titles,
    )
    extra = STATUS_HEADERS.get(status)
    return HttpAnswer(status, PROBLEM_TYPE, body, (extra,) if extra else ())


def nothing_here() -> TurnedAway:
    """Return the refusal of a path that leads nowhere."""
    return TurnedAway(HTTPStatus.NOT_FOUND, NotFound.code, "there is nothing here")


def not_allowed(allowed: str) -> TurnedAway:
    """Return the refusal of a method that the path does not take."""
    return TurnedAway(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "this method is not allowed here",
        [("Allow", allowed)],
    )
