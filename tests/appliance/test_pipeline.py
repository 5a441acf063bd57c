import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance import authn
from appliance.audit import Event, Result
from appliance.case import POWERS, Power
from appliance.errors import (
    AtTheEdge,
    Conflict,
    Damaged,
    Failed,
    Malformed,
    NotPermitted,
    Refusal,
    Rejected,
    Unavailable,
    Unidentified,
    UnknownOperation,
    Unregistered,
)
from appliance.items import ItemName
from appliance.model import (
    Actor,
    Change,
    Deny,
    Envelope,
    OperationName,
    Peer,
    Request,
    RequestId,
    Terminal,
    TerminalKind,
)
from appliance.operation import Answer, AnyOperation, Arguments, Operation
from appliance.plugin_api import Case, hookimpl
from appliance.testing import Bench, Seat
from storage.errors import (
    DeadlineExceeded,
    DiskFull,
    LedgerBroken,
    OutcomeUnknown,
    StorageError,
    Tampered,
)
from tests.plugins.people import admit, code, person

FOR_ALL = {"purpose": "all", "reason": "01"}


class Asked(Arguments, frozen=True, kw_only=True):
    text: str = ""
    secret: str = ""


class Said(Answer, frozen=True, kw_only=True):
    text: str


class Plugin:
    """Two operations whose handlers a test replaces."""

    def __init__(self) -> None:
        self.look: Callable[[Case, Asked], Said] = lambda case, asked: Said(text=asked.text)
        self.change = self.look
        self.uses: frozenset[Power] = frozenset()

    def operation(self, name: str, *, changes: bool) -> AnyOperation:
        def handle(case: Case, asked: Asked) -> Said:
            return (self.change if changes else self.look)(case, asked)

        return Operation(
            name=OperationName(name),
            summary="A test.",
            asks=Asked,
            answers=Said,
            handler=handle,
            changes=changes,
            uses=self.uses,
            records=("text",),
            drops=("secret",),
        )

    @hookimpl
    def operations(self) -> list[AnyOperation]:
        return [
            self.operation("test/look", changes=False),
            self.operation("test/change", changes=True),
        ]


@pytest.fixture
def plugin() -> Plugin:
    return Plugin()


@pytest.fixture
def bench(tmp_path: Path, plugin: Plugin) -> Iterator[Bench]:
    with Bench.open(tmp_path, {"test": plugin}) as bench:
        yield bench


@pytest.fixture
def clerk(bench: Bench) -> Seat:
    return bench.clerk()


def envelope_of(peer: Peer) -> Envelope:
    return Envelope(
        request_id=RequestId("r1"),
        peer=peer,
        operation=OperationName(""),
        media_type="",
        body=b"",
    )


def look(seat: Seat, text: str = "hello", **more: Any) -> Any:
    return seat.ask("test/look", {"text": text, "secret": "s3cret"}, **(FOR_ALL | more))


def change(seat: Seat, text: str = "hello", **more: Any) -> Any:
    return seat.ask("test/change", {"text": text, "secret": "s3cret"}, **(FOR_ALL | more))


def admits(case: Case, asked: Asked) -> Said:
    case.registry.save(None, person())
    case.papers.put("note", "1", {"text": asked.text})
    return Said(text="done")


def is_there(bench: Bench) -> bool:
    with bench.vault.view() as view:
        return view.identified(bench.index.code(code(1))) is not None


@pytest.mark.parametrize("ask", [look, change])
def test_an_answer_names_the_entry_that_holds_it(
    bench: Bench, clerk: Seat, ask: Callable[..., Any]
) -> None:
    reply = ask(clerk, case_number="12")
    entry = bench.ledger()[reply.receipt]
    assert reply.data == {"text": "hello"}
    assert entry.request_id == reply.request_id
    assert entry.conditions == {"text": "hello"}
    assert entry.event is (Event.CHANGE if ask is change else Event.READ)
    assert (entry.result, entry.case_number) == (Result.OK, "12")
    assert entry.policy == bench.parts.policy.digest[:8]


