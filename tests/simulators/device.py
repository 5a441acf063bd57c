"""A device that verifies its user, in software: an authenticator of WebAuthn (§6).

What it answers is what a fingerprint reader answers: real client data, real authenticator data, a
real signature. That a finger was there it only claims, as any software does; ``verifies=False``
makes it one that looked at nobody. Its keys lie in a file, so that a copy of the file is a copy of
the device.

::

    Device(path).create(public_key, origin)      what ``navigator.credentials.create`` would give
    Device(path).get(public_key, origin)         what ``navigator.credentials.get`` would give
    python -m tests.simulators.device            one JSON object in, one out (``juki login``)
"""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

AAGUID = Aaguid(bytes.fromhex("6a756b692d73696d756c617465642d30"))
"""No real device has this one."""
PRESENT, VERIFIED, ATTESTED = (
    AuthenticatorData.FLAG.UP,
    AuthenticatorData.FLAG.UV,
    AuthenticatorData.FLAG.AT,
)
STORE = "JUKI_SIMULATED_DEVICE"
_DER = serialization.Encoding.DER


class Maker:
    """A maker of devices: its root, and the certificate that its devices attest by (§8.2)."""

    def __init__(self, now: datetime) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        root_key = ec.generate_private_key(ec.SECP256R1())
        names = {
            NameOID.COUNTRY_NAME: "JP",
            NameOID.ORGANIZATION_NAME: "test",
            NameOID.ORGANIZATIONAL_UNIT_NAME: "Authenticator Attestation",
            NameOID.COMMON_NAME: "device",
        }
        device = x509.Name([x509.NameAttribute(oid, text) for oid, text in names.items()])
        maker = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"maker {id(self)}")])
        ends = now + timedelta(days=365)

        def certified(subject: x509.Name, key: ec.EllipticCurvePublicKey, *, ca: bool) -> bytes:
            built = (
                x509.CertificateBuilder(maker, subject, key, x509.random_serial_number(), now, ends)
                .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
                .sign(root_key, hashes.SHA256())
            )
            return built.public_bytes(serialization.Encoding.PEM if ca else _DER)

        self.root = certified(maker, root_key.public_key(), ca=True).decode()
        """PEM."""
        self._certificate = certified(device, self._key.public_key(), ca=False)

    def attest(self, signed: bytes) -> dict[str, Any]:
        """Return the statement of a device."""
        signature = self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return {"alg": ES256.ALGORITHM, "sig": signature, "x5c": [self._certificate]}


class NotMine(Exception):
    """None of the credentials asked for is this device's."""


@dataclass
class Device:
    """One device; ``path`` is where its keys lie."""

    path: Path
    verifies: bool = True
    counts: bool = True
    """Counts its signatures, as most do."""
    maker: "Maker | None" = None
    """Who attests what model it is; without one it attests nothing."""

    def create(self, public_key: Mapping[str, Any], origin: str) -> dict[str, Any]:
        """Make a key for a site and answer the registration."""
        key = ec.generate_private_key(ec.SECP256R1())
        credential_id = secrets.token_bytes(32)
        attested = AttestedCredentialData.create(
            AAGUID,
            credential_id,
            ES256.from_cryptography_key(key.public_key()),  # type: ignore[no-untyped-call]
        )
        kept = self._kept()
        kept[websafe_encode(credential_id)] = {
            "rp_id": public_key["rp"]["id"],
            "key": key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode(),
            "counter": 0,
        }
        self._keep(kept)
        client = _client_data(CollectedClientData.TYPE.CREATE, public_key, origin)
        data = AuthenticatorData.create(
            sha256(public_key["rp"]["id"].encode()), self._flags | ATTESTED, 0, attested
        )
        return _answer(
            credential_id,
            {
                "clientDataJSON": websafe_encode(client),
                "attestationObject": websafe_encode(self._attested(data, client.hash)),
                "transports": ["internal"],
            },
        )

    def get(self, public_key: Mapping[str, Any], origin: str) -> dict[str, Any]:
        """Sign a challenge.

        Raises:
            NotMine: it has no key for it.
        """
        kept = self._kept()
        wanted = [each["id"] for each in public_key["allowCredentials"]]
        mine = next((each for each in wanted if each in kept), None)
        if mine is None:
            raise NotMine
        entry = kept[mine]
        entry["counter"] += 1 if self.counts else 0
        self._keep(kept)
        key = serialization.load_pem_private_key(entry["key"].encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the key is of another kind")
        client = _client_data(CollectedClientData.TYPE.GET, public_key, origin)
        data = AuthenticatorData.create(
            sha256(entry["rp_id"].encode()), self._flags, entry["counter"]
        )
        signature = key.sign(data + client.hash, ec.ECDSA(hashes.SHA256()))
        return _answer(
            websafe_decode(mine),
            {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
            },
        )

    def _attested(self, data: AuthenticatorData, client_hash: bytes) -> AttestationObject:
        if self.maker is None:
            return AttestationObject.create("none", data, {})
        return AttestationObject.create("packed", data, self.maker.attest(data + client_hash))

    @property
    def _flags(self) -> AuthenticatorData.FLAG:
        return PRESENT | VERIFIED if self.verifies else PRESENT

    def _kept(self) -> dict[str, dict[str, Any]]:
        try:
            kept: dict[str, dict[str, Any]] = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        return kept

    def _keep(self, kept: Mapping[str, Any]) -> None:
        self.path.write_text(json.dumps(kept))
        self.path.chmod(0o600)


def _client_data(kind: str, public_key: Mapping[str, Any], origin: str) -> CollectedClientData:
    return CollectedClientData.create(kind, public_key["challenge"], origin)


def _answer(credential_id: bytes, response: Mapping[str, Any]) -> dict[str, Any]:
    encoded = websafe_encode(credential_id)
    return {
        "id": encoded,
        "rawId": encoded,
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": dict(response),
    }


def main() -> int:
    """Answer what is asked on standard input, as the device whose keys lie in ``$STORE``."""
    asked = json.load(sys.stdin)
    device = Device(Path(os.environ[STORE]))
    answering = {"create": device.create, "get": device.get}[asked["kind"]]
    try:
        print(json.dumps(answering(asked["publicKey"], asked["origin"])))
    except NotMine:
        print("this device has no key for it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
