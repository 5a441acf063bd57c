"""Versions of a record as sealed cells, one cell a field (format jk1).

A version is five parts, integers little-endian::

    hdr    10  u8 format=1 | u8 flags=0 | u16 table | u16 generation | u32 kek
    wrap   72  nonce 24 | XChaCha20-Poly1305(kek, row secret 32)
    rsc    32  BLAKE2b-256(key=row secret, person="jk1.rsc")
    seal   32  BLAKE2b-256(key=seal key, person="jk1.seal",
                   store 16 | u64 person | u32 version | hdr[0:6] | rsc | previous seal | cells)
    cells      u8 n | n x (u8 field, u16 length) | n x (ChaCha20-Poly1305 ciphertext, tag 16)

    key of a cell    BLAKE2b-256(key=field key, person="jk1.cell", row secret)
    bound to a cell  "jk1c" | store 16 | u16 table | u16 generation | u16 field
                     | u64 person | u32 version
    bound to wrap    "jk1w" | store 16 | u16 table | u64 person | u32 version | u32 kek
    plaintext        value | 0x80 | 0x00 ... to a multiple of 16, of 32 where length tells most

What a cell is bound to is never stored: it is computed from where the cell *should* lie, so a cell
that was moved does not open.  The row secret is drawn anew for every sealing and never passed in;
hence every cell key seals one message, and the nonce of cells can be twelve zero bytes.  Whoever
destroys the kek has destroyed the version.  The kek and the wrap stand outside the seal, so that
re-wrapping leaves the chain of seals as it is.
"""

import hmac
import os
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate, pairwise
from struct import Struct
from typing import NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from storage import aead
from storage.derive import KEY_SIZE, derive
from storage.errors import Tampered, WrongKey

RESIDENTS = 1
"""The number of the residents' table."""

FIELD_CLASSES: Mapping[int, str] = (
    dict.fromkeys(range(1, 26), "other")
    | dict.fromkeys((2, 4, 5, 6, 7, 13, 14, 15, 25), "basic")
    | {1: "jukicode", 9: "mynumber"}
)
"""Which root a field's key comes from.  住民票コード and 個人番号 have roots of their own."""

NO_SEAL = bytes(32)
"""Stands before the seal of a first version."""

_FORMAT = 1
_ABSENT = b"\x00"
_SEALED_ABSENT = _ABSENT + b"\x80"
_WIDE = frozenset({2, 4, 7, 13})
_NONCE = bytes(12)
_LARGEST_VALUE = 0xFFFF - aead.TAG_SIZE - 32
_MARK_AND_ZEROS = b"\x80" + bytes(31)
_HEADER = Struct("<BBHHI")
_CELL_PLACE = Struct("<QI")
_WRAP_PLACE = Struct("<HQII")
_DIRECTORY = tuple(Struct("<" + "BH" * count) for count in range(256))
_FIELD_NUMBER = tuple(number.to_bytes(2, "little") for number in range(256))


class Place(NamedTuple):
    """Where a version lies: the store's 16-byte id, the table, the person, the version."""

    db: bytes
    table: int
    person: int
    version: int

    def __str__(self) -> str:
        return f"table {self.table} person {self.person} version {self.version}"


class SealedVersion(NamedTuple):
    """A version as it lies on disk, in the order of the columns."""

    hdr: bytes
    wrap: bytes
    rsc: bytes
    seal: bytes
    cells: bytes


class Kek(NamedTuple):
    """A retention key, which wraps row secrets, and its number in the key ring."""

    id: int
    key: bytes


class FieldKeys:
    """The keys of some fields of a table, ready for use; who holds none for a field is blind to it.

    Immutable; threads may share it.
    """

    __slots__ = ("_states", "generation", "table")

    def __init__(
        self,
        roots: Mapping[str, bytes],
        *,
        table: int = RESIDENTS,
        generation: int = 1,
        fields: Iterable[int] = FIELD_CLASSES,
    ) -> None:
        """Derive the keys of ``fields`` as far as the root of their class is among ``roots``.

        Args:
            roots: root keys, 32 bytes, by class of field.
            table: the table the keys are for.
            generation: the generation of the roots.
            fields: the numbers of the fields.
        """
        self.table = table
        self.generation = generation
        self._states = {
            field: blake2b(
                digest_size=KEY_SIZE,
                key=field_key(roots[FIELD_CLASSES[field]], table, field),
                person=b"jk1.cell",
            )
            for field in fields
            if FIELD_CLASSES[field] in roots
        }

    @property
    def fields(self) -> frozenset[int]:
        """The fields these keys are for."""
        return frozenset(self._states)

    def only(self, fields: Collection[int]) -> Self:
        """Return the keys of just these fields, as far as they are held."""
        narrower = type(self)({}, table=self.table, generation=self.generation)
        narrower._states = {field: self._states[field] for field in self._states if field in fields}
        return narrower

    def cell_key(self, field: int, row_secret: bytes) -> bytes:
        """Return the key of one cell of one sealing.

        Raises:
            WrongKey: no key is held for this field.
        """
        try:
            state = self._states[field].copy()
        except KeyError:
            raise WrongKey(f"no key is held for field {field}") from None
        state.update(row_secret)
        return state.digest()