def test_a_change_and_its_entry_are_one(bench: Bench, plugin: Plugin, clerk: Seat) -> None:
    plugin.change = admits
    reply = change(clerk)
    assert is_there(bench)
    assert bench.ledger()[reply.receipt].subjects == (1,)


def test_what_a_handler_refuses_is_undone_and_entered(
    bench: Bench, plugin: Plugin, clerk: Seat
) -> None:
    def refuses(case: Case, asked: Asked) -> Said:
        admits(case, asked)
        raise Rejected("against a rule")

    plugin.change = refuses
    with pytest.raises(Rejected):
        change(clerk)
    assert not is_there(bench)
    entry = bench.ledger()[-1]
    assert (entry.result, entry.refusal, entry.why) == (
        Result.DENIED,
        "rejected",
        "against a rule",
    )
    assert entry.conditions == {"text": "hello"}


def test_whom_a_refused_request_saw_is_in_its_entry(
    bench: Bench, plugin: Plugin, clerk: Seat
) -> None:
    who = admit(bench)

    def reads_and_refuses(case: Case, asked: Asked) -> Said:
        case.registry.read(who, [ItemName("name")])
        raise Conflict("too late")

    plugin.look = reads_and_refuses
    with pytest.raises(Conflict):
        look(clerk)
    assert bench.ledger()[-1].subjects == (who,)


@pytest.mark.parametrize("ask", [look, change])
def test_a_bug_is_ours_and_changes_nothing(
    bench: Bench,
    plugin: Plugin,
    clerk: Seat,
    ask: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def breaks(case: Case, asked: Asked) -> Said:
        if ask is change:
            admits(case, asked)
        raise ZeroDivisionError("熊本花子")

    plugin.look = plugin.change = breaks
    with caplog.at_level(logging.CRITICAL + 1), pytest.raises(Failed) as refused:
        ask(clerk)
    assert "熊本" not in str(refused.value)
    assert not is_there(bench)
    entry = bench.ledger()[-1]
    assert (entry.result, entry.refusal) == (Result.ERROR, "internal")


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (Tampered("cell 3"), Damaged),
        (LedgerBroken("entry 3"), Damaged),
        (DeadlineExceeded("late"), Unavailable),
        (DiskFull("full"), Unavailable),
    ],
)
def test_what_the_storage_says_is_told_by_kind(
    bench: Bench,
    plugin: Plugin,
    clerk: Seat,
    problem: Exception,
    kind: type[Refusal],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(case: Case, asked: Asked) -> Said:
        raise problem

    plugin.look = fails
    with caplog.at_level(logging.CRITICAL + 1), pytest.raises(kind):
        look(clerk)
    entry = bench.ledger()[-1]
    assert (entry.result, entry.refusal) == (Result.ERROR, kind.code)


@contextmanager
def broken(bench: Bench, problem: Exception) -> Iterator[None]:
    """Break every writing from here on."""

    def fails(*_: Any, **__: Any) -> Any:
        raise problem

    write = bench.vault.write
    bench.vault.write = fails  # type: ignore[method-assign]
    try:
        yield
    finally:
        bench.vault.write = write  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "problem",
    [DiskFull("full"), DeadlineExceeded("late"), StorageError("the disk failed")],
    ids=["full", "late", "failing"],
)
def test_no_entry_no_answer(
    bench: Bench, clerk: Seat, caplog: pytest.LogCaptureFixture, problem: StorageError
) -> None:
    with (
        caplog.at_level(logging.CRITICAL + 1),
        broken(bench, problem),
        pytest.raises(Unavailable),
    ):
        look(clerk)


def test_an_unknown_outcome_is_never_explained(bench: Bench, clerk: Seat) -> None:
    with broken(bench, OutcomeUnknown("the disk failed")), pytest.raises(OutcomeUnknown):
        change(clerk)


