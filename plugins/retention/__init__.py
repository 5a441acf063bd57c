"""保存期間: what may no longer be kept is erased, and that it was is recorded (R153 to R155).

When a version's 150 years end is decided when it becomes history (``appliance/retention.py``). This
plugin looks every night for those whose time is over, erases them beyond recovery together with
whatever they were found by, and writes down how many: a record without personal data (番号法
ガイドライン: 削除又は廃棄した記録). ``screens.py`` shows all of it at a terminal.
"""

from datetime import date, datetime, time
from typing import Annotated

from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    AnyOperation,
    Arguments,
    Case,
    Entry,
    Job,
    Nothing,
    Operation,
    OperationName,
    Register,
    Screen,
    Step,
    hookimpl,
)
from plugins.retention.screens import SCREENS

AT_ONCE = 200
"""Versions erased in one step."""
BASIS = "住民基本台帳法施行令第30条の6"
BOOK = "erasures"


class Due(Arguments, frozen=True, kw_only=True):
    """On which day; today if it is left out."""

    on: date | None = None


class DueVersions(Answer, frozen=True, kw_only=True):
    """How many versions would be erased on that day, if nothing were before; nothing is."""

    on: date
    versions: int


class Book(Arguments, frozen=True, kw_only=True):
    """Which entries: those after a number."""

    after: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class Erasure(Answer, frozen=True, kw_only=True):
    """One entry of the book of erasures (削除記録)."""

    number: int
    erased_on: date
    at: datetime
    versions: int
    persons: int
    """How many of them are gone whole."""
    basis: str


class Erasures(Answer, frozen=True, kw_only=True):
    """The book, oldest first."""

    entries: tuple[Erasure, ...]
    last: int


def erase(case: Case, _: Nothing) -> Step:
    """Erase some of what is due, oldest first; one entry in the book for each step."""
    today = case.request.today
    total = case.registry.erasing.due(today)
    chosen = case.registry.erasing.expired(today, AT_ONCE)
    persons = 0
    for version in chosen:
        case.registry.erasing.erase(version)
        persons += not case.registry.erasing.is_kept(version.person)
    if chosen:
        Register(case.papers, BOOK).add(
            {
                "erased_on": today.isoformat(),
                "at": case.request.now.isoformat(),
                "versions": len(chosen),
                "persons": persons,
                "basis": BASIS,
            }
        )
        case.note.result = f"{len(chosen)} versions"
    return Step(done=len(chosen), total=total, more=total > len(chosen))


def due(case: Case, asked: Due) -> DueVersions:
    """Say how many versions would be erased; a dry run."""
    on = asked.on or case.request.today
    return DueVersions(on=on, versions=case.registry.erasing.due(on))


def book(case: Case, asked: Book) -> Erasures:
    """Show the book of erasures."""
    register = Register(case.papers, BOOK)
    last = register.last
    shown = range(asked.after + 1, min(last, asked.after + asked.limit) + 1)
    entries = tuple(_erasure(number, register.get(number)) for number in shown)
    return Erasures(entries=entries, last=last)


def _erasure(number: int, entry: Entry) -> Erasure:
    return Erasure(
        number=number,
        erased_on=date.fromisoformat(entry["erased_on"]),
        at=datetime.fromisoformat(entry["at"]),
        versions=entry["versions"],
        persons=entry["persons"],
        basis=entry["basis"],
    )


ERASE = Operation(
    name=OperationName("retention/erase"),
    summary="Erase versions whose time of retention is over.",
    asks=Nothing,
    answers=Step,
    handler=erase,
    changes=True,
    purposed=False,
)
DUE = Operation(
    name=OperationName("retention/due"),
    summary="Say how many versions may be erased on a day; erases nothing.",
    asks=Due,
    answers=DueVersions,
    handler=due,
    purposed=False,
    records=("on",),
)
SHOW_BOOK = Operation(
    name=OperationName("retention/book"),
    summary="Show what was erased when: counts, and nobody.",
    asks=Book,
    answers=Erasures,
    handler=book,
    purposed=False,
    records=("after", "limit"),
)
NIGHTLY = Job(
    name="retention/erase",
    summary="保存期間を経過した記録の消去",
    operation=ERASE.name,
    at=time(1, 30),
)


@hookimpl
def operations() -> list[AnyOperation]:
    return [ERASE, DUE, SHOW_BOOK]


@hookimpl
def jobs() -> list[Job]:
    return [NIGHTLY]


@hookimpl
def screens() -> list[Screen]:
    return SCREENS
