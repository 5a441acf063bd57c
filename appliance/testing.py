"""A whole appliance in a folder, without sockets: for our tests and for a vendor's.

::

    with Bench.open(tmp_path, {"household": household}) as bench:
        cs = bench.municipality("432024")
        cs.ask("update/notify", {"notifications": [...]})
        clerk = bench.clerk()
        clerk.ask("household/size", {"ref": ...}, purpose="all", reason="01")

Everything below HTTP is real: keys, encrypted file, ledger, policy, sessions. ``bench.now`` is the
time; set it.
"""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import nacl.pwhash

from appliance import wire
from appliance.audit import Reading
from appliance.identity.pins import Pins
from appliance.identity.webauthn import Devices
from appliance.index import Index
from appliance.items import ITEM_NAMES, ItemName
from appliance.jobs import Nothing, Step
from appliance.ledger_reader import LedgerReader
from appliance.loaded import Identification, put_together
from appliance.loading import installed
from appliance.machine.jobs import Jobs
from appliance.marks import ROOT as MARK_ROOT
from appliance.marks import Marker
from appliance.media import Media
from appliance.model import (
    Envelope,
    OperationName,
    Peer,
    PurposeCode,
    Reply,
    RequestId,
    Role,
    TerminalKind,
)
from appliance.national import Fault, Found, National, Question, bad_gateway
from appliance.parts import Parts
from appliance.pipeline import Pipeline
from appliance.policy import KEYS, Office, Policy, PurposeRule, RoleRule
from appliance.proofs import Proofs
from appliance.refs import Refs
from appliance.registry import Tools
from appliance.roster import Roster, proofs_in
from appliance.sessions import Limits, Sessions
from appliance.staff import OperatorRecord, PersonRecord, PinGrant
from appliance.terminals import TerminalRecord
from appliance.values.identifiers import Municipalities
from storage.engine import Entry, Unit
from storage.keyring import KeyRing
from storage.vault import Vault, create, open_vault

ORIGIN = "audit.juki.test/g1"
PIN = "27182818"
BROWSER_ORIGIN = "https://juki.test:8443"
PREPARED = Entry(event=0, result=0, body=b"\xa0")
"""What the ledger says of people and terminals that a test put in place."""

OURS = (
    "update",
    "search",
    "provision",
    "disclosure",
    "national_relay",
    "reconcile",
    "retention",
    "roster",
    "ledger",
    "statistics",
    "compliance",
    "usebook",
    "protection",
    "watching",
)
ALL = Role("all")
FOREVER = date(2099, 3, 31)
OFFICE = Office(
    prefecture="熊本県",
    issuer="熊本県知事",
    agency="市町村課行政班",
    department="市町村課",
    address="熊本市中央区水前寺6丁目18番1号",
    phone="096-000-0000",
    fee_yen=10,
    stamps="熊本県収入証紙",
    published_at="情報プラザ",
)


def quick_pins() -> Pins:
    """Return PINs that are too cheap for anything but tests."""
    return Pins(nacl.pwhash.argon2id.OPSLIMIT_MIN, nacl.pwhash.argon2id.MEMLIMIT_MIN)


def identified() -> Identification:
    """Return how people prove who they are in a test."""
    return Identification(quick_pins(), Devices(BROWSER_ORIGIN))


def everything(operations: Iterator[OperationName] | Any) -> Policy:
    """Return a policy under which role and purpose ``all`` reach everything."""
    offered = tuple(str(name) for name in operations)
    items, keys = tuple(map(str, ITEM_NAMES)), tuple(KEYS)
    role = RoleRule(
        label="all",
        terminals=tuple(TerminalKind),
        operations=offered,
        items=items,
        keys=keys,
        removed=True,
        history=True,
        approves=("*",),
        every_office=True,
    )
    purpose = PurposeRule(
        label="all",
        basis="test",
        agency="test",
        operations=offered,
        items=items,
        keys=keys,
        reasons={"01": "test"},
        valid_from=date(2000, 1, 1),
    )
    names = ("all", "municipality", "national", "service", "at-a-terminal")
    return Policy(
        roles={Role(name): role for name in names},
        purposes={PurposeCode("all"): purpose},
        office=OFFICE,
        version=(1, 1, 1, 1),
        digest=sha256(b"everything").digest(),
    )


