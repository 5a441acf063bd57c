"""One process life after another, each ended by SIGKILL at a moment left to chance.

::

    start ── answers, sealed ── three shares ── read back ── load ── SIGTERM
      └ START                      └ UNSEAL                    ├ LOAD    └ STOPPING
                                                               └ COMMIT: the WAL has just grown

The last life is ended in order, and everything is compared once more: what the municipalities
sent, what the national server heard, what ``juki check`` and ``juki ledger verify`` find.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import urlsplit

from appliance.model import JST
from scripts.crash_lib.account import Account
from scripts.crash_lib.callers import Clerk, Municipality
from scripts.crash_lib.readback import Auditor
from scripts.crash_lib.stream import Stream
from tests.appliance.founding import free_ports
from tests.machine import Gone, Machine, running
from tests.simulators.national import NationalServer, Switch
from tests.simulators.national_file import NationalFile
from tests.simulators.notices import digest, eight_of

MUNICIPALITIES: Final = ("432024", "432032", "432041")
AUDITOR, CLERK, REGISTRAR = "OP-0002", "OP-0003", "OP-0004"
SEAT: Final = "TERM-0002"
"""Where the clerk sits; the auditor has the first terminal."""
NATIONAL: Final = "NATIONAL"
DELIVERY_SECONDS: Final = 60.0
STOPPING_SECONDS: Final = 0.3
COMMIT_SECONDS: Final = 1.0
LATE_SECONDS: Final = 0.02
"""How long after a commit has begun the process may be killed; its answer has left by then."""


class Moment(Enum):
    """When a process is killed."""

    START = "while it starts"
    UNSEAL = "while it is unsealed"
    LOAD = "under load"
    COMMIT = "while it commits"
    STOPPING = "while it stops"


CHANCES: Final = {
    Moment.START: 15,
    Moment.UNSEAL: 15,
    Moment.LOAD: 30,
    Moment.COMMIT: 30,
    Moment.STOPPING: 10,
}
"""How likely each moment is, in percent."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to go on.

    Args:
        cycles: lives ended by SIGKILL.
        seed: another seed, other people and other moments.
        check_every: cycles between two runs of ``juki check``; 0 runs it only at the end.
        load_seconds: the longest time under load.
    """

    cycles: int
    seed: int
    check_every: int = 100
    load_seconds: float = 0.6


Told = Callable[[int, Account], None]
"""Told after each cycle how many there were."""


class Lives:
    """The whole run over one machine, with its national server listening."""

    def __init__(self, machine: Machine, national: NationalFile, plan: Plan) -> None:
        self.account = Account()
        self._plan = plan
        self._rng = Random(f"lives/{plan.seed}")
        self._national = national
        self.machine = machine
        today = datetime.now(UTC).astimezone(JST).date()
        self.municipalities = [
            Municipality(f"CS-{code}", Stream(code, plan.seed, today), self.account)
            for code in MUNICIPALITIES
        ]
        self._clerk = Clerk(SEAT, CLERK, self.municipalities, self.account, Random(plan.seed))
        self._auditor = Auditor(
            machine=self.machine,
            operator=AUDITOR,
            registrar=REGISTRAR,
            municipalities=self.municipalities,
            clerks=[self._clerk],
            national=self.machine.link(NATIONAL),
            account=self.account,
            rng=Random(f"auditor/{plan.seed}"),
        )
        self._anchors = machine.folder / "anchors"
        self._anchors.mkdir()
        self._starting = 0.3
        self._unsealing = 0.2

    def run(self, told: Told) -> None:
        """Let every life be lived and ended; then look at what is left."""
        moments = self._rng.choices(list(CHANCES), list(CHANCES.values()), k=self._plan.cycles)
        every = self._plan.check_every
        try:
            for cycle, moment in enumerate(moments, start=1):
                self.live(moment)
                self.account.killed[moment.value] += 1
                if every and cycle % every == 0:
                    self._check(cycle)
                told(cycle, self.account)
            self._last_life()
        finally:
            self.machine.kill()

    def live(self, moment: Moment) -> None:
        """Live once: start, unseal, read back, be asked, and be killed at this moment."""
        machine = self.machine
        began = time.monotonic()
        machine.start()
        if moment is Moment.START:
            time.sleep(self._rng.uniform(0, self._starting))
            machine.kill()
            return
        machine.wait_until_asked()
        answering = time.monotonic()
        self._starting = answering - began
        if moment is Moment.UNSEAL:
            with self._killed_in(self._rng.uniform(0, self._unsealing)):
                machine.unseal()
            return
        machine.unseal()
        self._unsealing = time.monotonic() - answering
        self._auditor.read_back()
        self._load(moment)

    @contextmanager
    def _killed_in(self, seconds: float) -> Iterator[None]:
        """Kill the process after so long, whatever the block is doing then."""
        process = self.machine.process
        if process is None:
            raise Gone("there is no process")
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            yield
        except Gone:
            pass
        finally:
            timer.join()
            self.machine.kill()

    def _load(self, moment: Moment) -> None:
        """Keep the appliance busy until it is killed."""
        machine, ending = self.machine, threading.Event()
        threads = [
            threading.Thread(target=each.send_until, args=(ending, machine.link(each.terminal)))
            for each in self.municipalities
        ]
        seat = machine.terminal(self._clerk.terminal)
        threads.append(threading.Thread(target=self._clerk.look_until, args=(ending, seat)))
        for thread in threads:
            thread.start()
        time.sleep(self._rng.uniform(0.02, self._plan.load_seconds))
        if machine.has_ended:
            self.account.find(f"the process ended by itself: {machine.last_lines()}")
        elif moment is Moment.STOPPING:
            machine.terminate()
            time.sleep(self._rng.uniform(0, STOPPING_SECONDS))
        elif moment is Moment.COMMIT:
            self._wait_for_a_commit()
        machine.kill()
        ending.set()
        for thread in threads:
            thread.join()

    def _wait_for_a_commit(self) -> None:
        """Return at most some milliseconds after the WAL began to grow."""
        wal = self.machine.layout.store / "juki.db-wal"
        end = time.monotonic() + COMMIT_SECONDS
        before = wal.stat().st_mtime_ns
        while wal.stat().st_mtime_ns == before and time.monotonic() < end:
            pass
        late = time.monotonic() + self._rng.uniform(0, LATE_SECONDS)
        while time.monotonic() < late:
            pass

    def _last_life(self) -> None:
        machine = self.machine
        machine.open()
        self._auditor.read_back()
        self._auditor.read_back()  # what the first one had to send again is there too
        self._compare_national()
        if (code := machine.stop()) != 0:
            self.account.find(f"the process ended with {code}")
        self._check(self._plan.cycles)

    def _compare_national(self) -> None:
        """Wait until the national server has heard everything; then its file must be ours."""
        end = time.monotonic() + DELIVERY_SECONDS
        people = [notice for each in self.municipalities for notice in each.settled.values()]
        people.sort(key=lambda notice: notice.resident_code)
        wanted = digest(map(eight_of, people))
        while (summary := self._national.summary())["digest"] != wanted:
            if time.monotonic() > end:
                self.account.find(f"the national server differs: {summary}")
                return
            time.sleep(0.1)

    def _check(self, cycle: int) -> None:
        """Run ``juki check`` and ``juki ledger verify`` on what the last process left."""
        machine = self.machine
        report = machine.check(*sorted(self._anchors.iterdir()))
        if not report.get("clean"):
            self.account.find(f"juki check after {cycle} cycles: {report}")
        tiles = machine.layout.tiles
        if (tiles / "checkpoint").exists():
            key = machine.founded.identity.ledger_key
            verified = machine.juki("ledger", "verify", str(tiles), "--key", key)
            if verified.returncode != 0:
                self.account.find(f"juki ledger verify after {cycle} cycles: {verified.stdout}")
            (self._anchors / f"{cycle:06}").write_bytes((tiles / "checkpoint").read_bytes())
        self.account.count("checks")


@contextmanager
def prepared(folder: Path) -> Iterator[tuple[Machine, NationalFile]]:
    """Make a machine with everybody let in, and its national server; end both at the end."""
    with accompanied(settled(folder / "machine"), folder) as (machine, national):
        yield machine, national


def settled(folder: Path) -> Machine:
    """Make a machine with everybody let in; it does not run, and may be copied as it lies."""
    (port,) = free_ports(1)
    machine = Machine.make(folder, national_port=port)
    machine.issue_server("national")
    _let_in(machine)
    return machine


@contextmanager
def accompanied(machine: Machine, folder: Path) -> Iterator[tuple[Machine, NationalFile]]:
    """Let a national server with an empty file answer a machine; end both at the end.

    Raises:
        ValueError: the machine was made without one.
    """
    national = machine.settings.national
    if national is None:
        raise ValueError(machine.config)
    address = ("127.0.0.1", urlsplit(national.url).port or 0)
    with NationalFile(folder / "national.db") as file:
        server = NationalServer(address, machine.credentials("national"), file, Switch())
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield machine, file
        finally:
            machine.kill()
            server.shutdown()
            thread.join()
            server.server_close()


def _let_in(machine: Machine) -> None:
    """Register everybody who calls, through the front door."""
    with running(machine):
        administrator = machine.administrator()
        for code in MUNICIPALITIES:
            machine.register(administrator, f"CS-{code}", "municipality", code)
        machine.register(administrator, NATIONAL, "national")
        machine.register(administrator, SEAT, "representative")
        machine.appoint(administrator, AUDITOR, ["auditor"])
        for operator in (CLERK, REGISTRAR):
            machine.appoint(administrator, operator, ["registrar"])
        administrator.close()
