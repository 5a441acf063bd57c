"""A closed network of its own: one authority, and certificates in files."""

from datetime import UTC, datetime
from pathlib import Path

from appliance.certificates import CertificateAuthority
from tests.simulators.link import Credentials


class Network:
    """An authority and what it has issued."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self._now = datetime.now(UTC)
        self._authority = CertificateAuthority.create(name, self._now)
        self._authority.save(self._folder)

    @property
    def ca(self) -> Path:
        """The certificate by which everybody knows the others."""
        return self._folder / "ca.pem"

    def server(self) -> Credentials:
        """Return what a server on this machine proves itself with."""
        issued = self._authority.issue_server(["127.0.0.1"], now=self._now)
        return Credentials(*issued.write(self._folder, "server"), self.ca)

    def client(self, name: str) -> Credentials:
        """Return what a client of this common name proves itself with."""
        issued = self._authority.issue_client(name, now=self._now)
        return Credentials(*issued.write(self._folder, name), self.ca)