@dataclass(frozen=True, slots=True)
class Seat:
    """A certificate, and perhaps a session, that can ask."""

    bench: "Bench"
    peer: Peer
    bearer: str | None = None

    def ask(
        self,
        operation: str,
        body: Mapping[str, Any],
        *,
        purpose: str | None = None,
        reason: str | None = None,
        case_number: str | None = None,
        key: str | None = None,
        approval: int | None = None,
    ) -> Reply:
        """Ask; an Idempotency-Key is made up unless one is given."""
        count = next(self.bench.counter)
        return self.bench.pipeline.answer(
            Envelope(
                request_id=RequestId(f"request-{count}"),
                peer=self.peer,
                operation=OperationName(operation),
                media_type=wire.JSON,
                body=wire.encode(wire.JSON, dict(body)),
                bearer=self.bearer,
                idempotency_key=key or f"idempotency-key-{count}",
                purpose=purpose,
                reason=reason,
                case_number=case_number,
                approval=approval,
            )
        )

    def ask_with(
        self,
        second: "Seat",
        operation: str,
        body: Mapping[str, Any],
        *,
        purpose: str | None = None,
        reason: str | None = None,
    ) -> Reply:
        """Ask for what takes two persons: for an approval, which ``second`` gives, and with it."""
        wanted = {"operation": operation, "arguments": body, "form": "2026-1", "reason": "test"}
        asked = self.ask("approval/request", wanted, purpose=purpose, reason=reason)
        number: int = asked.data["number"]
        second.ask("approval/give", {"number": number})
        return self.ask(operation, body, purpose=purpose, reason=reason, approval=number)


@dataclass
class FakeNational:
    """A national server in the same process: people, and what goes wrong."""

    people: list[Mapping[ItemName, Any]] = field(default_factory=list)
    """The eight items of each."""
    fault: Fault | None = None
    asked: list[Question] = field(default_factory=list)
    """What it was asked so far."""

    def inquire(self, question: Question) -> Found:
        """Return whoever fits exactly (``appliance.national.National``)."""
        self.asked.append(question)
        if self.fault is not None:
            raise bad_gateway(self.fault)
        wanted = {ItemName(key): value for key, value in question.by.items()}.items()
        fitting = [person for person in self.people if wanted <= person.items()]
        if len(fitting) != 1:
            return Found("several" if fitting else "none", {})
        return Found("one", {item: fitting[0][item] for item in question.items})


@cache
def ours() -> Mapping[str, object]:
    """Return our own plugins."""
    return installed(OURS)


