"""``statistics/recount``: everything counted again, and held against the tallies, every week.

::

    count    some persons a step: every version replayed, summed up beside the tallies (recount/...)
    ledger   some entries a step: provisions are counted, and what was saved since is added
    settle   on the writer, where nothing else changes anything: both sums must be the same
    sweep    what was summed up beside the tallies is taken away

The world does not stand still meanwhile. How long the ledger was is kept with every step of
``count``; what was saved later by somebody already counted stands in entries behind that. Months
are not compared for provisions: an entry may be of the first second of a month, and its request of
the last. The result goes into a register; a difference is an alarm, and a human must look.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import msgspec

from appliance.plugin_api import (
    Alarm,
    Case,
    Job,
    Nothing,
    Operation,
    OperationName,
    Reading,
    Register,
    Step,
    Watch,
    differences,
)
from plugins.statistics.counting import POPULATION, PROVISION, UPDATE

PERSONS, ENTRIES, SETTLED, DROPPED = 500, 5_000, 500, 5_000
"""Done in one step of each phase."""
BESIDE = "recount/"
PAPER = ("recount", "state")
COUNTED = (f"{POPULATION}/", f"{UPDATE}/")
BOOK = "recounts"
MOST_NAMED = 20
"""Differing tallies that are named; where there are more, more would tell nobody more."""
METHODS = ("inquire", "verify")
"""By which one entry of the ledger is one provision."""
RESULTS = ("one", "none", "several", "elsewhere")


class State(msgspec.Struct, kw_only=True):
    """How far a recount is; kept as a paper between its steps."""

    phase: str = "count"
    after: int = 0
    """The last person that was counted."""
    looks: list[tuple[int, int]] = []
    """The last person of each step, and how long the ledger was at it."""
    entry: int = 0
    """The next entry to be read."""
    provisions: dict[str, int] = {}


@dataclass(slots=True)
class Found:
    """What a step has looked up in its view: in which phase, and how far the recount then is."""

    phase: str
    moved: Counter[str]
    """By what the tallies beside move; when they are swept, what is left of them."""
    state: State


def prepare(case: Case, _: Nothing) -> Found:
    """Read what is next."""
    state = _state(case)
    phase, moved = state.phase, Counter[str]()
    if phase == "count":
        moved = _count(case, state)
    elif phase == "ledger":
        moved = _read_ledger(case, state, min(case.ledger.size, state.entry + ENTRIES))
    elif phase == "sweep":
        moved = Counter(case.tallies(BESIDE))
    return Found(phase, moved, state)


def step(case: Case, _: Nothing) -> Step:
    """Do one step."""
    found: Found = case.prepared
    state = found.state
    if found.phase == "sweep":
        return _sweep(case, found.moved, state)
    if found.phase == "settle":
        _settle(case, state)
        state = State(phase="sweep", after=state.after)
    _add(case, found.moved)
    return _kept(case, state)


def _sweep(case: Case, left: Mapping[str, int], state: State) -> Step:
    # Nothing but a step of this job moves them: they are as they were in the view.
    for name, count in islice(left.items(), DROPPED):
        case.tally(name, -count)
    if len(left) > DROPPED:
        return _kept(case, state)
    case.papers.drop(*PAPER)
    return Step(done=state.after, total=state.after)


def _count(case: Case, state: State) -> Counter[str]:
    """Count the next persons; where there are none any more, the ledger comes next."""
    moved: Counter[str] = Counter()
    people = case.recount.persons(state.after, PERSONS)
    for person in people:
        _sum(moved, case.recount.counted(person))
    state.after = people[-1] if people else state.after
    state.looks.append((state.after, case.ledger.size))
    if not people:
        state.phase = "ledger"
    return moved


def _read_ledger(case: Case, state: State, stop: int) -> Counter[str]:
    """Count the provisions of some entries, and what was saved by whom was counted before."""
    moved: Counter[str] = Counter()
    provisions = Counter(state.provisions)
    for reading in case.ledger.between(state.entry, stop):
        provisions.update(_provision(reading))
        for version in reading.saved:
            if reading.index >= _length_when_counted(state, version.person):
                _sum(moved, case.recount.counted(version.person, only=version.number))
    state.provisions, state.entry = dict(provisions), stop
    if case.ledger.size - stop <= SETTLED:
        state.phase = "settle"
    return moved


def _length_when_counted(state: State, person: int) -> int:
    """Return how long the ledger was when a person was counted, or was not there yet."""
    at = bisect_left(state.looks, (person, 0))
    return state.looks[min(at, len(state.looks) - 1)][1]


def _settle(case: Case, state: State) -> None:
    """Read the last entries and compare."""
    moved = _read_ledger(case, state, case.ledger.size)
    counted = Counter({n.removeprefix(BESIDE): c for n, c in case.tallies(BESIDE).items()})
    _sum(counted, moved.items())
    kept = {name: count for prefix in COUNTED for name, count in case.tallies(prefix).items()}
    today = case.request.today
    wrong = [
        *differences(counted, kept, today),
        *differences(state.provisions, _folded(case.tallies(f"{PROVISION}/")), today),
    ]
    entry = {
        "day": today.isoformat(),
        "persons": state.after,
        "tallies": len(kept),
        "differing": len(wrong),
        "first": [list(each) for each in wrong[:MOST_NAMED]],
    }
    Register(case.papers, BOOK).add(entry)
    case.note.result = f"{len(wrong)} tallies differ"


def _provision(reading: Reading) -> Iterable[str]:
    function, _, method = reading.operation.partition("/")
    result = reading.note.partition(" ")[0]
    answered = reading.result == reading.result.OK and result in RESULTS
    if function == PROVISION and method in METHODS and answered:
        yield f"{reading.purpose}/{method}/{result}"


def _folded(tallies: Mapping[str, int]) -> Counter[str]:
    """Return provisions one by one as the ledger counts them: without month and agency."""
    folded: Counter[str] = Counter()
    for name, count in tallies.items():
        _, _, purpose, _, method, result = name.split("/")
        if method in METHODS and result in RESULTS:
            folded[f"{purpose}/{method}/{result}"] += count
    return folded


def _sum(moved: Counter[str], tallies: Iterable[tuple[str, int]]) -> None:
    for name, by in tallies:
        moved[name] += by


def _add(case: Case, moved: Mapping[str, int]) -> None:
    for name, by in moved.items():
        if by and name.startswith(COUNTED):
            case.tally(BESIDE + name, by)


def _state(case: Case) -> State:
    kept = case.papers.get(*PAPER)
    return State() if kept is None else msgspec.convert(kept, State)


def _kept(case: Case, state: State) -> Step:
    case.papers.replace(*PAPER, msgspec.to_builtins(state))
    return Step(done=state.after, more=True)


def alarms(watch: Watch) -> Iterator[Alarm]:
    """Say so while the last recount found a difference."""
    book = watch.register(BOOK)
    if book.last and (differing := book.get(book.last)["differing"]):
        text = "集計値が再集計と不一致。保守担当者に連絡し、juki check を実行してください。"
        yield Alarm(name="statistics/recount-differs", text=text, count=differing)


RECOUNT = Operation(
    name=OperationName("statistics/recount"),
    summary="Count some more of everything again, and in the end compare it with the tallies.",
    asks=Nothing,
    answers=Step,
    handler=step,
    prepare=prepare,
    changes=True,
    purposed=False,
    uses=frozenset({"ledger"}),
)
JOB = Job(
    name="statistics/recount",
    summary="集計値と記録の突合(再集計)",
    operation=RECOUNT.name,
    every=timedelta(days=7),
)
