"""The disk is broken at every write and every sync of an opening; nothing is lost by it."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from storage.engine import PersonId
from storage.errors import DiskFull, StorageError, Tampered
from storage.terms import packed
from tests.crash.breaking import DISK, VFS, Disk, Fault
from tests.storage.frozen_v1 import make_v1
from tests.storage.stores import NAME, ORIGIN, SATO, Store, entered, fields_of


@pytest.fixture
def disk() -> Iterator[Disk]:
    DISK.reset()
    yield DISK
    DISK.reset()


def killed_with_a_wal(folder: Path) -> Store:
    """Return a store whose process was killed before the WAL was carried into the file."""
    store = Store(folder / "running").create()
    with store.opened() as vault:
        store.new_person(vault, fields_of(SATO))
        DISK.copy_after_kill(store.folder, folder / "store")
    assert (folder / "store" / "juki.db-wal").stat().st_size > 0
    return Store(folder / "store", store.ring)


def of_version_1(folder: Path) -> Store:
    """Return a store that has to be brought forward."""
    store = Store(folder / "store")
    store.folder.mkdir()
    tokens = store.finder(fields_of(SATO))
    identifiers = [(each.index, each.value) for each in tokens if isinstance(each.value, bytes)]
    postings = [packed(each) for each in tokens if not isinstance(each.value, bytes)]
    make_v1(store.file, store.ring, ORIGIN, fields_of(SATO), identifiers, postings)
    return store


def check_whole(store: Store) -> None:
    with store.opened() as vault, vault.view() as view:
        assert view.read(PersonId(1), [NAME]).fields == {NAME: SATO[NAME].encode()}
    assert store.check().findings == ()


def try_to_open(store: Store) -> bool:
    """Open and close; a disk that fails must not be taken for a file that was tampered with."""
    try:
        store.open(vfs=VFS).close()
    except Tampered:
        raise
    except StorageError:
        return False
    return True


@pytest.mark.parametrize("fault", list(Fault), ids=[fault.value for fault in Fault])
@pytest.mark.parametrize("made", [killed_with_a_wal, of_version_1])
def test_whatever_the_disk_does_at_an_opening_the_next_one_finds_all(
    disk: Disk, tmp_path: Path, made: Callable[[Path], Store], fault: Fault
) -> None:
    template, refused = made(tmp_path), 0
    for at in count():
        disk.reset()
        store = Store(tmp_path / str(at), template.ring)
        shutil.copytree(template.folder, store.folder)
        disk.arm(at, fault)
        refused += not try_to_open(store)
        survivors = [
            disk.copy_after_kill(store.folder, tmp_path / f"{at} killed"),
            disk.copy_after_power_cut(store.folder, tmp_path / f"{at} cut"),
        ]
        for folder in (*survivors, store.folder):
            check_whole(Store(folder, store.ring))
        if not disk.failed:
            break
    assert refused > 0


@pytest.mark.parametrize("room", range(0, 8_000, 1_000))
def test_a_store_that_cannot_be_brought_forward_on_a_full_disk_is_as_it_was(
    disk: Disk, tmp_path: Path, room: int
) -> None:
    store = of_version_1(tmp_path)
    disk.room = room
    assert not try_to_open(store)
    disk.room = None
    check_whole(store)


@pytest.mark.parametrize("room", range(0, 40_000, 4_000))
def test_a_store_opens_on_a_full_disk_and_can_be_read(
    disk: Disk, tmp_path: Path, room: int
) -> None:
    store = killed_with_a_wal(tmp_path)
    disk.room = room
    with store.opened(vfs=VFS) as vault:
        assert vault.condition == "ailing"
        with vault.view() as view:
            assert view.read(PersonId(1), [NAME]).fields == {NAME: SATO[NAME].encode()}
        disk.room = 0
        with pytest.raises(DiskFull):
            entered(vault, lambda unit: unit.put_document("papers", b"k", b"body"))
        disk.room = None
        entered(vault, lambda unit: unit.put_document("papers", b"k", b"body"))
        vault.write(lambda unit: None)
        assert vault.condition == "well"
    check_whole(store)
