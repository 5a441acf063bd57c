"""``session/open``, ``session/close``, ``session/enrol``: how an operator comes and goes.

A failed attempt is counted in the same unit as its ledger entry, and counted at once in memory, so
that attempts side by side gain nothing. After five the operator is locked until a new enrolment.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Annotated

import pluggy
from msgspec import Meta

from appliance.case import Case
from appliance.errors import NotPermitted, Unavailable, Unidentified
from appliance.model import OperationName, Terminal
from appliance.operation import Answer, AnyOperation, Arguments, Operation, Power
from appliance.roster import PinnedOperator, Roster, pinned
from appliance.sessions import MAX_FAILURES, Authenticator, Session, draw
from appliance.terminals import must_be_of_its_office
from storage.engine import Unit

WRONG = "the operator, the PIN or the terminal is not right, or the operator is locked"
USES: frozenset[Power] = frozenset({"roster", "sessions"})
MOST_AT_ONCE = 8
"""Terminals at which somebody logs in at one time; the others are told to try again."""
hookimpl = pluggy.HookimplMarker("appliance")
Text = Annotated[str, Meta(min_length=1, max_length=64)]


class Open(Arguments, frozen=True, kw_only=True):
    """操作者ID and 操作者照合暗証番号."""

    operator: Text
    pin: Text


class Opened(Answer, frozen=True, kw_only=True):
    """A session token, and what its operator may do."""

    token: str
    expires_at: datetime
    operator: str
    roles: tuple[str, ...]
    purposes: tuple[str, ...]
    last_login: datetime | None
    last_terminal: str


class Close(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class Closed(Answer, frozen=True, kw_only=True):
    """Nothing."""


class Enrol(Arguments, frozen=True, kw_only=True):
    """A one-use code, and the PIN the operator chose."""

    code: Text
    pin: Text


class Enrolled(Answer, frozen=True, kw_only=True):
    """Whose PIN is set."""

    operator: str


class Login:
    """The three operations, and the attempts under way."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._failing: Counter[str] = Counter()
        self._proving: set[str] = set()
        """Certificates of the terminals at which a PIN is being looked at."""
        self._lock = Lock()

    @hookimpl
    def operations(self) -> list[AnyOperation]:
        """Offer the operations through the same door as any plugin."""
        return [
            Operation(
                name=OperationName("session/open"),
                summary="Log in with an operator id and a PIN.",
                asks=Open,
                answers=Opened,
                handler=self.open,
                purposed=False,
                uses=USES,
                records=("operator",),
                drops=("pin",),
            ),
            Operation(
                name=OperationName("session/close"),
                summary="Log out.",
                asks=Close,
                answers=Closed,
                handler=_close,
                purposed=False,
                uses=USES,
            ),
            Operation(
                name=OperationName("session/enrol"),
                summary="Set a PIN with a one-use enrolment code.",
                asks=Enrol,
                answers=Enrolled,
                handler=self.enrol,
                purposed=False,
                uses=USES,
                drops=("code", "pin"),
            ),
        ]

    def open(self, case: Case, asked: Open) -> Opened:
        """Begin a session.

        Raises:
            Unidentified: anything is wrong; one text for every reason.
            NotPermitted: proved, and of another 所属 than the terminal that is its own's alone.
            Conflict: logged in at another terminal.
            Unavailable: somebody is logging in at this terminal, or too many elsewhere.
        """
        record = pinned(case.roster, asked.operator)
        with self._turn_of(case.actor.terminal):
            attempts = self._count_attempt(record)
            proved = self._authenticator.verify(record, asked.pin)
        may = record is not None and _may_log_in(record, attempts, case)
        if record is None or not proved or not may:
            case.note.result = "wrong"
            if record is not None:
                case.if_refused.append(lambda unit: self._count_failure(unit, asked.operator))
            raise Unidentified(WRONG)
        token, session = draw(asked.operator, case.actor.terminal.fingerprint, case.request.now)
        case.together.append(lambda unit: self._succeeded(unit, record, session, case))
        return Opened(
            token=token,
            expires_at=case.sessions.until(session),
            operator=record.operator_id,
            roles=record.roles,
            purposes=record.purposes,
            last_login=record.last_login,
            last_terminal=record.last_terminal,
        )

    def enrol(self, case: Case, asked: Enrol) -> Enrolled:
        """Set the PIN of the operator whom the code was issued for; the code is used up.

        Raises:
            Malformed: the PIN is too short or not digits.
            NotPermitted: the code is not known or is over.
            Unavailable: as ``open``.
        """
        enrolment = case.roster.enrolment(asked.code)
        if enrolment is None or enrolment.until < case.request.now:
            raise NotPermitted("this enrolment code is not known, is used or is over")
        with self._turn_of(case.actor.terminal):
            kept = self._authenticator.enrol(asked.pin)

        def set_pin(unit: Unit) -> None:
            roster = Roster(unit, unit)
            if roster.enrolment(asked.code) is None:
                raise NotPermitted("this enrolment code is not known, is used or is over")
            roster.use_enrolment(asked.code)
            roster.change_operator(enrolment.operator_id, pin_hash=kept, enrolled=True, failures=0)
            # Whoever proves the former PIN at this moment is refused when his unit comes.
            self._forget_attempts(enrolment.operator_id)
            case.sessions.close_all_of(enrolment.operator_id)

        case.together.append(set_pin)
        return Enrolled(operator=enrolment.operator_id)

    @contextmanager
    def _turn_of(self, terminal: Terminal) -> Iterator[None]:
        """Let a PIN be looked at: one at a time for a terminal, and few in all.

        Each takes long and waits for the one before; who waits holds a worker.

        Raises:
            Unavailable: it is not his turn.
        """
        with self._lock:
            if terminal.fingerprint in self._proving or len(self._proving) >= MOST_AT_ONCE:
                raise Unavailable("others are logging in at this moment; try again in a second")
            self._proving.add(terminal.fingerprint)
        try:
            yield
        finally:
            with self._lock:
                self._proving.discard(terminal.fingerprint)

    def _count_attempt(self, record: PinnedOperator | None) -> int:
        if record is None:
            return 0
        with self._lock:
            self._failing[record.operator_id] += 1
            return self._failing[record.operator_id] - 1

    def _count_failure(self, unit: Unit, operator_id: str) -> None:
        roster = Roster(unit, unit)
        record = roster.operator(operator_id)
        if record is not None and record.failures < MAX_FAILURES:
            roster.change_operator(operator_id, failures=record.failures + 1)

    def _succeeded(self, unit: Unit, proved: PinnedOperator, session: Session, case: Case) -> None:
        """Begin the session of a record that still says what was proved of it.

        Comparing a PIN takes long: another PIN may have been set meanwhile, or the operator shut
        out. Here, on the writer thread, one of the two is first.
        """
        roster = Roster(unit, unit)
        if _deciding(pinned(roster, proved.operator_id)) != _deciding(proved):
            case.note.result = "changed meanwhile"
            raise Unidentified(WRONG)
        self._forget_attempts(proved.operator_id)
        must_be_of_its_office(case.actor.terminal, proved.office)
        roster.note_use(case.actor.terminal.terminal_id, case.request.now)
        roster.change_operator(
            proved.operator_id,
            failures=0,
            last_login=case.request.now,
            last_terminal=case.actor.terminal.terminal_id,
        )
        case.sessions.begin(session)
        case.note.result = self._authenticator.method

    def _forget_attempts(self, operator_id: str) -> None:
        with self._lock:
            self._failing.pop(operator_id, None)


def _deciding(record: PinnedOperator | None) -> object:
    """Return what of a record decides whether its operator may log in, and as what."""
    if record is None:
        return None
    locked = record.failures >= MAX_FAILURES
    return record.pin_hash, locked, record.suspended, record.expires_on, record.roles


def _may_log_in(record: PinnedOperator, attempts: int, case: Case) -> bool:
    return (
        max(record.failures, attempts) < MAX_FAILURES
        and not record.suspended
        and case.request.today <= record.expires_on
    )


def _close(case: Case, asked: Close) -> Closed:
    """End the session, if there is one."""
    case.sessions.close(case.actor.session)
    return Closed()
