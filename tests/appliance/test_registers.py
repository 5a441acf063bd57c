"""Numbered books that lose nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import NotFound
from appliance.papers import Papers
from appliance.registers import Register
from appliance.testing import Bench
from storage.engine import Entry


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path, {}) as bench:
        yield bench


def write(bench: Bench, work: Callable[[Register], Any]) -> Any:
    def both(unit: Any) -> Any:
        unit.enter(Entry(event=0, result=0, body=b"{}"))
        return work(Register(Papers(unit, unit, "forms"), "issued"))

    return bench.vault.write(both)


def look(bench: Bench, work: Callable[[Register], Any]) -> Any:
    with bench.vault.view() as view:
        return work(Register(Papers(view, None, "forms"), "issued"))


def test_an_entry_whose_time_is_over_goes_with_its_states_and_its_number_is_not_given_again(
    bench: Bench,
) -> None:
    write(bench, lambda book: [book.add({"copies": n}) for n in (1, 2)])
    write(bench, lambda book: book.amend(2, copies=3))
    write(bench, lambda book: book.remove(2))
    assert look(bench, lambda book: book.history(2)) == []
    assert look(bench, lambda book: [number for number, _ in book.every()]) == [1]
    assert write(bench, lambda book: book.add({"copies": 4})) == 3
    with pytest.raises(NotFound):
        write(bench, lambda book: book.remove(2))


def test_entries_above_a_number_are_found_alone(bench: Bench) -> None:
    write(bench, lambda book: [book.add({"copies": n}) for n in (1, 2, 3)])
    assert look(bench, lambda book: [number for number, _ in book.every(after=1)]) == [2, 3]


def test_entries_are_numbered_from_one_without_gaps(bench: Bench) -> None:
    assert look(bench, lambda book: book.last) == 0
    assert write(bench, lambda book: [book.add({"copies": n}) for n in (1, 2)]) == [1, 2]
    assert write(bench, lambda book: book.add({"copies": 3})) == 3
    assert look(bench, lambda book: list(book.every())) == [
        (1, {"copies": 1}),
        (2, {"copies": 2}),
        (3, {"copies": 3}),
    ]


def test_an_amendment_keeps_what_was_there_before(bench: Bench) -> None:
    write(bench, lambda book: book.add({"copies": 1, "state": "issued"}))
    after = write(bench, lambda book: book.amend(1, state="handed over"))
    assert after == {"copies": 1, "state": "handed over"}
    assert look(bench, lambda book: book.history(1)) == [
        {"copies": 1, "state": "issued"},
        {"copies": 1, "state": "handed over"},
    ]


def test_a_number_that_is_not_there_is_said_so(bench: Bench) -> None:
    with pytest.raises(NotFound):
        look(bench, lambda book: book.get(1))
    with pytest.raises(NotFound):
        write(bench, lambda book: book.amend(1, state="lost"))
