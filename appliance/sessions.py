"""Live sessions, and how an operator proves to be who he is.

Sessions are in memory only: a restart ends them all. A token is random, kept as its digest, bound
to the certificate it was opened with. One live session an operator (R21, ui: two terminals at once
are refused and recorded).
"""

import itertools
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from threading import BoundedSemaphore, Lock
from typing import Protocol

import nacl.exceptions
import nacl.pwhash

from appliance.errors import Conflict, Malformed, Unidentified
from appliance.roster import PinnedOperator

MAX_FAILURES = 5
PIN_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lives; the server counts, not the screen."""

    idle: timedelta = timedelta(minutes=5)
    absolute: timedelta = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Session:
    """One logged-in operator at one terminal."""

    digest: str
    operator_id: str
    fingerprint: str
    opened: datetime
    used: datetime


class Authenticator(Protocol):
    """A way to prove who one is; biometric login will be another one."""

    @property
    def method(self) -> str:
        """Under which name a login by this way is recorded."""
        ...

    def enrol(self, evidence: str) -> str:
        """Return what is kept to compare with.

        Raises:
            Malformed: the evidence is too weak.
        """
        ...

    def verify(self, record: PinnedOperator | None, evidence: str) -> bool:
        """Return whether the evidence is this operator's; the same work for an unknown one."""
        ...


class PinAuthenticator:
    """操作者照合暗証番号, Argon2id (R124). One at a time: each takes 64 MiB."""

    method = "pin"

    def __init__(
        self,
        opslimit: int = nacl.pwhash.argon2id.OPSLIMIT_INTERACTIVE,
        memlimit: int = nacl.pwhash.argon2id.MEMLIMIT_INTERACTIVE,
    ) -> None:
        self._cost = {"opslimit": opslimit, "memlimit": memlimit}
        self._turn = BoundedSemaphore(1)
        self._nobody = self._hash(secrets.token_hex(16))

    def enrol(self, evidence: str) -> str:
        """Return what is kept of a PIN.

        Raises:
            Malformed: the PIN is too short, not digits, or among the first that anybody tries.
        """
        if not (evidence.isascii() and evidence.isdigit() and len(evidence) >= PIN_DIGITS):
            raise Malformed(f"the PIN needs {PIN_DIGITS} digits or more")
        if _is_trivial(evidence):
            raise Malformed("the PIN is too easy: digits repeat, or follow one another in order")
        return self._hash(evidence)

    def _hash(self, pin: str) -> str:
        with self._turn:
            return nacl.pwhash.argon2id.str(pin.encode(), **self._cost).decode()

    def verify(self, record: PinnedOperator | None, evidence: str) -> bool:
        """Compare with the hash; an operator without one costs the same and fails."""
        kept = record.pin_hash if record is not None and record.pin_hash else self._nobody
        with self._turn:
            try:
                nacl.pwhash.verify(kept.encode(), evidence.encode())
            except nacl.exceptions.InvalidkeyError:
                return False
        return kept != self._nobody


class Sessions:
    """All live sessions; any thread may use them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._live: dict[str, Session] = {}
        self._lock = Lock()

    def begin(self, session: Session) -> None:
        """Let a session live; ends an older one at the same terminal.

        Raises:
            Conflict: the operator is logged in at another terminal.
        """
        with self._lock:
            for other in [s for s in self._live.values() if s.operator_id == session.operator_id]:
                alive = self._is_alive(other, session.opened)
                if alive and other.fingerprint != session.fingerprint:
                    raise Conflict("this operator is logged in at another terminal")
                del self._live[other.digest]
            self._live[session.digest] = session

    def use(self, token: str, fingerprint: str, now: datetime) -> Session:
        """Return the live session of a token, and count the request as use.

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
            self._live[session.digest] = replace(session, used=max(now, session.used))
            return session

    def close(self, session_digest: str) -> None:
        """End a session."""
        with self._lock:
            self._live.pop(session_digest, None)

    def close_all_of(self, operator_id: str) -> None:
        """End every session of an operator, at once (R123)."""
        with self._lock:
            for session in [s for s in self._live.values() if s.operator_id == operator_id]:
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


def draw(operator_id: str, fingerprint: str, now: datetime) -> tuple[str, Session]:
    """Return a new token, and its session, which does not live before ``Sessions.begin``."""
    token = secrets.token_urlsafe(32)
    return token, Session(digest(token), operator_id, fingerprint, now, now)


def _is_trivial(pin: str) -> bool:
    """Return whether digits repeat (11111111, 12121212, 12341234) or run up or down (23456789)."""
    repeats = any(pin == (pin[:size] * len(pin))[: len(pin)] for size in range(1, 5))
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    return repeats or steps in ({1}, {9})


def digest(token: str) -> str:
    """Return under what a token is kept."""
    return sha256(token.encode()).hexdigest()
