from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import cbor2
import pytest
from msgspec import Meta

from appliance.audit import (
    MOST_SUBJECTS,
    Account,
    Event,
    Result,
    read_entry,
)
from appliance.errors import Malformed, TooMany
from appliance.items import ItemName
from appliance.model import Actor, OperationName, Operator, Role, Terminal, TerminalKind
from appliance.operation import Answer, AnyOperation, Arguments, Operation, argument_paths, recorded
from appliance.testing import Bench
from appliance.traces import Note, Touched
from storage.engine import Entered, Entry, PersonId, VersionId

TERMINAL = Terminal(
    terminal_id="TERM-0001", kind=TerminalKind.REPRESENTATIVE, fingerprint="ab" * 32
)
ACTOR = Actor(
    terminal=TERMINAL,
    operator=Operator(person_id="P-0001", operator_id="OP-0001", office="県税事務所"),
    roles=frozenset({Role("clerk")}),
    session="0123456789abcdef0123456789abcdef",
)
ACCOUNT = Account(
    request_id="request-1",
    operation="search/find",
    policy=b"policy78",
    purpose="tax",
    reason="01",
    case_number="12",
    terminal=TERMINAL,
    actor=ACTOR,
    conditions={"name": "熊本花子"},
)
NAME, SEX = ItemName("name"), ItemName("sex")


def people(count: int) -> dict[PersonId, None]:
    return dict.fromkeys(PersonId(n) for n in range(1, count + 1))


def entered(entry: Entry, index: int = 7) -> Entered:
    return Entered(index, 1_775_000_000_000, entry.event, entry.result, entry.body, entry.subjects)


def test_an_entry_is_read_as_it_was_made() -> None:
    touched = Touched(subjects=people(2), items={SEX, NAME}, candidates=3)
    note = Note(result="one", hits=2, outcomes=[(1, "applied", ""), (2, "held", "G-06")])
    (entry,) = ACCOUNT.carried_out(touched, note)
    reading = read_entry(entered(entry))
    assert (reading.index, reading.at_ms) == (7, 1_775_000_000_000)
    assert (reading.event, reading.result) == (Event.READ, Result.OK)
    assert (reading.request_id, reading.operation) == ("request-1", "search/find")
    assert (reading.terminal, reading.person, reading.operator, reading.office) == (
        "TERM-0001",
        "P-0001",
        "OP-0001",
        "県税事務所",
    )
    assert (reading.purpose, reading.reason, reading.case_number) == ("tax", "01", "12")
    assert reading.conditions == {"name": "熊本花子"}
    assert reading.items == (NAME, SEX)
    assert reading.subjects == (1, 2)
    assert (reading.hits, reading.candidates) == (2, 3)
    assert (reading.refusal, reading.why) == (None, None)
    assert reading.note == "one"
    assert reading.outcomes == ((1, "applied", ""), (2, "held", "G-06"))
    assert reading.policy == b"policy78"


def test_a_refusal_says_why_and_takes_back_what_was_saved() -> None:
    touched = Touched(subjects=people(1), saved=[VersionId(PersonId(1), 1)])
    account = replace(ACCOUNT, changes=True)
    (entry,) = account.refused(Malformed("not a date"), touched, Note(), ours=False)
    reading = read_entry(entered(entry))
    assert (reading.event, reading.result) == (Event.CHANGE, Result.DENIED)
    assert (reading.refusal, reading.why) == ("malformed", "not a date")
    assert reading.subjects == (1,)
    assert [1, 1] not in cbor2.loads(entry.body).values()


def test_a_fault_of_ours_is_told_from_a_denial() -> None:
    (entry,) = ACCOUNT.refused(Malformed("x"), Touched(), Note(), ours=True)
    assert read_entry(entered(entry)).result is Result.ERROR


def test_too_many_leaves_the_count() -> None:
    (entry,) = ACCOUNT.refused(TooMany("many", count=51), Touched(), Note(), ours=False)
    assert read_entry(entered(entry)).hits == 51


def test_what_is_not_known_takes_no_room() -> None:
    account = Account(request_id="request-1", operation="x/y", policy=b"")
    (entry,) = account.carried_out(Touched(), Note())
    assert len(entry.body) < 30
    reading = read_entry(entered(entry))
    assert (reading.terminal, reading.operator, reading.conditions) == (None, None, {})
    assert (reading.hits, reading.candidates, reading.outcomes) == (None, 0, ())


def test_only_a_part_of_the_session_is_kept() -> None:
    (entry,) = ACCOUNT.carried_out(Touched(), Note())
    assert ACTOR.session[:16].encode() in entry.body
    assert ACTOR.session.encode() not in entry.body


