"""The ledger as a folder of plain files that anybody can copy and verify (C2SP tlog-tiles).

    checkpoint                   the signed checkpoint
    checkpoint.witnessed         the newest one that a witness has cosigned; at most as long
    tile/0/x001/x234/067         256 leaf hashes, 32 bytes each
    tile/1/000                   256 roots of tiles of level 0, and so on up
    tile/0/x001/x234/068.p/17    the last tile of a level while it has only 17 hashes
    tile/entries/x001/x234/067   256 entries, each behind its length as u16 big-endian

A file of full width never changes once it is there.  The checkpoint is written last: what it
promises is on disk when it appears.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from storage.disk import read_regular, sync_folder, write_synced
from storage.errors import LedgerBroken
from storage.merkle import HASH_SIZE, TILE_WIDTH, TileReader, Tree, tile_width, tiles_of
from storage.note import Checkpoint, parse_note

CHECKPOINT, WITNESSED = "checkpoint", "checkpoint.witnessed"
MOST_CHECKPOINT = 64 * 1024
"""Bytes of a checkpoint, with the signatures of very many witnesses."""

_LENGTH_SIZE, _LONGEST = 2, 0xFFFF


class LogSource(TileReader, Protocol):
    """Where the hashes and the entries of a ledger come from."""

    def entries_raw(self, start: int, stop: int) -> Sequence[bytes]:
        """Return the entries ``start <= index < stop`` as they are hashed.

        Raises:
            LedgerBroken: one is missing.
        """
        ...


def tile_path(level: int, n: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a tile below the folder."""
    return f"tile/{level}/{_numbered(n, width)}"


def bundle_path(n: int, width: int = TILE_WIDTH) -> str:
    """Return the path of an entry bundle below the folder."""
    return f"tile/entries/{_numbered(n, width)}"


def pack_bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries as the bytes of a bundle.

    Raises:
        OverflowError: an entry is longer than 65,535 bytes.
    """
    return b"".join(len(entry).to_bytes(_LENGTH_SIZE, "big") + entry for entry in entries)


def unpack_bundle(raw: bytes, width: int) -> tuple[list[bytes], bool]:
    """Return the entries of a bundle, and whether there are exactly ``width`` and nothing else."""
    entries: list[bytes] = []
    start = 0
    while len(entries) < width:
        body = start + _LENGTH_SIZE
        stop = body + int.from_bytes(raw[start:body], "big")
        if body > len(raw) or stop > len(raw):
            return entries, False
        entries.append(raw[body:stop])
        start = stop
    return entries, start == len(raw)


class FolderReader:
    """Reads an exported folder of ``size`` entries."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size

    def tile_hashes(self, level: int, n: int, width: int) -> list[bytes]:
        """Return the hashes of a tile.

        Raises:
            LedgerBroken: the file is missing, cut or too long; names it.
        """
        path = tile_path(level, n, width)
        raw = self._read(path, width * HASH_SIZE)
        if len(raw) != width * HASH_SIZE:
            raise LedgerBroken(f"{path} has {len(raw)} bytes, not {width * HASH_SIZE}")
        return [raw[start : start + HASH_SIZE] for start in range(0, len(raw), HASH_SIZE)]

    def bundle(self, n: int, width: int) -> bytes:
        """Return the bytes of an entry bundle.

        Raises:
            LedgerBroken: the file is missing or no bundle; names it.
        """
        return self._read(bundle_path(n, width), width * (_LENGTH_SIZE + _LONGEST))

    def entry(self, index: int) -> bytes:
        """Return one entry.

        Raises:
            LedgerBroken: it is not there.
        """
        n, inside = divmod(index, TILE_WIDTH)
        width = tile_width(self.size, 0, n)
        entries, _ = unpack_bundle(self.bundle(n, width) if width else b"", width)
        if inside >= len(entries):
            raise LedgerBroken(f"entry {index} is missing")
        return entries[inside]

    def _read(self, path: str, most: int) -> bytes:
        try:
            raw = read_regular(self.folder / path, most)
        except FileNotFoundError:
            raise LedgerBroken(f"{path} is missing") from None
        if raw is None:
            raise LedgerBroken(f"{path} is not a file of at most {most} bytes")
        return raw


def read_checkpoint(folder: Path, name: str = CHECKPOINT) -> str | None:
    """Return the checkpoint of an exported folder, as yet unverified; None if there is none.

    Raises:
        LedgerBroken: what is there is no note.
    """
    return read_note(folder / name)


