"""``watching/week``: a few days of the ledger, entry by entry, which no count could tell.

Sessions and which of them were used at a time; residents whom several people or 所属 have seen, by
the number of an entry and never by who they are; and what one person of the staff has done. Nothing
of it is kept, and no resident is opened for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from appliance.plugin_api import (
    JST,
    Answer,
    Arguments,
    Case,
    Malformed,
    Operation,
    OperationName,
    Reading,
    ShortText,
)
from plugins.watching.looks import shows
from plugins.watching.usage import FirstDay, LastDay, chosen_office
from plugins.watching.uses import Use, use_of

LONGEST = 7
"""Days of a period."""
SCANNED = 50_000
"""Entries opened in one call: about two seconds; the newest of the period."""
MOST = 1_000
"""Sessions, residents and entries told; the answer says whether there are more."""


class Week(Arguments, frozen=True, kw_only=True):
    """Of which days, both included, which 所属, and whose entries (照合ID)."""

    since: FirstDay
    until: LastDay
    office: ShortText | None = None
    person: ShortText | None = None


class Sitting(Answer, frozen=True, kw_only=True):
    """A session at a terminal, from its first entry to its last."""

    terminal: str
    person: str
    office: str
    begins: datetime
    ends: datetime
    entries: int
    overlaps: bool
    """Meanwhile another one was used at the terminal, or the same person was at another one."""


class SeenBySeveral(Answer, frozen=True, kw_only=True):
    """A resident whom several have seen."""

    index: int
    """Number of the first entry of the 所属 asked for that shows him."""
    persons: int
    offices: int
    looks: int


class Done(Answer, frozen=True, kw_only=True):
    """An entry of the person asked for."""

    index: int
    at: datetime
    operation: str
    terminal: str
    refusal: str
    """Code; empty if it was answered."""


class Closely(Answer, frozen=True, kw_only=True):
    """What was found, each in the order of the ledger; of residents those seen by most first."""

    office: str | None
    complete: bool
    """Everything of the period was read and is told."""
    sessions: tuple[Sitting, ...]
    residents: tuple[SeenBySeveral, ...]
    entries: tuple[Done, ...]


@dataclass(slots=True)
class _Seen:
    """Who has seen one resident."""

    index: int | None = None
    persons: set[str] = field(default_factory=set)
    offices: set[str] = field(default_factory=set)
    looks: int = 0


@dataclass(slots=True)
class _Session:
    """A session, as far as it was read."""

    terminal: str
    person: str
    office: str
    begins: int
    ends: int
    entries: int = 0
    overlaps: bool = False


def week(case: Case, asked: Week) -> Closely:
    """Read a few days of the ledger.

    Raises:
        Malformed: the period ends before it begins, or is longer than ``LONGEST``.
        NotPermitted: it is another office's.
    """
    if asked.until < asked.since:
        raise Malformed("until: must not be before since")
    if (asked.until - asked.since).days >= LONGEST:
        raise Malformed(f"until: at most {LONGEST} days are told at once")
    office = chosen_office(case, asked.office)
    readings, whole = _read(case, asked.since, asked.until)
    read = [use_of(reading) for reading in readings]
    sessions = [each for each in _sessions(read) if office in (None, each.office)]
    residents = list(_residents(case, read, office))
    entries = [each for each in read if each.person and each.person == asked.person]
    entries = [each for each in entries if office in (None, each.office)]
    found: tuple[Sequence[object], ...] = (sessions, residents, entries)
    return Closely(
        office=office,
        complete=whole and all(len(each) <= MOST for each in found),
        sessions=tuple(map(_sitting, sessions[:MOST])),
        residents=tuple(residents[:MOST]),
        entries=tuple(map(_done, entries[:MOST])),
    )


def _read(case: Case, since: date, until: date) -> tuple[Iterable[Reading], bool]:
    """Return the entries of some days, the newest if there are too many; and whether all are."""
    first, last = (
        case.ledger.place_of(int(datetime.combine(day, time(0), JST).timestamp() * 1000))
        for day in (since, until + timedelta(days=1))
    )
    return case.ledger.between(max(first, last - SCANNED), last), last - first <= SCANNED


def _sessions(read: Iterable[Use]) -> list[_Session]:
    """Return the sessions of the staff in the order of their first entry, overlaps marked."""
    sessions: dict[tuple[str, str], _Session] = {}
    for use in read:
        if use.person and use.session:
            fresh = _Session(use.terminal, use.person, use.office, use.seconds, use.seconds)
            mine = sessions.setdefault((use.person, use.session), fresh)
            mine.ends = max(mine.ends, use.seconds)
            mine.entries += 1
    ordered = sorted(sessions.values(), key=lambda each: each.begins)
    for same in (_alike(ordered, "terminal"), _alike(ordered, "person")):
        for alike in same.values():
            _mark_overlaps(alike)
    return ordered


def _alike(sessions: Iterable[_Session], what: str) -> Mapping[str, list[_Session]]:
    alike: defaultdict[str, list[_Session]] = defaultdict(list)
    for each in sessions:
        alike[getattr(each, what)].append(each)
    return alike


def _mark_overlaps(ordered: Sequence[_Session]) -> None:
    """Mark each that was begun while another was still used, and that one."""
    longest: _Session | None = None
    for each in ordered:
        if longest is not None and each.begins < longest.ends:
            each.overlaps = longest.overlaps = True
        if longest is None or each.ends > longest.ends:
            longest = each


def _residents(case: Case, read: Iterable[Use], office: str | None) -> Iterator[SeenBySeveral]:
    """Yield who was seen by so many as make a flag, if it were without a case; by most first."""
    rules = case.policy.watching
    seen: defaultdict[int, _Seen] = defaultdict(_Seen)
    for use in read:
        if use.answered and use.person and shows(use, rules.looks):
            for subject in use.subjects:
                mine = seen[subject]
                mine.persons.add(use.person)
                mine.offices.add(use.office)
                mine.looks += 1
                if mine.index is None and office in (None, use.office):
                    mine.index = use.index
    told = [
        SeenBySeveral(
            index=each.index, persons=len(each.persons), offices=len(each.offices), looks=each.looks
        )
        for each in seen.values()
        if each.index is not None
        and (
            len(each.persons) >= rules.seen_by_many.operators
            or len(each.offices) >= rules.seen_by_many.offices
        )
    ]
    yield from sorted(told, key=lambda each: (-each.persons, -each.offices, each.index))


def _sitting(session: _Session) -> Sitting:
    return Sitting(
        terminal=session.terminal,
        person=session.person,
        office=session.office,
        begins=datetime.fromtimestamp(session.begins, UTC),
        ends=datetime.fromtimestamp(session.ends, UTC),
        entries=session.entries,
        overlaps=session.overlaps,
    )


def _done(use: Use) -> Done:
    return Done(
        index=use.index,
        at=datetime.fromtimestamp(use.seconds, UTC),
        operation=use.operation,
        terminal=use.terminal,
        refusal=use.refusal,
    )


OPERATIONS = (
    Operation(
        name=OperationName("watching/week"),
        summary="Read a few days of the ledger: sessions, residents seen by several, one person.",
        asks=Week,
        answers=Closely,
        handler=week,
        purposed=False,
        uses=frozenset({"ledger"}),
        records=Week.__struct_fields__,
    ),
)
