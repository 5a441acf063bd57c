"""Who is who: what the books need of the rosters, in one place.

A person (照合ID) may hold several authorities (操作者ID); the books name the person.
"""

from collections.abc import Mapping
from datetime import date

from appliance.plugin_api import Case, PersonRecord

ACKNOWLEDGED, CONTRACTOR_TRAINED = "acknowledged", "contractor-trained"
"""Papers that hold one day each: by 照合ID, the last by the number of a contractor."""


def persons(case: Case) -> Mapping[str, PersonRecord]:
    """Return everybody who may work today, by 照合ID."""
    return {
        person.person_id: person
        for person in case.roster.persons()
        if person.may_work(case.request.today)
    }


def offices(case: Case) -> tuple[str, ...]:
    """Return every 所属 whose people may work today: those with terminals, the contractor's not."""
    staff = (person for person in persons(case).values() if not person.contractor)
    return tuple(sorted({person.office for person in staff}))


def mark_trained(case: Case, person_id: str, on: date) -> None:
    """Note in the roster that somebody was trained; an earlier day changes nothing (R183)."""
    person = case.roster.person(person_id)
    if person is None or (person.trained_on is not None and on <= person.trained_on):
        return
    operator = case.actor.operator
    case.roster.change_person(
        person_id,
        trained_on=on,
        revised_at=case.request.now,
        revised_by=operator.operator_id if operator else "",
    )


def note(case: Case, what: str, key: str, on: date) -> None:
    """Note a day; one that is earlier than what is noted changes nothing."""
    noted = noted_on(case, what, key)
    if noted is None or noted < on:
        case.papers.replace(what, key, {"on": on.isoformat()})


def noted_on(case: Case, what: str, key: str) -> date | None:
    """Return the last day that was noted."""
    paper = case.papers.get(what, key)
    return None if paper is None else date.fromisoformat(paper["on"])
