"""操作者名簿, 照合情報認証管理簿, 端末管理簿: who may log in, and from where (R21, R122 to R126).

Kept as sealed documents with every revision; nobody is ever deleted, only suspended or revoked.
A roster can narrow what the policy grants, never widen it. What stands in it of people:
``staff.py``.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b

import msgspec

from appliance.errors import NotFound
from appliance.proofs import ProofBook
from appliance.staff import Enrolment, LoginState, Method, OperatorRecord, PersonRecord
from appliance.terminals import TerminalBook, read

PEOPLE, OPERATORS = "core.people", "core.operators"
ENROLMENTS = "core.enrolments"


def enrolment_key(code: str) -> bytes:
    """Return under what an enrolment code is kept; the code itself is not kept."""
    return blake2b(code.encode(), digest_size=16, person=b"jk1.enrol").digest()


class Roster(TerminalBook):
    """Both rosters in one view or unit of work; terminals are in ``terminals.py``."""

    def person(self, person_id: str) -> PersonRecord | None:
        """Return the person as last written, or None."""
        found = self._view.document(PEOPLE, person_id.encode())
        return None if found is None else read(found, PersonRecord)

    def persons(self) -> Iterator[PersonRecord]:
        """Yield every person, in the order of 照合ID."""
        for found in self._view.documents(PEOPLE):
            yield read(found, PersonRecord)

    def person_history(self, person_id: str) -> Iterator[PersonRecord]:
        """Yield every revision of a person, the oldest first."""
        for found in self._view.revisions(PEOPLE, person_id.encode()):
            yield read(found, PersonRecord)

    def put_person(self, record: PersonRecord) -> None:
        """Write a person whole; the former revision stays."""
        self._write(PEOPLE, record.person_id.encode(), record)

    def change_person(self, person_id: str, **changes: object) -> PersonRecord:
        """Write some fields of a person; return him as he is now.

        Raises:
            NotFound: there is no such person.
        """
        record = self.person(person_id)
        if record is None:
            raise NotFound("there is no such person")
        changed = msgspec.structs.replace(record, **changes)
        self.put_person(changed)
        return changed

    def operator(self, operator_id: str) -> OperatorRecord | None:
        """Return the authority as last written, or None."""
        found = self._view.document(OPERATORS, operator_id.encode())
        return None if found is None else read(found, OperatorRecord)

    def operators(self) -> Iterator[OperatorRecord]:
        """Yield every authority, in the order of 操作者ID."""
        for found in self._view.documents(OPERATORS):
            yield read(found, OperatorRecord)

    def operator_history(self, operator_id: str) -> Iterator[OperatorRecord]:
        """Yield every revision of an authority, the oldest first."""
        for found in self._view.revisions(OPERATORS, operator_id.encode()):
            yield read(found, OperatorRecord)

    def held_by(self, person_id: str) -> Iterator[OperatorRecord]:
        """Yield every authority that a person holds, suspended ones too."""
        return (each for each in self.operators() if person_id in each.holders)

    def put_operator(self, record: OperatorRecord) -> None:
        """Write an authority whole; the former revision stays."""
        self._write(OPERATORS, record.operator_id.encode(), record)

    def change_operator(self, operator_id: str, **changes: object) -> OperatorRecord:
        """Write some fields of an authority; return it as it is now.

        Raises:
            NotFound: there is no such authority.
        """
        record = self.operator(operator_id)
        if record is None:
            raise NotFound("there is no such operator")
        changed = msgspec.structs.replace(record, **changes)
        self.put_operator(changed)
        return changed

    def login_state(self, person_id: str) -> LoginState:
        """Return how a person has logged in so far."""
        return ProofBook(self._view, None).of(person_id).state

    def forget_pin(self, person_id: str) -> None:
        """Let a person log in by no PIN until another is set."""
        ProofBook(self._view, self._writable()).change(person_id, pin_hash="")

    def unlock(self, person_id: str) -> None:
        """Forget how many proofs in a row were wrong."""
        ProofBook(self._view, self._writable()).change(person_id, failures=0)

    def issue_enrolment(self, person_id: str, until: datetime, *methods: Method) -> str:
        """Return a one-use code to prove oneself by from then on; earlier ones are void."""
        self.void_enrolments(person_id)
        code = "-".join(secrets.token_hex(2) for _ in range(4))
        enrolment = Enrolment(person_id=person_id, until=until, methods=methods)
        self._write(ENROLMENTS, enrolment_key(code), enrolment)
        return code

    def enrolment(self, code: str) -> Enrolment | None:
        """Return what an enrolment code allows, or None."""
        found = self._view.document(ENROLMENTS, enrolment_key(code))
        return None if found is None else read(found, Enrolment)

    def use_enrolment(self, code: str) -> None:
        """Take the code out of use."""
        self._writable().drop_document(ENROLMENTS, enrolment_key(code))

    def void_enrolments(self, person_id: str) -> None:
        """Take every code of a person out of use."""
        unit = self._writable()
        for found in list(self._view.documents(ENROLMENTS)):
            if read(found, Enrolment).person_id == person_id:
                unit.drop_document(ENROLMENTS, found.key)


def proofs_in(roster: Roster) -> ProofBook:
    """Return what people prove themselves by, where the roster is read; no plugin gets at this."""
    return ProofBook(roster._view, roster._unit)
