"""操作者名簿 and 端末管理簿: who may log in, and from where (R21, R123 to R126).

Kept as sealed documents with every revision; nobody is ever deleted, only suspended or revoked.
A roster can narrow what the policy grants, never widen it.
"""

import secrets
from collections.abc import Iterator
from datetime import date, datetime
from hashlib import blake2b
from typing import TypeVar

import msgspec

from appliance.errors import Conflict, Failed, NotFound
from appliance.model import TerminalKind
from storage.engine import Document, Unit, View

OPERATORS, TERMINALS, ENROLMENTS = "core.operators", "core.terminals", "core.enrolments"
PEOPLE = "core.people"


class PersonRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One 照合ID: what its person is called."""

    person_id: str
    name: str = ""
    """姓　名, as on the application."""
    kana: str = ""


class OperatorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One 操作者ID: whose (照合ID), where, what for, and how it may log in."""

    operator_id: str
    person_id: str
    office: str
    roles: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    expires_on: date
    enrolled: bool = False
    """Has set a PIN."""
    failures: int = 0
    suspended: str = ""
    """Why it may not log in; empty while it may."""
    last_login: datetime | None = None
    last_terminal: str = ""

    def may_work(self, today: date) -> bool:
        """Return whether he is neither suspended nor past his last day."""
        return not self.suspended and today <= self.expires_on


class PinnedOperator(OperatorRecord, frozen=True, kw_only=True):
    """An operator as kept: with what his PIN is compared with. For logging in alone."""

    pin_hash: str = ""


class TerminalRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One registered certificate."""

    fingerprint: str
    terminal_id: str
    kind: TerminalKind
    place: str = ""
    municipality_code: str | None = None
    revoked: str = ""


class EnrolmentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A one-use right to set the 操作者照合暗証番号 of one operator."""

    operator_id: str
    until: datetime


def enrolment_key(code: str) -> bytes:
    """Return under what an enrolment code is kept; the code itself is not kept."""
    return blake2b(code.encode(), digest_size=16, person=b"jk1.enrol").digest()


class Roster:
    """The roster in one view or unit of work."""

    def __init__(self, view: View, unit: Unit | None) -> None:
        self._view = view
        self._unit = unit

    def persons(self) -> Iterator[PersonRecord]:
        """Yield every person, in the order of 照合ID."""
        for found in self._view.documents(PEOPLE):
            yield _read(found, PersonRecord)

    def change_person(self, person_id: str, **changes: object) -> PersonRecord:
        """Write some fields of a person; return him as he is now."""
        found = self._view.document(PEOPLE, person_id.encode())
        record = PersonRecord(person_id=person_id) if found is None else _read(found, PersonRecord)
        changed = msgspec.structs.replace(record, **changes)
        self._write(PEOPLE, person_id.encode(), changed)
        return changed

    def operator(self, operator_id: str) -> OperatorRecord | None:
        """Return the operator as last written, or None."""
        found = self._view.document(OPERATORS, operator_id.encode())
        return None if found is None else _read(found, OperatorRecord)

    def operators(self) -> Iterator[OperatorRecord]:
        """Yield every operator, in the order of 操作者ID."""
        for found in self._view.documents(OPERATORS):
            yield _read(found, OperatorRecord)

    def put_operator(self, record: OperatorRecord) -> None:
        """Write an operator whole, without a PIN unless one is in it; the former revision stays."""
        self._write(OPERATORS, record.operator_id.encode(), record)

    def change_operator(self, operator_id: str, **changes: object) -> None:
        """Write some fields of an operator.

        Raises:
            NotFound: there is no such operator.
        """
        record = pinned(self, operator_id)
        if record is None:
            raise NotFound("there is no such operator")
        self.put_operator(msgspec.structs.replace(record, **changes))

    def forget_pin(self, operator_id: str) -> None:
        """Let an operator log in no more until he has set another PIN.

        Raises:
            NotFound: there is no such operator.
        """
        self.change_operator(operator_id, pin_hash="", enrolled=False, failures=0)

    def terminal(self, fingerprint: str) -> TerminalRecord | None:
        """Return the terminal of a certificate, or None."""
        found = self._view.document(TERMINALS, bytes.fromhex(fingerprint))
        return None if found is None else _read(found, TerminalRecord)

    def terminals(self) -> Iterator[TerminalRecord]:
        """Yield every terminal."""
        for found in self._view.documents(TERMINALS):
            yield _read(found, TerminalRecord)

    def enrol_terminal(self, record: TerminalRecord) -> None:
        """Register a certificate.

        Raises:
            Conflict: the certificate or the 操作端末ID is registered and not revoked.
        """
        for other in self.terminals():
            if record.fingerprint == other.fingerprint:
                raise Conflict("this certificate is registered, or was once: issue another")
            if record.terminal_id == other.terminal_id and not other.revoked:
                raise Conflict("this terminal_id is registered: revoke it first, or choose another")
        self._write(TERMINALS, bytes.fromhex(record.fingerprint), record)

    def revoke_terminal(self, terminal_id: str, why: str) -> TerminalRecord:
        """Refuse this terminal from the next request on.

        Raises:
            NotFound: no live terminal has this ID.
        """
        for record in self.terminals():
            if record.terminal_id == terminal_id and not record.revoked:
                revoked = msgspec.structs.replace(record, revoked=why)
                self._write(TERMINALS, bytes.fromhex(record.fingerprint), revoked)
                return revoked
        raise NotFound("no live terminal has this terminal_id")

    def issue_enrolment(self, operator_id: str, until: datetime) -> str:
        """Return a one-use code with which the operator sets a PIN; earlier ones are void."""
        self.void_enrolments(operator_id)
        code = "-".join(secrets.token_hex(2) for _ in range(4))
        self._write(
            ENROLMENTS, enrolment_key(code), EnrolmentRecord(operator_id=operator_id, until=until)
        )
        return code

    def enrolment(self, code: str) -> EnrolmentRecord | None:
        """Return what an enrolment code allows, or None."""
        found = self._view.document(ENROLMENTS, enrolment_key(code))
        return None if found is None else _read(found, EnrolmentRecord)

    def use_enrolment(self, code: str) -> None:
        """Take the code out of use."""
        self._writable().drop_document(ENROLMENTS, enrolment_key(code))

    def void_enrolments(self, operator_id: str) -> None:
        """Take every code of an operator out of use."""
        unit = self._writable()
        for found in list(self._view.documents(ENROLMENTS)):
            if _read(found, EnrolmentRecord).operator_id == operator_id:
                unit.drop_document(ENROLMENTS, found.key)

    def _write(self, collection: str, key: bytes, record: msgspec.Struct) -> None:
        self._writable().put_document(collection, key, msgspec.json.encode(record))

    def _writable(self) -> Unit:
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        return self._unit


def pinned(roster: Roster, operator_id: str) -> PinnedOperator | None:
    """Return the operator with what his PIN is compared with; no plugin gets at this."""
    found = roster._view.document(OPERATORS, operator_id.encode())
    return None if found is None else _read(found, PinnedOperator)


R = TypeVar("R")


def _read(found: Document, kind: type[R]) -> R:
    return msgspec.json.decode(found.body, type=kind)
