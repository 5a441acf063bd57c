"""The Merkle tree over the ledger: RFC 6962 §2.1, RFC 9162 §2.1.3 and §2.1.4.

    leaf   SHA-256(0x00 | entry)
    node   SHA-256(0x01 | left | right)
    empty  SHA-256("")

``Frontier`` is all that has to be kept to append and to know the root.  Proofs are built from
tiles (C2SP tlog-tiles): tile ``n`` of level ``l`` holds up to 256 hashes, each the root of
``256**l`` entries.

Verifiers are for everybody: they need the root and the proof, and nothing of ours.
"""

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple, Protocol, Self

from storage.errors import LedgerBroken

HASH_SIZE = 32
TILE_HEIGHT = 8
TILE_WIDTH = 256
EMPTY_ROOT = sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node from those of its children."""
    return sha256(b"\x01" + left + right).digest()


class TileHash(NamedTuple):
    """Hash number ``n`` of a tile level: the root of ``256**level`` entries, complete."""

    level: int
    n: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """The complete subtrees of a tree of ``size`` entries, the largest first (a compact range)."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError(f"{len(self.hashes)} subtrees do not make a tree of {self.size}")

    def append(self, leaf: bytes) -> Self:
        """Return the frontier with one more entry, given by its leaf hash."""
        return self.grow(leaf)[0]

    def grow(self, leaf: bytes) -> tuple[Self, list[TileHash]]:
        """Append, and also return the hashes of tile levels 1 and up that became complete."""
        hashes, height, node, before = list(self.hashes), 0, leaf, self.size
        completed = []
        while before & 1:
            node = node_hash(hashes.pop(), node)
            height, before = height + 1, before >> 1
            if height % TILE_HEIGHT == 0:
                completed.append(TileHash(height // TILE_HEIGHT, before, node))
        return type(self)(self.size + 1, (*hashes, node)), completed

    def root(self) -> bytes:
        """Return the root hash of the tree."""
        if not self.hashes:
            return EMPTY_ROOT
        node = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            node = node_hash(left, node)
        return node


class TileReader(Protocol):
    """Where the hashes of the tree come from."""

    def tile_hashes(self, level: int, n: int, width: int) -> Sequence[bytes]:
        """Return the first ``width`` hashes (1 to 256) of tile ``n`` of a level.

        Raises:
            LedgerBroken: they are not there.
        """
        ...


class Tree:
    """A tree of ``size`` entries read from tiles; makes proofs.  Keeps the tiles it has read."""

    def __init__(self, size: int, reader: TileReader) -> None:
        self.size = size
        self._reader = reader
        self._tiles: dict[tuple[int, int], Sequence[bytes]] = {}

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first ``size`` entries, of all of them if not given.

        Raises:
            ValueError: there are not so many.
            LedgerBroken: a tile is missing or short.
        """
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise ValueError(f"no tree of {size} in a tree of {self.size}")
        return self._range(0, size) if size else EMPTY_ROOT

    def frontier(self) -> Frontier:
        """Return the frontier of the whole tree, to go on appending to it.

        Raises:
            LedgerBroken: a tile is missing or short.
        """
        heights = [bit for bit in reversed(range(self.size.bit_length())) if self.size >> bit & 1]
        return Frontier(self.size, tuple(self._node(h, (self.size >> h) - 1) for h in heights))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the proof that entry ``index`` is in the tree (RFC 9162 §2.1.3.1).

        Raises:
            ValueError: there is no such entry in a tree of that size.
            LedgerBroken: a tile is missing or short.
        """
        size = self.size if size is None else size
        if not 0 <= index < size <= self.size:
            raise ValueError(f"no entry {index} in a tree of {size}")
        proof: list[bytes] = []
        start, stop = 0, size
        while stop - start > 1:
            middle = start + _split(stop - start)
            if index < middle:
                proof.append(self._range(middle, stop))
                stop = middle
            else:
                proof.append(self._range(start, middle))
                start = middle
        return proof[::-1]

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """Return the proof that the tree of ``old`` entries only grew (RFC 9162 §2.1.4.1).

        Raises:
            ValueError: ``old`` is not in 1 to ``size``.
            LedgerBroken: a tile is missing or short.
        """
        size = self.size if size is None else size
        if not 0 < old <= size <= self.size:
            raise ValueError(f"no tree of {size} grew from one of {old}")
        proof: list[bytes] = []
        start, stop = 0, size
        while stop != old:
            middle = start + _split(stop - start)
            if old <= middle:
                proof.append(self._range(middle, stop))
                stop = middle
            else:
                proof.append(self._range(start, middle))
                start = middle
        if start:
            proof.append(self._range(start, stop))
        return proof[::-1]

    def _range(self, start: int, stop: int) -> bytes:
        """Return the root of entries ``start`` to ``stop`` as the tree above splits them."""
        width = stop - start
        if width & (width - 1) == 0:
            height = width.bit_length() - 1
            return self._node(height, start >> height)
        middle = start + _split(width)
        return node_hash(self._range(start, middle), self._range(middle, stop))

    def _node(self, height: int, index: int) -> bytes:
        """Return the root of the complete subtree ``index`` of ``2**height`` entries."""
        level, inside = divmod(height, TILE_HEIGHT)
        n, start = divmod(index << inside, TILE_WIDTH)
        return root_of(self._tile(level, n)[start : start + (1 << inside)])

    def _tile(self, level: int, n: int) -> Sequence[bytes]:
        if (level, n) not in self._tiles:
            width = tile_width(self.size, level, n)
            hashes = self._reader.tile_hashes(level, n, width)
            if len(hashes) != width:
                raise LedgerBroken(f"tile {n} of level {level} has {len(hashes)} of {width} hashes")
            self._tiles[level, n] = hashes
        return self._tiles[level, n]


def tile_width(size: int, level: int, n: int) -> int:
    """Return how many hashes tile ``n`` of a level has in a tree of ``size`` entries, 0 to 256."""
    return min(TILE_WIDTH, max(0, (size >> (TILE_HEIGHT * level)) - n * TILE_WIDTH))


def tiles_of(size: int, since: int = 0) -> Iterator[tuple[int, int, int]]:
    """Yield level, n and width of every tile a tree of ``size`` has, lower levels first.

    Tiles that were full in a tree of ``since`` entries are left out.
    """
    level = 0
    while hashes := size >> (TILE_HEIGHT * level):
        first = (since >> (TILE_HEIGHT * level)) // TILE_WIDTH
        for n in range(first, -(-hashes // TILE_WIDTH)):
            yield level, n, tile_width(size, level, n)
        level += 1


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Return the root of 1, 2, 4 … subtrees of one height."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that an entry is in the tree (RFC 9162 §2.1.3.2).

    Args:
        leaf: the leaf hash of the entry.
        index: where the entry is, from 0.
        size: entries in the tree.
        proof: hashes from the leaf upwards.
        root: the root hash, from a checkpoint whose signature was checked.

    Raises:
        LedgerBroken: the proof does not show it.
    """
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        raise LedgerBroken("this is not an inclusion proof")
    node, position, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            raise LedgerBroken("the inclusion proof is too long")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last or not hmac.compare_digest(node, root):
        raise LedgerBroken(f"the proof does not show entry {index} in the tree")


def verify_consistency(
    old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes
) -> None:
    """Check that a tree of ``size`` begins with the one of ``old`` entries (RFC 9162 §2.1.4.2).

    An empty old tree says nothing and is refused: ask for no proof then.

    Raises:
        LedgerBroken: the proof does not show it.
    """
    if not 0 < old <= size or not _are_hashes(old_root, root, *proof):
        raise LedgerBroken("this is not a consistency proof")
    path = list(proof)
    if old & (old - 1) == 0 and old != size:
        path.insert(0, old_root)
    if old == size:
        if path or not hmac.compare_digest(old_root, root):
            raise LedgerBroken("two trees of one size differ")
        return
    position, last = old - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    if not path:
        raise LedgerBroken("the consistency proof is too short")
    old_node = node = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise LedgerBroken("the consistency proof is too long")
        if position & 1 or position == last:
            old_node, node = node_hash(sibling, old_node), node_hash(sibling, node)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    follows = hmac.compare_digest(old_node, old_root) and hmac.compare_digest(node, root)
    if last or not follows:
        raise LedgerBroken(f"the tree of {size} does not begin with the tree of {old}")


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(each) == HASH_SIZE for each in hashes)


def _split(width: int) -> int:
    """Return the largest power of two below ``width``."""
    return 1 << (width - 1).bit_length() - 1
