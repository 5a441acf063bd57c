"""Verifies an exported ledger offline, from its files and the verifier key alone.

The folder may come from anybody: only regular files are read, and no more of one than it can hold.

Three things must agree: the entries, the tiles, and the signed root.  When they do not, two of
them usually do, and the third is the one to blame:

    entries give the root, a tile differs from them        the tile was changed
    tiles give the root, an entry differs from its tile    the entry was changed
    neither gives the root                                 both were; the first place is named
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from storage.errors import LedgerBroken
from storage.merkle import (
    TILE_WIDTH,
    Frontier,
    Tree,
    leaf_hash,
    root_of,
    tile_width,
    tiles_of,
)
from storage.note import Checkpoint, VerifierKey, open_checkpoint
from storage.tiles import FolderReader, bundle_path, read_checkpoint, tile_path, unpack_bundle


@dataclass(frozen=True, slots=True)
class Report:
    """What came out: the checkpoint if its signature holds, and the first thing that is wrong.

    ``entry`` is the index of the entry to blame, where it is one.
    """

    checkpoint: Checkpoint | None
    problem: str | None = None
    entry: int | None = None

    @property
    def sound(self) -> bool:
        """Whether every entry is as it was signed."""
        return self.problem is None


def verify_folder(
    folder: Path, vkey: str, progress: Callable[[int], None] = lambda _: None
) -> Report:
    """Recompute an exported ledger, every entry and every tile, and compare with what was signed.

    Args:
        folder: as ``tiles.export`` wrote it.
        vkey: the verifier key of the ledger.
        progress: told how many entries were read, now and then.

    Raises:
        ValueError: the verifier key is none.
        OSError: a file cannot be read, though it is there.
    """
    key = VerifierKey.parse(vkey)
    try:
        checkpoint = _signed(folder, key)
    except LedgerBroken as problem:
        return Report(None, str(problem))
    audit = _Audit(folder, checkpoint)
    try:
        audit.read(progress)
        audit.judge()
    except _Blame as blame:
        return Report(checkpoint, str(blame), blame.entry)
    except LedgerBroken as problem:
        return Report(checkpoint, str(problem))
    return Report(checkpoint)


class _Blame(LedgerBroken):
    """What is wrong, and with which entry."""

    def __init__(self, text: str, entry: int | None = None) -> None:
        super().__init__(text)
        self.entry = entry


class _Audit:
    """One pass over the entries, and the comparison of all hashes they give with the tiles."""

    def __init__(self, folder: Path, checkpoint: Checkpoint) -> None:
        self._files = FolderReader(folder, checkpoint.size)
        self._checkpoint = checkpoint
        self._frontier = Frontier()
        self._differing_entry: int | None = None
        self._differing_tile: str | None = None

    def read(self, progress: Callable[[int], None]) -> None:
        """Hash every entry and compare with every tile, level by level as they fill.

        Raises:
            LedgerBroken: a file is missing or cut.
        """
        size = self._checkpoint.size
        rows: dict[int, list[bytes]] = {}
        for n, width in _bundles(size):
            hashes = self._leaf_hashes(n, width)
            for leaf in hashes:
                self._frontier, completed = self._frontier.grow(leaf)
                for level, _, root in completed:
                    rows.setdefault(level, []).append(root)
            for level in [level for level in rows if len(rows[level]) == TILE_WIDTH]:
                filled = self._frontier.size >> (8 * (level + 1))
                self._compare(level, filled - 1, rows.pop(level))
            progress(self._frontier.size)
        for level, row in rows.items():
            self._compare(level, (size >> 8 * level) // TILE_WIDTH, row)

    def judge(self) -> None:
        """Raise _Blame with whatever is to blame, if anything is."""
        if self._frontier.root() == self._checkpoint.root:
            if self._differing_tile is not None:
                raise _Blame(f"{self._differing_tile} does not follow from the entries")
            return
        unproven, entry = self._first_unproven(), self._differing_entry
        if unproven is not None:
            raise _Blame(f"{unproven} does not lead to the signed root, nor do the entries", entry)
        raise _Blame(f"entry {entry} is not the one that was signed", entry)

    def _leaf_hashes(self, n: int, width: int) -> list[bytes]:
        entries, whole = unpack_bundle(self._files.bundle(n, width), width)
        hashes = [leaf_hash(entry) for entry in entries]
        tile = self._files.tile_hashes(0, n, width)
        differing = _first_difference(hashes, tile)
        if differing is not None and self._differing_entry is None:
            self._differing_entry = n * TILE_WIDTH + differing
            self._differing_tile = self._differing_tile or tile_path(0, n, width)
        if not whole:
            # A changed length shifts all that follows: the first entry that differs is the one.
            entry = n * TILE_WIDTH + (len(entries) if differing is None else differing)
            path = bundle_path(n, width)
            raise _Blame(f"{path} does not hold its {width} entries, from entry {entry} on", entry)
        return hashes

    def _compare(self, level: int, n: int, hashes: list[bytes]) -> None:
        """Remember the first tile that is not what the entries give."""
        width = len(hashes)
        if self._differing_tile is None and self._files.tile_hashes(level, n, width) != hashes:
            self._differing_tile = tile_path(level, n, width)

    def _first_unproven(self) -> str | None:
        """Return the highest tile that does not lead to the signed root, None if all do."""
        size = self._checkpoint.size
        if Tree(size, self._files).root() != self._checkpoint.root:
            return "the last tile of a level"
        for level, n, width in reversed(list(tiles_of(size))):
            # The last, partial tiles make the root and are proven by it.
            if width == TILE_WIDTH:
                above, inside = divmod(n, TILE_WIDTH)
                parent = self._files.tile_hashes(
                    level + 1, above, tile_width(size, level + 1, above)
                )
                if root_of(self._files.tile_hashes(level, n, width)) != parent[inside]:
                    return tile_path(level, n, width)
        return None


def _signed(folder: Path, key: VerifierKey) -> Checkpoint:
    note = read_checkpoint(folder)
    if note is None:
        raise LedgerBroken("the checkpoint is missing")
    return open_checkpoint(note, key)


def _bundles(size: int) -> Iterator[tuple[int, int]]:
    for n in range(-(-size // TILE_WIDTH)):
        yield n, tile_width(size, 0, n)


def _first_difference(some: list[bytes], others: list[bytes]) -> int | None:
    """Return the first place where two rows differ, as far as the shorter goes."""
    for place, (one, other) in enumerate(zip(some, others, strict=False)):
        if one != other:
            return place
    return None
