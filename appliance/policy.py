"""The policy: roles × operations × 事務 × items, as read from ``firmware_config/policy/``.

What is not written there is not allowed. The roster says who holds which role and can only narrow.
``access.toml`` says how people prove who they are, ``office.toml`` whose appliance this is,
``watching.toml`` from when on somebody is asked about his uses. Every file carries a version; the
digest over their bytes stands in every ledger entry.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from cryptography import x509

from appliance.errors import StartupError
from appliance.items import ITEM_NAMES, ItemName
from appliance.model import OperationName, PurposeCode, Role, TerminalKind
from appliance.thresholds import USUAL, Thresholds, read_thresholds

FILES = ("roles.toml", "purposes.toml", "office.toml", "access.toml", "watching.toml")
KEYS = frozenset({"four", "my_number", "resident_code"})
ALL = "*"
MOST_RESULTS = 50
AAGUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
T = TypeVar("T")


class RoleRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one role reaches, and from which kinds of terminal."""

    label: str
    terminals: tuple[TerminalKind, ...]
    operations: tuple[str, ...]
    items: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    removed: bool = False
    history: bool = False
    approves: tuple[str, ...] = ()
    """To which operations that take two persons it may agree: by name, ``roster/*`` or ``*``."""
    every_office: bool = False
    """It agrees for every 所属, not for its holder's own alone."""
    blind: bool = False
    """Sees no resident by construction (``duties.misjoined``, ``blindfold``): the contractor."""
    attended: bool = False
    """Counts only while somebody else, of a role that is not attended, is logged in at the same
    terminal (職員の立会い, R147)."""


class PurposeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One 事務: its legal basis, and what may be asked and seen for it (R46, R57)."""

    label: str
    basis: str
    agency: str
    operations: tuple[str, ...]
    items: tuple[str, ...]
    keys: tuple[str, ...]
    reasons: Mapping[str, str]
    """利用事由 by code."""
    kind: Literal["own", "transfer", "provision"] = "own"
    """For the register itself, 移転 to another department, or 提供 to another 執行機関 (R62)."""
    transitional: bool = False
    """住民票コード may be among the items: 経過措置, off unless it says so (R47)."""
    valid_from: date
    valid_until: date | None = None
    most_results: Annotated[int, msgspec.Meta(ge=1, le=500)] = MOST_RESULTS
    """More residents than this are only counted, never listed (R87)."""
    note: str = ""

    def holds_on(self, day: date) -> bool:
        """Return whether the 事務 is in force on a day."""
        return self.valid_from <= day <= (self.valid_until or day)


class Office(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose appliance this is: what the papers it prints say of the sender (R72, R78 to R80)."""

    prefecture: str
    issuer: str
    """In whose name papers are issued: 熊本県知事."""
    governor: str = ""
    """His name behind the title; empty where the form has the title alone."""
    agency: str
    """As ``purposes.toml`` calls the department itself, which is nobody that data is given to."""
    department: str
    """実施機関の所管課, where a request is handed in."""
    address: str
    phone: str
    fee_yen: Annotated[int, msgspec.Meta(ge=0)]
    """手数料 of one disclosure."""
    stamps: str
    """By what the fee is paid: 熊本県収入証紙."""
    published_at: str
    """Where the 個人情報ファイル簿 can be read."""
    closed_days: tuple[date, ...] = ()
    """閉庁日 that are no Saturday or Sunday: what 平日 leaves out (``hours.py``)."""
    remedy: str = (
        "この通知に係る処分に不服がある場合は、処分があったことを知った日の翌日から起算して"
        "3か月以内に、(　　　　　　　　　　)に対して審査請求をすることができます。"
    )
    """教示 on letters; whoever has not written it here fills in the authority by hand."""


