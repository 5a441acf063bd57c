"""Ten thousand requests by random people never yield an item outside the policy.

The walk itself is in ``tests/walk``; here it is short, and shown that it would find what it is to
find: each of the last tests takes one safeguard away. ``scripts/walk`` walks as far as is wanted.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance import authz
from appliance.items import ITEM_NAMES
from appliance.model import Grant
from appliance.policy import PurposeRule
from appliance.registry import Registry
from appliance.roster import OperatorRecord
from tests.walk.people import HERE, WITHOUT, canaries, items_of
from tests.walk.walking import Figures, Walk


def walked(folder: Path, requests: int, *, patient: bool = True) -> Figures:
    with Walk.prepare(folder, seed=1) as walk:
        return walk.go(requests, patient=patient)


@pytest.mark.requirement("R126", "R127", "R140", "R146")
def test_nothing_leaves_that_the_policy_does_not_give(tmp_path: Path) -> None:
    figures = walked(tmp_path, 2000)
    assert figures.violations == []
    assert figures.missing_in_ledger == 0
    # Enough was told, and enough refused, for this to mean something.
    assert figures.answered > 300
    assert figures.refused["not-permitted"] > 300
    assert len(figures.items) > 10
    assert len(figures.answered_by_operation) > 30


def test_every_item_of_many_values_is_known_by_its_value() -> None:
    for which in (HERE[0], HERE[-1]):
        values = items_of(which).values
        for item in set(values) - {*WITHOUT, "birth_date_as_written"}:
            assert [(each.item, each.who) for each in canaries(f"x{values[item]}x")] == [
                (item, which)
            ], item


def everything(*_: Any) -> Any:
    return ITEM_NAMES


def any_purpose(policy: Any, actor: Any, operation: Any, request: Any) -> PurposeRule:
    rules = policy.purposes
    rule: PurposeRule = rules.get(request.purpose) or rules["register-administration"]
    return rule


def all_of_it(roles: Any) -> Grant:
    keys = frozenset({"four", "my_number", "resident_code"})
    return Grant(items=ITEM_NAMES, keys=keys, removed=True, history=True)


Breach = Callable[[pytest.MonkeyPatch], None]
BREACHES: dict[str, Breach] = {
    "items of roles are not looked at": lambda patch: patch.setattr(authz, "items_of", everything),
    "roles reach everybody and everything": lambda patch: patch.setattr(
        authz, "_together", all_of_it
    ),
    "a purpose is taken for granted": lambda patch: patch.setattr(authz, "_purpose", any_purpose),
    "over-asking is let through": lambda patch: patch.setattr(Registry, "require", lambda *_: None),
    "whoever is suspended goes on": lambda patch: patch.setattr(
        OperatorRecord, "may_work", lambda *_: True
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_safeguard_that_is_taken_away_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breach: str
) -> None:
    """The test of the test."""
    BREACHES[breach](monkeypatch)
    assert walked(tmp_path, 2000, patient=False).violations