def test_a_stranger_does_not_fill_the_ledger(bench: Bench, clerk: Seat) -> None:
    entries = len(bench.ledger())
    stranger = replace(clerk, peer=replace(clerk.peer, fingerprint="ef" * 32))
    with pytest.raises(Unidentified):
        look(stranger)
    assert len(bench.ledger()) == entries
    assert bench.strangers == [("ef" * 32, "the certificate of this terminal is not registered")]


def test_what_http_refused_is_entered_with_the_terminal_it_came_from(
    bench: Bench, clerk: Seat
) -> None:
    bench.pipeline.refuse(envelope_of(clerk.peer), AtTheEdge("not-acceptable", "cannot write it"))
    entry = bench.ledger()[-1]
    assert (entry.refusal, entry.why) == ("not-acceptable", "cannot write it")
    assert (entry.terminal, entry.operator) == ("TERM-0001", None)


def test_what_http_refused_of_a_stranger_fills_no_ledger(bench: Bench, clerk: Seat) -> None:
    entries = len(bench.ledger())
    stranger = Peer("ef" * 32, clerk.peer.not_before, clerk.peer.not_after)
    with pytest.raises(Unregistered):
        bench.pipeline.refuse(envelope_of(stranger), AtTheEdge("not-acceptable", "no"))
    assert len(bench.ledger()) == entries
    assert len(bench.strangers) == 1


