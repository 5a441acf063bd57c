"""Whether a name is the operator's own: of the same family name, or wholly the same."""

from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum

import msgspec

from appliance.plugin_api import kana_key, name_key


class Kin(IntEnum):
    """How near a name is to the operator's own."""

    NONE = 0
    FAMILY = 1
    OWN = 2


class StaffName(msgspec.Struct, frozen=True):
    """The name of somebody of the staff: 姓　名, and its reading."""

    name: str
    kana: str = ""


def kin_of(staff: StaffName, name: object, kana: object = None) -> Kin:
    """Return how near a name, or its reading, is to the name of somebody of the staff."""
    by_name = _near(staff.name, str(name or ""), name_key)
    return max(by_name, _near(staff.kana, str(kana or ""), kana_key))


def kin_of_conditions(staff: StaffName, conditions: Mapping[str, object]) -> Kin:
    """Return how near what was asked for is to the name of somebody of the staff."""
    return max(kin_of(staff, each.get("name"), each.get("kana")) for each in _tables(conditions))


def _tables(conditions: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield the conditions, and every table in them: an inquiry holds its own one level down."""
    yield conditions
    for inner in conditions.values():
        if isinstance(inner, Mapping):
            yield from _tables(inner)


def _near(own: str, other: str, fold: Callable[[str], str]) -> Kin:
    family, _, _ = _spaced(own).partition(" ")
    if not family or not other:
        return Kin.NONE
    if fold(own) == fold(other):
        return Kin.OWN
    first, space, _ = _spaced(other).partition(" ")
    if space:
        return Kin.FAMILY if fold(first) == fold(family) else Kin.NONE
    return Kin.FAMILY if fold(other).startswith(fold(family)) else Kin.NONE


def _spaced(name: str) -> str:
    return name.replace("　", " ").strip()
