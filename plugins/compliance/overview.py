"""Who is missing: offices that nobody audits, people and contractors that nobody trains."""

from collections.abc import Mapping
from datetime import date, timedelta

from appliance.plugin_api import Answer, Case, Nothing, Operation, OperationName, PersonRecord
from plugins.compliance import people
from plugins.compliance.book import OVERSEERS
from plugins.compliance.clocks import fiscal_year
from plugins.compliance.entries import myself
from plugins.compliance.shelf import BOOKS

HORIZON = 3
"""Fiscal years, this one included, in which every office is audited (R178)."""
TRAINED_WITHIN = timedelta(days=365)


class Covered(Answer, frozen=True, kw_only=True):
    """An office: when it was audited last, and for which 年度 an audit of it is planned."""

    office: str
    audited_on: date | None
    planned_for: int | None
    covered: bool
    """Audited in this 年度 or the two before."""


class Coverage(Answer, frozen=True, kw_only=True):
    """Every office that uses the system, from the 年度 ``since`` on."""

    since: int
    offices: tuple[Covered, ...]
    missing: tuple[str, ...]
    """Offices that are neither covered nor in a plan."""


class Lacking(Answer, frozen=True, kw_only=True):
    """Somebody who was not trained within a year, or has not acknowledged in this 年度."""

    person: str
    office: str
    trained_on: date | None
    acknowledged_on: date | None
    training: bool
    acknowledgement: bool


class Idle(Answer, frozen=True, kw_only=True):
    """A contractor whose staff was not trained within a year."""

    contractor: int
    trained_on: date | None


class LackingList(Answer, frozen=True, kw_only=True):
    """Who lacks what, of how many who may work: of every office, or of the caller's."""

    persons: int
    lacking: tuple[Lacking, ...]
    contractors: tuple[Idle, ...]


def coverage(case: Case, _: Nothing) -> Coverage:
    """Hold the audits of three years against the offices of the roster."""
    since = fiscal_year(case.request.today) - HORIZON + 1
    held, planned = _audits(case)
    offices = tuple(
        Covered(
            office=office,
            audited_on=held.get(office),
            planned_for=planned.get(office),
            covered=office in held and fiscal_year(held[office]) >= since,
        )
        for office in people.offices(case)
    )
    missing = tuple(
        each.office for each in offices if not each.covered and each.planned_for is None
    )
    case.note.result = f"{len(missing)} of {len(offices)} offices neither covered nor planned"
    return Coverage(since=since, offices=offices, missing=missing)


def lacking(case: Case, _: Nothing) -> LackingList:
    """Hold training and acknowledgements against the roster and the contractors."""
    mine = None if case.actor.roles & OVERSEERS else myself(case).office
    staff = [
        each
        for each in people.persons(case).values()
        if not each.contractor and mine in (None, each.office)
    ]
    found = [_lacking(case, person) for person in staff]
    idle = [
        Idle(contractor=number, trained_on=trained)
        for number, entry in BOOKS["contractor"].register(case.papers).every()
        for trained in [people.noted_on(case, people.CONTRACTOR_TRAINED, str(number))]
        if not entry["ended"] and not _within_a_year(trained, case.request.today)
    ]
    return LackingList(
        persons=len(staff),
        lacking=tuple(each for each in found if each.training or each.acknowledgement),
        contractors=tuple(idle),
    )


def _audits(case: Case) -> tuple[Mapping[str, date], Mapping[str, int]]:
    """Return when each office was audited last, and for which 年度 it is planned next."""
    held: dict[str, date] = {}
    planned: dict[str, int] = {}
    for _, entry in BOOKS["audit"].register(case.papers).every():
        office, fields = entry["office"], entry["fields"]
        if "held_on" in fields:
            on = date.fromisoformat(fields["held_on"])
            held[office] = max(on, held.get(office, on))
        elif not entry["ended"]:
            planned[office] = min(fields["fiscal_year"], planned.get(office, 9999))
    return held, planned


def _lacking(case: Case, person: PersonRecord) -> Lacking:
    trained = person.trained_on
    acknowledged = people.noted_on(case, people.ACKNOWLEDGED, person.person_id)
    today = case.request.today
    this_year = acknowledged is not None and fiscal_year(acknowledged) == fiscal_year(today)
    return Lacking(
        person=person.person_id,
        office=person.office,
        trained_on=trained,
        acknowledged_on=acknowledged,
        training=not _within_a_year(trained, today),
        acknowledgement=not this_year,
    )


def _within_a_year(on: date | None, today: date) -> bool:
    return on is not None and on + TRAINED_WITHIN >= today


COVERAGE = Operation(
    name=OperationName("compliance/coverage"),
    summary="Say which offices were audited within three years, and which not.",
    asks=Nothing,
    answers=Coverage,
    handler=coverage,
    purposed=False,
    uses=frozenset({"roster"}),
)
LACKING = Operation(
    name=OperationName("compliance/lacking"),
    summary="List who was not trained within a year, or has not acknowledged this year.",
    asks=Nothing,
    answers=LackingList,
    handler=lacking,
    purposed=False,
    uses=frozenset({"roster"}),
)
OPERATIONS = (COVERAGE, LACKING)