def read_note(path: Path) -> str | None:
    """Return a file that should be a signed checkpoint, as yet unverified; None if there is none.

    Raises:
        LedgerBroken: it cannot be one.
    """
    try:
        raw = read_regular(path, MOST_CHECKPOINT)
    except FileNotFoundError:
        return None
    try:
        if raw is not None:
            return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise LedgerBroken(f"the {path.name} is not a signed note")


def publish_witnessed(folder: Path, note: str) -> bool:
    """Put a cosigned checkpoint beside the exported ledger; return whether it is there.

    It is left out while it promises more than was exported.

    Raises:
        LedgerBroken: one of the checkpoints is none.
        OSError: the disk.
    """
    exported = _exported(folder)
    if exported is None or exported.size < Checkpoint.parse(parse_note(note).text).size:
        return False
    _write(folder / WITNESSED, note.encode())
    sync_folder(folder)
    return True


def export(folder: Path, source: LogSource, checkpoint: str) -> None:
    """Bring an exported folder up to a checkpoint; begin it if it is empty.

    May be stopped at any time and run again: the folder then still shows the checkpoint before,
    with all that it promises.

    Args:
        folder: where the files are; made if it is not there.
        source: the ledger, at least as long as the checkpoint says.
        checkpoint: the signed note.

    Raises:
        LedgerBroken: the ledger does not give the checkpoint's root, or does not continue what
            was exported before; nothing was written then.
        OSError: the disk.
    """
    new = Checkpoint.parse(parse_note(checkpoint).text)
    old = _exported(folder)
    tree = Tree(new.size, source)
    if tree.root() != new.root:
        raise LedgerBroken("the ledger does not give the root of its checkpoint")
    _check_continues(old, new, tree)
    since = old.size if old else 0
    folder.mkdir(parents=True, exist_ok=True)
    touched = {folder}
    for path, raw in _files(source, new.size, since):
        if not (folder / path).exists():
            _write(folder / path, raw)
            touched.update(_up_to(folder, folder / path))
    for each in touched:
        sync_folder(each)
    _write(folder / CHECKPOINT, checkpoint.encode())
    sync_folder(folder)
    _remove_outgrown(folder, new.size, since)


def _files(source: LogSource, size: int, since: int) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of every file that is not yet full at ``since`` entries."""
    for level, n, width in tiles_of(size, since):
        yield tile_path(level, n, width), b"".join(source.tile_hashes(level, n, width))
        if level == 0:
            start = n * TILE_WIDTH
            yield bundle_path(n, width), pack_bundle(source.entries_raw(start, start + width))


def _exported(folder: Path) -> Checkpoint | None:
    note = read_checkpoint(folder)
    return None if note is None else Checkpoint.parse(parse_note(note).text)


def _check_continues(old: Checkpoint | None, new: Checkpoint, tree: Tree) -> None:
    if old is None:
        return
    if old.origin != new.origin:
        raise LedgerBroken(f"the folder holds another ledger, {old.origin}")
    if old.size > new.size:
        raise LedgerBroken(f"{old.size} entries were exported, the ledger has {new.size}")
    if tree.root(old.size) != old.root:
        raise LedgerBroken(f"the ledger no longer begins with the {old.size} entries exported")


def _remove_outgrown(folder: Path, size: int, since: int) -> None:
    """Remove partial tiles that the new checkpoint does not need."""
    for level, n, width in tiles_of(size, since):
        paths = [tile_path(level, n, 1)] + ([bundle_path(n, 1)] if level == 0 else [])
        for partial in ((folder / path).parent for path in paths):
            for file in partial.glob("*"):
                if file.name != str(width):
                    file.unlink()
            if width == TILE_WIDTH and partial.exists():
                partial.rmdir()


def _numbered(n: int, width: int) -> str:
    digits = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        digits = f"x{n % 1000:03d}/{digits}"
    return digits if width == TILE_WIDTH else f"{digits}.p/{width}"


def _up_to(folder: Path, path: Path) -> list[Path]:
    """Return the folders from that of ``path`` up to ``folder``."""
    parents = list(path.parents)
    return parents[: parents.index(folder) + 1]


def _write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(path.name + ".new")
    write_synced(written, raw)
    written.replace(path)
