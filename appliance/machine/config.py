"""``appliance.toml`` -> ``Settings``: frozen, checked as a whole, nothing guessed.

One row a key (``KEYS``): its name in the file, how it is understood, its default. Reading the
file, ``juki config show`` and the table in ``firmware_config/README.md`` all follow this list;
there is no other. An unknown key, a wrong type, a missing key, a missing file and a secret that
others can read are errors, and every one is reported at once. There are no environment variables
and no includes. Secrets are paths, never values. Relative paths start at the file's folder.
"""

import ipaddress
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from appliance.edge.limits import KIB, MIB, Limits, body_bytes
from appliance.errors import StartupError
from appliance.files import is_open_to_others
from appliance.sessions import Limits as SessionLimits
from storage.cosignature import WitnessKey

PRODUCTION, DEVELOPMENT = "production", "development"
DEFAULT_PATH = Path("/etc/juki/appliance.toml")
Parsed = Any
Understand = Callable[[object, Path], Parsed]
"""From a TOML value and the file's folder to what is meant; raises ValueError with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where the main port listens: TLS, client certificate required."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How the appliance proves itself, and whose clients it lets in."""

    certificate: Path
    key: Path
    client_ca: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class National:
    """The national server (全国サーバ): where it is, and how both sides prove themselves."""

    url: str
    certificate: Path
    key: Path
    ca: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """The prefecture's witness: where it is, by which key it cosigns, how both prove themselves."""

    url: str
    vkey: WitnessKey
    certificate: Path
    key: Path
    ca: Path
    every: timedelta
    """How often the newest checkpoint is handed to it."""
    alarm_after: timedelta
    """How old the last cosignature may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Where backups go if nobody says, and how old the last one may be."""

    folder: Path
    alarm_after: timedelta


@dataclass(frozen=True, slots=True)
class InForce:
    """One key as it applies, and where it came from: ``file`` or ``default``."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the file says."""

    path: Path
    mode: str
    data: Path
    firmware: Path
    origin: str
    prefecture: str
    expected_residents: int
    listen: Listen
    management_port: int
    tls: Tls
    national: National | None
    browser_origin: str | None
    """Where the browsers of terminals reach the main port; None: devices prove nobody."""
    witness: Witness | None
    backup: Backup | None
    limits: Limits
    session: SessionLimits
    in_force: tuple[InForce, ...]

    @property
    def token_bits(self) -> int:
        """How wide a compound index token is: about one resident a token. Fixed at init."""
        return self.expected_residents.bit_length() - 1

    @property
    def is_development(self) -> bool:
        """True where no real data may be."""
        return self.mode == DEVELOPMENT


def read_settings(path: Path) -> Settings:
    """Read the configuration.

    Raises:
        StartupError: with file, key and reason of every problem there is.
    """
    try:
        table = tomllib.loads(path.read_bytes().decode())
    except OSError as problem:
        hint = "; --config says where it is"
        raise StartupError(f"{path}: {problem.strerror}{hint}") from None
    except ValueError as problem:
        raise StartupError(f"{path}: {problem}") from None
    given = dict(_flat(table))
    values, problems = _understood(given, path.resolve().parent)
    problems += _across(values)
    if problems:
        raise StartupError(*(f"{path}: {problem}" for problem in problems))
    return _settings(path, values, given)


# --- how one value is understood ---


def _text(pattern: str, form: str) -> Understand:
    def understand(value: object, folder: Path) -> str:
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            raise ValueError(f"must be {form}")
        return value

    return understand


def _one_of(*words: str) -> Understand:
    return _text("|".join(words), " or ".join(f'"{word}"' for word in words))


def _number(least: int, most: int) -> Understand:
    def understand(value: object, folder: Path) -> int:
        # True is an int to Python, and a mistake to us.
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return understand


def _duration(least: timedelta, most: timedelta) -> Understand:
    def understand(value: object, folder: Path) -> timedelta:
        parts = re.fullmatch(r"([1-9][0-9]{0,5})([smh])", value) if isinstance(value, str) else None
        if parts is None:
            raise ValueError('must be a duration such as "30s", "5m" or "8h"')
        seconds = int(parts[1]) * {"s": 1, "m": 60, "h": 3600}[parts[2]]
        if not least <= timedelta(seconds=seconds) <= most:
            raise ValueError(f"must be from {_spelled(least)} to {_spelled(most)}")
        return timedelta(seconds=seconds)

    return understand


