"""What the process asks of its host: no core dumps, no readers of its memory, private files.

We do not promise that keys are wiped: Python copies what it likes. They are held by few objects,
and sealing replaces the whole process.
"""

import ctypes
import os
import resource
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

PRIVATE = 0o077
"""Every file is made for its owner alone."""

_PR_SET_DUMPABLE = 4
_M_ARENA_MAX = -8
_ARENAS = 2
"""Of glibc: by default every worker has one of its own, and what it frees is of use to no other."""


def harden() -> None:
    """Keep memory small, out of core dumps and of other processes, and files to ourselves.

    Raises:
        OSError: the kernel did not do it.
    """
    os.umask(PRIVATE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mallopt(_M_ARENA_MAX, _ARENAS)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "prctl")


def notify(*lines: str) -> None:
    """Tell systemd how it stands (sd_notify(3)); nothing where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.connect(address.replace("@", "\0", 1) if address[0] == "@" else address)
            sock.sendall("\n".join(lines).encode())


def start_again(arguments: Sequence[str]) -> NoReturn:
    """Replace this process, with all it has in memory, by a fresh one."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-I", "-m", "appliance", *arguments]
    os.execv(sys.executable, command)  # noqa: S606
