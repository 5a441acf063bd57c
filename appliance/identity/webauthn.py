"""照合情報: devices that verify their user, by WebAuthn (R121, R122; W3C WebAuthn Level 3).

The template of a fingerprint, vein or face stays in the device; what is registered here is a public
key. ``fido2`` checks what the standard says; beyond it this module sees to it that

- the device verified its user, whatever the page asked for (UV required, §7.1 and §7.2);
- the origin is exactly ours, not a sub-domain or another port;
- a challenge is used once, within a minute, at the terminal and in the session it was drawn for;
- a device that counts its signatures counts on: one that does not was copied;
- the model is one that the policy names, on the word of a maker that it names (attestation).
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b, sha256
from threading import Lock
from typing import Any, Literal
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fido2.attestation.base import AttestationResult, AttestationVerifier
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    UserVerificationRequirement,
)

from appliance.errors import Unavailable
from appliance.policy import Access
from appliance.proofs import Credential

LIFETIME = timedelta(seconds=60)
MOST_CHALLENGES = 4096
"""Kept at once, the latest ones; each is some hundred bytes."""
RP_NAME = "都道府県サーバ"
REQUIRED = UserVerificationRequirement.REQUIRED

# It tells the ids of credentials in lines that are not of our form.
logging.getLogger("fido2").setLevel(logging.WARNING)

Kind = Literal["register", "open", "verify"]


class NotProved(Exception):
    """The device's answer proves nothing; says why, for the ledger, never for whoever asks."""


class Copied(NotProved):
    """The signature is good and its counter did not advance: two devices hold this key."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a challenge was drawn for; it is answered on the same occasion or not at all."""

    kind: Kind
    fingerprint: str
    """Of the terminal's certificate."""
    session: str = ""
    subject: str = ""
    """照合ID; of a registration the digest of its code."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A device that was registered."""

    device_id: str
    aaguid: str
    credential: Credential


class Challenges:
    """Challenges that wait for an answer; one at a time for each terminal and kind."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], tuple[Occasion, datetime, Any]] = {}
        self._lock = Lock()

    def keep(self, occasion: Occasion, state: Any, now: datetime) -> None:
        """Keep what the answer will be held against; an earlier one of its place is void."""
        with self._lock:
            self._waiting.pop(_place(occasion), None)
            self._waiting[_place(occasion)] = occasion, now + LIFETIME, state
            while len(self._waiting) > MOST_CHALLENGES:
                self._waiting.pop(next(iter(self._waiting)))

    def take(self, occasion: Occasion, now: datetime) -> Any:
        """Return what the answer is held against, which is used up by that, right or wrong.

        Raises:
            NotProved: none waits, it is over, or it was drawn on another occasion.
        """
        with self._lock:
            drawn, until, state = self._waiting.pop(_place(occasion), (None, now, None))
        if drawn is None or now > until:
            raise NotProved("no challenge waits for an answer")
        if drawn != occasion:
            raise NotProved("the challenge was drawn for something else")
        return state


def _place(occasion: Occasion) -> tuple[str, str]:
    return occasion.fingerprint, occasion.kind


class _Makers(AttestationVerifier):
    """Takes the word of these makers, and nobody else's, for what model a device is (§6.5)."""

    def __init__(self, roots: Sequence[str]) -> None:
        super().__init__()
        self._roots = [x509.load_pem_x509_certificate(pem.encode()) for pem in roots]

    def ca_lookup(
        self, attestation_result: AttestationResult, auth_data: AuthenticatorData
    ) -> bytes | None:
        """Return the root that the last certificate of the device names, or None."""
        # What a device says of itself, without a maker's certificate, has no path and no root.
        path = [x509.load_der_x509_certificate(der) for der in attestation_result.trust_path]
        found = [root for root in self._roots if path and root.subject == path[-1].issuer]
        return found[0].public_bytes(Encoding.DER) if found else None


