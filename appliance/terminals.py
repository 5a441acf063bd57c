"""端末管理簿: the machines that may ask, where they stand, when and for what (R21, R126).

Each line is one certificate. A terminal keeps its 操作端末ID over several of them: it is renewed,
and for some days both are good. Nothing is ever removed; each revision says who changed it, when
and why. What stands here narrows what the policy grants at a terminal, and never widens it.
"""

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import TypeVar

import msgspec

from appliance import hours
from appliance.errors import Conflict, Failed, NotFound, NotPermitted
from appliance.model import OperationName, Terminal, TerminalKind
from storage.engine import Document, Unit, View

TERMINALS, TERMINAL_USE = "core.terminals", "core.terminal-use"
OVERLAP = timedelta(days=7)
"""For how long a renewed terminal's former certificate is still good."""
SESSION = "session/"
ALWAYS = OperationName("session/close")
"""Whoever stayed too long may still log out."""
R = TypeVar("R")


class TerminalRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One registered certificate."""

    fingerprint: str
    terminal_id: str
    kind: TerminalKind
    place: str = ""
    municipality_code: str | None = None
    revoked: str = ""
    office: str = ""
    """所属 whose terminal it is."""
    own_office_only: bool = False
    """Operators of other 所属 may not log in here."""
    operations: tuple[str, ...] = ()
    """Functions (``search``) and operations (``search/find``) for which it may be used; all if
    there are none."""
    hours: tuple[str, ...] = ()
    """When it may be used (``appliance.hours``); always if there are none."""
    not_after: datetime | None = None
    """The end of the certificate; None: it was registered before this was kept."""
    until: datetime | None = None
    """From when on it is not believed any more, because the terminal has another one."""
    request_number: str = ""
    """Of the paper with which the registration was asked for (申請番号)."""
    registered_at: datetime | None = None
    changed_at: datetime | None = None
    changed_by: str = ""
    """操作者ID of whoever wrote this revision."""
    why: str = ""

    def is_live(self, now: datetime) -> bool:
        """Return whether it may ask at ``now``, as far as the register goes."""
        return not self.revoked and (self.until is None or now < self.until)

    @property
    def is_current(self) -> bool:
        """Whether it is the newest certificate of a terminal that is in use."""
        return not self.revoked and self.until is None


class TerminalUse(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody logged in at a terminal last."""

    last: datetime


