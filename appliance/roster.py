"""操作者名簿: who may log in (R123 to R126); with 端末管理簿 (``terminals.py``) one roster.

Kept as sealed documents with every revision; nobody is ever deleted, only suspended or revoked.
A roster can narrow what the policy grants, never widen it.
"""

import secrets
from collections.abc import Iterator
from datetime import date, datetime
from hashlib import blake2b

import msgspec

from appliance.errors import NotFound
from appliance.terminals import TerminalBook, read

OPERATORS, ENROLMENTS = "core.operators", "core.enrolments"


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


class EnrolmentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A one-use right to set the 操作者照合暗証番号 of one operator."""

    operator_id: str
    until: datetime


def enrolment_key(code: str) -> bytes:
    """Return under what an enrolment code is kept; the code itself is not kept."""
    return blake2b(code.encode(), digest_size=16, person=b"jk1.enrol").digest()


class Roster(TerminalBook):
    """Both rosters in one view or unit of work; terminals are in ``terminals.py``."""

    def operator(self, operator_id: str) -> OperatorRecord | None:
        """Return the operator as last written, or None."""
        found = self._view.document(OPERATORS, operator_id.encode())
        return None if found is None else read(found, OperatorRecord)

    def operators(self) -> Iterator[OperatorRecord]:
        """Yield every operator, in the order of 操作者ID."""
        for found in self._view.documents(OPERATORS):
            yield read(found, OperatorRecord)

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
        return None if found is None else read(found, EnrolmentRecord)

    def use_enrolment(self, code: str) -> None:
        """Take the code out of use."""
        self._writable().drop_document(ENROLMENTS, enrolment_key(code))

    def void_enrolments(self, operator_id: str) -> None:
        """Take every code of an operator out of use."""
        unit = self._writable()
        for found in list(self._view.documents(ENROLMENTS)):
            if read(found, EnrolmentRecord).operator_id == operator_id:
                unit.drop_document(ENROLMENTS, found.key)


def pinned(roster: Roster, operator_id: str) -> PinnedOperator | None:
    """Return the operator with what his PIN is compared with; no plugin gets at this."""
    found = roster._view.document(OPERATORS, operator_id.encode())
    return None if found is None else read(found, PinnedOperator)
