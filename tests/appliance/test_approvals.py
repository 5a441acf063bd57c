"""Two persons: what one asks for and another agrees to is carried out once, and by nobody alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.approvals import OWNER, VALID, WAITS
from appliance.audit import Event, Result
from appliance.errors import (
    Conflict,
    Malformed,
    NeedsApproval,
    NotFound,
    NotPermitted,
    Refusal,
    StartupError,
)
from appliance.loaded import put_together
from appliance.model import AT_A_TERMINAL, OperationName, Role, TerminalKind
from appliance.operation import About, Answer, AnyOperation, Arguments, Operation
from appliance.papers import Papers
from appliance.pipeline import Pipeline
from appliance.plugin_api import Case, Roster, hookimpl
from appliance.policy import Policy
from appliance.testing import PREPARED, Bench, Seat, everything, identified
from storage.engine import Unit

REASONS: dict[str, dict[str, str]] = {"give": {}, "refuse": {"reason": "不要"}}
TEXT = {"text": "hello", "secret": "s3cret", "sheet": "certificate"}


class Asked(Arguments, frozen=True, kw_only=True):
    text: str
    operator: str = ""
    secret: str = ""
    sheet: str = ""


class Said(Answer, frozen=True, kw_only=True):
    text: str


def about(roster: Roster, asked: Asked) -> About:
    record = roster.operator(asked.operator)
    if record is None:
        return About()
    return About(persons=frozenset(record.holders), offices=frozenset({record.office}))


class Plugin:
    """A change and a look that take two persons, a change that prepares, and one that takes one."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.refuses: Refusal | None = None

    def handle(self, case: Case, asked: Asked) -> Said:
        if self.refuses is not None:
            raise self.refuses
        self.done.append(case.actor.operator.person_id if case.actor.operator else "")
        return Said(text=asked.text)

    def operation(
        self,
        name: str,
        *,
        changes: bool = False,
        seconded: bool = True,
        prepare: Callable[[Case, Asked], Any] | None = None,
        purposed: bool = False,
    ) -> AnyOperation:
        return Operation(
            name=OperationName(name),
            summary="A test.",
            asks=Asked,
            answers=Said,
            handler=self.handle,
            prepare=prepare,
            changes=changes,
            seconded=seconded,
            about=about if seconded else None,
            shows=("sheet",) if seconded else (),
            purposed=purposed,
            records=("text", "operator"),
            drops=("secret", "sheet"),
        )

    @hookimpl
    def operations(self) -> list[AnyOperation]:
        return [
            self.operation("test/change", changes=True),
            self.operation("test/look"),
            self.operation("test/slow", changes=True, prepare=self.handle),
            self.operation("test/purposed", changes=True, purposed=True),
            self.operation("test/alone", changes=True, seconded=False),
        ]


@pytest.fixture
def plugin() -> Plugin:
    return Plugin()


@pytest.fixture
def bench(tmp_path: Path, plugin: Plugin) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"test": plugin}) as bench:
        yield bench


@pytest.fixture
def asker(bench: Bench) -> Seat:
    return bench.clerk("OP-0001")


@pytest.fixture
def second(bench: Bench) -> Seat:
    return bench.clerk("OP-0002", terminal_id="TERM-0002")


@pytest.fixture
def third(bench: Bench) -> Seat:
    return bench.clerk("OP-0003", terminal_id="TERM-0003")


def request(
    seat: Seat, operation: str = "test/change", body: Mapping[str, Any] = TEXT, **more: Any
) -> int:
    wanted = {
        "operation": operation,
        "arguments": dict(body),
        "form": "付与申請書 12",
        "reason": "新任",
    }
    number: int = seat.ask("approval/request", wanted, **more).data["number"]
    return number


def agreed(seat: Seat, second: Seat, operation: str = "test/change", **more: Any) -> int:
    number = request(seat, operation, **more)
    second.ask("approval/give", {"number": number})
    return number


def state(seat: Seat, number: int) -> str:
    told: str = seat.ask("approval/show", {"number": number}).data["approval"]["state"]
    return told


