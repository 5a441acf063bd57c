"""検索: find residents by a combination of the four informations, then look at one (R87 to R90).

``search/find`` lists who fits, best first, each under a ``ref`` that is good for this session and
ten minutes. ``search/detail`` opens one of them, item by item as asked. Both name every person
they showed in the ledger. 住民票コード and 個人番号 are never in a list.
"""

from typing import Literal

from msgspec import UNSET, UnsetType, convert

from appliance.plugin_api import (
    AddressText,
    Answer,
    AnyOperation,
    AreaText,
    Arguments,
    Case,
    Conditions,
    DateText,
    Hit,
    ItemName,
    Items,
    NameText,
    Operation,
    OperationName,
    Screen,
    SexText,
    ShortText,
    Told,
    YearText,
    hookimpl,
    told,
)
from plugins.search.screens import SCREENS

Match = Literal["exact", "prefix"]
Why = Literal["exact", "variant", "kana", "seion", "prefix", "conditions"]
Shown = str | UnsetType | None

LISTED = tuple(
    map(
        ItemName,
        ("name", "kana", "birth_date", "sex", "address", "municipality_code", "removed_flag"),
    )
)
"""What tells one person of a list from another, as far as it is granted."""


class Find(Arguments, frozen=True, kw_only=True):
    """What is known of the person sought; everything given must hold."""

    name: NameText | None = None
    name_match: Match = "exact"
    kana: NameText | None = None
    kana_match: Match = "exact"
    birth_date: DateText | None = None
    birth_match: Literal["exact", "open"] = "exact"
    """``open``: unknown parts match, of what is sought and of what is recorded."""
    birth_year: YearText | None = None
    sex: SexText | None = None
    address: AddressText | None = None
    """The whole address, or its beginning where other conditions lead to the person."""
    municipality_code: AreaText | None = None
    town_code: AreaText | None = None
    include_removed: bool = False


class Listed(Answer, frozen=True, kw_only=True):
    """One person who fits; an item that is not granted, or is withheld, is left out."""

    ref: str
    why: Why
    name: Shown = UNSET
    kana: Shown = UNSET
    birth_date: Shown = UNSET
    sex: Shown = UNSET
    address: Shown = UNSET
    municipality_code: Shown = UNSET
    removed_flag: bool | UnsetType = UNSET
    protected: bool | UnsetType = UNSET
    """要注意: two persons open him together (``protection/ask-opening``); nothing is told of him,
    and what was said of the place was not compared."""


class Found(Answer, frozen=True, kw_only=True):
    """Everybody who fits, best first."""

    count: int
    residents: tuple[Listed, ...]


class Detail(Arguments, frozen=True, kw_only=True):
    """Which person of a list, and which items."""

    ref: ShortText
    items: Items
    history: bool = False


class Version(Answer, frozen=True, kw_only=True):
    """One version of a record; 1 is the oldest."""

    version: int
    resident: Told


class Detailed(Answer, frozen=True, kw_only=True):
    """The latest version; all of them, newest first, if the history was asked for."""

    resident: Told
    versions: tuple[Version, ...] = ()
    withheld: tuple[str, ...] = ()


def find(case: Case, asked: Find) -> Found:
    """List who fits."""
    hits = case.registry.find(_conditions(case, asked))
    case.note.hits = len(hits)
    shown = [item for item in LISTED if item in case.grant.items]
    return Found(count=len(hits), residents=tuple(_listed(case, hit, shown) for hit in hits))


def detail(case: Case, asked: Detail) -> Detailed:
    """Open one person of a list."""
    person = case.refs.resolve(asked.ref, case.actor.session, case.request.now)
    items = [ItemName(item) for item in asked.items]
    if not asked.history:
        resident = case.registry.read(person, items)
        return Detailed(resident=told(resident), withheld=resident.withheld)
    latest, *_ = versions = case.registry.history(person, items)
    return Detailed(
        resident=told(latest),
        versions=tuple(Version(version=v.version, resident=told(v)) for v in versions),
        withheld=latest.withheld,
    )


def _conditions(case: Case, asked: Find) -> Conditions:
    return Conditions(
        name=asked.name,
        name_prefix=asked.name_match == "prefix",
        kana=asked.kana,
        kana_prefix=asked.kana_match == "prefix",
        birth_date=asked.birth_date,
        birth_open=asked.birth_match == "open",
        birth_year=asked.birth_year,
        sex=asked.sex,
        address=asked.address,
        municipality_code=asked.municipality_code,
        town_code=asked.town_code,
        include_removed=asked.include_removed,
        today=case.request.today,
    )


def _listed(case: Case, hit: Hit, shown: list[ItemName]) -> Listed:
    ref = case.refs.issue(hit.person, case.actor.session, case.request.now)
    if hit.guarded:
        return Listed(ref=ref, why="conditions", protected=True)
    resident = case.registry.read(hit.person, shown)
    return convert({"ref": ref, "why": hit.why.name.lower(), **told(resident)}, Listed)


FIND = Operation(
    name=OperationName("search/find"),
    summary="List the residents who fit a combination of the four informations.",
    asks=Find,
    answers=Found,
    handler=find,
    example={"kana": "くまもと　はなこ", "birth_date": "1990-04-05"},
    records=Find.__struct_fields__,
)
DETAIL = Operation(
    name=OperationName("search/detail"),
    summary="Open the items of one resident from a list.",
    asks=Detail,
    answers=Detailed,
    handler=detail,
    records=("items", "history"),
    drops=("ref",),
)


@hookimpl
def screens() -> list[Screen]:
    return SCREENS


@hookimpl
def operations() -> list[AnyOperation]:
    return [FIND, DETAIL]
