"""Which of the two representations, JSON or CBOR, a body has and an answer gets (RFC 9110 §12)."""

import re
from http import HTTPStatus

from appliance.edge.problems import TurnedAway
from appliance.wire import CBOR, JSON

BOTH = f"{JSON}, {CBOR}"
MOST_RANGES = 16
JSON_BODY = re.compile(rf'{re.escape(JSON)}(?:[ \t]*;[ \t]*charset="?utf-8"?)?', re.IGNORECASE)
CBOR_BODY = re.compile(re.escape(CBOR), re.IGNORECASE)
RANGE = re.compile(
    r"(?P<range>[a-z0-9*+.-]+/[a-z0-9*+.-]+)(?:[ \t]*;[ \t]*q=(?P<q>[01](?:\.[0-9]{0,3})?))?"
)


def body_type(content_type: str) -> str:
    """Return what a body is.

    Raises:
        TurnedAway: 415, it is neither.
    """
    if JSON_BODY.fullmatch(content_type):
        return JSON
    if CBOR_BODY.fullmatch(content_type):
        return CBOR
    raise TurnedAway(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "send application/json or application/cbor",
        [("Accept", BOTH)],
    )


def answer_type(accept: str | None, asked_in: str) -> str:
    """Return what the answer is to be; where the caller does not mind, what it asked in.

    Raises:
        TurnedAway: 406, the caller accepts neither.
    """
    if accept is None:
        return asked_in
    ranges = _ranges(accept)
    other = CBOR if asked_in == JSON else JSON
    wanted = max((asked_in, other), key=lambda media_type: _quality(ranges, media_type))
    if _quality(ranges, wanted) > 0:
        return wanted
    raise TurnedAway(
        HTTPStatus.NOT_ACCEPTABLE, "not-acceptable", "accept application/json or application/cbor"
    )


def _ranges(accept: str) -> dict[str, float]:
    """Return the weight of every media range; one that cannot be read counts for nothing."""
    ranges: dict[str, float] = {}
    for text in accept.lower().split(",")[:MOST_RANGES]:
        if found := RANGE.fullmatch(text.strip()):
            ranges[found["range"]] = float(found["q"] or 1)
    return ranges


def _quality(ranges: dict[str, float], media_type: str) -> float:
    """Return the weight of the most specific range that covers the type."""
    for media_range in (media_type, "application/*", "*/*"):
        if media_range in ranges:
            return ranges[media_range]
    return 0.0
