"""The values that pass between the parts: frozen, compared by value, no I/O.

In the order in which a request meets them: ``Peer`` and ``Envelope`` (what arrived), ``Terminal``,
``Operator`` and ``Actor`` (who is asking), ``Request`` (what is asked), ``Grant`` (how far the
rights reach), ``Change`` and ``Message`` (what was done and must be told), ``Reply`` (what leaves).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, NewType

from appliance.items import ItemName, Values
from storage.engine import PersonId, VersionId

JST = timezone(timedelta(hours=9), "JST")
"""Japan has no summer time; the host's time zone tables are not needed."""

OperationName = NewType("OperationName", str)
"""``function/operation`` as on the wire, such as ``search/find``."""
PurposeCode = NewType("PurposeCode", str)
"""Code of a 事務 in ``purposes.toml``."""
Role = NewType("Role", str)
RequestId = NewType("RequestId", str)

SYSTEM = "SYSTEM"
"""What the appliance itself is called in both rosters: 操作者ID and 操作端末ID (R34)."""
AT_A_TERMINAL = Role("at-a-terminal")
"""What anybody may do who sits at a registered terminal and has not logged in: log in."""


class TerminalKind(StrEnum):
    """What stands behind a client certificate (R21)."""

    REPRESENTATIVE = "representative"  # 代表端末
    BUSINESS = "business"  # 業務端末
    MUNICIPALITY = "municipality"  # 市町村CS
    NATIONAL = "national"  # 全国サーバ
    SERVICE = "service"  # the appliance itself: jobs and the courier

    @property
    def is_staffed(self) -> bool:
        """True where a person sits, who must log in."""
        return self in (TerminalKind.REPRESENTATIVE, TerminalKind.BUSINESS)


@dataclass(frozen=True, slots=True)
class Peer:
    """What TLS proved: a certificate of our CA, by its SHA-256 in hex, and how long it is valid."""

    fingerprint: str
    not_before: datetime
    not_after: datetime

    def is_in_force(self, now: datetime) -> bool:
        """Return whether the certificate is valid at ``now``; the handshake may be hours ago."""
        return self.not_before <= now <= self.not_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A request as it arrived, nothing of it believed yet."""

    request_id: RequestId
    peer: Peer
    operation: OperationName
    media_type: str
    body: bytes
    bearer: str | None = None
    idempotency_key: str | None = None
    purpose: str | None = None
    reason: str | None = None
    case_number: str | None = None
    approval: int | None = None
    """Number of another person's agreement."""
    attended: bool = True
    """Somebody did something to send it; what a page asks by itself keeps no session alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A registered machine: 操作端末ID, where it stands, and for a CS whose it is."""

    terminal_id: str
    kind: TerminalKind
    fingerprint: str
    place: str = ""
    municipality_code: str | None = None
    office: str = ""
    own_office_only: bool = False
    operations: tuple[str, ...] = ()
    hours: tuple[str, ...] = ()
    """Whose it is, for what and when it may be used, as ``terminals.TerminalRecord`` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """照合ID (the person) and 操作者ID (the authority) of whoever logged in."""

    person_id: str
    operator_id: str
    office: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Somebody else who is logged in at the same terminal."""

    operator: Operator
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who is asking; made by ``authn`` alone."""

    terminal: Terminal
    operator: Operator | None
    roles: frozenset[Role]
    purposes: frozenset[PurposeCode] = frozenset()
    session: str = ""
    """Hex digest of the session token; binds ``ref`` values, useless for logging in."""
    proved: datetime | None = None
    """When whoever is in the session last proved who he is."""
    company: tuple[Company, ...] = ()
    """Who else is logged in at this terminal, and may work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked, once it is understood."""

    id: RequestId
    operation: OperationName
    now: datetime
    purpose: PurposeCode | None = None
    reason: str | None = None
    case_number: str | None = None

    @property
    def today(self) -> date:
        """The date in Japan; the law's days are counted there."""
        return self.now.astimezone(JST).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behalf:
    """What somebody asked for earlier: who, under which 事務 and 利用事由, by which operation."""

    person_id: str
    operator_id: str

    purpose: PurposeCode
    reason: str
    operation: OperationName


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """How far the rights reach in this request."""

    items: frozenset[ItemName]
    keys: frozenset[str]
    """By what a person may be asked for: ``four``, ``my_number``, ``resident_code``."""
    removed: bool = False
    history: bool = False
    most_results: int = 0
    """How many residents a search may list; 0 without a 事務."""
    blind: bool = False
    """Nobody is there to be seen: the request works on a store without residents."""
    attended_by: str = ""
    """操作者ID of who attends, where the role asks for that."""


@dataclass(frozen=True, slots=True)
class Change:
    """A record before and after a save; ``before`` is None for somebody new.

    ``until_before`` and ``until`` say from which day on the person is no resident any more
    (``standing.until``): None while he stays. They may hang on an older version: a record that was
    struck off can be corrected.
    """

    version: VersionId
    before: Values | None
    after: Values
    until_before: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Something that must be told: to whom, what kind, and what the record does not hold."""

    destination: str
    kind: str
    note: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deny:
    """A plugin's veto; there is no Allow."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resident:
    """The granted items of one version of one person."""

    person: PersonId
    version: int
    values: Values
    withheld: tuple[ItemName, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What leaves: plain data, and where the ledger holds that it did."""

    request_id: RequestId
    receipt: int
    data: Mapping[str, Any]
