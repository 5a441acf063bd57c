"""Find the person an inquiry means: in our own file first, then by asking the national server.

Nothing of the person is opened that would be answered; whoever has the number asked by is a subject
of the ledger entry, found or not.
"""

from appliance.plugin_api import Case, Hit, ItemName, TooMany, Why
from plugins.provision.match import By, Four, Key, Meant, conditions, settled


def find_out(case: Case, by: By, key: Key, claimed: Four | None, *, removed: bool) -> Meant:
    """Return what an inquiry comes to in our own file.

    Args:
        case: the request.
        by: by what the person is named, and ``key`` which of the three that is.
        key: as ``key_of`` says.
        claimed: what must hold of whoever has the number (R49).
        removed: whether the dead, and whoever was struck off otherwise, may be told of.

    Raises:
        NotPermitted: the rights do not allow to ask by this key.
        AddConditions, Malformed: the four informations cannot be searched for.
    """
    if key == "four":
        return _by_four(case, by, removed=removed)
    return _by_number(case, by, key, claimed, removed=removed)


def _by_four(case: Case, by: By, *, removed: bool) -> Meant:
    try:
        placed = case.registry.placed(conditions(by, case.request.today))
    except TooMany as many:
        return Meant("several", hits=many.count)
    return settled(placed, removed=removed)._replace(hits=len(placed))


def _by_number(case: Case, by: By, key: Key, claimed: Four | None, *, removed: bool) -> Meant:
    registry, today = case.registry, case.request.today
    number = by.resident_code or by.my_number or ""
    person = (registry.by_code if key == "resident_code" else registry.by_number)(number)
    if person is None:
        return Meant("none")
    registry.concerns(person)
    if not registry.holds(person, ItemName(key), number):
        return Meant("none", remark=": the number is a former one")
    why: Why | None = Why.CONDITIONS
    if claimed is not None:
        why = registry.fits(person, conditions(claimed, today))
    if why is None:
        return Meant("none", remark=": the four informations claimed differ")
    return settled([(Hit(person, why), registry.standing(person, today))], removed=removed)
