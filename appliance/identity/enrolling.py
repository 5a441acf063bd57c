"""``session/enrol-challenge``, ``session/enrol``: a one-use code becomes a device or a PIN (R122).

Whoever keeps the roster issues the code for somebody (照合情報の登録, 操作者照合暗証番号の発行).
It is used at a terminal by whom it was issued for: he puts his finger on the device, or chooses a
PIN.
"""

from datetime import datetime

import pluggy

from appliance.case import Case
from appliance.errors import NotPermitted
from appliance.identity.attempts import Attempts
from appliance.identity.evidence import USES, Challenge, Json, Label, Text, one_proof, usable
from appliance.identity.pins import Pins
from appliance.identity.webauthn import Devices, NotProved, Occasion
from appliance.model import OperationName
from appliance.operation import Answer, AnyOperation, Arguments, Operation
from appliance.proofs import Credential
from appliance.roster import Roster, proofs_in
from appliance.staff import Device, Enrolment, Method
from storage.engine import Unit

NO_CODE = "this enrolment code is not known, is used or is over"
hookimpl = pluggy.HookimplMarker("appliance")


class AskEnrolChallenge(Arguments, frozen=True, kw_only=True):
    """The one-use code; it is not used up by this."""

    code: Text


class Enrol(Arguments, frozen=True, kw_only=True):
    """A one-use code, and a device that answered, or the PIN that was chosen."""

    code: Text
    device: Json | None = None
    label: Label = ""
    """What the device is called in the roster: 指紋認証装置 1号."""
    pin: Text | None = None


class Enrolled(Answer, frozen=True, kw_only=True):
    """Whose proof was registered, and which kind it is."""

    person: str
    method: str
    device_id: str | None


class Enrolling:
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
                name=OperationName("session/enrol-challenge"),
                summary="Ask for what a device answers to be registered with a one-use code.",
                asks=AskEnrolChallenge,
                answers=Challenge,
                handler=self.enrol_challenge,
                purposed=False,
                blind=True,
                uses=USES,
                drops=("code",),
            ),
            Operation(
                name=OperationName("session/enrol"),
                summary="Register a device, or set a PIN, with a one-use code.",
                asks=Enrol,
                answers=Enrolled,
                handler=self.enrol,
                purposed=False,
                blind=True,
                uses=USES,
                records=("label",),
                drops=("code", "device", "pin"),
            ),
        ]

    def enrol_challenge(self, case: Case, asked: AskEnrolChallenge) -> Challenge:
        """Draw a challenge for a device that is to be registered.

        Raises:
            NotPermitted: the code is not known or is over, or is for a PIN only.
            Unavailable: devices cannot be registered at this appliance.
        """
        enrolment = _enrolment(case.roster, asked.code, "device", case.request.now)
        known = usable(case.roster, case.roster.person(enrolment.person_id))
        options = self._devices.ask_to_register(
            _registering(case, asked.code),
            enrolment.person_id,
            list(known.values()),
            case.request.now,
        )
        return Challenge(public_key=options, origin=self._devices.origin)

    def enrol(self, case: Case, asked: Enrol) -> Enrolled:
        """Register a proof of whoever the code was issued for; the code is used up.

        Raises:
            Malformed: neither a device nor a PIN is given, or both, or the PIN is too easy.
            NotPermitted: the code is not known, is over, or is for the other kind; or the device
                proves nothing, which the ledger says why.
            Unavailable: others are setting PINs at this moment.
        """
        method = one_proof(asked.device, asked.pin)
        enrolment = _enrolment(case.roster, asked.code, method, case.request.now)
        if asked.pin is not None:
            with self._attempts.turn_of(case.actor.terminal.fingerprint):
                self._set_pin(case, asked.code, enrolment, self._pins.enrol(asked.pin))
            return Enrolled(person=enrolment.person_id, method=method, device_id=None)
        try:
            found = self._devices.register(
                _registering(case, asked.code),
                asked.device or {},
                case.policy.access,
                case.request.now,
            )
        except NotProved as problem:
            case.note.result = str(problem)
            raise NotPermitted("this device was not registered: it proves nobody") from None
        device = Device(
            device_id=found.device_id,
            label=asked.label,
            aaguid=found.aaguid,
            enrolled_at=case.request.now,
        )
        self._add_device(case, asked.code, enrolment, device, found.credential)
        return Enrolled(person=enrolment.person_id, method=method, device_id=device.device_id)

    def _set_pin(self, case: Case, code: str, enrolment: Enrolment, kept: str) -> None:
        def set_pin(unit: Unit) -> None:
            roster = _used_up(unit, code)
            proofs_in(roster).change(enrolment.person_id, pin_hash=kept, failures=0)
            # Whoever proves the former PIN at this moment is refused when his unit comes.
            self._attempts.forget(enrolment.person_id)
            case.sessions.close_all_of(person_id=enrolment.person_id)
            case.note.result = f"pin of {enrolment.person_id}"

        case.together.append(set_pin)

    def _add_device(
        self, case: Case, code: str, enrolment: Enrolment, device: Device, key: Credential
    ) -> None:
        def add(unit: Unit) -> None:
            roster = _used_up(unit, code)
            person = roster.person(enrolment.person_id)
            if person is None or any(d.device_id == device.device_id for d in person.devices):
                raise NotPermitted("this device is registered already")
            roster.change_person(
                enrolment.person_id,
                devices=(*person.devices, device),
                revised_at=case.request.now,
                revised_by=enrolment.person_id,
            )
            book = proofs_in(roster)
            keys = {**book.of(enrolment.person_id).credentials, device.device_id: key}
            book.change(enrolment.person_id, credentials=keys)
            case.sessions.close_all_of(person_id=enrolment.person_id)
            case.note.result = f"device {device.device_id} of {enrolment.person_id}"

        case.together.append(add)


def _registering(case: Case, code: str) -> Occasion:
    # The code is long and random; a browser that has it may register, whoever sits there.
    return Occasion("register", case.actor.terminal.fingerprint, case.actor.session, code)


def _enrolment(roster: Roster, code: str, method: Method, now: datetime) -> Enrolment:
    enrolment = roster.enrolment(code)
    if enrolment is None or enrolment.until < now:
        raise NotPermitted(NO_CODE)
    if method not in enrolment.methods:
        raise NotPermitted(f"this code is for {' or '.join(enrolment.methods)}, not for {method}")
    return enrolment


def _used_up(unit: Unit, code: str) -> Roster:
    """Take a code out of use; return the roster to write in."""
    roster = Roster(unit, unit)
    if roster.enrolment(code) is None:
        raise NotPermitted(NO_CODE)
    roster.use_enrolment(code)
    return roster
