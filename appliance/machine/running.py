"""What is alive while the appliance is unsealed: the pipeline, and the threads beside it.

``start`` puts it together from an open store; ``stop`` ends it in the opposite order. Nothing of it
exists while sealed.
"""

import logging
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from appliance.certificates import is_issued_by
from appliance.edge.problems import origin
from appliance.index import Index
from appliance.machine.backupdesk import LOOK_EVERY, BackupDesk
from appliance.machine.config import Settings
from appliance.machine.jobs import Chore, Jobs
from appliance.machine.national import NationalLine
from appliance.machine.opening import Opened, system_entry
from appliance.machine.stating import state_of
from appliance.machine.store import Layout
from appliance.machine.witnessing import Witnessing
from appliance.marks import ROOT as MARK_ROOT
from appliance.marks import Marker
from appliance.media import Media
from appliance.parts import Parts
from appliance.pipeline import Pipeline
from appliance.refs import Refs
from appliance.registry import Tools
from appliance.sessions import Sessions
from appliance.values.identifiers import Municipalities
from storage.errors import OutcomeUnknown, StorageError
from storage.tiles import publish_witnessed
from storage.vault import Vault

log = logging.getLogger(__name__)

EXPORT_EVERY = timedelta(seconds=3)
LONG_UNDELIVERED = 15 * 60
"""Seconds after which a message that waits is a warning: updates are told at once (R26)."""
LITTLE_SPACE = 0.1
"""Part of the disk below which a warning is given."""


class Courier(Protocol):
    """Delivers the outbox to the national server, on a thread of its own."""

    def start(self) -> None:
        """Begin to deliver."""

    def stop(self) -> None:
        """Finish the delivery under way, and end."""

    def status(self) -> dict[str, Any]:
        """Return how deliveries go: ``last_error`` is None while they go well."""


class Exporter:
    """Brings the tiles up to the ledger if it has grown, and what was cosigned beside them.

    A chore, not a job: an entry about each export would itself have to be exported.
    """

    def __init__(
        self, vault: Vault, folder: Path, witnessed: Callable[[], str | None] = lambda: None
    ) -> None:
        self._vault = vault
        self._folder = folder
        self._witnessed = witnessed
        self._exported = self._published = ""
        self.well = True

    @property
    def entries(self) -> int:
        """How many entries the copy has; 0 before the first export of this process."""
        return int(self._exported.splitlines()[1]) if self._exported else 0

    def export(self) -> None:
        """Export, if there is anything new; ``well`` says whether that went well."""
        try:
            self._export()
        except (StorageError, OSError) as problem:
            # The ledger itself is safe in the store; the copy is made up for at the next turn.
            self.well = False
            log.error("the ledger could not be exported: %s", origin(problem))
        else:
            self.well = True

    def _export(self) -> None:
        checkpoint, witnessed = self._vault.checkpoint(), self._witnessed() or ""
        if checkpoint != self._exported:
            self._vault.export_tiles(self._folder)
            self._exported = checkpoint
        news = witnessed not in ("", self._published)
        if news and publish_witnessed(self._folder, witnessed):
            self._published = witnessed


class Running:
    """An unsealed appliance at work."""

    def __init__(
        self,
        opened: Opened,
        settings: Settings,
        *,
        turned_away: Callable[[str, str], None],
        make_courier: Callable[[Pipeline], Courier | None],
        on_unknown: Callable[[], None],
        national: NationalLine | None,
        clock: Callable[[], datetime],
        witness: Witnessing | None = None,
    ) -> None:
        self.opened = opened
        self.vault = opened.vault
        ring = opened.ring
        self.witness = witness
        witnessed = (lambda: None) if witness is None else witness.note
        self.pipeline = Pipeline(
            Parts(
                engine=opened.vault,
                policy=opened.firmware.policy,
                hook=opened.loaded.hook,
                operations=opened.loaded.operations,
                tools=Tools(
                    index=Index(ring.key("idx-root/1"), ring.token_bits),
                    municipalities=Municipalities.load(),
                    marker=Marker(ring.key(MARK_ROOT)),
                ),
                sessions=Sessions(settings.session),
                refs=Refs(),
                media=Media(ring.key("media/1")),
                turned_away=turned_away,
                # Read each time: SIGHUP may have brought another.
                is_ours=lambda pem: is_issued_by(pem, settings.tls.client_ca.read_bytes()),
                clock=clock,
                national=national,
                witnessed=witnessed,
            )
        )
        self._national = national
        self.operations = tuple(op for _, op in opened.loaded.operations.values())
        self.courier = make_courier(self.pipeline)
        self.exporter = Exporter(opened.vault, Layout(settings.data).tiles, witnessed)
        self.backups = BackupDesk(
            opened.vault,
            Layout(settings.data).store,
            opened.firmware,
            None if settings.backup is None else settings.backup.alarm_after,
            clock,
        )
        self.jobs = Jobs(
            self.pipeline,
            opened.vault,
            opened.loaded.jobs,
            opened.loaded.manager,
            on_unknown=on_unknown,
            clock=clock,
            chores=[
                Chore("ledger/export", EXPORT_EVERY, self.exporter.export),
                Chore("backup/look", LOOK_EVERY, self.backups.look),
            ],
        )
        self._data = settings.data
        self.since = clock()
        opened.loaded.state.look = lambda: state_of(self, settings, clock)

    def start(self) -> None:
        """Set the threads going."""
        self.jobs.start()
        if self.courier is not None:
            self.courier.start()
        if self.witness is not None:
            self.witness.start(self.vault)

    def stop(self, why: str) -> None:
        """End the threads, enter ``why`` in the ledger, close the store."""
        if self.witness is not None:
            self.witness.stop()
        if self.courier is not None:
            self.courier.stop()
        self.jobs.stop()
        if self._national is not None:
            self._national.close()
        try:
            self.vault.write(lambda unit: unit.enter(system_entry(why, self.opened.firmware)))
        except OutcomeUnknown:
            log.critical("the store stopped after a failed commit; nothing more is written")
        except StorageError as problem:
            log.error("the last entry could not be written: %s", origin(problem))
        finally:
            self.exporter.export()
            self.vault.close()

    def alarms(self) -> list[dict[str, Any]]:
        """Return what plugins, the witness and the last backup say that a human should see to."""
        witness = [] if self.witness is None else self.witness.alarms()
        return [*witness, *self.backups.alarms(), *self.jobs.alarms()]

    def degraded(self) -> list[str]:
        """Return what keeps the appliance from answering as it should."""
        return [] if self.vault.condition == "well" else ["storage"]

    def warnings(self) -> list[str]:
        """Return what a human should see to before it keeps the appliance from answering."""
        found = []
        if self.disk_free() < LITTLE_SPACE:
            found.append("disk")
        if not self.exporter.well:
            found.append("tiles")
        return found + self._of_work()

    def _of_work(self) -> list[str]:
        status = {} if self.courier is None else self.courier.status()
        found = []
        if status.get("last_error"):
            found.append("national")
        if any(self.jobs.failures().values()):
            found.append("jobs")
        if self.alarms():
            found.append("alarms")
        if self.witness is not None and self.witness.status()["last_error"]:
            found.append("witness")
        if status.get("paused_until"):
            found.append("national-maintenance")
        if (status.get("oldest_age") or 0) > LONG_UNDELIVERED:
            found.append("outbox")
        return found

    def disk_free(self) -> float:
        """Return which part of the disk is free."""
        usage = shutil.disk_usage(self._data)
        return usage.free / usage.total
