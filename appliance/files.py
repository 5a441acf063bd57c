"""Small files: written whole or not at all, and at no moment open to more people than meant."""

import os
import stat
from pathlib import Path

from storage.disk import sync_folder

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Write a file in place of the one before; it survives a power cut when this returns.

    Raises:
        OSError: the disk; the file is as before.
    """
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    # Made with its mode, so that it is at no moment open to others.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def is_open_to_others(path: Path) -> bool:
    """Return whether anybody but its owner may do anything with a file.

    Raises:
        OSError: the disk, or there is no such file.
    """
    return bool(path.stat().st_mode & OTHERS)
