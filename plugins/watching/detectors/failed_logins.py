"""Attempts to log in that were refused: many for one person, many at one terminal, slowly.

A lock after five wrong PINs stops guessing at one person; it does not stop trying one PIN on many,
nor four a day.
"""

from collections.abc import Iterator, Sequence

import msgspec

from appliance.plugin_api import thresholds
from plugins.watching.findings import MOST_EVIDENCE, Detector, Finding, Surroundings
from plugins.watching.uses import LOGIN, LOGOUT, PROOFS, Use

WRONG = frozenset({"unidentified", "not-permitted"})

SLOW = "slow"
MOST_ATTEMPTS = 2_000
"""Remembered: whoever tries by the thousand is told of, and must not make the state grow."""


class Attempt(msgspec.Struct, array_like=True):
    """One attempt that failed."""

    index: int
    seconds: int
    day: int
    tried: str
    terminal: str


class State(msgspec.Struct):
    """Attempts of the last days."""

    attempts: list[Attempt] = []


class FailedLogins(Detector[State]):
    """Tells of bursts, of what is spread over days, and of success after many failures."""

    name = "failed-logins"

    def __init__(self, rule: thresholds.FailedLogins) -> None:
        self._rule = rule
        self.state = State()

    def see(self, use: Use, around: Surroundings) -> Iterator[Finding]:
        """Look at an attempt that failed, or at a login after such ones."""
        if not use.operation.startswith(LOGIN) or use.operation == LOGOUT:
            return
        if use.answered:
            if use.operation in PROOFS:
                yield from self._succeeded(use)
        elif use.refusal in WRONG:
            mine = Attempt(use.index, use.seconds, use.day, use.tried, use.terminal)
            self.state.attempts.append(mine)
            del self.state.attempts[:-MOST_ATTEMPTS]
            yield from self._failed(mine)

    def day_over(self, day: int) -> Iterator[Finding]:
        """Forget what is too old."""
        since = day - self._rule.within_days + 1
        self.state.attempts = [each for each in self.state.attempts if each.day > since]
        yield from ()

    def _succeeded(self, use: Use) -> Iterator[Finding]:
        before = [each for each in self._lately(use.seconds) if each.tried == use.tried]
        if use.tried and len(before) >= self._rule.of_one:
            yield self._finding(use.day, "success", before, use.tried, (use.index,))
        else:
            # Whoever gets in at once has slipped; what was tried elsewhere stays.
            slipped = {each.index for each in before if each.terminal == use.terminal}
            self.state.attempts = [e for e in self.state.attempts if e.index not in slipped]

    def _failed(self, last: Attempt) -> Iterator[Finding]:
        lately = self._lately(last.seconds)
        of_one = [each for each in lately if last.tried and each.tried == last.tried]
        here = [each for each in lately if each.terminal == last.terminal]
        tried = {each.tried for each in here}
        ever = [each for each in self.state.attempts if last.tried and each.tried == last.tried]
        if len(of_one) >= self._rule.of_one:
            yield self._finding(last.day, "burst", of_one, last.tried)
        if len(here) >= self._rule.at_terminal or len(tried) >= self._rule.operators_at_terminal:
            yield self._finding(last.day, "terminal", here, last.terminal)
        if len(ever) >= self._rule.of_one_within:
            yield self._finding(last.day, SLOW, ever, last.tried)

    def _lately(self, now: int) -> list[Attempt]:
        since = now - self._rule.minutes * 60
        return [each for each in self.state.attempts if each.seconds >= since]

    def _finding(
        self,
        day: int,
        how: str,
        attempts: Sequence[Attempt],
        whose: str,
        more: tuple[int, ...] = (),
    ) -> Finding:
        indices = (*(each.index for each in attempts), *more)
        return Finding(
            detector=self.name,
            key=f"{how}/{whose}" if how == SLOW else f"{how}/{whose}/{day}",
            day=day,
            persons=tuple(sorted({each.tried for each in attempts if each.tried})),
            terminals=tuple(sorted({each.terminal for each in attempts})),
            figures={
                "failures": len(attempts),
                "persons_tried": len({each.tried for each in attempts}),
                "succeeded": int(how == "success"),
            },
            evidence=indices[-MOST_EVIDENCE:],
        )
