"""How a terminal gets its certificate: its key is made where it stays, and never leaves (R21).

::

    at the terminal          request    TERM-0003.key (0600) and TERM-0003.csr
    where the authority is   sign       checks the request, TERM-0003.pem
    システム管理者            enrol      registers it: from now on it may ask

A request (PKCS #10, RFC 2986) proves that its maker has the key. That it is the key of this
terminal is proved by people: both sides read the fingerprint of the key to one another. Of the
request only 操作端末ID and key are taken over; whatever else it asks for is not.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from appliance.certificates import CLIENT_DAYS, PEM_BEGIN, CertificateAuthority, key_pem, names_in

URN = "urn:juki:terminal:"
TERMINAL_ID = re.compile(r"[A-Z0-9-]{1,16}")


class BadRequest(ValueError):
    """What was given is no request that can be signed; the text says why and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose maker has the key, and for which 操作端末ID he asks."""

    terminal_id: str
    public_key: ec.EllipticCurvePublicKey

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key (SubjectPublicKeyInfo), in groups of four to be read aloud."""
        return _fingerprint(self.public_key)


@dataclass(frozen=True, slots=True)
class Made:
    """A new key and the request for its certificate, both PEM."""

    request_pem: bytes
    key_pem: bytes = field(repr=False)
    fingerprint: str


def make_request(terminal_id: str) -> Made:
    """Return a new EC P-256 key and a request that names ``terminal_id``.

    Raises:
        BadRequest: it is no 操作端末ID.
    """
    _must_be_id(terminal_id)
    key = ec.generate_private_key(ec.SECP256R1())
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, terminal_id)]))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(URN + terminal_id)]),
            critical=False,
        )
        .sign(key, SHA256())
    )
    pem = request.public_bytes(Encoding.PEM)
    return Made(pem, key_pem(key), _fingerprint(key.public_key()))


def read_request(pem: bytes) -> Asked:
    """Return what a request asks for, if its maker has the key.

    Raises:
        BadRequest: not one request in PEM form, its signature is not of its key, the key is no EC
            P-256 key, or CN and URI do not both name one 操作端末ID and nothing else.
    """
    request = _loaded(pem)
    if not request.is_signature_valid:
        raise BadRequest("the request is not signed with its own key: it was changed, or is forged")
    key = request.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadRequest("the key is not EC P-256: make the request with juki terminal request")
    subject = [str(each.value) for each in request.subject]
    if len(subject) != 1 or request.subject.get_attributes_for_oid(NameOID.COMMON_NAME) == []:
        raise BadRequest("the subject must be one CN, the terminal's ID")
    _must_be_id(subject[0])
    if _names(request) != [x509.UniformResourceIdentifier(URN + subject[0])]:
        raise BadRequest(f"the only name must be the URI {URN}… of the same ID as the CN")
    return Asked(subject[0], key)


def sign_request(
    authority: CertificateAuthority, asked: Asked, *, now: datetime, days: int = CLIENT_DAYS
) -> bytes:
    """Return the certificate (PEM) of a request, of our own profile.

    Raises:
        BadCertificate: the authority ends before it would.
    """
    uri = URN + asked.terminal_id
    return authority.certify_client(
        asked.terminal_id, asked.public_key, now=now, days=days, uri=uri
    )


def terminal_named_in(pem: bytes | str) -> str | None:
    """Return the 操作端末ID a certificate is made out for; None if it says none.

    Raises:
        BadCertificate: not exactly one certificate.
    """
    named = [uri.removeprefix(URN) for uri in names_in(pem) if uri.startswith(URN)]
    return " ".join(named) or None


def _loaded(pem: bytes) -> x509.CertificateSigningRequest:
    try:
        if pem.count(PEM_BEGIN) == 1:
            return x509.load_pem_x509_csr(pem)
    except ValueError:
        pass
    raise BadRequest("not exactly one certificate request in PEM form")


def _names(request: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    try:
        kind = x509.SubjectAlternativeName
        return list(request.extensions.get_extension_for_class(kind).value)
    except (x509.ExtensionNotFound, ValueError):
        return []


def _must_be_id(text: str) -> None:
    if TERMINAL_ID.fullmatch(text) is None:
        raise BadRequest("a terminal's ID is 1 to 16 of A-Z 0-9 -")


def _fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    digest = sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    return "-".join(digest[at : at + 4] for at in range(0, len(digest), 4))
