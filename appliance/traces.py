"""What a request leaves behind on its way, from which its ledger entry is written."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from appliance.items import ItemName
from storage.engine import PersonId, VersionId


@dataclass(slots=True)
class Touched:
    """Whom a request showed or changed, and which items left the registry; kept by the registry."""

    subjects: dict[PersonId, None] = field(default_factory=dict)
    opened: dict[PersonId, None] = field(default_factory=dict)
    """Those of the subjects of whom the answer may tell something."""
    items: set[ItemName] = field(default_factory=set)
    saved: list[VersionId] = field(default_factory=list)
    candidates: int = 0
    compared: set[ItemName] = field(default_factory=set)
    """Items of which only was told whether they are as was claimed."""
    openings: dict[int, str] = field(default_factory=dict)
    """By which requests protected persons were opened, and who agreed (照合ID)."""
    national: Counter[str] = field(default_factory=Counter)
    """What came of asking the national server, and how often."""

    def join(self, before: "Touched") -> None:
        """Add whom another part of the same request showed."""
        self.subjects.update(before.subjects)
        self.opened.update(before.opened)
        self.items.update(before.items)
        self.compared.update(before.compared)
        self.candidates += before.candidates
        self.openings.update(before.openings)
        self.national.update(before.national)

    def undo(self, saved: int) -> None:
        """Forget all saves but the first ``saved``: they were undone, and so were new persons."""
        for version in self.saved[saved:]:
            if version.number == 1:
                self.subjects.pop(version.person, None)
                self.opened.pop(version.person, None)
        del self.saved[saved:]


@dataclass(slots=True)
class Note:
    """What a handler adds to the entry; never an item of a resident."""

    result: str = ""
    purpose: str | None = None
    """事務 and 利用事由 for which a job does its work, where the request itself names none."""
    reason: str | None = None
    case_number: str | None = None
    hits: int | None = None
    conditions: dict[str, Any] = field(default_factory=dict)
    """What stands beside the recorded arguments."""
    file: str = ""
    """SHA-256 (hex) of a file that is handed out, for anybody to see and compare; only of a file
    whose content nobody can guess, such as one with request ids in it."""
    outcomes: list[tuple[int, str, str]] = field(default_factory=list)
    """Of a batch: sequence, outcome, the first rule that was broken or empty."""