def test_very_many_subjects_take_several_entries() -> None:
    count = 2 * MOST_SUBJECTS + 500
    saved = [VersionId(person, 1) for person in people(count)]
    note = Note(outcomes=[(n, "applied", "") for n in range(1000)])
    entries = ACCOUNT.carried_out(Touched(subjects=people(count), saved=saved), note)
    readings = [read_entry(entered(entry)) for entry in entries]
    assert [len(reading.subjects) for reading in readings] == [1000, 1000, 500]
    assert [person for reading in readings for person in reading.subjects] == list(people(count))
    assert {reading.request_id for reading in readings} == {"request-1"}
    assert [len(reading.outcomes) for reading in readings] == [1000, 0, 0]
    versions = [cbor2.loads(entry.body)[17] for entry in entries]
    assert [pair[0] for part in versions for pair in part] == list(people(count))


def test_more_versions_than_subjects_are_all_kept() -> None:
    saved = [VersionId(PersonId(1), n) for n in range(1, 1502)]
    entries = ACCOUNT.carried_out(Touched(subjects=people(1), saved=saved), Note())
    assert [entry.subjects for entry in entries] == [(1,), ()]


def test_the_largest_entries_fit_into_the_ledger(tmp_path: Path) -> None:
    big = [PersonId(2**33 + n) for n in range(MOST_SUBJECTS)]
    saved = [VersionId(person, 4095) for person in big]
    note = Note(outcomes=[(2**40 + n, "duplicate", "G-06") for n in range(1000)])
    account = replace(ACCOUNT, conditions={"name": "漢" * 200, "address": "漢" * 400})
    subjects = dict.fromkeys(big)
    touched = Touched(subjects, subjects, {NAME}, saved, 500)
    with Bench.open(tmp_path, {}) as bench:
        for entry in account.carried_out(touched, note):
            bench.vault.write(lambda unit, entry=entry: unit.enter(entry))
        assert bench.ledger()[-1].subjects == tuple(big)


def test_the_body_is_deterministic_and_its_keys_are_small() -> None:
    first, second = (
        ACCOUNT.carried_out(Touched(items=set(names)), Note())[0].body
        for names in ((NAME, SEX), (SEX, NAME))
    )
    assert first == second
    assert all(0 <= key < 24 for key in cbor2.loads(first))


class Inner(Arguments, frozen=True, kw_only=True):
    code: str | None = None
    number: str | None = None


class Asked(Arguments, frozen=True, kw_only=True):
    by: Inner
    also: Inner | None = None
    items: tuple[str, ...] = ()
    pin: Annotated[str, Meta(min_length=1)] = "1"
    limit: int | None = None


def operation(**declared: Any) -> AnyOperation:
    return Operation(
        name=OperationName("test/ask"),
        summary="A test.",
        asks=Asked,
        answers=Answer,
        handler=lambda case, asked: Answer(),
        **declared,
    )


def test_arguments_are_named_by_dotted_paths() -> None:
    assert list(argument_paths(Asked)) == [
        "by.code",
        "by.number",
        "also.code",
        "also.number",
        "items",
        "pin",
        "limit",
    ]


@pytest.mark.parametrize(
    ("records", "asked", "kept"),
    [
        (
            ("by", "items"),
            Asked(by=Inner(code="c")),
            {"by": {"code": "c", "number": None}, "items": ()},
        ),
        (("by.code",), Asked(by=Inner(code="c", number="n")), {"by": {"code": "c"}}),
        (("by.code",), Asked(by=Inner(number="n")), {}),
        (("also.code", "limit"), Asked(by=Inner()), {}),
        (("also.code",), Asked(by=Inner(), also=Inner(code="c")), {"also": {"code": "c"}}),
        (("limit",), Asked(by=Inner(), limit=0), {"limit": 0}),
        ((), Asked(by=Inner(code="c")), {}),
    ],
)
def test_only_what_is_declared_is_kept(
    records: tuple[str, ...], asked: Asked, kept: dict[str, Any]
) -> None:
    assert recorded(operation(records=records), asked) == kept


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {}) as bench:
        yield bench


def test_subjects_survive_the_ledger(bench: Bench) -> None:
    entries = ACCOUNT.carried_out(Touched(subjects=people(3), items={NAME}), Note(result="one"))
    bench.vault.write(lambda unit: [unit.enter(entry) for entry in entries])
    (reading,) = bench.ledger()
    assert (reading.subjects, reading.items, reading.note) == ((1, 2, 3), (NAME,), "one")
