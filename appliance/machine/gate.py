"""The appliance as the main port sees it: sealed it refuses, unsealed it hands on to the pipeline.

One object for the life of the process. What is alive only while unsealed is in ``running.py``; the
keeper (``keeper.py``) opens it, the main thread (``boot.py``) closes it.
"""

import logging
import math
import queue
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from enum import Enum
from functools import partial
from importlib.metadata import version
from typing import Any

from appliance.edge import tls
from appliance.edge.door import Seat
from appliance.edge.metrics import Metrics
from appliance.edge.openapi import DISTRIBUTION
from appliance.edge.problems import Early, origin
from appliance.edge.server import Environ
from appliance.errors import AtTheEdge, Unavailable, Unregistered
from appliance.http import make_app
from appliance.machine import host
from appliance.machine.backupdesk import BackupStep
from appliance.machine.config import National, Settings
from appliance.machine.courier import Courier
from appliance.machine.evidence import LEDGER_STOOD, where_it_stands
from appliance.machine.keeper import Shares
from appliance.machine.national import NationalLine
from appliance.machine.opening import open_store
from appliance.machine.running import Running
from appliance.machine.witnessing import witnessing
from appliance.model import Envelope, OperationName, Peer, Reply, RequestId
from appliance.operation import AnyOperation
from appliance.parts import Clock, utc_now
from appliance.pipeline import Pipeline
from appliance.screen import Screen
from storage.errors import OutcomeUnknown
from storage.journal import Journal
from storage.vault import Vault

log = logging.getLogger(__name__)

OK, NOT_OK = 200, 503
OUTBOX = {
    "depth": "Messages that wait for the national server.",
    "oldest_age": "Seconds for which the oldest of them has waited.",
}


class Ending(Enum):
    """Why the process ends, or what else it is told."""

    STOP = "stop"
    SEAL = "seal"
    UNKNOWN = "outcome-unknown"
    RELOAD = "reload"


