"""Ending the process that has a data folder from outside it, when it does not answer any more.

A thread that never lets go of the interpreter keeps every other from running, also those that would
seal. The kernel asks nobody: what is killed has forgotten its keys.
"""

import os
import signal
import time
from pathlib import Path

from storage.lock import holder

SECONDS = 10.0
"""How long the kernel may take to end a process; one that waits for its disk takes longest."""


def kill_holder(data: Path) -> int | None:
    """Kill the process that has the data folder; return its number, or None if nobody has it.

    What was acknowledged is on disk. When this returns, the process and its memory are gone.

    Raises:
        OSError: it may not be killed by whoever asks, or does not end.
    """
    number = holder(data)
    if number is None:
        return None
    try:
        process = os.pidfd_open(number)
    except ProcessLookupError:
        return None
    try:
        # From here on the handle means one process, even if the number is given to another.
        if holder(data) != number:
            return None
        signal.pidfd_send_signal(process, signal.SIGKILL)
    finally:
        os.close(process)
    until = time.monotonic() + SECONDS
    while holder(data) == number:
        if time.monotonic() > until:
            raise TimeoutError(f"process {number} was killed and has not ended; is its disk there?")
        time.sleep(0.02)
    return number
