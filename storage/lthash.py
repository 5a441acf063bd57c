"""A digest of a set that follows every change without reading the set again.

LtHash16-1024: each element becomes 1,024 numbers of 16 bits, the state is their sum, lane by lane,
modulo 2**16; adding and removing commute.  Two different sets with the same state would solve a
lattice problem of at least 200 bits.  (Bellare and Micciancio 1997; Lewi and others, "Securing
update propagation with homomorphic hashing", ePrint 2019/227.)

    element   SHAKE128("jk1.lthash" | element), 2,048 bytes: 1,024 x u16 little-endian
    state     2,048 bytes, all zero for the empty set
    digest    BLAKE2b-256(state, person="jk1.lthash")

The elements must be distinct by themselves; 65,536 times the same element would vanish.
"""

from dataclasses import dataclass, field
from hashlib import blake2b, shake_128
from typing import Self

STATE_SIZE = 2048

_NAME = b"jk1.lthash"
_HIGH = int.from_bytes(b"\x00\x80" * 1024, "little")
_LOW = int.from_bytes(b"\xff\x7f" * 1024, "little")


@dataclass(frozen=True, slots=True)
class State:
    """The sum of a set of elements; the lanes are held as one large integer."""

    lanes: int = 0
    _digest: list[bytes] = field(default_factory=list, init=False, compare=False, repr=False)
    """Computed at most once: many entries of the ledger carry the same."""

    def add(self, element: bytes) -> Self:
        """Return the state of the set with this element in it."""
        return type(self)(_sum(self.lanes, _expanded(element)))

    def joined(self, other: Self) -> Self:
        """Return the state of this set and another one, which have no element in common."""
        return type(self)(_sum(self.lanes, other.lanes))

    def remove(self, element: bytes) -> Self:
        """Return the state of the set with this element taken out."""
        mine, its = self.lanes, _expanded(element)
        return type(self)(((mine | _HIGH) - (its & _LOW)) ^ ((mine ^ its ^ _HIGH) & _HIGH))

    def digest(self) -> bytes:
        """Return 32 bytes that stand for the set."""
        if not self._digest:
            digest = blake2b(self.to_bytes(), digest_size=32, person=_NAME).digest()
            self._digest.append(digest)
        return self._digest[0]

    def to_bytes(self) -> bytes:
        """Return the state as 2,048 bytes."""
        return self.lanes.to_bytes(STATE_SIZE, "little")

    @classmethod
    def from_bytes(cls, state: bytes) -> Self:
        """Return the state that ``to_bytes`` wrote.

        Raises:
            ValueError: these are not 2,048 bytes.
        """
        if len(state) != STATE_SIZE:
            raise ValueError(f"a state has {STATE_SIZE} bytes, not {len(state)}")
        return cls(int.from_bytes(state, "little"))


def _sum(mine: int, its: int) -> int:
    # The top bit of each lane is added without carry, so that no lane spills into the next.
    return ((mine & _LOW) + (its & _LOW)) ^ ((mine ^ its) & _HIGH)


def _expanded(element: bytes) -> int:
    return int.from_bytes(shake_128(_NAME + element).digest(STATE_SIZE), "little")
