"""The engine over one SQLite file: made once, opened by one process, written by one thread.

Below the folder::

    juki.db          everything; pages encrypted under page/main/1
    juki.db-wal      what was committed and not yet carried into the file
    lock             held while a process has the store open

Opening believes nothing it can compare: the checkpoint must be signed by this store and be of the
tree that the tables give, and the last entry must carry the digest that the file stands at.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, TypeVar

import apsw

from storage import ledger, proof, schema, tiles
from storage.connection import (
    abandon,
    ask,
    carry_wal,
    cipher_of_choice,
    open_new,
    open_reader,
    open_writer,
)
from storage.disk import sync_folder
from storage.engine import Unit
from storage.errors import (
    DiskFull,
    LedgerBroken,
    LoadUnfinished,
    OutcomeUnknown,
    StorageError,
    StoreInUse,
)
from storage.hold import CopyPoint
from storage.keyring import KeyRing
from storage.keys import StoreKeys
from storage.leaf import parse_leaf
from storage.lock import FolderLock
from storage.lthash import State
from storage.merkle import EMPTY_ROOT, Tree
from storage.note import open_checkpoint, sign_checkpoint
from storage.unit import Heads
from storage.view import Snapshot, begin
from storage.writer import Writer

T = TypeVar("T")
Condition = Literal["well", "ailing", "stopped"]

FILE_NAME = "juki.db"
_CPU = Path("/proc/cpuinfo")


def create(folder: Path, ring: KeyRing, origin: str, clock_ms: Callable[[], int]) -> None:
    """Make an empty store in a folder, or raise and leave none.

    The caller saves the key ring; without it the store is lost.

    Args:
        folder: made if it is not there, readable by its owner alone.
        ring: the key ring of the new store.
        origin: the name of the ledger, such as ``audit.juki.pref-43.example/g1``.
        clock_ms: the time, for the date of making.

    Raises:
        StoreInUse: another process has the folder.
        StorageError: there is a store already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = StoreKeys.of(ring, origin)
    path, made = folder / FILE_NAME, folder / (FILE_NAME + ".new")
    lock = FolderLock.take(folder)
    try:
        if path.exists():
            raise StorageError("there is a store in this folder already")
        for left_over in folder.glob(made.name + "*"):
            left_over.unlink()
        _fill(made, keys, clock_ms())
        # The file appears under its name whole or not at all.
        made.replace(path)
        sync_folder(folder)
    finally:
        lock.release()


def open_vault(
    folder: Path,
    ring: KeyRing,
    *,
    origin: str,
    clock_ms: Callable[[], int],
    monotonic: Callable[[], float] = time.monotonic,
    vfs: str | None = None,
    unfinished: bool = False,
) -> "Vault":
    """Open the store of a folder; this process has it until ``close``.

    What the WAL holds is synced and carried into the file before anybody is answered: after a
    failed commit that may have reached the disk, this is where it is decided.

    Args:
        folder: where ``create`` made a store.
        ring: its key ring, open.
        origin: the name of the ledger.
        clock_ms: the time of ledger entries, in milliseconds since 1970.
        monotonic: the clock of deadlines, in seconds.
        vfs: the name of an SQLite VFS to go through; tests break the disk with it.
        unfinished: open it though a load was stopped in the middle, to load on.

    Raises:
        StoreInUse: another process has the folder.
        WrongKey: the ring is of another store.
        LoadUnfinished: a load was stopped in the middle.
        Tampered, LedgerBroken: the file is not as this store left it.
        StorageError: there is no store, or it is of a newer release.
    """
    keys = StoreKeys.of(ring, origin)
    path = folder / FILE_NAME
    if not path.is_file():
        raise StorageError("there is no store in this folder")
    lock = FolderLock.take(folder)
    try:
        connection = open_writer(path, keys.page, vfs)
        try:
            schema.bring_forward(connection)
            if schema.is_staging(connection) and not unfinished:
                raise LoadUnfinished("a load was stopped in the middle; load the same files again")
            carried = _carried(connection)
            verify_heads(connection, keys)
            writer = Writer(connection, keys, clock_ms=clock_ms, monotonic=monotonic)
            writer.ailing = not carried
        except BaseException:
            abandon(connection)
            raise
    except BaseException:
        lock.release()
        raise
    writer.start()
    return Vault(path, keys, writer, lock, vfs)


