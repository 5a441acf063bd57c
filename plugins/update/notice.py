"""One notification of a 市町村CS, and the record it becomes (R24, R28, R96 to R119).

A notice has the right types or the whole batch is malformed. Whatever a rule must judge (a date, a
code, a check digit) is text here, so that a wrong one is refused alone and by its rule.
"""

from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Annotated

import msgspec

from appliance.plugin_api import (
    ADDRESS_LENGTH,
    NAME_LENGTH,
    SYSTEM,
    Arguments,
    ItemName,
    PartialDate,
    Value,
    Values,
    composed,
    hiragana,
    seion,
)

LONG_AGO = 9999
"""Days; how much longer ago something was is not told."""
Counting = Annotated[int, msgspec.Meta(ge=1)]

# As a rule judges them, but never so long that judging them takes long: what is seen as one
# character may be several, and an image is written with a dozen.
CodeText = Annotated[str, msgspec.Meta(max_length=32)]
NameText = Annotated[str, msgspec.Meta(max_length=5 * NAME_LENGTH)]
AddressText = Annotated[str, msgspec.Meta(max_length=5 * ADDRESS_LENGTH)]
SpellingText = Annotated[str, msgspec.Meta(max_length=200)]


class Notice(Arguments, frozen=True, kw_only=True):
    """本人確認情報 as a municipality notifies it (住民基本台帳法30条の6)."""

    sequence: Counting
    """Counts what this CS sends, without gaps."""
    resident_code: CodeText
    previous_resident_code: CodeText | None = None
    name: NameText
    name_gaiji_count: int = 0
    kana: NameText | None
    birth_date: CodeText
    birth_date_as_written: SpellingText | None = None
    sex: CodeText
    address: AddressText
    address_gaiji_count: int = 0
    my_number: CodeText | None
    reason: CodeText
    effective_date: CodeText
    municipality_code: CodeText
    town_code: CodeText | None
    update_number: Counting
    """更新順番号: counts the versions of one person."""
    name_gaiji_serial: int = 0
    address_gaiji_serial: int = 0

    @property
    def known_by(self) -> str:
        """The 住民票コード by which the person is known before this notice."""
        return self.previous_resident_code or self.resident_code


def digest(notice: Notice) -> bytes:
    """Return 16 bytes that tell whether a sequence number came again with the same content."""
    return blake2b(msgspec.json.encode(notice), digest_size=16).digest()


def _items(*names: str) -> tuple[ItemName, ...]:
    return tuple(map(ItemName, names))


DESCRIBING = _items(
    "resident_code",
    "name",
    "name_gaiji_count",
    "kana",
    "birth_date",
    "birth_date_as_written",
    "sex",
    "address",
    "address_gaiji_count",
    "my_number",
    "municipality_code",
    "town_code",
    "name_gaiji_serial",
    "address_gaiji_serial",
)
"""What a notice says of the person, which the rules compare with the record before."""

MOVING = _items("reason", "effective_date", "update_number")
"""What a notice says of the change itself."""

READ = (
    *(name for name in DESCRIBING if name != "birth_date_as_written"),
    *MOVING,
    ItemName("removed_flag"),
)
"""What the rules need of the record before; ``birth_date`` brings its spelling with it."""

RESIDENT_CODE, MY_NUMBER, REASON, EFFECTIVE_DATE, UPDATE_NUMBER = _items(
    "resident_code", "my_number", "reason", "effective_date", "update_number"
)
NAME, KANA, BIRTH_DATE, SEX, ADDRESS, MUNICIPALITY_CODE, REMOVED_FLAG = _items(
    "name", "kana", "birth_date", "sex", "address", "municipality_code", "removed_flag"
)
(
    NAME_GAIJI_COUNT,
    ADDRESS_GAIJI_COUNT,
    GAIJI_FLAG,
    SEARCH_KANA,
    RETENTION_FLAG,
    OPERATOR_ID,
    TERMINAL_ID,
    RECORDED_AT,
    NOTIFIED_ON,
) = _items(
    "name_gaiji_count",
    "address_gaiji_count",
    "gaiji_flag",
    "search_kana",
    "retention_flag",
    "operator_id",
    "terminal_id",
    "recorded_at",
    "notified_on",
)


def told(notice: Notice) -> dict[ItemName, Value]:
    """Return the items a notice tells, in the form in which they are stored."""
    values: dict[ItemName, Value] = {name: getattr(notice, name) for name in (*DESCRIBING, *MOVING)}
    values[NAME] = composed(notice.name)
    values[ADDRESS] = composed(notice.address)
    if notice.kana is not None:
        values[KANA] = hiragana(notice.kana)
    return values


def record(values: Values, *, removed: bool, received: date, now: datetime) -> Values:
    """Return all items of the new version: what was told, and what the appliance adds.

    Args:
        values: from ``told``.
        removed: whether the person is struck off with this version (削除フラグ).
        received: the day in Japan on which the notice came; retention is counted from it.
        now: when the version is written.
    """
    kana = values[KANA]
    return {
        **values,
        # 消除の記録 run from their own notice; the others only once a newer one comes
        # (住民基本台帳法施行令30条の6). A correction of a struck-off record is the last that will
        # ever come, so its clock must run too, or it would be kept for ever.
        RETENTION_FLAG: "1" if removed else "0",
        SEARCH_KANA: None if kana is None else seion(str(kana)),
        # It came in by itself: there was no operator (R34).
        OPERATOR_ID: SYSTEM,
        TERMINAL_ID: SYSTEM,
        RECORDED_AT: _written(now),
        NOTIFIED_ON: received.isoformat(),
        GAIJI_FLAG: bool(values[NAME_GAIJI_COUNT] or values[ADDRESS_GAIJI_COUNT]),
        REMOVED_FLAG: removed,
    }


def days_since(effective_date: str, today: date) -> int | None:
    """Return how many days ago something took effect; None if nobody knows, or it is to come."""
    effective = PartialDate.parse(effective_date)
    if not effective.is_complete or (days := (today - effective.lower()).days) < 0:
        return None
    return min(days, LONG_AGO)


@lru_cache(16)
def _written(moment: datetime) -> str:
    # A batch has one for all.
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
