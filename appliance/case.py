"""What a handler gets: who asks, how far the rights reach, and the parts it may use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.ledger_reader import LedgerReader
from appliance.model import Actor, Grant, Request
from appliance.outgoing import Outgoing
from appliance.papers import Papers
from appliance.policy import Policy
from appliance.recount import Recount
from appliance.refs import Refs
from appliance.registry import Registry
from appliance.roster import Roster
from appliance.sessions import Sessions
from appliance.traces import Note
from storage.engine import Unit


def _anybody(pem: str) -> bool:
    return True


@dataclass(slots=True)
class Case:
    """One request in the hands of a handler."""

    actor: Actor
    request: Request
    grant: Grant
    policy: Policy
    registry: Registry
    papers: Papers
    roster: Roster
    sessions: Sessions
    refs: Refs
    ledger: LedgerReader
    outgoing: Outgoing
    tallies: Callable[[str], Mapping[str, int]]
    """Every tally whose name begins so, by name; one that is nought is not there."""
    recount: Recount
    note: Note = field(default_factory=Note)
    together: list[Callable[[Unit], None]] = field(default_factory=list)
    """Done in the same unit as the ledger entry of the answer."""
    if_refused: list[Callable[[Unit], None]] = field(default_factory=list)
    """Done in the same unit as the ledger entry of the refusal."""
    is_ours: Callable[[str], bool] = _anybody
    """Whether a certificate (PEM) is of an authority whose certificates may open a connection."""
    prepared: Any = None
    """What the operation's ``prepare`` returned."""

    def tally(self, name: str, by: int = 1) -> None:
        """Change a tally together with the ledger entry of the answer; ``name`` tells of nobody."""
        self.together.append(lambda unit: unit.tally(name, by))
