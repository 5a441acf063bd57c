"""Small numbers are not told, and cannot be worked out from those that are (R171).

Every number of the finest table is rounded by itself, down or up to a multiple of ten, by lot: 3
becomes 10 in three of ten cases and nought in seven, so that sums come right on the average. Every
other number, totals too, is the sum of these.

Why nothing can be worked out: whoever has every table there is, of all times, knows no more than
the rounded numbers of the finest, and each of those hangs on its own count alone. A rounded nought
may be anything from 0 to 9, a 10 anything from 1 to 19. There is no equation between a rounded
number and an exact one, so none can be solved; no number is hidden for the sake of another, so what
is hidden never wanders; and what no longer changes is always answered alike.

The lot is drawn once: it is computed, under a key that is in the store and told to nobody, from
where the number stands and which ten it has reached. The same count gives the same answer however
often it is asked for, and whoever sees a count grow sees it step at a place he cannot know.

What it costs: a total over n numbers of the finest table is off by 4 x sqrt(n) on the average.
"""

import secrets
from collections.abc import Callable, Mapping
from hashlib import blake2b

from appliance.plugin_api import Case, Papers

BASE = 10
"""Every number told is a multiple of it; counts below are the small ones."""
LOT, KEY = "lot", "key"

Place = tuple[str, ...]
"""Where a number of the finest table stands: a value in each dimension."""
Lots = Callable[[Place, int], int]
"""The lot, 0 to 9, of a place and a ten: what goes beyond the ten by more is rounded up."""


def rounded(finest: Mapping[Place, int], lot: Lots) -> dict[Place, int]:
    """Return the numbers of the finest table as they may be told; noughts are left out."""
    told = {place: _rounded(count, place, lot) for place, count in finest.items()}
    return {place: count for place, count in told.items() if count}


def lots(case: Case, kind: str) -> Lots:
    """Return the lots of a statistic; the first question draws the key under which they are."""
    return lots_under(_key(case), kind)


def lots_under(key: bytes, kind: str) -> Lots:
    """Return the lots of a statistic under a key of 32 bytes."""

    def lot(place: Place, tens: int) -> int:
        where = "/".join((kind, *place, str(tens))).encode()
        drawn = blake2b(where, digest_size=8, key=key, person=b"statistics.lot").digest()
        return int.from_bytes(drawn) % BASE

    return lot


def _rounded(count: int, place: Place, lot: Lots) -> int:
    tens, beyond = divmod(count, BASE)
    return BASE * (tens + (beyond > lot(place, tens)))


def _key(case: Case) -> bytes:
    kept = case.papers.get(LOT, KEY)
    if kept is None:
        kept = {"key": secrets.token_bytes(32)}
        case.enter(lambda papers: _keep(papers, kept))
    return bytes(kept["key"])


def _keep(papers: Papers, drawn: dict[str, bytes]) -> None:
    # Of two first questions at a time, the one entered first is kept.
    if papers.get(LOT, KEY) is None:
        papers.put(LOT, KEY, drawn)