def _address(value: object, folder: Path) -> str:
    try:
        return str(ipaddress.ip_address(value if isinstance(value, str) else ""))
    except ValueError:
        raise ValueError("must be an IP address; 0.0.0.0 listens on all") from None


def _url(value: object, folder: Path) -> str:
    parts = urlsplit(value if isinstance(value, str) else "")
    bare = parts._replace(scheme="", netloc="").geturl() in ("", "/")
    if parts.scheme != "https" or not parts.hostname or parts.username is not None or not bare:
        raise ValueError("must be https://HOST or https://HOST:PORT")
    return f"https://{parts.netloc}"


def _web_origin(value: object, folder: Path) -> str:
    origin = _url(value, folder)
    host = urlsplit(origin).hostname or ""
    # WebAuthn §5.1.2: the RP ID is a domain name, never an address.
    if re.fullmatch(r"[0-9.]+", host) or ":" in host:
        raise ValueError("must name the host by a DNS name: devices know no addresses (WebAuthn)")
    return origin.removesuffix(":443")


def _witness_key(value: object, folder: Path) -> WitnessKey:
    try:
        return WitnessKey.parse(value if isinstance(value, str) else "")
    except ValueError as problem:
        raise ValueError(f"{problem}; juki witness init prints it") from None


def _path(value: object, folder: Path) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a path")
    return folder / value


def _folder(value: object, folder: Path) -> Path:
    path = _path(value, folder)
    if not path.is_dir():
        raise ValueError(f"there is no folder {path}")
    return path


def _file(value: object, folder: Path) -> Path:
    path = _path(value, folder)
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _secret(value: object, folder: Path) -> Path:
    path = _file(value, folder)
    if is_open_to_others(path):
        raise ValueError(f"{path} is open to others; only its owner may read it (mode 0600)")
    return path


# --- the keys ---