class Access(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people prove who they are, and how recently they must have (R121 to R124, R183)."""

    models: tuple[Annotated[str, msgspec.Meta(pattern=AAGUID)], ...] = ()
    """AAGUID of the devices that may be registered; empty: every one that verifies its user."""
    roots: tuple[str, ...] = ()
    """Certificates (PEM) of makers: a device must be attested by one of them; empty: none is asked
    for, and a device may call itself any model."""
    fresh_minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 2
    fresh: tuple[str, ...] = ()
    """Operations before which somebody must have proved himself so recently."""
    pin_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 31
    """For how long a 操作者照合暗証番号 may be issued."""
    training_months: Annotated[int, msgspec.Meta(ge=0, le=60)] = 0
    """How old the last 研修 may be; 0: however old."""

    def __post_init__(self) -> None:
        """Refuse what is no certificate."""
        try:
            x509.load_pem_x509_certificates("\n".join(self.roots).encode()) if self.roots else ()
        except ValueError:
            raise ValueError("roots must be certificates in PEM form") from None

    @property
    def freshness(self) -> timedelta:
        """How long ago a proof may be that has to be recent."""
        return timedelta(minutes=self.fresh_minutes)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force."""

    roles: Mapping[Role, RoleRule]
    purposes: Mapping[PurposeCode, PurposeRule]
    office: Office
    version: tuple[int, ...]
    """Of each file."""
    digest: bytes
    """SHA-256 over all files."""
    access: Access = field(default_factory=Access)
    watching: Thresholds = USUAL

    def problems(self, operations: Collection[OperationName]) -> list[str]:
        """Return what in the policy names something that does not exist."""
        return [
            *self.unknown_operations(operations),
            *self.unknown_items(),
            *self.codes_without_ground(),
        ]

    def codes_without_ground(self) -> list[str]:
        """Return where 住民票コード may be provided, and nothing says that it may be (R47)."""
        return [
            f"purposes.toml [{name}]: resident_code needs transitional = true (経過措置)"
            for name, purpose in self.purposes.items()
            if purpose.kind != "own"
            and "resident_code" in purpose.items
            and not purpose.transitional
        ]

    def unserved(self, operations: Collection[OperationName]) -> list[str]:
        """Return which of these steps of jobs the appliance itself may not ask for."""
        service = (
            rule.operations
            for rule in self.roles.values()
            if TerminalKind.SERVICE in rule.terminals
        )
        may = frozenset(name for names in service for name in names)
        return [
            f"roles.toml [service] operations: {name!r} is missing, the step of a job"
            for name in sorted(set(operations) - may)
        ]

    def unapproved(self, seconded: Collection[OperationName]) -> list[str]:
        """Return where ``approves`` names nothing that takes two persons, and what nobody approves.

        What nobody may agree to could never be carried out.
        """
        return [
            *(
                f"roles.toml [{name}] approves: {pattern!r} is nothing that takes two persons"
                for name, rule in self.roles.items()
                for pattern in rule.approves
                if pattern != ALL and not any(_names(pattern, each) for each in seconded)
            ),
            *(
                f"roles.toml: {each} takes two persons, and no role approves it"
                for each in sorted(seconded)
                if not any(approves(rule, each) for rule in self.roles.values())
            ),
        ]

    def unknown_operations(self, operations: Collection[OperationName]) -> list[str]:
        """Return where the policy names an operation that is not offered."""
        offered = frozenset(map(str, operations))
        return [
            *(
                problem
                for where, rule in self._rules()
                for problem in _unknown(f"{where} operations", rule.operations, offered)
            ),
            *_unknown("access.toml [access] fresh", self.access.fresh, offered),
        ]

    def unknown_items(self) -> list[str]:
        """Return where the policy names an item or a key there is not."""
        items = frozenset(map(str, ITEM_NAMES)) | {ALL}
        return [
            problem
            for where, rule in self._rules()
            for problem in (
                *_unknown(f"{where} items", rule.items, items),
                *_unknown(f"{where} keys", rule.keys, KEYS),
            )
        ]

    def _rules(self) -> Iterator[tuple[str, RoleRule | PurposeRule]]:
        yield from ((f"roles.toml [{name}]", rule) for name, rule in self.roles.items())
        yield from ((f"purposes.toml [{name}]", rule) for name, rule in self.purposes.items())


def read_policy(folder: Path) -> Policy:
    """Read the policy files.

    Raises:
        StartupError: a file is missing or not understood; every problem at once.
    """
    problems: list[str] = []
    texts = [_text(folder / name, problems) for name in FILES]
    roles_version, roles = _rules(FILES[0], texts[0], "roles", RoleRule, problems)
    purposes_version, purposes = _rules(FILES[1], texts[1], "purposes", PurposeRule, problems)
    office_version, office = _one(FILES[2], texts[2], "office", Office, problems)
    access_version, access = _one(FILES[3], texts[3], "access", Access, problems)
    watching = _watching(FILES[4], texts[4], problems)
    if problems or office is None or access is None or watching is None:
        raise StartupError(*problems)
    return Policy(
        roles={Role(name): rule for name, rule in roles.items()},
        purposes={PurposeCode(name): rule for name, rule in purposes.items()},
        office=office,
        version=(
            *(roles_version, purposes_version, office_version),
            *(access_version, watching.version),
        ),
        access=access,
        digest=sha256(b"\0".join(text or b"" for text in texts)).digest(),
        watching=watching,
    )


def items_of(rule: RoleRule | PurposeRule) -> frozenset[ItemName]:
    """Return the items a rule reaches; ``*`` is all 24."""
    if ALL in rule.items:
        return ITEM_NAMES
    return frozenset(ItemName(name) for name in rule.items)


def approves(rule: RoleRule, operation: OperationName) -> bool:
    """Return whether a role may agree to an operation that takes two persons."""
    return any(_names(pattern, operation) for pattern in rule.approves)


def _names(pattern: str, operation: OperationName) -> bool:
    function, _, _ = operation.partition("/")
    return pattern in (ALL, f"{function}/{ALL}", operation)


def _unknown(where: str, named: Collection[str], known: frozenset[str]) -> list[str]:
    return [f"{where}: {name!r} is not known" for name in sorted(set(named) - known)]


def _text(path: Path, problems: list[str]) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError as problem:
        problems.append(f"{path.name}: {problem.strerror}")
        return None


def _rules(
    name: str, text: bytes | None, table: str, kind: type[T], problems: list[str]
) -> tuple[int, dict[str, T]]:
    """Return the version of a file and its rules; note what is wrong with each of them."""
    rules: dict[str, T] = {}
    version, written = _tables(name, text, table, problems)
    if written is None:
        return version, rules
    if not isinstance(written, dict) or not written:
        problems.append(f"{name}: there are no [{table}.*] tables")
        return version, rules
    for key, rule in written.items():
        try:
            rules[key] = msgspec.convert(rule, kind)
        except msgspec.ValidationError as problem:
            problems.append(f"{name} [{table}.{key}]: {problem}")
    return version, rules


def _one(
    name: str, text: bytes | None, table: str, kind: type[T], problems: list[str]
) -> tuple[int, T | None]:
    """Return the version of a file and its one table; note what is wrong with it."""
    version, written = _tables(name, text, table, problems)
    if written is None:
        return version, None
    try:
        return version, msgspec.convert(written, kind)
    except msgspec.ValidationError as problem:
        problems.append(f"{name} [{table}]: {problem}")
        return version, None


def _watching(name: str, text: bytes | None, problems: list[str]) -> Thresholds | None:
    version, data = _versioned(name, text, problems)
    if data is None:
        return None
    try:
        return read_thresholds(data, version)
    except msgspec.ValidationError as problem:
        problems.append(f"{name}: {problem}")
        return None


def _tables(name: str, text: bytes | None, table: str, problems: list[str]) -> tuple[int, Any]:
    """Return the version of a file and what stands under its one table; None if it has no text."""
    version, data = _versioned(name, text, problems)
    if data is None:
        return version, None
    written = data.pop(table, {})
    problems += [f"{name}: unknown key {key!r}" for key in data]
    return version, written


def _versioned(
    name: str, text: bytes | None, problems: list[str]
) -> tuple[int, dict[str, Any] | None]:
    """Return the version of a file and the rest of it; None if it has no text."""
    if text is None:
        return 0, None
    try:
        data: dict[str, Any] = tomllib.loads(text.decode())
    except ValueError as problem:
        problems.append(f"{name}: {problem}")
        return 0, None
    version = data.pop("version", None)
    if type(version) is not int or version < 1:
        problems.append(f"{name}: version must be a whole number, 1 or more")
        version = 0
    return version, data
