import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage import writer
from storage.connection import open_writer
from storage.engine import Unit
from storage.errors import DeadlineExceeded, OutcomeUnknown, StorageError
from storage.vault import Vault
from tests.storage.stores import ENTRY, Store


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with Store(tmp_path / "store").create().opened() as vault:
        yield vault


class Held:
    """Holds the writer in a unit, so that others have to wait and then share a commit."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.answers: list[object] = []
        self._begun, self._go_on = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self.ask(self._hold)
        assert self._begun.wait(10)

    def _hold(self, unit: Unit) -> str:
        self._begun.set()
        assert self._go_on.wait(10)
        return "held"

    def ask(self, work, seconds: float = 30.0) -> None:
        def tell() -> None:
            try:
                self.answers.append(self.vault.write(work, seconds=seconds))
            except Exception as problem:
                self.answers.append(problem)

        waiting = self.vault._writer._queue.qsize()
        self._threads.append(threading.Thread(target=tell))
        self._threads[-1].start()
        if len(self._threads) > 1:
            until(lambda: self.vault._writer._queue.qsize() > waiting)

    def go_on(self) -> list[object]:
        self._go_on.set()
        for thread in self._threads:
            thread.join()
        return self.answers


def until(true: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if true():
            return
        time.sleep(0.005)
    raise AssertionError("it never came true")


def commits(vault: Vault) -> list[int]:
    """Count the commits from now on."""
    counted = [0]

    def committing() -> bool:
        counted[0] += 1
        return False

    vault._writer._connection.set_commit_hook(committing)
    return counted


def test_units_that_wait_share_one_commit(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "GROUP_SECONDS", 10.0)
    held, counted = Held(vault), commits(vault)
    for _ in range(5):
        held.ask(lambda unit: unit.enter(ENTRY))
    assert sorted(map(str, held.go_on())) == ["0", "1", "2", "3", "4", "held"]
    assert counted == [1]


def test_a_group_does_not_grow_for_ever(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "GROUP_SECONDS", 10.0)
    monkeypatch.setattr(writer, "MOST_UNITS", 3)
    held, counted = Held(vault), commits(vault)
    for _ in range(5):
        held.ask(lambda unit: unit.enter(ENTRY))
    held.go_on()
    assert counted == [2]


def test_nobody_joins_a_group_that_has_taken_long(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GROUP_SECONDS", -1.0)
    held, counted = Held(vault), commits(vault)
    for _ in range(3):
        held.ask(lambda unit: unit.enter(ENTRY))
    held.go_on()
    assert counted == [4]


def test_a_group_of_failures_leaves_no_transaction_open(vault: Vault) -> None:
    for _ in range(2):
        with pytest.raises(LookupError):
            vault.write(_raise)
    other = open_writer(vault._path, vault._keys.page)
    other.execute("BEGIN IMMEDIATE")
    other.close()
    assert vault.write(lambda unit: unit.enter(ENTRY)) == 0


def _raise(unit: Unit) -> None:
    unit.enter(ENTRY)
    raise LookupError


def test_a_unit_whose_caller_gave_up_is_passed_over(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GROUP_SECONDS", 10.0)
    held = Held(vault)
    held.ask(lambda unit: unit.enter(ENTRY), seconds=0.001)
    until(lambda: bool(held.answers))
    assert isinstance(held.answers[0], DeadlineExceeded)
    held.ask(lambda unit: unit.enter(ENTRY))
    assert held.go_on()[-1] in (0, "held")
    assert vault.write(lambda unit: unit.ledger_size()) == 1


def test_what_a_unit_may_raise_goes_to_its_caller_whatever_it_is(vault: Vault) -> None:
    def leave(unit: Unit) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        vault.write(leave)
    assert vault.condition == "well"


def test_a_file_that_another_writer_holds_harms_one_group_only(vault: Vault) -> None:
    vault._writer._connection.set_busy_timeout(1)
    other = open_writer(vault._path, vault._keys.page)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="undone"):
        vault.write(lambda unit: unit.enter(ENTRY))
    other.close()
    assert vault.write(lambda unit: unit.enter(ENTRY)) == 0


def test_who_waits_when_a_commit_fails_is_not_left_waiting(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_UNITS", 2)
    held = Held(vault)
    for _ in range(3):
        held.ask(lambda unit: unit.enter(ENTRY))

    def failing(*_: object) -> str:
        raise MemoryError

    monkeypatch.setattr(writer, "sign_checkpoint", failing)
    answers = held.go_on()
    assert [type(each) for each in answers] == [OutcomeUnknown] * 4
    assert vault.condition == "stopped"


def test_the_wal_is_carried_into_the_file_as_it_grows(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "WAL_PAGES", 20)
    lengths = []
    for _ in range(60):
        vault.write(lambda unit: unit.enter(ENTRY))
        lengths.append(vault._writer._wal_pages)
    assert max(lengths) < 40
    assert vault._path.stat().st_size > 0


def test_readers_may_stay_in_the_wal_and_it_begins_anew_when_they_have_left(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "WAL_PAGES", 5)
    monkeypatch.setattr(writer, "WAL_TOO_LONG", 20)
    monkeypatch.setattr(writer, "_PATIENCE_MS", 1)

    def enter(times: int) -> int:
        for _ in range(times):
            vault.write(lambda unit: unit.enter(ENTRY))
        return vault._writer._wal_pages

    enter(1)
    with vault.view() as view:
        assert enter(30) > 60
        assert view.ledger_size() == 1
        assert vault.condition == "well"
    assert enter(30) < 60


def test_a_store_that_is_being_closed_when_a_commit_fails_lets_everybody_go(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_UNITS", 1)
    held = Held(vault)
    held.ask(lambda unit: unit.enter(ENTRY))
    closing = threading.Thread(target=vault.close)
    closing.start()
    until(lambda: vault._writer._closed)

    def failing(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(vault._writer, "_conclude", failing)
    answers = held.go_on()
    closing.join()
    assert [type(each) for each in answers] == [OutcomeUnknown] * 2
