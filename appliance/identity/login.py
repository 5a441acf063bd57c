"""``session/challenge``, ``open``, ``verify``, ``close``: somebody comes, proves himself, goes.

The appliance's own operations, offered through the same door as a plugin's. Somebody says who he is
(照合ID) and under which authority he works (操作者ID), and proves it by a registered device
(照合情報) or, where one was issued to him, by a PIN. A wrong PIN counts towards the lock in the
same unit as its refusal; every reason for a no has one text.

The PIN is compared outside the writer, which takes its time. So attempts are counted in memory too,
before each comparison, until a right one is written down: many at once gain nothing. Whatever
somebody has proved meanwhile is looked at again there, on the writer thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import pluggy
from msgspec.structs import replace

from appliance.authn import authority_of
from appliance.case import Case
from appliance.errors import Malformed, NotPermitted, Unidentified
from appliance.identity.attempts import Attempts
from appliance.identity.evidence import USES, Challenge, Id, Json, Text, one_proof, usable
from appliance.identity.pins import Pins
from appliance.identity.webauthn import Copied, Devices, Kind, NotProved, Occasion
from appliance.model import OperationName, Role
from appliance.operation import Answer, AnyOperation, Arguments, Operation
from appliance.proofs import Proofs
from appliance.roster import Roster, proofs_in
from appliance.sessions import Session, draw
from appliance.staff import Method, OperatorRecord, PersonRecord
from appliance.terminals import must_be_of_its_office
from storage.engine import Unit

WRONG = "the person, the proof, the authority or the terminal is not right, or the PIN is locked"
hookimpl = pluggy.HookimplMarker("appliance")


class AskChallenge(Arguments, frozen=True, kw_only=True):
    """照合ID of whoever is to log in; in a session nothing: it is known who is in it."""

    person: Id | None = None


class Open(Arguments, frozen=True, kw_only=True):
    """照合ID, 操作者ID, and a proof: a device's answer or a PIN."""

    person: Id
    operator: Id | None = None
    """May be left out by whoever holds one authority only."""
    device: Json | None = None
    pin: Text | None = None


class Opened(Answer, frozen=True, kw_only=True):
    """A session token, and what may be done in the session."""

    token: str
    expires_at: datetime
    person: str
    operator: str
    office: str
    roles: tuple[str, ...]
    role_labels: tuple[str, ...]
    """What the staff calls them: 操作者."""
    purposes: tuple[str, ...]
    method: str
    last_login: datetime | None
    last_terminal: str


class Verify(Arguments, frozen=True, kw_only=True):
    """A proof: a device's answer or a PIN."""

    device: Json | None = None
    pin: Text | None = None


class Verified(Answer, frozen=True, kw_only=True):
    """How he proved himself, and until when that is recent enough for whatever asks for it."""

    method: str
    until: datetime


