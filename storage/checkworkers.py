"""The processes that share out the persons of a check: forked, each with a connection of its own.

They have what the checking process has, keys and all, and get nothing from anywhere: what is given
to them is two row numbers, what they give is a ``Piece``. They must be forked before the store is
opened here: SQLite keeps the locks of a file in memory that a fork would copy.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from storage.errors import StorageError
from storage.recordcheck import Piece, RecordCheck

_checking: list[RecordCheck] = []
"""In a forked process: with what it checks."""


def shared_out(
    make: Callable[[], RecordCheck], ranges: Sequence[tuple[int, int]], workers: int
) -> Iterator[Piece]:
    """Yield what each piece comes to, in their order; several are worked on at a time.

    Args:
        make: called once in each process; opens the store.
        ranges: which versions each piece is of.
        workers: how many processes.

    Raises:
        StorageError: one of them was killed.
    """
    pool = ProcessPoolExecutor(workers, get_context("fork"), _begin, (make,))
    try:
        yield from pool.map(_piece, *zip(*ranges, strict=True))
    except BrokenProcessPool:
        raise StorageError(
            "a process of the check was killed; was there too little memory?"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(make: Callable[[], RecordCheck]) -> None:
    # The parent ends the check, and these with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _checking.append(make())


def _piece(first: int, last: int) -> Piece:
    return _checking[0].piece(first, last)
