"""What is found wrong with a notice, and what follows from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Self

from appliance.plugin_api import Problem


class Severity(IntEnum):
    """What a broken rule leads to, the worst first."""

    ERROR = 0  # the notice is refused; the municipality sends a right one
    WAIT = 1  # the notice is held until another one comes
    ALERT = 2  # the notice is applied; the municipality is told


class Outcome(StrEnum):
    """What became of a notice, in the words of the wire."""

    APPLIED = "applied"
    HELD = "held"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that does not hold, and how grave that is."""

    severity: Severity
    problem: Problem


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything found about one notice, the worst first."""

    outcome: Outcome
    problems: tuple[Problem, ...] = ()
    answers: tuple[int, ...] = ()
    """Which messages of the inbox the notice answers."""

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Self:
        """Return what follows from all findings together."""
        ordered = sorted(findings, key=lambda finding: finding.severity)
        worst = ordered[0].severity if ordered else Severity.ALERT
        return cls(_FOLLOWS[worst], tuple(finding.problem for finding in ordered))

    @property
    def rule(self) -> str:
        """The first rule that does not hold, or nothing."""
        return self.problems[0].rule if self.problems else ""


_FOLLOWS = {
    Severity.ERROR: Outcome.REJECTED,
    Severity.WAIT: Outcome.HELD,
    Severity.ALERT: Outcome.APPLIED,
}


def error(rule: str, item: str, text: str) -> Finding:
    """Return a finding that refuses the notice."""
    return Finding(Severity.ERROR, Problem(rule, item, text))