def verify_heads(connection: apsw.Connection, keys: StoreKeys) -> None:
    """Check what can be checked without reading the whole file.

    Raises:
        LedgerBroken: the checkpoint is not of this ledger or not of these entries, or the last
            entry says that the file stood elsewhere.
    """
    heads = Heads.of(connection)
    checkpoint = open_checkpoint(ledger.checkpoint(connection), keys.signer.verifier)
    size = heads.frontier.size
    if checkpoint.size != size:
        raise LedgerBroken(f"the checkpoint is of {checkpoint.size} entries, there are {size}")
    if checkpoint.root != heads.frontier.root():
        raise LedgerBroken("the entries do not give the root of the checkpoint")
    if heads.digest.digest() != logged_digest(connection, size):
        raise LedgerBroken("the file does not stand where its last entry says")


def logged_digest(connection: apsw.Connection, size: int) -> bytes | None:
    """Return the digest over the file that the last of ``size`` entries carries."""
    if size == 0:
        return State().digest()
    (entry,) = ledger.raw_entries(connection, size - 1, size)
    return parse_leaf(entry).header.digest


class Vault:
    """The engine (``storage.engine.Engine``) over one file."""

    def __init__(
        self, path: Path, keys: StoreKeys, writer: Writer, lock: FolderLock, vfs: str | None
    ) -> None:
        self._path = path
        self._keys = keys
        self._writer = writer
        self._lock = lock
        self._vfs = vfs
        self._gate = threading.Lock()
        self._closing = threading.Lock()
        self._closed = False
        self._mine = threading.local()
        self._threads: weakref.WeakSet[_Idle] = weakref.WeakSet()

    def view(self) -> AbstractContextManager[Snapshot]:
        """Yield the last commit, unchanging until the block ends; never waits for the writer.

        Raises:
            OutcomeUnknown: the store has stopped after a failed commit.
        """
        return _Viewing(self._lend, self._take_back, self._keys)

    def write(self, work: Callable[[Unit], T], *, seconds: float = 30.0) -> T:
        """Run ``work`` on the writer thread and return its answer once it is on disk.

        Raises:
            OutcomeUnknown: the disk failed during the commit; the store takes nothing more.
            DeadlineExceeded, DiskFull: undone. Whatever ``work`` raises: undone, raised here.
        """
        return self._writer.run(work, seconds)

    def checkpoint(self) -> str:
        """Return the signed checkpoint of the last commit (C2SP tlog-checkpoint)."""
        return self._writer.checkpoint

    @property
    def vkey(self) -> str:
        """The verifier key of the ledger, as auditors need it."""
        return self._keys.signer.vkey

    @property
    def condition(self) -> Condition:
        """How the store is.

        ``ailing`` while the WAL cannot be carried into the file, ``stopped`` after a failed commit.
        """
        if self._writer.stopped:
            return "stopped"
        return "ailing" if self._writer.ailing else "well"

    @property
    def made_ms(self) -> int:
        """When the store was made, in milliseconds since 1970; nothing vouches for it."""
        with self.view() as view:
            return view.made_ms()

    def prove(self, index: int) -> str:
        """Return the evidence that an entry is in the ledger (C2SP tlog-proof).

        Raises:
            ValueError: there is no such entry.
        """
        with self.view() as view:
            tree = Tree(view.ledger_size(), view)
            return proof.prove(tree, index, view.checkpoint()).text()

    def export_tiles(self, folder: Path) -> None:
        """Bring a folder of tiles up to the last commit (C2SP tlog-tiles)."""
        with self.view() as view:
            tiles.export(folder, view, view.checkpoint())

    # --- for whoever copies the file while it is written (hold.py) ---

    def hold(self, work: Callable[[Unit], T], seconds: float) -> T:
        """Run ``work``, and let the file stand still from its commit on; return its answer.

        ``work`` must change something.  Files up to what ``copy_point`` says later can be copied
        until the hold ends: by ``release``, by ``close``, or when it was not extended in time.

        Raises:
            StoreInUse: somebody else holds it.  Otherwise as ``write``; nothing is held then.
        """
        hold = self._writer.hold
        if not hold.take(seconds):
            raise StoreInUse("somebody is copying the store already")
        try:
            return self._writer.run(work, seconds)
        except BaseException:
            hold.release()
            raise

    def extend_hold(self, seconds: float) -> bool:
        """Hold on for so long from now; return whether the file stood still until now."""
        return self._writer.hold.extend(seconds)

    def copy_point(self) -> CopyPoint:
        """Return the last commit: the file, with so much of its WAL, is the store as of it.

        Raises:
            OutcomeUnknown, DeadlineExceeded: as ``write``.
        """
        return self._writer.copy_point()

    @property
    def is_held(self) -> bool:
        """Whether somebody holds it now."""
        return self._writer.hold.bars()

    @property
    def wal_bytes(self) -> int:
        """How long the WAL is."""
        return self._writer.wal_bytes

    def release(self) -> None:
        """End the hold; the next commit carries the WAL into the file again."""
        self._writer.hold.release()

    def close(self) -> None:
        """Finish waiting units, close the file, release the lock; nothing happens twice.

        A view that is still open elsewhere stays good until its block ends.
        """
        with self._closing:
            with self._gate:
                self._closed = True
                idle = [reader for mine in self._threads for reader in mine]
                for mine in self._threads:
                    mine.clear()
            for reader in idle:
                reader.close()
            self._writer.hold.release()
            self._writer.close()
            self._lock.release()

    def _lend(self) -> apsw.Connection:
        """Return a connection of this thread that no view of it uses."""
        if self._writer.stopped:
            raise OutcomeUnknown("a commit failed on its way to disk; the store has stopped")
        with self._gate:
            if self._closed:
                raise StorageError("the store is closed")
            mine = self._mine.__dict__.get("idle")
            if mine is None:
                self._mine.idle = mine = _Idle()
                self._threads.add(mine)
            if mine:
                return mine.pop()
        return open_reader(self._path, self._keys.page, self._vfs)

    def _take_back(self, reader: apsw.Connection) -> None:
        with self._gate:
            if not self._closed and not reader.in_transaction:
                self._mine.idle.append(reader)
                return
        reader.close()


