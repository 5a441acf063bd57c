"""The contractor sees no resident, whatever policy, roster or handlers do (R140 to R147)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from appliance import authz
from appliance.blindfold import SEEN, blindfolded
from appliance.case import Case, Power
from appliance.errors import NotPermitted, StartupError
from appliance.finding import Conditions
from appliance.items import ITEM_NAMES, ItemName
from appliance.loaded import put_together
from appliance.loading import installed
from appliance.model import (
    Actor,
    Behalf,
    Company,
    OperationName,
    Operator,
    PurposeCode,
    Request,
    RequestId,
    Role,
    Terminal,
    TerminalKind,
)
from appliance.operation import Answer, AnyOperation, Arguments, Operation
from appliance.plugin_api import hookimpl
from appliance.policy import Policy, RoleRule
from appliance.roster import Roster
from appliance.staff import OperatorRecord, PersonRecord
from appliance.testing import ALL, OURS, PREPARED, Bench, Seat, everything, identified
from storage.engine import PersonId, Unit
from tests.plugins.people import admit, code, shipped_policy

STAFFED = (TerminalKind.REPRESENTATIVE, TerminalKind.BUSINESS)
TODAY = date(2026, 4, 1)
NAME = ItemName("name")
SOMEBODY = PersonId(1)


class Nothing(Arguments, frozen=True, kw_only=True):
    """Nothing."""


def _late(case: Case) -> None:
    case.together.append(lambda unit: unit.read(SOMEBODY, {2}))


REACHES: dict[str, Callable[[Case], Any]] = {
    "find": lambda case: case.registry.find(Conditions(today=TODAY, name="熊本　花子")),
    "read": lambda case: case.registry.read(SOMEBODY, (NAME,)),
    "nothing-of-him": lambda case: case.registry.read(SOMEBODY, ()),
    "latest": lambda case: case.registry.latest(SOMEBODY),
    "by-code": lambda case: case.registry.by_code(code(1)),
    "history": lambda case: case.registry.history(SOMEBODY, (NAME,)),
    "standing": lambda case: case.registry.standing(SOMEBODY, TODAY),
    "due": lambda case: case.registry.erasing.due(TODAY),
    "recount": lambda case: case.recount.counted(SOMEBODY),
    "persons": lambda case: case.recount.persons(0, 10),
    "home": lambda case: case.outgoing.home(SOMEBODY),
    "messages": lambda case: case.outgoing.after("national", 0, 10, (NAME,)),
    "inside": lambda case: case.registry._view.read(SOMEBODY, {2}),
    "with-the-entry": _late,
}
"""What a handler may try that was declared blind, and is not."""


def hostile(name: str) -> AnyOperation:
    def handle(case: Case, asked: Nothing) -> Answer:
        REACHES[name](case)
        return Answer()

    return Operation(
        name=OperationName(f"probe/{name}"),
        summary="A test.",
        asks=Nothing,
        answers=Answer,
        handler=handle,
        purposed=False,
        blind=True,
        uses=frozenset[Power]({"outgoing"}),
    )


class Probe:
    @hookimpl
    def operations(self) -> list[AnyOperation]:
        return [hostile(name) for name in REACHES]


PLUGINS = {**installed(OURS), "probe": Probe()}
OFFERED = put_together(PLUGINS, identified()).operations


def lax() -> Policy:
    """Return a policy that passed no check: the blind role reaches every item."""
    policy = everything(OFFERED)
    rule = changed(policy.roles[ALL], terminals=STAFFED, blind=True)
    gate = changed(
        rule, blind=False, items=(), keys=(), operations=("session/open", "session/close")
    )
    roles = {**policy.roles, Role("contractor"): rule, Role("at-a-terminal"): gate}
    return replace(policy, roles=roles)


def changed(rule: RoleRule, **changes: Any) -> RoleRule:
    other: RoleRule = msgspec.structs.replace(rule, **changes)
    return other


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, PLUGINS, lax()) as bench:
        assert admit(bench) == SOMEBODY
        yield bench


@pytest.fixture
def contractor(bench: Bench) -> Seat:
    return bench.clerk("OP-0066", roles=("contractor",))


@pytest.mark.requirement("R140", "R142", "R146")
@pytest.mark.parametrize("name", REACHES)
@pytest.mark.parametrize("operator", ["contractor", "all"])
def test_what_is_declared_blind_reaches_nobody_whoever_asks(
    bench: Bench, name: str, operator: str
) -> None:
    seat = bench.clerk("OP-0066", roles=(operator,))
    with pytest.raises(NotPermitted):
        seat.ask(f"probe/{name}", {})
    last = bench.ledger()[-1]
    assert (last.operation, last.refusal, last.items) == (f"probe/{name}", "not-permitted", ())


def test_what_a_handler_tries_would_reach_somebody_without_the_blindfold(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test of the test above: with the blindfold off, the attempts get through."""
    monkeypatch.setattr("appliance.casework.blindfolded", lambda view: view)
    seat = bench.clerk("OP-0066", roles=("all",))
    through = []
    for name in REACHES:
        try:
            seat.ask(f"probe/{name}", {})
        except NotPermitted:
            continue  # the empty grant stopped it
        through.append(name)
    assert set(through) >= {"latest", "due", "recount", "persons", "home", "inside"}


