"""What a handler gets: who asks, how far the rights reach, and the parts it may use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from appliance.errors import Failed
from appliance.ledger_reader import LedgerReader
from appliance.marks import Marks
from appliance.model import Actor, Grant, Request
from appliance.national import Abroad
from appliance.operation import Power
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

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """The parts that an operation was given because it uses them (``Operation.uses``)."""

    sessions: Sessions | None = None
    roster: Roster | None = None
    ledger: LedgerReader | None = None
    outgoing: Outgoing | None = None


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
    refs: Refs
    marks: Marks
    tallies: Callable[[str], Mapping[str, int]]
    """Every tally whose name begins so, by name; one that is nought is not there."""
    recount: Recount
    powers: Powers
    national: Abroad | None = None
    """The national server; None where the appliance is configured without one."""
    note: Note = field(default_factory=Note)
    together: list[Callable[[Unit], None]] = field(default_factory=list)
    """Done in the same unit as the ledger entry of the answer."""
    if_refused: list[Callable[[Unit], None]] = field(default_factory=list)
    """Done in the same unit as the ledger entry of the refusal."""
    is_ours: Callable[[str], bool] = _anybody
    """Whether a certificate (PEM) is of an authority whose certificates may open a connection."""
    prepared: Any = None
    """What the operation's ``prepare`` returned."""

    @property
    def sessions(self) -> Sessions:
        """Who is logged in; of an operation that uses ``sessions``."""
        return _given(self.powers.sessions, "sessions")

    @property
    def roster(self) -> Roster:
        """Operators and terminals; of an operation that uses ``roster``."""
        return _given(self.powers.roster, "roster")

    @property
    def ledger(self) -> LedgerReader:
        """What everybody did; of an operation that uses ``ledger``."""
        return _given(self.powers.ledger, "ledger")

    @property
    def outgoing(self) -> Outgoing:
        """What must be told to others; of an operation that uses ``outgoing``."""
        return _given(self.powers.outgoing, "outgoing")

    def tally(self, name: str, by: int = 1) -> None:
        """Change a tally together with the ledger entry of the answer; ``name`` tells of nobody."""
        self.together.append(lambda unit: unit.tally(name, by))


def _given(part: T | None, name: Power) -> T:
    if part is None:
        raise Failed(f"the operation was not declared as one that uses {name}")
    return part
