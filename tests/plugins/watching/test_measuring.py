"""The measure itself, on a small prefecture: what is planted is counted, and honestly."""

import pytest

from scripts.watching_lib import honest, staff
from scripts.watching_lib.measuring import Measured, measure
from scripts.watching_lib.misuse import EACH, STRENGTHS
from scripts.watching_lib.staff import Office
from tests.plugins.watching.diary import SHIPPED


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    offices = tuple(Office(f"所属{number}", 4, 2.0, 0.08) for number in range(4))
    monkeypatch.setattr(staff, "OFFICES", offices)
    monkeypatch.setattr(honest, "DAYS", 150)


def figures(measured: Measured) -> dict[str, tuple[int, int, int]]:
    return {
        name: (tally.told, tally.right, tally.quiet) for name, tally in measured.tallies.items()
    }


@pytest.mark.usefixtures("small")
def test_every_seed_is_its_own_year_and_always_the_same() -> None:
    one, again, other = (measure(seed, SHIPPED) for seed in (1, 1, 2))
    assert figures(one) == figures(again) != figures(other)
    for name, tally in one.tallies.items():
        strengths = STRENGTHS if name != "canary" else STRENGTHS[1:]
        assert tally.planted == dict.fromkeys(strengths, EACH)
        assert tally.right <= tally.told
        assert tally.found["strong"] == EACH, name
    assert len(one.false) == sum(tally.told - tally.right for tally in one.tallies.values())
