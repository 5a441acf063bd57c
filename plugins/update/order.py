"""The sequence numbers of one sender: which have come, which are missing, which come again.

A CS numbers whatever it sends from 1, without gaps. A number is decided once: with the same content
again it is a duplicate, with another it is refused (G-06). A gap holds nobody up by itself; whom it
concerns is found by 更新順番号.

Kept in two kinds of papers, rewritten once in a batch, so that neither grows with every notice::

    sequences   431001               last number, missing ranges
    received    431001/000000000042  digests of the contents of numbers 4200 to 4299
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import islice

from appliance.plugin_api import Papers

BLOCK = 100
MOST_GAPS = 1000
"""Missing ranges at one time; a sender that loses more must first send them again."""


class Seen(Enum):
    """Whether a number has come before."""

    NEW = "new"
    SAME = "same"
    OTHER = "other"
    TOO_MANY_GAPS = "too many gaps"


class Gaps:
    """The numbers below the last one that have not come, as ranges in order."""

    def __init__(self, last: int = 0, ranges: Iterable[tuple[int, int]] = ()) -> None:
        """``ranges`` are first and last missing number of each gap."""
        self.last = last
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, end in ranges:
            self._firsts.append(first)
            self._lasts.append(end)

    def __len__(self) -> int:
        return len(self._firsts)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    def ranges(self) -> list[tuple[int, int]]:
        """Return the gaps, lowest first."""
        return list(zip(self._firsts, self._lasts, strict=True))

    def numbers(self) -> Iterator[int]:
        """Yield every missing number, lowest first."""
        for first, last in self.ranges():
            yield from range(first, last + 1)

    def opened_by(self, number: int) -> int:
        """Return how many more gaps there would be once this new number has come."""
        if number > self.last:
            return int(number > self.last + 1)
        at = bisect_right(self._firsts, number) - 1
        return 1 - (number == self._firsts[at]) - (number == self._lasts[at])

    def fill(self, through: int) -> None:
        """Take note that every number up to this one is settled."""
        rest = [(max(first, through + 1), last) for first, last in self.ranges() if last > through]
        self._firsts = [first for first, _ in rest]
        self._lasts = [last for _, last in rest]
        self.last = max(self.last, through)

    def receive(self, number: int) -> None:
        """Take note that a new number has come."""
        if number > self.last:
            if number > self.last + 1:
                self._firsts.append(self.last + 1)
                self._lasts.append(number - 1)
            self.last = number
            return
        at = bisect_right(self._firsts, number) - 1
        first, last = self._firsts[at], self._lasts[at]
        rest = [(a, b) for a, b in ((first, number - 1), (number + 1, last)) if a <= b]
        self._firsts[at : at + 1] = [a for a, _ in rest]
        self._lasts[at : at + 1] = [b for _, b in rest]


class Receipts:
    """What has come from one sender; in memory until ``save``."""

    def __init__(self, papers: Papers, sender: str) -> None:
        self._papers = papers
        self._sender = sender
        kept = papers.get("sequences", sender) or {"last": 0, "missing": []}
        self._gaps = Gaps(kept["last"], kept["missing"])
        self._blocks: dict[int, dict[int, bytes]] = {}
        self._changed: set[int] = set()
        self._settled = False

    @property
    def last(self) -> int:
        """The highest number that has come; 0 at first."""
        return self._gaps.last

    def missing(self, most: int) -> list[int]:
        """Return the lowest missing numbers, this many at most."""
        return list(islice(self._gaps.numbers(), most))

    @property
    def missing_count(self) -> int:
        """How many numbers below the last one have not come."""
        return sum(last - first + 1 for first, last in self._gaps.ranges())

    @staticmethod
    def senders(papers: Papers) -> Iterator[str]:
        """Yield everybody of whom anything has come."""
        return (sender for sender, _ in papers.every("sequences"))

    def seen(self, sequence: int, digest: bytes) -> Seen:
        """Return whether a number has come, and with the same content."""
        if sequence <= self._gaps.last and sequence not in self._gaps:
            # Of a number that a recovery settled, the content is not known.
            same = self._block(sequence // BLOCK).get(sequence % BLOCK) == digest
            return Seen.SAME if same else Seen.OTHER
        if self._gaps.opened_by(sequence) > 0 and len(self._gaps) >= MOST_GAPS:
            return Seen.TOO_MANY_GAPS
        return Seen.NEW

    def enter(self, sequence: int, digest: bytes) -> None:
        """Take note of a number that is new."""
        self._gaps.receive(sequence)
        self._block(sequence // BLOCK)[sequence % BLOCK] = digest
        self._changed.add(sequence // BLOCK)

    def settle(self, through: int) -> None:
        """Take note that nothing up to this number is missing any more."""
        self._gaps.fill(through)
        self._settled = True

    def save(self) -> None:
        """Write down what has come since the beginning of the batch."""
        if not (self._changed or self._settled):
            return
        for number in sorted(self._changed):
            self._papers.replace(
                "received", self._block_key(number), {"digests": self._blocks[number]}
            )
        self._papers.replace(
            "sequences",
            self._sender,
            {"last": self._gaps.last, "missing": [list(gap) for gap in self._gaps.ranges()]},
        )
        self._changed.clear()

    def _block(self, number: int) -> dict[int, bytes]:
        if number not in self._blocks:
            kept = self._papers.get("received", self._block_key(number))
            self._blocks[number] = {} if kept is None else kept["digests"]
        return self._blocks[number]

    def _block_key(self, number: int) -> str:
        return f"{self._sender}/{number:014}"
