"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


def until(
    holds: Callable[[], Seen],
    seconds: float,
    why: str = "it did not come about",
    *,
    pause: float = 0.02,
) -> Seen:
    """Ask again and again until something is so; return what was seen then.

    Raises:
        AssertionError: it took too long.
    """
    end = time.monotonic() + seconds
    while not (seen := holds()):
        assert time.monotonic() < end, why
        time.sleep(pause)
    return seen
