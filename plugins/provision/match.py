"""Which person an inquiry means, and whether what is claimed of him holds: pure rules.

=============================  =============================================================
asked by                       person
=============================  =============================================================
住民票コード, 個人番号         who has it now; who had it before is nobody
the same, with ``claimed``     only if the four informations claimed hold too (R49)
four informations              who fits all of them: the name (漢字 or かな, whole, variants
                               equal) and at least one of birth date, sex, address (its
                               beginning)
=============================  =============================================================
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple

from appliance.plugin_api import (
    AddressText,
    Arguments,
    Conditions,
    DateText,
    Hit,
    ItemName,
    Malformed,
    MyNumberText,
    NameText,
    ResidentCodeText,
    SexText,
    Standing,
    Value,
    address_key,
    check_digits,
)

Result = Literal["one", "none", "several", "elsewhere"]
Verdict = Literal["match", "mismatch"]
Key = Literal["resident_code", "my_number", "four"]

_SPACES = re.compile(r"[ \u3000]+")
_SPACELESS = frozenset(map(ItemName, ("name", "kana", "search_kana")))


class Meant(NamedTuple):
    """What an inquiry comes to: the person, of whom nothing is open yet, or a remark why not."""

    result: Result
    hit: Hit | None = None
    remark: str = ""
    standing: Standing = Standing.HERE
    hits: int | None = None
    """How many fit the four informations."""


class Four(Arguments, frozen=True, kw_only=True):
    """The four informations, as far as they are known."""

    name: NameText | None = None
    kana: NameText | None = None
    birth_date: DateText | None = None
    sex: SexText | None = None
    address: AddressText | None = None


class By(Four, frozen=True, kw_only=True):
    """How the person is named: by one of the two numbers, or by four informations."""

    resident_code: ResidentCodeText | None = None
    my_number: MyNumberText | None = None


def key_of(by: By, claimed: Four | None) -> Key:
    """Return by what the person is named.

    Raises:
        Malformed: by nothing, by more than one, by a number whose check digit is wrong, or by four
            informations that are too few.
    """
    numbers = [by.resident_code is not None, by.my_number is not None]
    four = any(_given(by))
    if sum(numbers) + four != 1:
        raise Malformed("by: give resident_code, or my_number, or four informations")
    if four and claimed is not None:
        raise Malformed("claimed goes with resident_code or my_number only")
    if claimed is not None and not any(_given(claimed)):
        raise Malformed("claimed: give at least one information")
    if four and not _enough(by):
        raise Malformed("by: give name or kana, and birth_date, sex or address")
    check_digits(resident_code=by.resident_code, my_number=by.my_number)
    if numbers[0]:
        return "resident_code"
    return "my_number" if numbers[1] else "four"


def national_key(by: By) -> dict[str, str] | None:
    """Return what the national server can be asked by, or None: it knows no kana (R83)."""
    known = {name: getattr(by, name) for name in By.__struct_fields__ if name != "kana"}
    asked = {name: value for name, value in known.items() if value is not None}
    if by.resident_code or by.my_number or (by.name and len(asked) > 1):
        return asked
    return None


def conditions(four: Four, today: date) -> Conditions:
    """Return the four informations as conditions of a search."""
    return Conditions(
        name=four.name,
        kana=four.kana,
        birth_date=four.birth_date,
        sex=four.sex,
        address=four.address,
        today=today,
    )


def settled(placed: Sequence[tuple[Hit, Standing]], *, removed: bool) -> Meant:
    """Return what it comes to, given everybody who fits.

    Residents come before whoever was struck off; of those, the dead and the like only count for
    who may see them.
    """
    here = [each for each in placed if each[1] is Standing.HERE]
    elsewhere = [each for each in placed if each[1] is Standing.ELSEWHERE]
    if elsewhere and not here:
        if len(elsewhere) > 1:
            return Meant("several")
        hit, standing = elsewhere[0]
        return Meant("elsewhere", hit, standing=standing)
    there = here or (list(placed) if removed else [])
    if len(there) > 1:
        return Meant("several")
    if not there:
        return Meant("none")
    hit, standing = there[0]
    return Meant("one", hit, standing=standing)


def same(item: ItemName, stored: Value, claimed: Value) -> bool:
    """Return whether a claimed value is the stored one, character by character.

    Spaces are all alike and do not count at either end, nor at all in a name; a true is not a 1.
    Variants are not equal here: what is verified is the spelling.
    """
    if isinstance(stored, str) and isinstance(claimed, str):
        between = "" if item in _SPACELESS else " "
        return _folded(stored, between) == _folded(claimed, between)
    return type(stored) is type(claimed) and stored == claimed


def _folded(text: str, between: str) -> str:
    return _SPACES.sub(between, text.strip(" \u3000"))


def _given(four: Four) -> list[bool]:
    known = (four.name, four.kana, four.birth_date, four.sex, four.address)
    return [information is not None for information in known]


def _enough(four: Four) -> bool:
    name, kana, born, sex, _ = _given(four)
    # 都道府県 alone is no address: everybody lives there.
    lives = four.address is not None and bool(address_key(four.address))
    return (name or kana) and (born or sex or lives)
