"""What a municipality tells the prefecture: one Notice, written as one JSON line.

::

    residents.jsonl   the population: one Notice a line, sequence 1, 2, 3 ...
    movements.jsonl   what happens afterwards, one Notice a line in the order of sending;
                      a duplicate stands there twice, a lost notice where it is sent again
    expected.jsonl    one Expectation a line, for the lines of movements.jsonl (1, 2, 3 ...) that
                      are not simply applied

Two files agree when their digests do: :func:`digest` over the eight items that leave the
prefecture (R27), one record a person, sorted by 住民票コード.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final, TypeVar

import msgspec

EIGHT: Final = (
    "resident_code",
    "name",
    "birth_date",
    "sex",
    "address",
    "my_number",
    "reason",
    "effective_date",
)
"""The items the prefecture passes on to the national server (R27)."""


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One notification of a 市町村CS (R23), every field written out."""

    sequence: int
    resident_code: str
    previous_resident_code: str | None = None
    name: str
    name_gaiji_count: int = 0
    kana: str | None
    birth_date: str
    birth_date_as_written: str | None = None
    sex: str
    address: str
    address_gaiji_count: int = 0
    my_number: str | None
    reason: str
    effective_date: str
    municipality_code: str
    town_code: str | None
    update_number: int = 1
    name_gaiji_serial: int = 0
    address_gaiji_serial: int = 0


class Eight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The eight items of one person, in the order of :data:`EIGHT`."""

    resident_code: str
    name: str
    birth_date: str
    sex: str
    address: str
    my_number: str | None
    reason: str
    effective_date: str


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """What the prefecture must answer to one line of movements.jsonl."""

    outcome: str
    rule: str | None


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """An expectation and the line it belongs to; ``fault`` says in words what was planted."""

    line: int
    sequence: int
    fault: str
    expected: Expectation


APPLIED: Final = Expectation(outcome="applied", rule=None)

T = TypeVar("T", bound=msgspec.Struct)


def write_lines(path: Path, records: Iterable[msgspec.Struct]) -> int:
    """Write one JSON object a line; return how many."""
    encoder = msgspec.json.Encoder()
    count = 0
    with path.open("wb") as file:
        for record in records:
            file.write(encoder.encode(record) + b"\n")
            count += 1
    return count


def read_lines(path: Path, kind: type[T]) -> Iterator[T]:
    """Yield the records of a file of JSON lines, one at a time."""
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as file:
        for line in file:
            yield decoder.decode(line)


def eight_of(notice: Notice | Eight) -> Eight:
    """Return what the national server must hold of this person."""
    return Eight(*(getattr(notice, name) for name in EIGHT))


def digest(records: Iterable[Eight]) -> str:
    """Return BLAKE2b-256 in hex over the records as JSON arrays, one a line.

    ``records`` must come sorted by 住民票コード, each person once.
    """
    hasher = blake2b(digest_size=32)
    encoder = msgspec.json.Encoder()
    for record in records:
        hasher.update(encoder.encode(msgspec.structs.astuple(record)) + b"\n")
    return hasher.hexdigest()
