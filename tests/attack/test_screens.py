"""Somebody at a terminal who posts what no page offered him: every screen, every role, every act.

Which role reaches what is read from the shipped policy by ``tests/rights.py``, a second reading.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from appliance.audit import Result
from appliance.loaded import put_together
from appliance.loading import installed
from appliance.model import TerminalKind
from appliance.screen import Screen
from appliance.testing import OURS, Bench, identified
from tests import rights
from tests.plugins.people import admit, code, number, person, shipped_policy
from tests.plugins.protection.office import HERS, at_work
from tests.plugins.protection.test_opening import begun
from tests.rights import ANYBODY, PURPOSES, ROLES, STAFFED, Asking
from tests.screens import Seen, Visitor

LOADED = put_together(installed(OURS), identified())
OPERATIONS = {str(name): operation for name, (_, operation) in LOADED.operations.items()}
SCREENS = {screen.path: screen for screen in LOADED.screens}
PEOPLE = sorted(
    name for name, rule in ROLES.items() if name != ANYBODY and set(rule["terminals"]) & {*STAFFED}
)
FORBIDDEN, FAULT = 403, 500
WHOLE = {str(item): value for item, value in person(1).items()}
CANARIES = [str(WHOLE[item]) for item in ("name", "address", "resident_code", "my_number")]


@dataclass
class Somebody:
    """A visitor with one role and every 事務, at one kind of terminal, attended by a clerk."""

    role: str
    kind: str
    operator_id: str
    visitor: Visitor

    @classmethod
    def at(cls, bench: Bench, role: str, kind: str) -> "Somebody":
        terminal = f"T-{kind[:3].upper()}"
        bench.seat(terminal, TerminalKind(kind))
        bench.clerk(f"WITNESS-{kind[:3]}".upper(), roles=("clerk",), terminal_id=terminal)
        operator_id = f"{kind[:3]}-{role}".upper()[:16]
        visitor = Visitor.at(bench, terminal)
        visitor.logs_in(bench, operator_id, roles=(role,), purposes=tuple(PURPOSES))
        return cls(role, kind, operator_id, visitor)

    def may(self, operation: str) -> bool:
        """Return whether the files let him ask this, under some 事務 if it needs one."""
        declared = OPERATIONS[operation]
        asking = Asking(
            frozenset({self.role}),
            self.kind,
            operation,
            declared.purposed,
            declared.blind,
            held=frozenset(PURPOSES),
            attended=True,
        )
        purposes = PURPOSES if declared.purposed else (None,)
        return any(rights.refusal(rights.under(asking, purpose)) is None for purpose in purposes)


def everybody(bench: Bench) -> Iterator[Somebody]:
    for kind in STAFFED:
        for role in PEOPLE:
            yield Somebody.at(bench, role, kind)


def ways_in(screen: Screen) -> Iterator[tuple[str, str]]:
    """Yield every request that a screen answers."""
    yield "GET", screen.path
    for act in (*screen.acts, *screen.polls):
        yield "POST", f"{screen.path}/{act}"


def sent(visitor: Visitor, method: str, path: str, **typed: str) -> Seen:
    if method == "GET":
        return visitor.asks("GET", path)
    ground = min(PURPOSES)
    reason = min(PURPOSES[ground]["reasons"])
    fields = {"number": "1", "ground": f"{ground}/{reason}", "case": "2026-1", "ref": "x"}
    return visitor.posts(path, **{**fields, **typed})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, policy=shipped_policy()) as bench:
        admit(bench)
        yield bench


@pytest.mark.requirement("R126", "R127")
def test_whoever_may_not_reach_a_screen_is_denied_every_part_of_it_and_that_is_in_the_ledger(
    bench: Bench,
) -> None:
    expected, wrong = [], []
    for who in everybody(bench):
        for screen in SCREENS.values():
            if who.may(screen.needs):
                continue
            for method, path in ways_in(screen):
                seen = sent(who.visitor, method, path)
                expected.append((who.operator_id, str(screen.needs)))
                if seen.status != FORBIDDEN or told(seen):
                    wrong.append((who.role, who.kind, path, seen.status))
    assert wrong == [], "\n".join(map(str, wrong))
    assert len(expected) > 1000
    denied = [each for each in bench.ledger() if each.refusal == "not-permitted"]
    assert [(each.operator, each.operation) for each in denied] == expected


def told(seen: Seen) -> list[str]:
    """Return what of the resident stands on a page."""
    return [each for each in CANARIES if each in seen.text]


@pytest.mark.requirement("R126", "R127")
def test_whoever_reaches_a_screen_gets_by_its_acts_no_more_than_the_files_allow(
    bench: Bench,
) -> None:
    wrong, pressed, before = [], 0, 0
    for who in everybody(bench):
        before += len(bench.ledger(before))
        for screen in SCREENS.values():
            if not who.may(screen.needs):
                continue
            for method, path in ways_in(screen):
                seen = who.visitor.follows(sent(who.visitor, method, path))
                pressed += 1
                after = bench.ledger(before)
                before += len(after)
                done = [e.operation for e in after if e.result is Result.OK]
                if seen.status == FAULT or told(seen) or not all(map(who.may, done)):
                    wrong.append((who.role, who.kind, path, seen.status, done, told(seen)))
    assert wrong == [], "\n".join(map(str, wrong))
    assert pressed > 500


HANAKO = {"name": "熊本　花子", "birth_date": "H2.4.5"}
NAMED = (
    {"key": "resident_code", "resident_code": code(1)},
    {"key": "my_number", "my_number": number(1)},
    {"key": "four", **HANAKO},
)
GROUNDS = ("register-administration/01", "disclosure/01", "prefectural-tax/01")
NUMBERS = ("1", "2", "3", "4", "5", "6")
"""Of the cases and papers that were begun before she was marked."""


@pytest.mark.parametrize("role", ["registrar", "clerk", "auditor", "security-officer"])
def test_nobody_alone_is_shown_where_a_protected_resident_lives_by_any_act_of_any_screen(
    tmp_path: Path, role: str
) -> None:
    wrong = []
    with at_work(tmp_path) as office:
        begun(office)
        office.mark()
        who = Somebody.at(office.bench, role, "representative")
        for screen in filter(lambda each: who.may(each.needs), SCREENS.values()):
            numbers = NUMBERS if screen.path.startswith("/screens/disclosure/") else NUMBERS[:1]
            for (method, path), ground, by, each in product(
                ways_in(screen), GROUNDS, NAMED, numbers
            ):
                typed = {**by, "ground": ground, "items": "address", "number": each, "sheet": each}
                seen = who.visitor.follows(sent(who.visitor, method, path, **typed))
                bad = seen.status == FAULT or HERS in seen.text
                wrong += [(path, ground, by["key"], each)] if bad else []
    assert wrong == [], "\n".join(map(str, wrong))
