"""Where everything lies: one folder for each party, so that nobody holds what is another's.

::

    DIR/appliance/     appliance.toml, firmware/, tls/, data/ and its log: all the appliance has
    DIR/custodians/    five shares, the key that signs the policy, the certificate authority
    DIR/municipality/  the municipality's server: certificate, residents, its own file
    DIR/national/      the national server: certificates, its own file
    DIR/witness/       the prefecture's witness: its key, what it has cosigned
    DIR/terminal/      two terminals: certificates, sessions, every answer that was a no

In earnest these are different machines, and the custodians' folder is five safes.
"""

import shlex
import shutil
import socket
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from appliance.certificates import CertificateAuthority
from scripts.demo.children import ROOT
from scripts.demo.trouble import PortTaken
from tests.simulators.device import STORE, Device
from tests.simulators.link import Credentials

ADDRESS = "127.0.0.1"
PORT = 8443
ORIGIN = "audit.juki.pref-43.example/g1"
PREFECTURE = "prefecture-43"
MUNICIPALITY = "432024"
"""八代市"""
TERMINALS = ("TERM-0001", "TERM-0002", "TERM-0003")


class NotEmpty(Exception):
    """The folder for the data holds something already."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """The folders of a run, and the ports of its appliance."""

    folder: Path
    port: int
    management_port: int

    @property
    def appliance(self) -> Path:
        """All that the appliance has, and nothing that is not its own."""
        return self.folder / "appliance"

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.appliance / "appliance.toml"

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.appliance / "data"

    @property
    def tls(self) -> Path:
        """Its certificates."""
        return self.appliance / "tls"

    @property
    def custodians(self) -> Path:
        """The shares and the keys of the custodians."""
        return self.folder / "custodians"

    @property
    def municipality(self) -> Path:
        """The municipality's server."""
        return self.folder / "municipality"

    @property
    def national(self) -> Path:
        """The national server."""
        return self.folder / "national"

    @property
    def witness(self) -> Path:
        """The prefecture's witness."""
        return self.folder / "witness"

    @property
    def terminal(self) -> Path:
        """The terminals."""
        return self.folder / "terminal"

    @property
    def url(self) -> str:
        """The main port."""
        return f"https://{ADDRESS}:{self.port}"

    @property
    def ca(self) -> Path:
        """By which everybody knows the others."""
        return self.tls / "ca.pem"

    def device(self, person: str) -> "Simulated":
        """Return the device of somebody: where its keys lie, and the program that speaks to it."""
        return _simulated(self.terminal / "devices" / person)

    @property
    def anchor(self) -> Path:
        """A checkpoint that the auditor keeps outside."""
        return self.terminal / "anchor.checkpoint"

    def credentials(self, folder: Path, stem: str) -> Credentials:
        """Return a certificate, its key, and whom its holder believes."""
        return Credentials(folder / f"{stem}.pem", folder / f"{stem}.key", self.ca)

    def share(self, number: int) -> str:
        """Return what the paper of one custodian says."""
        return (self.custodians / f"share-{number}.txt").read_text("ascii").strip()

    def session(self, operator: str) -> Path:
        """Return where ``juki`` keeps an operator's session."""
        return self.terminal / f"session-{operator}.json"


class Simulated(NamedTuple):
    """A device in software, and the program that speaks to it (``juki login --authenticator``)."""

    device: Device
    program: Path


def _simulated(program: Path) -> Simulated:
    """Return a device; its program is written when it is first asked for."""
    store = program.with_suffix(".json")
    if not program.exists():
        program.parent.mkdir(mode=0o700, exist_ok=True)
        where = f"{STORE}={shlex.quote(str(store))} PYTHONPATH={shlex.quote(str(ROOT))}"
        words = shlex.join([sys.executable, "-m", "tests.simulators.device"])
        program.write_text(f"#!/bin/sh\n{where} exec {words}\n", "utf-8")
        program.chmod(0o700)
    return Simulated(Device(store), program)


