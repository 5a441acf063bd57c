"""The shipped policy read a second time: by a reader of its own, from the files alone.

Nothing of the appliance is imported here. What the pages say is put as one question, whether one
item may be shown, and every other answer follows from it; ``appliance.authz`` puts sets together
instead. Where the two differ, one of them is wrong.
"""

import tomllib
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

POLICY = Path(__file__).parents[1] / "firmware_config" / "policy"
ITEMS = (
    *("resident_code", "name", "name_gaiji_count", "kana", "birth_date", "sex", "address"),
    *("address_gaiji_count", "my_number", "reason", "effective_date", "retention_flag"),
    *("search_kana", "municipality_code", "town_code", "operator_id", "terminal_id"),
    *("recorded_at", "notified_on", "gaiji_flag", "removed_flag", "update_number"),
    *("name_gaiji_serial", "address_gaiji_serial"),
)
KEYS = ("four", "my_number", "resident_code")
KINDS = ("representative", "business", "municipality", "national", "service")
STAFFED = ("representative", "business")
ANYBODY = "at-a-terminal"
MOST_REMEMBERED = 1 << 16
"""Answers, of each question; a walk over all cells comes by its neighbours first."""

ROLES: dict[str, dict[str, Any]] = tomllib.loads((POLICY / "roles.toml").read_text("utf-8"))[
    "roles"
]
PURPOSES: dict[str, dict[str, Any]] = tomllib.loads((POLICY / "purposes.toml").read_text("utf-8"))[
    "purposes"
]


@dataclass(frozen=True)
class Asking:
    """One request, as far as rights go."""

    roles: frozenset[str]
    """Those that were given to whoever asks; none: nobody has logged in."""
    kind: str
    """Of the terminal or server."""
    operation: str
    purposed: bool
    blind: bool = False
    purpose: str | None = None
    reason: str | None = None
    held: frozenset[str] = frozenset()
    """The 事務 that were given to whoever asks."""
    on: date = date(2026, 4, 1)
    attended: bool = False
    """Whether staff is logged in at the same terminal."""

    @property
    def logged_in(self) -> bool:
        """Whether a person has been identified, where persons are."""
        return bool(self.roles) and self.kind in STAFFED


@lru_cache(MOST_REMEMBERED)
def refusal(asking: Asking) -> str | None:
    """Return the code of the refusal that the policy asks for, or None if it allows this."""
    if not reaching(asking):
        somebody = any(_is_for(rule, asking) for rule in ROLES.values())
        told_to_log_in = asking.kind in STAFFED and not asking.logged_in and somebody
        return "unidentified" if told_to_log_in else "not-permitted"
    if asking.purposed and not _purpose_allows(asking):
        return "not-permitted"
    return None


def reaching(asking: Asking) -> list[str]:
    """Return which roles reach this operation from here."""
    holds = {*asking.roles, *([ANYBODY] if asking.kind in STAFFED else [])}
    blind = {name for name in asking.roles if ROLES[name].get("blind", False)}
    if blind and blind != asking.roles:
        holds = {ANYBODY}
    return sorted(name for name in holds if _reaches(name, asking))


@lru_cache(MOST_REMEMBERED)
def shows(asking: Asking, item: str) -> bool:
    """Return whether this one item of a resident may be in the answer."""
    if refusal(asking) is not None or asking.blind:
        return False
    if asking.purposed and not _names(PURPOSES[asking.purpose or ""], "items", item):
        return False
    return any(_names(ROLES[name], "items", item) for name in reaching(asking))


@lru_cache(MOST_REMEMBERED)
def asks_by(asking: Asking, key: str) -> bool:
    """Return whether a resident may be asked for by this key."""
    if refusal(asking) is not None or asking.blind:
        return False
    if asking.purposed and not _names(PURPOSES[asking.purpose or ""], "keys", key):
        return False
    return any(_names(ROLES[name], "keys", key) for name in reaching(asking))


@lru_cache(MOST_REMEMBERED)
def has(asking: Asking, right: str) -> bool:
    """Return whether struck-off residents (``removed``) or former versions may be seen."""
    reached = () if refusal(asking) is not None or asking.blind else reaching(asking)
    return any(ROLES[name].get(right, False) for name in reached)


def under(asking: Asking, purpose: str | None, reason: str | None = None) -> Asking:
    """Return the same request for another 事務, with its first 利用事由 unless one is given."""
    if purpose is not None and reason is None:
        reason = min(PURPOSES[purpose]["reasons"])
    return replace(asking, purpose=purpose, reason=reason)


def _reaches(name: str, asking: Asking) -> bool:
    rule = ROLES[name]
    alone = rule.get("attended", False) and not asking.attended
    return _is_for(rule, asking) and not alone


def _is_for(rule: dict[str, Any], asking: Asking) -> bool:
    return asking.operation in rule["operations"] and asking.kind in rule["terminals"]


def _purpose_allows(asking: Asking) -> bool:
    rule = PURPOSES.get(asking.purpose or "")
    if rule is None or asking.purpose not in asking.held:
        return False
    in_force = rule["valid_from"] <= asking.on and asking.on <= rule.get("valid_until", asking.on)
    return in_force and asking.operation in rule["operations"] and asking.reason in rule["reasons"]


def _names(rule: dict[str, Any], table: str, name: str) -> bool:
    named = rule.get(table, ())
    return name in named or (table == "items" and "*" in named)
