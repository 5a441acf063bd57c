"""The processes of a run: started here, stopped here, by their id and no other way."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""By which this process is told to end."""


class Failed(Exception):
    """A process did not do what the run needs of it."""


class Child:
    """One process; what it says goes into its log.

    Args:
        name: for messages.
        command: its command line.
        log: a file that grows.
        told: its standard output is for us, not for the log.
        shown: its standard error is for whoever looks on, not for the log.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        told: bool = False,
        shown: bool = False,
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if told else errors,
                stderr=None if shown else errors,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                # Ctrl-C is for us; the children are stopped in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """True until it has ended."""
        return self._process.poll() is None

    def first_line(self) -> str:
        """Return the first line it prints on standard output; waits for it.

        Raises:
            Failed: it ended without one.
        """
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            raise Failed(f"{self.name} did not start; its log is {self.log}")
        return line.decode().strip()

    def last_words(self) -> bytes:
        """Return what it prints on standard output until its end; waits for it."""
        printed = self._process.stdout.read() if self._process.stdout else b""
        self._process.wait()
        return printed

    def stop(self) -> int:
        """Ask it to end, insist after a while, and return its exit status."""
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        return status

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def peak_memory(self) -> int:
        """Return the most memory it has held so far, in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        peak = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        return int(peak[1]) // 1024 if peak else 0


class Children:
    """All processes that run beside this one; leaving the block stops them, the last one first."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        # Whoever is impatient must not leave processes behind.
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        for child in reversed(self._children):
            child.stop()

    @property
    def logs(self) -> list[Path]:
        """Where they write."""
        return list(dict.fromkeys(child.log for child in self._children))

    def start(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        told: bool = False,
        shown: bool = False,
    ) -> Child:
        """Start a process."""
        with _undisturbed():
            child = Child(name, command, log, told=told, shown=shown)
            self._children.append(child)
        return child


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put off being interrupted: a process that has started must be known before anything else."""
    arrived: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: arrived.append(number)) for number in ENDING
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for told in arrived:
            signal.raise_signal(told)


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def plain(self) -> dict[str, Any]:
        """What it printed with ``--json``."""
        return dict(json.loads(self.out))


def _finished(command: Sequence[str], given: str) -> Done:
    """Run a command to its end; whoever interrupts ends it too, however early."""
    process: subprocess.Popen[str] | None = None
    try:
        with _undisturbed():
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        out, err = process.communicate(given)
    except BaseException:
        if process is not None:
            process.kill()
            process.communicate()
        raise
    return Done(process.returncode, out, err)


class Juki:
    """Runs ``juki`` as a person at the machine would, and keeps what it said no to.

    Args:
        config: the appliance's configuration.
        log: takes every command that did not end with 0, with what it said.
    """

    def __init__(self, config: Path, log: Path) -> None:
        self._config = config
        self.log = log

    def machine(self, *words: str, given: str = "") -> Done:
        """Run a command on the machine itself: it gets ``--config``."""
        return self.run(*words, "--config", str(self._config), given=given)

    def run(self, *words: str, given: str = "") -> Done:
        """Run a command; ``given`` is its standard input."""
        done = _finished(appliance(*words), given)
        if done.code:
            with self.log.open("a", encoding="utf-8") as log:
                log.write(f"juki {' '.join(words)}: exit {done.code}\n{done.out}{done.err}")
        return done

    def needs(self, *words: str, given: str = "") -> dict[str, Any]:
        """Run a command that must succeed; return what it answers with ``--json``.

        Raises:
            Failed: it did not.
        """
        return self._succeeded(self.run(*words, "--json", given=given), words)

    def needs_machine(self, *words: str, given: str = "") -> dict[str, Any]:
        """As ``needs``, on the machine itself.

        Raises:
            Failed: it did not succeed.
        """
        return self._succeeded(self.machine(*words, "--json", given=given), words)

    def _succeeded(self, done: Done, words: Sequence[str]) -> dict[str, Any]:
        if done.code:
            raise Failed(f"juki {' '.join(words[:2])} ended with {done.code}: {done.err.strip()}")
        return done.plain


def appliance(*words: str) -> list[str]:
    """Return the command line of ``juki``, as the appliance starts itself."""
    return [sys.executable, "-I", "-m", "appliance", *words]


def simulator(name: str, *words: str) -> list[str]:
    """Return the command line of one of the other side."""
    return [sys.executable, "-m", f"tests.simulators.{name}", *words]