def field_key(root: bytes, table: int, field: int) -> bytes:
    """Return the key of a field, from the root of its class."""
    return derive(root, b"jk1.field", _FIELD_NUMBER[table] + _FIELD_NUMBER[field])


def seal_version(
    place: Place,
    fields: Mapping[int, bytes | None],
    keys: FieldKeys,
    kek: Kek,
    seal_key: bytes,
    previous_seal: bytes = NO_SEAL,
) -> SealedVersion:
    """Seal the fields of a version for its place, under a row secret drawn here and now.

    Args:
        place: where the version will lie.
        fields: values by field number, 1 to 25; None is sealed as any value is.
        keys: must hold a key for every field given.
        kek: the retention key.
        seal_key: links the versions of a person.
        previous_seal: the seal of the version before; ``NO_SEAL`` for the first.

    Raises:
        ValueError: a value cannot be told from None, or is longer than 65,487 bytes.
        WrongKey: a field's key is not held.
    """
    return _sealed(place, fields, keys, kek, seal_key, previous_seal, os.urandom(KEY_SIZE))


class OpenVersion:
    """A version whose row secret is unwrapped: opens cells as they are asked for, each once."""

    __slots__ = ("_cells", "_head", "_keys", "_opened", "_place", "_secret", "_spans", "_tail")

    def __init__(
        self, place: Place, sealed: SealedVersion, keys: FieldKeys, keks: Mapping[int, bytes]
    ) -> None:
        """Unwrap the row secret of a version; no cell is opened.

        Args:
            place: where the version lies.
            sealed: its parts; the seal is not looked at.
            keys: the field keys held.
            keks: retention keys by number.

        Raises:
            Tampered: a part does not belong here, was changed, or its retention key is gone.
        """
        generation = _header(place, sealed.hdr)[3]
        if generation != keys.generation:
            raise Tampered(f"{place} is of field generation {generation}, not {keys.generation}")
        self._place = place
        self._keys = keys
        self._secret = _row_secret(place, sealed, keks)
        self._cells = sealed.cells
        self._spans = _directory(place, sealed.cells)
        self._head = b"jk1c" + place.db + sealed.hdr[2:6]
        self._tail = _CELL_PLACE.pack(place.person, place.version)
        self._opened: dict[int, bytes | None] = {}

    def cells(self, wanted: Collection[int]) -> dict[int, bytes | None]:
        """Open these fields, and no others.

        Raises:
            Tampered: a cell does not belong here, or was changed.
            WrongKey: the key of a wanted field is not held.
        """
        opened = self._opened
        for field in wanted:
            if field not in opened:
                opened[field] = self._open(field)
        return {field: opened[field] for field in wanted}

    def _open(self, field: int) -> bytes | None:
        key = self._keys.cell_key(field, self._secret)
        if field not in self._spans:
            raise Tampered(f"{self._place} has no cell of field {field}")
        start, stop = self._spans[field]
        bound = self._head + _FIELD_NUMBER[field] + self._tail
        try:
            plain = ChaCha20Poly1305(key).decrypt(_NONCE, self._cells[start:stop], bound)
        except InvalidTag:
            raise Tampered(f"{self._place} field {field} does not open") from None
        value = plain.rstrip(b"\x00")
        if not value.endswith(b"\x80"):
            raise Tampered(f"{self._place} holds a cell without its padding")
        return None if value == _SEALED_ABSENT else value[:-1]


def open_cells(
    place: Place,
    sealed: SealedVersion,
    wanted: Collection[int],
    keys: FieldKeys,
    keks: Mapping[int, bytes],
) -> dict[int, bytes | None]:
    """Open the wanted fields of a version, and no others; takes and raises as ``OpenVersion``."""
    return OpenVersion(place, sealed, keys, keks).cells(wanted)


def verify_seal(
    place: Place, sealed: SealedVersion, seal_key: bytes, previous_seal: bytes = NO_SEAL
) -> None:
    """Check that a version follows the one before it, whole and unchanged.

    Needs no key that opens a cell, and holds when the retention key was changed or destroyed.

    Raises:
        Tampered: it does not.
    """
    _header(place, sealed.hdr)
    seal = _seal(place, sealed.hdr, sealed.rsc, sealed.cells, seal_key, previous_seal)
    if not hmac.compare_digest(seal, sealed.seal):
        raise Tampered(f"{place} does not follow the version before it")


def kek_of(hdr: bytes) -> int:
    """Return the number of the retention key that a header names."""
    return int.from_bytes(hdr[6:10], "little")


