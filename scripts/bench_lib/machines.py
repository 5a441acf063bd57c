"""The real appliance over a full store: founded, filled by ``juki load``, started and unsealed.

::

    grown = grown(setting, 20_000)              made now, or by the measure before; not running
    with grown.running() as began:              a process of its own; seconds and memory as it began
        grown.machine.link("CS-431001")

Everything that is asked goes over mutual TLS. What stands in /proc tells how much memory it takes.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from appliance.machine.init import THRESHOLD
from appliance.machine.keeper import Shares
from appliance.machine.opening import Opened, open_store
from appliance.parts import utc_now
from scripts.bench_lib.population import Sample, shares, written
from scripts.bench_lib.rows import Setting
from storage.keyring import read_header
from tests.machine import Machine

SAMPLED = 500
FEWEST = 1_000
"""Residents that an appliance can be made for."""


@dataclass(frozen=True, slots=True)
class Began:
    """How a process began."""

    pid: int
    answers: float
    """Seconds from the start until it answers, sealed."""
    serves: float
    """Seconds from the last share until it serves: the store is open, and was checked."""
    sealed_mb: float
    unsealed_mb: float


@dataclass(slots=True)
class Grown:
    """An appliance's folder with so many residents."""

    machine: Machine
    persons: int
    counts: dict[str, int]
    """Residents by municipality."""
    seed: int
    sample: Sample
    loaded_bytes: int = 0
    """How large the file was after the load."""
    loaded_seconds: float = 0.0
    enrolled: set[str] = field(default_factory=set)

    @property
    def file(self) -> Path:
        """The one file."""
        return self.machine.layout.store / "juki.db"

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """Open the store in this process; the appliance must not be running."""
        machine = self.machine
        header = read_header(machine.layout.ring)
        if header.share_set is None:
            raise RuntimeError("the key ring knows no shares")
        root = Shares(header.share_set).root(list(machine.founded.shares[:THRESHOLD]))
        opened = open_store(machine.settings, root, utc_now)
        try:
            yield opened
        finally:
            opened.vault.close()

    @contextmanager
    def running(self) -> Iterator[Began]:
        """Start it and unseal it; end it in order after the block."""
        machine = self.machine
        try:
            begin = time.perf_counter()
            machine.start()
            machine.wait_until_asked()
            answers = time.perf_counter() - begin
            pid = machine.process.pid if machine.process else 0
            sealed = memory(pid)
            begin = time.perf_counter()
            machine.unseal()
            yield Began(pid, answers, time.perf_counter() - begin, sealed, memory(pid))
            machine.stop()
        finally:
            machine.kill()


_made: dict[tuple[Path, int, int], Grown] = {}


def grown(setting: Setting, residents: int) -> Grown:
    """Return an appliance with so many residents; the same one to whoever asks again in this run.

    Raises:
        RuntimeError: the load failed; says how.
    """
    key = (setting.folder, residents, setting.seed)
    if key not in _made:
        _made[key] = _make(setting.folder / "machines" / str(residents), residents, setting.seed)
    return _made[key]


def memory(pid: int, what: str = "VmHWM") -> float:
    """Return the most memory a process has had so far, in MB; ``VmRSS``: what it has now."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) * 1.024e-3


def _make(folder: Path, residents: int, seed: int) -> Grown:
    machine = Machine.make(folder, residents=max(residents, FEWEST))
    sample = Sample(SAMPLED, seed)
    files = folder / "files"
    files.mkdir()
    paths = [str(path) for path in written(files, residents, seed, sample)]
    given = ("--config", str(machine.config), "--shares-from", str(folder / "custodians"))
    begin = time.perf_counter()
    done = machine.juki("load", *given, *paths)
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(f"juki load: {done.stdout}{done.stderr}")
    shutil.rmtree(files)
    made = Grown(machine, residents, dict(shares(residents)), seed, sample)
    made.loaded_bytes, made.loaded_seconds = made.file.stat().st_size, seconds
    return made
