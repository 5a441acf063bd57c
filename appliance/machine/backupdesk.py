"""The serving side of a backup: lets the store stand still for a copier, and keeps the record.

The copier is another process on this machine (``backing.py``). It has shown the seal token, so it
is the service user or root; what it copies stays encrypted (R128, R141). The ledger says that it
began before the first byte is copied, and how it ended. A copier that is not heard of any more
holds nothing up: its hold runs out, and that is entered too.
"""

import logging
import math
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec

from appliance.audit import Result
from appliance.edge.problems import origin
from appliance.errors import Conflict, NotFound, Unavailable
from appliance.machine.firmware import Firmware
from appliance.machine.opening import COLLECTION, system_entry
from appliance.operation import Arguments
from appliance.parts import Clock
from storage.errors import OutcomeUnknown, StorageError, StoreInUse
from storage.vault import Vault

log = logging.getLogger(__name__)

OPERATION = "system/backup"
KEY = b"backup"
STEPS = ("begin", "go-on", "point", "finish", "give-up")
LEASE = 60.0
"""Seconds for which the store stands still when nothing is heard of the copier."""
LOOK_EVERY = timedelta(seconds=15)

Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z-]{0,39}$")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class BackupStep(Arguments, frozen=True):
    """What a copier says; each step needs some of it."""

    lease: str = ""
    uid: int | None = None
    """Who he says he is; the machine knows him as one who may read the seal token."""
    sudo_uid: int | None = None
    digest: Digest | None = None
    code: Word | None = None


class LastBackup(msgspec.Struct, frozen=True, kw_only=True):
    """The last backup that was made while the appliance served."""

    at: datetime
    ledger_size: int
    manifest: str
    """SHA-256 of its manifest, in hex."""