def change(bench: Bench, operator_id: str, **changes: Any) -> None:
    def write(unit: Unit) -> None:
        Roster(unit, unit).change_operator(operator_id, **changes)
        unit.enter(PREPARED)

    bench.vault.write(write)


@pytest.mark.requirement("R127")
@pytest.mark.parametrize("operation", ["test/change", "test/look", "test/slow"])
def test_what_another_person_agreed_to_is_carried_out_once(
    plugin: Plugin, bench: Bench, asker: Seat, second: Seat, operation: str
) -> None:
    number = agreed(asker, second, operation)
    assert asker.ask(operation, TEXT, approval=number).data == {"text": "hello"}
    times = len(plugin.done)
    with pytest.raises(NeedsApproval, match="is used, not given"):
        asker.ask(operation, TEXT, approval=number)
    assert len(plugin.done) == times


@pytest.mark.parametrize("operation", ["test/change", "test/look", "test/slow"])
def test_nothing_happens_without_an_approval(
    plugin: Plugin, asker: Seat, bench: Bench, operation: str
) -> None:
    with pytest.raises(NeedsApproval, match="approval/request"):
        asker.ask(operation, TEXT)
    with pytest.raises(NeedsApproval, match="no approval of this number"):
        asker.ask(operation, TEXT, approval=1)
    assert plugin.done == []
    assert [entry.refusal for entry in bench.ledger()[-2:]] == ["needs-approval"] * 2


@pytest.mark.requirement("R134")
def test_the_ledger_names_both_persons(bench: Bench, asker: Seat, second: Seat) -> None:
    number = agreed(asker, second)
    asker.ask("test/change", TEXT, approval=number)
    asked, gave, did = bench.ledger()[-3:]
    assert (asked.operation, asked.person) == ("approval/request", "P-OP-0001")
    assert asked.conditions == {
        "operation": "test/change",
        "form": "付与申請書 12",
        "reason": "新任",
        "arguments": {"text": "hello", "operator": ""},
    }
    assert (gave.operation, gave.person) == ("approval/give", "P-OP-0002")
    assert (did.event, did.result, did.person) == (Event.CHANGE, Result.OK, "P-OP-0001")
    assert (did.approval, did.approved_by, did.approved_as) == (number, "P-OP-0002", "OP-0002")


def test_a_refusal_names_the_approval_that_was_not_good(bench: Bench, asker: Seat) -> None:
    number = request(asker)
    with pytest.raises(NeedsApproval, match="is open"):
        asker.ask("test/change", TEXT, approval=number)
    entry = bench.ledger()[-1]
    assert (entry.result, entry.approval, entry.approved_by) == (Result.DENIED, number, None)


def test_nobody_agrees_to_what_he_asked_for(asker: Seat, bench: Bench) -> None:
    number = request(asker)
    for decision in ("give", "refuse"):
        with pytest.raises(NotPermitted, match="asked for himself"):
            asker.ask(f"approval/{decision}", {"number": number} | REASONS[decision])
    assert bench.ledger()[-1].refusal == "not-permitted"


def test_nor_under_another_of_his_operator_ids(bench: Bench, asker: Seat) -> None:
    number = request(asker)
    other = bench.clerk("OP-0009", person_id="P-OP-0001")
    with pytest.raises(NotPermitted, match="asked for himself"):
        other.ask("approval/give", {"number": number})


def test_whoever_agreed_does_not_carry_it_out(plugin: Plugin, asker: Seat, second: Seat) -> None:
    number = agreed(asker, second)
    with pytest.raises(NeedsApproval, match="cannot carry it out as well"):
        second.ask("test/change", TEXT, approval=number)
    assert plugin.done == []


def test_a_third_person_may_carry_out_what_two_agreed_on(
    plugin: Plugin, asker: Seat, second: Seat, third: Seat
) -> None:
    third.ask("test/change", TEXT, approval=agreed(asker, second))
    assert plugin.done == ["P-OP-0003"]


def test_nobody_agrees_to_what_is_about_himself(
    plugin: Plugin, asker: Seat, second: Seat, third: Seat
) -> None:
    body = {"text": "more rights", "operator": "OP-0002"}
    number = request(asker, body=body)
    with pytest.raises(NotPermitted, match="about himself"):
        second.ask("approval/give", {"number": number})
    third.ask("approval/give", {"number": number})
    asker.ask("test/change", body, approval=number)
    assert plugin.done == ["P-OP-0001"]


