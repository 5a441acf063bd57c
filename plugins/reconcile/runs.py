"""The runs of every municipality and what each has found, in papers.

::

    register runs      every run: who, when, how, and at the end the counts
    open   432024      the run that is open
    last   432024      the run that was finished last, and on what day
    plan   432024      how often a run is due, and since when (R95)
    progress 0000…12   how far an open run is
    findings 0000…12/ALIAS   who differs, by the registry's alias of the 住民票コード
    sent     0000…12/ALIAS   the four informations that were sent of somebody missing here
    pairs    0000…12         likely pairs of a finished run
    kept     0000…12         until what day a run may be open; then, until when findings are kept

Whom the files differ about is kept for a year, and of a run that was abandoned not at all; the
register goes on saying how many there were. What was sent of somebody, who may be another
municipality's resident, goes with the run: ``MOST_SENT`` of a run are kept for its pairing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

import msgspec

from appliance.plugin_api import Case, Conflict, Malformed, NotFound, Papers, Register, Value
from plugins.reconcile.wire import Kind, Mode

EVERY_DAYS = 31
"""How often a municipality is compared unless the calendar says otherwise."""
MOST_SENT = 501
"""Of a run; one more than are paired, which says that there are too many."""
OPEN_DAYS = 31
"""After which a run that was left open is abandoned."""
KEPT_DAYS = 365
"""How long it can be asked whom a finished run was about; the project's own term."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the register of runs."""

    municipality: str
    terminal: str
    mode: Mode
    state: str
    """``open``, ``agreed``, ``differs`` or ``abandoned``."""
    started_at: datetime
    finished_at: datetime | None = None
    explained: bool = True
    theirs: int = 0
    ours: int = 0
    same: int = 0
    differing: int = 0
    missing_here: int = 0
    missing_there: int = 0
    paired: int = 0


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an open run is."""

    batches: int = 0
    same: int = 0
    found: int = 0
    sent: int = 0
    """Of how many it is kept what was sent."""
    through: dict[str, str] = {}
    """Of a whole comparison: by group, the last place that was compared."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody about whom the files differ."""

    resident_code: str
    kind: Kind
    items: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How often a municipality is to be compared, and from what day on that is counted."""

    every_days: int = EVERY_DAYS
    since: date


class Last(msgspec.Struct, frozen=True, kw_only=True):
    """The last run that was finished."""

    run: int
    on: date


@dataclass(frozen=True, slots=True)
class Due:
    """When a municipality was compared last, and when it is due."""

    municipality: str
    every_days: int
    last: Last | None
    on: date


class Runs:
    """The runs, in one request."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers
        self._register = Register(papers, "runs")

    # --- the register ---

    def open(self, run: Run, today: date) -> int:
        """Enter a new run; one that the municipality left open is abandoned."""
        here = run.municipality
        if (left := self._papers.get("open", here)) is not None:
            self._abandon(left["run"], today)
        number = self._register.add(msgspec.to_builtins(run))
        self._papers.replace("open", here, {"run": number})
        self._keep(number, today + timedelta(days=OPEN_DAYS))
        if self._papers.get("plan", here) is None:
            self.plan(here, Plan(since=today))
        return number

    def current(self, case: Case, number: int) -> Run:
        """Return an open run of the caller's.

        Raises:
            NotFound: it is not the caller's.
            Conflict: it is over.
        """
        run = self.get(number)
        if run.municipality != case.actor.terminal.municipality_code:
            raise NotFound("run: there is no such run of yours")
        if run.state != "open":
            raise Conflict("run: it is over; begin another one")
        return run

    def get(self, number: int) -> Run:
        """Return a run.

        Raises:
            NotFound: there is none of this number.
        """
        return msgspec.convert(self._register.get(number), Run)

    def every(self, after: int = 0) -> Iterator[tuple[int, Run]]:
        """Yield every run above a number, the oldest first."""
        for number in range(after + 1, self._register.last + 1):
            yield number, self.get(number)

    def close(self, number: int, run: Run, pairs: list[dict[str, Any]], today: date) -> None:
        """Enter the end of a run, with its likely pairs."""
        self._register.amend(number, **msgspec.to_builtins(run))
        self._papers.drop("open", run.municipality)
        self._papers.put("pairs", _key(number), {"pairs": pairs})
        self._over(number, until=today + timedelta(days=KEPT_DAYS))
        last = Last(run=number, on=today)
        self._papers.replace("last", run.municipality, msgspec.to_builtins(last))

    def pairs(self, number: int) -> list[dict[str, Any]]:
        """Return the likely pairs of a run, as long as they are kept."""
        body = self._papers.get("pairs", _key(number))
        return [] if body is None else list(body["pairs"])

    def forget(self, today: date, most: int) -> tuple[int, bool]:
        """Drop findings of runs whose time is over; return how many, and whether there are more."""
        dropped = 0
        for key, body in list(self._papers.every("kept")):
            if body["until"] > today.isoformat():
                continue
            run = self.get(int(key))
            if run.state == "open":
                self._papers.drop("open", run.municipality)
                self._abandon(int(key), today)
            keys = (each for each, _ in self._papers.every("findings", f"{key}/"))
            for each in list(islice(keys, most - dropped)):
                self._papers.drop("findings", each)
                dropped += 1
            if dropped == most:
                return dropped, True
            self._papers.drop("pairs", key)
            self._papers.drop("kept", key)
        return dropped, False

    def _abandon(self, number: int, today: date) -> None:
        self._register.amend(number, state="abandoned")
        self._over(number, until=today)

    def _over(self, number: int, until: date) -> None:
        self._papers.drop("progress", _key(number))
        for key, _ in list(self._papers.every("sent", f"{_key(number)}/")):
            self._papers.drop("sent", key)
        self._keep(number, until)

    def _keep(self, number: int, until: date) -> None:
        self._papers.replace("kept", _key(number), {"until": until.isoformat()})

    # --- what an open run has found ---

    def progress(self, number: int) -> Progress:
        """Return how far a run is."""
        return msgspec.convert(self._papers.get("progress", _key(number)) or {}, Progress)

    def proceed(self, number: int, progress: Progress) -> None:
        """Write how far a run is."""
        self._papers.replace("progress", _key(number), msgspec.to_builtins(progress))

    def find(self, number: int, alias: str, finding: Finding) -> bool:
        """Write a finding; return False if it only repeats what is known better.

        Somebody whose ward differs is missing from one group and differs in the other.
        """
        key = f"{_key(number)}/{alias}"
        known = self._papers.get("findings", key)
        if known and known["kind"] == "differing" and finding.kind == "missing-there":
            return False
        self._papers.replace("findings", key, msgspec.to_builtins(finding))
        return True

    def findings(self, number: int, after: str = "") -> Iterator[tuple[str, Finding]]:
        """Yield what a run has found above an alias, by alias."""
        start = f"{_key(number)}/"
        for key, body in self._papers.every("findings", start, after=start + after):
            yield key.removeprefix(start), msgspec.convert(body, Finding)

    def keep_sent(self, number: int, alias: str, four: dict[str, Value]) -> None:
        """Keep what was sent of somebody missing here until the run is over."""
        self._papers.replace("sent", f"{_key(number)}/{alias}", four)

    def sent(self, number: int) -> Iterator[tuple[str, dict[str, Value]]]:
        """Yield what is kept of what was sent, by the alias of whom it is about."""
        start = f"{_key(number)}/"
        for key, four in self._papers.every("sent", start):
            yield key.removeprefix(start), four

    # --- the calendar ---

    def plan(self, municipality: str, plan: Plan) -> None:
        """Write how often a municipality is to be compared."""
        self._papers.put("plan", municipality, msgspec.to_builtins(plan))

    def take_out(self, municipality: str) -> None:
        """Plan nothing any more for a municipality, whether or not something was planned."""
        self._papers.drop("plan", municipality)

    def calendar(self) -> Iterator[Due]:
        """Yield every municipality that is to be compared, by its code."""
        for municipality, body in self._papers.every("plan"):
            yield self._due(municipality, msgspec.convert(body, Plan))

    def due(self, municipality: str) -> Due:
        """Return when one municipality is due.

        Raises:
            Malformed: it is not in the calendar.
        """
        body = self._papers.get("plan", municipality)
        if body is None:
            raise Malformed("municipality_code: not in the calendar of reconcile/plan")
        return self._due(municipality, msgspec.convert(body, Plan))

    def _due(self, municipality: str, plan: Plan) -> Due:
        found = self._papers.get("last", municipality)
        last = None if found is None else msgspec.convert(found, Last)
        begin = plan.since if last is None else last.on
        return Due(municipality, plan.every_days, last, begin + timedelta(days=plan.every_days))


def _key(number: int) -> str:
    return f"{number:012}"
