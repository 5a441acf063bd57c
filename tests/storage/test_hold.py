"""While the store is held, its file stands still; with so much of its WAL it is one commit."""

import shutil
import threading
from pathlib import Path

import pytest

from storage import writer
from storage.copying import CHUNK, copy_file, digest_of
from storage.engine import Entry, Unit
from storage.errors import StorageError, StoreInUse
from storage.vault import Vault
from tests.storage.stores import SATO, Store, fields_of

SECONDS = 60.0


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def one_more(unit: Unit) -> None:
    unit.put_document("papers", b"k", b"body" * 5000)
    unit.enter(Entry(1, 0, b"one more"))


def carried(vault: Vault) -> None:
    """Commit, and return once the WAL was carried, which comes after the answer."""
    for _ in range(3):
        vault.write(one_more)
    vault.copy_point()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a store that carries its WAL into its file after every commit, unless it is held."""
    monkeypatch.setattr(writer, "WAL_PAGES", 1)
    store = Store(tmp_path / "store").create()
    with store.opened() as vault:
        store.new_person(vault, fields_of(SATO))
    return store


def copied(store: Store, vault: Vault, to: Path, between: int) -> Store:
    """Copy a store as a backup does, with commits in every gap."""
    to.mkdir(mode=0o700)
    copy_file(store.file, to / store.file.name, store.file.stat().st_size)
    for _ in range(between):
        vault.write(one_more)
    point = vault.copy_point()
    for _ in range(between):
        vault.write(one_more)
    wal = store.file.with_name(f"{store.file.name}-wal")
    copy_file(wal, to / wal.name, point.wal_bytes)
    assert vault.extend_hold(SECONDS)
    return Store(to, store.ring)


@pytest.mark.parametrize("before", [0, 1, 3], ids="carried whole before-{}".format)
@pytest.mark.parametrize("between", [0, 1, 40], ids="{} commits in each gap".format)
def test_file_and_wal_together_are_the_store_as_of_one_commit(
    store: Store, tmp_path: Path, before: int, between: int
) -> None:
    with store.opened() as vault:
        for _ in range(before):
            vault.write(one_more)
        vault.hold(one_more, SECONDS)
        size = int(vault.checkpoint().splitlines()[1]) + between
        copy = copied(store, vault, tmp_path / "copy", between)
        vault.release()
        vault.write(one_more)
    with copy.opened() as again, again.view() as view:
        assert view.ledger_size() == size
    assert copy.check().clean
    assert store.check().clean


def test_the_file_does_not_change_while_it_is_held_and_does_again_after(store: Store) -> None:
    with store.opened() as vault:
        vault.hold(one_more, SECONDS)
        before = digest_of(store.file)
        for _ in range(30):
            vault.write(one_more)
        assert digest_of(store.file) == before
        assert vault.wal_bytes > 30 * 8192
        vault.release()
        carried(vault)
        assert digest_of(store.file) != before


def test_without_the_hold_a_copy_is_no_store(store: Store, tmp_path: Path) -> None:
    """The test above would find it: the file moves on under the copier."""
    with store.opened() as vault:
        carried(vault)
        before = digest_of(store.file)
        carried(vault)
        assert digest_of(store.file) != before


def test_a_hold_that_nobody_extends_is_over_for_good(store: Store) -> None:
    clock = Clock()
    with store.opened(monotonic=clock) as vault:
        vault.hold(one_more, SECONDS)
        clock.now += SECONDS - 1
        assert vault.extend_hold(SECONDS)
        clock.now += SECONDS
        assert not vault.is_held
        before = digest_of(store.file)
        carried(vault)
        assert digest_of(store.file) != before
        assert not vault.extend_hold(SECONDS)


def test_only_one_holds_at_a_time_and_a_hold_that_failed_is_none(store: Store) -> None:
    with store.opened() as vault:
        vault.hold(one_more, SECONDS)
        with pytest.raises(StoreInUse):
            vault.hold(one_more, SECONDS)
        vault.release()
        with pytest.raises(ZeroDivisionError):
            vault.hold(lambda unit: 1 // 0, SECONDS)
        assert not vault.is_held
        vault.hold(one_more, SECONDS)
    assert not vault.extend_hold(SECONDS), "a store that was closed stood still no longer"


def test_what_was_acknowledged_while_four_write_is_in_the_copy(
    store: Store, tmp_path: Path
) -> None:
    with store.opened() as vault:
        ending = threading.Event()
        threads = [threading.Thread(target=_writes, args=(vault, ending)) for _ in range(4)]
        for thread in threads:
            thread.start()
        sizes = []
        copies = []
        for number in range(5):
            vault.hold(one_more, SECONDS)
            acknowledged = int(vault.checkpoint().splitlines()[1])
            copies.append(copied(store, vault, tmp_path / str(number), 2))
            vault.release()
            sizes.append(acknowledged)
        ending.set()
        for thread in threads:
            thread.join()
    for copy, acknowledged in zip(copies, sizes, strict=True):
        with copy.opened() as again, again.view() as view:
            assert view.ledger_size() >= acknowledged + 2
        assert copy.check().clean


def _writes(vault: Vault, ending: threading.Event) -> None:
    while not ending.is_set():
        vault.write(one_more)


# --- copying ---


@pytest.mark.parametrize("size", [0, 1, CHUNK, 2 * CHUNK + 7])
def test_a_copy_is_as_long_as_was_said_and_its_digest_is_that_of_its_bytes(
    tmp_path: Path, size: int
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * (size // 256 + 1))
    told = list[int]()
    copy = copy_file(source, target, size, told.append)
    assert target.read_bytes() == source.read_bytes()[:size]
    assert copy == digest_of(target)
    assert (copy.size, sum(told)) == (size, size)
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_source_that_is_too_short_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"123")
    with pytest.raises(StorageError, match="has 3 bytes, not 4"):
        copy_file(tmp_path / "source", tmp_path / "target", 4)


def test_nothing_is_copied_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"123")
    shutil.copy(tmp_path / "source", tmp_path / "target")
    with pytest.raises(FileExistsError):
        copy_file(tmp_path / "source", tmp_path / "target", 3)