def test_what_comes_to_be_about_whoever_agreed_is_not_carried_out(
    plugin: Plugin, bench: Bench, asker: Seat, second: Seat
) -> None:
    bench.clerk("OP-0007", terminal_id="TERM-0007")
    body = {"text": "more rights", "operator": "OP-0007"}
    number = agreed(asker, second, body=body)
    change(bench, "OP-0007", holders=("P-OP-0002",))
    with pytest.raises(NeedsApproval, match="whom it is about"):
        asker.ask("test/change", body, approval=number)
    assert plugin.done == []


def test_the_agreement_of_somebody_suspended_since_counts_no_more(
    plugin: Plugin, bench: Bench, asker: Seat, second: Seat
) -> None:
    number = agreed(asker, second)
    change(bench, "OP-0002", suspended="調査中")
    with pytest.raises(NeedsApproval, match="may not work any more"):
        asker.ask("test/change", TEXT, approval=number)
    assert plugin.done == []


def test_the_agreement_of_somebody_who_lost_the_role_since_counts_no_more(
    plugin: Plugin, bench: Bench, asker: Seat, second: Seat
) -> None:
    number = agreed(asker, second)
    change(bench, "OP-0002", roles=("idle",))
    with pytest.raises(NeedsApproval, match="no role any more"):
        asker.ask("test/change", TEXT, approval=number)
    assert plugin.done == []


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("test/look", TEXT),
        ("test/change", TEXT | {"text": "hallo"}),
        ("test/change", TEXT | {"secret": "another"}),
        ("test/change", {"text": "hello"}),
    ],
)
def test_an_approval_is_for_these_arguments_only(
    plugin: Plugin, asker: Seat, second: Seat, operation: str, body: dict[str, str]
) -> None:
    number = agreed(asker, second)
    with pytest.raises(NeedsApproval, match="something else"):
        asker.ask(operation, body, approval=number)
    assert plugin.done == []
    asker.ask("test/change", TEXT, approval=number)


def test_a_default_that_is_written_out_is_the_same(asker: Seat, second: Seat) -> None:
    number = agreed(asker, second, body={"text": "hello"})
    asker.ask("test/change", {"operator": "", "text": "hello", "secret": ""}, approval=number)


def test_an_approval_is_for_one_purpose_and_reason(bench: Bench, asker: Seat, second: Seat) -> None:
    number = agreed(asker, second, "test/purposed", purpose="all", reason="01")
    bare = request(asker)
    shown = second.ask("approval/show", {"number": number}).data
    assert shown["approval"]["purpose"] == "all"
    assert shown["words"]["purpose"] == {"all": "all"}
    assert shown["words"]["reason"] == {"01": "test"}
    with pytest.raises(NeedsApproval, match="something else"):
        second.ask("test/purposed", TEXT, purpose="all", reason="01", approval=bare)
    asker.ask("test/purposed", TEXT, purpose="all", reason="01", approval=number)


def test_time_runs_out(bench: Bench, asker: Seat, second: Seat, plugin: Plugin) -> None:
    waiting, given = request(asker), agreed(asker, second)
    start = bench.now
    bench.now = start + VALID + timedelta(seconds=1)
    asker, second = bench.clerk("OP-0001"), bench.clerk("OP-0002", terminal_id="TERM-0002")
    with pytest.raises(NeedsApproval, match="is over"):
        asker.ask("test/change", TEXT, approval=given)
    second.ask("approval/give", {"number": waiting})
    bench.now = start + WAITS + timedelta(seconds=1)
    asker, second = bench.clerk("OP-0001"), bench.clerk("OP-0002", terminal_id="TERM-0002")
    late = request(asker)
    bench.now += WAITS + timedelta(seconds=1)
    second = bench.clerk("OP-0002", terminal_id="TERM-0002")
    with pytest.raises(Conflict, match="is over"):
        second.ask("approval/give", {"number": late})
    assert plugin.done == []


