"""How often a sender has met what stands in records that are not its own.

That a 個人番号 is somebody else's (L-30), that somebody who is moving in is another person than the
record says (L-17), died (L-02) or has a used number (G-06) must be told, or the municipality could
not put it right. But each such answer tells a little of a record it must not know. So there are few
of them in a day; an honest sender meets hardly any. After that, whatever is not simply applied is
refused alike, whether the person is known here or not (G-13).

Papers::

    clashes  431001    the day in Japan, and how many
"""

from collections import Counter
from datetime import date

from appliance.plugin_api import Papers

MOST_IN_A_DAY = 20


class Clashes:
    """The clashes of one day, by sender; in memory until ``save``."""

    def __init__(self, papers: Papers, today: date) -> None:
        self._papers = papers
        self._today = today.isoformat()
        self._counts: Counter[str] = Counter()
        self._more: set[str] = set()

    def too_many(self, sender: str) -> bool:
        """Whether nothing more is compared for this sender today."""
        return self._count(sender) >= MOST_IN_A_DAY

    def enter(self, sender: str) -> None:
        """Count one more."""
        self._counts[sender] = self._count(sender) + 1
        self._more.add(sender)

    def save(self) -> None:
        """Write down how many there were."""
        for sender in sorted(self._more):
            today = {"day": self._today, "count": self._counts[sender]}
            self._papers.replace("clashes", sender, today)
        self._more.clear()

    def _count(self, sender: str) -> int:
        if sender not in self._counts:
            kept = self._papers.get("clashes", sender)
            self._counts[sender] = kept["count"] if kept and kept["day"] == self._today else 0
        return self._counts[sender]
