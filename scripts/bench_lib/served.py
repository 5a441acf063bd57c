"""The real appliance in its own process over a filled store, and rivals behind its edge server.

::

    site = Site.make(folder, residents, seed)       founded, filled, everybody let in; not running
    with site.appliance() as served, site.rival(EMPTY) as empty:
        hammer(Task(served.address, served.inquirers(32), 1.0))
        hammer(Task(empty.address, served.inquirers(32), 1.0))

Filling and letting in happen in this process, over the closed store; what is measured is
``python -m appliance serve``, unsealed with three shares, asked over mutual TLS.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from appliance.certificates import fingerprint
from appliance.machine.init import THRESHOLD
from appliance.machine.keeper import Shares
from appliance.machine.opening import open_store
from appliance.model import JST, Peer, TerminalKind
from appliance.roster import Roster
from appliance.terminals import TerminalRecord
from appliance.testing import PIN, PREPARED, Bench, Seat, ours
from scripts.bench_lib.hammer import ROOT, Client
from scripts.bench_lib.wire import Papers, connect, request
from storage.engine import Unit
from storage.keyring import read_header
from tests.appliance.founding import free_ports
from tests.machine import Machine, running
from tests.simulators.notices import Notice
from tests.simulators.places import SIZES
from tests.simulators.population import Population

EMPTY = "scripts.bench_lib.edge:empty"
SENDERS = 32
"""Municipalities whose residents are in the store, and who send notices."""
TERMINALS = 8
"""At each of which an operator is logged in."""
BATCH = 1_000
SAMPLED = 200
"""Residents of each municipality that are asked for."""
ROLE, PURPOSE = "registrar", {"X-Purpose": "register-administration", "X-Reason": "04"}
ITEMS = ("name", "kana", "birth_date", "sex", "address", "my_number", "reason", "update_number")
PATIENCE = 20.0
PAUSE, QUIET = 0.3, 0.1
"""A process is at rest when it takes less than this part of a core for so many seconds."""


@dataclass(frozen=True, slots=True)
class Served:
    """A process that answers: where, and which one it is."""

    address: tuple[str, int]
    pid: int


class Sender:
    """A municipality: its residents in the store, and the notices it sends next."""

    def __init__(self, code: str, residents: int, seed: int) -> None:
        # Whoever is told of later was there, or was born, on the day the store is filled.
        today = datetime.now(UTC).astimezone(JST).date()
        self.code = code
        self._all = Population(seed, code, sys.maxsize, today).notices()
        self._residents = residents
        self._sequence = residents
        self._day = today.isoformat()
        self._rng = Random(f"{code}/{seed}")
        self.known: list[Notice] = []
        """Some of the residents, as they stand in the store."""

    def first_load(self) -> Iterator[Notice]:
        """Yield all residents."""
        for notice in islice(self._all, self._residents):
            if len(self.known) < SAMPLED:
                self.known.append(notice)
            yield notice

    def notices(self) -> Iterator[Notice]:
        """Yield what it sends, for ever: a newcomer and a move in turn."""
        while True:
            (newcomer,) = islice(self._all, 1)
            yield self._numbered(newcomer)
            yield self._numbered(self._moved())

    def _moved(self) -> Notice:
        """Return one who moves to the address of somebody else; everybody in turn."""
        there, person = self._rng.choice(self.known), self.known.pop(0)
        moved = replace(
            person,
            address=there.address,
            address_gaiji_count=there.address_gaiji_count,
            address_gaiji_serial=there.address_gaiji_serial,
            town_code=there.town_code,
            municipality_code=there.municipality_code,
            reason="31",
            effective_date=self._day,
            update_number=person.update_number + 1,
        )
        self.known.append(moved)
        return moved

    def _numbered(self, notice: Notice) -> Notice:
        self._sequence += 1
        return replace(notice, sequence=self._sequence)


class Site:
    """An appliance's folder, everybody's papers, and what they ask."""

    def __init__(self, machine: Machine, senders: Sequence[Sender]) -> None:
        self.machine = machine
        self.senders = senders
        self._telling = [sender.notices() for sender in senders]
        self._tokens: list[str] = []
        self._keys = 0

    @classmethod
    def make(cls, folder: Path, residents: int, seed: int) -> "Site":
        """Found an appliance in an empty folder and fill it."""
        machine = Machine.make(folder)
        codes = list(SIZES)[:SENDERS]
        each = max(residents // len(codes), 2)
        site = cls(machine, [Sender(code, each, seed) for code in codes])
        site._fill()
        return site

    @contextmanager
    def appliance(self) -> Iterator[Served]:
        """Start and unseal it, and log everybody in; end it after the block."""
        with running(self.machine) as machine:
            process = machine.process
            if process is None:
                raise RuntimeError("the appliance has ended")
            self._tokens = [self._log_in(number) for number in range(TERMINALS)]
            settle(process.pid)
            yield Served(("127.0.0.1", machine.port), process.pid)

    @contextmanager
    def rival(self, factory: str, *arguments: str, resumes: bool = False) -> Iterator[Served]:
        """Start another application behind the same edge server (``edge.py``); end it after.

        ``resumes``: unlike the appliance, it lets TLS sessions be resumed.
        """
        (port,) = free_ports(1)
        folder = self.machine.folder / "network"
        names = [str(folder / name) for name in ("server.pem", "server.key", "ca.pem")]
        options = ["--resumes"] if resumes else []
        edge = [sys.executable, "-m", "scripts.bench_lib.edge", *options]
        command = [*edge, *names, str(port), factory]
        process = subprocess.Popen([*command, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL)
        try:
            self._wait_for(process, ("127.0.0.1", port))
            yield Served(("127.0.0.1", port), process.pid)
        finally:
            process.kill()
            process.wait()

    # --- who asks what ---

    def inquirers(self, count: int, requests: int = 50) -> list[Client]:
        """Return clients who ask for one resident after another by 住民票コード, 8 items."""
        rng = Random(count)
        return [
            self.clerk(number, [self.inquiry(number, rng) for _ in range(requests)])
            for number in range(count)
        ]

    def clerk(self, number: int, requests: Sequence[bytes], *, repeats: bool = True) -> Client:
        """Return a client at a terminal; terminals are shared by turns."""
        return Client(self.papers(_terminal(number % TERMINALS)), requests, repeats)

    def inquiry(self, number: int, rng: Random) -> bytes:
        """Return a request for a random resident, of whoever is logged in at a terminal."""
        person = rng.choice(rng.choice(self.senders).known)
        asked = {"by": {"resident_code": person.resident_code}, "items": ITEMS}
        return self.asked("provision/inquire", asked, number)

    def search(self, number: int, rng: Random) -> bytes:
        """Return a request for a random resident by name and birth date."""
        person = rng.choice(rng.choice(self.senders).known)
        asked = {"name": person.name, "birth_date": person.birth_date}
        return self.asked("search/find", asked, number)

    def lanes(self) -> tuple[list[Papers], list[Papers]]:
        """Return the papers of all terminals, and of all municipalities."""
        terminals = [self.papers(_terminal(number)) for number in range(TERMINALS)]
        return terminals, [self.papers(f"CS-{sender.code}") for sender in self.senders]

    def asked(self, operation: str, body: object, number: int) -> bytes:
        """Return any request of whoever is logged in at a terminal."""
        session = {"Authorization": f"Bearer {self._tokens[number % TERMINALS]}"}
        return request(f"/v1/{operation}", msgspec.json.encode(body), PURPOSE | session)

    def tellers(self, count: int, requests: int, notices: int) -> list[Client]:
        """Return municipalities (at most ``SENDERS``), each with so many requests of new notices.

        Each notice is sent once: clients of one call ask one server, or the floor again.
        """
        return [
            Client(
                self.papers(f"CS-{self.senders[number].code}"),
                [self.notification(number, notices) for _ in range(requests)],
                repeats=False,
            )
            for number in range(count)
        ]

    def notification(self, number: int, notices: int) -> bytes:
        """Return the next request of a municipality, with so many notices."""
        self._keys += 1
        body = {"notifications": list(islice(self._telling[number], notices))}
        key = {"Idempotency-Key": f"bench-notices-{self._keys:010}"}
        return request("/v1/update/notify", msgspec.json.encode(body), key)

    def papers(self, name: str) -> Papers:
        """Return somebody's certificate, key and authority."""
        return Papers(*map(str, self.machine.credentials(name)))

    # --- making it ---

    @cached_property
    def _root(self) -> bytes:
        header = read_header(self.machine.layout.ring)
        if header.share_set is None:
            raise RuntimeError("the key ring knows no shares")
        return Shares(header.share_set).root(list(self.machine.founded.shares[:THRESHOLD]))

    def _fill(self) -> None:
        opened = open_store(self.machine.settings, self._root, lambda: datetime.now(UTC))
        try:
            bench = Bench(opened.vault, ours(), opened.firmware.policy, opened.ring, None)
            bench.now = datetime.now(UTC)
            for number in range(TERMINALS):
                self._enrol(bench, _terminal(number), TerminalKind.REPRESENTATIVE)
                bench.appoint(
                    _operator(number),
                    f"P-{number}",
                    roles=(ROLE,),
                    purposes=(PURPOSE["X-Purpose"],),
                )
            for sender in self.senders:
                seat = self._enrol(
                    bench, f"CS-{sender.code}", TerminalKind.MUNICIPALITY, sender.code
                )
                _load(seat, sender)
        finally:
            opened.vault.close()

    def _enrol(self, bench: Bench, name: str, kind: TerminalKind, code: str | None = None) -> Seat:
        mark = fingerprint(self.machine.issue(name).certificate.read_bytes())
        record = TerminalRecord(
            fingerprint=mark, terminal_id=name, kind=kind, municipality_code=code
        )

        def enrol(unit: Unit) -> None:
            Roster(unit, unit).enrol_terminal(record)
            unit.enter(PREPARED)

        bench.vault.write(enrol)
        day = timedelta(days=1)
        return Seat(bench, Peer(mark, bench.now - day, bench.now + day))

    def _log_in(self, number: int) -> str:
        terminal = self.machine.terminal(_terminal(number))
        session = terminal.login(_operator(number), PIN, f"P-{number}")
        terminal.close()
        return str(session["token"])

    def _wait_for(self, process: "subprocess.Popen[bytes]", address: tuple[str, int]) -> None:
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            try:
                connect(address, self.papers(_terminal(0))).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError("the rival does not answer")


def processor_seconds(pid: int) -> float:
    """Return the seconds of processor that a process has taken."""
    stat = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def settle(pid: int, patience: float = PATIENCE) -> None:
    """Wait until a process has done what it does after a start, such as counting everybody."""
    end, taken = time.monotonic() + patience, -1.0
    while time.monotonic() < end and (now := processor_seconds(pid)) > taken + QUIET * PAUSE:
        taken = now
        time.sleep(PAUSE)


def _load(seat: Seat, sender: Sender) -> None:
    told = sender.first_load()
    while batch := list(islice(told, BATCH)):
        answer: Any = seat.ask("update/notify", {"notifications": batch}).data
        refused = [each for each in answer["results"] if each["outcome"] != "applied"]
        if refused:
            raise ValueError(f"{len(refused)} made-up residents were refused: {refused[0]}")


def _terminal(number: int) -> str:
    return f"TERM-1{number:03}"


def _operator(number: int) -> str:
    return f"OP-1{number:03}"