def lay_out(folder: Path, now: datetime, port: int) -> Grounds:
    """Make the folders, and a certificate for everybody.

    Args:
        folder: what all of them lie in.
        now: from when on the certificates are good.
        port: of the appliance, the loopback port being the next; 0 for any two that are free.

    Raises:
        NotEmpty: something is there already.
        PortTaken: the port, or the next, is in use.
        OSError: a folder cannot be made.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmpty(f"{folder} is not empty; every run makes everything anew")
    try:
        ports = _bindable(port, port + 1 if port else 0)
    except OSError:
        raise PortTaken(port) from None
    grounds = Grounds(folder.resolve(), *ports)
    parties = (grounds.custodians, grounds.municipality, grounds.national, grounds.witness)
    for each in (grounds.tls, *parties):
        each.mkdir(parents=True, mode=0o700)
    grounds.terminal.mkdir(mode=0o700)
    _certificates(grounds, now)
    shipped, firmware = ROOT / "firmware_config", grounds.appliance / "firmware"
    firmware.mkdir()
    shutil.copy(shipped / "plugins.toml", firmware)
    shutil.copytree(shipped / "policy", firmware / "policy")
    return grounds


def configure(grounds: Grounds, national: str, residents: int) -> None:
    """Write the appliance's configuration.

    Args:
        grounds: where.
        national: host and port of the national server.
        residents: how many are expected, for the width of the index.
    """
    grounds.config.write_text(
        f"""# Made by scripts/run. Every key: firmware_config/README.md
data = "data"
firmware = "firmware"
origin = "{ORIGIN}"
prefecture = "43"
expected_residents = {max(residents, 1_000)}

[listen]
host = "{ADDRESS}"
port = {grounds.port}

[management]
port = {grounds.management_port}

[tls]
certificate = "tls/server.pem"
key = "tls/server.key"
client_ca = "tls/ca.pem"

[browser]
origin = "https://localhost:{grounds.port}"

[national]
url = "https://{national}"
certificate = "tls/{PREFECTURE}.pem"
key = "tls/{PREFECTURE}.key"
ca = "tls/ca.pem"

[session]
idle = "1h"                # 5m in earnest; whoever tries things out reads in between
""",
        "utf-8",
    )


def introduce(grounds: Grounds, witness: str, vkey: str) -> None:
    """Tell the appliance of the witness, which needs the ledger's name and is made after it.

    Args:
        grounds: where.
        witness: its address.
        vkey: by which it cosigns.
    """
    with grounds.config.open("a", encoding="utf-8") as config:
        config.write(
            f"""
[witness]
url = "{witness}"
vkey = "{vkey}"
certificate = "tls/{PREFECTURE}.pem"
key = "tls/{PREFECTURE}.key"
ca = "tls/ca.pem"
every = "2s"                # 10s in earnest
"""
        )


def _certificates(grounds: Grounds, now: datetime) -> None:
    authority = CertificateAuthority.create("juki demonstration CA", now)
    authority.save(grounds.custodians)
    (grounds.tls / "ca.pem").write_bytes(authority.certificate_pem)
    names = [ADDRESS, "localhost"]
    authority.issue_server(names, now=now).write(grounds.tls, "server")
    authority.issue_server(names, now=now).write(grounds.national, "server")
    authority.issue_server(names, now=now).write(grounds.witness, "server")
    for folder, client in (
        (grounds.tls, PREFECTURE),
        (grounds.municipality, f"cs-{MUNICIPALITY}"),
        (grounds.national, "national"),
        *((grounds.terminal, name) for name in TERMINALS),
    ):
        authority.issue_client(client, now=now).write(folder, client)
    stranger = CertificateAuthority.create("another CA", now)
    stranger.issue_client("stranger", now=now).write(grounds.terminal, "stranger")


def usual_port() -> int:
    """Return the port everybody knows, or 0 if it, or the next, is taken."""
    try:
        return _bindable(PORT, PORT + 1)[0]
    except OSError:
        return 0


def _bindable(one: int, other: int) -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for probe, port in ((first, one), (second, other)):
            # As a server does: what was in use a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((ADDRESS, port))
        return first.getsockname()[1], second.getsockname()[1]
