"""Some detectors over a stream of uses, and what they remember between two runs.

Days end when a use of a later day comes, or when the night says so: never by how many entries were
read at once. Read in pieces, whatever is told is the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from appliance.plugin_api import thresholds
from plugins.watching.detectors import MAKERS
from plugins.watching.detectors.name_fishing import NameFishing
from plugins.watching.findings import Detector, Finding, Surroundings
from plugins.watching.looks import Looks
from plugins.watching.looks import State as LooksState
from plugins.watching.uses import Use


class Watcher:
    """The detectors named, over one stream, and whoever else is to see it."""

    def __init__(
        self, rules: thresholds.Thresholds, names: Iterable[str], *others: Detector[Any]
    ) -> None:
        self._rules = rules
        self._detectors: list[Detector[Any]] = [*(MAKERS[name](rules) for name in names), *others]
        self._looks = Looks(rules.looks)
        self._day = 0
        self._told: dict[str, int] = {}
        """The day on which a fact was told last."""

    @property
    def again(self) -> list[int]:
        """Which entries must be shown again by ``recall`` after ``take``."""
        return [index for each in self._fishing() for index in each.again]

    def recall(self, use: Use) -> None:
        """Take in again a use of ``again``."""
        for each in self._fishing():
            each.recall(use)

    def see(self, use: Use, around: Surroundings) -> Iterator[Finding]:
        """Take in one use; yield what is to be told."""
        if use.day > self._day:
            yield from self.days_over(use.day - 1)
            self._day = use.day
        self._looks.see(use)
        for detector in self._detectors:
            yield from self._new(detector.see(use, around))

    def days_over(self, day: int) -> Iterator[Finding]:
        """End every day up to this one that has not ended."""
        if not self._day:
            return
        for over in range(self._day, day + 1):
            for look in self._looks.day_over(over):
                for detector in self._detectors:
                    yield from self._new(detector.look(look))
            for detector in self._detectors:
                yield from self._new(detector.day_over(over))
            since = over + 1 - self._rules.flags.rest_days
            self._told = {key: told for key, told in self._told.items() if told > since}
        self._day = max(self._day, day + 1)

    def kept(self) -> dict[str, Any]:
        """Return everything remembered, as plain data; no name is in it."""
        return {
            "day": self._day,
            "told": self._told,
            "looks": msgspec.to_builtins(self._looks.state),
            "detectors": {each.name: each.kept() for each in self._detectors},
        }

    def take(self, kept: Mapping[str, Any]) -> None:
        """Go on from what was kept; a detector that was not there begins anew."""
        self._day, self._told = kept["day"], dict(kept["told"])
        self._looks.state = msgspec.convert(kept["looks"], LooksState)
        for detector in self._detectors:
            if (state := kept["detectors"].get(detector.name)) is not None:
                detector.take(state)

    def _new(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield what was not told lately."""
        for finding in findings:
            key = f"{finding.detector}/{finding.key}"
            if key not in self._told:
                self._told[key] = finding.day
                yield finding

    def _fishing(self) -> Iterator[NameFishing]:
        return (each for each in self._detectors if isinstance(each, NameFishing))
