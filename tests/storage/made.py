"""Things the storage tests are about, made small: a ledger in memory, a ring, flipped bits."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from storage.keyring import KeyRing
from storage.merkle import Frontier, leaf_hash
from storage.note import Signer, sign_checkpoint

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "jk1.json").read_text("utf-8")
)
ORIGIN = "audit.juki.pref-43.example/g1"
SIGNER = Signer(ORIGIN, bytes(range(32)))
INSTALLATION = bytes(range(100, 116))
ROOT = bytes(range(200, 232))


class LedgerInMemory:
    """Entries, their hashes, and the tile hashes above them."""

    def __init__(self, entries: Iterable[bytes]) -> None:
        self.entries: list[bytes] = []
        self.hashes: dict[int, list[bytes]] = {0: []}
        self.frontier = Frontier()
        for entry in entries:
            self.append(entry)

    def append(self, entry: bytes) -> None:
        self.entries.append(entry)
        self.hashes[0].append(leaf_hash(entry))
        self.frontier, completed = self.frontier.grow(self.hashes[0][-1])
        for level, n, tile_hash in completed:
            row = self.hashes.setdefault(level, [])
            assert n == len(row)
            row.append(tile_hash)

    def tile_hashes(self, level: int, n: int, width: int) -> Sequence[bytes]:
        return self.hashes.get(level, [])[n * 256 : n * 256 + width]

    def entries_raw(self, start: int, stop: int) -> Sequence[bytes]:
        return self.entries[start:stop]

    def checkpoint(self) -> str:
        return sign_checkpoint(SIGNER, self.frontier.size, self.frontier.root())


def small_ledger(size: int) -> LedgerInMemory:
    return LedgerInMemory(b"entry %d" % index for index in range(size))


def small_ring() -> KeyRing:
    return KeyRing.create(ROOT, INSTALLATION, 20, 2026)


def flipped(raw: bytes, bit: int) -> bytes:
    """Return the bytes with one bit changed."""
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def all_flips(raw: bytes) -> Iterator[bytes]:
    for bit in range(8 * len(raw)):
        yield flipped(raw, bit)
