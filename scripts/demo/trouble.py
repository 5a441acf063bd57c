"""What keeps a run from going on and is no fault of the appliance, and what to do about it."""

import errno
import shutil
from pathlib import Path

FULL_BELOW = 64 * 1024 * 1024
"""Bytes free; a run writes more than that."""


class PortTaken(Exception):
    """The port asked for, or the next, is in use."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} or {port + 1} is in use; --port 0 takes any two free ones")


def about_folder(folder: Path, problem: OSError) -> str:
    """Return why nothing can be made in a folder."""
    match problem.errno:
        case errno.EACCES | errno.EPERM | errno.EROFS:
            why = "cannot be written to; give another folder with --data"
        case errno.ENOTDIR | errno.EEXIST:
            why = "is a file, or lies below one; give a folder with --data"
        case errno.ENOSPC | errno.EDQUOT:
            return disk_full(folder)
        case _:
            why = problem.strerror or type(problem).__name__
    return f"{folder} {why}"


def is_full(folder: Path) -> bool:
    """Return whether the disk that a folder lies on has no room for a run."""
    return shutil.disk_usage(_nearest(folder)).free < FULL_BELOW


def disk_full(folder: Path) -> str:
    """Return that the disk is full, where, and the way out."""
    free = shutil.disk_usage(_nearest(folder)).free // 1024 // 1024
    return f"the disk is full: {free} MiB free at {folder}; make room, or give --data elsewhere"


def _nearest(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())