class Bench:
    """The appliance under test."""

    def __init__(
        self,
        vault: Vault,
        plugins: Mapping[str, object],
        policy: Policy | None,
        ring: KeyRing,
        national: National | None,
    ) -> None:
        self.now = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
        self.vault = vault
        self.ring = ring
        self.counter = itertools.count(1)
        self.strangers: list[tuple[str, str]] = []
        self.pins = quick_pins()
        self.marker = Marker(ring.key(MARK_ROOT))
        self.loaded = put_together(plugins, Identification(self.pins, Devices(BROWSER_ORIGIN)))
        operations = self.loaded.operations
        self.index = Index(ring.key("idx-root/1"), ring.token_bits)
        self.parts = Parts(
            engine=vault,
            policy=policy or everything(operations),
            hook=self.loaded.hook,
            operations=operations,
            tools=Tools(self.index, Municipalities.load(), self.marker),
            sessions=Sessions(Limits()),
            refs=Refs(),
            media=Media(ring.key("media/1")),
            turned_away=lambda fingerprint, why: self.strangers.append((fingerprint, why)),
            clock=lambda: self.now,
            national=national,
        )
        self.pipeline = Pipeline(self.parts)
        self.jobs = Jobs(
            self.pipeline,
            vault,
            self.loaded.jobs,
            self.loaded.manager,
            on_unknown=lambda: None,
            clock=lambda: self.now,
        )

    @classmethod
    @contextmanager
    def open(
        cls,
        folder: Path,
        plugins: Mapping[str, object] | None = None,
        policy: Policy | None = None,
        national: National | None = None,
        *,
        in_step: bool = False,
    ) -> Iterator["Bench"]:
        """Yield a new appliance in an empty folder, with these plugins or all of ours.

        Entries of the ledger have times of their own, each later than the one before; with
        ``in_step`` they have the time of ``bench.now``.
        """
        ring = KeyRing.create(bytes(range(32)), bytes(range(16)), 20, 2026)
        times = itertools.count(1_775_000_000_000)
        opened: list[Bench] = []

        def clock_ms() -> int:
            return int(opened[0].now.timestamp() * 1000) if in_step and opened else next(times)

        create(folder, ring, ORIGIN, clock_ms=clock_ms)
        vault = open_vault(folder, ring, origin=ORIGIN, clock_ms=clock_ms)
        try:
            bench = cls(vault, ours() if plugins is None else plugins, policy, ring, national)
            opened.append(bench)
            yield bench
        finally:
            vault.close()

    def seat(
        self,
        terminal_id: str = "TERM-0001",
        kind: TerminalKind = TerminalKind.REPRESENTATIVE,
        municipality_code: str | None = None,
    ) -> Seat:
        """Register a terminal and sit down at it, without logging in."""
        peer = Peer(
            sha256(terminal_id.encode()).hexdigest(),
            self.now - timedelta(days=1),
            self.now + timedelta(days=365 * 200),
        )
        record = TerminalRecord(
            fingerprint=peer.fingerprint,
            terminal_id=terminal_id,
            kind=kind,
            municipality_code=municipality_code,
        )

        def enrol(unit: Unit) -> None:
            roster = Roster(unit, unit)
            if roster.terminal(peer.fingerprint) is None:
                roster.enrol_terminal(record)
                unit.enter(PREPARED)

        self.vault.write(enrol)
        return Seat(self, peer)

    def municipality(self, municipality_code: str) -> Seat:
        """Return the CS of a municipality."""
        return self.seat(f"CS-{municipality_code}", TerminalKind.MUNICIPALITY, municipality_code)

    def national(self) -> Seat:
        """Return the national server."""
        return self.seat("NATIONAL", TerminalKind.NATIONAL)

    def clerk(
        self,
        operator_id: str = "OP-0001",
        *,
        roles: tuple[str, ...] = ("all",),
        purposes: tuple[str, ...] = ("all",),
        office: str = "市町村課",
        terminal_id: str = "TERM-0001",
        person_id: str | None = None,
        name: str = "",
    ) -> Seat:
        """Let somebody in under an authority of his own, and log him in at a terminal."""
        person_id = person_id or f"P-{operator_id}"
        self.appoint(
            operator_id, person_id, roles=roles, purposes=purposes, office=office, name=name
        )
        return self.log_in(person_id, operator_id, terminal_id)

    def appoint(
        self,
        operator_id: str,
        *people: str,
        roles: tuple[str, ...] = ("all",),
        purposes: tuple[str, ...] = ("all",),
        office: str = "市町村課",
        name: str = "",
    ) -> None:
        """Put an authority in the roster, and everybody who holds it, each with the PIN ``PIN``."""
        authority = OperatorRecord(
            operator_id=operator_id,
            office=office,
            roles=roles,
            purposes=purposes,
            holders=people,
            expires_on=FOREVER,
        )
        kept = self.pins.enrol(PIN)

        def appoint(unit: Unit) -> None:
            roster = Roster(unit, unit)
            roster.put_operator(authority)
            for person_id in people:
                if roster.person(person_id) is None:
                    roster.put_person(
                        PersonRecord(
                            person_id=person_id,
                            name=name,
                            office=office,
                            contractor="contractor" in roles,
                            expires_on=FOREVER,
                            pin=PinGrant(reason="test", until=FOREVER),
                        )
                    )
                    proofs_in(roster).put(person_id, Proofs(pin_hash=kept))
            unit.enter(PREPARED)

        self.vault.write(appoint)

    def log_in(self, person_id: str, operator_id: str, terminal_id: str = "TERM-0001") -> Seat:
        """Log somebody in by PIN at a terminal."""
        seat = self.seat(terminal_id)
        asked = {"person": person_id, "operator": operator_id, "pin": PIN}
        return replace(seat, bearer=seat.ask("session/open", asked).data["token"])

    def step(self, job: str) -> Step:
        """Ask one step of a job, whether or not it is due; return what it answered."""
        (operation,) = (each.job.operation for each in self.loaded.jobs if each.job.name == job)
        request_id = f"job-{next(self.counter)}"
        answered = self.pipeline.serve(operation, Nothing(), request_id)
        return msgspec.convert(answered.data, Step)

    def work(self) -> list[str]:
        """Ask every step of every job that is due at ``now``, until none is; return the jobs."""
        stepped: list[str] = []
        while turn := self.jobs.turn():
            stepped += turn
        return stepped

    def ledger(self, start: int = 0) -> list[Reading]:
        """Return the ledger entries from a number on, oldest first."""
        with self.vault.view() as view:
            reader = LedgerReader(view)
            return list(reader.between(start, reader.size))
