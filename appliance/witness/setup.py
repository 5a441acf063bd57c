"""How a witness is set up: ``witness.toml`` says where it listens and whose ledgers it knows.

::

    listen = "10.43.0.9:8550"           # without [tls] the loopback address only
    ledgers = ["audit.juki.pref-43.example/g1+7d0e1c5a+Ac..."]
    [tls]                               # TLS 1.3, client certificate required
    certificate = "witness.pem"
    key = "witness.pem.key"             # mode 0600
    client_ca = "ca.pem"                # whose certificates may open a connection at all

``witness.key`` beside it is the key it cosigns with, mode 0600: made once, and used for nothing
else. Relative paths start at the folder. An unknown key is an error.
"""

import ipaddress
import os
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

import msgspec
from nacl.utils import random

from storage.cosignature import Cosigner
from storage.disk import sync_folder, write_synced
from storage.errors import StorageError
from storage.note import VerifierKey

CONFIG, KEY = "witness.toml", "witness.key"
_SEED_SIZE = 32


class BadSetup(StorageError):
    """The folder of a witness is not as it must be; the text says what, and where."""


class _Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    certificate: str
    key: str
    client_ca: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    listen: str
    ledgers: tuple[str, ...]
    tls: _Tls | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything the folder says; ``context`` is None on the loopback address."""

    host: str
    port: int
    ledgers: tuple[VerifierKey, ...]
    cosigner: Cosigner
    context: ssl.SSLContext | None


def make(folder: Path, name: str, config: str) -> Cosigner:
    """Make the folder of a new witness, with a key of its own; return the key.

    Raises:
        BadSetup: there is a witness already, or the configuration is not one; nothing was made.
        ValueError: nobody can be called so.
        OSError: the disk.
    """
    if (folder / KEY).exists():
        raise BadSetup(f"{folder / KEY}: there is a witness already; its key is never made anew")
    _read(folder, config)
    cosigner = Cosigner(name, random(_SEED_SIZE))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_synced(folder / CONFIG, config.encode())
    write_synced(folder / KEY, f"{cosigner.secret}\n".encode(), 0o600)
    sync_folder(folder)
    return cosigner


def read_setup(folder: Path) -> Setup:
    """Read the folder of a witness.

    Raises:
        BadSetup: something is not as it must be.
    """
    path = folder / CONFIG
    try:
        file = _read(folder, path.read_text("utf-8"))
    except OSError as problem:
        raise BadSetup(f"{path}: {problem.strerror}; make one with juki witness init") from None
    host, port = _address(path, file)
    context = None if file.tls is None else _context(folder, file.tls)
    ledgers = tuple(map(VerifierKey.parse, file.ledgers))
    return Setup(host, port, ledgers, read_cosigner(folder), context)


def read_cosigner(folder: Path) -> Cosigner:
    """Return the key of a witness.

    Raises:
        BadSetup: there is none, or it is open to others.
    """
    path = folder / KEY
    try:
        _must_be_private(path)
        return Cosigner.parse(path.read_text("ascii"))
    except OSError as problem:
        raise BadSetup(f"{path}: {problem.strerror}") from None
    except ValueError:
        raise BadSetup(f"{path}: is not the key of a witness") from None


def _read(folder: Path, config: str) -> _File:
    path = folder / CONFIG
    try:
        file = msgspec.toml.decode(config, type=_File)
    except (msgspec.DecodeError, msgspec.ValidationError) as problem:
        raise BadSetup(f"{path}: {problem}") from None
    _address(path, file)
    for vkey in file.ledgers:
        try:
            VerifierKey.parse(vkey)
        except ValueError as problem:
            raise BadSetup(f"{path}: ledgers: {problem}") from None
    return file


def _address(path: Path, file: _File) -> tuple[str, int]:
    host, _, port = file.listen.rpartition(":")
    try:
        address = ipaddress.ip_address(host)
        if not 0 <= int(port) < 1 << 16:
            raise ValueError
    except ValueError:
        raise BadSetup(f"{path}: listen: must be an IP address and a port") from None
    if file.tls is None and not address.is_loopback:
        raise BadSetup(f"{path}: listen: without [tls] it listens on the machine itself only")
    return host, int(port)


def _context(folder: Path, tls: _Tls) -> ssl.SSLContext:
    # Made bare: create_default_context would write session keys where SSLKEYLOGFILE says.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.num_tickets = 0
    try:
        _must_be_private(folder / tls.key)
        context.load_cert_chain(folder / tls.certificate, folder / tls.key)
        context.load_verify_locations(cafile=folder / tls.client_ca)
    except OSError as problem:
        where = problem.filename or f"{folder / CONFIG}: tls"
        raise BadSetup(f"{where}: {problem.strerror or problem}") from None
    return context


def _must_be_private(path: Path) -> None:
    if os.stat(path).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadSetup(f"{path} is open to others; only its owner may read it (mode 0600)")
