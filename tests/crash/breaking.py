"""A disk that can be told to fail, below SQLite and below the page cipher.

It counts writes and syncs, fails at the one it is told to, and remembers of each file what had
been synced: what would be left if the power went now.
"""

import shutil
from enum import Enum
from pathlib import Path

import apsw

NAME = "breaking"
VFS = f"multipleciphers-{NAME}"
"""SQLite3 Multiple Ciphers stacks its cipher upon any VFS whose name stands behind the hyphen."""


class Fault(Enum):
    """What happens to the operation that fails."""

    LOST = "failed and lost"
    THERE = "failed but there"
    TORN = "failed halfway"


class Disk(apsw.VFS):
    """Files of the operating system, until ``arm``; one for the whole run of the tests."""

    def __init__(self) -> None:
        super().__init__(NAME, "unix", maxpathname=1024)
        self.reset()

    def reset(self) -> None:
        """Work from now on, and forget all files."""
        self.synced: dict[str, bytes] = {}
        self.room: int | None = None
        self.readable = True
        self.arm(None)

    def arm(self, at: int | None, fault: Fault = Fault.LOST, *, lasting: bool = False) -> None:
        """Fail at the write or sync number ``at`` from now, counted from 0; with all after it?"""
        self.done = 0
        self.at = at
        self.fault = fault
        self.lasting = lasting
        self.failed = False
        self.committing = False
        self.failed_committing = False

    def fails_now(self) -> bool:
        number, self.done = self.done, self.done + 1
        if self.at is None or number < self.at or (number > self.at and not self.lasting):
            return False
        if not self.failed:
            self.failed, self.failed_committing = True, self.committing
        return True

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> "_File":  # noqa: N802
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        self.synced.pop(filename, None)

    def copy_after_kill(self, folder: Path, to: Path) -> Path:
        """Copy a folder as it is: the process ended, the machine went on."""
        to.mkdir()
        for path in folder.glob("juki.db*"):
            if not path.name.endswith("-shm"):
                shutil.copyfile(path, to / path.name)
        return to

    def copy_after_power_cut(self, folder: Path, to: Path) -> Path:
        """Copy of a folder what was synced; files that nobody opened are as they were."""
        self.copy_after_kill(folder, to)
        for copy in to.iterdir():
            if (synced := self.synced.get(str(folder / copy.name))) is not None:
                copy.write_bytes(synced)
        return to


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: apsw.URIFilename | str | None, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        disk.synced.setdefault(self._name, self._content())

    def _content(self) -> bytes:
        return super().xRead(self.xFileSize(), 0)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        if not self._disk.readable:
            raise apsw.IOError
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        disk = self._disk
        if disk.room is not None:
            disk.room -= len(data)
            if disk.room < 0:
                super().xWrite(data[: len(data) // 2], offset)
                raise apsw.FullError
        if not disk.fails_now():
            super().xWrite(data, offset)
            return
        if disk.fault is Fault.THERE:
            super().xWrite(data, offset)
        elif disk.fault is Fault.TORN:
            super().xWrite(data[: len(data) // 2], offset)
        raise apsw.IOError

    def xSync(self, flags: int) -> None:  # noqa: N802
        disk = self._disk
        fails = disk.fails_now()
        if not fails or disk.fault is Fault.THERE:
            super().xSync(flags)
            disk.synced[self._name] = self._content()
        if fails:
            raise apsw.IOError


DISK = Disk()
