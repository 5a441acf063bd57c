"""The 24 items of 本人確認情報, in the order of the file (R96 to R119), and how each is kept.

One row an item. Everything that loops over items (sealing, rights, redaction, the wire, the forms)
loops over this table; there is no other list.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

ItemName = NewType("ItemName", str)
Value = str | int | bool | None
Values = Mapping[ItemName, Value]


class Form(StrEnum):
    """How an item is written on the wire and in its cell."""

    TEXT = "text"
    DATE = "date"  # YYYY-MM-DD, 00 for an unknown part
    COUNT = "count"  # a whole number, 0 upwards
    FLAG = "flag"
    MOMENT = "moment"  # RFC 3339, UTC, microseconds


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its number in the file, its wire name, its legal name."""

    number: int
    name: ItemName
    label: str
    form: Form

    def encode(self, value: Value) -> bytes | None:
        """Return what is sealed: UTF-8 text, or None."""
        if value is None:
            return None
        if self.form is Form.FLAG:
            return b"1" if value else b"0"
        return str(value).encode()

    def decode(self, cell: bytes | None) -> Value:
        """Return the value of an opened cell."""
        return None if cell is None else _DECODED[self.form](cell)


_DECODED: Mapping[Form, Callable[[bytes], Value]] = {
    Form.TEXT: bytes.decode,
    Form.DATE: bytes.decode,
    Form.COUNT: int,
    Form.FLAG: b"1".__eq__,
    Form.MOMENT: bytes.decode,
}


def _item(number: int, name: str, label: str, form: Form = Form.TEXT) -> Item:
    return Item(number, ItemName(name), label, form)


ITEMS: tuple[Item, ...] = (
    _item(1, "resident_code", "住民票コード"),
    _item(2, "name", "漢字氏名"),
    _item(3, "name_gaiji_count", "外字数(氏名)", Form.COUNT),
    _item(4, "kana", "ふりがな氏名"),
    _item(5, "birth_date", "生年月日", Form.DATE),
    _item(6, "sex", "性別"),
    _item(7, "address", "住所"),
    _item(8, "address_gaiji_count", "外字数(住所)", Form.COUNT),
    _item(9, "my_number", "個人番号"),
    _item(10, "reason", "異動事由"),
    _item(11, "effective_date", "異動年月日", Form.DATE),
    _item(12, "retention_flag", "保存期間フラグ"),
    _item(13, "search_kana", "清音化かな氏名"),
    _item(14, "municipality_code", "市町村コード"),
    _item(15, "town_code", "大字・字コード"),
    _item(16, "operator_id", "操作者ID"),
    _item(17, "terminal_id", "操作端末ID"),
    _item(18, "recorded_at", "タイムスタンプ", Form.MOMENT),
    _item(19, "notified_on", "通知を受けた年月日", Form.DATE),
    _item(20, "gaiji_flag", "外字フラグ", Form.FLAG),
    _item(21, "removed_flag", "削除フラグ", Form.FLAG),
    _item(22, "update_number", "更新順番号", Form.COUNT),
    _item(23, "name_gaiji_serial", "氏名外字変更連番", Form.COUNT),
    _item(24, "address_gaiji_serial", "住所外字変更連番", Form.COUNT),
)

AS_WRITTEN = _item(25, "birth_date_as_written", "生年月日(記載のまま)")
"""Beside item 5: the birth date as the 住民票 spells it. Shown wherever ``birth_date`` is."""

CELLS: tuple[Item, ...] = (*ITEMS, AS_WRITTEN)
BY_NAME: Mapping[ItemName, Item] = MappingProxyType({item.name: item for item in CELLS})
BY_NUMBER: Mapping[int, Item] = MappingProxyType({item.number: item for item in CELLS})
_OPENING = {item.number: (item.name, _DECODED[item.form]) for item in CELLS}
ITEM_NAMES: frozenset[ItemName] = frozenset(item.name for item in ITEMS)

PROVIDED: tuple[ItemName, ...] = tuple(
    BY_NAME[ItemName(name)].name
    for name in (
        "resident_code",
        "name",
        "birth_date",
        "sex",
        "address",
        "my_number",
        "reason",
        "effective_date",
    )
)
"""The eight items that may leave the prefecture (R27, R47, R73)."""


_AS_TEXT = tuple(
    (item.number, item.name, item.encode, item.form is not Form.FLAG) for item in CELLS
)


class Lazily(Mapping[ItemName, Value]):
    """The items of a record, each opened when it is first looked at and not before."""

    __slots__ = ("_open", "_opened")

    def __init__(self, open_item: Callable[[ItemName], Value]) -> None:
        self._open = open_item
        self._opened: dict[ItemName, Value] = {}

    def __getitem__(self, name: ItemName) -> Value:
        """Return an item; raises as opening it does."""
        if name not in self._opened:
            self._opened[name] = self._open(name)
        return self._opened[name]

    def __iter__(self) -> Iterator[ItemName]:
        """Go through all names; nothing is opened."""
        return iter(BY_NAME)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(BY_NAME)


def seal_form(values: Values) -> dict[int, bytes | None]:
    """Return all cells of a record; an item that is not given is sealed as None."""
    get = values.get
    return {
        # Most are text, and this is done by the million.
        number: value.encode() if type(value := get(name)) is str and plain else encode(value)
        for number, name, encode, plain in _AS_TEXT
    }


def open_form(cells: Mapping[int, bytes | None]) -> dict[ItemName, Value]:
    """Return the values of opened cells."""
    values: dict[ItemName, Value] = {}
    for number, cell in cells.items():
        name, decoded = _OPENING[number]
        values[name] = None if cell is None else decoded(cell)
    return values
