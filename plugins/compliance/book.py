"""What a book (簿) is: its fields, its steps from state to state, its clocks, how long it is kept.

Books are data. One small mechanism reads them: ``forms.py`` checks what is given against the
fields, ``entries.py`` takes the steps and keeps the entries, ``clocks.py`` counts the days. What a
book cannot say as data is a ``Rule``, a function from one entry to what is wrong with it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance.plugin_api import Case, Papers, Register

Roles = tuple[str, ...]
ADMINISTRATOR, AUDITOR, OFFICER = "system-administrator", "auditor", "security-officer"
REGISTRAR, CLERK = "registrar", "clerk"
STAFF: Roles = (
    *(ADMINISTRATOR, AUDITOR, OFFICER, REGISTRAR, CLERK),
    *("media-operator", "media-approver", "statistician"),
)
"""Whoever logs in and is no contractor."""
OVERSEERS = frozenset({ADMINISTRATOR, AUDITOR})
"""Roles that see the entries of every office; everybody else sees those of his own."""
Given = Mapping[str, Any]
"""What is given with a step, by field: plain data of the form that the field says."""


class Kind(StrEnum):
    """What a field holds, and how it is written."""

    TEXT = "text"
    DATE = "date"  # YYYY-MM-DD
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    CHOICES = "choices"
    LINES = "lines"  # a list of texts
    PERSON = "person"  # 照合ID
    PERSONS = "persons"
    OFFICES = "offices"  # 所属
    CHECKS = "checks"  # [{"item": "1", "answer": "yes", "remark": "…"}, …]


ANSWERS: Mapping[str, str] = {"yes": "適", "no": "不適", "none": "該当なし"}
"""How an item of a checklist is answered; what is not right needs a remark."""
LONGEST = 2000
"""Characters of a text; a line may have a tenth of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One blank of a form."""

    name: str
    title: str
    kind: Kind = Kind.TEXT
    required: bool = True
    choices: Mapping[str, str] | None = None
    """Of a choice: what may be written, and what staff calls it."""
    checklist: str = ""
    """Of checks: the list whose items are answered (``checklists.tsv``)."""
    least: int = 1
    most: int = 1000
    """Of what is a list: how many; of a number: how much."""
    past: bool = False
    """Of a date: it tells what was done, so it is not after today."""
    all_unless_given: bool = False
    """Of offices: all of them, where none is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Entries of another book that a step opens."""

    book: str
    by: str
    """One for each office of this field; or of a checklist one for each item that is not right."""
    carried: tuple[str, ...] = ()
    """Fields that each of them has from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """An entry as a rule looks at it, when a step is about to be taken."""

    case: Case
    office: str
    fields: Given
    """As they will be."""
    given: Given
    steps: tuple[Mapping[str, Any], ...]
    """Those taken before."""


Rule = Callable[[Sheet], Iterator[str]]
"""Yields the number of each rule that the step would break."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that can be done with an entry, by whom and when."""

    name: str
    title: str
    roles: Roles
    """Who may take it: one of these is enough."""
    since: tuple[str, ...] = ()
    """In which states; of the first step of a book none."""
    to: str = ""
    """In which state it leaves the entry; empty: where it was."""
    fields: tuple[Field, ...] = ()
    again: bool = False
    """May be taken more than once; one that changes the state may whenever that is there again."""
    after: tuple[str, ...] = ()
    """Steps that must have been taken before."""
    own_office: bool = False
    """Only by somebody of the office whose entry it is."""
    by_field: str = ""
    """Only by the person whom this field names."""
    apart_from: tuple[str, ...] = ()
    """Not by a person who took one of these steps, or whom one of these fields names."""
    settles: bool = False
    """Not while a clock of the entry runs."""
    opens: Spread | None = None
    """Entries of another book that it opens."""
    rules: tuple[Rule, ...] = ()
    effect: Callable[[Case, Given], None] | None = None
    """What else is to be done, with the fields of the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """By when something must be done: ``days`` days, of which that of ``since`` is the first."""

    name: str
    title: str
    since: str
    """A field that is a date, or a step: from its day on the clock runs."""
    days: int
    until: tuple[str, ...] = ()
    """The steps with which it stops; also when the entry ends."""
    states: tuple[str, ...] = ()
    """Runs only while the entry is in one of these; empty: in all."""
    when: Mapping[str, tuple[Any, ...]] | None = None
    """Runs only while each of these fields has one of these values; None: while it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A book: what is written in it, step by step, and how long it is kept."""

    name: str
    title: str
    basis: str
    """The requirements it meets (``tests/requirements.tsv``)."""
    states: Mapping[str, str]
    ends: tuple[str, ...]
    """The states in which an entry is over."""
    steps: tuple[Step, ...]
    """The first opens an entry."""
    clocks: tuple[Clock, ...] = ()
    kept_years: int = 5
    """From the 1st of April after an entry ended."""
    by_hand: bool = True
    """False: entries are opened by another book alone (``Spread``)."""

    @property
    def opening(self) -> Step:
        """The step that opens an entry."""
        return self.steps[0]

    def step(self, name: str) -> Step | None:
        """Return a step by its name; None: there is none that can be taken with an entry."""
        return next((step for step in self.steps[1:] if step.name == name), None)

    def possible(self, state: str) -> tuple[Step, ...]:
        """Return the steps that a state allows."""
        return tuple(step for step in self.steps[1:] if state in step.since)

    def register(self, papers: Papers) -> Register:
        """Return the register of its entries."""
        return register_of(papers, self.name)


def register_of(papers: Papers, book: str) -> Register:
    """Return the register of a book's entries, by the name of the book."""
    return Register(papers, f"book-{book}")
