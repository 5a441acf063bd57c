"""Idempotency-Key: the same request again gets the first answer, not a second execution.

Answers are kept sealed for three days, under ``DAY/CERTIFICATE/PERSON/OPERATOR/OPERATION/KEY``. The
day leads, so that what is outdated comes first: every change clears a few of those, unopened, and
none has to clear them all. To tell an answer again is to show again whom it showed: that is kept
beside it, and held against the rights of whoever repeats. An answer that may be said only once, or
is too long, or is beyond what one certificate may have kept in a day, is not kept: its request is,
and a repeat is told the entry of the ledger under which it was carried out.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice, takewhile
from threading import Lock
from typing import Any, NamedTuple

import cbor2

from appliance.errors import Conflict
from appliance.items import BY_NAME, BY_NUMBER, ItemName
from appliance.traces import Touched
from storage.engine import PersonId, Unit, View

DAYS = 3
CLEARED_AT_ONCE = 8
"""Outdated answers that one change clears; more than it adds, so that they come to an end."""
MOST_BYTES = 128 * 1024
"""Of one answer, compressed: a thousand results of notices with all their problems have room."""
MOST_A_DAY = 64 * 1024 * 1024
"""Of all answers to one certificate in a day; counted from the start of the process."""
RECENT = "core.repeats"


class Known(NamedTuple):
    """How a request was answered, and whom and which items that showed."""

    answer: dict[str, Any]
    persons: tuple[PersonId, ...] = ()
    items: tuple[ItemName, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeat:
    """Which request may come again: whose, with which Idempotency-Key, asking what."""

    caller: str
    """Fingerprint of the certificate."""
    name: str
    """照合ID, 操作者ID, operation and Idempotency-Key."""
    body: bytes

    def place(self, now: datetime, days_ago: int = 0) -> bytes:
        """Return under what its answer is kept, if it was carried out so many days ago."""
        day = (now - timedelta(days=days_ago)).date().isoformat()
        return f"{day}/{self.caller}/{self.name}".encode()


class Repeats:
    """The answers to recent changes; any thread may use it."""

    def __init__(self, most_a_day: int = MOST_A_DAY) -> None:
        self._most = most_a_day
        self._kept: dict[str, tuple[str, int]] = {}
        """By certificate: the day, and the bytes kept for it on that day."""
        self._lock = Lock()

    def recall(self, view: View, repeat: Repeat, now: datetime) -> Known | None:
        """Return the recorded answer to this request, or None if it was not carried out.

        Raises:
            Conflict: the key was used for another request, or the answer was not kept.
        """
        places = (repeat.place(now, days_ago) for days_ago in range(DAYS + 1))
        found = next((each for place in places if (each := view.document(RECENT, place))), None)
        if found is None:
            return None
        asked, receipt, packed, *shown = cbor2.loads(found.body)
        if asked != sha256(repeat.body).digest():
            raise Conflict("this Idempotency-Key was used for another request")
        if packed is None:
            raise Conflict(
                f"this request was carried out already (ledger entry {receipt}); its answer "
                "cannot be told again. Do not repeat it; look at the state it left"
            )
        answer: dict[str, Any] = cbor2.loads(zlib.decompress(packed))
        # An answer of an earlier version of the appliance says of nobody whom it showed.
        persons, items = shown or ((), ())
        return Known(answer, tuple(persons), tuple(BY_NUMBER[number].name for number in items))

    def remember(
        self,
        unit: Unit,
        repeat: Repeat,
        answer: Mapping[str, Any] | None,
        receipt: int,
        now: datetime,
        touched: Touched,
    ) -> None:
        """Record, in the unit that carried it out, how a request was answered.

        ``answer`` is None if it must not be kept; ``receipt`` is its entry in the ledger;
        ``touched`` says whom it showed.
        """
        oldest = repeat.place(now, DAYS)[:10]
        outdated = takewhile(lambda key: key[:10] < oldest, unit.document_keys(RECENT))
        for key in list(islice(outdated, CLEARED_AT_ONCE)):
            unit.drop_document(RECENT, key)
        packed = None if answer is None else zlib.compress(cbor2.dumps(dict(answer)), 1)
        if packed is not None and not self._has_room(repeat.caller, len(packed), now):
            packed = None
        items = sorted(BY_NAME[name].number for name in touched.items)
        paper = [sha256(repeat.body).digest(), receipt, packed, [*touched.opened], items]
        unit.put_document(RECENT, repeat.place(now), cbor2.dumps(paper))

    def _has_room(self, caller: str, size: int, now: datetime) -> bool:
        today = now.date().isoformat()
        with self._lock:
            day, kept = self._kept.get(caller, (today, 0))
            kept = size + (kept if day == today else 0)
            if size > MOST_BYTES or kept > self._most:
                return False
            self._kept[caller] = today, kept
            return True
