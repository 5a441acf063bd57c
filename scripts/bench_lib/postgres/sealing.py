"""How the rival keeps the items of a resident.

Either its client seals every item by itself, with the same cipher and format as ours
(``storage.cells``), or pgcrypto does in the server, one column an item, with a key that goes along
with every statement.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from appliance.items import BY_NUMBER, CELLS
from storage.cells import (
    FIELD_CLASSES,
    RESIDENTS,
    FieldKeys,
    Kek,
    Place,
    SealedVersion,
    open_cells,
    seal_version,
)
from storage.derive import derive

Cells = Mapping[int, bytes | None]
Row = Sequence[bytes | None]


class Sealing(Protocol):
    """Between the cells of a version and the columns of its row."""

    columns: Sequence[str]
    in_server: bool
    """Whether it is the server that seals."""

    def put(self, column: str) -> str:
        """Return the SQL that makes a column of the parameter or column of its name."""

    def get(self, fields: Sequence[int]) -> str:
        """Return what to select to open these fields."""

    def stored(self, person: int, version: int, cells: Cells) -> Row:
        """Return what is sent for each column."""

    def opened(self, person: int, version: int, row: Row, fields: Sequence[int]) -> Cells:
        """Return the cells of what was selected."""


class ByClient:
    """Sealed before it is sent, and opened after: the database never has a key."""

    columns: Sequence[str] = SealedVersion._fields
    in_server = False

    def __init__(self, secret: bytes) -> None:
        """Make all keys of 32 secret bytes."""
        roots = {name: derive(secret, b"rival", name.encode()) for name in FIELD_CLASSES.values()}
        self._fields = FieldKeys(roots)
        self._kek = Kek(1, derive(secret, b"rival", b"kek"))
        self._seal = derive(secret, b"rival", b"seal")
        self._database = derive(secret, b"rival", b"id")[:16]

    def put(self, column: str) -> str:
        """Leave a column as it was sent."""
        return column

    def get(self, fields: Sequence[int]) -> str:
        """Select the version whole."""
        return ", ".join(self.columns)

    def stored(self, person: int, version: int, cells: Cells) -> Row:
        """Seal a version."""
        place = Place(self._database, RESIDENTS, person, version)
        return seal_version(place, cells, self._fields, self._kek, self._seal)

    def opened(self, person: int, version: int, row: Row, fields: Sequence[int]) -> Cells:
        """Open these cells."""
        place = Place(self._database, RESIDENTS, person, version)
        sealed = SealedVersion(*(part or b"" for part in row))
        return open_cells(place, sealed, fields, self._fields, {1: self._kek.key})


class ByPgcrypto:
    """Sealed in the server by ``pgp_sym_encrypt_bytea``; an item that is not there is NULL."""

    columns: Sequence[str] = tuple(item.name for item in CELLS)
    in_server = True

    def __init__(self, secret: bytes, s2k_mode: int) -> None:
        """Take 32 secret bytes as the password."""
        self._key = secret.hex()
        self._options = f"s2k-mode={s2k_mode}, cipher-algo=aes256, compress-algo=0"

    def put(self, column: str) -> str:
        """Seal a column."""
        return f"pgp_sym_encrypt_bytea({column}, '{self._key}', '{self._options}')"

    def get(self, fields: Sequence[int]) -> str:
        """Open just these columns."""
        names = [BY_NUMBER[number].name for number in fields]
        return ", ".join(f"pgp_sym_decrypt_bytea({name}, '{self._key}')" for name in names)

    def stored(self, person: int, version: int, cells: Cells) -> Row:
        """Send the values as they are."""
        return [cells[item.number] for item in CELLS]

    def opened(self, person: int, version: int, row: Row, fields: Sequence[int]) -> Cells:
        """Take what the server opened."""
        return dict(zip(fields, row, strict=True))


KINDS: Mapping[str, Callable[[bytes], Sealing]] = {
    "client": ByClient,
    "pgcrypto0": lambda secret: ByPgcrypto(secret, 0),
    "pgcrypto1": lambda secret: ByPgcrypto(secret, 1),
}
"""By the name of the schema its tables lie in."""
