"""What a handler gets: who asks, how far the rights reach, and the parts it may use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args

from appliance.errors import Failed
from appliance.keycare import Keys
from appliance.ledger_reader import LedgerReader
from appliance.marks import Marks
from appliance.media import Media
from appliance.model import Actor, Behalf, Grant, Request
from appliance.national import Abroad
from appliance.outgoing import Outgoing
from appliance.papers import Papers
from appliance.policy import Policy
from appliance.protection import Protections
from appliance.recount import Recount
from appliance.refs import Refs
from appliance.registry import Registry
from appliance.roster import Roster
from appliance.sessions import Sessions
from appliance.traces import Note
from storage.engine import Unit

T = TypeVar("T")

Power = Literal["sessions", "roster", "ledger", "outgoing", "protections", "keys"]
"""What ``case`` holds beside residents, papers and refs."""
POWERS: frozenset[Power] = frozenset(get_args(Power))


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """The parts that an operation was given because it uses them (``Operation.uses``)."""

    sessions: Sessions | None = None
    roster: Roster | None = None
    ledger: LedgerReader | None = None
    outgoing: Outgoing | None = None
    protections: Protections | None = None
    keys: Keys | None = None


@dataclass(slots=True, kw_only=True)
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
    media: Media
    powers: Powers
    is_ours: Callable[[str], bool]
    """Whether a certificate (PEM) is of an authority whose certificates may open a connection."""
    rights_of: Callable[[Behalf], Grant]
    """How far the rights of somebody reach today, whatever they were before; raises NotPermitted
    if he may not work any more, or neither his roles nor his 事務 reach this."""
    national: Abroad | None = None
    """The national server; None where the appliance is configured without one."""
    note: Note = field(default_factory=Note)
    together: list[Callable[[Unit], None]] = field(default_factory=list)
    """Done in the same unit as the ledger entry of the answer."""
    if_refused: list[Callable[[Unit], None]] = field(default_factory=list)
    """Done in the same unit as the ledger entry of the refusal."""
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

    @property
    def protections(self) -> Protections:
        """Whom nobody opens alone; of an operation that uses ``protections``."""
        return _given(self.powers.protections, "protections")

    @property
    def keys(self) -> Keys:
        """The retention keys; of an operation that uses ``keys``."""
        return _given(self.powers.keys, "keys")

    def tally(self, name: str, by: int = 1) -> None:
        """Change a tally together with the ledger entry of the answer; ``name`` tells of nobody."""
        self.together.append(lambda unit: unit.tally(name, by))

    def enter(self, write: Callable[[Papers], None]) -> None:
        """Write papers together with the ledger entry of the answer, though nothing else changes.

        ``write`` gets the plugin's papers as the unit of the entry sees them.
        """
        self.together.append(lambda unit: write(self.papers.within(unit)))

    def act_for(self, behalf: Behalf) -> None:
        """Do what follows for somebody and a 事務: a job's rights end where his end today.

        事務 and 利用事由 stand in the ledger entry as if the request had named them, even if the
        rights are over. Nothing is reached beyond ``rights_of`` from now on.

        Raises:
            NotPermitted: as ``rights_of``.
        """
        self.note.purpose, self.note.reason = behalf.purpose, behalf.reason
        self.grant = self.rights_of(behalf)
        self.registry.narrow(self.grant)


def _given(part: T | None, name: Power) -> T:
    if part is None:
        raise Failed(f"the operation was not declared as one that uses {name}")
    return part