def rewrap(
    place: Place, sealed: SealedVersion, keks: Mapping[int, bytes], kek: Kek
) -> SealedVersion:
    """Return the version with its row secret under another retention key; cells and seal stay.

    Raises:
        Tampered: the row secret does not open here.
    """
    form, flags, table, generation, _ = _header(place, sealed.hdr)
    secret = _row_secret(place, sealed, keks)
    hdr = _HEADER.pack(form, flags, table, generation, kek.id)
    wrap = _wrap(place, secret, kek)
    return sealed._replace(hdr=hdr, wrap=wrap)


def _sealed(
    place: Place,
    fields: Mapping[int, bytes | None],
    keys: FieldKeys,
    kek: Kek,
    seal_key: bytes,
    previous_seal: bytes,
    secret: bytes,
    wrap_nonce: bytes | None = None,
) -> SealedVersion:
    hdr = _HEADER.pack(_FORMAT, 0, place.table, keys.generation, kek.id)
    head = b"jk1c" + place.db + hdr[2:6]
    tail = _CELL_PLACE.pack(place.person, place.version)
    directory: list[int] = []
    sealing = []
    for field in sorted(fields):
        plain = _padded(field, fields[field])
        directory += field, len(plain) + aead.TAG_SIZE
        sealing.append((keys.cell_key(field, secret), plain, head + _FIELD_NUMBER[field] + tail))
    count = len(sealing)
    written = bytes([count]) + _DIRECTORY[count].pack(*directory)
    cells = written + aead.seal_once(sealing, sum(directory[1::2]))
    rsc = _commitment(secret)
    seal = _seal(place, hdr, rsc, cells, seal_key, previous_seal)
    return SealedVersion(hdr, _wrap(place, secret, kek, wrap_nonce), rsc, seal, cells)


def _header(place: Place, hdr: bytes) -> tuple[int, int, int, int, int]:
    if len(hdr) != _HEADER.size:
        raise Tampered(f"the header of {place} is cut")
    form, flags, table, generation, kek = _HEADER.unpack(hdr)
    if form != _FORMAT or flags != 0:
        raise Tampered(f"the header of {place} is of no known format")
    if table != place.table:
        raise Tampered(f"{place} holds a version of table {table}")
    return form, flags, table, generation, kek


def _directory(place: Place, cells: bytes) -> Mapping[int, tuple[int, int]]:
    """Return where each field's cell lies; fields ascend and the cells fill the part exactly."""
    count = cells[0] if cells else 0
    if len(cells) < (start := 1 + _DIRECTORY[count].size):
        raise Tampered(f"the cells of {place} are cut")
    spans, stop = _spans(count, cells[1:start])
    if stop != len(cells):
        raise Tampered(f"the cells of {place} do not match their directory")
    return spans


@lru_cache(maxsize=1024)
def _spans(count: int, directory: bytes) -> tuple[Mapping[int, tuple[int, int]], int]:
    """Return where the cells of a directory lie and end; 0 if its fields do not ascend.

    Padding leaves few lengths, so most versions have the directory of some other one.
    """
    numbers = _DIRECTORY[count].unpack(directory)
    fields, bounds = numbers[::2], [*accumulate(numbers[1::2], initial=1 + len(directory))]
    ascending = sorted(set(fields)) == list(fields)
    return dict(zip(fields, pairwise(bounds), strict=True)), bounds[-1] if ascending else 0


def _padded(field: int, value: bytes | None) -> bytes:
    if value is None:
        value = _ABSENT
    elif value == _ABSENT or len(value) > _LARGEST_VALUE:
        raise ValueError(f"the value of field {field} cannot be sealed")
    block = 32 if field in _WIDE else 16
    return (value + _MARK_AND_ZEROS)[: (len(value) // block + 1) * block]


def _wrap_place(place: Place, kek: int) -> bytes:
    return b"jk1w" + place.db + _WRAP_PLACE.pack(place.table, place.person, place.version, kek)


def _wrap(place: Place, secret: bytes, kek: Kek, nonce: bytes | None = None) -> bytes:
    return aead.seal(secret, kek.key, _wrap_place(place, kek.id), nonce=nonce)


def _row_secret(place: Place, sealed: SealedVersion, keks: Mapping[int, bytes]) -> bytes:
    kek = kek_of(sealed.hdr)
    if kek not in keks:
        raise Tampered(f"{place} is under retention key {kek}, which is not held")
    try:
        secret = aead.unseal(sealed.wrap, keks[kek], _wrap_place(place, kek))
    except aead.DoesNotOpen:
        raise Tampered(f"the row secret of {place} does not open") from None
    if not hmac.compare_digest(_commitment(secret), sealed.rsc):
        raise Tampered(f"the row secret of {place} is not the one committed to")
    return secret


def _commitment(secret: bytes) -> bytes:
    return derive(secret, b"jk1.rsc")


def _seal(
    place: Place, hdr: bytes, rsc: bytes, cells: bytes, seal_key: bytes, previous: bytes
) -> bytes:
    lies = place.db + _CELL_PLACE.pack(place.person, place.version)
    return derive(seal_key, b"jk1.seal", lies + hdr[:6] + rsc + previous + cells)
