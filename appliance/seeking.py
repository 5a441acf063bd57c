"""Who fits four informations: candidates of the index, opened and judged one by one.

Protected persons (要注意) are judged apart: by nothing that says where they are. What becomes of it
is a hit that says only that there is somebody.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.errors import AddConditions
from appliance.finding import Conditions, Hit, Why, apart_from_place, judge, plan
from appliance.index import Index
from appliance.items import Values
from appliance.protection import Guard
from appliance.traces import Touched
from appliance.values.identifiers import Municipalities
from storage.engine import PersonId, View

CANDIDATES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeker:
    """Seeks in one view, for one request."""

    view: View
    index: Index
    municipalities: Municipalities
    guard: Guard
    touched: Touched
    looked_at: Callable[[PersonId], Values]
    """Opens items of the latest version of a person, each when it is looked at."""

    def found(self, sought: Conditions) -> list[Hit]:
        """Return everybody who fits all conditions, in no order; ``guarded`` ones are subjects.

        Raises:
            Malformed: a condition is not of its form.
            AddConditions: too wide to be searched for.
        """
        around = self._around(sought.municipality_code)
        tokens, also = plan(sought, self.index, around)
        people = self.view.candidates(tokens, CANDIDATES, also)
        self.touched.candidates += len(people)
        if len(people) > CANDIDATES:
            raise AddConditions(f"more than {CANDIDATES} candidates; add a condition")
        apart = None if self.guard.hides_nobody else apart_from_place(sought, self.index)
        judged = (self._judged(person, sought, around, apart) for person in people)
        return [hit for hit in judged if hit is not None]

    def fits(self, person: PersonId, sought: Conditions) -> Why | None:
        """Return how well all conditions hold of one person, or None if one does not."""
        around = self._around(sought.municipality_code)
        return judge(sought, around, self.looked_at(person))

    def _judged(
        self,
        person: PersonId,
        sought: Conditions,
        around: frozenset[str],
        apart: Conditions | None,
    ) -> Hit | None:
        values = self.looked_at(person)
        why = judge(sought, around, values)
        # What fits all conditions fits fewer of them too.
        perhaps = apart is not None and (why is not None or judge(apart, (), values) is not None)
        # Who fits in neither way is nobody's hit; only of the others the mark is looked up.
        if (why is not None or perhaps) and self.guard.hides(person, self.touched):
            if not perhaps:
                return None
            self.touched.subjects[person] = None
            return Hit(person, Why.CONDITIONS, guarded=True)
        return None if why is None else Hit(person, why)

    def _around(self, municipality_code: str | None) -> frozenset[str]:
        covered = self.municipalities.covered_by
        return frozenset(() if municipality_code is None else covered(municipality_code))
