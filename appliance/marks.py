"""Marks: by what a municipality and the prefecture compare their files without opening them.

Every current resident has one mark in the group of his 市町村コード: a *place*, which stands for
his 住民票コード, and a *digest* of all items that a municipality sends. Both are keyed, with a key
for each group that its municipality's server is given and nobody else (R92, R94)::

    group key   BLAKE2b-256(key=mark root, person="jk1.mark.key", 市町村コード)
    place       BLAKE2b-128(key=group key, person="jk1.mark.place", 住民票コード)
    digest      BLAKE2b-128(key=group key, person="jk1.mark.items", items)
    items       for each of AGREED, in order: u16 length little-endian | UTF-8; null: FF FF

A mark is set where the record is saved, in the same transaction; who is struck off has none.
"""

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b

from appliance.errors import NotPermitted
from appliance.items import BY_NAME, CELLS, ItemName, Values, open_form
from appliance.standing import REMOVED_FLAG
from appliance.values.identifiers import Municipalities
from storage.derive import derive
from storage.engine import Engine, Fields, Mark, PersonId, Unit, View

ROOT = "mark-root/1"
ITEM_LIST = "juki-marks/1"
"""The name of ``AGREED``; a list that is any different has another name."""
AGREED = tuple(
    ItemName(name)
    for name in (
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
        "reason",
        "effective_date",
        "municipality_code",
        "town_code",
        "update_number",
        "name_gaiji_serial",
        "address_gaiji_serial",
    )
)
"""What a municipality sends, and so what both files must agree on."""
PLACE_SIZE = 16
MARK_SIZE = PLACE_SIZE + 16
"""Of a place and its digest."""

_GROUP, _CODE = ItemName("municipality_code"), ItemName("resident_code")
_ITEMS = tuple(BY_NAME[name] for name in AGREED)
_NUMBERS = tuple(item.number for item in _ITEMS)
_NULL = b"\xff\xff"
_AT_ONCE = 500


def place_of(key: bytes, resident_code: str) -> bytes:
    """Return the place of a 住民票コード under the key of a group, 16 bytes."""
    data = resident_code.encode()
    return blake2b(data, digest_size=PLACE_SIZE, key=key, person=b"jk1.mark.place").digest()


def digest_of(key: bytes, values: Values) -> bytes:
    """Return the digest of the agreed items under the key of a group, 16 bytes."""
    return _digest(key, {item.number: item.encode(values.get(item.name)) for item in _ITEMS})


def _digest(key: bytes, cells: Fields) -> bytes:
    parts = [cells[number] for number in _NUMBERS]
    data = b"".join([_NULL if p is None else len(p).to_bytes(2, "little") + p for p in parts])
    return blake2b(data, digest_size=16, key=key, person=b"jk1.mark.items").digest()


class Marker:
    """Makes marks; holds the root from which the keys of all groups come."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._keys: dict[str, bytes] = {}

    def key(self, group: str) -> bytes:
        """Return the key of a group, 32 bytes."""
        if group not in self._keys:
            self._keys[group] = derive(self._root, b"jk1.mark.key", group.encode())
        return self._keys[group]

    def mark(self, person: PersonId, values: Values, cells: Fields | None = None) -> Mark | None:
        """Return the mark of a whole record, or None if the person is struck off.

        ``cells`` are the same values as they are sealed, where the caller has them.
        """
        if (seat := self._seat(values)) is None:
            return None
        group, place = seat
        key = self.key(group)
        digest = digest_of(key, values) if cells is None else _digest(key, cells)
        return Mark(group, place, digest, person)

    def move(self, unit: Unit, person: PersonId, before: Values | None, after: Values) -> None:
        """Bring the mark of a person from one record to the next."""
        old = None if before is None else self._seat(before)
        new = self.mark(person, after)
        if old and (new is None or old != (new.group, new.place)):
            unit.unmark(*old)
        if new:
            unit.mark(new)

    def _seat(self, values: Values) -> tuple[str, bytes] | None:
        """Return the group and the place of a record's mark, or None if it has none."""
        if values.get(REMOVED_FLAG):
            return None
        group = str(values[_GROUP])
        return group, place_of(self.key(group), str(values[_CODE]))


class Marks:
    """The marks that the caller may compare: those of the municipality whose server it is."""

    def __init__(
        self, view: View, marker: Marker, municipalities: Municipalities, caller: str | None
    ) -> None:
        """``caller`` is the 市町村コード of the certificate, None for everybody else."""
        self._view = view
        self._marker = marker
        self.groups = () if caller is None else municipalities.covered_by(caller)
        """The caller's own 市町村コード and, of a 指定都市, those of its wards."""

    def key(self, group: str) -> bytes:
        """Return the key of one of the caller's groups.

        Raises:
            NotPermitted: it is another municipality's.
        """
        return self._marker.key(self._own(group))

    def each(
        self, group: str, first: bytes = b"", last: bytes = b"\xff" * PLACE_SIZE
    ) -> Iterator[Mark]:
        """Yield the marks of one of the caller's groups, ``first`` to ``last``, in order of place.

        Raises:
            NotPermitted: it is another municipality's.
        """
        return self._view.marks(self._own(group), first, last)

    def packed(
        self, group: str, first: bytes = b"", last: bytes = b"\xff" * PLACE_SIZE
    ) -> Iterator[bytes]:
        """Yield the same marks as place and digest side by side (``MARK_SIZE``), many at a time.

        Raises:
            NotPermitted: it is another municipality's.
        """
        return self._view.packed_marks(self._own(group), first, last)

    def at(self, group: str, place: bytes) -> Mark | None:
        """Return the mark at a place, or None: nobody current has this 住民票コード in the group.

        Raises:
            NotPermitted: it is another municipality's.
        """
        return next(iter(self.each(group, place, place)), None)

    def _own(self, group: str) -> str:
        if group not in self.groups:
            raise NotPermitted("municipality_code: not a municipality of this certificate")
        return group


def mark_everybody(engine: Engine, marker: Marker) -> int:
    """Set the marks of a store that was made without any; return how many persons there are.

    In units of a fraction of a second each. Doing it again changes nothing.
    """
    after, count, cells = 0, 0, [item.number for item in CELLS]
    while True:
        with engine.view() as view:
            persons = view.persons(after, _AT_ONCE)
            records = [view.read(person, cells) for person in persons]
        if not records:
            return count
        found = (marker.mark(r.version.person, open_form(r.fields)) for r in records)
        engine.write(_setter([mark for mark in found if mark]))
        after, count = persons[-1], count + len(persons)


def _setter(marks: Iterable[Mark]) -> Callable[[Unit], None]:
    def work(unit: Unit) -> None:
        for mark in marks:
            unit.mark(mark)

    return work
