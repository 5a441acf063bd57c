"""The general checks G-01 to G-12: what must hold of every notice, whoever it is about.

``CHECKS`` is the list. A row is a rule number, what the municipality is told, and a function that
names the items for which the rule does not hold; everything a function needs is in the notice, its
sender and the day. Three rules are not here because they need more than that: G-06 (order) is in
``order.py``, ``batch.py`` and ``judging.py``, G-10 (one person for a 住民票コード) in
``rules.py``, G-13 (what refusals tell of others' records) in ``judging.py``.

A text says what to do, and never holds a value of the notice.
"""

from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from appliance.plugin_api import (
    ADDRESS_LENGTH,
    NAME_LENGTH,
    Gaiji,
    PartialDate,
    composed,
    gaiji,
    hiragana,
    is_my_number,
    is_resident_code,
    outsiders,
    visible_length,
)
from plugins.update.notice import Notice
from plugins.update.rules import CODE_CHANGES, MOVEMENTS, NUMBER_CHANGES
from plugins.update.sender import Sender
from plugins.update.verdict import Finding, error

AS_WRITTEN_LENGTH = 40
"""The most characters of a birth date as the 住民票 spells it; the project's own limit."""

DATE_LENGTH = len("YYYY-MM-DD")

MOVING_OUT = "21"
"""The one 異動事由 that is notified beforehand, with the planned day (令30条の5)."""


class Check(NamedTuple):
    """One row: a rule, what is said when it is broken, and for which items it is."""

    rule: str
    text: str
    broken: Callable[[Notice, Sender, date], Iterator[str]]


def examine(notice: Notice, sender: Sender, today: date) -> list[Finding]:
    """Return every general rule that the notice breaks, each for the item it breaks it with."""
    return [
        error(check.rule, item, check.text)
        for check in CHECKS
        for item in check.broken(notice, sender, today)
    ]


