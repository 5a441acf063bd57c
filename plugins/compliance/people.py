"""Who is who: what the books need of the rosters, in one place.

Whom an operator record names (照合ID) is a person of the roster; a person may hold several.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appliance.plugin_api import Case

CONTRACTOR = "contractor"
"""The role of the 委託先."""
TRAINED, ACKNOWLEDGED, CONTRACTOR_TRAINED = "trained", "acknowledged", "contractor-trained"
"""Papers that hold one day each: by 照合ID, the last by the number of a contractor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may work."""

    person_id: str
    office: str
    is_contractor: bool


def persons(case: Case) -> Mapping[str, Person]:
    """Return everybody who may work today, by 照合ID."""
    found: dict[str, Person] = {}
    for record in case.roster.operators():
        if record.may_work(case.request.today):
            before = found.get(record.person_id)
            hired = CONTRACTOR in record.roles or (before is not None and before.is_contractor)
            found[record.person_id] = Person(
                person_id=record.person_id, office=record.office, is_contractor=hired
            )
    return found


def offices(case: Case) -> tuple[str, ...]:
    """Return every 所属 whose people may work today: those with terminals, the contractor's not."""
    staff = (person for person in persons(case).values() if not person.is_contractor)
    return tuple(sorted({person.office for person in staff}))


def mark_trained(case: Case, person_id: str, on: date) -> None:
    """Note that somebody was trained on a day."""
    note(case, TRAINED, person_id, on)


def note(case: Case, what: str, key: str, on: date) -> None:
    """Note a day; one that is earlier than what is noted changes nothing."""
    noted = noted_on(case, what, key)
    if noted is None or noted < on:
        case.papers.replace(what, key, {"on": on.isoformat()})


def noted_on(case: Case, what: str, key: str) -> date | None:
    """Return the last day that was noted."""
    paper = case.papers.get(what, key)
    return None if paper is None else date.fromisoformat(paper["on"])