class Close(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class Closed(Answer, frozen=True, kw_only=True):
    """Nothing."""


class _Known(NamedTuple):
    """What decides whether somebody may log in, and as what."""

    person: PersonRecord | None
    authority: OperatorRecord | None
    proofs: Proofs

    @property
    def deciding(self) -> object:
        proofs = self.proofs
        return self.person, self.authority, proofs.pin_hash, proofs.is_locked, proofs.credentials


@dataclass(frozen=True, slots=True)
class _Proof:
    """A right proof, and what is to be remembered of it."""

    method: Method
    device_id: str = ""
    counter: int = 0


class Login:
    """The operations, and what is under way."""

    def __init__(self, pins: Pins, devices: Devices, attempts: Attempts) -> None:
        self._pins = pins
        self._devices = devices
        self._attempts = attempts

    @hookimpl
    def operations(self) -> list[AnyOperation]:
        """Offer the operations through the same door as any plugin."""
        return [
            Operation(
                name=OperationName("session/challenge"),
                summary="Ask for what a registered device answers, to log in or in a session.",
                asks=AskChallenge,
                answers=Challenge,
                handler=self.challenge,
                purposed=False,
                blind=True,
                uses=USES,
                records=("person",),
            ),
            Operation(
                name=OperationName("session/open"),
                summary="Log in: who, under which authority, and the proof.",
                asks=Open,
                answers=Opened,
                handler=self.open,
                purposed=False,
                blind=True,
                uses=USES,
                records=("person", "operator"),
                drops=("device", "pin"),
            ),
            Operation(
                name=OperationName("session/verify"),
                summary="Prove again who one is, for what asks for a recent proof.",
                asks=Verify,
                answers=Verified,
                handler=self.verify,
                purposed=False,
                blind=True,
                uses=USES,
                drops=("device", "pin"),
            ),
            Operation(
                name=OperationName("session/close"),
                summary="Log out.",
                asks=Close,
                answers=Closed,
                handler=_close,
                purposed=False,
                blind=True,
                uses=USES,
            ),
        ]

    def challenge(self, case: Case, asked: AskChallenge) -> Challenge:
        """Draw a challenge for a registered device; whoever has none gets one like it.

        Raises:
            Malformed: nobody is named, and nobody is logged in.
            Unavailable: devices prove nobody at this appliance.
        """
        operator = case.actor.operator
        person_id = operator.person_id if operator else asked.person
        if person_id is None:
            raise Malformed("person is needed: who wants to log in")
        known = usable(case.roster, case.roster.person(person_id))
        occasion = _proving(case, person_id)
        options = self._devices.ask_to_prove(occasion, list(known.values()), case.request.now)
        return Challenge(public_key=options, origin=self._devices.origin)

    def open(self, case: Case, asked: Open) -> Opened:
        """Begin a session.

        Raises:
            Malformed: neither a device's answer nor a PIN is given, or both.
            Unidentified: anything is wrong; one text for every reason.
            NotPermitted: it is he, and he holds several authorities, his 研修 is too long ago, or
                the terminal is another 所属's alone.
            Conflict: logged in at another terminal.
            Unavailable: somebody is logging in at this terminal, or too many elsewhere.
        """
        case.note.result = "wrong"
        known = _known(case.roster, asked.person, asked.operator, case.request.today)
        person, proof = known.person, self._proof(case, known, asked.person, asked)
        if person is None or proof is None or not person.may_work(case.request.today):
            raise Unidentified(WRONG)
        _must_be_trained(case, person)
        if known.authority is None and asked.operator is None:
            raise NotPermitted("say under which authority (operator): you hold none, or several")
        if known.authority is None:
            raise Unidentified(WRONG)
        token, session = draw(
            person.person_id,
            known.authority.operator_id,
            case.actor.terminal.fingerprint,
            case.request.now,
        )
        case.together.append(lambda unit: self._succeeded(unit, known, proof, case, session))
        return Opened(
            token=token,
            expires_at=case.sessions.until(session),
            person=person.person_id,
            operator=known.authority.operator_id,
            office=known.authority.office,
            roles=known.authority.roles,
            role_labels=_labels(case, known.authority.roles),
            purposes=known.authority.purposes,
            method=proof.method,
            last_login=known.proofs.last_login,
            last_terminal=known.proofs.last_terminal,
        )

    def verify(self, case: Case, asked: Verify) -> Verified:
        """Note that whoever is in the session has proved again who he is.

        Raises:
            Malformed: neither a device's answer nor a PIN is given, or both.
            Unidentified: nobody is logged in, or anything is wrong.
            Unavailable: as ``open``.
        """
        operator = case.actor.operator
        if operator is None:
            raise Unidentified("log in first (session/open)")
        case.note.result = "wrong"
        known = _known(case.roster, operator.person_id, operator.operator_id, case.request.today)
        proof = self._proof(case, known, operator.person_id, asked)
        if proof is None:
            raise Unidentified(WRONG)
        case.together.append(lambda unit: self._succeeded(unit, known, proof, case, None))
        return Verified(method=proof.method, until=case.request.now + case.policy.access.freshness)

    def _proof(
        self, case: Case, known: _Known, person_id: str, asked: Open | Verify
    ) -> _Proof | None:
        """Return what was proved of the person, or None; a wrong proof is written down."""
        if one_proof(asked.device, asked.pin) == "pin":
            return self._proof_by_pin(case, known, asked.pin or "")
        there = usable(case.roster, known.person)
        try:
            occasion = _proving(case, person_id)
            found = self._devices.prove(occasion, there, asked.device or {}, case.request.now)
        except Copied as copied:
            device_id = str(copied)
            case.note.result = f"the counter of device {device_id} did not advance"
            case.if_refused.append(lambda unit: _retire_copied(unit, person_id, device_id, case))
            return None
        except NotProved as problem:
            case.note.result = f"wrong: {problem}"
            return None
        return _Proof("device", *found)

    def _proof_by_pin(self, case: Case, known: _Known, pin: str) -> _Proof | None:
        person = known.person
        with self._attempts.turn_of(case.actor.terminal.fingerprint):
            before = self._attempts.count(person.person_id) if person else 0
            right = self._pins.verify(known.proofs.pin_hash, pin)
        if person is None:
            return None
        locked = replace(known.proofs, failures=max(known.proofs.failures, before)).is_locked
        if right and not locked and person.may_use_pin(case.request.today):
            # Whatever he is refused for then, his PIN was no wrong one.
            case.if_refused.append(lambda unit: self._attempts.forget(person.person_id))
            return _Proof("pin")
        case.if_refused.append(lambda unit: _count_failure(unit, person.person_id))
        return None

    def _succeeded(
        self, unit: Unit, proved: _Known, proof: _Proof, case: Case, session: Session | None
    ) -> None:
        """Write down a proof, and begin the session, if all still is as it was proved.

        Proving takes long: another PIN may have been set meanwhile, or somebody shut out. Here, on
        the writer thread, one of the two is first.
        """
        person, authority = proved.person, proved.authority
        if person is None or authority is None:
            raise Unidentified(WRONG)
        roster = Roster(unit, unit)
        now = _known(roster, person.person_id, authority.operator_id, case.request.today)
        if now.deciding != proved.deciding:
            case.note.result = "changed meanwhile"
            raise Unidentified(WRONG)
        if proof.method == "pin":
            self._attempts.forget(person.person_id)
        must_be_of_its_office(case.actor.terminal, authority.office)
        roster.note_use(case.actor.terminal.terminal_id, case.request.now)
        proofs_in(roster).put(person.person_id, _after(now.proofs, proof, case, session))
        if session is None:
            case.sessions.proved(case.actor.session, case.request.now)
        else:
            case.sessions.begin(session)
        case.note.result = f"{proof.method} {proof.device_id}".strip()


def _labels(case: Case, roles: Sequence[str]) -> tuple[str, ...]:
    rules = case.policy.roles
    return tuple(rules[Role(name)].label if Role(name) in rules else name for name in roles)


def _known(roster: Roster, person_id: str, operator_id: str | None, today: date) -> _Known:
    person = roster.person(person_id)
    if operator_id is None:
        held = [each for each in roster.held_by(person_id) if each.may_work(today)]
        operator_id = held[0].operator_id if len(held) == 1 else ""
    authority = authority_of(roster, person, operator_id, today)
    return _Known(person, authority, proofs_in(roster).of(person_id))


def _proving(case: Case, person_id: str) -> Occasion:
    kind: Kind = "verify" if case.actor.session else "open"
    return Occasion(kind, case.actor.terminal.fingerprint, case.actor.session, person_id)


def _must_be_trained(case: Case, person: PersonRecord) -> None:
    months = case.policy.access.training_months
    if not months or _months_ago(case.request.today, months) <= (person.trained_on or date.min):
        return
    case.note.result = "not trained"
    raise NotPermitted(f"the last 研修 must not be more than {months} months ago (R183)")


def _months_ago(today: date, months: int) -> date:
    """Return the first day from which on something is not longer ago than that."""
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    try:
        return date(year, month + 1, today.day)
    except ValueError:
        return date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)