def test_a_register_of_terminals_that_does_not_open_is_entered_too(
    bench: Bench, clerk: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tampered(*_: object) -> Terminal:
        raise Tampered("a terminal record was changed")

    monkeypatch.setattr(authn, "known_terminal", tampered)
    with pytest.raises(Damaged):
        look(clerk)
    entry = bench.ledger()[-1]
    assert (entry.refusal, entry.terminal) == ("integrity", None)


def test_a_known_terminal_with_a_wrong_session_is_entered(bench: Bench, clerk: Seat) -> None:
    with pytest.raises(Unidentified):
        look(replace(clerk, bearer="guess"))
    entry = bench.ledger()[-1]
    assert (entry.refusal, entry.terminal, entry.operator) == ("unidentified", "TERM-0001", None)


def test_an_unknown_operation_is_entered_with_who_asked(bench: Bench, clerk: Seat) -> None:
    with pytest.raises(UnknownOperation):
        clerk.ask("test/dance", {}, **FOR_ALL)
    entry = bench.ledger()[-1]
    assert (entry.operation, entry.operator) == ("test/dance", "OP-0001")
    assert entry.refusal == "unknown-operation"


def test_rights_are_looked_at_before_the_body(bench: Bench) -> None:
    seat = bench.clerk(purposes=())
    with pytest.raises(NotPermitted):
        seat.ask("test/look", {"nonsense": 1}, **FOR_ALL)


def test_a_body_that_is_not_understood_is_entered(bench: Bench, clerk: Seat) -> None:
    with pytest.raises(Malformed):
        clerk.ask("test/look", {"nonsense": 1}, **FOR_ALL)
    entry = bench.ledger()[-1]
    assert (entry.refusal, dict(entry.conditions)) == ("malformed", {})
    assert (entry.purpose, entry.reason) == ("all", "01")


def test_a_change_needs_an_idempotency_key(bench: Bench, clerk: Seat) -> None:
    envelope = Envelope(
        request_id=RequestId("request-x"),
        peer=clerk.peer,
        operation=OperationName("test/change"),
        media_type="application/json",
        body=b"{}",
        bearer=clerk.bearer,
        **FOR_ALL,
    )
    with pytest.raises(Malformed, match="Idempotency-Key"):
        bench.pipeline.answer(envelope)


def test_the_same_change_again_is_answered_not_repeated(
    bench: Bench, plugin: Plugin, clerk: Seat
) -> None:
    calls: list[str] = []

    def counts(case: Case, asked: Asked) -> Said:
        calls.append(asked.text)
        return Said(text=f"{len(calls)}")

    plugin.change = counts
    first = change(clerk, key="the-same-key-0001")
    again = change(clerk, key="the-same-key-0001")
    assert (first.data["text"], again.data["text"], calls) == ("1", "1", ["hello"])
    assert again.receipt > first.receipt
    assert bench.ledger()[again.receipt].note == "repeated"
    with pytest.raises(Conflict):
        change(clerk, "another text", key="the-same-key-0001")
    assert change(clerk, key="another-key-00001").data["text"] == "2"


def test_a_key_is_its_operators_own(bench: Bench, plugin: Plugin, clerk: Seat) -> None:
    plugin.change = lambda case, asked: Said(text=str(case.actor.operator))
    first = change(clerk, key="the-same-key-0001")
    clerk.ask("session/close", {})
    other = bench.clerk("OP-0002")
    assert change(other, key="the-same-key-0001").data != first.data


def test_a_key_is_its_persons_own_though_several_hold_one_authority(
    bench: Bench, plugin: Plugin
) -> None:
    plugin.change = lambda case, asked: Said(text=str(case.actor.operator))
    bench.appoint("OP-0005", "P-0005", "P-0006")
    first = bench.log_in("P-0005", "OP-0005")
    answer = change(first, key="the-same-key-0001")
    first.ask("session/close", {})
    other = bench.log_in("P-0006", "OP-0005")
    assert change(other, key="the-same-key-0001").data != answer.data


def test_a_refused_change_may_be_tried_again_with_its_key(
    bench: Bench, plugin: Plugin, clerk: Seat
) -> None:
    def refuses(case: Case, asked: Asked) -> Said:
        raise Rejected("not yet")

    plugin.change = refuses
    with pytest.raises(Rejected):
        change(clerk, key="the-same-key-0001")
    plugin.change = admits
    assert change(clerk, key="the-same-key-0001").data == {"text": "done"}


def test_what_goes_together_with_an_answer_is_in_one_unit(
    bench: Bench, plugin: Plugin, clerk: Seat
) -> None:
    def together(case: Case, asked: Asked) -> Said:
        case.together.append(lambda unit: unit.put_document("test.x", b"1", b"ok") and None)
        case.if_refused.append(lambda unit: unit.put_document("test.x", b"2", b"no") and None)
        if asked.text == "refuse":
            raise Rejected("no")
        return Said(text="yes")

    plugin.look = together
    look(clerk)
    with pytest.raises(Rejected):
        look(clerk, "refuse")
    with bench.vault.view() as view:
        found = [document.key for document in view.documents("test.x")]
    assert found == [b"1", b"2"]


def test_the_appliance_serves_itself_down_the_same_line(bench: Bench, plugin: Plugin) -> None:
    plugin.look = lambda case, asked: Said(text=case.actor.terminal.kind.value)
    for name in ("test/look", "test/change"):
        object.__setattr__(bench.parts.operations[OperationName(name)][1], "purposed", False)
    served = bench.pipeline.serve(OperationName("test/look"), Asked(text="x"), "job-00000001")
    assert served.data == {"text": TerminalKind.SERVICE.value}
    entry = bench.ledger()[-1]
    assert (entry.terminal, entry.operator, entry.request_id) == ("SYSTEM", None, "job-00000001")
    bench.pipeline.serve(OperationName("test/change"), Asked(text="x"), "job-00000002")
    with pytest.raises(UnknownOperation):
        bench.pipeline.serve(OperationName("test/dance"), Asked(), "job-00000003")
    assert bench.ledger()[-1].refusal == "unknown-operation"


def test_a_certificate_out_of_force_is_a_strangers(bench: Bench, clerk: Seat) -> None:
    old = Peer(clerk.peer.fingerprint, clerk.peer.not_before, bench.now.replace(year=2025))
    with pytest.raises(Unidentified, match="not in force"):
        look(replace(clerk, peer=old))
    assert len(bench.strangers) == 1


def test_every_save_moves_the_tallies_that_plugins_keep(tmp_path: Path, plugin: Plugin) -> None:
    class Counts:
        @hookimpl
        def tallies(self, change: Change) -> Mapping[str, int]:
            return {"residents": 1 if change.before is None else 0, "saves": 1}

    with Bench.open(tmp_path, {"test": plugin, "counts": Counts()}) as bench:
        plugin.change = admits
        change(bench.clerk())
        with bench.vault.view() as view:
            assert view.tallies("") == {"residents": 1, "saves": 1}


class Prepared:
    """An operation with a long part that changes nothing, before the unit of work."""

    def __init__(self) -> None:
        self.prepared = 0

    def prepare(self, case: Case, asked: Asked) -> str:
        self.prepared += 1
        person = case.registry.by_code(code(1))
        assert person is not None
        case.registry.read(person, ["name"])
        if asked.text == "no":
            raise Rejected("not so")
        return asked.text * 2

    @staticmethod
    def handle(case: Case, asked: Asked) -> Said:
        case.tally("test/done", 2)
        case.papers.put("note", "1", {"text": case.prepared})
        return Said(text=case.prepared)

    @hookimpl
    def operations(self) -> list[AnyOperation]:
        return [
            Operation(
                name=OperationName("test/change"),
                summary="A test.",
                asks=Asked,
                answers=Said,
                prepare=self.prepare,
                handler=self.handle,
                changes=True,
                records=("text",),
                drops=("secret",),
            )
        ]


def test_what_is_prepared_reaches_the_handler_and_the_same_ledger_entry(tmp_path: Path) -> None:
    plugin = Prepared()
    with Bench.open(tmp_path, {"test": plugin}) as bench:
        who, clerk = admit(bench), bench.clerk()
        assert change(clerk, "ab").data == {"text": "abab"}
        entry = bench.ledger()[-1]
        assert (entry.subjects, entry.items) == ((who,), ("name",))
        with bench.vault.view() as view:
            assert view.tallies("test/") == {"test/done": 2}


def test_a_refusal_while_preparing_names_whom_it_showed(tmp_path: Path) -> None:
    with Bench.open(tmp_path, {"test": Prepared()}) as bench:
        who, clerk = admit(bench), bench.clerk()
        with pytest.raises(Rejected):
            change(clerk, "no")
        entry = bench.ledger()[-1]
        assert (entry.refusal, entry.subjects) == ("rejected", (who,))


def test_a_repeated_request_is_not_prepared_again(tmp_path: Path) -> None:
    plugin = Prepared()
    with Bench.open(tmp_path, {"test": plugin}) as bench:
        admit(bench)
        clerk = bench.clerk()
        for _ in range(2):
            assert change(clerk, "ab", key="k" * 16).data == {"text": "abab"}
        assert plugin.prepared == 1
        with bench.vault.view() as view:
            assert view.tallies("test/") == {"test/done": 2}


def test_a_veto_is_entered_with_its_reason(tmp_path: Path, plugin: Plugin) -> None:
    class Objects:
        @hookimpl
        def veto(self, actor: Actor, request: Request) -> Deny | None:
            return Deny("年度末") if request.operation == "test/look" else None

    with Bench.open(tmp_path, {"test": plugin, "objects": Objects()}) as bench:
        clerk = bench.clerk()
        with pytest.raises(NotPermitted, match="年度末"):
            look(clerk)
        assert bench.ledger()[-1].why == "年度末"


@pytest.mark.parametrize("power", sorted(POWERS))
def test_a_plugin_reaches_only_what_its_operation_says_it_uses(
    tmp_path: Path, plugin: Plugin, power: Power
) -> None:
    def reaches(case: Case, asked: Asked) -> Said:
        return Said(text=type(getattr(case, power)).__name__.lower())

    plugin.look = reaches
    with (
        Bench.open(tmp_path / "without", {"test": plugin}) as bench,
        pytest.raises(Failed, match=f"uses {power}"),
    ):
        look(bench.clerk())
    plugin.uses = frozenset({power})
    with Bench.open(tmp_path / "with", {"test": plugin}) as bench:
        assert look(bench.clerk()).data["text"].startswith(power)
