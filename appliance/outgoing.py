"""The outbox as the courier sees it: what must be told, in order, and what has been heard."""

from dataclasses import dataclass

from appliance.errors import Failed
from appliance.items import ItemName, Values
from appliance.registry import Registry
from storage.engine import Unit, View


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One outgoing message: its number in the gapless feed, and the items it tells."""

    number: int
    kind: str
    values: Values


class Outgoing:
    """Messages to one destination after another, read within the grant of the request."""

    def __init__(self, view: View, unit: Unit | None, registry: Registry) -> None:
        self._view = view
        self._unit = unit
        self._registry = registry

    def after(
        self, destination: str, number: int, limit: int, items: tuple[ItemName, ...]
    ) -> list[Dispatch]:
        """Return the messages numbered above ``number``, oldest first, with these items."""
        return [
            Dispatch(
                parcel.number,
                parcel.kind,
                self._registry.read(
                    parcel.version.person, items, version=parcel.version.number
                ).values,
            )
            for parcel in self._view.parcels(destination, number, limit)
        ]

    def acknowledged(self, destination: str) -> int:
        """Return the number up to which the destination has said it has everything."""
        return self._view.acknowledged(destination)

    def acknowledge(self, destination: str, through: int) -> None:
        """Remember that the destination has everything up to this number."""
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        self._unit.acknowledge(destination, through)
