"""即時提供: answer an office about one person, at once and within its 事務 (R41, R42, R48, R49).

``provision/inquire`` answers the items asked for; ``provision/verify`` says only whether what is
claimed holds. Asking for more than the 事務 allows is refused, whether or not somebody is found.

Whoever moved out is ``elsewhere``, and nothing of him is opened; whoever is not in our file at all
is ``none``. Both are asked of the national server if there is one (R43).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

from msgspec import Meta

from appliance.plugin_api import (
    ITEMS,
    PROVIDED,
    AddressText,
    Answer,
    Arguments,
    Case,
    Item,
    ItemName,
    Items,
    Operation,
    OperationName,
    Standing,
    Told,
    Value,
    Values,
    Why,
    told,
)
from plugins.provision.counts import tally_name
from plugins.provision.match import (
    By,
    Four,
    Meant,
    Result,
    Verdict,
    key_of,
    national_key,
    same,
)
from plugins.provision.who import find_out

Claims = Annotated[
    dict[Item, AddressText | int | bool | None], Meta(min_length=1, max_length=len(ITEMS))
]


class Found(NamedTuple):
    """What is told of one person, here or elsewhere."""

    values: Values
    withheld: tuple[ItemName, ...]
    told: Told


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
    meant, found = _counted(case, asked.by, asked.claimed, asked.items)
    return Inquired(
        result=meant.result,
        resident=found.told if found else None,
        match=match_of(meant),
        withheld=found.withheld if found else (),
        provision_id=case.request.id,
    )


def verify(case: Case, asked: Verify) -> Verified:
    """Compare, and answer only whether it holds."""
    meant, found = _counted(case, asked.by, None, tuple(asked.claims))
    verdicts = _verdicts(found, asked.claims) if found else {}
    if found:
        matching = sum(verdict == "match" for verdict in verdicts.values())
        case.note.result += f", {matching} of {len(verdicts)} match"
    return Verified(
        result=meant.result,
        claims=verdicts,
        match=match_of(meant),
        withheld=found.withheld if found else (),
        provision_id=case.request.id,
    )


def _counted(
    case: Case, by: By, claimed: Four | None, names: Sequence[str]
) -> tuple[Meant, Found | None]:
    """Count what an inquiry is answered with, by the national server if need be."""
    meant, found = _answered(case, by, claimed, names)
    case.tally(tally_name(case, case.request.purpose, _method(case), meant.result))
    return meant, found


def _answered(
    case: Case, by: By, claimed: Four | None, names: Sequence[str]
) -> tuple[Meant, Found | None]:
    """Return what the inquiry comes to, and the items told if that is one person."""
    items = [ItemName(name) for name in names]
    key = key_of(by, claimed)
    case.registry.require(items)
    meant = find_out(case, by, key, claimed, removed=case.grant.removed)
    case.note.hits = meant.hits
    case.note.result = f"{meant.result} by {key}{meant.remark}"
    if meant.hit is not None:
        case.registry.concerns(meant.hit.person)
    if meant.result == "one" and meant.hit is not None:
        resident = case.registry.read(meant.hit.person, items)
        case.note.result += f", version {resident.version}"
        return meant, Found(resident.values, resident.withheld, told(resident))
    return _abroad(case, by, claimed, items, meant)


def _abroad(
    case: Case, by: By, claimed: Four | None, items: Sequence[ItemName], meant: Meant
) -> tuple[Meant, Found | None]:
    """Ask the national server about whoever is not a resident here (R43)."""
    unknown = meant.result == "none" and not meant.remark and claimed is None
    asked = national_key(by)
    if case.national is None or asked is None or not set(items) & set(PROVIDED):
        return meant, None
    if meant.result != "elsewhere" and not unknown:
        return meant, None
    answer = case.national.inquire(asked, items)
    if answer.result != "one":
        return meant, None
    # The count of provisions is checked against what the ledger says was answered.
    case.note.result = f"one by {key_of(by, claimed)}, told by the national server"
    values = {str(name): value for name, value in answer.values.items()}
    found = Found(answer.values, answer.withheld, values)
    return Meant("one", standing=Standing.ELSEWHERE), found


def _method(case: Case) -> str:
    return case.request.operation.rpartition("/")[2]


def _verdicts(found: Found, claims: Mapping[str, Value]) -> dict[str, Verdict]:
    verdicts: dict[str, Verdict] = {}
    for name, claimed in claims.items():
        item = ItemName(name)
        if item not in found.withheld:
            verdicts[name] = "match" if same(item, found.values[item], claimed) else "mismatch"
    return verdicts


def match_of(meant: Meant) -> str | None:
    """Return how well the four informations hold, if they were asked about (R49)."""
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
OPERATIONS = (INQUIRE, VERIFY)