class Devices:
    """The relying party of one appliance: draws challenges and checks the answers."""

    def __init__(self, origin: str | None) -> None:
        self._origin = origin
        self._challenges = Challenges()
        self._nobody = secrets.token_bytes(32)

    def ask_to_register(
        self, occasion: Occasion, person_id: str, known: Sequence[Credential], now: datetime
    ) -> dict[str, Any]:
        """Return the options for ``navigator.credentials.create`` (§5.4).

        Raises:
            Unavailable: the appliance has no origin at which devices are registered.
        """
        options, state = self._server().register_begin(
            PublicKeyCredentialUserEntity(
                id=_user_handle(person_id), name=person_id, display_name=person_id
            ),
            credentials=[_opened(each) for each in known],
            user_verification=REQUIRED,
        )
        self._challenges.keep(occasion, state, now)
        return _plain(options.public_key)

    def register(
        self, occasion: Occasion, answer: Mapping[str, Any], access: Access, now: datetime
    ) -> Registered:
        """Return the device that answered.

        Args:
            occasion: on which it answered.
            answer: ``PublicKeyCredential.toJSON()``.
            access: which models may be registered, and whose word for it is taken.
            now: the time.

        Raises:
            Unavailable: as ``ask_to_register``.
            NotProved: it did not verify its user, or anything else is not as it must be.
        """
        server = self._server(access.roots)
        state = self._challenges.take(occasion, now)
        try:
            response = RegistrationResponse.from_dict(answer)
            data = server.register_complete(state, response).credential_data
            foreign = response.response.client_data.cross_origin
        except Exception as problem:
            raise NotProved(_said(problem)) from None
        if data is None or foreign:
            raise NotProved("asked from inside another site's page")
        aaguid = str(data.aaguid)
        if access.models and aaguid not in access.models:
            raise NotProved("the model of the device is not among those allowed")
        return Registered(_device_id(data.credential_id), aaguid, Credential(data=bytes(data)))

    def ask_to_prove(
        self, occasion: Occasion, known: Sequence[Credential], now: datetime
    ) -> dict[str, Any]:
        """Return the options for ``navigator.credentials.get`` (§5.5).

        Whoever has no device gets options that look the same: nobody learns who is known.

        Raises:
            Unavailable: as ``ask_to_register``.
        """
        ids = [_opened(each).credential_id for each in known] or [self._of_nobody(occasion)]
        options, state = self._server().authenticate_begin(
            credentials=[
                PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=each)
                for each in ids
            ],
            user_verification=REQUIRED,
        )
        self._challenges.keep(occasion, state, now)
        return _plain(options.public_key)

    def prove(
        self,
        occasion: Occasion,
        known: Mapping[str, Credential],
        answer: Mapping[str, Any],
        now: datetime,
    ) -> tuple[str, int]:
        """Return which of the known devices answered, and how often it has signed by now.

        Raises:
            Unavailable: as ``ask_to_register``.
            Copied: its counter did not advance (§7.2, step 22); names the device.
            NotProved: it did not verify its user, or anything else is not as it must be.
        """
        server = self._server()
        state = self._challenges.take(occasion, now)
        try:
            response = AuthenticationResponse.from_dict(answer)
            keys = [_opened(each) for each in known.values()]
            used = server.authenticate_complete(state, keys, response)
            counter = response.response.authenticator_data.counter
            foreign = response.response.client_data.cross_origin
        except Exception as problem:
            raise NotProved(_said(problem)) from None
        if foreign:
            raise NotProved("asked from inside another site's page")
        device_id = _device_id(used.credential_id)
        before = known[device_id].counter
        if (counter or before) and counter <= before:
            raise Copied(device_id)
        return device_id, counter

    @property
    def origin(self) -> str:
        """Where browsers reach the appliance.

        Raises:
            Unavailable: nowhere.
        """
        if self._origin is None:
            raise Unavailable(
                "this appliance has no address at which a device can prove anybody "
                "([browser] origin in its configuration); use a PIN"
            )
        return self._origin

    def _server(self, roots: Sequence[str] = ()) -> Fido2Server:
        origin, host = self.origin, urlsplit(self.origin).hostname
        return Fido2Server(
            PublicKeyCredentialRpEntity(id=host, name=RP_NAME),
            attestation=AttestationConveyancePreference.DIRECT,
            verify_origin=lambda given: given == origin,
            verify_attestation=_Makers(roots) if roots else None,
        )

    def _of_nobody(self, occasion: Occasion) -> bytes:
        name = occasion.subject.encode()
        return blake2b(name, key=self._nobody, digest_size=32, person=b"jk1.nobody").digest()


def _plain(options: Any) -> dict[str, Any]:
    return {**dict(options), "timeout": int(LIFETIME.total_seconds() * 1000)}


def _opened(credential: Credential) -> AttestedCredentialData:
    return AttestedCredentialData(credential.data)


def _device_id(credential_id: bytes) -> str:
    return sha256(credential_id).hexdigest()[:16]


def _user_handle(person_id: str) -> bytes:
    return blake2b(person_id.encode(), digest_size=16, person=b"jk1.user").digest()


def _said(problem: Exception) -> str:
    """Return the library's own words, which are fixed texts; of anything else only the kind."""
    return str(problem) if type(problem) is ValueError else type(problem).__name__
