"""Getting bytes onto the disk, so that a power cut finds them there.

A file is written beside its place, synced, and renamed into it; the rename is on disk once the
folder was synced too.
"""

import errno
import os
import stat
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


def read_regular(path: Path, most: int) -> bytes | None:
    """Return the bytes of a file that anybody may have put there.

    None if it is not a regular file (a pipe, a device, a link) or has more than ``most`` bytes: it
    is then neither waited for nor read to its end.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as problem:
        if problem.errno in (errno.ELOOP, errno.ENXIO):
            return None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with open(descriptor, "rb") as file:
        raw = file.read(most + 1)
    return raw if len(raw) <= most else None
