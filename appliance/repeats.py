"""Idempotency-Key: the same request again gets the first answer, not a second execution.

Answers are kept sealed for three days; the first request of a day clears what is older. A key used
again for other bytes is a conflict.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import cbor2

from appliance.errors import Conflict
from storage.engine import Unit, View

DAYS = 3
RECENT, CLEARED = "core.repeats", "core.repeats-cleared"


def recall(view: View, key: str | None, body: bytes) -> dict[str, Any] | None:
    """Return the recorded answer to this key, or None.

    Raises:
        Conflict: the key was used for another request.
    """
    found = None if key is None else view.document(RECENT, key.encode())
    if found is None:
        return None
    asked, _, answer = cbor2.loads(found.body)
    if asked != sha256(body).digest():
        raise Conflict("this Idempotency-Key was used for another request")
    recorded: dict[str, Any] = answer
    return recorded


def remember(
    unit: Unit, key: str | None, body: bytes, answer: Mapping[str, Any], now: datetime
) -> None:
    """Record an answer in the unit that made it."""
    if key is None:
        return
    _clear(unit, now)
    paper = [sha256(body).digest(), now.timestamp(), dict(answer)]
    unit.put_document(RECENT, key.encode(), cbor2.dumps(paper))


def _clear(unit: Unit, now: datetime) -> None:
    today = now.date().isoformat().encode()
    last = unit.document(CLEARED, b"last")
    if last is not None and last.body == today:
        return
    limit = (now - timedelta(days=DAYS)).timestamp()
    for document in list(unit.documents(RECENT)):
        if cbor2.loads(document.body)[1] < limit:
            unit.drop_document(RECENT, document.key)
    unit.drop_document(CLEARED, b"last")
    unit.put_document(CLEARED, b"last", today)
