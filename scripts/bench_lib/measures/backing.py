"""``juki backup make`` of a serving appliance, beside ``cp`` of the same file and its own reads.

The appliance is a process of its own, so is the copier; who asks meanwhile is this process, one
caller at one terminal over mutual TLS. Medium and store lie on the same disk, which is the worst
that can be for those who read.
"""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

from appliance.certificates import fingerprint
from appliance.model import TerminalKind
from appliance.parts import utc_now
from appliance.roster import Roster
from appliance.terminals import TerminalRecord
from appliance.testing import PIN, PREPARED, Bench, ours
from scripts.bench_lib.machines import Grown
from scripts.bench_lib.rows import Row, told
from scripts.bench_lib.timing import percentile
from storage.engine import Unit
from tests.simulators.terminal import Terminal

ALONE_SECONDS = 3.0
TERMINAL, OPERATOR, PERSON = "TERM-BACKUP", "OP-BACKUP", "P-BACKUP"
PURPOSE = ("register-administration", "04")
ITEMS = ("name", "kana", "birth_date", "sex", "address", "reason", "effective_date")
OK = 200
MB = 1e6


def backed_up(site: Grown, rounds: int) -> Iterator[Row]:
    """Back up so many times while somebody reads; every backup is verified and removed."""
    _let_in(site)
    medium = site.machine.folder / "medium"
    medium.mkdir(exist_ok=True)
    with site.running(), _reader(site) as read:
        _timed(read, ALONE_SECONDS)  # until it has done what it does after a start
        alone = _timed(read, ALONE_SECONDS)
        copied, plain, meanwhile = _rounds(site, medium, read, rounds)
    size = site.persons
    bytes_, best = copied[0]["bytes"], min(each["seconds"] for each in copied)
    note = f"{bytes_ / MB:,.0f} MB while serving, best of {rounds}; against cp and sync"
    yield told(f"growth/backup@{size}", best, "s", min(plain), note=note)
    speed, other = bytes_ / MB / best, bytes_ / MB / min(plain)
    yield told(f"growth/backup speed@{size}", speed, "MB/s", other, note="SHA-256 included")
    for percent in (50, 99):
        yield told(
            f"growth/read p{percent} beside a backup@{size}",
            percentile(meanwhile, percent) * 1e3,
            "ms",
            percentile(alone, percent) * 1e3,
            note=f"provision/inquire, {len(meanwhile)} while copying; against {len(alone)} alone",
        )


def _rounds(
    site: Grown, medium: Path, read: "_Read", rounds: int
) -> tuple[list[dict[str, Any]], list[float], list[float]]:
    """Return what each backup told, the seconds of plain copies, and of the reads meanwhile."""
    copied, plain, meanwhile = list[dict[str, Any]](), list[float](), list[float]()

    def back_up() -> None:
        for _ in range(rounds):
            done = site.machine.juki(
                *("backup", "make", "--config", str(site.machine.config), "--to", str(medium))
            )
            if done.returncode:
                raise RuntimeError(f"juki backup make: {done.stdout}{done.stderr}")
            copied.append(json.loads(done.stdout))

    copier = threading.Thread(target=back_up)
    copier.start()
    while copier.is_alive():
        meanwhile.append(read())
    copier.join()
    if len(copied) != rounds:
        raise RuntimeError("a backup failed")
    for each in copied:
        done = site.machine.juki("backup", "verify", each["backup"])
        if done.returncode:
            raise RuntimeError(f"juki backup verify: {done.stdout}{done.stderr}")
        plain.append(_plain_copy(Path(each["backup"]) / "store" / "juki.db", medium))
        subprocess.run(["rm", "-r", each["backup"]], check=True)
    return copied, plain, meanwhile


def _plain_copy(file: Path, medium: Path) -> float:
    begin = time.perf_counter()
    subprocess.run(["cp", "--reflink=never", str(file), str(medium / "plain")], check=True)
    subprocess.run(["sync", str(medium / "plain")], check=True)
    seconds = time.perf_counter() - begin
    (medium / "plain").unlink()
    return seconds


class _Read:
    """Asks for one resident after another."""

    def __init__(self, terminal: Terminal, site: Grown) -> None:
        self._terminal = terminal
        self._codes = cycle(each["resident_code"] for each in site.sample.residents)

    def __call__(self) -> float:
        """Ask once; return the seconds."""
        body = {"by": {"resident_code": next(self._codes)}, "items": ITEMS}
        purpose, reason = PURPOSE
        begin = time.perf_counter()
        answer = self._terminal.call("provision/inquire", body, purpose=purpose, reason=reason)
        if answer.status != OK:
            raise RuntimeError(f"{answer.status} {answer.body}")
        return time.perf_counter() - begin


@contextmanager
def _reader(site: Grown) -> Iterator[_Read]:
    terminal = site.machine.terminal(TERMINAL)
    terminal.login(OPERATOR, PIN, PERSON)
    try:
        yield _Read(terminal, site)
    finally:
        terminal.close()


def _timed(read: _Read, seconds: float) -> list[float]:
    end, took = time.perf_counter() + seconds, list[float]()
    while time.perf_counter() < end:
        took.append(read())
    return took


def _let_in(site: Grown) -> None:
    """Let somebody in at a terminal of its own."""
    mark = fingerprint(site.machine.issue(TERMINAL).certificate.read_bytes())
    record = TerminalRecord(
        fingerprint=mark, terminal_id=TERMINAL, kind=TerminalKind.REPRESENTATIVE
    )

    def enrol(unit: Unit) -> None:
        Roster(unit, unit).enrol_terminal(record)
        unit.enter(PREPARED)

    with site.opened() as opened:
        bench = Bench(opened.vault, ours(), opened.firmware.policy, opened.ring, None)
        bench.now = utc_now()
        bench.vault.write(enrol)
        bench.appoint(OPERATOR, PERSON, roles=("registrar",), purposes=(PURPOSE[0],))
