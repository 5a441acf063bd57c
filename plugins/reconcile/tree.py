"""Buckets of marks: how two files that differ in little find out where (pure).

A bucket is all marks of a group whose place begins with a *prefix*, in hexadecimal digits; "" is
the whole group. Two buckets agree when their digests do::

    digest of a bucket   BLAKE2b-128(person="jk1.mark.bucket", place | digest of each, in order)

Of a bucket that differs, either the sixteen below it are compared, or, once it is small, its marks
themselves. Places are as good as random, so the buckets of a level are of one size, and what is
exchanged follows the number of differences and not the number of residents.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from appliance.plugin_api import MARK_SIZE

SMALL = 32
"""Marks in a bucket that is not worth dividing again."""
PLACE_DIGITS = 32

Next = Literal["digests", "marks"]


@dataclass(frozen=True, slots=True)
class Sum:
    """What a bucket comes to: how many marks, and their digest in hexadecimal digits."""

    count: int
    digest: str


@dataclass(frozen=True, slots=True)
class Split:
    """How the marks of one small bucket differ, by place."""

    send: tuple[bytes, ...]
    """Theirs, which we have otherwise or not at all."""
    absent: tuple[bytes, ...]
    """Ours, which they do not have."""


def bounds(prefix: str) -> tuple[bytes, bytes]:
    """Return the first and the last place of a bucket."""
    return (
        bytes.fromhex(prefix.ljust(PLACE_DIGITS, "0")),
        bytes.fromhex(prefix.ljust(PLACE_DIGITS, "f")),
    )


def summed(packed: Iterable[bytes]) -> Sum:
    """Return what packed marks come to, read once in the order of their places."""
    hasher, size = blake2b(digest_size=16, person=b"jk1.mark.bucket"), 0
    for marks in packed:
        hasher.update(marks)
        size += len(marks)
    return Sum(size // MARK_SIZE, hasher.hexdigest())


def beneath(ours: Sum, theirs: Sum) -> Next | None:
    """Return how to go on with a bucket, or None if both agree on it."""
    if ours == theirs:
        return None
    return "marks" if max(ours.count, theirs.count) <= SMALL else "digests"


def split(ours: Mapping[bytes, bytes], theirs: Mapping[bytes, bytes]) -> Split:
    """Compare the marks of one bucket: digests by place."""
    return Split(
        send=tuple(place for place, digest in theirs.items() if ours.get(place) != digest),
        absent=tuple(place for place in ours if place not in theirs),
    )
