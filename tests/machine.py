"""A whole appliance on this machine: its own process, real files, sockets and certificates.

What a test asks it goes over the wire, as a terminal, a municipality's server or the national
server would; what a test knows besides is what its operator could know, from its folder.

::

    network/        the authority and everybody's certificates
    custodians/     share-1.txt ... share-5.txt and the keys by which the policy is signed
    firmware/       the policy as shipped, signed
    appliance.toml  the configuration
    appliance/      the data folder, made by init
    appliance.log   what every process so far has written
"""

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from appliance.certificates import CertificateAuthority, Issued, fingerprint
from appliance.edge.tls import client_context
from appliance.machine.config import Settings, read_settings
from appliance.machine.init import THRESHOLD, Founded, Founder, Founding, found, write_shares
from appliance.machine.store import Layout
from appliance.model import JST, TerminalKind
from tests.appliance.founding import free_ports
from tests.simulators.link import Answer, Credentials, Link
from tests.simulators.terminal import Terminal

SHIPPED = Path(__file__).resolve().parent.parent / "firmware_config"
ORIGIN = "audit.juki.test/g1"
PIN = "27182818"
PREFECTURE = "PREF-43"
"""The common name by which the national server knows the appliance."""
PIN_TIME = timedelta(days=30)
PATIENCE = 20.0
"""Seconds a process has to do what it was told."""
PAUSE = 0.005


class Gone(Exception):
    """The process has ended, or was never there."""


