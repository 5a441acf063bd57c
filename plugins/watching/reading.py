"""The two jobs that read the ledger: ``watching/nightly``, and ``watching/at-once`` within minutes.

A step reads some entries in a view, and writes in one unit how far it is, what the detectors
remember and the flags they raised: a killed process goes on where the last commit was, and no flag
is raised twice. Whoever was looked at is read once more by name, where the name of whoever looked
is recorded; the entry of the step names them all.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import chain
from typing import Any

from appliance.plugin_api import (
    Alarm,
    AnyOperation,
    Case,
    ItemName,
    Job,
    NotFound,
    Nothing,
    NotPermitted,
    Operation,
    OperationName,
    Papers,
    PersonId,
    Reading,
    Step,
    Watch,
)
from plugins.watching import known
from plugins.watching.days import Counting, Counts, enter
from plugins.watching.detectors import AT_ONCE, NIGHTLY
from plugins.watching.findings import Finding, Surroundings
from plugins.watching.flags import raise_flag
from plugins.watching.kin import Kin, StaffName, kin_of, kin_of_conditions
from plugins.watching.staff import staff_names
from plugins.watching.uses import DETAIL, FIND, FUNCTIONS, INQUIRIES, Use, use_of
from plugins.watching.watcher import Watcher

ENTRIES = 1_000
"""Read in one step."""
MINUTES = timedelta(minutes=5)
NAME, KANA = ItemName("name"), ItemName("kana")
STATE, CALENDAR = "state", "calendar"
HOLIDAYS, READ = "holidays", "read"
"""Of the calendar: how far the holidays go, and the last day that was read whole."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One job: its name, and which detectors it runs."""

    name: str
    detectors: tuple[str, ...]


BY_NIGHT, SOON = Stream("nightly", NIGHTLY), Stream("at-once", AT_ONCE)


@dataclass(frozen=True, slots=True)
class Read:
    """What a step has found in its view."""

    findings: list[Finding]
    state: dict[str, Any]
    counts: Counts
    through: int
    total: int


class _Reader:
    """Reads some entries for one stream."""

    def __init__(self, case: Case, stream: Stream) -> None:
        self._case = case
        self._stream = stream
        self._rules = case.policy.watching
        self._names = staff_names(case) if stream is BY_NIGHT else {}
        self._offices = {each.person_id: each.office for each in case.roster.persons()}

    def read(self) -> Read:
        """Read on from where the last step ended."""
        case, stream = self._case, self._stream
        counting = Counting(self._rules, self._offices)
        # Whoever counts must see every entry once: by night, and not by day too.
        others = (counting,) if stream is BY_NIGHT else ()
        watcher = Watcher(self._rules, stream.detectors, *others)
        kept = case.papers.get(STATE, stream.name)
        start = 0
        if kept is not None:
            start = kept["through"]
            watcher.take(kept["watcher"])
            for index in watcher.again:
                watcher.recall(use_of(case.ledger.entry(index)))
        total = case.ledger.size
        stop = min(total, start + ENTRIES)
        around = self._around()
        findings = list(
            chain.from_iterable(
                watcher.see(use, around) for use in map(self._use, case.ledger.between(start, stop))
            )
        )
        if stop == total and stream is BY_NIGHT:
            findings += watcher.days_over(case.request.today.toordinal() - 1)
        state = {"through": stop, "watcher": watcher.kept()}
        return Read(findings, state, counting.counts, stop, total)

    def _around(self) -> Surroundings:
        places = {each.terminal_id: each.place for each in self._case.roster.terminals()}
        return known.surroundings(self._case.papers, places)

    def _use(self, reading: Reading) -> Use:
        name = self._names.get(reading.person or "")
        if name is None or not reading.operation.startswith(FUNCTIONS):
            return use_of(reading)
        asked = kin_of_conditions(name, reading.conditions)
        return use_of(reading, max((asked, *self._met(name, reading))))

    def _met(self, name: StaffName, reading: Reading) -> Iterator[Kin]:
        """Yield how near the names of those are whom somebody looked at."""
        listed = reading.operation == FIND and len(reading.subjects) <= self._rules.looks.listed
        if not listed and reading.operation not in (DETAIL, *INQUIRIES):
            return
        for subject in reading.subjects:
            # Of whoever is erased meanwhile, or kept from this job, it must not be the end.
            with suppress(NotFound, NotPermitted):
                yield self._kin(name, subject)

    def _kin(self, name: StaffName, subject: PersonId) -> Kin:
        values = self._case.registry.read(subject, (NAME, KANA)).values
        return kin_of(name, values.get(NAME), values.get(KANA))


