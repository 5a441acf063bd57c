"""Finding residents by four informations (R87): from conditions to tokens to exact hits.

Three steps, each a function: ``plan`` chooses the tokens that the conditions allow, the store gives
candidates, ``judge`` opens and compares each one. Results are therefore exact, whatever was folded
for the tokens, and every hit says why it matched.
"""

from collections.abc import Callable, Collection, Iterator, Set
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from appliance import index as x
from appliance.errors import AddConditions, Malformed
from appliance.index import Index
from appliance.items import ItemName, Values
from appliance.standing import Standing, standing
from appliance.values import normalise
from appliance.values.dates import PartialDate
from storage.engine import PersonId, Token

SEXES = ("0", "1", "2")
MOST_TOKENS = 150
"""A question that fans out wider than this is answered with what to add."""
CONDITIONS = (
    *("name", "kana", "birth_date", "birth_year", "sex", "address"),
    *("municipality_code", "town_code"),
)


class Why(IntEnum):
    """Why a resident was found, best first."""

    EXACT = 1
    VARIANT = 2
    KANA = 3
    SEION = 4
    PREFIX = 5
    CONDITIONS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What is known of the person sought; everything given must hold.

    An address is compared as a beginning; where nothing but it leads to an index, only the whole
    one is found.
    """

    name: str | None = None
    name_prefix: bool = False
    kana: str | None = None
    kana_prefix: bool = False
    birth_date: str | None = None
    birth_open: bool = False
    """Unknown parts match, of what is sought and of what is recorded."""
    birth_year: str | None = None
    sex: str | None = None
    address: str | None = None
    municipality_code: str | None = None
    town_code: str | None = None
    include_removed: bool = False
    today: date = date.max
    """Who is to move out after this day is not removed yet."""

    @property
    def items(self) -> frozenset[ItemName]:
        """The items that the answer tells something about, even if only that they fit."""
        return frozenset(
            ItemName("birth_date" if name == "birth_year" else name)
            for name in CONDITIONS
            if getattr(self, name) is not None
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """A person that fits all conditions, and how well."""

    person: PersonId
    why: Why
    guarded: bool = False
    """要注意: nothing of him is opened here, and where he is was not compared."""


def apart_from_place(sought: Conditions, index: Index) -> Conditions | None:
    """Return the conditions by which a protected person is found: nothing about where he is.

    Whether he is still a resident tells where he is not, and is no condition either. None where the
    index itself goes by a place: by such a search he is not found at all, right or wrong.
    """
    apart = replace(
        sought, include_removed=True, address=None, municipality_code=None, town_code=None
    )
    try:
        plan(apart, index, ())
    except AddConditions:
        return None
    return apart


def worth(sought: Conditions) -> None:
    """Refuse conditions of which one would hold of everybody.

    Raises:
        Malformed: a name, kana or address empties when normalised; names it, never the value.
    """
    _key("name", sought.name, normalise.name_key)
    _key("kana", sought.kana, normalise.kana_key)
    _key("address", sought.address, normalise.address_key)


class Plan(NamedTuple):
    """Whoever fits has one of ``tokens``, and one of ``also`` unless that is empty."""

    tokens: Set[Token]
    also: Set[Token] = frozenset()


def plan(sought: Conditions, index: Index, around: Collection[str]) -> Plan:
    """Return the tokens to look under: those of the narrowest index the conditions reach.

    A whole name is had by more people the more there are. With a birth date or the other of the two
    names, those are looked up who have both.

    ``around`` is every code that the municipality sought covers (熊本市 its wards), or nothing.

    Raises:
        AddConditions: no index is reached; says what to add.
        Malformed: a condition is not a date, or empties when normalised.
    """
    found = _narrowest(sought, index, around)
    if len(found.tokens) > MOST_TOKENS:
        raise AddConditions("add the day of birth or the sex; this stands for too many dates")
    return found


class _Keys(NamedTuple):
    """The conditions as the index has them; empty: not given."""

    kanji: str
    kana: str
    births: list[str]
    address: str


def _narrowest(sought: Conditions, index: Index, around: Collection[str]) -> Plan:
    kanji, kana, births, _ = keys = _Keys(
        _key("name", sought.name, normalise.name_key),
        _key("kana", sought.kana, normalise.kana_key),
        _births(sought),
        _key("address", sought.address, normalise.address_key),
    )
    whole = [index.compound(x.NAME, kanji)] if kanji and not sought.name_prefix else []
    if kana and not sought.kana_prefix:
        whole.append(index.compound(x.KANA, kana))
    if births and kana and (len(kana) >= 2 or not sought.kana_prefix):
        born = {index.compound(x.KANA_BIRTH, kana[:2], birth) for birth in births}
        return Plan(born, set(whole[:1]))
    if births and kanji:
        born = {index.compound(x.KANJI_BIRTH, kanji[:1], birth) for birth in births}
        return Plan(born, set(whole[:1]))
    if whole:
        return Plan(set(whole[:1]), set(whole[1:]))
    return Plan(_by_place(sought, index, around, keys))


def _by_place(sought: Conditions, index: Index, around: Collection[str], keys: _Keys) -> set[Token]:
    kanji, kana, births, address = keys
    sexes = (sought.sex,) if sought.sex is not None else SEXES
    towns = [(p, sought.town_code, s) for p in around if sought.town_code for s in sexes]
    if kana and len(kana) >= 2 and towns:
        return {index.compound(x.KANA_TOWN, kana[:2], *town) for town in towns}
    if kana and len(kana) >= 2 and around and sought.birth_year:
        return {index.compound(x.KANA_YEAR, kana[:2], p, sought.birth_year) for p in around}
    if kanji and towns:
        return {index.compound(x.KANJI_TOWN, kanji[:1], *town) for town in towns}
    if births and around:
        places = [(p, s) for p in around for s in sexes]
        return {index.compound(x.BIRTH_PLACE, birth, *p) for birth in births for p in places}
    if address and not (kanji or kana):
        return {index.compound(x.ADDRESS, address)}
    raise AddConditions(_advice(sought))


def _key(item: str, text: str | None, normal: Callable[[str], str]) -> str:
    if text is None:
        return ""
    if not (key := normal(text)):
        raise Malformed(f"{item} holds nothing that can be searched for")
    return key


def _births(sought: Conditions) -> list[str]:
    """Return every way a fitting birth date may be recorded."""
    if sought.birth_date is None:
        return []
    try:
        birth = PartialDate.parse(sought.birth_date)
    except ValueError:
        raise Malformed("birth_date must be YYYY-MM-DD with 00 for unknown parts") from None
    if not sought.birth_open:
        return [str(birth)]
    if not birth.month:
        raise AddConditions("give at least year and month of birth where unknown parts match")
    days = (birth.day,) if birth.day else range(1, 32)
    known = [PartialDate(birth.year, birth.month, day) for day in days]
    less_known = PartialDate(birth.year, birth.month, 0), PartialDate(birth.year, 0, 0)
    return [str(date) for date in (*known, *less_known, PartialDate(0, 0, 0))]


def _advice(sought: Conditions) -> str:
    if sought.kana is not None:
        return "add birth_date, or municipality_code and town_code; kana needs 2 characters"
    if sought.name is not None:
        return "add birth_date, or municipality_code and town_code, or give the full name"
    if sought.birth_date is not None:
        return "add municipality_code, name or kana"
    return "give a full name, full kana, a full address, or birth_date with another condition"


def judge(sought: Conditions, around: Collection[str], values: Values) -> Why | None:
    """Return why this record fits all conditions, or None if one does not hold."""
    if not sought.include_removed and standing(values, sought.today) is not Standing.HERE:
        return None
    if around and values[ItemName("municipality_code")] not in around:
        return None
    if not all(_plain_conditions(sought, values)):
        return None
    reasons = [_name_fits(sought, values), _kana_fits(sought, values)]
    if None in reasons:
        return None
    return min(reason for reason in reasons if reason is not None)


def _plain_conditions(sought: Conditions, values: Values) -> Iterator[bool]:
    get = values.get
    if sought.birth_date is not None:
        yield _born_so(sought, str(get(ItemName("birth_date")) or ""))
    if sought.birth_year is not None:
        yield str(get(ItemName("birth_date")) or "")[:4] == sought.birth_year
    if sought.sex is not None:
        yield get(ItemName("sex")) == sought.sex
    if sought.town_code is not None:
        yield get(ItemName("town_code")) == sought.town_code
    if sought.address is not None:
        yield _lives_so(sought.address, values)


def _lives_so(asked: str, values: Values) -> bool:
    recorded = str(values.get(ItemName("address")) or "")
    code = str(values[ItemName("municipality_code")] or "")
    # 都道府県 may be left out of what is recorded, and then it is that of the municipality.
    mine = normalise.prefecture_in(recorded) or normalise.prefecture_of(code)
    if mine and normalise.prefecture_in(asked) not in ("", mine):
        return False
    return normalise.address_begins(recorded, asked)


def _born_so(sought: Conditions, recorded: str) -> bool:
    if recorded == sought.birth_date or not sought.birth_open:
        return recorded == sought.birth_date
    return PartialDate.parse(recorded).may_be(PartialDate.parse(str(sought.birth_date)))


def _name_fits(sought: Conditions, values: Values) -> Why | None:
    if sought.name is None:
        return Why.CONDITIONS
    names = normalise.names_in(str(values[ItemName("name")] or ""))
    fits = (_one_name_fits(name, sought.name, prefix=sought.name_prefix) for name in names)
    return min(filter(None, fits), default=None)


def _one_name_fits(written: str, asked: str, *, prefix: bool) -> Why | None:
    if _spaceless(written) == _spaceless(asked):
        return Why.EXACT
    mine, theirs = normalise.name_key(written), normalise.name_key(asked)
    if mine == theirs:
        return Why.VARIANT
    return Why.PREFIX if prefix and mine.startswith(theirs) else None


def _kana_fits(sought: Conditions, values: Values) -> Why | None:
    if sought.kana is None:
        return Why.CONDITIONS
    written = str(values[ItemName("kana")] or "")
    if normalise.hiragana(written) == normalise.hiragana(sought.kana):
        return Why.KANA
    mine, theirs = normalise.kana_key(written), normalise.kana_key(sought.kana)
    if mine == theirs:
        return Why.SEION
    return Why.PREFIX if sought.kana_prefix and mine.startswith(theirs) else None


def _spaceless(text: str) -> str:
    return text.replace(" ", "").replace("\u3000", "")
