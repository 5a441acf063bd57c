"""One process at a time has a data folder.

The lock is the kernel's (flock), so that it ends with the process, however that ends.  The number
of the process stands in the file only to be named in the message.
"""

import fcntl
import os
from pathlib import Path
from typing import Self

from storage.errors import StoreInUse

NAME = "lock"
_LOCKS = Path("/proc/locks")


class FolderLock:
    """A data folder held by this process until ``release``."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, folder: Path) -> Self:
        """Lock the folder for this process.

        Raises:
            StoreInUse: another holder has it; names its process.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(folder / NAME, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise StoreInUse(f"the store is in use by process {holder or 'unknown'}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let the folder go; nothing happens the second time."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def holder(folder: Path) -> int | None:
    """Return the number of the process that holds the folder, or None if none does.

    The kernel's own list of locks is believed, not the file: whoever can write the file must not
    be able to name a process of somebody else's.
    """
    try:
        place = (folder / NAME).stat()
        written = (folder / NAME).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    for line in _LOCKS.read_text("ascii").splitlines():
        _, kind, _, _, number, where, *_ = (line.replace("-> ", "")).split()
        if kind == "FLOCK" and where.endswith(f":{place.st_ino}") and number == written:
            return int(number)
    return None
