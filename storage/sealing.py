"""What a process that only seals does: versions and postings, made for a file it never opens.

Sealing takes most of the time of a load, and a process has one core. So a load has several that
seal, and one that writes (``bulk.py``). A sealing process is given the keys of ``SealingKeys`` and
no others: not the page key, nor those of the ledger, nor the root; it can make versions and cannot
read the file.

Postings are packed, so that they are sorted as numbers and cost 8 bytes each::

    slice      index * 16 + top 4 bits of the token
    posting    u64: token << 32 | person
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from storage import records, terms
from storage.cells import FieldKeys, Kek, seal_version
from storage.engine import Fields, PersonId
from storage.keyring import KeyRing
from storage.lthash import State

SLICES = 16
"""Of an index; a slice is sorted in memory."""
MOST_BITS = 31
PERSON_BITS = 32

Row = tuple[int, bytes, bytes, bytes, bytes, bytes]
"""A version as the table has it: its number, and the five parts."""


Compound = tuple[int, int]
"""The number of an index, and a token of it."""


class SealingKeys(NamedTuple):
    """The keys of a process that seals new versions; may cross a pipe, and nothing else."""

    installation: bytes
    fields: Mapping[str, bytes]
    kek: Kek
    seal: bytes
    token_bits: int

    @classmethod
    def of(cls, ring: KeyRing) -> Self:
        """Take them from a ring.

        Raises:
            ValueError: the tokens of this store are too wide to be packed.
        """
        if ring.token_bits > MOST_BITS:
            raise ValueError(f"tokens of {ring.token_bits} bits cannot be packed")
        kek = ring.kek(f"kek/active/{max(ring.family('kek/active'))}")
        return cls(ring.installation, ring.field_roots(), kek, ring.key("seal/1"), ring.token_bits)


class Sealed(NamedTuple):
    """First versions of persons that follow one another, ready to be written."""

    rows: list[Row]
    digest: State
    """Over the rows."""
    postings: dict[int, bytes]
    """By slice, as little-endian ``u64``."""


class Sealer:
    """Seals first versions."""

    def __init__(self, keys: SealingKeys) -> None:
        self._keys = keys
        self._fields = FieldKeys(keys.fields)
        self._shift = max(0, keys.token_bits - SLICES.bit_length() + 1)

    def seal(self, persons: Iterable[tuple[PersonId, Fields, Iterable[Compound]]]) -> Sealed:
        """Seal the first version of each person, who is found by these compound tokens."""
        rows, digest = [], State()
        postings: defaultdict[int, array[int]] = defaultdict(lambda: array("Q"))
        for person, fields, tokens in persons:
            row = self._row(person, fields)
            rows.append(row)
            digest = digest.add(records.counted(row[0], row[4]))
            for index, value in tokens:
                where = index * SLICES + (value >> self._shift)
                postings[where].append(value << PERSON_BITS | person)
        return Sealed(rows, digest, {at: packed.tobytes() for at, packed in postings.items()})

    def _row(self, person: PersonId, fields: Fields) -> Row:
        keys, vid = self._keys, records.vid_of(person, 1)
        place = records.place_of(keys.installation, vid)
        return (vid, *seal_version(place, fields, self._fields, keys.kek, keys.seal))


def index_of(where: int) -> int:
    """Return the bits that every token of a slice has in the table, beside its own."""
    return (where // SLICES) << terms.VALUE_BITS