@pytest.mark.requirement("R146")
def test_a_blind_role_reaches_nothing_that_shows_residents(bench: Bench, contractor: Seat) -> None:
    for name, (_, operation) in OFFERED.items():
        if operation.blind or operation.changes:
            continue
        with pytest.raises(NotPermitted, match="sees no residents"):
            contractor.ask(name, {}, purpose="all", reason="01")
    assert contractor.ask("job/list", {}).data["jobs"]
    assert contractor.ask("relay/outbox", {}).data["depth"] >= 0


@pytest.mark.requirement("R142")
def test_a_blind_role_beside_another_reaches_nothing_but_the_way_out(bench: Bench) -> None:
    seat = bench.clerk("OP-0067", roles=("contractor", "all"))
    for name in ("job/list", "search/find", "roster/operators"):
        with pytest.raises(NotPermitted):
            seat.ask(name, {}, purpose="all", reason="01")
    seat.ask("session/close", {})


def test_nobody_works_on_behalf_of_whoever_is_blind() -> None:
    behalf = Behalf(
        person_id="P-1",
        operator_id="OP-1",
        purpose=PurposeCode("all"),
        reason="01",
        operation=OperationName("provision/bulk-submit"),
    )
    person = PersonRecord(person_id="P-1", office="市町村課", expires_on=date(2099, 3, 31))

    def record(*roles: str) -> OperatorRecord:
        return OperatorRecord(
            operator_id="OP-1",
            holders=("P-1",),
            office="市町村課",
            roles=roles,
            purposes=("all",),
            expires_on=date(2099, 3, 31),
        )

    assert authz.on_behalf(lax(), person, record("all"), behalf, TODAY).items == ITEM_NAMES
    for roles in (("contractor",), ("all", "contractor")):
        with pytest.raises(NotPermitted, match="sees no residents"):
            authz.on_behalf(lax(), person, record(*roles), behalf, TODAY)


@pytest.mark.parametrize(
    "name", sorted(name for name in dir(Unit) if not name.startswith("_") and name not in SEEN)
)
def test_a_blindfold_shuts_whatever_the_store_can_do_beside_papers_and_queues(name: str) -> None:
    everybody: Any = SimpleNamespace(**{name: lambda *args: "熊本　花子"})
    with pytest.raises(NotPermitted):
        getattr(blindfolded(everybody), name)


def test_what_a_blindfold_lets_through_is_there() -> None:
    assert set(dir(Unit)) >= SEEN


@pytest.mark.parametrize(
    ("declared", "said"),
    [({"purposed": True}, "purposed=False"), ({"uses": frozenset({"ledger"})}, "does not use it")],
)
def test_an_operation_is_not_half_blind(declared: dict[str, Any], said: str) -> None:
    class Half:
        @hookimpl
        def operations(self) -> list[AnyOperation]:
            return [replace(hostile("find"), **declared)]

    with pytest.raises(StartupError, match=said):
        put_together({"half": Half()}, identified())


