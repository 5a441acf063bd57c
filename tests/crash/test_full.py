import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from storage.engine import Entry, PersonId, Unit
from storage.errors import DiskFull, StorageError
from tests.crash.breaking import DISK, VFS, Disk
from tests.storage.stores import ITO, NAME, SATO, Store, entered, fields_of


@pytest.fixture
def disk() -> Iterator[Disk]:
    DISK.reset()
    yield DISK
    DISK.reset()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store").create()
    with store.opened() as vault:
        store.new_person(vault, fields_of(SATO))
    return store


@pytest.mark.parametrize("cache", [40, 4096], ids=["before the commit", "at the commit"])
@pytest.mark.parametrize("room", [0, 30, 9_000, 20_000, 40_000, 80_000])
def test_on_a_full_disk_units_are_undone_and_reading_goes_on(
    store: Store, disk: Disk, monkeypatch: pytest.MonkeyPatch, cache: int, room: int
) -> None:
    monkeypatch.setattr("storage.connection.WRITER_CACHE_KIB", cache)
    with store.opened(vfs=VFS) as vault:
        checkpoint = vault.checkpoint()
        disk.room = room
        for _ in range(3):
            with pytest.raises(DiskFull):
                entered(
                    vault,
                    lambda unit: (
                        [store.admit(unit, fields_of(ITO)) for _ in range(1)]
                        + [unit.put_document("papers", b"k", bytes(100_000))]
                    ),
                )
        with vault.view() as view:
            assert view.read(PersonId(1), [NAME]).fields == {NAME: SATO[NAME].encode()}
            assert view.document("papers", b"k") is None
            assert view.ledger_size() == 1
        assert vault.checkpoint() == checkpoint
        assert vault.condition == "well"
        disk.room = None
        assert store.new_person(vault, fields_of(ITO)) == 2
    assert store.check().clean


def test_a_store_killed_on_a_full_disk_is_as_it_was(
    store: Store, disk: Disk, tmp_path: Path
) -> None:
    vault = store.open(vfs=VFS)
    disk.room = 20_000
    with pytest.raises(DiskFull):
        entered(vault, lambda unit: unit.put_document("papers", b"k", bytes(100_000)))
    for name, copy in (("killed", disk.copy_after_kill), ("cut", disk.copy_after_power_cut)):
        after = Store(copy(store.folder, tmp_path / name), store.ring)
        with after.opened() as again, again.view() as view:
            assert view.document("papers", b"k") is None
        assert after.check().clean
    disk.room = None
    vault.close()


def test_a_full_disk_undoes_all_units_of_the_group(
    store: Store, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.writer.GROUP_SECONDS", 10.0)
    outcomes: list[str] = []
    with store.opened(vfs=VFS) as vault:
        begun, go_on = threading.Event(), threading.Event()

        def first(unit: Unit) -> None:
            begun.set()
            go_on.wait(10)
            unit.enter(Entry(1, 0, b"first"))

        def big(unit: Unit) -> None:
            unit.put_document("papers", b"k", bytes(100_000))
            unit.enter(Entry(1, 0, b"second"))

        def tell(work) -> None:
            try:
                vault.write(work)
                outcomes.append("kept")
            except DiskFull:
                outcomes.append("full")

        threads = [threading.Thread(target=tell, args=(first,))]
        threads[0].start()
        begun.wait(10)
        threads.append(threading.Thread(target=tell, args=(big,)))
        threads[1].start()
        while vault._writer._queue.empty():
            time.sleep(0.001)
        disk.room = 20_000
        go_on.set()
        for thread in threads:
            thread.join()
        disk.room = None
        assert outcomes == ["full", "full"]
        assert vault.write(lambda unit: unit.ledger_size()) == 1


def test_who_passes_over_a_full_disk_is_undone_all_the_same(
    store: Store, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When SQLite has undone the transaction, no later statement of the unit may stand alone."""
    monkeypatch.setattr("storage.connection.WRITER_CACHE_KIB", 40)

    def work(unit: Unit) -> str:
        try:
            with unit.savepoint():
                unit.put_document("papers", b"k", bytes(300_000))
        except DiskFull:
            disk.room = None
        with suppress(StorageError):
            unit.put_document("papers", b"l", b"")
        return "passed over"

    with store.opened(vfs=VFS) as vault:
        disk.room = 20_000
        with pytest.raises(StorageError, match="undone"):
            vault.write(work)
        with vault.view() as view:
            assert list(view.documents("papers")) == []
    assert store.check().clean
