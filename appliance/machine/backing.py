"""``juki backup make``: the files of the data folder, copied as of one commit, onto a medium.

Whoever serves goes on serving: it only lets the file stand still (``storage/hold.py``) and says
where the WAL ends. The copier is a process of its own, so that the serving one needs no right to
write outside its data folder, and a medium that hangs hangs nobody else.

The copy is built under a name that says it is not finished, synced, and renamed last.
"""

import errno
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from appliance.machine.backupset import (
    CHECKPOINT,
    FORMAT,
    IDENTITY,
    MANIFEST,
    STORE,
    WAL,
    WITNESSED,
    FileSum,
    Manifest,
)
from appliance.machine.config import Settings
from appliance.machine.store import Identity, Layout, sealed_store
from appliance.parts import Clock
from storage.copying import copy_file
from storage.disk import sync_folder, write_synced
from storage.errors import StorageError
from storage.journal import FILE_NAME as JOURNAL
from storage.keyring import FILE_NAME as RING
from storage.vault import FILE_NAME as DATABASE

GO_ON_EVERY = 5.0
"""Seconds after which the copier says that it is still there."""
SPARE = 16 * 1024 * 1024
"""Bytes that must be free beside what is copied: small files, and what is committed meanwhile."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
Progress = Callable[[int, int], None]
"""Told how many bytes are done, and of how many."""


class BackupFailed(StorageError):
    """Nothing of the backup is left; ``code`` says why in a word, for the ledger."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Point:
    """Up to where the store is copied."""

    checkpoint: str | None
    """None: the store is stopped, and does not tell."""
    ledger_size: int
    wal_bytes: int


class Holder(Protocol):
    """Lets the store stand still: the serving process, or the lock of a stopped one."""

    def begin(self) -> None:
        """Let it stand still, and record that somebody copies it.

        Raises:
            Exception: it does not; nothing may be copied.
        """

    def go_on(self) -> None:
        """Return if it stood still from ``begin`` until now, and raise if not."""

    def point(self) -> Point:
        """Return the last commit."""

    def finish(self, digest: str) -> None:
        """Let go, and record the digest of the manifest."""

    def give_up(self, code: str) -> None:
        """Let go, and record that there is no backup, and why."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup: where it is, what it says of itself, and the SHA-256 of that."""

    folder: Path
    manifest: Manifest
    digest: str
    unrecorded: str = ""
    """Why it is not recorded that it was made, if it is not; it is good all the same."""


def make(settings: Settings, to: Path, holder: Holder, progress: Progress, clock: Clock) -> Made:
    """Make a backup in a folder of its own below ``to``; when this returns, it is on that disk.

    Raises:
        BackupFailed: the medium is full or fails, or the store did not stand still.
        StartupError, Tampered: there is no store.
        Exception: what the holder raises. In every case nothing is left below ``to``.
    """
    identity, _ = sealed_store(settings)
    if not to.is_dir():
        raise BackupFailed("no-folder", f"{to}: there is no such folder")
    holder.begin()
    building = to / f"{_unfinished(identity)}{_stamp(clock())}"
    try:
        made = _Copier(Layout(settings.data), identity, building, holder, progress).copy(clock())
        folder = to / _name(identity, made.manifest, clock())
        holder.go_on()  # it has stood still until now, so what was copied is of one commit
        building.rename(folder)
        sync_folder(to)
    except BaseException as problem:
        shutil.rmtree(building, ignore_errors=True)
        failed = _failure(problem, to)
        with suppress(Exception):
            holder.give_up(failed.code)
        if isinstance(problem, OSError):
            raise failed from problem
        raise
    made = replace(made, folder=folder)
    try:
        holder.finish(made.digest)
    except Exception as problem:
        return replace(made, unrecorded=str(problem) or type(problem).__name__)
    return made


