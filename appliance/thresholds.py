"""From when on the watching of the ledger tells a person: ``watching.toml``, part of the policy.

Signed and versioned like the rest of the policy; an unknown key is refused. The values here are
what a table holds that leaves a key out; the file that is shipped names every one. Whoever changes
one measures first: ``scripts/watching``.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1, le=100_000)]
Share = Annotated[float, Meta(gt=0, le=1)]
Times = Annotated[float, Meta(gt=0, le=100)]
Days = Annotated[int, Meta(ge=1, le=366)]
Minutes = Annotated[int, Meta(ge=1, le=1440)]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="such as 08:30")]
YearlyDay = Annotated[str, Meta(pattern=r"^(0\d|1[0-2])-[0-3]\d$", description="such as 12-29")]


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a table; an unknown key is refused."""


class Flags(_Rule, frozen=True, kw_only=True):
    """How flags are kept, for every detector."""

    rest_days: Days = 30
    """After a flag the same fact makes no other one for so long."""
    open_days: Days = 7
    """A flag that nobody has decided for longer is an alarm."""
    everywhere: tuple[str, ...] = ("auditor",)
    """Roles that see the flags of every 所属; everybody else sees those of his own."""


class Hours(_Rule, frozen=True, kw_only=True):
    """When offices are open; in Japan."""

    opens: Clock = "08:00"
    closes: Clock = "19:00"
    night_from: Clock = "22:00"
    night_until: Clock = "06:00"
    holidays: tuple[date, ...] = ()
    closed_days: tuple[YearlyDay, ...] = ("12-29", "12-30", "12-31", "01-01", "01-02", "01-03")


class Looks(_Rule, frozen=True, kw_only=True):
    """What counts as having looked at somebody, and when nothing has followed from it."""

    listed: Count = 3
    follow_days: Days = 3


class SeenByMany(_Rule, frozen=True, kw_only=True):
    """The same person seen by many who have no case in common."""

    within_days: Days = 7
    operators: Count = 3
    offices: Count = 2
    operators_in_all: Count = 5


class LookedOnly(_Rule, frozen=True, kw_only=True):
    """Looks that nothing follows from: their share of an operator's looks."""

    window_days: Days = 28
    least: Count = 10
    deviations: Times = 3.0
    people_vary: Share = 0.35
    months_vary: Share = 0.2


class OutOfHours(_Rule, frozen=True, kw_only=True):
    """Uses when nobody should be there, without approval."""

    off_day_uses: Count = 1
    night_uses: Count = 1
    evening_uses: Count = 5


class Volume(_Rule, frozen=True, kw_only=True):
    """More uses on a day than an operator's own days of that class."""

    history_days: Days = 40
    least_history: Count = 8
    least_uses: Count = 40
    deviations: Times = 8.0


class OwnName(_Rule, frozen=True, kw_only=True):
    """The operator's own name, or family name, among what was asked or found."""

    window_days: Days = 30
    without_case: Count = 1
    loose: Count = 3


class NameFishing(_Rule, frozen=True, kw_only=True):
    """Name after name, with nothing else known of the person."""

    minutes: Minutes = 15
    variations: Count = 5
    hits: Count = 200


class Overlap(_Rule, frozen=True, kw_only=True):
    """One person in two sessions at a time, or in two places."""

    hours: Annotated[int, Meta(ge=1, le=24)] = 8
    returns: Count = 2
    travel_minutes: Minutes = 5
    refused_logins: Count = 3


class FailedLogins(_Rule, frozen=True, kw_only=True):
    """Attempts to log in that were refused."""

    minutes: Minutes = 15
    of_one: Count = 4
    at_terminal: Count = 6
    operators_at_terminal: Count = 3
    within_days: Days = 7
    of_one_within: Count = 10


class Canary(_Rule, frozen=True, kw_only=True):
    """Residents who do not exist."""

    listed_too: bool = True


class Thresholds(_Rule, frozen=True, kw_only=True):
    """The whole table of ``watching.toml``; docstrings say what, the file says the unit."""

    flags: Flags = Flags()
    hours: Hours = Hours()
    looks: Looks = Looks()
    seen_by_many: SeenByMany = SeenByMany()
    looked_only: LookedOnly = LookedOnly()
    out_of_hours: OutOfHours = OutOfHours()
    volume: Volume = Volume()
    own_name: OwnName = OwnName()
    name_fishing: NameFishing = NameFishing()
    overlap: Overlap = Overlap()
    failed_logins: FailedLogins = FailedLogins()
    canary: Canary = Canary()
    version: int = 1
    """Of the file; stands in every flag."""


USUAL = Thresholds()
"""Where there is no file: in tests."""


def read_thresholds(written: Mapping[str, object], version: int) -> Thresholds:
    """Return the thresholds of a table.

    Raises:
        msgspec.ValidationError: a key is unknown, or a value out of its bounds.
    """
    return msgspec.convert({**written, "version": version}, Thresholds)
