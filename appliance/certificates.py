"""A small certificate authority for one closed network: who may open a connection at all.

One authority signs the server certificate of the appliance and one client certificate for every
terminal, municipal server (市町村CS) and national server. What a certificate proves is only "issued
by us"; what its holder may do stands in the terminal register, found by the certificate's
fingerprint (R21).

::

    ca.pem    the authority's certificate, given to everybody
    ca.key    its private key, readable by its owner alone; kept off the appliance after setting up

All keys are EC P-256, all signatures ECDSA with SHA-256, all profiles RFC 5280: a certificate for
a server does not serve as a client's, nor the other way round.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from appliance.files import replace_file
from appliance.model import Peer

AUTHORITY_DAYS = 3650
SERVER_DAYS = 825
CLIENT_DAYS = 825

BACKDATED = timedelta(minutes=5)
"""Machines of a closed network do not agree on the time to the second."""

PEM_BEGIN = b"-----BEGIN "


class BadCertificate(ValueError):
    """What was given is not exactly one certificate; the text never quotes it."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new certificate and the private key it belongs to, both PEM."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)

    def write(self, folder: Path, stem: str) -> tuple[Path, Path]:
        """Write ``stem.pem`` and ``stem.key`` (mode 0600); return both paths."""
        certificate, key = folder / f"{stem}.pem", folder / f"{stem}.key"
        replace_file(key, self.key_pem, 0o600)
        replace_file(certificate, self.certificate_pem, 0o644)
        return certificate, key


class CertificateAuthority:
    """Issues certificates; holds the one key that can."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        if certificate.public_key() != key.public_key():
            raise BadCertificate("the authority's key does not belong to its certificate")
        self._certificate = certificate
        self._key = key

    @classmethod
    def create(
        cls, common_name: str, now: datetime, days: int = AUTHORITY_DAYS
    ) -> "CertificateAuthority":
        """Return a new authority, valid from ``now`` (aware) for ``days``."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(common_name), _name(common_name), key.public_key(), now, days)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
                critical=False,
            )
        )
        return cls(builder.sign(key, SHA256()), key)

    @classmethod
    def load(cls, folder: Path) -> "CertificateAuthority":
        """Return the authority that ``save`` wrote into ``folder``.

        Raises:
            OSError: a file is missing or not ours to read.
            BadCertificate: a file is damaged, or the two do not belong together.
        """
        return cls.from_pem((folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes())

    @classmethod
    def from_pem(cls, certificate: bytes, key: bytes) -> "CertificateAuthority":
        """Return the authority of this certificate and this key, both PEM.

        Raises:
            BadCertificate: one is damaged, or the two do not belong together.
        """
        try:
            private = load_pem_private_key(key, password=None)
        except (ValueError, TypeError):
            raise BadCertificate("the authority's ca.key is no private key in clear PEM") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise BadCertificate("the authority's ca.key is not an elliptic curve key")
        return cls(_load(certificate), private)

    def save(self, folder: Path) -> None:
        """Write ``ca.pem`` and ``ca.key`` (mode 0600) into ``folder``."""
        Issued(self.certificate_pem, key_pem(self._key)).write(folder, "ca")

    @property
    def certificate_pem(self) -> bytes:
        """The certificate that everybody must know to check the others."""
        return self._certificate.public_bytes(Encoding.PEM)

    def issue_server(
        self, names: Sequence[str], *, now: datetime, days: int = SERVER_DAYS
    ) -> Issued:
        """Return a certificate for a server reached under ``names`` (DNS names or addresses)."""
        if not names:
            raise ValueError("a server certificate needs at least one name")
        subject_names = x509.SubjectAlternativeName([_general_name(name) for name in names])
        return self._issue(names[0], ExtendedKeyUsageOID.SERVER_AUTH, subject_names, now, days)

    def issue_client(
        self, common_name: str, *, now: datetime, days: int = CLIENT_DAYS, uri: str | None = None
    ) -> Issued:
        """Return a certificate for a terminal or another server.

        ``uri`` such as ``urn:juki:terminal:TERM-0001`` goes into the certificate for people to
        read; the appliance identifies the holder by fingerprint only.
        """
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]) if uri else None
        return self._issue(common_name, ExtendedKeyUsageOID.CLIENT_AUTH, names, now, days)

    def certify_client(
        self,
        common_name: str,
        public_key: ec.EllipticCurvePublicKey,
        *,
        now: datetime,
        days: int = CLIENT_DAYS,
        uri: str,
    ) -> bytes:
        """Return a client certificate (PEM) for a key that was made elsewhere.

        Raises:
            BadCertificate: the authority ends before it would.
        """
        if now + timedelta(days=days) > self._certificate.not_valid_after_utc:
            raise BadCertificate("the authority's own certificate ends before that; fewer days")
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH
        return self._certified(common_name, public_key, purpose, names, now, days)

    def _issue(
        self,
        common_name: str,
        purpose: ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
        now: datetime,
        days: int,
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = self._certified(common_name, key.public_key(), purpose, names, now, days)
        return Issued(pem, key_pem(key))

    def _certified(
        self,
        common_name: str,
        public_key: ec.EllipticCurvePublicKey,
        purpose: ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
        now: datetime,
        days: int,
    ) -> bytes:
        issuer = self._certificate
        builder = (
            _builder(_name(common_name), issuer.subject, public_key, now, days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as it is kept in a file, in clear."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def names_in(pem: bytes | str) -> list[str]:
    """Return the URIs that a certificate is made out for.

    Raises:
        BadCertificate: not exactly one certificate.
    """
    try:
        names = _load(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    except ValueError:
        raise BadCertificate("its names cannot be read") from None
    return names.get_values_for_type(x509.UniformResourceIdentifier)


def fingerprint(pem_or_der: bytes | str) -> str:
    """Return the SHA-256 of a certificate's DER form in hex: its name in the terminal register.

    Raises:
        BadCertificate: not exactly one certificate.
    """
    return _fingerprint(_load(pem_or_der))


def peer_from_pem(pem: bytes | str) -> Peer:
    """Return what a certificate in PEM form proves.

    Raises:
        BadCertificate: not exactly one certificate.
    """
    return _peer(_load(pem))


def peer_from_der(der: bytes) -> Peer:
    """Return what a certificate in DER form proves.

    Raises:
        BadCertificate: not a certificate.
    """
    return _peer(_load(der))


def is_issued_by(pem: bytes | str, authorities: bytes) -> bool:
    """Return whether one of these authorities (PEM) signed a certificate itself.

    An authority in between belongs among them.

    Raises:
        BadCertificate: it is no certificate.
        ValueError: the authorities are none.
    """
    certificate = _load(pem)
    for authority in x509.load_pem_x509_certificates(authorities):
        with suppress(ValueError, TypeError, InvalidSignature):
            certificate.verify_directly_issued_by(authority)
            return True
    return False


def _peer(certificate: x509.Certificate) -> Peer:
    return Peer(
        fingerprint=_fingerprint(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _fingerprint(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def _load(pem_or_der: bytes | str) -> x509.Certificate:
    data = pem_or_der.encode() if isinstance(pem_or_der, str) else pem_or_der
    try:
        if PEM_BEGIN not in data:
            return x509.load_der_x509_certificate(data)
        # A chain is ambiguous, and a private key pasted along must not pass unnoticed.
        if data.count(PEM_BEGIN) != 1:
            raise BadCertificate("give one certificate and nothing else")
        return x509.load_pem_x509_certificate(data)
    except BadCertificate:
        raise
    except ValueError:
        raise BadCertificate("not an X.509 certificate") from None


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
