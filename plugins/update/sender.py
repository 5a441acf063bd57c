"""Who sends: a municipality, what it covers, and what belongs to its prefecture."""

from dataclasses import dataclass
from functools import lru_cache

from appliance.plugin_api import Municipalities


@dataclass(frozen=True, slots=True)
class Sender:
    """The municipality a CS certificate is bound to (R18, R35)."""

    code: str
    covers: frozenset[str]
    """Its own code and, for a 指定都市, those of its wards."""
    prefecture: frozenset[str]
    """The codes of every municipality and ward of its prefecture."""


@lru_cache(maxsize=256)
def sender_of(code: str, municipalities: Municipalities) -> Sender:
    """Return the municipality of this code as a sender."""
    return Sender(
        code=code,
        covers=frozenset(municipalities.covered_by(code)),
        prefecture=frozenset(municipalities.in_prefecture(code)),
    )
