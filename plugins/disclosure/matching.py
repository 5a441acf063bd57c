"""突合: is the person of a request in the file, and does all that was written hold (R65, R67).

=============================  ==============================================================
what was written               comes to
=============================  ==============================================================
all of it fits one person      matched; variants of a character are equal, the address may be
                               written without its end (a building),
                               not without its number
it fits several                several: the 住民票コード is needed
all but one information fits   mismatch, and which information differs; absent, once the
                               requester confirmed what is written (a namesake is not he)
no one fits                    absent
=============================  ==============================================================

Struck-off residents count: their 本人確認情報 is in the file as well. Nothing of anybody is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from appliance.plugin_api import (
    AddConditions,
    Case,
    Conditions,
    Hit,
    ItemName,
    PersonId,
    TooMany,
    names_a_house,
)
from plugins.disclosure.book import Subject

Outcome = Literal["matched", "mismatch", "several", "absent"]
RESIDENT_CODE = ItemName("resident_code")
FOUR = ("name", "birth_date", "sex", "address")


@dataclass(frozen=True, slots=True)
class Matching:
    """What a 突合 comes to."""

    outcome: Outcome
    person: PersonId | None = None
    """Only where all of it fits."""
    differing: tuple[str, ...] = ()


def matched(case: Case, subject: Subject, *, confirmed: bool = False) -> Matching:
    """Return what the information received from the requester comes to.

    Raises:
        NotPermitted: not by these keys, or not struck-off residents.
        Protected: it may be somebody whom two persons open together.
    """
    told = {item: getattr(subject, item) for item in FOUR}
    code = subject.resident_code
    if code is not None and (person := _holder(case, code)) is not None:
        case.registry.concerns(person)
        differing = tuple(item for item in FOUR if not _holds(case, person, item, told))
        return Matching("mismatch", None, differing) if differing else Matching("matched", person)
    fitting = _fitting(case, told)
    if fitting is None or len(fitting) > 1:
        return Matching("several")
    if not fitting:
        # Of somebody who lives somewhere in a town it cannot be said that he is not in the file.
        sure = confirmed and names_a_house(subject.address)
        return Matching("absent") if sure else _nearly(case, told)
    if code is not None:
        return Matching("mismatch", None, (RESIDENT_CODE,))
    return Matching("matched", fitting[0].person)


def _holder(case: Case, code: str) -> PersonId | None:
    person = case.registry.by_code(code)
    if person is None or not case.registry.holds(person, RESIDENT_CODE, code):
        return None
    return person


def _holds(case: Case, person: PersonId, item: str, told: Mapping[str, str]) -> bool:
    if item == "address" and not names_a_house(told[item]):
        return False
    return case.registry.fits(person, _conditions(case, {item: told[item]})) is not None


def _nearly(case: Case, told: Mapping[str, str]) -> Matching:
    """Leave one information out after the other: a slip of the pen must not read as absence."""
    for left_out in reversed(FOUR):
        fitting = _fitting(case, {item: told[item] for item in FOUR if item != left_out})
        if fitting is None or fitting:
            return Matching("mismatch", None, (left_out,))
    return Matching("absent")


def _fitting(case: Case, told: Mapping[str, str]) -> Sequence[Hit] | None:
    """Return who fits, struck-off residents too; None where they are too many to be listed.

    Nobody's address is confirmed by one that does not go as far as a number.
    """
    if "address" in told and not names_a_house(told["address"]):
        return []
    try:
        hits = case.registry.find(_conditions(case, told))
    except (AddConditions, TooMany):
        return None
    # Where a protected person lives is not compared: a namesake who fits wholly is meant first.
    open_here = [hit for hit in hits if not hit.guarded]
    for hit in open_here or hits:
        case.registry.concerns(hit.person)
    return open_here


def _conditions(case: Case, told: Mapping[str, str]) -> Conditions:
    return Conditions(
        name=told.get("name"),
        birth_date=told.get("birth_date"),
        sex=told.get("sex"),
        address=told.get("address"),
        include_removed=True,
        today=case.request.today,
    )
