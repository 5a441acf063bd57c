"""提供・移転: answer another office about one person, within its 事務 (R41, R42, R48 to R54).

``provision/inquire`` answers the items asked for; ``provision/verify`` says only whether what is
claimed holds. Asking for more than the 事務 allows is refused, whether or not somebody is found.

The provision record is the ledger entry of the request: when, who, from where, for which 事務 and
利用事由, by which conditions, which items, about whom, and which version of the record answered,
so that the answer can be repeated. ``provision_id`` names it. 個人番号 is not kept in it: the
person found is. Whoever moved out is ``elsewhere``: nothing of him is opened.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta

from appliance.plugin_api import (
    ITEMS,
    AddressText,
    Answer,
    AnyOperation,
    Arguments,
    Case,
    Hit,
    Item,
    ItemName,
    Items,
    Operation,
    OperationName,
    PurposeCode,
    Resident,
    Told,
    TooMany,
    Value,
    Why,
    hookimpl,
    told,
)
from plugins.provision.match import (
    By,
    Four,
    Key,
    Meant,
    Result,
    Verdict,
    conditions,
    key_of,
    same,
    settled,
)

Claims = Annotated[
    dict[Item, AddressText | int | bool | None], Meta(min_length=1, max_length=len(ITEMS))
]


class Inquire(Arguments, frozen=True, kw_only=True):
    """Whom, which items, and perhaps what is claimed of him beside his number."""

    by: By
    items: Items
    claimed: Four | None = None


class Inquired(Answer, frozen=True, kw_only=True):
    """The items of the one person meant, or why there are none."""

    result: Result
    resident: Told | None = None
    match: str | None = None
    """How well the four informations hold: exact, variant, kana, seion, conditions (R49)."""
    withheld: tuple[str, ...] = ()
    provision_id: str


class Verify(Arguments, frozen=True, kw_only=True):
    """Whom, and what is claimed of him, item by item."""

    by: By
    claims: Claims


class Verified(Answer, frozen=True, kw_only=True):
    """Which claims hold; no value of the record."""

    result: Result
    claims: dict[str, Verdict]
    match: str | None = None
    withheld: tuple[str, ...] = ()
    provision_id: str


def inquire(case: Case, asked: Inquire) -> Inquired:
    """Answer the items asked for."""
    meant, resident = _answered(case, asked.by, asked.claimed, asked.items)
    return Inquired(
        result=meant.result,
        resident=told(resident) if resident else None,
        match=_match(meant),
        withheld=resident.withheld if resident else (),
        provision_id=case.request.id,
    )


def verify(case: Case, asked: Verify) -> Verified:
    """Compare, and answer only whether it holds."""
    meant, resident = _answered(case, asked.by, None, tuple(asked.claims))
    verdicts = _verdicts(resident, asked.claims) if resident else {}
    if resident:
        matching = sum(verdict == "match" for verdict in verdicts.values())
        case.note.result += f", {matching} of {len(verdicts)} match"
    return Verified(
        result=meant.result,
        claims=verdicts,
        match=_match(meant),
        withheld=resident.withheld if resident else (),
        provision_id=case.request.id,
    )


def _answered(
    case: Case, by: By, claimed: Four | None, names: Sequence[str]
) -> tuple[Meant, Resident | None]:
    """Return what the inquiry comes to, and the items opened if that is one person."""
    items = [ItemName(name) for name in names]
    key = key_of(by, claimed)
    case.registry.require(items)
    meant = _by_four(case, by) if key == "four" else _by_number(case, by, key, claimed)
    case.note.result = f"{meant.result} by {key}{meant.remark}"
    case.tally(_tally(case, meant.result))
    if meant.hit is None:
        return meant, None
    case.registry.concerns(meant.hit.person)
    if meant.result != "one":
        return meant, None
    resident = case.registry.read(meant.hit.person, items)
    case.note.result += f", version {resident.version}"
    return meant, resident


def _tally(case: Case, result: str) -> str:
    """Return under which name a provision of this month counts."""
    purpose = case.request.purpose or PurposeCode("")
    month, method = f"{case.request.today:%Y-%m}", case.request.operation.rpartition("/")[2]
    parts = (month, purpose, case.policy.purposes[purpose].agency, method, result)
    return "/".join(("provision", *(part.replace("/", "-") for part in parts)))


def _by_four(case: Case, by: By) -> Meant:
    try:
        placed = case.registry.placed(conditions(by, case.request.today))
    except TooMany as many:
        case.note.hits = many.count
        return Meant("several")
    case.note.hits = len(placed)
    return settled(placed, removed=case.grant.removed)


def _by_number(case: Case, by: By, key: Key, claimed: Four | None) -> Meant:
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
    placed = (Hit(person, why), registry.standing(person, today))
    return settled([placed], removed=case.grant.removed)


def _verdicts(resident: Resident, claims: Mapping[str, Value]) -> dict[str, Verdict]:
    verdicts: dict[str, Verdict] = {}
    for name, claimed in claims.items():
        item = ItemName(name)
        if item not in resident.withheld:
            verdicts[name] = "match" if same(item, resident.values[item], claimed) else "mismatch"
    return verdicts


def _match(meant: Meant) -> str | None:
    if meant.result != "one" or meant.hit is None or meant.hit.why is Why.CONDITIONS:
        return None
    return meant.hit.why.name.lower()


FOUR = Four.__struct_fields__
CONDITIONS = ("by.resident_code", *(f"by.{name}" for name in FOUR))
WHO = {"name": "熊本　花子", "birth_date": "1990-04-05"}
CLAIMED = tuple(f"claimed.{name}" for name in FOUR)

INQUIRE = Operation(
    name=OperationName("provision/inquire"),
    summary="Answer the items asked for of one person, within the purpose.",
    asks=Inquire,
    answers=Inquired,
    handler=inquire,
    example={"by": WHO, "items": ["name", "address"]},
    records=(*CONDITIONS, *CLAIMED, "items"),
    drops=("by.my_number",),
)
VERIFY = Operation(
    name=OperationName("provision/verify"),
    summary="Say whether what is claimed of one person holds, without any value.",
    asks=Verify,
    answers=Verified,
    handler=verify,
    example={"by": WHO, "claims": {"address": "熊本県八代市松江城町１番２５号"}},
    records=CONDITIONS,
    drops=("by.my_number", "claims"),
)


@hookimpl
def operations() -> list[AnyOperation]:
    return [INQUIRE, VERIFY]
