"""What every engine is held to (``storage/engine.py``), through the Protocol alone.

Another engine is held to it by a class of its own::

    class TestMyEngine(Conformance):
        @pytest.fixture
        def engine(self, tmp_path): ...
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from enum import IntEnum
from typing import Any

import pytest

from storage.engine import Engine, Entry, Mark, PersonId, Token, Unit, VersionId
from storage.errors import (
    DeadlineExceeded,
    LedgerBroken,
    RecordNotFound,
    StaleRevision,
    StorageError,
    Tampered,
)
from storage.merkle import Frontier, Tree
from storage.note import Checkpoint, parse_note

ENTRY = Entry(event=3, result=0, body=b"what happened")
SATO = {number: b"sato %d" % number for number in range(1, 26)} | {9: None}
ITO = {number: b"ito %d" % number for number in range(1, 26)}
CODE, OTHER_CODE = Token(1, b"code of sato"), Token(1, b"code of ito.")
NAME, TOWN = Token(3, 70_001), Token(4, 70_001)
DUE, LATER = date(2176, 4, 1).toordinal(), date(2177, 1, 1).toordinal()


def entered(engine: Engine, work: Callable[[Unit], Any]) -> Any:
    def both(unit: Unit) -> Any:
        unit.enter(ENTRY)
        return work(unit)

    return engine.write(both)


def admitted(engine: Engine, fields: Any = SATO, tokens: Any = ()) -> PersonId:
    def admit(unit: Unit) -> PersonId:
        return unit.save(unit.admit(), fields, seen=0, gained=tokens).person

    return entered(engine, admit)


@contextmanager
def undone(unit: Unit) -> Iterator[None]:
    """Do the block in a savepoint that then fails."""
    with suppress(LookupError), unit.savepoint():
        yield
        raise LookupError


class Conformance:
    """The sentences of ``engine.py``, one test each."""

    # Persons and versions

    def test_what_was_saved_is_read_back_field_by_field(self, engine: Engine) -> None:
        sato = admitted(engine)
        with engine.view() as view:
            record = view.read(sato, [2, 9])
        assert record.version == VersionId(sato, 1)
        assert record.fields == {2: b"sato 2", 9: None}

    def test_a_new_version_is_the_latest_and_the_old_one_stays(self, engine: Engine) -> None:
        sato = admitted(engine)
        version = entered(engine, lambda unit: unit.save(sato, ITO, seen=1))
        assert version == VersionId(sato, 2)
        with engine.view() as view:
            assert view.latest(sato) == 2
            assert view.read(sato, [2]).fields == {2: b"ito 2"}
            assert view.read(sato, [2], 1).fields == {2: b"sato 2"}

    def test_persons_are_counted_from_one(self, engine: Engine) -> None:
        assert [admitted(engine), admitted(engine)] == [1, 2]

    def test_a_person_or_version_that_is_not_there_is_not_found(self, engine: Engine) -> None:
        sato = admitted(engine)
        with engine.view() as view:
            for person, number in ((PersonId(99), 0), (PersonId(99), 1), (sato, 2), (sato, -1)):
                with pytest.raises(RecordNotFound):
                    view.read(person, [1], number)
            with pytest.raises(RecordNotFound):
                view.latest(PersonId(99))
            with pytest.raises(RecordNotFound):
                view.read(sato, [1], 4096)

    def test_who_saves_over_a_newer_version_is_told(self, engine: Engine) -> None:
        sato = admitted(engine)
        entered(engine, lambda unit: unit.save(sato, ITO, seen=1))
        for seen in (0, 1, 3):
            with pytest.raises(StaleRevision):
                entered(engine, lambda unit, seen=seen: unit.save(sato, ITO, seen=seen))

    def test_nobody_is_saved_who_was_not_admitted(self, engine: Engine) -> None:
        def work(unit: Unit) -> None:
            with suppress(RecordNotFound):
                unit.save(PersonId(7), SATO, seen=0)
            unit.save(PersonId(7), SATO, seen=0)

        with pytest.raises(RecordNotFound):
            entered(engine, work)

    def test_who_is_admitted_has_to_be_saved(self, engine: Engine) -> None:
        with pytest.raises(StorageError, match="admitted and not saved"):
            entered(engine, lambda unit: unit.admit())
        assert admitted(engine) == 1

    def test_versions_of_one_person_in_one_unit_follow_each_other(self, engine: Engine) -> None:
        def twice(unit: Unit) -> PersonId:
            sato = unit.admit()
            unit.save(sato, SATO, seen=0)
            unit.save(sato, ITO, seen=1)
            return sato

        sato = entered(engine, twice)
        with engine.view() as view:
            assert view.latest(sato) == 2

    # Tokens

    def test_persons_are_gone_through_in_order_a_few_at_a_time(self, engine: Engine) -> None:
        people = [admitted(engine) for _ in range(5)]
        entered(engine, lambda unit: unit.save(people[1], SATO, seen=1))
        with engine.view() as view:
            assert view.persons(0, 2) == people[:2]
            assert view.persons(people[1], 9) == people[2:]
            assert view.persons(people[4], 9) == []

    # --- the end of a version ---

    def test_a_version_is_kept_until_its_term_which_never_changes(self, engine: Engine) -> None:
        one, two = VersionId(admitted(engine), 1), VersionId(admitted(engine), 1)
        entered(engine, lambda unit: (unit.retain(two, LATER), unit.retain(one, DUE)))
        entered(engine, lambda unit: unit.retain(one, LATER))
        with engine.view() as view:
            assert (view.term(one), view.term(two)) == (DUE, LATER)
            assert view.expired(DUE - 1, 9) == []
            assert view.expired(DUE, 9) == [one]
            assert view.expired(LATER, 9) == [one, two]
            assert view.expired(LATER, 1) == [one]
            assert (view.due(DUE - 1), view.due(LATER)) == (0, 2)
            assert view.read(one.person, [1]).fields == {1: SATO[1]}

    def test_an_erased_version_is_not_found_and_its_identifiers_are_free(
        self, engine: Engine
    ) -> None:
        sato = admitted(engine, tokens=[CODE, NAME])
        entered(
            engine,
            lambda unit: unit.save(sato, ITO, seen=1, gained=[OTHER_CODE, TOWN], lost=[NAME]),
        )
        entered(engine, lambda unit: unit.erase(VersionId(sato, 1), [CODE]))
        with engine.view() as view:
            with pytest.raises(RecordNotFound):
                view.read(sato, [1], 1)
            assert view.identified(CODE) is None
            assert view.identified(OTHER_CODE) == sato
            assert view.candidates([TOWN], 9) == [sato]
            assert view.read(sato, [1]).version.number == view.latest(sato) == 2
        entered(engine, lambda unit: unit.save(sato, SATO, seen=2))
        ito = admitted(engine, tokens=[CODE])
        with engine.view() as view:
            assert view.identified(CODE) == ito

    def test_the_last_version_can_be_erased_too_with_its_postings(self, engine: Engine) -> None:
        sato = admitted(engine, tokens=[CODE, NAME])
        entered(engine, lambda unit: unit.erase(VersionId(sato, 1), [CODE, NAME]))
        with engine.view() as view:
            assert view.candidates([NAME], 9) == []
            with pytest.raises(RecordNotFound):
                view.read(sato, [1])

    def test_what_is_not_there_is_neither_kept_nor_erased(self, engine: Engine) -> None:
        sato = admitted(engine)
        gone = VersionId(sato, 1)
        entered(engine, lambda unit: unit.erase(gone))
        for version in (gone, VersionId(sato, 2)):
            with pytest.raises(RecordNotFound):
                entered(engine, lambda unit, it=version: unit.erase(it))
            with pytest.raises(RecordNotFound):
                entered(engine, lambda unit, it=version: unit.retain(it, DUE))

    def test_an_erasure_that_is_undone_erased_nothing(self, engine: Engine) -> None:
        sato = admitted(engine, tokens=[CODE])

        def work(unit: Unit) -> None:
            with undone(unit):
                unit.erase(VersionId(sato, 1), [CODE])

        entered(engine, work)
        with engine.view() as view:
            assert view.read(sato, [1]).fields == {1: SATO[1]}
            assert view.identified(CODE) == sato

    # --- tallies and marks ---

    def test_a_tally_is_what_was_added_and_goes_with_its_unit(self, engine: Engine) -> None:
        def count(unit: Unit) -> None:
            unit.tally("population/431001/1", 3)
            unit.tally("population/431001/1", -1)
            unit.tally("population/432024/2", 5)
            unit.tally("populationx", 1)
            with undone(unit):
                unit.tally("population/432024/2", 7)

        entered(engine, count)
        with engine.view() as view:
            assert view.tallies("population/") == {
                "population/431001/1": 2,
                "population/432024/2": 5,
            }
            assert list(view.tallies("population/431001")) == ["population/431001/1"]
        entered(engine, lambda unit: unit.tally("population/431001/1", -2))
        with engine.view() as view:
            assert list(view.tallies("population/")) == ["population/432024/2"]

    def test_marks_of_a_group_come_in_the_order_of_places(self, engine: Engine) -> None:
        one, two, three = (
            Mark("431001", bytes([place]) * 16, bytes([place]) * 16, PersonId(place))
            for place in (1, 2, 3)
        )

        def set_marks(unit: Unit) -> None:
            for mark in (three, one, two):
                unit.mark(mark)
            unit.mark(Mark("432024", one.place, one.digest, one.person))
            with undone(unit):
                unit.unmark("431001", one.place)

        entered(engine, set_marks)
        with engine.view() as view:
            assert list(view.marks("431001")) == [one, two, three]
            assert list(view.marks("431001", two.place, two.place)) == [two]
            marks = b"".join(each.place + each.digest for each in (one, two, three))
            assert b"".join(view.packed_marks("431001")) == marks
            packed = view.packed_marks("431001", two.place, two.place)
            assert list(packed) == [two.place + two.digest]

    def test_a_mark_takes_the_place_of_the_one_before_and_can_be_taken_away(
        self, engine: Engine
    ) -> None:
        old = Mark("431001", b"p" * 16, b"a" * 16, PersonId(1))
        new = Mark("431001", b"p" * 16, b"b" * 16, PersonId(1))
        entered(engine, lambda unit: (unit.mark(old), unit.mark(new)))
        with engine.view() as view:
            assert list(view.marks("431001")) == [new]
        entered(engine, lambda unit: unit.unmark("431001", new.place))
        entered(engine, lambda unit: unit.unmark("431001", new.place))
        with engine.view() as view:
            assert list(view.marks("431001")) == []

    def test_an_identifier_says_who_holds_it(self, engine: Engine) -> None:
        sato = admitted(engine, SATO, [CODE])
        with engine.view() as view:
            assert view.identified(CODE) == sato
            assert view.identified(OTHER_CODE) is None
            assert view.identified(Token(2, CODE.value)) is None

    def test_who_once_held_an_identifier_is_known_for_ever(self, engine: Engine) -> None:
        sato = admitted(engine, SATO, [CODE])
        entered(engine, lambda unit: unit.save(sato, ITO, seen=1, lost=[CODE], gained=[OTHER_CODE]))
        with engine.view() as view:
            assert view.identified(CODE) == sato
            assert view.identified(OTHER_CODE) == sato

    def test_an_identifier_is_never_given_to_somebody_else(self, engine: Engine) -> None:
        admitted(engine, SATO, [CODE])
        with pytest.raises(Tampered):
            admitted(engine, ITO, [CODE])

    def test_a_save_that_failed_cannot_be_passed_over(self, engine: Engine) -> None:
        ito, sato = admitted(engine, ITO, [CODE]), admitted(engine)

        def work(unit: Unit) -> None:
            with suppress(Tampered):
                unit.save(sato, SATO, seen=1, gained=[NAME, OTHER_CODE, CODE])
            unit.save(ito, ITO, seen=1)

        with pytest.raises(StorageError, match="passed over"):
            entered(engine, work)
        with engine.view() as view:
            assert view.identified(OTHER_CODE) is None
            assert view.latest(ito) == 1

    def test_a_save_that_failed_in_a_savepoint_is_undone_with_it(self, engine: Engine) -> None:
        ito = admitted(engine, ITO, [CODE])

        def work(unit: Unit) -> None:
            with suppress(Tampered), unit.savepoint():
                unit.save(unit.admit(), SATO, seen=0, gained=[NAME, OTHER_CODE, CODE])
            unit.save(ito, ITO, seen=1)

        entered(engine, work)
        with engine.view() as view:
            assert view.identified(OTHER_CODE) is None
            assert view.candidates([NAME], 9) == []
            assert view.latest(ito) == 2

    def test_a_person_may_gain_an_identifier_again(self, engine: Engine) -> None:
        sato = admitted(engine, SATO, [CODE])
        entered(engine, lambda unit: unit.save(sato, ITO, seen=1, gained=[CODE]))
        with engine.view() as view:
            assert view.identified(CODE) == sato

    def test_candidates_have_any_of_the_tokens_once_each_in_order(self, engine: Engine) -> None:
        sato = admitted(engine, SATO, [NAME, TOWN])
        ito = admitted(engine, ITO, [TOWN])
        with engine.view() as view:
            assert view.candidates([TOWN, NAME], 10) == [sato, ito]
            assert view.candidates([NAME], 10) == [sato]
            assert view.candidates([Token(5, 70_001)], 10) == []
            assert view.candidates([], 10) == []

    def test_candidates_may_have_to_have_one_of_other_tokens_too(self, engine: Engine) -> None:
        sato = admitted(engine, SATO, [NAME, TOWN])
        ito = admitted(engine, ITO, [TOWN])
        with engine.view() as view:
            assert view.candidates([TOWN], 10, also=[NAME]) == [sato]
            assert view.candidates([NAME], 10, also=[TOWN, NAME]) == [sato]
            assert view.candidates([TOWN, NAME], 0, also=[TOWN]) == [sato]
            assert view.candidates([TOWN], 10, also=[TOWN]) == [sato, ito]
            assert view.candidates([TOWN], 10, also=[Token(5, 70_001)]) == []
            assert view.candidates([], 10, also=[TOWN]) == []

    def test_one_more_candidate_than_the_limit_shows_that_there_are_more(
        self, engine: Engine
    ) -> None:
        persons = [admitted(engine, SATO, [NAME]) for _ in range(4)]
        with engine.view() as view:
            assert view.candidates([NAME], 2) == persons[:3]
            assert view.candidates([NAME], 4) == persons

    def test_postings_follow_the_latest_version(self, engine: Engine) -> None:
        sato = admitted(engine, SATO, [NAME])
        entered(engine, lambda unit: unit.save(sato, ITO, seen=1, lost=[NAME], gained=[TOWN]))
        with engine.view() as view:
            assert view.candidates([NAME], 10) == []
            assert view.candidates([TOWN], 10) == [sato]

    @pytest.mark.parametrize("comes_back", [False, True])
    def test_a_posting_gained_and_lost_in_one_unit_ends_as_it_was_last(
        self, engine: Engine, comes_back: bool
    ) -> None:
        def work(unit: Unit) -> PersonId:
            sato = unit.admit()
            unit.save(sato, SATO, seen=0, gained=[NAME])
            unit.save(sato, ITO, seen=1, lost=[NAME])
            if comes_back:
                unit.save(sato, SATO, seen=2, gained=[NAME])
            return sato

        sato = entered(engine, work)
        with engine.view() as view:
            assert view.candidates([NAME], 10) == ([sato] if comes_back else [])

    def test_a_token_of_the_wrong_kind_or_size_is_a_mistake(self, engine: Engine) -> None:
        with engine.view() as view:
            for mistake in (NAME, Token(1, b"short")):
                with pytest.raises(ValueError):
                    view.identified(mistake)
            for mistake in (CODE, Token(3, 1 << 48), Token(3, -1), Token(0, 1), Token(1 << 15, 1)):
                with pytest.raises(ValueError):
                    view.candidates([mistake], 10)

    # Documents

    def test_a_document_keeps_its_revisions(self, engine: Engine) -> None:
        assert entered(engine, lambda unit: unit.put_document("terminals", b"t1", b"one")) == 1
        assert entered(engine, lambda unit: unit.put_document("terminals", b"t1", b"two")) == 2
        with engine.view() as view:
            latest = view.document("terminals", b"t1")
            assert latest is not None
            assert (latest.key, latest.revision, latest.body) == (b"t1", 2, b"two")
            assert [each.body for each in view.revisions("terminals", b"t1")] == [b"one", b"two"]
            assert view.document("terminals", b"t2") is None
            assert view.document("operators", b"t1") is None
            assert list(view.revisions("terminals", b"t2")) == []

    def test_documents_come_in_the_order_of_keys_each_in_its_latest_revision(
        self, engine: Engine
    ) -> None:
        def put(unit: Unit) -> None:
            for key in (b"b2", b"a1", b"b1", b"b1", b"c"):
                unit.put_document("papers", key, b"body of " + key)
            unit.put_document("other", b"b3", b"")

        entered(engine, put)
        with engine.view() as view:
            found = [(each.key, each.revision) for each in view.documents("papers")]
            assert found == [(b"a1", 1), (b"b1", 2), (b"b2", 1), (b"c", 1)]
            assert [each.key for each in view.documents("papers", b"b")] == [b"b1", b"b2"]
            assert list(view.documents("papers", b"bb")) == []
            for after, left in ((b"a", "a1 b1 b2 c"), (b"b1", "b2 c"), (b"c", "")):
                keys = [each.key.decode() for each in view.documents("papers", after=after)]
                assert keys == left.split()
            assert [each.key for each in view.documents("papers", b"b", b"b1")] == [b"b2"]
            assert [each.key for each in view.documents("papers", b"b", b"a1")] == [b"b1", b"b2"]
            assert list(view.documents("nothing")) == []
            assert list(view.document_keys("papers")) == [key for key, _ in found]
            assert list(view.document_keys("nothing")) == []
            assert view.has_documents("papers")
            assert not view.has_documents("nothing")

    def test_a_dropped_document_is_gone_with_all_its_revisions(self, engine: Engine) -> None:
        entered(engine, lambda unit: unit.put_document("papers", b"k", b"one"))
        entered(engine, lambda unit: unit.put_document("papers", b"k", b"two"))
        entered(engine, lambda unit: unit.drop_document("papers", b"k"))
        entered(engine, lambda unit: unit.drop_document("papers", b"never there"))
        with engine.view() as view:
            assert view.document("papers", b"k") is None
            assert list(view.revisions("papers", b"k")) == []
        assert entered(engine, lambda unit: unit.put_document("papers", b"k", b"three")) == 1

    # The outbox

    def test_messages_are_numbered_without_gaps_for_each_destination(self, engine: Engine) -> None:
        sato = admitted(engine)

        def send(unit: Unit) -> list[int]:
            version = VersionId(sato, 1)
            return [
                unit.send("national", "update", version, b"note"),
                unit.send("national", "update", version),
                unit.send("elsewhere", "update", version),
            ]

        assert entered(engine, send) == [1, 2, 1]
        assert entered(engine, send) == [3, 4, 2]
        with engine.view() as view:
            parcels = view.parcels("national", 1, 2)
            assert [each.number for each in parcels] == [2, 3]
            assert [each.note for each in parcels] == [b"", b"note"]
            assert parcels[0].destination == "national"
            assert parcels[0].kind == "update"
            assert parcels[0].version == VersionId(sato, 1)
            assert view.parcels("national", 4, 10) == []
            assert view.parcels("nowhere", 0, 10) == []

    def test_an_acknowledgement_never_goes_back(self, engine: Engine) -> None:
        sato = admitted(engine)

        def send(unit: Unit) -> None:
            for _ in range(5):
                unit.send("national", "update", VersionId(sato, 1))

        entered(engine, send)
        with engine.view() as view:
            assert view.acknowledged("national") == 0
        for through, expected in ((3, 3), (2, 3), (5, 5)):
            engine.write(lambda unit, through=through: unit.acknowledge("national", through))
            with engine.view() as view:
                assert view.acknowledged("national") == expected
        with pytest.raises(ValueError):
            engine.write(lambda unit: unit.acknowledge("national", 6))

    # The ledger

    def test_entries_are_read_back_in_order(self, engine: Engine) -> None:
        first = Entry(event=1, result=0, body=b"first")
        second = Entry(event=2, result=1, body=b"")
        assert engine.write(lambda unit: (unit.enter(first), unit.enter(second))) == (0, 1)
        assert engine.write(lambda unit: unit.enter(first)) == 2
        with engine.view() as view:
            assert view.ledger_size() == 3
            entries = list(view.entries(1, 10))
        assert [(each.index, each.event, each.result, each.body) for each in entries] == [
            (1, 2, 1, b""),
            (2, 1, 0, b"first"),
        ]
        assert entries[0].at_ms <= entries[1].at_ms

    def test_entries_are_found_by_whom_they_are_about(self, engine: Engine) -> None:
        def about(*persons: int) -> Entry:
            return Entry(1, 0, b"", tuple(map(PersonId, persons)))

        for entry in (about(1, 2), about(), about(2, 2), about(1)):
            engine.write(lambda unit, entry=entry: unit.enter(entry))
        with engine.view() as view:
            assert view.entries_about(PersonId(1)) == [0, 3]
            assert view.entries_about(PersonId(2)) == [0, 2]
            assert view.entries_about(PersonId(3)) == []
            assert [each.subjects for each in view.entries(0, 9)] == [(1, 2), (), (2,), (1,)]

    def test_event_and_result_may_be_members_of_an_enumeration(self, engine: Engine) -> None:
        class Event(IntEnum):
            LOOKED = 4

        engine.write(lambda unit: unit.enter(Entry(Event.LOOKED, Event.LOOKED, b"")))
        with engine.view() as view:
            (entry,) = view.entries(0, 1)
        assert (entry.event, entry.result) == (4, 4)

    def test_the_leaf_hashes_give_the_root_of_the_checkpoint(self, engine: Engine) -> None:
        for _ in range(300):
            engine.write(lambda unit: unit.enter(ENTRY))
        with engine.view() as view:
            frontier = Frontier()
            for leaf in view.leaf_hashes(0, 300):
                frontier = frontier.append(leaf)
            assert view.leaf_hashes(299, 400) == view.leaf_hashes(0, 300)[-1:]
        checkpoint = Checkpoint.parse(parse_note(engine.checkpoint()).text)
        assert (checkpoint.size, checkpoint.root) == (300, frontier.root())

    def test_a_view_has_the_checkpoint_and_the_tiles_of_what_it_sees(self, engine: Engine) -> None:
        for _ in range(300):
            engine.write(lambda unit: unit.enter(ENTRY))
        with engine.view() as view:
            for _ in range(300):
                engine.write(lambda unit: unit.enter(ENTRY))
            checkpoint = Checkpoint.parse(parse_note(view.checkpoint()).text)
            tree = Tree(view.ledger_size(), view)
            assert (checkpoint.size, checkpoint.root) == (300, tree.root())
            assert view.tile_hashes(0, 1, 44) == view.leaf_hashes(256, 300)
            for level, n, width in ((0, 1, 45), (1, 0, 2), (2, 0, 1)):
                with pytest.raises(LedgerBroken):
                    view.tile_hashes(level, n, width)

    def test_a_unit_shows_no_checkpoint_of_what_could_be_undone(self, engine: Engine) -> None:
        def work(unit: Unit) -> str:
            unit.enter(ENTRY)
            return unit.checkpoint()

        before = engine.checkpoint()
        assert engine.write(work) == before
        assert engine.checkpoint() != before

    def test_an_entry_that_is_too_long_is_refused_at_once(self, engine: Engine) -> None:
        with pytest.raises(ValueError):
            engine.write(lambda unit: unit.enter(Entry(1, 0, bytes(70_000))))

    def test_a_change_that_is_in_no_entry_is_undone(self, engine: Engine) -> None:
        with pytest.raises(StorageError, match="nothing in the ledger"):
            engine.write(lambda unit: unit.put_document("papers", b"k", b"body"))
        with engine.view() as view:
            assert view.document("papers", b"k") is None
            assert view.ledger_size() == 0

    # Units

    def test_a_unit_sees_its_own_changes(self, engine: Engine) -> None:
        before = admitted(engine, SATO, [NAME])

        def work(unit: Unit) -> None:
            ito = unit.admit()
            unit.save(ito, ITO, seen=0, gained=[NAME, CODE])
            assert unit.read(ito, [2]).fields == {2: b"ito 2"}
            assert unit.latest(ito) == 1
            assert unit.candidates([NAME], 10) == [before, ito]
            assert unit.identified(CODE) == ito
            unit.put_document("papers", b"k", b"body")
            assert [each.body for each in unit.documents("papers")] == [b"body"]
            assert [each.body for each in unit.revisions("papers", b"k")] == [b"body"]
            unit.send("national", "update", VersionId(ito, 1))
            assert len(unit.parcels("national", 0, 10)) == 1
            unit.acknowledge("national", 1)
            assert unit.acknowledged("national") == 1
            index = unit.enter(Entry(9, 0, b"mine", (ito,)))
            assert unit.ledger_size() == index + 1
            assert [each.body for each in unit.entries(index, index + 1)] == [b"mine"]
            assert unit.entries_about(ito) == [index]
            assert len(unit.leaf_hashes(0, 10)) == index + 1

        engine.write(work)

    def test_what_was_read_before_a_change_is_read_anew_after_it(self, engine: Engine) -> None:
        sato = admitted(engine, SATO)

        def work(unit: Unit) -> None:
            assert unit.read(sato, [2]).fields == {2: b"sato 2"}
            with undone(unit):
                unit.save(sato, ITO, seen=1)
                assert unit.read(sato, [2]).fields == {2: b"ito 2"}
                assert unit.latest(sato) == 2
            assert unit.read(sato, [2]).fields == {2: b"sato 2"}
            assert unit.latest(sato) == 1
            unit.save(sato, ITO, seen=1)
            assert unit.read(sato, [2]).fields == {2: b"ito 2"}
            unit.erase(VersionId(sato, 1))
            with pytest.raises(RecordNotFound):
                unit.read(sato, [2], 1)

        entered(engine, work)

    def test_a_unit_that_only_entered_and_raises_leaves_no_entry(self, engine: Engine) -> None:
        def work(unit: Unit) -> None:
            unit.enter(ENTRY)
            raise LookupError

        with pytest.raises(LookupError):
            engine.write(work)
        entered(engine, lambda unit: None)
        with engine.view() as view:
            assert view.ledger_size() == 1

    def test_a_unit_that_raises_leaves_nothing(self, engine: Engine) -> None:
        sato = admitted(engine, SATO, [NAME])
        checkpoint = engine.checkpoint()

        def work(unit: Unit) -> None:
            unit.save(unit.admit(), ITO, seen=0, gained=[NAME, CODE])
            unit.save(sato, ITO, seen=1, lost=[NAME])
            unit.put_document("papers", b"k", b"body")
            unit.send("national", "update", VersionId(sato, 1))
            unit.enter(Entry(9, 0, b"mine", (sato,)))
            raise LookupError("no such office")

        with pytest.raises(LookupError, match="no such office"):
            engine.write(work)
        with engine.view() as view:
            assert view.latest(sato) == 1
            assert view.candidates([NAME], 10) == [sato]
            assert view.identified(CODE) is None
            assert view.document("papers", b"k") is None
            assert view.parcels("national", 0, 10) == []
            assert view.ledger_size() == 1
            assert view.entries_about(sato) == []
        assert engine.checkpoint() == checkpoint
        assert admitted(engine) == 2

    def test_what_a_failed_savepoint_did_is_undone_and_the_unit_goes_on(
        self, engine: Engine
    ) -> None:
        sato = admitted(engine, SATO, [NAME])

        def work(unit: Unit) -> list[int]:
            numbers = []
            with unit.savepoint():
                unit.save(sato, ITO, seen=1, lost=[NAME], gained=[TOWN])
                numbers.append(unit.enter(ENTRY))
            with undone(unit):
                unit.save(sato, SATO, seen=2, lost=[TOWN], gained=[NAME])
                unit.save(unit.admit(), ITO, seen=0, gained=[CODE])
                unit.put_document("papers", b"k", b"body")
                unit.send("national", "update", VersionId(sato, 3))
                unit.enter(ENTRY)
                assert unit.candidates([NAME], 10) == [sato]
            numbers.append(unit.send("national", "update", VersionId(sato, 2)))
            numbers.append(unit.admit())
            with undone(unit):
                unit.save(PersonId(numbers[-1]), SATO, seen=0)
            unit.save(PersonId(numbers[-1]), ITO, seen=0)
            unit.save(sato, SATO, seen=2)
            numbers.append(unit.enter(ENTRY))
            return numbers

        assert engine.write(work) == [1, 1, 2, 2]
        with engine.view() as view:
            assert view.latest(sato) == 3
            assert view.candidates([NAME], 10) == []
            assert view.candidates([TOWN], 10) == [sato]
            assert view.identified(CODE) is None
            assert view.document("papers", b"k") is None
            assert view.ledger_size() == 3
            assert len(view.parcels("national", 0, 10)) == 1

    def test_entries_read_in_a_savepoint_that_fails_are_entered_all_the_same(
        self, engine: Engine
    ) -> None:
        def work(unit: Unit) -> int:
            index = unit.enter(Entry(9, 0, b"before"))
            with undone(unit):
                unit.enter(Entry(9, 0, b"inside"))
                assert unit.ledger_size() == 2
            return index

        assert engine.write(work) == 0
        with engine.view() as view:
            assert [each.body for each in view.entries(0, 9)] == [b"before"]

    def test_savepoints_may_stand_inside_each_other(self, engine: Engine) -> None:
        def work(unit: Unit) -> None:
            with unit.savepoint():
                unit.put_document("papers", b"outer", b"")
                with undone(unit):
                    unit.put_document("papers", b"inner", b"")
            unit.enter(ENTRY)

        engine.write(work)
        with engine.view() as view:
            assert [each.key for each in view.documents("papers")] == [b"outer"]

    def test_a_unit_is_of_no_use_when_it_is_over(self, engine: Engine) -> None:
        kept: list[Unit] = []
        engine.write(kept.append)
        with pytest.raises(StorageError, match="over"):
            kept[0].ledger_size()
        with pytest.raises(StorageError, match="over"):
            kept[0].enter(ENTRY)

    def test_a_unit_that_takes_too_long_is_undone(self, engine: Engine) -> None:
        def work(unit: Unit) -> None:
            unit.put_document("papers", b"k", b"body")
            unit.enter(ENTRY)
            time.sleep(0.06)
            unit.document("papers", b"k")

        with pytest.raises(DeadlineExceeded):
            engine.write(work, seconds=0.05)
        with engine.view() as view:
            assert view.document("papers", b"k") is None
            assert view.ledger_size() == 0

    def test_a_unit_that_waits_too_long_never_runs(self, engine: Engine) -> None:
        begun, go_on = threading.Event(), threading.Event()

        def slow(unit: Unit) -> None:
            begun.set()
            go_on.wait(10)

        thread = threading.Thread(target=lambda: engine.write(slow))
        thread.start()
        begun.wait(10)
        ran: list[Unit] = []
        with pytest.raises(DeadlineExceeded):
            engine.write(ran.append, seconds=0.02)
        go_on.set()
        thread.join()
        assert engine.write(lambda unit: unit.ledger_size()) == 0
        assert ran == []

    def test_units_of_many_threads_are_all_done_and_numbered_once(self, engine: Engine) -> None:
        numbers: list[int] = []

        def work(name: int) -> None:
            for count in range(20):
                key = b"%d/%d" % (name, count)
                entered(engine, lambda unit, key=key: unit.put_document("papers", key, b""))
                numbers.append(engine.write(lambda unit: unit.enter(ENTRY)))

        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(numbers)) == 160
        with engine.view() as view:
            assert view.ledger_size() == 320
            assert len(list(view.documents("papers"))) == 160

    def test_one_unit_of_many_fails_alone(self, engine: Engine) -> None:
        outcomes: list[str] = []

        def work(name: int) -> None:
            def change(unit: Unit) -> None:
                unit.put_document("papers", b"%d" % name, b"")
                unit.enter(ENTRY)
                if name % 3 == 0:
                    raise LookupError

            try:
                engine.write(change)
                outcomes.append("kept")
            except LookupError:
                outcomes.append("undone")

        threads = [threading.Thread(target=work, args=(name,)) for name in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["kept"] * 20 + ["undone"] * 10
        with engine.view() as view:
            kept = {each.key for each in view.documents("papers")}
        assert kept == {b"%d" % name for name in range(30) if name % 3}

    def test_a_unit_cannot_wait_for_another(self, engine: Engine) -> None:
        with pytest.raises(StorageError):
            engine.write(lambda unit: engine.write(lambda inner: None))

    # Views

    def test_a_view_does_not_change_while_it_lasts(self, engine: Engine) -> None:
        sato = admitted(engine)
        with engine.view() as view:
            entered(engine, lambda unit: unit.save(sato, ITO, seen=1))
            assert view.latest(sato) == 1
            with engine.view() as newer:
                assert newer.latest(sato) == 2
        with engine.view() as view:
            assert view.latest(sato) == 2

    def test_a_view_never_waits_for_the_writer(self, engine: Engine) -> None:
        sato = admitted(engine)

        def work(unit: Unit) -> int:
            unit.save(sato, ITO, seen=1)
            unit.enter(ENTRY)
            with engine.view() as view:
                return view.latest(sato)

        assert engine.write(work) == 1

    def test_a_view_is_of_no_use_when_it_is_over(self, engine: Engine) -> None:
        entered(engine, lambda unit: unit.put_document("papers", b"k", b"one"))
        with engine.view() as view:
            papers = view.documents("papers")
        with pytest.raises(StorageError, match="over"):
            next(papers)
        with pytest.raises(StorageError, match="over"):
            view.ledger_size()

    def test_a_paused_view_holds_nothing_and_then_sees_the_last_commit(
        self, engine: Engine
    ) -> None:
        sato = admitted(engine)
        with engine.view() as view:
            with view.paused():
                with pytest.raises(StorageError, match="over"):
                    view.latest(sato)
                entered(engine, lambda unit: unit.save(sato, ITO, seen=1))
            assert view.latest(sato) == 2
            with pytest.raises(LookupError), view.paused():
                raise LookupError
            assert view.latest(sato) == 2

    def test_a_unit_is_not_paused(self, engine: Engine) -> None:
        with pytest.raises(StorageError, match="does not wait"):
            engine.write(lambda unit: unit.paused().__enter__())

    def test_what_is_raised_in_a_view_comes_out_of_it(self, engine: Engine) -> None:
        with pytest.raises(LookupError), engine.view():
            raise LookupError
        with engine.view() as view:
            assert view.ledger_size() == 0

    # The end

    def test_a_closed_engine_takes_nothing(self, engine: Engine) -> None:
        engine.close()
        engine.close()
        with pytest.raises(StorageError, match="closed"):
            engine.write(lambda unit: None)
        with pytest.raises(StorageError, match="closed"), engine.view():
            pass

    def test_closing_finishes_the_waiting_units(self, engine: Engine) -> None:
        begun, go_on = threading.Event(), threading.Event()
        done: list[int] = []
        refused: list[StorageError] = []

        def slow(unit: Unit) -> int:
            begun.set()
            go_on.wait(10)
            return unit.enter(ENTRY)

        def ask(work: Callable[[Unit], int]) -> None:
            try:
                done.append(engine.write(work))
            except StorageError as problem:
                refused.append(problem)

        works = [slow] + [lambda unit: unit.enter(ENTRY)] * 5
        threads = [threading.Thread(target=ask, args=(work,)) for work in works]
        threads[0].start()
        begun.wait(10)
        for thread in threads[1:]:
            thread.start()
        time.sleep(0.05)
        threads.append(threading.Thread(target=engine.close))
        threads[-1].start()
        go_on.set()
        for thread in threads:
            thread.join()
        # Who came before the close was served; who came after it was told.
        assert sorted(done) == list(range(len(done)))
        assert len(done) >= 1
        assert len(done) + len(refused) == 6
        assert all("closed" in str(each) for each in refused)
