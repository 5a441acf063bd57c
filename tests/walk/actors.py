"""Who asks: operators with every role, and with some that no roster would join; and the machines.

What is true of an operator is kept here beside the roster, so that an answer to somebody who may
not ask any more is seen. The roster itself is written in ``sit_down`` and ``befall`` alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations
from random import Random

from appliance.errors import Refusal
from appliance.model import TerminalKind
from appliance.roster import Roster
from appliance.testing import PREPARED, Bench, Seat
from storage.engine import Unit
from tests.rights import ANYBODY, PURPOSES, ROLES, STAFFED, Asking
from tests.walk.people import MUNICIPALITIES

USING = ("clerk", "registrar", "media-operator")
"""The roles that see residents; most operators have one."""
TERMINALS = {f"T-{kind[:3].upper()}-{n}": kind for kind in STAFFED for n in range(3)}


@dataclass
class Caller:
    """Somebody, or a machine, at one terminal."""

    name: str
    roles: frozenset[str]
    held: frozenset[str]
    kind: str
    terminal: str
    seat: Seat
    municipality: str | None = None
    fate: str = ""
    """Why nothing may be answered any more."""
    refs: list[str] = field(default_factory=list)

    def asking(
        self, operation: str, *, purposed: bool, blind: bool, on: date, attended: bool
    ) -> Asking:
        """Return what a request of his is to the policy; the 事務 is still to be named."""
        return Asking(
            self.roles,
            self.kind,
            operation,
            purposed,
            blind,
            held=self.held,
            on=on,
            attended=attended,
        )


def _appointments(random: Random) -> Iterator[frozenset[str]]:
    """Yield roles to be held together: each alone, and pairs, whether or not they go together."""
    people = sorted(
        name
        for name, rule in ROLES.items()
        if name != ANYBODY and set(rule["terminals"]) & {*STAFFED}
    )
    yield from (frozenset({name}) for name in people)
    yield from (frozenset({name}) for name in USING for _ in range(6))
    pairs = [frozenset(pair) for pair in combinations(people, 2)]
    yield from random.sample(pairs, 12)


def gather(bench: Bench, random: Random) -> list[Caller]:
    """Return everybody: operators with some 事務 each, whoever has not logged in, the machines."""
    callers = []
    for number, roles in enumerate(_appointments(random)):
        held = frozenset(random.sample(sorted(PURPOSES), random.randint(0, len(PURPOSES))))
        terminal = random.choice(sorted(TERMINALS))
        kind = TERMINALS[terminal]
        empty = bench.seat(terminal, TerminalKind(kind))
        callers.append(Caller(f"OP-{number:04}", roles, held, kind, terminal, empty, fate="out"))
    for terminal, kind in list(TERMINALS.items())[::3]:
        nobody = bench.seat(terminal, TerminalKind(kind))
        callers.append(Caller("", frozenset(), frozenset(), kind, terminal, nobody))
    for code in MUNICIPALITIES:
        role, seat = frozenset({"municipality"}), bench.municipality(code)
        callers.append(Caller("", role, frozenset(), "municipality", f"CS-{code}", seat, code))
    role = frozenset({"national"})
    callers.append(Caller("", role, frozenset(), "national", "NATIONAL", bench.national()))
    return callers


def sit_down(bench: Bench, callers: list[Caller], caller: Caller) -> None:
    """Log somebody in where he works, with the rights that he has. The seam with the roster."""
    if caller.fate == "revoked":
        revoked = {other.terminal for other in callers if other.fate == "revoked"}
        caller.terminal = min({*TERMINALS} - revoked)
        caller.kind = TERMINALS[caller.terminal]
    try:
        caller.seat = bench.clerk(
            caller.name,
            roles=tuple(sorted(caller.roles)),
            purposes=tuple(sorted(caller.held)),
            terminal_id=caller.terminal,
        )
    except Refusal:
        caller.fate = "out"
        return
    caller.fate = ""
    caller.refs.clear()


def befall(bench: Bench, random: Random, caller: Caller) -> None:
    """Let an operator be suspended or his time be over, behind his open session."""
    caller.fate = random.choice(("suspended", "over"))
    yesterday = bench.now.date() - timedelta(days=1)
    changes = {"suspended": "異動"} if caller.fate == "suspended" else {"expires_on": yesterday}

    def work(unit: Unit) -> None:
        Roster(unit, unit).change_operator(caller.name, **changes)
        unit.enter(PREPARED)

    bench.vault.write(work)


def revoke(bench: Bench, callers: list[Caller], terminal: str) -> None:
    """Take a terminal out of use, behind the sessions at it."""

    def work(unit: Unit) -> None:
        Roster(unit, unit).revoke_terminal(terminal, "紛失")
        unit.enter(PREPARED)

    bench.vault.write(work)
    for caller in callers:
        if caller.terminal == terminal:
            caller.fate = "revoked"
