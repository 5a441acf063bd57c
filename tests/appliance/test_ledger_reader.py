from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance import ledger_reader
from appliance.audit import Account
from appliance.errors import NotFound
from appliance.ledger_reader import LedgerReader
from appliance.testing import Bench
from appliance.traces import Note, Touched
from storage.engine import PersonId
from storage.note import VerifierKey
from storage.proof import Proof


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {}) as bench:
        yield bench


def enter(bench: Bench, number: int, *about: int) -> None:
    account = Account(request_id=f"request-{number}", operation="test/ask", policy=b"")
    touched = Touched(subjects=dict.fromkeys(map(PersonId, about)))
    (entry,) = account.carried_out(touched, Note())
    bench.vault.write(lambda unit: unit.enter(entry))


def read(bench: Bench, work: Callable[[LedgerReader], Any]) -> Any:
    with bench.vault.view() as view:
        return work(LedgerReader(view))


def test_the_place_of_a_time_is_found_among_any_number_of_entries(bench: Bench) -> None:
    for number in range(9):
        enter(bench, number)
    times = [each.at_ms for each in bench.ledger()]
    assert times == sorted(times)

    def places(reader: LedgerReader) -> list[int]:
        return [reader.place_of(at_ms) for at_ms in (0, *times, times[-1] + 1)]

    assert read(bench, places) == [0, *(times.index(at) for at in times), len(times)]


def test_only_a_stretch_is_read_if_only_a_stretch_is_asked_for(bench: Bench) -> None:
    for number in range(9):
        enter(bench, number)
    found = read(bench, lambda reader: [each.index for each in reader.newest_first(7, 3)])
    assert found == [6, 5, 4, 3]


@pytest.mark.parametrize("chunk", [1, 2, 3, 512])
def test_entries_come_newest_first_whatever_the_chunks(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(ledger_reader, "CHUNK", chunk)
    for number in range(5):
        enter(bench, number)
    assert read(bench, lambda r: [e.index for e in r.newest_first()]) == [4, 3, 2, 1, 0]
    assert read(bench, lambda r: [e.index for e in r.newest_first(3)]) == [2, 1, 0]
    assert read(bench, lambda r: [e.index for e in r.newest_first(99)]) == [4, 3, 2, 1, 0]
    assert read(bench, lambda r: list(r.newest_first(0))) == []


def test_an_empty_ledger_has_nothing_to_tell(bench: Bench) -> None:
    assert read(bench, lambda r: list(r.newest_first())) == []
    for work in (lambda r: r.entry(0), lambda r: r.proof(0)):
        with pytest.raises(NotFound):
            read(bench, work)


def test_entries_about_a_person_and_no_other(bench: Bench) -> None:
    for number, about in enumerate([(1,), (2,), (1, 2), (), (1,)]):
        enter(bench, number, *about)
    one = PersonId(1)
    assert read(bench, lambda r: [e.index for e in r.about(one)]) == [4, 2, 0]
    assert read(bench, lambda r: [e.index for e in r.about(one, before=4)]) == [2, 0]
    assert read(bench, lambda r: list(r.about(PersonId(9)))) == []


def test_an_entry_by_its_number(bench: Bench) -> None:
    for number in range(3):
        enter(bench, number)
    assert read(bench, lambda r: r.entry(1)).request_id == "request-1"
    for index in (-1, 3):
        with pytest.raises(NotFound):
            read(bench, lambda r, index=index: r.entry(index))


@pytest.mark.parametrize("size", [1, 2, 7, 257])
def test_every_entry_can_be_proved(bench: Bench, size: int) -> None:
    for number in range(size):
        enter(bench, number)
    key = VerifierKey.parse(bench.vault.vkey)
    with bench.vault.view() as view:
        reader, entries = LedgerReader(view), view.entries_raw(0, size)
        for index in {0, size // 2, size - 1}:
            checkpoint = Proof.parse(reader.proof(index)).verify(entries[index], key)
            assert checkpoint.size == size
    with pytest.raises(NotFound):
        read(bench, lambda r: r.proof(size))


def test_a_proof_leads_to_what_a_witness_has_cosigned_if_that_has_the_entry(bench: Bench) -> None:
    enter(bench, 0)
    cosigned = bench.vault.checkpoint() + "— witness.example AAAAAAAA\n"
    enter(bench, 1)
    with bench.vault.view() as view:
        reader = LedgerReader(view, cosigned)
        assert reader.witnessed == 1
        assert Proof.parse(reader.proof(0)).checkpoint == cosigned
        assert Proof.parse(reader.proof(1)).checkpoint == view.checkpoint()


def test_what_was_cosigned_since_the_view_began_is_not_proved_from_it(bench: Bench) -> None:
    enter(bench, 0)
    with bench.vault.view() as view:
        enter(bench, 1)
        reader = LedgerReader(view, bench.vault.checkpoint())
        assert reader.witnessed == 0
        assert Proof.parse(reader.proof(0)).checkpoint == view.checkpoint()


def test_a_proof_has_the_entry_in_it(bench: Bench) -> None:
    enter(bench, 0)
    with bench.vault.view() as view:
        (entry,) = view.entries_raw(0, 1)
        assert Proof.parse(LedgerReader(view).proof(0)).extra == entry


def test_a_proof_is_of_what_the_view_sees(bench: Bench) -> None:
    enter(bench, 0)
    with bench.vault.view() as view:
        enter(bench, 1)
        (entry,) = view.entries_raw(0, 1)
        proof = Proof.parse(LedgerReader(view).proof(0))
        assert proof.verify(entry, VerifierKey.parse(bench.vault.vkey)).size == 1