def _resident_code(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if not is_resident_code(notice.resident_code):
        yield "resident_code"
    previous = notice.previous_resident_code
    if previous is not None and not is_resident_code(previous):
        yield "previous_resident_code"


def _my_number(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if notice.my_number is not None and not is_my_number(notice.my_number):
        yield "my_number"


def _not_the_senders(notice: Notice, sender: Sender, _: date) -> Iterator[str]:
    if notice.municipality_code not in sender.covers:
        yield "municipality_code"


def _not_a_date(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if _date(notice.birth_date) is None:
        yield "birth_date"
    effective = _date(notice.effective_date)
    # Only a birth date may stand as a day no calendar has (標準仕様書 1.1.8).
    if effective is None or not effective.in_calendar:
        yield "effective_date"


def _to_come(notice: Notice, _: Sender, today: date) -> Iterator[str]:
    birth, effective = _date(notice.birth_date), _date(notice.effective_date)
    if birth is not None and birth.year and birth.lower() > today:
        yield "birth_date"
    if effective is None or notice.reason == MOVING_OUT:
        return
    if effective.year and effective.lower() > today:
        yield "effective_date"


def _before_birth(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    birth, effective = _date(notice.birth_date), _date(notice.effective_date)
    if birth is not None and effective is not None and effective.certainly_before(birth):
        yield "effective_date"


def _sex(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if notice.sex not in ("0", "1", "2"):
        yield "sex"


def _empty(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    for item in _MANDATORY:
        if not getattr(notice, item).strip():
            yield item


def _empty_instead_of_null(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    for item in _OPTIONAL:
        value = getattr(notice, item)
        if value is not None and not value.strip():
            yield item


def _town_code(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    code = notice.town_code
    if code is not None and not (len(code) == 6 and code.isascii() and code.isdigit()):
        yield "town_code"


def _gaiji_count(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if len(gaiji(notice.name)) != notice.name_gaiji_count:
        yield "name_gaiji_count"
    if len(gaiji(notice.address)) != notice.address_gaiji_count:
        yield "address_gaiji_count"


def _gaiji_serial(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if not _numbered(gaiji(notice.name), notice.name_gaiji_serial):
        yield "name_gaiji_serial"
    if not _numbered(gaiji(notice.address), notice.address_gaiji_serial):
        yield "address_gaiji_serial"


def _strange_characters(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if outsiders(composed(notice.name)):
        yield "name"
    if outsiders(composed(notice.address)):
        yield "address"
    if notice.kana is not None and outsiders(hiragana(notice.kana)):
        yield "kana"
    written = notice.birth_date_as_written
    if written is not None and outsiders(composed(written)):
        yield "birth_date_as_written"


def _too_long(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if visible_length(notice.name) > NAME_LENGTH:
        yield "name"
    if visible_length(notice.address) > ADDRESS_LENGTH:
        yield "address"
    if visible_length(notice.kana or "") > NAME_LENGTH:
        yield "kana"
    if visible_length(notice.birth_date_as_written or "") > AS_WRITTEN_LENGTH:
        yield "birth_date_as_written"


def _unknown_reason(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if notice.reason not in MOVEMENTS:
        yield "reason"


def _no_code_before(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if notice.reason in CODE_CHANGES and notice.previous_resident_code is None:
        yield "previous_resident_code"


def _no_number(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if notice.reason in NUMBER_CHANGES and notice.my_number is None:
        yield "my_number"


def _another_code_before(notice: Notice, _: Sender, __: date) -> Iterator[str]:
    if notice.reason in CODE_CHANGES:
        return
    if notice.previous_resident_code not in (None, notice.resident_code):
        yield "previous_resident_code"


def _outside_the_prefecture(notice: Notice, sender: Sender, _: date) -> Iterator[str]:
    if notice.municipality_code not in sender.prefecture:
        yield "municipality_code"


CHECKS: tuple[Check, ...] = (
    Check(
        "G-01",
        "住民票コードの桁数又は検査数字が誤っています。確認して送ってください。",
        _resident_code,
    ),
    Check(
        "G-02", "個人番号の桁数又は検査用数字が誤っています。確認して送ってください。", _my_number
    ),
    Check(
        "G-03",
        "送信元の市区町村の市町村コードではありません。自市区町村の住民だけを通知してください。",
        _not_the_senders,
    ),
    Check(
        "G-04",
        "日付として読めません。YYYY-MM-DDで、不詳の部分は00として送ってください。",
        _not_a_date,
    ),
    Check("G-04", "まだ来ていない日付です。先の日付を通知できるのは転出だけです。", _to_come),
    Check("G-04", "異動年月日が生年月日より前です。どちらかを訂正してください。", _before_birth),
    Check("G-05", "性別は0(不明)、1(男)、2(女)のいずれかで送ってください。", _sex),
    Check("G-07", "必須項目が空です。記載して送ってください。", _empty),
    Check(
        "G-07", "空文字は使えません。記載がないときはnullとしてください。", _empty_instead_of_null
    ),
    Check("G-07", "大字・字コードは数字6桁、ないときはnullとしてください。", _town_code),
    Check("G-07", "変更前の住民票コードを記載して送ってください。", _no_code_before),
    Check("G-07", "変更後の個人番号を記載して送ってください。", _no_number),
    Check(
        "G-08",
        "外字数が文字列中の外字の数と一致しません。数え直して送ってください。",
        _gaiji_count,
    ),
    Check(
        "G-08",
        "外字変更連番が文字列中の外字と一致しません。外字は同じ連番で1から順に番号を付けてください。",
        _gaiji_serial,
    ),
    Check(
        "G-09",
        "住基ネット統一文字にない文字があります。外字として送ってください。",
        _strange_characters,
    ),
    Check("G-09", "文字数が上限を超えています。短くして送ってください。", _too_long),
    Check("G-11", "この異動事由コードは使えません。コード表を確認してください。", _unknown_reason),
    Check(
        "G-11",
        "この異動事由では住民票コードの変更を通知できません。変更前のコードを外してください。",
        _another_code_before,
    ),
    Check(
        "G-12",
        "この都道府県の市町村コードではありません。コード表を確認してください。",
        _outside_the_prefecture,
    ),
)

_MANDATORY = (
    "resident_code",
    "name",
    "birth_date",
    "sex",
    "address",
    "reason",
    "effective_date",
    "municipality_code",
)
_OPTIONAL = ("kana", "birth_date_as_written")


def _numbered(images: tuple[Gaiji, ...], serial: int) -> bool:
    """Whether the images are of this set and numbered from 1 in their order."""
    expected = tuple(Gaiji(serial, number) for number in range(1, len(images) + 1))
    return serial >= 0 and images == expected


def _date(text: str) -> PartialDate | None:
    # Only what has the length of a date is remembered.
    return _read(text) if len(text) == DATE_LENGTH else None


@lru_cache(maxsize=8192)
def _read(text: str) -> PartialDate | None:
    try:
        return PartialDate.parse(text)
    except ValueError:
        return None
