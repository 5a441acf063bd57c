"""The prefecture's witness: told of every newer checkpoint, asked before anything is served.

At unseal the ledger is compared with what the witness has cosigned. If it is shorter or another
one, nothing is served and nothing is written: that is how a data folder put back whole is found.
After that a thread hands over the newest checkpoint; requests never wait for it.

A witness that is not reached is an alarm and no reason not to serve: residents must not suffer
because a cable is out. One that contradicts us while we serve is an alarm too: it may be wrong, or
in wrong hands, and must not be able to take the server away.
"""

import logging
import ssl
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from appliance.edge import tls
from appliance.edge.problems import origin
from appliance.files import replace_file
from appliance.machine.config import Settings, Witness
from appliance.machine.cosigning import Contradicted, Cosigned, Unwitnessed, Views, WitnessLine
from appliance.machine.store import Layout, read_identity
from appliance.parts import Clock
from storage.engine import Engine
from storage.errors import LedgerBroken, StorageError
from storage.note import VerifierKey
from storage.tiles import read_note

log = logging.getLogger(__name__)

REFRESH = timedelta(minutes=1)
"""A ledger that rests is handed over again, so that the age says whether the witness is there."""
LONGEST_PAUSE = timedelta(minutes=5)
AHEAD = timedelta(minutes=5)
"""How far the witness's clock may be ahead of ours: what it says of later would never grow old."""


class State(Enum):
    """How it stands with the witness."""

    WAITING = "waiting"
    COSIGNED = "cosigned"
    FAILING = "failing"
    ROLLBACK = "rollback"
    FORK = "fork"


REFUSED = frozenset({State.ROLLBACK, State.FORK})


@dataclass(frozen=True, slots=True)
class _Status:
    state: State = State.WAITING
    error: str | None = None
    since: datetime | None = None
    """From when on it has not gone well."""


