"""The outbox as the courier sees it: what must be told, in order, and what has been heard."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import cbor2

from appliance.errors import Conflict, Failed
from appliance.items import BY_NAME, ItemName, Values, open_form
from appliance.registry import Registry, encoded
from appliance.values.identifiers import Municipalities
from storage.engine import Parcel, PersonId, Unit, VersionId, View

MUNICIPALITY = BY_NAME[ItemName("municipality_code")]


def inbox_of(municipality_code: str, municipalities: Municipalities) -> str:
    """Return the destination that the CS of a municipality, or of a ward's city, reads."""
    return f"cs/{municipalities.office_of(municipality_code)}"


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One outgoing message: its number in the gapless feed, and the items it tells."""

    number: int
    kind: str
    values: Values
    withheld: tuple[ItemName, ...] = ()
    note: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far a destination is: the last number, the one heard, when the oldest unheard was noted.

    ``since`` is what ``at`` says in the note of the oldest; None without one.
    """

    last: int
    acknowledged: int
    since: datetime | None

    @property
    def depth(self) -> int:
        """How many messages wait."""
        return self.last - self.acknowledged

    def age(self, now: datetime) -> int | None:
        """Return for how many seconds the oldest has waited."""
        return None if self.since is None else max(0, int((now - self.since).total_seconds()))


def backlog(view: View, destination: str) -> Backlog:
    """Return how far a destination is; opens no item of anybody."""
    acknowledged = view.acknowledged(destination)
    oldest = view.parcels(destination, acknowledged, 1)
    noted = _decoded(oldest[0].note) if oldest else {}
    since = datetime.fromisoformat(noted["at"]) if "at" in noted else None
    return Backlog(_last_number(view, destination), acknowledged, since)


class Outgoing:
    """Messages to one destination after another, read within the grant of the request."""

    def __init__(self, view: View, unit: Unit | None, registry: Registry) -> None:
        self._view = view
        self._unit = unit
        self._registry = registry

    def send(self, destination: str, kind: str, person: PersonId, note: Mapping[str, str]) -> int:
        """Put a message about a person into the outbox; return its number in that feed.

        Raises:
            NotFound: there is no such person.
        """
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        self._registry.concerns(person)
        version = VersionId(person, self._registry.latest(person))
        return self._unit.send(destination, kind, version, encoded(note))

    def home(self, person: PersonId) -> str:
        """Return the code of the municipality whose server answers for a person, nothing else.

        Raises:
            NotFound: there is no such person.
        """
        record = self._view.read(person, {MUNICIPALITY.number}, self._registry.latest(person))
        code = open_form(record.fields)[MUNICIPALITY.name]
        return self._registry.municipalities.office_of(str(code))

    def after(
        self, destination: str, number: int, limit: int, items: tuple[ItemName, ...]
    ) -> list[Dispatch]:
        """Return the messages numbered above ``number``, oldest first, with these items."""
        parcels = self._view.parcels(destination, number, limit)
        return [self._dispatch(parcel, items) for parcel in parcels]

    def last(self, destination: str) -> int:
        """Return the number of the newest message, 0 if there is none."""
        return _last_number(self._view, destination)

    def backlog(self, destination: str) -> Backlog:
        """Return how many messages wait, and since when; opens no item of anybody."""
        return backlog(self._view, destination)

    def about(self, destination: str, after: int, through: int) -> Mapping[int, VersionId]:
        """Return of whom the messages in a range of numbers tell; opens no item of anybody."""
        parcels = self._view.parcels(destination, after, max(0, through - after))
        return {parcel.number: parcel.version for parcel in parcels}

    def acknowledged(self, destination: str) -> int:
        """Return the number up to which the destination has said it has everything."""
        return self._view.acknowledged(destination)

    def acknowledge(self, destination: str, through: int) -> None:
        """Remember that the destination has everything up to this number.

        Raises:
            Conflict: there is no such message yet.
        """
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        ahead = through > self.acknowledged(destination)
        if ahead and not _has(self._view, destination, through):
            raise Conflict("what has not been sent cannot be acknowledged")
        self._unit.acknowledge(destination, through)

    def _dispatch(self, parcel: Parcel, items: tuple[ItemName, ...]) -> Dispatch:
        told = self._registry.read(parcel.version.person, items, version=parcel.version.number)
        note = _decoded(parcel.note)
        return Dispatch(parcel.number, parcel.kind, told.values, told.withheld, note)


def _last_number(view: View, destination: str) -> int:
    """Return the number of the newest message to a destination, 0 if there is none."""
    # Numbers have no gaps: doubling steps find one past the end, halving ones the end.
    last, step = view.acknowledged(destination), 1
    while _has(view, destination, last + step):
        last, step = last + step, step * 2
    while step := step // 2:
        if _has(view, destination, last + step):
            last += step
    return last


def _has(view: View, destination: str, number: int) -> bool:
    return bool(view.parcels(destination, number - 1, 1))


def _decoded(note: bytes) -> Mapping[str, str]:
    noted: Mapping[str, str] = cbor2.loads(note) if note else {}
    return noted
