"""Looks: somebody of the staff saw one resident, and whether anything has followed from it.

A look is of one person at one resident on one day under one case. It is *finished* when a
provision, a form or an inquiry under the same case is in the ledger less than ``follow_days`` away,
and *loose* otherwise; without a case number, when the same person does one of them about the same
resident under a case. Whether it is finished is known only then: looks are told when that time is
over.
"""

from collections.abc import Iterator

import msgspec

from appliance.plugin_api import thresholds
from plugins.watching.kin import Kin
from plugins.watching.uses import DETAIL, FIND, FOLLOWING, INQUIRIES, Use


class Look(msgspec.Struct):
    """One look."""

    index: int
    """Of the first entry."""
    day: int
    person: str
    operator: str
    office: str
    terminal: str
    case: str
    subject: int
    kin: Kin = Kin.NONE
    finished: bool = False


class State(msgspec.Struct):
    """What is remembered for ``follow_days``."""

    waiting: dict[str, Look] = {}
    cases: dict[str, int] = {}
    """The last day on which something followed under a case."""
    subjects: dict[str, int] = {}
    """The same, by person and resident."""


def shows(use: Use, rule: thresholds.Looks) -> bool:
    """Return whether somebody was shown who he is, and not one among many."""
    if use.operation == FIND:
        return 1 <= len(use.subjects) <= rule.listed
    return use.operation == DETAIL or use.operation in INQUIRIES


class Looks:
    """All looks of the last days."""

    def __init__(self, rule: thresholds.Looks) -> None:
        self._rule = rule
        self.state = State()

    def see(self, use: Use) -> None:
        """Take in one use."""
        if not use.answered or not use.person:
            return
        if use.case and use.operation.startswith(FOLLOWING):
            self.state.cases[use.case] = use.day
            for subject in use.subjects:
                self.state.subjects[f"{use.person}/{subject}"] = use.day
        if shows(use, self._rule):
            for subject in use.subjects:
                self._add(use, subject)

    def day_over(self, day: int) -> Iterator[Look]:
        """Yield the looks of which it is known now, at the end of a day, what has followed."""
        state = self.state
        follow_days = self._rule.follow_days
        over = day - follow_days
        due = [key for key, look in state.waiting.items() if look.day <= over]
        # Kept papers come back in another order.
        for key in sorted(due, key=lambda key: (state.waiting[key].index, key)):
            look = state.waiting.pop(key)
            look.finished = self._followed(look)
            yield look
        for days in (state.cases, state.subjects):
            for key in [key for key, last in days.items() if last <= over - follow_days]:
                del days[key]

    def _add(self, use: Use, subject: int) -> None:
        key = f"{use.day}/{use.person}/{subject}/{use.case}"
        look = self.state.waiting.get(key)
        if look is None:
            self.state.waiting[key] = Look(
                index=use.index,
                day=use.day,
                person=use.person,
                operator=use.operator,
                office=use.office,
                terminal=use.terminal,
                case=use.case,
                subject=subject,
                kin=use.kin,
            )
        else:
            look.kin = max(look.kin, use.kin)

    def _followed(self, look: Look) -> bool:
        """Return whether something was done for the same work, some days before or after."""
        since = look.day - self._rule.follow_days
        if look.case:
            return self.state.cases.get(look.case, 0) > since
        return self.state.subjects.get(f"{look.person}/{look.subject}", 0) > since