# ---- 職員の立会い -----------------------------------------------------------------------------


@pytest.fixture
def shipped(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, policy=shipped_policy()) as bench:
        yield bench


def at_work(bench: Bench, terminal_id: str = "TERM-0001") -> Seat:
    return bench.clerk("OP-0066", roles=("contractor",), purposes=(), terminal_id=terminal_id)


def staff(bench: Bench, *roles: str, terminal_id: str = "TERM-0001") -> Seat:
    return bench.clerk("OP-0002", roles=roles, purposes=(), terminal_id=terminal_id)


@pytest.mark.requirement("R147")
def test_the_contractor_works_only_while_staff_is_logged_in_at_the_same_terminal(
    shipped: Bench,
) -> None:
    seat = at_work(shipped)
    with pytest.raises(NotPermitted, match="staff must attend"):
        seat.ask("job/list", {})
    witness = staff(shipped, "clerk")
    assert seat.ask("relay/outbox", {}).data["depth"] == 0
    assert shipped.ledger()[-1].note == "attended by OP-0002"
    witness.ask("session/close", {})
    with pytest.raises(NotPermitted, match="staff must attend"):
        seat.ask("job/list", {})
    assert shipped.ledger()[-1].refusal == "not-permitted"
    seat.ask("session/close", {})


def test_who_is_elsewhere_idle_or_suspended_does_not_attend(shipped: Bench) -> None:
    seat = at_work(shipped)
    staff(shipped, "clerk", terminal_id="TERM-0002")
    with pytest.raises(NotPermitted, match="staff must attend"):
        seat.ask("job/list", {})
    shipped.clerk("OP-0003", roles=("registrar",), purposes=())
    seat.ask("job/list", {})
    shipped.now += timedelta(minutes=4)
    seat.ask("job/list", {})
    shipped.now += timedelta(minutes=4)  # the contractor was busy, the witness was not
    with pytest.raises(NotPermitted, match="staff must attend"):
        seat.ask("job/list", {})
    shipped.clerk("OP-0003", roles=("registrar",), purposes=())
    seat.ask("job/list", {})
    suspend(shipped, "OP-0003")
    with pytest.raises(NotPermitted, match="staff must attend"):
        seat.ask("job/list", {})


def suspend(bench: Bench, operator_id: str) -> None:
    def work(unit: Unit) -> None:
        Roster(unit, unit).change_operator(operator_id, suspended="異動")
        unit.enter(PREPARED)

    bench.vault.write(work)


def test_one_of_the_contractor_does_not_attend_another(shipped: Bench) -> None:
    seat = at_work(shipped)
    staff(shipped, "contractor")
    with pytest.raises(NotPermitted, match="staff must attend"):
        seat.ask("job/list", {})


def test_nobody_attends_himself_under_another_operator_id() -> None:
    rule = changed(lax().roles[Role("contractor")], attended=True)
    policy = replace(lax(), roles={**lax().roles, Role("contractor"): rule})
    operator = Operator(person_id="P-1", operator_id="OP-1", office="委託先")
    job_list = OFFERED[OperationName("job/list")][1]
    terminal = Terminal(terminal_id="T-1", kind=TerminalKind.BUSINESS, fingerprint="00")
    asked = Request(
        id=RequestId("r-1"), operation=job_list.name, now=datetime(2026, 4, 1, tzinfo=UTC)
    )
    hook = put_together({}, identified()).hook

    def attended_by(person_id: str) -> str:
        other = Operator(person_id=person_id, operator_id="OP-2", office="市町村課")
        company = (Company(operator=other, roles=frozenset({ALL})),)
        roles = frozenset({Role("contractor")})
        actor = Actor(terminal=terminal, operator=operator, roles=roles, company=company)
        return authz.permit(policy, hook, actor, job_list, asked).attended_by

    assert attended_by("P-2") == "OP-2"
    with pytest.raises(NotPermitted, match="staff must attend"):
        attended_by("P-1")
