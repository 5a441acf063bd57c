"""Name after name, alike, with nothing else known of the person: somebody is looking for somebody.

Names are compared while they are looked at and are in no state: what is remembered between two runs
is which entries of the ledger to read again.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import msgspec

from appliance.plugin_api import kana_key, name_key, thresholds
from plugins.watching.findings import MOST_EVIDENCE, Detector, Finding, Surroundings
from plugins.watching.uses import Use

ALIKE = 0.5
"""Share of characters that two names have in common, from which on one is a variation."""


class Asked(msgspec.Struct, array_like=True):
    """One search by name alone."""

    index: int
    seconds: int
    hits: int


class State(msgspec.Struct):
    """The searches of the last minutes, by 照合ID."""

    asked: dict[str, list[Asked]] = {}


class NameFishing(Detector[State]):
    """Tells when variations, or hits, are too many in a short time."""

    name = "name-fishing"

    def __init__(self, rule: thresholds.NameFishing) -> None:
        self._rule = rule
        self._names: dict[int, str] = {}
        self.state = State()

    @property
    def again(self) -> list[int]:
        """Which entries must be shown again (``recall``) when it goes on from a state."""
        return [each.index for asked in self.state.asked.values() for each in asked]

    def recall(self, use: Use) -> None:
        """Take in again what was asked for."""
        self._names[use.index] = _folded(use.sought)

    def see(self, use: Use, around: Surroundings) -> Iterator[Finding]:
        """Hold a search by name against those before it."""
        if not use.sought or not use.person:
            return
        self.recall(use)
        asked = self.state.asked.setdefault(use.person, [])
        asked.append(Asked(use.index, use.seconds, use.hits))
        self._forget(use.seconds)
        alike = self._alike(self.state.asked[use.person])
        variations = len({self._names[each.index] for each in alike})
        hits = sum(each.hits for each in alike)
        many = len(alike) > 1 and hits >= self._rule.hits
        if variations >= self._rule.variations or (many and variations > 1):
            yield Finding(
                detector=self.name,
                key=f"{use.person}/{use.day}",
                day=use.day,
                persons=(use.person,),
                operators=(use.operator,),
                offices=(use.office,),
                terminals=(use.terminal,),
                figures={"variations": variations, "hits": hits, "searches": len(alike)},
                evidence=tuple(each.index for each in alike)[-MOST_EVIDENCE:],
            )

    def _alike(self, asked: Sequence[Asked]) -> list[Asked]:
        """Return the searches for a name like the last one, with the last one."""
        last = self._names[asked[-1].index]
        return [each for each in asked if _are_alike(self._names[each.index], last)]

    def _forget(self, now: int) -> None:
        since = now - self._rule.minutes * 60
        for person, asked in list(self.state.asked.items()):
            kept = [each for each in asked if each.seconds >= since]
            for gone in asked[: len(asked) - len(kept)]:
                self._names.pop(gone.index, None)
            if kept:
                self.state.asked[person] = kept
            else:
                del self.state.asked[person]

    def day_over(self, day: int) -> Iterator[Finding]:
        """Nothing is remembered for as long as that."""
        yield from ()


def _are_alike(one: str, other: str) -> bool:
    return one[:1] == other[:1] or SequenceMatcher(None, one, other).ratio() >= ALIKE


def _folded(name: str) -> str:
    return name_key(name) if any(char >= "\u4e00" for char in name) else kana_key(name)