def _count_failure(unit: Unit, person_id: str) -> None:
    book = proofs_in(Roster(unit, unit))
    proofs = book.of(person_id)
    if not proofs.is_locked:
        book.change(person_id, failures=proofs.failures + 1)


def _retire_copied(unit: Unit, person_id: str, device_id: str, case: Case) -> None:
    roster = Roster(unit, unit)
    person = roster.person(person_id)
    if person is None:
        return
    devices = tuple(
        replace(each, retired="複製の疑い(署名回数が進んでいない)")
        if each.device_id == device_id
        else each
        for each in person.devices
    )
    roster.change_person(person_id, devices=devices, revised_at=case.request.now, revised_by="")
    case.sessions.close_all_of(person_id=person_id)


def _after(proofs: Proofs, proof: _Proof, case: Case, session: Session | None) -> Proofs:
    changes: dict[str, object] = {}
    if proof.method == "pin":
        changes["failures"] = 0
    else:
        used = replace(proofs.credentials[proof.device_id], counter=proof.counter)
        changes["credentials"] = {**proofs.credentials, proof.device_id: used}
    if session is not None:
        changes |= {
            "last_login": case.request.now,
            "last_terminal": case.actor.terminal.terminal_id,
            "last_method": proof.method,
        }
    return replace(proofs, **changes)


def _close(case: Case, asked: Close) -> Closed:
    """End the session, if there is one."""
    case.sessions.close(case.actor.session)
    return Closed()