@pytest.mark.parametrize("decision", ["refuse", "withdraw"])
def test_what_was_refused_or_taken_back_cannot_be_used(
    asker: Seat, second: Seat, decision: str
) -> None:
    number = request(asker)
    if decision == "refuse":
        second.ask("approval/refuse", {"number": number, "reason": "不要"})
    else:
        asker.ask("approval/withdraw", {"number": number})
    with pytest.raises(NeedsApproval, match=r"is refused|is withdrawn"):
        asker.ask("test/change", TEXT, approval=number)
    with pytest.raises(Conflict, match="nothing is to be decided"):
        second.ask("approval/give", {"number": number})


def test_what_was_agreed_to_can_be_taken_back_by_whoever_asked(asker: Seat, second: Seat) -> None:
    number = agreed(asker, second)
    with pytest.raises(NotPermitted, match="only whoever asked"):
        second.ask("approval/withdraw", {"number": number})
    asker.ask("approval/withdraw", {"number": number})
    assert state(asker, number) == "withdrawn"


def test_whoever_agrees_sees_what_he_agrees_to(asker: Seat, second: Seat) -> None:
    number = request(asker)
    shown = second.ask("approval/show", {"number": number}).data
    assert shown["arguments"] == {"text": "hello", "operator": "", "sheet": "certificate"}
    assert shown["not_shown"] == ("secret",)
    assert (shown["approval"]["form"], shown["summary"]) == ("付与申請書 12", "A test.")


def test_the_arguments_are_kept_no_longer_than_the_approval(
    bench: Bench, asker: Seat, second: Seat
) -> None:
    used, forgotten = agreed(asker, second), request(asker)
    asker.ask("test/change", TEXT, approval=used)
    assert second.ask("approval/show", {"number": used}).data["arguments"] is None
    assert kept(bench) == [f"{forgotten:012}"]
    bench.now += WAITS + timedelta(hours=2)
    assert "approval/expire" in bench.work()
    assert kept(bench) == []
    assert state(bench.clerk("OP-0001"), forgotten) == "over"


def kept(bench: Bench) -> list[str]:
    with bench.vault.view() as view:
        return [key for key, _ in Papers(view, None, OWNER).every("arguments")]


def test_a_change_that_is_refused_leaves_the_approval_unused(
    plugin: Plugin, bench: Bench, asker: Seat, second: Seat
) -> None:
    number = agreed(asker, second)
    plugin.refuses = Conflict("not now")
    with pytest.raises(Conflict):
        asker.ask("test/change", TEXT, approval=number)
    assert bench.ledger()[-1].approved_by == "P-OP-0002"
    plugin.refuses = None
    asker.ask("test/change", TEXT, approval=number)


def test_the_same_request_again_gets_the_same_answer(asker: Seat, second: Seat) -> None:
    number = agreed(asker, second)
    first = asker.ask("test/change", TEXT, approval=number, key="the-same-key-0001")
    again = asker.ask("test/change", TEXT, approval=number, key="the-same-key-0001")
    assert first.data == again.data