def nightly(case: Case, _: Nothing) -> Step:
    """Watch some more entries, with every detector that can wait for the night."""
    _keep(case, HOLIDAYS, max(case.policy.watching.hours.holidays, default=date.min))
    day = case.prepared.state["watcher"]["day"]
    if day:
        _keep(case, READ, date.fromordinal(day - 1))
    return _step(case, BY_NIGHT)


def at_once(case: Case, _: Nothing) -> Step:
    """Watch some more entries for what cannot wait."""
    return _step(case, SOON)


def _step(case: Case, stream: Stream) -> Step:
    read: Read = case.prepared
    for finding in read.findings:
        raise_flag(case, finding)
    enter(case.papers, read.counts)
    case.papers.replace(STATE, stream.name, read.state)
    case.note.result = f"{len(read.findings)} flags"
    return Step(done=read.through, total=read.total, more=read.through < read.total)


def _keep(case: Case, what: str, day: date) -> None:
    """Keep a day by itself: an alarm sees papers and no policy, a page should not read a state."""
    kept = case.papers.get(CALENDAR, what)
    if kept is None or kept["until"] != day.isoformat():
        case.papers.replace(CALENDAR, what, {"until": day.isoformat()})


def read_until(papers: Papers) -> date | None:
    """Return the last day that the nightly reading has read whole; None if there is none."""
    kept = papers.get(CALENDAR, READ)
    return date.fromisoformat(kept["until"]) if kept else None


def is_due(watch: Watch) -> bool:
    """Return whether anything was entered since the last step, beside the step itself."""
    kept = watch.papers.get(STATE, SOON.name)
    return kept is None or watch.entries > kept["through"] + 1


def alarms(watch: Watch) -> Iterator[Alarm]:
    """Say so when the calendar has ended."""
    kept = watch.papers.get(CALENDAR, HOLIDAYS)
    if kept is not None and date.fromisoformat(kept["until"]) < watch.today:
        text = "祝日の登録が終わっています。watching.toml の holidays に翌年分を追加してください。"
        yield Alarm(name="watching/holidays-missing", text=text)


def _operation(stream: Stream, summary: str, handler: Any) -> AnyOperation:
    return Operation(
        name=OperationName(f"watching/{stream.name}"),
        summary=summary,
        asks=Nothing,
        answers=Step,
        handler=handler,
        prepare=lambda case, _: _Reader(case, stream).read(),
        changes=True,
        purposed=False,
        uses=frozenset({"ledger", "roster"}),
    )


READ_BY_NIGHT = _operation(
    BY_NIGHT, "Watch some more of the ledger, with all that can wait for the night.", nightly
)
READ_SOON = _operation(
    SOON, "Watch some more of the ledger for canaries and failed logins.", at_once
)
OPERATIONS: tuple[AnyOperation, ...] = (READ_BY_NIGHT, READ_SOON)
JOBS = (
    Job(
        name="watching/nightly",
        summary="操作履歴の監視(夜間)",
        operation=READ_BY_NIGHT.name,
        at=time(2, 30),
    ),
    Job(
        name="watching/at-once",
        summary="操作履歴の監視(架空住民の閲覧・ログイン失敗)",
        operation=READ_SOON.name,
        every=MINUTES,
        due=is_due,
    ),
)
