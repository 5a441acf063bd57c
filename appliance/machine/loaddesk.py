"""The desk of a load: which lines count, as whom, and what is written of them with a unit."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from appliance import authn
from appliance.audit import Account
from appliance.errors import Problem
from appliance.firstload import FirstLoad, Order, Turn
from appliance.index import CODE, NUMBER
from appliance.loaded import Loaded
from appliance.machine.loadfile import Piece, Source
from appliance.machine.loadworker import JudgedPiece, Line, Seal, SealedPiece
from appliance.papers import Papers
from appliance.parts import Clock
from appliance.traces import Note, Touched
from storage.bulk import BulkUnit
from storage.engine import Entry, PersonId, VersionId
from storage.keyring import KeyRing

OPERATION = "system/load"
UNIT = 50_000
"""Persons of a unit of work; a larger one gains nothing."""
MOST_OUTCOMES = 1000
"""Of refused lines that stand in one entry of the ledger; the report has them all."""
APPLIED, KNOWN, REJECTED = "applied", "known", "rejected"
_OUTCOMES = {Turn.NEW: APPLIED, Turn.KNOWN: KNOWN}


@dataclass(frozen=True, slots=True)
class Site:
    """The store that is loaded, and what is let in over it."""

    store: Path
    ring: KeyRing
    origin: str
    loaded: Loaded
    plugins: tuple[str, ...]
    """Their names, by which a worker finds them."""
    policy: bytes
    """Digest of the policy in force."""


class Remark(NamedTuple):
    """What is against a line: where it stands, and rule and item. Nothing of the person."""

    file: str
    line: int
    sequence: int | None
    outcome: str
    rule: str
    item: str


Keep = Callable[[Sequence[Remark]], None]


@dataclass(slots=True)
class Work:
    """A piece on its way."""

    piece: Piece
    judged: JudgedPiece | None = None
    sealed: SealedPiece | None = None


class _Part:
    """What one unit takes of one file."""

    def __init__(self, piece: Piece) -> None:
        self.first_line = piece.first_line
        self.last_line = piece.first_line
        self.persons: list[PersonId] = []
        self.refused: list[tuple[int, str, str]] = []
        self.counts: Counter[str] = Counter()
        self.is_last = False


class Desk:
    """Decides about lines and writes them, a unit at a time."""

    def __init__(self, site: Site, owner: str, plugin: FirstLoad, keep: Keep, clock: Clock) -> None:
        self._site, self._owner, self._plugin = site, owner, plugin
        self._keep, self._clock = keep, clock
        self._unit: BulkUnit
        self.counts: Counter[str] = Counter()

    def begin(self, unit: BulkUnit) -> None:
        """Begin a unit."""
        self._unit = unit
        self._first = self._next = int(unit.following)
        self._orders: dict[str, Order] = {}
        self._tallies: Counter[str] = Counter()
        self._remarks: list[Remark] = []
        self._parts: dict[int, tuple[Source, _Part]] = {}

    @property
    def is_full(self) -> bool:
        """Whether the unit has as many persons as one should have."""
        return self._next - self._first >= UNIT

    def decide(self, work: Work) -> Seal:
        """Decide which lines of a piece are loaded, and as whom."""
        if work.judged is None:
            raise ValueError("a piece is decided once it is judged")
        piece, kept, first = work.piece, list[int](), PersonId(self._next)
        _, part = self._parts.setdefault(id(piece.source), (piece.source, _Part(piece)))
        part.is_last |= piece.is_last
        part.last_line = piece.first_line + len(work.judged.lines) - 1
        for at, line in enumerate(work.judged.lines):
            turn = self._turn(piece.source.sender, line)
            outcome = REJECTED if isinstance(turn, Problem) else _OUTCOMES[turn]
            part.counts[outcome] += 1
            if turn is Turn.NEW:
                kept.append(at)
                part.persons.append(PersonId(self._next))
                self._claim(line)
            if outcome == REJECTED or (outcome == APPLIED and line.problems):
                self._remark(part, piece, at, line, turn)
        return Seal(piece.number, first, kept)

    def write(self, work: Work) -> None:
        """Write a piece that is sealed."""
        if work.sealed is None:
            raise ValueError("a piece is written once it is sealed")
        self._unit.bring(work.sealed.sealed, work.sealed.marks)
        self._unit.send_all(work.sealed.messages)
        self._tallies.update(work.sealed.tallies)

    def close(self) -> None:
        """Write what belongs to the whole unit: numbers, tallies, the report, the ledger."""
        for order in self._orders.values():
            order.save()
        self._unit.tally_all(self._tallies)
        self._keep(self._remarks)
        for source, part in self._parts.values():
            for entry in self._account(source, part):
                self._unit.enter(entry)
            self.counts.update(part.counts)

    def _turn(self, sender: str, line: Line) -> Turn | Problem:
        if line.sequence is None:
            return line.problems[0]
        alias = None if line.code is None else line.code.hex()
        turn = self._order(sender).turn(line.sequence, line.content, alias)
        if turn is not Turn.NEW:
            return turn
        if line.code is None:
            return line.problems[0]
        code_taken, number_taken = self._plugin.taken
        if self._unit.is_claimed(CODE, line.code):
            return code_taken
        if line.my_number is not None and self._unit.is_claimed(NUMBER, line.my_number):
            return number_taken
        return turn

    def _claim(self, line: Line) -> None:
        person = PersonId(self._next)
        self._next += 1
        if line.code is not None:
            self._unit.claim(CODE, line.code, person)
        if line.my_number is not None:
            self._unit.claim(NUMBER, line.my_number, person)

    def _order(self, sender: str) -> Order:
        if sender not in self._orders:
            papers = Papers(self._unit, self._unit, self._owner)
            self._orders[sender] = self._plugin.order(papers, sender)
        return self._orders[sender]

    def _remark(self, part: _Part, piece: Piece, at: int, line: Line, turn: Turn | Problem) -> None:
        against = turn if isinstance(turn, Problem) else line.problems[0]
        outcome = REJECTED if isinstance(turn, Problem) else APPLIED
        where = (piece.source.path.name, piece.first_line + at, line.sequence)
        self._remarks.append(Remark(*where, outcome, against.rule, against.item))
        if outcome == REJECTED and len(part.refused) < MOST_OUTCOMES:
            part.refused.append((line.sequence or 0, REJECTED, against.rule))

    def _account(self, source: Source, part: _Part) -> Iterator[Entry]:
        """Yield the entries of what a unit took of a file."""
        told: dict[str, str | int] = {
            "municipality_code": source.sender,
            "first_line": part.first_line,
            "last_line": part.last_line,
        }
        if part.is_last:
            told["sha256"] = source.digest.hexdigest()
        account = Account(
            request_id=f"load-{int(self._clock().timestamp() * 1000)}",
            operation=OPERATION,
            policy=self._site.policy[:8],
            terminal=authn.SERVICE.terminal,
            actor=authn.SERVICE,
            conditions=told,
            changes=True,
        )
        counts = ", ".join(f"{name} {count}" for name, count in sorted(part.counts.items()))
        touched = Touched(
            subjects=dict.fromkeys(part.persons),
            saved=[VersionId(person, 1) for person in part.persons],
        )
        yield from account.carried_out(touched, Note(result=counts, outcomes=part.refused))
