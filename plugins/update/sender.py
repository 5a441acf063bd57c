"""Who sends: a municipality, what it covers, and what belongs to its prefecture."""

from dataclasses import dataclass, replace
from functools import lru_cache

from appliance.plugin_api import Case, Municipalities, NotPermitted


@dataclass(frozen=True, slots=True)
class Sender:
    """The municipality a CS certificate is bound to (R18, R35)."""

    code: str
    covers: frozenset[str]
    """Its own code and, for a 指定都市, those of its wards."""
    prefecture: frozenset[str]
    """The codes of every municipality and ward of its prefecture."""

    def reaching(self, municipality_code: str) -> "Sender":
        """Return the same municipality as one that may notify about another one's record."""
        return replace(self, covers=self.covers | {municipality_code})


@lru_cache(maxsize=256)
def sender_of(code: str, municipalities: Municipalities) -> Sender:
    """Return the municipality of this code as a sender."""
    return Sender(
        code=code,
        covers=frozenset(municipalities.covered_by(code)),
        prefecture=frozenset(municipalities.in_prefecture(code)),
    )


def sender_in(case: Case) -> Sender:
    """Return the municipality that the certificate of a request is bound to (R18, R33).

    Raises:
        NotPermitted: the terminal is no municipality's.
    """
    code = case.actor.terminal.municipality_code
    if code is None:
        raise NotPermitted("this terminal is not the CS of a municipality")
    return sender_of(code, case.registry.municipalities)