class _Idle(list[apsw.Connection]):
    """Connections of one thread that no view uses; they go with the thread."""

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __del__(self) -> None:
        # A view that is over may be held by others still, and its connection with it. One that is
        # open when the store closes would keep the WAL from being carried into the file.
        for reader in self:
            reader.close()


class _Viewing:
    """The block of a view: a connection is lent for as long."""

    __slots__ = ("_keys", "_lend", "_reader", "_snapshot", "_take_back")

    def __init__(
        self,
        lend: Callable[[], apsw.Connection],
        take_back: Callable[[apsw.Connection], None],
        keys: StoreKeys,
    ) -> None:
        self._lend, self._take_back, self._keys = lend, take_back, keys

    def __enter__(self) -> Snapshot:
        self._reader = reader = self._lend()
        try:
            begin(reader)
        except BaseException:
            self._take_back(reader)
            raise
        self._snapshot = Snapshot(reader, self._keys)
        return self._snapshot

    def __exit__(self, *_: object) -> None:
        self._snapshot.end()
        try:
            ask(self._reader, "COMMIT")
        finally:
            self._take_back(self._reader)


def _fill(path: Path, keys: StoreKeys, at_ms: int) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = open_new(path, keys.page, cipher_of_choice(_CPU.read_text("utf-8")))
    try:
        schema.bring_forward(connection)
        checkpoint = sign_checkpoint(keys.signer, 0, EMPTY_ROOT)
        ledger.write_state(connection, "checkpoint", checkpoint.encode())
        ledger.write_state(connection, "digest", State().to_bytes())
        ledger.write_state(connection, "made", at_ms.to_bytes(8, "little"))
        carry_wal(connection)
    finally:
        connection.close()


def _carried(connection: apsw.Connection) -> bool:
    """Carry the WAL into the file; return False if the file has no room to grow.

    The WAL is synced before anything is carried, so that nothing hangs on the room.
    """
    try:
        carry_wal(connection)
    except DiskFull:
        return False
    return True