@dataclass
class Machine:
    """One appliance; ``process`` is the one running now, if one is."""

    folder: Path
    port: int
    management: int
    founded: Founded
    authority: CertificateAuthority
    process: "subprocess.Popen[bytes] | None" = None
    people: dict[str, str] = field(default_factory=dict)
    """The operators let in, and what each must do to log in: nothing but the PIN."""

    @classmethod
    def make(
        cls, folder: Path, *, national_port: int | None = None, residents: int = 100_000
    ) -> "Machine":
        """Make everything but a running process.

        Args:
            folder: empty or absent.
            national_port: where the national server listens; None: there is none.
            residents: how many are expected; the width of tokens hangs on it.
        """
        now = datetime.now(UTC)
        port, management = free_ports(2)
        for name in ("network", "custodians", "firmware"):
            (folder / name).mkdir(parents=True)
        authority = CertificateAuthority.create("Test CA", now)
        authority.save(folder / "network")
        authority.issue_server(["127.0.0.1", "localhost"], now=now).write(
            folder / "network", "server"
        )
        for name in ("TERM-0001", PREFECTURE):
            authority.issue_client(name, now=now).write(folder / "network", name)
        shutil.copy(SHIPPED / "plugins.toml", folder / "firmware")
        shutil.copytree(SHIPPED / "policy", folder / "firmware" / "policy")
        config = _config(port, management, residents) + _national(national_port)
        (folder / "appliance.toml").write_text(config, "utf-8")
        founded = _found(folder)
        return cls(folder, port, management, founded, authority)

    # --- where things are ---

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "appliance.toml"

    @property
    def log(self) -> Path:
        """What the processes wrote."""
        return self.folder / "appliance.log"

    @property
    def data(self) -> Path:
        """The appliance's own folder."""
        return self.folder / "appliance"

    @cached_property
    def settings(self) -> Settings:
        """The configuration."""
        return read_settings(self.config)

    @property
    def layout(self) -> Layout:
        """The paths below the data folder."""
        return Layout(self.data)

    @property
    def url(self) -> str:
        """The main port."""
        return f"https://127.0.0.1:{self.port}"

    # --- the process ---

    def start(self) -> None:
        """Start the process; returns at once. It does not outlive whoever started it."""
        serve = [sys.executable, "-I", "-m", "appliance", "serve", "--config", str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *serve],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_until_asked(self) -> None:
        """Return once the process answers, sealed.

        Raises:
            Gone: it ended instead, or took too long.
        """
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                self.loopback("GET", "seal-status")
            except OSError:
                if self.has_ended:
                    raise Gone(self.last_lines()) from None
                time.sleep(PAUSE)
            else:
                return
        raise Gone("the process does not answer")

    def unseal(self) -> None:
        """Give three shares.

        Raises:
            Gone: the process ended meanwhile.
            AssertionError: a share was refused.
        """
        for share in self.founded.shares[:THRESHOLD]:
            try:
                status, told = self.loopback("POST", "unseal", {"share": share})
            except (OSError, http.client.HTTPException) as problem:
                raise Gone(str(problem)) from problem
            if status != http.client.OK:
                raise AssertionError(f"unsealing was refused: {told}")

    def open(self) -> None:
        """Start the process and give three shares; return when it serves.

        Raises:
            Gone: it ended instead, or took too long.
            AssertionError: a share was refused.
        """
        self.start()
        self.wait_until_asked()
        self.unseal()

    def kill(self) -> None:
        """End the process with SIGKILL, as a power cut would end it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def has_ended(self) -> bool:
        """Whether the process ended by itself, or was never there."""
        return self.process is None or self.process.poll() is not None

    def terminate(self) -> None:
        """Tell the process to end in order; returns at once."""
        if self.process is None:
            raise Gone("there is no process")
        self.process.terminate()

    def stop(self) -> int:
        """End the process in order; return its exit code."""
        if self.process is None:
            raise Gone("there is no process")
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def loopback(
        self, method: str, name: str, body: Mapping[str, Any] | None = None, token: str = ""
    ) -> tuple[int, Any]:
        """Ask the loopback port for ``/v1/sys/name``; return status and what was answered.

        Raises:
            OSError: nobody answers.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.management, timeout=PATIENCE)
        headers = {"Content-Type": "application/json"}
        if token:
            headers["X-Seal-Token"] = token
        content = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, f"/v1/sys/{name}", content, headers)
            answer = connection.getresponse()
            raw = answer.read()
        finally:
            connection.close()
        plain = raw.decode() if name == "metrics" else json.loads(raw)
        return answer.status, plain

    def juki(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the operator's in a process of its own, with ``--json``."""
        return subprocess.run(
            [sys.executable, "-I", "-m", "appliance", *arguments, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )

    def check(self, *anchors: Path) -> dict[str, Any]:
        """Run ``juki check``; the process must not be running."""
        options = [part for anchor in anchors for part in ("--anchor", str(anchor))]
        shares = str(self.folder / "custodians")
        done = self.juki("check", "--config", str(self.config), "--shares-from", shares, *options)
        told: dict[str, Any] = json.loads(done.stdout or done.stderr)
        return told

    def files(self) -> list[Path]:
        """Return every file the appliance has written: its data folder and its log."""
        return [self.log, *(path for path in self.data.rglob("*") if path.is_file())]

    def written(self) -> dict[Path, bytes]:
        """Return what stands in every file; a partial tile may be replaced while this looks."""
        found: dict[Path, bytes] = {}
        for path in self.files():
            with suppress(FileNotFoundError):
                found[path] = path.read_bytes()
        return found

    def last_lines(self, count: int = 10) -> str:
        """Return the end of the log."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-count:])

    # --- who may ask ---

    def issue(self, name: str, issued: Issued | None = None) -> Credentials:
        """Write a certificate for somebody, a good one unless another is given."""
        issued = issued or self.authority.issue_client(name, now=datetime.now(UTC))
        return Credentials(*issued.write(self.folder / "network", name), self._ca)

    def issue_server(self, name: str) -> Credentials:
        """Write a certificate for a server on this machine."""
        return self.issue(name, self.authority.issue_server(["127.0.0.1"], now=datetime.now(UTC)))

    def credentials(self, name: str) -> Credentials:
        """Return the papers of somebody whose certificate was issued."""
        network = self.folder / "network"
        return Credentials(network / f"{name}.pem", network / f"{name}.key", self._ca)

    def link(self, name: str, *, timeout: float = 30.0) -> Link:
        """Return a connection of somebody whose certificate was issued."""
        return Link(self.url, self.credentials(name), timeout=timeout)

    def context(self, name: str) -> ssl.SSLContext:
        """Return how somebody proves himself whose certificate was issued."""
        return client_context(*self.credentials(name))

    @contextmanager
    def connect(self, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
        """Yield a connection to the main port, secured as the context says."""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as sock,
        ):
            # A request behind the last word of the handshake must not wait for its receipt.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield sock

    def terminal(self, name: str = "TERM-0001") -> Terminal:
        """Return a terminal whose certificate was issued; nobody is logged in."""
        return Terminal(self.url, *self.credentials(name))

    def administrator(self) -> Terminal:
        """Return the first terminal, with the first システム管理者 logged in."""
        terminal = self.terminal()
        if "OP-0001" not in self.people:
            terminal.enrol(self.founded.enrolment_code, PIN)
            self.people["OP-0001"] = PIN
        terminal.login("OP-0001", PIN)
        return terminal

    def officer(self) -> Terminal:
        """Return the first terminal, with the first セキュリティ責任者 logged in."""
        terminal = self.terminal()
        if "OP-9001" not in self.people:
            terminal.enrol(self.founded.officer_code, PIN)
            self.people["OP-9001"] = PIN
        terminal.login("OP-9001", PIN)
        return terminal

    def agreed(
        self, administrator: Terminal, operation: str, body: Mapping[str, Any], key: str
    ) -> dict[str, Any]:
        """Do what takes two: ask, let the officer agree, carry it out; return the data."""
        number = self.approved(administrator, operation, body, key)
        answer = administrator.call(operation, body, idempotency_key=key, approval=number)
        return accepted(answer)

    def approved(
        self, administrator: Terminal, operation: str, body: Mapping[str, Any], key: str
    ) -> int:
        """Ask for what takes two, and let the officer agree; return the number."""
        wanted = {"operation": operation, "arguments": body, "form": "test-1", "reason": "test"}
        asked = administrator.call("approval/request", wanted, idempotency_key=f"{key}-asked")
        number = int(accepted(asked)["number"])
        officer = self.officer()
        given = officer.call("approval/give", {"number": number}, idempotency_key=f"{key}-given")
        accepted(given)
        officer.close()
        return number

    def register(
        self, administrator: Terminal, name: str, kind: str, municipality: str | None = None
    ) -> None:
        """Enter somebody's certificate, issued or not yet, in the terminal register."""
        if not self.credentials(name).certificate.exists():
            self.issue(name)
        body = {
            "terminal_id": name,
            "kind": kind,
            "place": "test",
            "certificate": self.credentials(name).certificate.read_text("ascii"),
            "municipality_code": municipality,
        }
        operation, key = "roster/enrol-terminal", f"{name}-entered"
        if TerminalKind(kind).is_staffed:
            accepted(administrator.call(operation, body, idempotency_key=key))
        else:
            self.agreed(administrator, operation, body, key)

    def appoint(self, administrator: Terminal, operator: str, roles: Sequence[str]) -> None:
        """Let somebody in, with every 事務, who sets the PIN at the first terminal."""
        person, papers = operator.replace("OP", "P"), {"office": "test", "form": "test-1"}
        papers |= {"expires_on": "2099-03-31"}
        authority = {
            "operator_id": operator,
            "holders": [person],
            "roles": list(roles),
            "purposes": [
                "register-administration",
                "prefectural-tax",
                "education-scholarship",
                "disclosure",
            ],
        }
        until = (datetime.now(UTC).astimezone(JST).date() + PIN_TIME).isoformat()
        pin = {"person_id": person, "reason": "test", "until": until}
        for what, body in (
            ("grant", {"person_id": person, "name": "試験　職員", **papers}),
            ("add-operator", authority | papers),
            ("issue-pin", pin),
        ):
            key = f"{operator}-{what}-".ljust(16, "0")
            data = self.agreed(administrator, f"roster/{what}", body, key)
        self.terminal().enrol(data["enrolment_code"], PIN)
        self.people[operator] = PIN

    @property
    def _ca(self) -> Path:
        return self.folder / "network" / "ca.pem"


@contextmanager
def running(machine: Machine) -> Iterator[Machine]:
    """Start and unseal; end the process at the end, whatever happens."""
    try:
        machine.open()
        yield machine
    finally:
        machine.kill()


def accepted(answer: Answer) -> dict[str, Any]:
    """Return the data of an answer that must be a yes."""
    if answer.status != http.client.OK:
        raise AssertionError(f"{answer.status} {answer.body}")
    data: dict[str, Any] = answer.body["data"]
    return data


def _found(folder: Path) -> Founded:
    pem = (folder / "network" / "TERM-0001.pem").read_bytes()
    founding = Founding(
        settings=read_settings(folder / "appliance.toml"),
        fingerprint=fingerprint(pem),
        terminal_id="TERM-0001",
        place="test",
        administrator=Founder(person_id="P-0001", operator_id="OP-0001"),
        officer=Founder(person_id="P-9001", operator_id="OP-9001"),
        office="test",
        expires_on=date(2099, 3, 31),
    )

    def deliver(founded: Founded) -> None:
        write_shares(folder / "custodians", founded)

    return found(founding, deliver, lambda: datetime.now(UTC))


def _config(port: int, management: int, residents: int) -> str:
    return f"""
data = "appliance"
firmware = "firmware"
origin = "{ORIGIN}"
prefecture = "43"
expected_residents = {residents}
[listen]
host = "127.0.0.1"
port = {port}
[management]
port = {management}
[browser]
origin = "https://localhost:{port}"
[tls]
certificate = "network/server.pem"
key = "network/server.key"
client_ca = "network/ca.pem"
"""


def _national(port: int | None) -> str:
    if port is None:
        return ""
    return f"""
[national]
url = "https://127.0.0.1:{port}"
certificate = "network/{PREFECTURE}.pem"
key = "network/{PREFECTURE}.key"
ca = "network/ca.pem"
"""