class TerminalBook:
    """The terminals in one view or unit of work."""

    def __init__(self, view: View, unit: Unit | None) -> None:
        self._view = view
        self._unit = unit

    def terminal(self, fingerprint: str) -> TerminalRecord | None:
        """Return the line of a certificate, or None."""
        found = self._view.document(TERMINALS, bytes.fromhex(fingerprint))
        return None if found is None else read(found, TerminalRecord)

    def terminals(self) -> Iterator[TerminalRecord]:
        """Yield every line."""
        for found in self._view.documents(TERMINALS):
            yield read(found, TerminalRecord)

    def current_terminal(self, terminal_id: str) -> TerminalRecord:
        """Return the newest certificate of a terminal that is in use.

        Raises:
            NotFound: no live terminal has this ID.
        """
        for record in self.terminals():
            if record.terminal_id == terminal_id and record.is_current:
                return record
        raise NotFound("no live terminal has this terminal_id")

    def enrol_terminal(self, record: TerminalRecord) -> None:
        """Register a certificate.

        Raises:
            Conflict: the certificate or the 操作端末ID is registered and not revoked.
        """
        self._must_be_new(record.fingerprint)
        if any(r.terminal_id == record.terminal_id and r.is_current for r in self.terminals()):
            raise Conflict("this terminal_id is registered: revoke it first, or choose another")
        self._put(record)

    def renew_terminal(self, record: TerminalRecord, now: datetime) -> None:
        """Register another certificate of a live terminal; the former one lapses after ``OVERLAP``.

        Raises:
            NotFound: no live terminal has this ID.
            Conflict: the certificate is registered, or was once.
        """
        former = self.current_terminal(record.terminal_id)
        self._must_be_new(record.fingerprint)
        self._put(
            msgspec.structs.replace(
                former,
                until=now + OVERLAP,
                changed_at=record.changed_at,
                changed_by=record.changed_by,
                why=record.why,
            )
        )
        self._put(record)

    def change_terminal(self, terminal_id: str, **changes: object) -> TerminalRecord:
        """Write some fields of a live terminal, of all its certificates; return the newest.

        Raises:
            NotFound: no live terminal has this ID.
        """
        self.current_terminal(terminal_id)
        for record in self._unrevoked(terminal_id):
            self._put(msgspec.structs.replace(record, **changes))
        return self.current_terminal(terminal_id)

    def revoke_terminal(self, terminal_id: str, why: str, **changes: object) -> TerminalRecord:
        """Refuse this terminal from the next request on, with all its certificates.

        Raises:
            NotFound: no live terminal has this ID.
        """
        current = self.current_terminal(terminal_id)
        for record in self._unrevoked(terminal_id):
            self._put(msgspec.structs.replace(record, revoked=why, why=why, **changes))
        return msgspec.structs.replace(current, revoked=why, why=why, **changes)

    def terminal_history(self, terminal_id: str) -> Iterator[TerminalRecord]:
        """Yield every revision of every certificate a terminal had, the oldest of each first."""
        for record in list(self.terminals()):
            if record.terminal_id == terminal_id:
                key = bytes.fromhex(record.fingerprint)
                yield from (
                    read(found, TerminalRecord) for found in self._view.revisions(TERMINALS, key)
                )

    def terminal_used(self, terminal_id: str) -> datetime | None:
        """Return when somebody logged in at a terminal last; None: nobody has."""
        found = self._view.document(TERMINAL_USE, terminal_id.encode())
        return None if found is None else read(found, TerminalUse).last

    def note_use(self, terminal_id: str, now: datetime) -> None:
        """Keep that somebody logs in at a terminal."""
        # Former days tell nothing: the ledger has them.
        self._writable().drop_document(TERMINAL_USE, terminal_id.encode())
        self._write(TERMINAL_USE, terminal_id.encode(), TerminalUse(last=now))

    def _must_be_new(self, fingerprint: str) -> None:
        if self.terminal(fingerprint) is not None:
            raise Conflict("this certificate is registered, or was once: issue another")

    def _unrevoked(self, terminal_id: str) -> list[TerminalRecord]:
        return [r for r in self.terminals() if r.terminal_id == terminal_id and not r.revoked]

    def _put(self, record: TerminalRecord) -> None:
        self._write(TERMINALS, bytes.fromhex(record.fingerprint), record)

    def _write(self, collection: str, key: bytes, record: msgspec.Struct) -> None:
        self._writable().put_document(collection, key, msgspec.json.encode(record))

    def _writable(self) -> Unit:
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        return self._unit


def must_be_open(
    terminal: Terminal, operation: OperationName, now: datetime, closed: Collection[date]
) -> None:
    """Refuse a request outside the hours of its terminal; to log out is no request.

    ``closed`` are the days on which the office is closed, though they are no weekend.

    Raises:
        NotPermitted: it is used at other hours only; says from when on it is used again.
    """
    if operation == ALWAYS or hours.is_open(terminal.hours, now, closed):
        return
    following = hours.opens_next(terminal.hours, now, closed)
    when = "not within a year" if following is None else f"from {following:%Y-%m-%d %H:%M}"
    raise NotPermitted(f"this terminal is not used at this hour; again {when}")


def must_serve(terminal: Terminal, operation: OperationName) -> None:
    """Refuse what a terminal is not registered for; who works there logs in and out all the same.

    Raises:
        NotPermitted: neither the operation nor its function is among those of the terminal.
    """
    function = operation.partition("/")[0]
    if not terminal.operations or operation.startswith(SESSION):
        return
    if not {operation, function} & set(terminal.operations):
        raise NotPermitted(f"this terminal is not registered for {operation}")


def must_be_of_its_office(terminal: Terminal, office: str) -> None:
    """Refuse an operator of another 所属 where a terminal is its own 所属's alone.

    Raises:
        NotPermitted: he is of another one.
    """
    if terminal.own_office_only and terminal.office != office:
        raise NotPermitted("this terminal is for operators of its own office only")


def read(found: Document, kind: type[R]) -> R:
    """Return a document of one of the rosters."""
    return msgspec.json.decode(found.body, type=kind)
