"""What ``system/state`` tells: put together from what is running, when somebody asks.

Nothing here is about a person. Certificates are read from their files, each time: the server's is
in use from the next start or SIGHUP on.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from appliance.certificates import BadCertificate, peer_from_pem
from appliance.edge.openapi import DISTRIBUTION
from appliance.machine.backupdesk import BackupDesk
from appliance.machine.config import Settings
from appliance.machine.opening import Opened
from appliance.parts import Clock
from appliance.statedesk import (
    Certificate,
    Delivery,
    LastBackup,
    LedgerState,
    SystemState,
    Told,
    WitnessState,
)
from storage.vault import Vault


class Exports(Protocol):
    """How far the ledger is exported."""

    @property
    def entries(self) -> int:
        """How many entries the copy has."""

    @property
    def well(self) -> bool:
        """Whether the last export went well."""


class Status(Protocol):
    """Whoever tells how it stands, as plain data."""

    def status(self) -> dict[str, Any]:
        """Return how it stands."""


class Alive(Protocol):
    """What is running (``running.Running``)."""

    opened: Opened
    vault: Vault
    backups: BackupDesk
    since: datetime

    @property
    def exporter(self) -> Exports:
        """Brings the tiles up to the ledger."""

    @property
    def courier(self) -> Status | None:
        """Delivers to the national server."""

    @property
    def witness(self) -> Status | None:
        """Our side of the witness."""

    def degraded(self) -> list[str]:
        """Return what keeps the appliance from answering as it should."""

    def warnings(self) -> list[str]:
        """Return what a human should see to before that."""

    def disk_free(self) -> float:
        """Return which part of the disk is free."""

    def alarms(self) -> list[dict[str, Any]]:
        """Return what a human should see to."""


def state_of(running: Alive, settings: Settings, clock: Clock) -> SystemState:
    """Return how the appliance is now."""
    return SystemState(
        at=clock(),
        version=version(DISTRIBUTION),
        unsealed_at=running.since,
        policy_serial=running.opened.firmware.manifest.serial,
        degraded=tuple(running.degraded()),
        warnings=tuple(running.warnings()),
        disk_free=round(running.disk_free(), 3),
        certificates=tuple(
            Certificate(name=name, not_after=_ends(path)) for name, path in _certificates(settings)
        ),
        national=_delivery(running, clock()),
        backup=_backup(running),
        witness=_witness(running),
        ledger=LedgerState(
            entries=_entries(running.vault.checkpoint()),
            exported=running.exporter.entries,
            well=running.exporter.well,
        ),
        alarms=tuple(
            Told(name=a["name"], text=a["text"], count=a["count"], since=_moment(a["since"]))
            for a in running.alarms()
        ),
    )


def _certificates(settings: Settings) -> Iterator[tuple[str, Path]]:
    yield "server", settings.tls.certificate
    if settings.national is not None:
        yield "national", settings.national.certificate
    if settings.witness is not None:
        yield "witness", settings.witness.certificate


def _ends(path: Path) -> datetime | None:
    try:
        return peer_from_pem(path.read_bytes()).not_after
    except (OSError, BadCertificate):
        return None


def _delivery(running: Alive, now: datetime) -> Delivery | None:
    if running.courier is None:
        return None
    told = running.courier.status()
    age = told["oldest_age"]
    return Delivery(
        state=told["state"],
        depth=told["depth"],
        oldest_at=None if age is None else now - timedelta(seconds=age),
        last_delivery=_moment(told["last_delivery"]),
        last_error=told["last_error"],
        paused_until=_moment(told["paused_until"]),
    )


def _backup(running: Alive) -> LastBackup:
    told = running.backups.status()
    return LastBackup(
        at=_moment(told["at"]), entries=told["ledger_size"], under_way=told["under_way"]
    )


def _witness(running: Alive) -> WitnessState | None:
    if running.witness is None:
        return None
    told = running.witness.status()
    return WitnessState(
        name=told["name"],
        state=told["state"],
        entries=told["size"],
        cosigned_at=_moment(told["cosigned_at"]),
        last_error=told["last_error"],
    )


def _entries(checkpoint: str) -> int:
    return int(checkpoint.splitlines()[1])


def _moment(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