class BackupDesk:
    """Serves one copier at a time.  Any thread may call.

    Args:
        vault: the open store.
        folder: where it lies; the WAL may take half of what is free there.
        firmware: the policy in force, for the entries.
        alarm_after: how old the last backup may be; None: nobody said.
        clock: the time.
    """

    def __init__(
        self,
        vault: Vault,
        folder: Path,
        firmware: Firmware,
        alarm_after: timedelta | None,
        clock: Clock,
    ) -> None:
        self._vault = vault
        self._folder = folder
        self._firmware = firmware
        self._alarm_after = alarm_after
        self._clock = clock
        self._gate = threading.RLock()
        self._lease = ""
        self._most_wal = self._ledger_size = 0
        self._made = datetime.fromtimestamp(vault.made_ms / 1000, UTC)
        with vault.view() as view:
            found = view.document(COLLECTION, KEY)
        self._last = None if found is None else msgspec.json.decode(found.body, type=LastBackup)

    def take(self, step: str, asked: BackupStep) -> dict[str, Any]:
        """Do a step of a copier; return what he must know.

        Raises:
            Conflict: somebody else copies, or his time has run out: what he copied is no backup.
            Unavailable: it cannot be done now; says why.
            NotFound: there is no such step.
            OutcomeUnknown: the disk failed during the commit; the process must stop.
        """
        with self._gate, _as_refusals():
            match step:
                case "begin":
                    return self._begin(asked)
                case "go-on":
                    self._go_on(asked.lease)
                case "point":
                    return self._point(asked.lease)
                case "finish":
                    self._finish(asked.lease, asked.digest or "")
                case "give-up":
                    self._mine(asked.lease)
                    self._end(asked.code or "failed")
                case _:
                    raise NotFound("a backup has no such step")
        return {}

    def look(self) -> None:
        """Enter that a copier was given up, if his time has run out.

        Raises:
            OutcomeUnknown: the disk failed during the commit; the process must stop.
        """
        try:
            with self._gate:
                if self._lease and not self._vault.is_held:
                    self._end("not-heard-of")
        except OutcomeUnknown:
            raise
        except StorageError as problem:
            log.error("a backup that was given up could not be entered: %s", origin(problem))

    def age(self) -> float:
        """Return how old the last backup is, in seconds; NaN if there is none."""
        last = self._last
        return math.nan if last is None else (self._clock() - last.at).total_seconds()

    def status(self) -> dict[str, Any]:
        """Return how it stands, as plain data."""
        last = self._last
        return {
            "at": None if last is None else last.at.isoformat(),
            "age_seconds": None if last is None else int(self.age()),
            "ledger_size": None if last is None else last.ledger_size,
            "manifest": None if last is None else last.manifest,
            "under_way": bool(self._lease),
        }

    def alarms(self) -> list[dict[str, Any]]:
        """Return what a human should see to, in the form of ``machine.jobs.Jobs.alarms``."""
        since = self._made if self._last is None else self._last.at
        age = self._clock() - since
        if self._alarm_after is None or age <= self._alarm_after:
            return []
        text = "最後のバックアップが古すぎます。juki backup make を実行し、原因を確認してください。"
        return [
            {
                "name": "backup-old",
                "text": text,
                "count": 1,
                "since": since.isoformat(),
                "age_seconds": int(age.total_seconds()),
            }
        ]

    def _begin(self, asked: BackupStep) -> dict[str, Any]:
        self.look()
        who = {"uid": asked.uid, "sudo uid": asked.sudo_uid}
        by = ", ".join(f"{name} {number}" for name, number in who.items() if number is not None)
        begun = system_entry(OPERATION, self._firmware, f"begun by {by or 'somebody'}")
        try:
            self._vault.hold(lambda unit: unit.enter(begun), LEASE)
        except StoreInUse:
            self._refuse("another is under way")
            raise Conflict("a backup is under way already") from None
        self._lease = secrets.token_hex(16)
        self._ledger_size = 0
        room = shutil.disk_usage(self._folder).free // 2
        self._most_wal = self._vault.wal_bytes + room
        return {"lease": self._lease}

    def _go_on(self, lease: str) -> None:
        self._mine(lease)
        if self._vault.wal_bytes > self._most_wal:
            self._end("too-slow")
            raise Conflict("it took so long that the WAL would fill the disk; it was given up")
        if not self._vault.extend_hold(LEASE):
            self._end("not-heard-of")
            raise Conflict("nothing was heard of the backup for too long; it was given up")

    def _point(self, lease: str) -> dict[str, Any]:
        self._go_on(lease)
        point = self._vault.copy_point()
        self._ledger_size = int(point.checkpoint.splitlines()[1])
        return {"checkpoint": point.checkpoint, "wal_bytes": point.wal_bytes}

    def _finish(self, lease: str, digest: str) -> None:
        self._go_on(lease)
        if not (digest and self._ledger_size):
            self._end("failed")
            raise Conflict("nothing was copied")
        last = LastBackup(at=self._clock(), ledger_size=self._ledger_size, manifest=digest)
        told = f"made: {last.ledger_size} entries, manifest {digest}"
        # With the entry anybody can check the manifest: juki ledger verify-export.
        entry = replace(system_entry(OPERATION, self._firmware, told), file=bytes.fromhex(digest))
        self._let_go()
        self._vault.write(
            lambda unit: (
                unit.put_document(COLLECTION, KEY, msgspec.json.encode(last)),
                unit.enter(entry),
            )
        )
        self._last = last

    def _mine(self, lease: str) -> None:
        if not self._lease or not secrets.compare_digest(lease.encode(), self._lease.encode()):
            raise Conflict("this backup is not under way; what was copied is none")

    def _end(self, code: str) -> None:
        self._let_go()
        self._refuse(code)

    def _let_go(self) -> None:
        self._lease = ""
        self._vault.release()

    def _refuse(self, why: str) -> None:
        entry = system_entry(OPERATION, self._firmware, f"none: {why}", Result.ERROR)
        self._vault.write(lambda unit: unit.enter(entry))


@contextmanager
def _as_refusals() -> Iterator[None]:
    try:
        yield
    except OutcomeUnknown:
        raise
    except StorageError as problem:
        raise Unavailable(str(problem)) from problem
