"""A founded appliance in a folder, for the tests of the operator's side."""

import shutil
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from appliance.certificates import CertificateAuthority, fingerprint
from appliance.machine.config import Settings, read_settings
from appliance.machine.init import Founded, Founder, Founding, found
from appliance.machine.keeper import Shares
from appliance.machine.store import Layout
from storage.keyring import read_header

NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
ORIGIN = "audit.juki.test/g1"
SHIPPED = Path(__file__).parents[2] / "firmware_config"

SMALL_ROLES = """
version = 1
[roles.service]
label = "自動処理"
terminals = ["service"]
operations = ["approval/expire", "keys/rewrap"]
[roles.at-a-terminal]
label = "端末の前の者"
terminals = ["representative", "business"]
operations = [
    "session/open", "session/verify", "session/close", "session/challenge", "session/enrol",
    "session/enrol-challenge",
]
[roles.system-administrator]
label = "システム管理者"
terminals = ["representative"]
operations = ["session/close"]
"""
SMALL_PURPOSES = """
version = 1
[purposes.tax]
label = "県税の賦課徴収に関する事務"
basis = "test"
agency = "県税事務所"
operations = []
items = ["name"]
keys = ["four"]
reasons = { "01" = "確認" }
valid_from = 2015-08-17
"""


@dataclass(frozen=True)
class Site:
    """One machine: its folder, its configuration, its certificates."""

    folder: Path
    config: Path

    @property
    def settings(self) -> Settings:
        return read_settings(self.config)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def firmware(self) -> Path:
        return self.folder / "firmware"

    @property
    def tls(self) -> Path:
        return self.folder / "tls"

    @property
    def custodians(self) -> Path:
        return self.folder / "custodians"

    def client(self) -> dict[str, str]:
        """Return the options by which a command comes as the first terminal."""
        return {
            "certificate": str(self.tls / "terminal.pem"),
            "key": str(self.tls / "terminal.key"),
            "ca": str(self.tls / "ca.pem"),
        }

    def founding(self, **changes: object) -> Founding:
        values: dict[str, object] = {
            "settings": self.settings,
            "fingerprint": fingerprint((self.tls / "terminal.pem").read_bytes()),
            "terminal_id": "TERM-0001",
            "place": "市町村課",
            "administrator": Founder(person_id="P-0001", operator_id="OP-0001"),
            "officer": Founder(person_id="P-9001", operator_id="OP-9001"),
            "office": "市町村課",
            "expires_on": date(2099, 3, 31),
            **changes,
        }
        return Founding(**values)  # type: ignore[arg-type]

    def found(self, **changes: object) -> Founded:
        return found(self.founding(**changes), lambda founded: None, lambda: NOW)


def root_of(data: Path, shares: Iterable[str]) -> bytes:
    """Return the root key of the store in a data folder."""
    known = read_header(Layout(data).ring).share_set
    assert known is not None
    return Shares(known).root(shares)


def free_ports(count: int) -> list[int]:
    """Return ports nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def configure(site: Site, residents: int = 1_048_576) -> None:
    """Write a configuration, with ports of its own."""
    port, management = free_ports(2)
    site.config.write_text(
        f"""
data = "data"
firmware = "firmware"
origin = "{ORIGIN}"
prefecture = "43"
expected_residents = {residents:_}
[listen]
host = "127.0.0.1"
port = {port}
[management]
port = {management}
[tls]
certificate = "tls/server.pem"
key = "tls/server.key"
client_ca = "tls/ca.pem"
"""
    )


def make_site(folder: Path, *, now: datetime = NOW, plugins: Iterable[str] = ()) -> Site:
    """Make certificates, a small policy and a configuration; no store yet."""
    site = Site(folder, folder / "appliance.toml")
    for each in (site.tls, site.firmware / "policy"):
        each.mkdir(parents=True)
    authority = CertificateAuthority.create("Test CA", now)
    authority.save(site.tls)
    authority.issue_server(["127.0.0.1", "localhost"], now=now).write(site.tls, "server")
    authority.issue_client("TERM-0001", now=now).write(site.tls, "terminal")
    (site.firmware / "plugins.toml").write_text(f"version = 1\nplugins = {list(plugins)}\n")
    (site.firmware / "policy" / "roles.toml").write_text(SMALL_ROLES)
    (site.firmware / "policy" / "purposes.toml").write_text(SMALL_PURPOSES)
    for name in ("office.toml", "watching.toml"):
        shutil.copy(SHIPPED / "policy" / name, site.firmware / "policy")
    (site.firmware / "policy" / "access.toml").write_text("version = 1\n[access]\n")
    configure(site)
    return site
