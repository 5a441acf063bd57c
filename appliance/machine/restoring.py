"""``juki backup verify`` and ``juki backup restore``: is it whole, does it open, put it back.

A restore is proved by doing it: into a temporary folder, with three custodians, who see there what
unsealing would refuse and what ``juki check`` finds. What was put back for good is opened by
unsealing alone, which holds it against the boot journal in it and against the witness.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from appliance.errors import StartupError
from appliance.machine.backing import SPARE, Progress
from appliance.machine.backupset import (
    CHECKPOINT,
    WITNESSED,
    FileSum,
    Manifest,
    contradictions,
    differences,
    read_manifest,
)
from appliance.machine.checking import check_store
from appliance.machine.config import Settings
from appliance.machine.init import refuse_existing
from appliance.machine.opening import agreed, milliseconds
from appliance.machine.store import Layout, read_identity
from appliance.parts import Clock, utc_now
from storage.check import CheckReport
from storage.copying import Copied, OnBytes, copy_file
from storage.disk import sync_folder
from storage.errors import DiskFull, Tampered
from storage.findings import Finding
from storage.findings import Progress as CheckProgress
from storage.journal import Journal
from storage.keyring import KeyRing
from storage.lock import FolderLock
from storage.vault import open_vault

RESTORED = "restored"
"""Event of the boot journal."""


def examine(
    folder: Path, vkey: str | None, progress: Progress
) -> tuple[Manifest, str, list[Finding]]:
    """Read a whole backup, without any key.

    Args:
        folder: the backup.
        vkey: the verifier key of the ledger, from elsewhere; None: the backup's own is taken.
        progress: told how many bytes are read, and of how many.

    Returns:
        What it says of itself, the SHA-256 of that, and everything that is wrong.

    Raises:
        StartupError: this is no backup.
        OSError: it cannot be read.
    """
    manifest, digest = read_manifest(folder)
    wrong = list(differences(folder, manifest, _counting(manifest, progress)))
    # What was changed need not be believed far enough to be compared.
    return manifest, digest, wrong or list(contradictions(folder, manifest, vkey))


def prove(
    settings: Settings,
    folder: Path,
    scratch: Path,
    shares: Iterable[str],
    progress: Progress,
    checking: CheckProgress,
) -> tuple[CheckReport, list[Finding]]:
    """Restore a backup into a temporary folder, open it there, and read every record.

    Args:
        settings: the configuration of the store, for its policy.
        folder: the backup; ``examine`` found nothing.
        scratch: where the temporary folder is made; it is removed again.
        shares: asked for one by one, until there are enough.
        progress: told how many bytes are copied, and of how many.
        checking: told how far the check is.

    Raises:
        DiskFull: there is no room for it.
        SharesRefused: a share is no good, or there are too few.
        StartupError, StorageError: it does not open; unsealing would refuse it too.
    """
    manifest, _ = read_manifest(folder)
    anchors = [
        (folder / name).read_text("utf-8")
        for name in (CHECKPOINT, WITNESSED)
        if name in manifest.files
    ]
    with _temporary(scratch) as data:
        _copy(folder, manifest, data, progress)
        tried = replace(settings, data=data)

        def opens(ring: KeyRing) -> None:
            layout = Layout(data)
            identity = read_identity(layout)
            vault = open_vault(
                layout.store, ring, origin=identity.origin, clock_ms=milliseconds(utc_now)
            )
            try:
                agreed(vault, ring, layout, identity)
            finally:
                vault.close()

        report, findings = check_store(tried, shares, anchors, checking, opens)
    return report, [*findings, *_entries(manifest, report)]


def restore(folder: Path, data: Path, progress: Progress, clock: Clock) -> tuple[Manifest, str]:
    """Make a data folder of a backup; it is there whole or not at all.

    Args:
        folder: the backup.
        data: the new data folder; not there yet, or empty.
        progress: told how many bytes are copied, and of how many.
        clock: the time, for the note in the boot journal.

    Returns:
        What the backup says of itself, and the SHA-256 of that.

    Raises:
        StoreExists: there is something where the data folder would be made.
        StartupError: this is no backup.
        Tampered: it is not as it was made; names the first file.
        DiskFull: there is no room for it.
        OSError: a disk. In every case nothing is left.
    """
    manifest, digest = read_manifest(folder)
    refuse_existing(data)
    building = data.with_name(f"{data.name}.unfinished")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=0o700, parents=True)
    lock = FolderLock.take(building)
    try:
        _copy(folder, manifest, building, progress)
        for problem in contradictions(building, manifest, None):
            raise Tampered(f"{problem.place}: {problem.what}")
        (building / CHECKPOINT).unlink(missing_ok=True)
        journal = Journal(Layout(building).journal, milliseconds(clock))
        try:
            entries, uid = manifest.ledger_size, os.getuid()
            journal.note(RESTORED, entries=entries, manifest=digest, uid=uid)
        finally:
            journal.close()
        for each in (building / "store", building):
            sync_folder(each)
        # Takes the place of an empty folder, and of nothing else.
        building.replace(data)
        sync_folder(data.parent)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    finally:
        lock.release()
    return manifest, digest


def _copy(folder: Path, manifest: Manifest, data: Path, progress: Progress) -> None:
    """Copy the files of a backup, each as its manifest says.

    Raises:
        Tampered: one is not; names it.
        DiskFull: there is no room.
    """
    if shutil.disk_usage(data).free < manifest.size + SPARE:
        raise DiskFull(f"{data.parent}: {manifest.size + SPARE:,} bytes are needed")
    (data / "store").mkdir(mode=0o700)
    on = _counting(manifest, progress)
    for name, wanted in manifest.files.items():
        if not _is_as_made(folder / name, data / name, wanted, on):
            raise Tampered(f"{folder / name}: is not as it was when the backup was made")


def _is_as_made(source: Path, target: Path, wanted: FileSum, on: OnBytes) -> bool:
    if source.is_symlink() or not source.is_file() or source.stat().st_size != wanted.size:
        return False
    return copy_file(source, target, wanted.size, on) == Copied(wanted.size, wanted.sha256)


def _counting(manifest: Manifest, progress: Progress) -> OnBytes:
    done, total = 0, manifest.size

    def on(more: int) -> None:
        nonlocal done
        done += more
        progress(done, total)

    return on


def _entries(manifest: Manifest, report: CheckReport) -> Iterator[Finding]:
    there, said = report.entries, manifest.ledger_size
    if there < said or (manifest.exact and there != said):
        yield Finding("ledger", f"has {there} entries, the manifest says {said}")


@contextmanager
def _temporary(scratch: Path) -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix="juki-verify-", dir=scratch))
    except OSError as problem:
        raise StartupError(f"{scratch}: {problem.strerror}") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
