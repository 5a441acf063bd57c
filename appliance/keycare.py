"""The retention keys, as far as an operation may see to them: which years, and the yearly sweep."""

from appliance.errors import Failed
from storage.engine import Rewrapped, Unit, VersionId, View


class Keys:
    """What there is to do about retention keys; no key and no resident is seen by it."""

    def __init__(self, view: View, unit: Unit | None) -> None:
        self._view = view
        self._unit = unit

    @property
    def years(self) -> tuple[int, ...]:
        """The years of the keys of current versions, oldest first; the last one is in use."""
        return self._view.key_years()

    def rewrap(self, after: VersionId | None, limit: int) -> Rewrapped:
        """Bring up to ``limit`` versions behind ``after`` under the key in use."""
        if self._unit is None:
            raise Failed("the operation was declared as one that changes nothing")
        return self._unit.rewrap(after, limit)