class Witnessing:
    """Our side of the witness; ``status``, ``alarms`` and ``note`` from any thread.

    Args:
        witness: which, where, and how often.
        context: how we prove ourselves, and whom we believe (``tls.client_context``).
        path: where the newest cosigned checkpoint is kept.
        ledger: by which key the ledger signs.
        clock: the time.
    """

    def __init__(
        self,
        witness: Witness,
        context: ssl.SSLContext,
        path: Path,
        ledger: VerifierKey,
        clock: Clock,
    ) -> None:
        self._witness = witness
        self._path = path
        self._clock = clock
        self._line = WitnessLine(witness, context, ledger)
        self._began = clock()
        self._kept = self._read()
        self._status = _Status()
        self._compared = False
        self._failures = 0
        self._pending: str | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    # --- at unseal ---

    def agree(self, views: Views) -> None:
        """Compare the ledger with what the witness has cosigned, before anything is written.

        Raises:
            LedgerBroken: the witness has cosigned what this ledger is not.
        """
        with views() as view:
            checkpoint = view.checkpoint()
        try:
            self._attempt(views, checkpoint)
        except Contradicted as found:
            raise LedgerBroken(
                f"{found}. Nothing was written. Put the newest data folder back and unseal again. "
                "If it is lost for good, the prefecture decides: it moves the witness's record of "
                "this ledger away, keeps it as evidence, and the shares are given again"
            ) from None

    # --- while it serves ---

    def start(self, engine: Engine) -> None:
        """Begin to hand over checkpoints."""
        self._thread = threading.Thread(
            target=self._run, args=(engine,), name="witness", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Finish or break off the exchange under way, and end."""
        self._ending.set()
        while self._thread is not None and self._thread.is_alive():
            self._line.hang_up()
            self._thread.join(0.1)

    def note(self) -> str | None:
        """Return the newest cosigned checkpoint, a signed note; None if there is none."""
        return None if self._kept is None else self._kept.note

    def age(self) -> float:
        """Return the age of the last cosignature in seconds; without one, of this process."""
        return self._age().total_seconds()

    def is_refused(self) -> bool:
        """Return whether the witness says that the ledger contradicts itself."""
        return self._status.state in REFUSED

    def status(self) -> dict[str, Any]:
        """Return how it stands, as plain data."""
        status, kept = self._status, self._kept
        return {
            "name": self._witness.vkey.name,
            "state": status.state.value,
            "size": None if kept is None else kept.checkpoint.size,
            "cosigned_at": None if kept is None else kept.at.isoformat(),
            "age_seconds": None if kept is None else int(self.age()),
            "last_error": status.error,
            "failing_since": None if status.since is None else status.since.isoformat(),
        }

    def alarms(self) -> list[dict[str, Any]]:
        """Return what a human should see to, in the form of ``machine.jobs.Jobs.alarms``."""
        status, name = self._status, self._witness.vkey.name
        if status.state in REFUSED:
            return [self._alarm(f"witness-{status.state.value}", status.error or "", status.since)]
        why = status.error or "it has not answered yet"
        if not self._compared and status.since is not None:
            text = f"the ledger was not compared with {name} since it was unsealed: {why}"
            return [self._alarm("witness-not-compared", text, status.since)]
        if self._age() > self._witness.alarm_after:
            text = f"{name} has cosigned nothing for long: {why}"
            return [self._alarm("witness-old", text, self._kept.at if self._kept else self._began)]
        return []

    # --- inside ---

    def _run(self, engine: Engine) -> None:
        wait = timedelta()
        while not self._ending.wait(wait.total_seconds()):
            wait = self._turn(engine)
        self._line.close()

    def _turn(self, engine: Engine) -> timedelta:
        """Hand over what is newer, or old; return how long to wait then."""
        try:
            # What may have arrived is sent once more as it was: a witness that hears of it twice,
            # and late, must not take the second time for an older ledger.
            self._pending = self._pending or self._due(engine)
            if self._pending is not None and self._attempt(engine.view, self._pending):
                self._pending = None
        except Contradicted:
            self._pending = None
        except StorageError as problem:
            self._failed(State.FAILING, f"the ledger is not read: {type(problem).__name__}")
        except Exception as bug:
            log.error("handing over to the witness failed: %s", origin(bug))
            self._failed(State.FAILING, f"a fault of the appliance: {type(bug).__name__}")
        pause: timedelta = self._witness.every * 2 ** min(self._failures, 16)
        return min(pause, max(LONGEST_PAUSE, self._witness.every))

    def _due(self, engine: Engine) -> str | None:
        newest = engine.checkpoint()
        kept = self._kept
        if kept is not None and kept.note.startswith(newest) and self._age() < REFRESH:
            return None
        return newest

    def _attempt(self, views: Views, checkpoint: str) -> bool:
        """Hand a checkpoint over; return whether it was cosigned.  The status says why not.

        Raises:
            Contradicted: the witness has cosigned what our ledger is not.
        """
        try:
            cosigned = self._line.cosign(views, checkpoint, self._kept)
            self._compared = True
            if cosigned.at > self._clock() + AHEAD:
                raise Unwitnessed("the witness's clock is ahead of ours: set the one that is wrong")
            replace_file(self._path, cosigned.note.encode(), 0o600)
        except Contradicted as found:
            self._compared = True
            self._failed(State(found.kind.value), str(found))
            raise
        except Unwitnessed as problem:
            self._failed(State.FAILING, str(problem))
            return False
        except OSError as problem:
            self._failed(State.FAILING, f"a cosignature is not kept: {type(problem).__name__}")
            return False
        self._kept, self._failures = cosigned, 0
        self._status = _Status(State.COSIGNED)
        return True

    def _read(self) -> Cosigned | None:
        """Return what was kept, if it is of this ledger and this witness; else there is none."""
        try:
            note = read_note(self._path)
            return None if note is None else Cosigned.read(note, self._line.ledger, self._line.key)
        except LedgerBroken:
            return None

    def _age(self) -> timedelta:
        return max(timedelta(), self._clock() - (self._kept.at if self._kept else self._began))

    def _alarm(self, name: str, text: str, since: datetime | None) -> dict[str, Any]:
        age = None if since is None else int((self._clock() - since).total_seconds())
        written = None if since is None else since.isoformat()
        return {"name": name, "text": text, "count": 1, "since": written, "age_seconds": age}

    def _failed(self, state: State, error: str) -> None:
        self._line.close()
        self._failures += 1
        before = self._status
        if (state, error) != (before.state, before.error):
            level = logging.CRITICAL if state in REFUSED else logging.WARNING
            log.log(level, "the ledger is not cosigned", extra={"code": state.value})
        since = before.since if before.state is state and before.since else self._clock()
        self._status = _Status(state, error, since)


def witnessing(settings: Settings, clock: Clock) -> Witnessing | None:
    """Return our side of the witness that is configured; None where there is none."""
    witness, layout = settings.witness, Layout(settings.data)
    if witness is None:
        return None
    context = tls.client_context(witness.certificate, witness.key, witness.ca)
    ledger = VerifierKey.parse(read_identity(layout).ledger_key)
    return Witnessing(witness, context, layout.witnessed, ledger, clock)
