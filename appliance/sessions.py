"""Live sessions: who is logged in where, under which authority, and when he last proved himself.

Sessions are in memory only: a restart ends them all. A token is random, kept as its digest, bound
to the certificate it was opened with. One live session a person (R21, ui: two terminals at once
are refused and recorded), whatever authorities he holds.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock

from appliance.errors import Conflict, Unidentified


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lives; the server counts, not the screen."""

    idle: timedelta = timedelta(minutes=5)
    absolute: timedelta = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One person, logged in under one authority at one terminal."""

    digest: str
    person_id: str
    operator_id: str
    fingerprint: str
    opened: datetime
    used: datetime
    proved: datetime
    """When he last proved to be who he is."""


class Sessions:
    """All live sessions; any thread may use them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._live: dict[str, Session] = {}
        self._lock = Lock()

    def begin(self, session: Session) -> None:
        """Let a session live; ends an older one of the same person at the same terminal.

        Raises:
            Conflict: the person is logged in at another terminal.
        """
        with self._lock:
            for other in [s for s in self._live.values() if s.person_id == session.person_id]:
                alive = self._is_alive(other, session.opened)
                if alive and other.fingerprint != session.fingerprint:
                    raise Conflict("this person is logged in at another terminal")
                del self._live[other.digest]
            self._live[session.digest] = session

    @property
    def idle(self) -> timedelta:
        """How long a session may go unused."""
        return self._limits.idle

    def use(self, token: str, fingerprint: str, now: datetime, *, attended: bool = True) -> Session:
        """Return the live session of a token, and count the request as use.

        Unless it is not ``attended``: what a page asks by itself keeps no session alive.

        Raises:
            Unidentified: unknown, over, or another terminal's; all the same text.
        """
        with self._lock:
            session = self._live.get(digest(token))
            if (
                session is None
                or session.fingerprint != fingerprint
                or not self._is_alive(session, now)
            ):
                raise Unidentified("log in first; a session ends when it is not used")
            if attended:
                self._live[session.digest] = replace(session, used=max(now, session.used))
            return session

    def proved(self, session_digest: str, now: datetime) -> None:
        """Note that whoever is in this session has proved again who he is."""
        with self._lock:
            session = self._live.get(session_digest)
            if session is not None:
                self._live[session_digest] = replace(session, proved=max(now, session.proved))

    def beside(self, session: Session, now: datetime) -> list[Session]:
        """Return the sessions of whoever else is logged in at the terminal of a session."""
        with self._lock:
            return [
                other
                for other in self._live.values()
                if other.fingerprint == session.fingerprint
                and other.person_id != session.person_id
                and self._is_alive(other, now)
            ]

    def close(self, session_digest: str) -> None:
        """End a session."""
        with self._lock:
            self._live.pop(session_digest, None)

    def close_all_of(self, *, person_id: str | None = None, operator_id: str | None = None) -> None:
        """End every session of a person, or under an authority, at once (R123)."""
        with self._lock:
            for session in list(self._live.values()):
                if person_id == session.person_id or operator_id == session.operator_id:
                    del self._live[session.digest]

    def close_all_at(self, fingerprint: str) -> None:
        """End every session at a terminal, at once (R21)."""
        with self._lock:
            for session in [s for s in self._live.values() if s.fingerprint == fingerprint]:
                del self._live[session.digest]

    def until(self, session: Session) -> datetime:
        """Return when the session ends at the latest."""
        return session.opened + self._limits.absolute

    def _is_alive(self, session: Session, now: datetime) -> bool:
        return (
            now - session.used <= self._limits.idle
            and now - session.opened <= self._limits.absolute
        )


def draw(person_id: str, operator_id: str, fingerprint: str, now: datetime) -> tuple[str, Session]:
    """Return a new token, and its session, which does not live before ``Sessions.begin``."""
    token = secrets.token_urlsafe(32)
    return token, Session(
        digest=digest(token),
        person_id=person_id,
        operator_id=operator_id,
        fingerprint=fingerprint,
        opened=now,
        used=now,
        proved=now,
    )


def digest(token: str) -> str:
    """Return under what a token is kept."""
    return sha256(token.encode()).hexdigest()
