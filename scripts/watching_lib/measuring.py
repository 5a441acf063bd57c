"""The detectors over a year, and which of what they tell was planted."""

import time
from collections import Counter
from dataclasses import dataclass, field

from appliance.thresholds import Thresholds
from plugins.watching.detectors import MAKERS
from plugins.watching.findings import Finding
from plugins.watching.hours import Hours
from plugins.watching.watcher import Watcher
from scripts.watching_lib.diary import Diary, Plant
from scripts.watching_lib.honest import DAYS, QuietYear
from scripts.watching_lib.misuse import Misuse

WEEKS = DAYS / 7
BY_SUM = {"looked-only": 28, "volume": 0}
"""Detectors that tell of a sum: right if it is of the planted person, so many days after."""


@dataclass(slots=True)
class Tally:
    """What came of one detector."""

    told: int = 0
    right: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    """By strength, by this detector."""
    found_by_any: Counter[str] = field(default_factory=Counter)
    quiet: int = 0
    """Told in the quiet year."""

    def add(self, other: "Tally") -> None:
        """Add what came of another year."""
        self.told += other.told
        self.right += other.right
        self.quiet += other.quiet
        for mine, his in (
            (self.planted, other.planted),
            (self.found, other.found),
            (self.found_by_any, other.found_by_any),
        ):
            mine.update(his)


@dataclass(slots=True)
class Measured:
    """What came of one seed: a quiet year, and the same with misuse."""

    seed: int
    tallies: dict[str, Tally]
    uses: int
    seconds: float
    false: list[Finding]
    missed: list[Plant]


def measure(seed: int, rules: Thresholds) -> Measured:
    """Make both years of a seed and run the detectors over them."""
    hours = Hours(rules.hours)
    tallies = {name: Tally() for name in MAKERS}
    diary = QuietYear(f"quiet/{seed}", hours).write()
    told, _, _ = _run(diary, rules)
    for finding in told:
        tallies[finding.detector].quiet += 1
    Misuse(f"misuse/{seed}", diary, hours).plant()
    findings, uses, seconds = _run(diary, rules)
    false = [each for each in findings if not any(_meets(each, plant) for plant in diary.plants)]
    for finding in findings:
        tally = tallies[finding.detector]
        tally.told += 1
        tally.right += finding not in false
    missed = []
    for plant in diary.plants:
        tally = tallies[plant.detector]
        by = {each.detector for each in findings if _meets(each, plant)}
        tally.planted[plant.strength] += 1
        tally.found[plant.strength] += plant.detector in by
        tally.found_by_any[plant.strength] += bool(by)
        if plant.detector not in by:
            missed.append(plant)
    return Measured(seed, tallies, uses, seconds, false, missed)


def _run(diary: Diary, rules: Thresholds) -> tuple[list[Finding], int, float]:
    uses, around = diary.uses(), diary.around()
    watcher = Watcher(rules, MAKERS)
    begun = time.process_time()
    findings = [finding for use in uses for finding in watcher.see(use, around)]
    findings += watcher.days_over(uses[-1].day + 40)
    return findings, len(uses), time.process_time() - begun


def _meets(finding: Finding, plant: Plant) -> bool:
    """Return whether a finding is about what was planted."""
    if not plant.notes:
        return False
    if set(finding.evidence) & set(plant.notes):
        return True
    later = BY_SUM.get(finding.detector)
    if later is None or not plant.persons & set(finding.persons):
        return False
    return min(plant.days) <= finding.day <= max(plant.days) + later
