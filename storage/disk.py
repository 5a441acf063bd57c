"""Getting bytes onto the disk, so that a power cut finds them there.

A file is written beside its place, synced, and renamed into it; the rename is on disk once the
folder was synced too.
"""

import os
from pathlib import Path


def write_synced(path: Path, raw: bytes, mode: int = 0o666) -> None:
    """Write a file whole, in place of what was there; its bytes are on disk when this returns.

    Raises:
        OSError: the disk; the file may be there in part.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder onto the disk: files that were made, renamed or removed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
