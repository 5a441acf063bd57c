"""A year's uses as they are written down: in any order first, then as the ledger has them."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from random import Random
from typing import Any

from appliance.model import JST
from plugins.watching.findings import Span, Surroundings
from plugins.watching.kin import Kin, StaffName, kin_of
from plugins.watching.uses import Use
from scripts.watching_lib.staff import Clerk, Staff, resident_name


@dataclass(slots=True)
class Plant:
    """A misuse that was planted: whose, what kind, how strong, and its uses."""

    detector: str
    strength: str
    persons: set[str] = field(default_factory=set)
    notes: list[int] = field(default_factory=list)
    """Numbers of its notes in the diary; of its uses, once they are in order."""
    days: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Diary:
    """What happens in a year."""

    staff: Staff
    rng: Random
    notes: list[dict[str, Any]] = field(default_factory=list)
    plants: list[Plant] = field(default_factory=list)
    approved: list[tuple[int, int, str, str]] = field(default_factory=list)
    drills: list[tuple[int, int, str]] = field(default_factory=list)
    canaries: frozenset[int] = frozenset()
    cases: int = 0
    sessions: int = 0
    plant: Plant | None = None
    """Whose notes are being written."""

    def case(self, clerk: Clerk) -> str:
        """Return a new 使用簿番号."""
        self.cases += 1
        return f"{clerk.office.name}-{self.cases}"

    def session(self) -> str:
        """Return a new session: they are short, and one 操作者ID has one."""
        self.sessions += 1
        return f"session-{self.sessions}"

    def subject(self) -> int:
        """Return any resident."""
        return self.rng.randrange(1, 1_700_000)

    def write(
        self,
        clerk: Clerk,
        at: datetime,
        operation: str,
        *,
        subjects: tuple[int, ...] = (),
        names: tuple[StaffName, ...] | None = None,
        **more: Any,
    ) -> None:
        """Write down a use; names are those of the subjects unless others are given."""
        met = names if names is not None else tuple(map(resident_name, subjects[:1]))
        kin = max((kin_of(clerk.name, each.name, each.kana) for each in met), default=Kin.NONE)
        self.note(
            at,
            operation=operation,
            person=clerk.person,
            operator=clerk.operator,
            office=clerk.office.name,
            subjects=subjects,
            hits=more.pop("hits", len(subjects)),
            kin=kin,
            **{"terminal": clerk.terminal, "session": self.session(), **more},
        )

    def login(self, clerk: Clerk, at: datetime, *, refusal: str = "", terminal: str = "") -> None:
        """Write down an attempt to log in."""
        place = terminal or clerk.terminal
        self.note(at, operation="session/open", terminal=place, tried=clerk.person, refusal=refusal)

    def note(self, at: datetime, **what: Any) -> None:
        """Write down anything."""
        if self.plant is not None:
            self.plant.notes.append(len(self.notes))
            self.plant.days.add(at.toordinal())
            if what.get("person"):
                self.plant.persons.add(what["person"])
        self.notes.append({"at": at, "number": len(self.notes), **what})

    def uses(self) -> list[Use]:
        """Return the uses as the ledger has them; plants now say which of them are theirs."""
        ordered = sorted(self.notes, key=lambda note: note["at"])
        index = {note["number"]: position for position, note in enumerate(ordered)}
        for plant in self.plants:
            plant.notes = [index[number] for number in plant.notes]
        return [_use(position, note) for position, note in enumerate(ordered)]

    def around(self) -> Surroundings:
        """Return what is known beside the ledger."""
        return Surroundings(
            canaries=self.canaries,
            drills=tuple(Span(*each) for each in self.drills),
            approved=tuple(Span(*each) for each in self.approved),
            places=self.staff.places,
        )


def _use(index: int, note: dict[str, Any]) -> Use:
    at: datetime = note["at"]
    what = {key: value for key, value in note.items() if key not in ("at", "number")}
    return Use(
        index=index,
        seconds=int(at.timestamp()),
        day=at.toordinal(),
        minute=at.hour * 60 + at.minute,
        answered=not what.get("refusal"),
        **what,
    )


def moment(day: date, minute: float) -> datetime:
    """Return a moment of a day in Japan."""
    seconds = int(minute * 60)
    clock = time(min(23, seconds // 3600), seconds // 60 % 60, seconds % 60)
    return datetime.combine(day, clock, JST)