class _Copier:
    """Copies one store into one folder."""

    def __init__(
        self,
        layout: Layout,
        identity: Identity,
        building: Path,
        holder: Holder,
        progress: Progress,
    ) -> None:
        self._layout = layout
        self._identity = identity
        self._building = building
        self._holder = holder
        self._progress = progress
        self._files: dict[str, FileSum] = {}
        self._done = self._total = 0
        self._heard = time.monotonic()

    def copy(self, now: datetime) -> Made:
        """Copy everything under the unfinished name."""
        to, layout = self._building.parent, self._layout
        # Nobody else copies this store now: what lies there was left by one who was killed.
        for left in to.glob(f"{_unfinished(self._identity)}*"):
            shutil.rmtree(left)
        database = layout.store / DATABASE
        size = database.stat().st_size
        self._total = size + _size(layout.store / f"{DATABASE}-wal")
        self._ask_room(self._total)
        (self._building / "store").mkdir(mode=0o700, parents=True)
        self._building.chmod(0o700)
        # Before the point: what is evidence of the ledger must not be ahead of it.
        self._small()
        self._copy(STORE, database, size)
        point = self._holder.point()
        self._total = size + point.wal_bytes
        if point.wal_bytes:
            self._copy(WAL, layout.store / f"{DATABASE}-wal", point.wal_bytes)
        if point.checkpoint is not None:
            self._write(CHECKPOINT, point.checkpoint.encode())
        manifest = self._manifest(point, now)
        write_synced(self._building / MANIFEST, manifest.encoded(), 0o600)
        for folder in (self._building / "store", self._building):
            sync_folder(folder)
        digest = sha256(manifest.encoded()).hexdigest()
        return Made(self._building, manifest, digest)

    def _small(self) -> None:
        layout = self._layout
        self._write(RING, layout.ring.read_bytes())
        self._write(IDENTITY, layout.identity.read_bytes())
        # A line may be on its way to the disk.
        journal = layout.journal.read_bytes() if layout.journal.exists() else b""
        self._write(JOURNAL, journal[: journal.rfind(b"\n") + 1])
        with suppress(FileNotFoundError):
            self._write(WITNESSED, layout.witnessed.read_bytes())

    def _copy(self, name: str, source: Path, size: int) -> None:
        copied = copy_file(source, self._building / name, size, self._on)
        self._files[name] = FileSum(size=copied.size, sha256=copied.sha256)

    def _write(self, name: str, raw: bytes) -> None:
        write_synced(self._building / name, raw, 0o600)
        self._files[name] = FileSum(size=len(raw), sha256=sha256(raw).hexdigest())

    def _on(self, done: int) -> None:
        self._done += done
        self._progress(self._done, self._total)
        if time.monotonic() - self._heard > GO_ON_EVERY:
            self._holder.go_on()
            self._heard = time.monotonic()

    def _ask_room(self, needed: int) -> None:
        to = self._building.parent
        free = shutil.disk_usage(to).free
        if free < needed + SPARE:
            told = f"{to}: {needed + SPARE:,} bytes are needed, {free:,} are free"
            raise BackupFailed("disk-full", told)

    def _manifest(self, point: Point, now: datetime) -> Manifest:
        return Manifest(
            format=FORMAT,
            installation=self._identity.installation,
            origin=self._identity.origin,
            prefecture=self._identity.prefecture,
            made_at=now.astimezone(UTC).isoformat(timespec="seconds"),
            ledger_size=point.ledger_size,
            exact=point.checkpoint is not None,
            files=self._files,
        )


def _failure(problem: BaseException, to: Path) -> BackupFailed:
    """Return what went wrong, in a word and in words."""
    match problem:
        case BackupFailed():
            return problem
        case OSError():
            code = "disk-full" if problem.errno in FULL else "disk-failed"
            where = problem.filename or to
            told = f"{where}: {problem.strerror or 'failed'}; nothing of the backup is left"
            return BackupFailed(code, told)
        case KeyboardInterrupt():
            return BackupFailed("interrupted", "interrupted")
        case _:
            return BackupFailed("failed", "failed")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _unfinished(identity: Identity) -> str:
    return f".unfinished-juki-{identity.prefecture}-{identity.installation[:8]}-"


def _stamp(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _name(identity: Identity, manifest: Manifest, now: datetime) -> str:
    return f"juki-{identity.prefecture}-{_stamp(now)}-{manifest.ledger_size}"