class Appliance:
    """The appliance as the main port sees it (``edge.door.Door``), sealed or not."""

    def __init__(
        self,
        settings: Settings,
        shares: Shares,
        journal: Journal,
        metrics: Metrics,
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings
        self._shares = shares
        self._journal = journal
        self._metrics = metrics
        self._clock = clock
        self._running: Running | None = None
        self._failed = False
        self._app = make_app(self, metrics)
        self.told: queue.SimpleQueue[Ending] = queue.SimpleQueue()
        """What the main thread is to do next."""
        metrics.watch("unsealed", "1 while requests are answered.", lambda: float(self.is_open))
        metrics.table("alarm", "How many of what a human should see to.", "name", self._alarms)
        metrics.table("alarm_age_seconds", "Age of the oldest of it.", "name", self._alarm_ages)
        metrics.table("job_failures", "Failures in a row of a job.", "job", self._job_failures)
        metrics.watch(
            "witness_cosignature_age_seconds",
            "Age of the last cosignature, or how long there has been none; NaN without a witness.",
            self._witness_age,
        )
        metrics.watch(
            "witness_refused",
            "1 while the witness says that the ledger was rolled back or forked.",
            self._witness_refused,
        )
        metrics.watch(
            "backup_age_seconds", "Age of the last backup; NaN if there is none.", self._backup_age
        )
        for figure, meaning in OUTBOX.items():
            metrics.watch(f"outbox_{figure}", meaning, partial(self._outbox, figure))

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer as the WSGI application of the main port; it is another one once unsealed."""
        return self._app(environ, start_response)

    # --- edge.door.Door ---

    def answer(self, envelope: Envelope) -> Reply:
        """Return the reply, once it is in the ledger.

        Raises:
            Refusal: no, and why; Unavailable while sealed or stopping.
            OutcomeUnknown: the disk failed during the commit; the process stops.
        """
        running = self._running
        if running is None or self._failed:
            raise Unavailable("the appliance is sealed or stopping")
        try:
            return running.pipeline.answer(envelope)
        except OutcomeUnknown:
            self._stop_failed()
            raise

    def seated(self, peer: Peer, bearer: str, *, attended: bool) -> Seat:
        """Return who is logged in with this session at this terminal.

        Raises:
            Unidentified: nobody.
            Unavailable: sealed or stopping.
        """
        running = self._running
        if running is None or self._failed:
            raise Unavailable("the appliance is sealed or stopping")
        return running.pipeline.seated(peer, bearer, attended=attended)

    def screens(self) -> Sequence[Screen]:
        """Return what a browser is offered; nothing while sealed."""
        return () if self._running is None else self._running.opened.loaded.screens

    def operations(self) -> Sequence[AnyOperation]:
        """Return what can be asked; nothing while sealed."""
        return () if self._running is None else self._running.operations

    def health(self) -> tuple[int, dict[str, Any]]:
        """Return whether requests are answered, fit for everybody."""
        running = self._running
        degraded = ["storage"] if self._failed else running.degraded() if running else []
        state = "sealed" if running is None else "degraded" if degraded else "ok"
        return (
            OK if state == "ok" else NOT_OK,
            {"status": state, "sealed": running is None, "degraded": degraded},
        )

    def seal_status(self) -> dict[str, Any]:
        """Return how far unsealing is."""
        known = self._shares.share_set
        return {
            "type": "shamir",
            "initialized": True,
            "sealed": self._running is None,
            "t": known.threshold,
            "n": len(known.checks),
            "progress": self._shares.progress,
            "share_set": known.number,
            "version": version(DISTRIBUTION),
        }

    def checkpoint(self) -> str | None:
        """Return the ledger's latest signed checkpoint; None while sealed."""
        return None if self._running is None else self._running.vault.checkpoint()

    def witnessed(self) -> str | None:
        """Return the newest checkpoint that the witness has cosigned; None if there is none."""
        running = self._running
        return None if running is None or running.witness is None else running.witness.note()

    def refused_early(self, early: Early) -> None:
        """Enter a refusal of a registered machine in the ledger, of anybody else in the journal."""
        running = self._running
        if early.peer is None or running is None or self._failed:
            self._note("" if early.peer is None else early.peer.fingerprint, early.why)
            return
        envelope = Envelope(
            request_id=RequestId(early.request_id),
            peer=early.peer,
            operation=OperationName(early.operation),
            media_type="",
            body=b"",
        )
        try:
            running.pipeline.refuse(envelope, AtTheEdge(early.code, early.text))
        except Unregistered:
            pass  # noted on the way
        except Unavailable:
            self._note(early.peer.fingerprint, early.why)
        except OutcomeUnknown:
            self._stop_failed()

    def _note(self, fingerprint: str, why: str) -> None:
        try:
            self._journal.refused(why, fingerprint=fingerprint)
        except OSError as problem:
            log.error("a refusal could not be noted: %s", origin(problem))

    # --- keeper.Unsealable ---

    @property
    def is_open(self) -> bool:
        """True from the last share on."""
        return self._running is not None

    def open(self, root: bytes) -> None:
        """Open the store and begin to answer.

        Raises:
            StartupError, StorageError: it stays sealed.
        """
        settings = self._settings
        with ExitStack() as undo:
            witness = witnessing(settings, self._clock)
            opened = open_store(settings, root, self._clock, witness)
            undo.callback(opened.vault.close)
            running = Running(
                opened,
                settings,
                turned_away=self._note,
                make_courier=lambda pipeline: self._courier(pipeline, opened.vault),
                on_unknown=self._stop_failed,
                national=self._national(),
                clock=self._clock,
                witness=witness,
            )
            self._running = running
            undo.callback(setattr, self, "_running", None)
            self._app = make_app(self, self._metrics)
            running.start()
            undo.pop_all()
        self._note_ledger(opened.vault)
        host.notify("STATUS=unsealed")

    def end_sealed(self) -> None:
        """Seal: the main thread drains, closes and replaces the process."""
        self.told.put(Ending.SEAL)

    def backup(self, step: str, asked: BackupStep) -> dict[str, Any]:
        """Do a step of a backup (``backupdesk.py``); return what the copier must know.

        Raises:
            Refusal: as ``BackupDesk.take``; Unavailable while sealed.
            OutcomeUnknown: the disk failed during the commit; the process stops.
        """
        running = self._running
        if running is None or self._failed:
            raise Unavailable("it is sealed: unseal it first, or stop it")
        try:
            return running.backups.take(step, asked)
        except OutcomeUnknown:
            self._stop_failed()
            raise

    def details(self) -> dict[str, Any]:
        """Return what only those on the machine are told."""
        running = self._running
        if running is None:
            return {}
        return {
            "warnings": running.warnings(),
            "disk_free": round(running.disk_free(), 3),
            "policy_serial": running.opened.firmware.manifest.serial,
            "national": running.courier.status() if running.courier else None,
            "witness": running.witness.status() if running.witness else None,
            "backup": running.backups.status(),
            "jobs": running.jobs.status(),
            "alarms": running.alarms(),
        }

    def close(self, why: Ending) -> None:
        """End what is running; nothing if sealed."""
        running, self._running = self._running, None
        if running is not None:
            running.stop(f"system/{why.value}")
            self._note_ledger(running.vault)

    def _note_ledger(self, vault: Vault) -> None:
        """Note where the ledger stands, so that an older store is not taken for this one."""
        try:
            self._journal.note(LEDGER_STOOD, **where_it_stands(vault.checkpoint()))
        except OSError as problem:
            log.error("where the ledger stands could not be noted: %s", origin(problem))

    def _alarms(self) -> dict[str, float]:
        running = self._running
        return {} if running is None else {a["name"]: a["count"] for a in running.alarms()}

    def _alarm_ages(self) -> dict[str, float]:
        running = self._running
        alarms = () if running is None else running.alarms()
        return {a["name"]: a["age_seconds"] for a in alarms if a["age_seconds"] is not None}

    def _job_failures(self) -> Mapping[str, float]:
        running = self._running
        return {} if running is None else running.jobs.failures()

    def _national(self) -> NationalLine | None:
        """Return the line inquiries go on; None where there is none."""
        national = self._settings.national
        return None if national is None else NationalLine(national.url, self._proven(national))

    def _courier(self, pipeline: Pipeline, vault: Vault) -> Courier | None:
        """Return who delivers to the national server; None where there is none."""
        national = self._settings.national
        if national is None:
            return None
        return Courier(
            pipeline,
            vault,
            url=national.url,
            context=self._proven(national),
            on_unknown=self._stop_failed,
            clock=self._clock,
        )

    def _witness_age(self) -> float:
        running = self._running
        return math.nan if running is None or running.witness is None else running.witness.age()

    def _witness_refused(self) -> float:
        running = self._running
        return float(running is not None and bool(running.witness and running.witness.is_refused()))

    def _backup_age(self) -> float:
        running = self._running
        return math.nan if running is None else running.backups.age()

    @staticmethod
    def _proven(other: National) -> ssl.SSLContext:
        return tls.client_context(other.certificate, other.key, other.ca)

    def _outbox(self, figure: str) -> float:
        """Return a figure of the delivery to the national server; 0 while there is none."""
        running = self._running
        courier = None if running is None else running.courier
        return 0.0 if courier is None else float(courier.status()[figure] or 0)

    def _stop_failed(self) -> None:
        self._failed = True
        self.told.put(Ending.UNKNOWN)
