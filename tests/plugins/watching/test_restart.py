"""Read at once, in pieces, or killed in between: what is told is the same."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from random import Random

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.model import JST
from plugins.watching.detectors import MAKERS
from plugins.watching.findings import Finding, Surroundings
from plugins.watching.kin import Kin
from plugins.watching.uses import Use
from plugins.watching.watcher import Watcher
from tests.plugins.watching.diary import SHIPPED, Notes, later

CANARY = 5
AROUND = Surroundings(canaries=frozenset({CANARY}), places={"T-1": "熊本", "T-2": "八代"})
OPERATIONS = ("search/find", "search/detail", "provision/inquire", "session/open")


def busy(seed: int, count: int = 300) -> list[Use]:
    """Return uses of a few people in a few weeks, so dense that every detector tells something."""
    rng, notes = Random(seed), Notes()
    for number in range(count):
        operation = rng.choice(OPERATIONS)
        person = "" if operation == "session/open" else f"P-{rng.randrange(3)}"
        notes.use(
            operation,
            person=person,
            operator=person and person.replace("P", "OP"),
            tried="" if person else f"OP-{rng.randrange(2)}",
            refusal="" if person else rng.choice(("", "unidentified", "conflict")),
            on=later(number // 40),
            at=f"{19 + number % 2}:{rng.randrange(20):02}:00",
            office=f"O-{rng.randrange(2)}",
            terminal=f"T-{rng.randrange(3)}",
            session=f"S-{rng.randrange(3)}",
            case=rng.choice(("", "R8-1", f"R8-{number}")),
            subjects=(rng.randrange(12),),
            sought=rng.choice(("", f"熊木　{rng.choice('一二三四五六七')}")),
            hits=rng.randrange(50),
            kin=rng.choice((Kin.NONE, Kin.NONE, Kin.FAMILY)),
        )
    notes.uses.sort(key=lambda use: use.seconds)
    return notes.uses


def whole(uses: list[Use]) -> list[Finding]:
    watcher = Watcher(SHIPPED, MAKERS)
    found = [finding for use in uses for finding in watcher.see(use, AROUND)]
    return [*found, *watcher.days_over(uses[-1].day + 5)]


def in_pieces(uses: list[Use], cuts: list[int]) -> list[Finding]:
    """Return what is told when the process ends at each cut, and only what was kept is left."""
    found: list[Finding] = []
    kept = None
    by_index = {use.index: use for use in uses}
    bounds = [0, *sorted(cuts), len(uses)]
    for start, stop in pairwise(bounds):
        watcher = Watcher(SHIPPED, MAKERS)
        if kept is not None:
            watcher.take(cbor2.loads(kept))
            for index in watcher.again:
                watcher.recall(by_index[index])
        found += [each for use in uses[start:stop] for each in watcher.see(use, AROUND)]
        if stop == len(uses):
            found += watcher.days_over(uses[-1].day + 5)
        kept = cbor2.dumps(watcher.kept(), canonical=True)
    return found


@settings(max_examples=15)
@given(st.integers(0, 9), st.lists(st.integers(0, 300), max_size=6))
def test_what_is_told_does_not_depend_on_how_much_is_read_at_once(
    seed: int, cuts: list[int]
) -> None:
    uses = busy(seed)
    assert in_pieces(uses, cuts) == whole(uses)


def test_the_days_are_so_dense_that_nearly_every_detector_tells_something() -> None:
    told = {finding.detector for seed in range(4) for finding in whole(busy(seed))}
    assert set(MAKERS) - {"volume", "looked-only"} <= told


@pytest.mark.parametrize("seed", range(3))
def test_nothing_that_is_kept_holds_a_name(seed: int) -> None:
    uses = busy(seed)
    watcher = Watcher(SHIPPED, MAKERS)
    for use in uses:
        assert "熊木" not in str([*watcher.see(use, AROUND)])
        assert "熊木" not in str(watcher.kept())


def test_what_is_kept_does_not_grow_with_the_years() -> None:
    watcher = Watcher(SHIPPED, MAKERS)
    sizes = []
    for year in range(4):
        for use in busy(year, 1200):
            shifted = _shifted(use, year * 365)
            list(watcher.see(shifted, AROUND))
        list(watcher.days_over(later(year * 365 + 200).toordinal()))
        sizes.append(len(cbor2.dumps(watcher.kept())))
    assert max(sizes) < 2 * sizes[0]


def _shifted(use: Use, days: int) -> Use:
    at = datetime.fromtimestamp(use.seconds + days * 86_400, JST)
    return replace(use, seconds=use.seconds + days * 86_400, day=at.toordinal())