REQUIRED: Final = "required"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its dotted name, how it is understood, its default as it would be written."""

    name: str
    understand: Understand
    default: object = REQUIRED


_PORT = _number(1, 65535)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,62})"
_ORIGIN = _text(
    rf"{_LABEL}(?:\.{_LABEL})*(?:/[a-z0-9-]{{1,32}})+",
    "a name such as audit.juki.pref-43.example/g1",
)
_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
_PREFECTURE = r"0[1-9]|[1-3][0-9]|4[0-7]"

KEYS: tuple[Key, ...] = (
    Key("mode", _one_of(PRODUCTION, DEVELOPMENT), PRODUCTION),
    Key("data", _path),
    Key("firmware", _folder, "."),
    Key("origin", _ORIGIN),
    Key("prefecture", _text(_PREFECTURE, 'a prefecture code, "01" to "47"')),
    Key("expected_residents", _number(1_000, 100_000_000)),
    Key("listen.host", _address),
    Key("listen.port", _PORT, 8443),
    Key("management.port", _PORT, 8444),
    Key("tls.certificate", _file),
    Key("tls.key", _secret),
    Key("tls.client_ca", _file),
    Key("national.url", _url),
    Key("national.certificate", _file),
    Key("national.key", _secret),
    Key("national.ca", _file),
    Key("browser.origin", _web_origin),
    Key("witness.url", _url),
    Key("witness.vkey", _witness_key),
    Key("witness.certificate", _file),
    Key("witness.key", _secret),
    Key("witness.ca", _file),
    Key("witness.every", _duration(_SECOND, _HOUR), "10s"),
    Key("witness.alarm_after", _duration(_SECOND, 24 * _HOUR), "15m"),
    Key("backup.folder", _path),
    Key("backup.alarm_after", _duration(_SECOND, 366 * 24 * _HOUR), "26h"),
    Key("limits.connections", _number(1, 10_000), 512),
    Key("limits.connections_per_certificate", _number(1, 10_000), 64),
    Key("limits.workers", _number(1, 256), 32),
    Key("limits.body_kib", _number(16, 65_536), 256),
    Key("limits.batch_body_kib", _number(16, 65_536), 8_192),
    Key("limits.bulk_body_kib", _number(16, 65_536), 32_768),
    Key("session.idle", _duration(_MINUTE, _HOUR), "5m"),
    Key("session.absolute", _duration(_MINUTE, 24 * _HOUR), "8h"),
)
OPTIONAL_TABLES = frozenset({"backup", "browser", "national", "witness"})
"""Tables that may be left out whole; once there, their keys are required as everywhere."""


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        # A table of a name we know nothing of is one unknown key, not many.
        if isinstance(value, dict) and any(key.name.startswith(f"{name}.") for key in KEYS):
            yield from _flat(value, f"{name}.")
        else:
            yield prefix + name, value


def _understood(given: Mapping[str, object], folder: Path) -> tuple[dict[str, Parsed], list[str]]:
    """Return the values that are right, and a line for each that is not."""
    values: dict[str, Parsed] = {}
    known = {key.name for key in KEYS}
    problems = [f"{name}: there is no such key" for name in given if name not in known]
    for key in KEYS:
        if key.name not in given and _may_be_absent(key, given):
            continue
        value = given.get(key.name, key.default)
        if value is REQUIRED:
            problems.append(f"{key.name}: is missing")
            continue
        try:
            values[key.name] = key.understand(value, folder)
        except ValueError as problem:
            problems.append(f"{key.name}: {problem}")
    return values, problems


def _may_be_absent(key: Key, given: Mapping[str, object]) -> bool:
    table = key.name.partition(".")[0]
    return table in OPTIONAL_TABLES and not any(name.startswith(f"{table}.") for name in given)


def _across(values: Mapping[str, Parsed]) -> Iterator[str]:
    """Yield what is wrong between keys that are right by themselves."""
    if values.get("listen.port") == values.get("management.port", object()):
        yield "management.port: is listen.port as well"
    if values.get("witness.every", _SECOND) > values.get("witness.alarm_after", 24 * _HOUR):
        yield "witness.alarm_after: is shorter than witness.every"
    if values.get("session.idle", _MINUTE) > values.get("session.absolute", 24 * _HOUR):
        yield "session.idle: is longer than session.absolute"
    host = values.get("listen.host")
    if values.get("mode") == DEVELOPMENT and host and not ipaddress.ip_address(host).is_loopback:
        yield "listen.host: development listens on the machine itself only"


def _settings(path: Path, values: Mapping[str, Parsed], given: Mapping[str, object]) -> Settings:
    def part(table: str) -> dict[str, Parsed]:
        start = f"{table}."
        return {
            name.removeprefix(start): value
            for name, value in values.items()
            if name.startswith(start)
        }

    national, witness, backup = part("national"), part("witness"), part("backup")
    return Settings(
        path=path.resolve(),
        **{name: value for name, value in values.items() if "." not in name},
        listen=Listen(**part("listen")),
        management_port=values["management.port"],
        tls=Tls(**part("tls")),
        national=National(**national) if national else None,
        browser_origin=values.get("browser.origin"),
        witness=Witness(**witness) if witness else None,
        backup=Backup(**backup) if backup else None,
        limits=_limits(part("limits")),
        session=SessionLimits(**part("session")),
        in_force=tuple(
            InForce(name, _spelled(value), "file" if name in given else "default")
            for name, value in values.items()
        ),
    )


def _limits(values: Mapping[str, int]) -> Limits:
    usual, batch, bulk = (values[f"{kind}body_kib"] * KIB for kind in ("", "batch_", "bulk_"))
    workers, largest = values["workers"], max(usual, batch)
    return Limits(
        connections=values["connections"],
        connections_per_certificate=values["connections_per_certificate"],
        workers=workers,
        workers_per_certificate=max(1, workers * 3 // 4),
        bodies_bytes=max(64 * MIB, 8 * largest, 2 * bulk),
        bodies_bytes_per_certificate=max(16 * MIB, 2 * largest, bulk),
        body_bytes=lambda path: body_bytes(path, usual, batch, bulk),
    )


def _spelled(value: Parsed) -> str:
    if not isinstance(value, timedelta):
        return str(value)
    seconds = int(value.total_seconds())
    for unit, letter in ((3600, "h"), (60, "m")):
        if seconds % unit == 0:
            return f"{seconds // unit}{letter}"
    return f"{seconds}s"
