"""``ref``: how a search result is named afterwards, without naming the resident.

Random, bound to the session that found it, good for ten minutes, gone at restart. Each session has
room of its own: who searches much pushes out his own references, nobody else's.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from appliance.errors import NotFound
from storage.engine import PersonId

LIFETIME = timedelta(minutes=10)
MOST = 5_000
"""Of one session: a hundred full lists in ten minutes."""


@dataclass(frozen=True, slots=True)
class _Ref:
    person: PersonId
    until: datetime


_NOTHING: OrderedDict[str, _Ref] = OrderedDict()


class Refs:
    """All live references; any thread may use them."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, OrderedDict[str, _Ref]] = OrderedDict()
        """By session, the one that searched last at the end."""
        self._lock = Lock()

    def issue(self, person: PersonId, session: str, now: datetime) -> str:
        """Return a new reference to a person, for this session."""
        ref = secrets.token_urlsafe(18)
        with self._lock:
            mine = self._sessions.setdefault(session, OrderedDict())
            self._sessions.move_to_end(session)
            mine[ref] = _Ref(person, now + LIFETIME)
            if len(mine) > MOST:
                mine.popitem(last=False)
            self._forget_old(now)
        return ref

    def resolve(self, ref: str, session: str, now: datetime) -> PersonId:
        """Return the person meant.

        Raises:
            NotFound: unknown, too old, or another session's; the caller cannot tell which.
        """
        with self._lock:
            found = self._sessions.get(session, _NOTHING).get(ref)
        if found is None or found.until < now:
            raise NotFound("this reference is not known or is over; search again")
        return found.person

    def _forget_old(self, now: datetime) -> None:
        """Forget sessions that have not searched for so long that nothing of theirs is good."""
        while self._sessions:
            session, refs = next(iter(self._sessions.items()))
            if refs and next(reversed(refs.values())).until >= now:
                return
            del self._sessions[session]
