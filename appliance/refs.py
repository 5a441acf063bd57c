"""``ref``: how a search result is named afterwards, without naming the resident.

Random, bound to the session that found it, good for ten minutes, gone at restart.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from appliance.errors import NotFound
from storage.engine import PersonId

LIFETIME = timedelta(minutes=10)
MOST = 100_000


@dataclass(frozen=True, slots=True)
class _Ref:
    person: PersonId
    session: str
    until: datetime


class Refs:
    """All live references; any thread may use them."""

    def __init__(self) -> None:
        self._refs: OrderedDict[str, _Ref] = OrderedDict()
        self._lock = Lock()

    def issue(self, person: PersonId, session: str, now: datetime) -> str:
        """Return a new reference to a person, for this session."""
        ref = secrets.token_urlsafe(18)
        with self._lock:
            self._refs[ref] = _Ref(person, session, now + LIFETIME)
            self._forget_old(now)
        return ref

    def resolve(self, ref: str, session: str, now: datetime) -> PersonId:
        """Return the person meant.

        Raises:
            NotFound: unknown, too old, or another session's; the caller cannot tell which.
        """
        with self._lock:
            found = self._refs.get(ref)
        if found is None or found.session != session or found.until < now:
            raise NotFound("this reference is not known or is over; search again")
        return found.person

    def _forget_old(self, now: datetime) -> None:
        while self._refs:
            oldest = next(iter(self._refs.values()))
            if oldest.until >= now and len(self._refs) <= MOST:
                return
            self._refs.popitem(last=False)
