"""The whole matrix of rights: role × operation × 事務 × item × terminal, against a second reading.

``tests/rights.py`` reads the shipped files for itself. The cube is asked of ``authz.permit`` in
every cell; each role at each terminal and each item then goes through the front door, where every
refusal must be in the ledger, once and with its code.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance import authz
from appliance.audit import Reading
from appliance.errors import Refusal
from appliance.items import ITEM_NAMES
from appliance.loaded import put_together
from appliance.loading import installed
from appliance.model import (
    Actor,
    Company,
    Grant,
    OperationName,
    Operator,
    PurposeCode,
    Request,
    RequestId,
    Role,
    Terminal,
    TerminalKind,
)
from appliance.operation import AnyOperation
from appliance.policy import Policy
from appliance.testing import OURS, Bench, FakeNational, Seat, identified
from tests import rights
from tests.plugins.people import admit, code, number, person, shipped_policy
from tests.rights import ANYBODY, ITEMS, KINDS, PURPOSES, ROLES, STAFFED, Asking

TODAY = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
LOADED = put_together(installed(OURS), identified())
OPERATIONS = {str(name): operation for name, (_, operation) in LOADED.operations.items()}
SHIPPED = shipped_policy()
EVERY_PURPOSE = frozenset(PURPOSES)
PEOPLE = sorted(
    name for name, rule in ROLES.items() if name != ANYBODY and set(rule["terminals"]) & {*STAFFED}
)
MACHINES = ("municipality", "national")
FUNCTIONS = sorted({name.partition("/")[0] for name in OPERATIONS})


STAFF = Company(
    operator=Operator(person_id="P-2", operator_id="OP-2", office="市町村課"),
    roles=frozenset({Role("clerk")}),
)


def actor(asking: Asking) -> Actor:
    return somebody(asking.roles, asking.kind, asking.held, asking.logged_in, asking.attended)


@cache
def somebody(
    roles: frozenset[str], kind: str, held: frozenset[str], logged_in: bool, attended: bool
) -> Actor:
    staffed = kind in STAFFED
    operator = Operator(person_id="P-1", operator_id="OP-1", office="市町村課")
    return Actor(
        terminal=Terminal(terminal_id="T-1", kind=TerminalKind(kind), fingerprint="00"),
        operator=operator if logged_in else None,
        roles=frozenset(map(Role, {*roles, *([ANYBODY] if staffed else [])})),
        purposes=frozenset(map(PurposeCode, held)),
        company=(STAFF,) if attended else (),
        proved=datetime.max.replace(tzinfo=UTC),
    )


def asked(asking: Asking, policy: Policy = SHIPPED) -> Grant | str:
    """Return the grant, or the code of the refusal."""
    now = datetime(asking.on.year, asking.on.month, asking.on.day, 1, tzinfo=UTC)
    request = Request(
        id=RequestId("request-1"),
        operation=OperationName(asking.operation),
        now=now,
        purpose=None if asking.purpose is None else PurposeCode(asking.purpose),
        reason=asking.reason,
    )
    operation = OPERATIONS[asking.operation]
    try:
        return authz.permit(policy, LOADED.hook, actor(asking), operation, request)
    except Refusal as refused:
        return refused.code


def of(operation: str, roles: frozenset[str], kind: str) -> Asking:
    """Return a request by somebody who was given every 事務, and names none yet."""
    declared = OPERATIONS[operation]
    return Asking(roles, kind, operation, declared.purposed, declared.blind, held=EVERY_PURPOSE)


def attended(operation: str, roles: frozenset[str], kind: str) -> Asking:
    """Return the same at the door, where staff is logged in at every terminal with staff."""
    return replace(of(operation, roles, kind), attended=kind in STAFFED)


def differs(asking: Asking, policy: Policy = SHIPPED) -> bool:
    """Return whether the appliance and the second reading of the policy say different things."""
    answer = asked(asking, policy)
    if (refusal := rights.refusal(asking)) is not None or isinstance(answer, str):
        return answer != refusal
    return (
        any((item in answer.items) is not rights.shows(asking, item) for item in ITEMS)
        or any((key in answer.keys) is not rights.asks_by(asking, key) for key in rights.KEYS)
        or answer.removed is not rights.has(asking, "removed")
        or answer.history is not rights.has(asking, "history")
    )


def cells(function: str) -> Iterator[Asking]:
    """Yield every cell of the cube of one function: with no 事務, with each, rightly and not."""
    callers = [frozenset[str](), *(frozenset({role}) for role in ROLES if role != ANYBODY)]
    for operation in (name for name in OPERATIONS if name.startswith(f"{function}/")):
        for roles in callers:
            for kind in KINDS:
                plain = of(operation, roles, kind)
                yield plain
                yield replace(plain, attended=True)
                for purpose in PURPOSES:
                    right = rights.under(plain, purpose)
                    yield right
                    yield replace(right, reason="99")
                    yield replace(right, reason=None)
                    yield replace(right, held=EVERY_PURPOSE - {purpose})
                    yield replace(right, on=date(2015, 1, 1))


@pytest.mark.requirement("R126", "R127", "R133", "R195")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_cell_of_the_cube_is_what_the_files_say(function: str) -> None:
    assert [cell for cell in cells(function) if differs(cell)] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_two_roles_join_as_the_files_say(function: str) -> None:
    pairs = [frozenset({one, other}) for one in PEOPLE for other in PEOPLE if one < other]
    wrong = [
        cell
        for operation in OPERATIONS
        if operation.startswith(f"{function}/")
        for roles in pairs
        for kind in STAFFED
        for purpose in (None, *PURPOSES)
        if differs(cell := rights.under(of(operation, roles, kind), purpose))
    ]
    assert wrong == []


def test_the_second_reading_knows_every_item_and_every_role() -> None:
    assert set(ITEMS) == ITEM_NAMES
    assert len(ITEMS) == 24
    assert set(ROLES) == set(SHIPPED.roles)
    assert set(PURPOSES) == set(SHIPPED.purposes)


def widened(role: str, **changes: Any) -> Policy:
    rule = msgspec.structs.replace(SHIPPED.roles[Role(role)], **changes)
    return replace(SHIPPED, roles={**SHIPPED.roles, Role(role): rule})


@pytest.mark.parametrize(
    ("role", "changes", "function"),
    [
        ("clerk", {"items": (*ROLES["clerk"]["items"], "resident_code")}, "search"),
        ("clerk", {"keys": ("four", "my_number", "resident_code")}, "search"),
        ("clerk", {"history": True}, "search"),
        ("clerk", {"operations": (*ROLES["clerk"]["operations"], "relay/outbox")}, "relay"),
        ("registrar", {"terminals": (*map(TerminalKind, STAFFED),)}, "disclosure"),
        ("registrar", {"items": tuple(item for item in ITEMS if item != "sex")}, "search"),
        ("contractor", {"operations": ("job/list", "relay/outbox")}, "job"),
        ("contractor", {"attended": False}, "job"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_one_cell_that_is_wrong_would_be_found(
    role: str, changes: dict[str, Any], function: str
) -> None:
    """The test of the tests above."""
    policy = widened(role, **changes)
    assert any(differs(cell, policy) for cell in cells(function))


# ---- through the front door ------------------------------------------------------------------


@dataclass
class Door:
    """A bench under the shipped policy, everybody at their places, and what each was told."""

    bench: Bench
    refused: Counter[tuple[str, str]]
    """How often each operation was refused with which code."""
    answered: int = 0

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["Door"]:
        """Yield a door behind which one resident lives."""
        national = FakeNational(people=[person(1)])
        with Bench.open(folder, policy=SHIPPED, national=national) as bench:
            admit(bench)
            yield cls(bench, Counter())

    def seats(self) -> Iterator[tuple[frozenset[str], str, Seat]]:
        """Yield everybody who can ask: with which role, at which kind of terminal, attended."""
        for kind in STAFFED:
            terminal = f"T-{kind[:3].upper()}"
            nobody = self.bench.seat(terminal, TerminalKind(kind))
            self.bench.clerk(f"WITNESS-{kind[:3]}".upper(), roles=("clerk",), terminal_id=terminal)
            yield frozenset(), kind, nobody
            for role in PEOPLE:
                yield frozenset({role}), kind, self.log_in(role, kind, terminal)
        yield frozenset({"municipality"}), "municipality", self.bench.municipality("432024")
        yield frozenset({"national"}), "national", self.bench.national()

    def log_in(self, role: str, kind: str, terminal: str) -> Seat:
        """Return somebody who has one role, and every 事務."""
        return self.bench.clerk(
            f"{kind[:3]}-{role}".upper()[:16],
            roles=(role,),
            purposes=tuple(PURPOSES),
            terminal_id=terminal,
        )

    def ask(self, seat: Seat, asking: Asking, body: dict[str, Any]) -> Any:
        """Ask; return the data answered, or the code of the refusal."""
        more = {"purpose": asking.purpose, "reason": asking.reason}
        try:
            data = seat.ask(asking.operation, body, **more).data
        except Refusal as refused:
            self.refused[asking.operation, refused.code] += 1
            return refused.code
        self.answered += 1
        return data

    def entered(self, since: int) -> list[Reading]:
        """Return what the ledger has of requests since an entry, without our own preparations."""
        return [each for each in self.bench.ledger()[since:] if each.operation]


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with Door.open(tmp_path) as door:
        yield door


LEAVING = "session/close"
HIS_OWN = ("session/verify",)
"""What only somebody who is logged in can do, which the operation itself looks at."""


def purposes_of(operation: AnyOperation) -> tuple[str | None, ...]:
    """Return no 事務, one that allows the operation, and one that does not."""
    if not operation.purposed:
        return (None,)
    allows = {purpose: operation.name in rule["operations"] for purpose, rule in PURPOSES.items()}
    return (None, max(allows, key=allows.__getitem__), min(allows, key=allows.__getitem__))


@pytest.mark.requirement("R126", "R127", "R132", "R133", "R146")
def test_what_is_not_granted_is_refused_and_entered_for_every_role_at_every_terminal(
    door: Door,
) -> None:
    wrong = []
    last = sorted(OPERATIONS, key=lambda name: name == LEAVING)
    for roles, kind, seat in door.seats():
        for name in last:
            for purpose in purposes_of(OPERATIONS[name]):
                asking = rights.under(attended(name, roles, kind), purpose)
                answer = door.ask(seat, asking, {})
                expected = rights.refusal(asking)
                if expected is not None and answer != expected:
                    wrong.append((asking, answer))
                if expected is None and answer in ("not-permitted", "unidentified"):
                    if name in HIS_OWN and not asking.logged_in:
                        continue
                    wrong.append((asking, answer))
    assert wrong == []
    denied = Counter(
        (each.operation, each.refusal) for each in door.entered(0) if each.refusal is not None
    )
    assert denied == door.refused
    answered = [each for each in door.entered(0) if each.result.name == "OK"]
    assert len([each for each in answered if each.operation != "session/open"]) == door.answered
    assert door.refused.total() > 3000


SOMEBODY = {str(name): value for name, value in person(1).items()}
EIGHT = ("resident_code", "name", "birth_date", "sex", "address", "my_number", "reason")
TOLD_ABROAD = (*EIGHT, "effective_date")
"""The items that 機構 has; others are not asked of it, whoever may see them."""
SOUGHT = ("name", "kana", "birth_date", "sex", "address", "municipality_code", "town_code")
"""By what is searched: comparing is telling."""


def by(asking: Asking) -> dict[str, Any]:
    """Return how this caller may name the one resident; by 個人番号 if in no way."""
    if rights.asks_by(asking, "resident_code"):
        return {"resident_code": code(1)}
    four = {key: SOMEBODY[key] for key in ("name", "birth_date")}
    sees = all(rights.shows(asking, item) for item in four)
    if rights.asks_by(asking, "four") and sees and not rights.asks_by(asking, "my_number"):
        return four
    return {"my_number": number(1)}


def ref(door: Door, seat: Seat, asking: Asking) -> str:
    finding = replace(asking, operation="search/find")
    four = {key: SOMEBODY[key] for key in ("name", "birth_date")}
    if rights.refusal(finding) is not None:
        return "nobody"
    found = seat.ask("search/find", four, purpose=asking.purpose, reason=asking.reason)
    return str(found.data["residents"][0]["ref"])


def body(door: Door, seat: Seat, asking: Asking, item: str) -> dict[str, Any]:
    """Return a request that asks for one item."""
    match asking.operation:
        case "search/detail":
            return {"ref": ref(door, seat, asking), "items": [item]}
        case "search/find":
            return {item: SOMEBODY[item]}
        case "provision/verify":
            return {"by": by(asking), "claims": {item: SOMEBODY[item]}}
        case "provision/bulk-submit":
            return {"file": "QUJD", "media_id": "USB-0001", "recipient": 1, "items": [item]}
        case "relay/case":
            return {"number": 1, "items": [item]}
        case _:
            return {"by": by(asking), "items": [item]}


SHOWING = (
    *("search/find", "search/detail", "provision/inquire", "provision/verify"),
    *("provision/bulk-submit", "relay/inquire", "relay/case"),
)
"""The operations that are asked for items by name; ``search/find`` compares them."""


def told_of(data: dict[str, Any]) -> set[str]:
    """Return which items of a resident an answer to one of these operations holds."""
    told = set(data.get("resident") or {}) | set(data.get("claims", ()))
    return (told - {"birth_date_as_written"}) | {
        name for listed in data.get("residents", ()) for name in set(listed) - {"ref", "why"}
    }


def over(asking: Asking, item: str) -> bool:
    """Return whether it is too much to ask for this item."""
    if asking.operation == "relay/inquire" and item not in TOLD_ABROAD:
        return True
    if asking.operation == "search/find" and not rights.asks_by(asking, "four"):
        return True
    return not rights.shows(asking, item)


def fitting(asking: Asking, item: str, answer: Any) -> bool:
    """Return whether this is how an operation answers who may ask for one item."""
    if asking.operation == "provision/bulk-submit":
        return bool(answer == "not-found")  # the items stand; there is no such recipient
    if asking.operation != "search/find":
        return isinstance(answer, dict) and told_of(answer) == {item}
    if isinstance(answer, str):
        return answer == "add-conditions"
    return all(rights.shows(asking, told) for told in told_of(answer))


def test_the_operations_that_are_asked_for_items_are_known() -> None:
    asks = {
        name
        for name, operation in OPERATIONS.items()
        if {"by", "ref", "number", "file"} & set(operation.asks.__struct_fields__)
        and {"items", "claims"} & set(operation.asks.__struct_fields__)
    }
    assert asks == set(SHOWING) - {"search/find"}


@pytest.mark.requirement("R126")
@pytest.mark.parametrize("operation", SHOWING)
def test_each_item_asked_for_alone_is_told_or_refused_as_the_files_say(
    door: Door, operation: str
) -> None:
    notice = {"notice": "N-1", "resident_code": code(1), "items": ["name"], "finding": "differs"}
    door.bench.national().ask("relay/report-error", notice)
    wrong, granted, refused = [], 0, 0
    for roles, kind, seat in door.seats():
        for purpose in PURPOSES:
            asking = rights.under(attended(operation, roles, kind), purpose)
            if rights.refusal(asking) is not None:
                continue
            for item in SOUGHT if operation == "search/find" else ITEMS:
                answer = door.ask(seat, asking, body(door, seat, asking, item))
                if over(asking, item):
                    refused += 1
                    fits = answer == "not-permitted"
                else:
                    granted += 1
                    fits = fitting(asking, item, answer)
                wrong += [] if fits else [(asking, item, answer)]
    assert wrong == []
    assert granted > 0
    denied = [each for each in door.entered(0) if each.refusal == "not-permitted"]
    assert [each.operation for each in denied] == [operation] * refused
    assert {each.items for each in denied} <= {()}
