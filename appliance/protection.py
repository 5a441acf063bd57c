"""要注意 (DV等支援措置): people whom nobody opens alone (domestic violence, stalking, child abuse).

A mark stands beside the record, for a person and until a day. While it holds, a request of staff
opens nothing of him, compares nothing with him and confirms no place; what is answered instead is
the same whatever his record says. Two persons lift that together for one session and ten minutes.
Machines go on: municipalities tell changes, the national server is told, files are compared.

The registry asks ``Guard`` before anything of a person leaves it, so no plugin can forget to.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import msgspec

from appliance.errors import Failed, Protected
from appliance.model import JST
from appliance.traces import Touched
from storage.engine import PersonId, Unit, View

MARKS, OPENINGS = "core.protected", "core.openings"
OPEN_FOR = timedelta(minutes=10)


class ProtectionMark(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody is protected: by which number of the book, and up to which day."""

    number: int
    until: date


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """That one session may open him: by which request, who agreed (照合ID), and until when."""

    number: int
    second: str
    until: datetime


class Protections:
    """Marks and openings in one view or unit of work; for the operations that keep them."""

    def __init__(self, view: View, unit: Unit | None) -> None:
        self._view = view
        self._unit = unit

    def mark_of(self, person: PersonId) -> ProtectionMark | None:
        """Return the mark of a person, over or not, or None."""
        found = self._view.document(MARKS, _key(person))
        return None if found is None else msgspec.json.decode(found.body, type=ProtectionMark)

    def has_any(self) -> bool:
        """Return whether anybody is marked, or was and is over; nothing is opened."""
        return self._view.has_documents(MARKS)

    def is_protected(self, person: PersonId, today: date) -> bool:
        """Return whether a mark holds on a day."""
        mark = self.mark_of(person)
        return mark is not None and today <= mark.until

    def protect(self, person: PersonId, mark: ProtectionMark) -> None:
        """Mark a person, or mark him until another day."""
        self._writable().put_document(MARKS, _key(person), msgspec.json.encode(mark))

    def lift(self, person: PersonId) -> None:
        """Take the mark off; the book of the plugin keeps that there was one."""
        self._writable().drop_document(MARKS, _key(person))

    def opening(self, person: PersonId, session: str, now: datetime) -> Opening | None:
        """Return by what a session may open a person at this moment, or None."""
        found = self._view.document(OPENINGS, _key(person, session)) if session else None
        if found is None:
            return None
        opening = msgspec.json.decode(found.body, type=Opening)
        return opening if now < opening.until else None

    def open(self, person: PersonId, session: str, opening: Opening, now: datetime) -> None:
        """Let a session open a person; openings that are over go."""
        unit = self._writable()
        for found in list(self._view.documents(OPENINGS)):
            if msgspec.json.decode(found.body, type=Opening).until <= now:
                unit.drop_document(OPENINGS, found.key)
        unit.drop_document(OPENINGS, _key(person, session))
        unit.put_document(OPENINGS, _key(person, session), msgspec.json.encode(opening))

    def _writable(self) -> Unit:
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        return self._unit


@dataclass(slots=True)
class Guard:
    """Whether one request may open somebody who is protected."""

    protections: Protections
    now: datetime
    session: str
    """Whose openings count; without one, none does."""
    watches: bool
    """Whether staff asks, or a job for somebody of the staff; machines are let through."""
    _hidden: dict[PersonId, bool] = field(default_factory=dict)
    """Whom this request met: one is asked about several times on his way out."""
    _idle: bool | None = None
    """Whether nobody at all is marked; not looked up yet."""

    def hides(self, person: PersonId, touched: Touched) -> bool:
        """Return whether nothing of this person may be opened here; note an opening if there is."""
        if not self.watches or self._idle:
            return False
        if person not in self._hidden:
            self._hidden[person] = self._is_hidden(person, touched)
        return self._hidden[person]

    def admit(self, person: PersonId, touched: Touched) -> None:
        """Refuse to go on with somebody who may not be opened here.

        Raises:
            Protected: two persons must open him together.
        """
        if self.hides(person, touched):
            raise Protected("a protected person: two persons open this together")

    def watch(self) -> None:
        """Let nobody through from now on: the request goes on for somebody who is not there."""
        self.watches, self.session = True, ""
        self._hidden.clear()

    @property
    def hides_nobody(self) -> bool:
        """Whether there is nobody to hide: a machine asks, or nobody at all is marked."""
        if self.watches and self._idle is None:
            self._idle = not self.protections.has_any()
        return not self.watches or bool(self._idle)

    def _is_hidden(self, person: PersonId, touched: Touched) -> bool:
        if not self.protections.is_protected(person, self._today):
            return False
        opening = self.protections.opening(person, self.session, self.now)
        if opening is None:
            return True
        touched.openings[opening.number] = opening.second
        return False

    @property
    def _today(self) -> date:
        return self.now.astimezone(JST).date()


def _key(person: PersonId, session: str = "") -> bytes:
    return person.to_bytes(8, "big") + bytes.fromhex(session)
