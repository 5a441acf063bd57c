"""Copying files onto another medium: as far as it is said, synced, with the SHA-256 of what went.

A large copy is brought onto its medium bit by bit and then let go from the kernel's cache, so that
it neither ends in one long wait nor pushes out what a running store reads.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from storage.errors import StorageError

CHUNK = 1 << 20
SYNC_EVERY = 64 * CHUNK
"""Bytes after which the copy is synced."""

OnBytes = Callable[[int], None]
"""Told how many bytes were done since it was last told; what it raises ends the copying."""


@dataclass(frozen=True, slots=True)
class Copied:
    """How many bytes, and their SHA-256 in hex."""

    size: int
    sha256: str


def copy_file(
    source: Path, target: Path, size: int, on: OnBytes = lambda done: None, mode: int = 0o600
) -> Copied:
    """Copy the first ``size`` bytes of a file into a new one; they are on disk when this returns.

    The name is on disk once its folder was synced too.

    Raises:
        StorageError: the source is shorter.
        OSError: a disk; the target may be there in part.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with source.open("rb", buffering=0) as read, open(os.open(target, flags, mode), "wb", 0) as to:
        copied = _passed(read, size, on, to)
        _settle(to)
    if copied.size != size:
        raise StorageError(f"{source.name} has {copied.size} bytes, not {size}")
    return copied


def digest_of(path: Path, on: OnBytes = lambda done: None) -> Copied:
    """Return how long a file is, and its digest.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        return _passed(file, None, on, None)


def _passed(source: BinaryIO, most: int | None, on: OnBytes, to: BinaryIO | None) -> Copied:
    """Read to the end, or so much, hash it, and write it if there is somewhere to write to."""
    digest, done, settled = sha256(), 0, 0
    while most is None or done < most:
        raw = source.read(CHUNK if most is None else min(CHUNK, most - done))
        if not raw:
            break
        digest.update(raw)
        done += len(raw)
        if to is not None:
            _write(to, raw)
            if done - settled >= SYNC_EVERY:
                _settle(to)
                settled = done
        on(len(raw))
    return Copied(done, digest.hexdigest())


def _write(to: BinaryIO, raw: bytes) -> None:
    left = memoryview(raw)
    while left:
        left = left[to.write(left) :]


def _settle(to: BinaryIO) -> None:
    os.fsync(to.fileno())
    os.posix_fadvise(to.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
