from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.certificates import BadCertificate, CertificateAuthority, is_issued_by
from appliance.enrolling import (
    URN,
    BadRequest,
    make_request,
    read_request,
    sign_request,
    terminal_named_in,
)

NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
AUTHORITY = CertificateAuthority.create("test CA", NOW - timedelta(days=30))
CURVE = ec.generate_private_key(ec.SECP256R1())


def forged(
    common_names: tuple[str, ...] = ("TERM-0003",),
    names: tuple[x509.GeneralName, ...] = (x509.UniformResourceIdentifier(f"{URN}TERM-0003"),),
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = CURVE,
    extra: x509.ExtensionType | None = None,
) -> bytes:
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in common_names]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
    if extra is not None:
        builder = builder.add_extension(extra, critical=True)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()
    return builder.sign(key, digest).public_bytes(Encoding.PEM)


def test_the_certificate_is_of_the_key_that_stayed_at_the_terminal() -> None:
    made = make_request("TERM-0003")
    asked = read_request(made.request_pem)
    assert (asked.terminal_id, asked.fingerprint) == ("TERM-0003", made.fingerprint)
    pem = sign_request(AUTHORITY, asked, now=NOW, days=90)
    key = load_pem_private_key(made.key_pem, password=None)
    certificate = x509.load_pem_x509_certificate(pem)
    assert certificate.public_key() == key.public_key()
    assert is_issued_by(pem, AUTHORITY.certificate_pem)
    assert terminal_named_in(pem) == "TERM-0003"
    assert certificate.not_valid_after_utc == NOW + timedelta(days=90)


def test_nothing_but_id_and_key_is_taken_over_from_a_request() -> None:
    wish = x509.BasicConstraints(ca=True, path_length=None)
    pem = sign_request(AUTHORITY, read_request(forged(extra=wish)), now=NOW)
    extensions = x509.load_pem_x509_certificate(pem).extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    own = AUTHORITY.issue_client("x", now=NOW, uri=f"{URN}X").certificate_pem
    profile = x509.load_pem_x509_certificate(own).extensions
    assert [each.oid for each in extensions] == [each.oid for each in profile]


@pytest.mark.parametrize(
    "request_pem",
    [
        b"",
        b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        forged() + forged(),
        forged(key=ec.generate_private_key(ec.SECP384R1())),
        forged(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        forged(key=ed25519.Ed25519PrivateKey.generate()),
        forged(common_names=("term-0003",)),
        forged(common_names=()),
        forged(common_names=("TERM-0003", "TERM-0004")),
        forged(names=()),
        forged(names=(x509.UniformResourceIdentifier(f"{URN}TERM-0004"),)),
        forged(names=(x509.DNSName("TERM-0003"),)),
        forged(
            names=(
                x509.UniformResourceIdentifier(f"{URN}TERM-0003"),
                x509.DNSName("juki.pref.example"),
            )
        ),
    ],
    ids=[
        "nothing",
        "no-request",
        "two-requests",
        "another-curve",
        "rsa",
        "ed25519",
        "no-terminal-id",
        "no-name",
        "two-names",
        "no-uri",
        "uri-of-another",
        "no-urn",
        "a-server-name-too",
    ],
)
def test_what_is_not_a_request_of_ours_is_not_signed(request_pem: bytes) -> None:
    with pytest.raises(BadRequest):
        read_request(request_pem)


def test_a_request_that_was_changed_on_its_way_is_not_signed() -> None:
    der = bytearray(x509.load_pem_x509_csr(forged()).public_bytes(Encoding.DER))
    at = der.index(b"TERM-0003") + 8
    der[at : at + 1] = b"4"
    at = der.index(b"TERM-0003", at) + 8
    der[at : at + 1] = b"4"
    changed = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM)
    with pytest.raises(BadRequest, match="not signed with its own key"):
        read_request(changed)


def test_no_certificate_outlives_its_authority() -> None:
    asked = read_request(make_request("TERM-0003").request_pem)
    short = CertificateAuthority.create("test CA", NOW, days=10)
    with pytest.raises(BadCertificate, match="fewer days"):
        sign_request(short, asked, now=NOW, days=11)


def test_a_certificate_that_names_nobody_is_told_as_such() -> None:
    assert terminal_named_in(AUTHORITY.issue_client("CS-432024", now=NOW).certificate_pem) is None