def test_of_two_who_read_under_one_approval_one_is_refused(
    bench: Bench, plugin: Plugin, asker: Seat, second: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one's reading is done when its entry is made; then the approval is used."""
    number = agreed(asker, second, "test/look")
    handle, inside = plugin.handle, []

    def slow(case: Case, asked: Asked) -> Said:
        if not inside:
            inside.append(True)
            asker.ask("test/look", TEXT, approval=number)
        return handle(case, asked)

    owner, operation = bench.parts.operations[OperationName("test/look")]
    monkeypatch.setitem(
        dict_of(bench), OperationName("test/look"), (owner, replace(operation, handler=slow))
    )
    with pytest.raises(NeedsApproval, match="is used"):
        asker.ask("test/look", TEXT, approval=number)


def dict_of(bench: Bench) -> dict[OperationName, tuple[str, AnyOperation]]:
    operations = bench.parts.operations
    assert isinstance(operations, dict)
    return operations


def test_a_mistake_shows_when_it_is_asked_for(asker: Seat, bench: Bench) -> None:
    with pytest.raises(Malformed, match="text"):
        request(asker, body={})
    with pytest.raises(Malformed, match="one person is enough"):
        request(asker, "test/alone")
    with pytest.raises(NotFound):
        request(asker, "test/nothing")
    with pytest.raises(Malformed, match="X-Approval"):
        asker.ask("test/alone", TEXT, approval=1)


def test_a_machine_does_nothing_that_takes_two_persons(bench: Bench) -> None:
    cs = bench.municipality("432024")
    for ask in (lambda: cs.ask("test/change", TEXT, approval=1), lambda: request(cs)):
        with pytest.raises(NotPermitted, match="two persons"):
            ask()


def test_the_list_tells_what_waits_for_whom(asker: Seat, second: Seat, bench: Bench) -> None:
    mine, decided = request(asker), agreed(asker, second)
    theirs = request(second)
    told = second.ask("approval/list", {}).data
    assert [each["number"] for each in told["to_decide"]] == [mine]
    assert [each["number"] for each in told["mine"]] == [theirs]
    assert [each["number"] for each in told["decided"]] == [decided]
    told = asker.ask("approval/list", {}).data
    assert [each["number"] for each in told["mine"]] == [decided, mine]
    asker.ask("approval/withdraw", {"number": mine})
    assert asker.ask("approval/list", {}).data["decided"] == ()
    bench.now += timedelta(days=31)
    assert bench.clerk("OP-0001").ask("approval/list", {}).data["mine"] == ()


# ---- who may agree ---------------------------------------------------------------------------


def narrow(operations: Iterable[OperationName]) -> Policy:
    """Return the policy of ``everything``, with roles that agree to less."""
    policy = everything(operations)
    closed = msgspec.structs.replace(policy.roles[Role("all")], approves=(), every_office=False)
    agreeing = msgspec.structs.replace(closed, approves=("test/change",), label="責任者")
    log_in = ("session/open", "session/close")
    roles = {
        AT_A_TERMINAL: msgspec.structs.replace(closed, operations=log_in),
        Role("asker"): closed,
        Role("officer"): agreeing,
        Role("at-the-desk"): msgspec.structs.replace(agreeing, terminals=(TerminalKind.BUSINESS,)),
        Role("chief"): msgspec.structs.replace(
            closed, approves=("test/*",), every_office=True, label="監査"
        ),
    }
    return replace(policy, roles={**policy.roles, **roles})


@pytest.fixture
def narrowed(tmp_path: Path, plugin: Plugin) -> Iterator[Bench]:
    offered = put_together({"test": plugin}, identified()).operations
    with Bench.open(tmp_path, {"test": plugin}, narrow(offered)) as bench:
        bench.clerk("OP-0007", office="県税事務所", terminal_id="TERM-0007")
        yield bench


@pytest.mark.parametrize(
    ("operation", "labels"), [("test/change", {"責任者", "監査"}), ("test/look", {"監査"})]
)
def test_whoever_asks_is_told_whose_agreement_counts(
    narrowed: Bench, operation: str, labels: set[str]
) -> None:
    asker = narrowed.clerk("OP-0001", roles=("asker",))
    asked = {"operation": operation, "arguments": {"text": "hello"}, "form": "12", "reason": "新任"}
    told = asker.ask("approval/request", asked).data["approvers"]
    assert set(told) - {"all"} == labels


@pytest.mark.requirement("R127")
@pytest.mark.parametrize(
    ("role", "office", "operation", "about", "refusal"),
    [
        ("asker", "市町村課", "test/change", "", "no role of yours may agree"),
        ("at-the-desk", "市町村課", "test/change", "", "no role of yours may agree"),
        ("officer", "市町村課", "test/look", "", "no role of yours may agree"),
        ("officer", "市町村課", "test/change", "", None),
        ("officer", "県税事務所", "test/change", "", "another office"),
        ("officer", "県税事務所", "test/change", "OP-0007", None),
        ("chief", "監査課", "test/look", "", None),
        ("chief", "監査課", "test/change", "OP-0007", None),
    ],
)
def test_who_may_agree_is_written_in_the_policy(
    narrowed: Bench, role: str, office: str, operation: str, about: str, refusal: str | None
) -> None:
    asker = narrowed.clerk("OP-0001", roles=("asker",))
    second = narrowed.clerk(
        "OP-0002", roles=("asker", role), office=office, terminal_id="TERM-0002"
    )
    number = request(asker, operation, {"text": "hello", "operator": about})
    waiting = [each["number"] for each in second.ask("approval/list", {}).data["to_decide"]]
    assert waiting == ([] if refusal else [number])
    if refusal is None:
        second.ask("approval/give", {"number": number})
        return
    with pytest.raises(NotPermitted, match=refusal):
        second.ask("approval/give", {"number": number})
    with pytest.raises(NotFound):
        second.ask("approval/show", {"number": number})


def test_nobody_asks_for_what_he_could_not_do(narrowed: Bench) -> None:
    policy = narrowed.parts.policy
    roles = dict(policy.roles)
    roles[Role("outside")] = msgspec.structs.replace(
        roles[Role("asker")], operations=("approval/request",)
    )
    parts = replace(narrowed.parts, policy=replace(policy, roles=roles))
    narrowed.pipeline = Pipeline(parts)
    with pytest.raises(NotPermitted, match="test/change"):
        request(narrowed.clerk("OP-0004", roles=("outside",), terminal_id="TERM-0004"))


def test_the_policy_says_who_agrees_to_everything_that_takes_two(plugin: Plugin) -> None:
    offered = put_together({"test": plugin}, identified()).operations
    policy = everything(offered)
    seconded = [each.name for _, each in offered.values() if each.seconded]
    assert policy.unapproved(seconded) == []
    role = msgspec.structs.replace(policy.roles[Role("all")], approves=("test/alone", "test/look"))
    assert replace(policy, roles={Role("all"): role}).unapproved(seconded) == [
        "roles.toml [all] approves: 'test/alone' is nothing that takes two persons",
        "roles.toml: test/change takes two persons, and no role approves it",
        "roles.toml: test/purposed takes two persons, and no role approves it",
        "roles.toml: test/slow takes two persons, and no role approves it",
    ]


def test_what_one_person_does_alone_has_nothing_to_show_to_a_second(tmp_path: Path) -> None:
    class Odd(Plugin):
        @hookimpl
        def operations(self) -> list[AnyOperation]:
            alone = self.operation("test/odd", seconded=False)
            return [replace(alone, about=about, shows=("text",))]

    with pytest.raises(StartupError) as refused, Bench.open(tmp_path, {"test": Odd()}):
        pass
    assert refused.value.problems == (
        "test/odd: about, alone and shows go with seconded=True",
        "test/odd: shows 'text', which is none of its drops",
    )


# ---- nobody alone ----------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["request", "give", "refuse", "withdraw", "change", "look"]),
        st.integers(min_value=0, max_value=1),
        st.integers(min_value=1, max_value=4),
        st.sampled_from(["hello", "hallo"]),
    ),
    max_size=14,
)


@pytest.mark.requirement("R127")
@given(steps=STEPS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_one_person_does_in_whatever_order_he_does_nothing_alone(
    alone: tuple[Plugin, Bench],
    steps: list[tuple[str, int, int, str]],
) -> None:
    """One person with two 操作者ID, and every role there is."""
    plugin, bench = alone
    for step, authority, number, text in steps:
        with suppress(Refusal):
            seat = bench.log_in("P-OP-0001", ("OP-0001", "OP-0009")[authority])
            take(seat, step, number, text)
    assert plugin.done == []


def take(seat: Seat, step: str, number: int, text: str) -> None:
    match step:
        case "request":
            request(seat, body={"text": text})
        case "refuse":
            seat.ask("approval/refuse", {"number": number, "reason": "不要"})
        case "give" | "withdraw":
            seat.ask(f"approval/{step}", {"number": number})
        case _:
            seat.ask(f"test/{step}", {"text": text}, approval=number)


@pytest.fixture
def alone(bench: Bench, plugin: Plugin) -> tuple[Plugin, Bench]:
    for operator_id in ("OP-0001", "OP-0009"):
        bench.appoint(operator_id, "P-OP-0001")
    return plugin, bench
