"""``keys/rewrap``: once a year, every row secret comes under the year's retention key.

The appliance's own job. It begins when the store was opened with a newer ``kek/active/YEAR`` than
the last sweep brought everything under, and goes on over restarts from where its last commit was.
Readers never wait for it, and a writer waits for one step of it at most. What the end of it means:
no current version needs an older key any more, so that it may be destroyed when the ring is next
re-rooted, and copies of the file from before can then not be opened any more.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import pluggy

from appliance.case import Case, Power
from appliance.jobs import Job, Nothing, Step
from appliance.model import JST, OperationName
from appliance.operation import AnyOperation, Operation
from appliance.papers import Papers
from appliance.watch import Alarm, Watch
from storage.engine import PersonId, Rewrapped, VersionId

hookimpl = pluggy.HookimplMarker("appliance")

OWNER = "keys"
USES: frozenset[Power] = frozenset({"keys"})
AT_ONCE = 500
"""Versions looked at in one step: some 15 ms, in which nobody else writes."""
KIND, SWEEP = "sweep", "active"
REWRAP = OperationName("keys/rewrap")


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """How far the sweep for the key of a year is."""

    year: int
    person: int = 0
    number: int = 0
    """Behind which version it goes on; 0: it begins."""
    moved: int = 0
    ended: bool = False

    @property
    def after(self) -> VersionId | None:
        """The last version that was looked at."""
        return VersionId(PersonId(self.person), self.number) if self.person else None

    def on(self, done: Rewrapped, limit: int) -> "Sweep":
        """Return how far it is after another step."""
        moved, ended = self.moved + done.moved, done.looked < limit
        if done.through is None:
            return msgspec.structs.replace(self, moved=moved, ended=ended)
        person, number = done.through.person, done.through.number
        return Sweep(year=self.year, person=person, number=number, moved=moved, ended=ended)


class KeyDesk:
    """The step of the sweep, the job that asks for it, and the alarm that a year has no keys."""

    @hookimpl
    def operations(self) -> Iterable[AnyOperation]:
        """Offer the step."""
        return (
            Operation(
                name=REWRAP,
                summary="Bring some versions under this year's retention key.",
                asks=Nothing,
                answers=Step,
                handler=rewrap,
                changes=True,
                purposed=False,
                blind=True,
                uses=USES,
            ),
        )

    @hookimpl
    def jobs(self) -> Iterable[Job]:
        """Sweep whenever there is a newer key than everything was brought under."""
        return (
            Job(
                name=str(REWRAP),
                summary="新しい年の鍵による記録の再封印",
                operation=REWRAP,
                due=lambda watch: _sweep(watch.papers, watch.key_years).ended is False,
            ),
        )

    @hookimpl
    def alarms(self, watch: Watch) -> Iterable[Alarm]:
        """Tell that the keys in use are of another year than this one."""
        newest, today = max(watch.key_years), watch.today
        if today.year > newest:
            text = (
                f"{today.year}年の鍵がなく、{newest}年の鍵を使い続けています。停止して juki keys "
                "rotate で鍵を追加し、封印を解除してください。"
            )
            since = datetime(newest + 1, 1, 1, tzinfo=JST)
            yield Alarm(name="keys/year-missing", text=text, since=since)


def rewrap(case: Case, _: Nothing) -> Step:
    """Look at the next versions, and bring those under an older key under the newest."""
    years = case.keys.years
    sweep = _sweep(case.papers, years)
    if sweep.ended:
        return Step(says=_ended(sweep, years))
    done = case.keys.rewrap(sweep.after, AT_ONCE)
    sweep = sweep.on(done, AT_ONCE)
    case.papers.replace(KIND, SWEEP, msgspec.to_builtins(sweep))
    says = _ended(sweep, years) if sweep.ended else ""
    case.note.result = says or f"{done.moved} versions under kek/active/{sweep.year}"
    through = done.persons if sweep.ended else sweep.person
    return Step(done=through, total=done.persons, more=not sweep.ended, says=says)


def _sweep(papers: Papers, years: tuple[int, ...]) -> Sweep:
    """Return how far the sweep for the newest key is; with one key alone there is none to do."""
    found: dict[str, Any] | None = papers.get(KIND, SWEEP)
    if found is not None and found["year"] == years[-1]:
        return msgspec.convert(found, Sweep)
    return Sweep(year=years[-1], ended=len(years) == 1)


def _ended(sweep: Sweep, years: tuple[int, ...]) -> str:
    older = ", ".join(f"kek/active/{year}" for year in years[:-1])
    if not older:
        return f"kek/active/{sweep.year} is the only one"
    return (
        f"{sweep.moved} versions brought under kek/active/{sweep.year}; nothing is under {older} "
        "any more, which may be destroyed when the ring is next re-rooted"
    )
