"""A witness as a process of its own, beside an appliance (``tests/machine.py``) that knows it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from appliance.machine.store import read_identity
from tests.appliance.founding import free_ports
from tests.machine import PREFECTURE, Machine
from tests.waiting import until

NAME = "witness.pref-43.example"
SECONDS = 20.0
PROGRAM = ("setpriv", "--pdeathsig", "KILL", sys.executable, "-I", "-m", "appliance")


class Witness:
    """The witness of one appliance; its folder is not the appliance's."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.folder = machine.folder / "witness"
        self.key = read_identity(machine.layout).ledger_key
        (self.port,) = free_ports(1)
        papers = machine.issue_server("witness")
        done = machine.juki(
            *("witness", "init", str(self.folder), "--name", NAME, "--ledger", self.key),
            *("--listen", f"127.0.0.1:{self.port}", "--certificate", str(papers.certificate)),
            *("--cert-key", str(papers.key), "--client-ca", str(papers.ca)),
        )
        assert done.returncode == 0, done.stderr
        self.vkey: str = json.loads(done.stdout)["vkey"]
        self._unknown = machine.config.read_text("utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self.introduce()

    def introduce(self) -> None:
        """Tell the appliance of the witness, from its next start on."""
        table = f"""
[witness]
url = "https://127.0.0.1:{self.port}"
vkey = "{self.vkey}"
certificate = "network/{PREFECTURE}.pem"
key = "network/{PREFECTURE}.key"
ca = "network/ca.pem"
every = "1s"
alarm_after = "3s"
"""
        self.machine.config.write_text(self._unknown + table, "utf-8")

    def conceal(self) -> None:
        """Take the witness out of the configuration, as whoever runs the machine can."""
        self.machine.config.write_text(self._unknown, "utf-8")

    def start(self) -> "Witness":
        """Start the process; return when it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*PROGRAM, "witness", "serve", str(self.folder), "--json"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert json.loads(line)["listening"].endswith(f":{self.port}"), self.log
        return self

    def stop(self) -> int:
        """End it in order; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(SECONDS)
        self.kill()
        return code

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    @property
    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "log").read_text("utf-8")

    def show(self) -> tuple[int, dict[str, Any]]:
        """Return the exit code of ``juki witness show``, and what it says."""
        done = self.machine.juki("witness", "show", str(self.folder))
        return done.returncode, json.loads(done.stdout)

    def size(self) -> int:
        """Return how many entries it has cosigned."""
        return max((each["size"] for each in self.show()[1]["cosigned"]), default=0)

    def seen(self) -> dict[str, Any]:
        """Return what the appliance says of the witness."""
        told: dict[str, Any] = self.machine.loopback("GET", "health")[1]["witness"]
        return told

    def cosigns_all(self) -> int:
        """Wait until everything the ledger has now is cosigned; return how much that is."""
        size = self.ledger_size()
        until(lambda: (self.seen()["size"] or 0) >= size, SECONDS, "it was not cosigned")
        return size

    def ledger_size(self) -> int:
        """Return how many entries the running appliance's ledger has."""
        with self.machine.link("TERM-0001") as link:
            return int(str(link.ask("/v1/sys/checkpoint").body).splitlines()[1])


@contextmanager
def witnessed(machine: Machine) -> Iterator[Witness]:
    """Start a witness beside a machine; end it at the end, whatever happens."""
    witness = Witness(machine)
    try:
        yield witness.start()
    finally:
        witness.kill()
