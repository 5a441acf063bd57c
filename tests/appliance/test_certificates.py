"""The small certificate authority: who is issued what, and what a certificate says afterwards."""

import ssl
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from appliance.certificates import (
    BadCertificate,
    CertificateAuthority,
    fingerprint,
    peer_from_der,
    peer_from_pem,
)

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority.create("熊本県 CA", NOW)


def read(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def test_the_authority_may_sign_certificates_and_nothing_below_it_may(
    authority: CertificateAuthority,
) -> None:
    root = read(authority.certificate_pem)
    leaf = read(authority.issue_client("T-1", now=NOW).certificate_pem)
    for certificate, may in ((root, True), (leaf, False)):
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
        assert basic.critical
        assert usage.critical
        assert (basic.value.ca, usage.value.key_cert_sign) == (may, may)
        assert usage.value.digital_signature is not may


def test_what_it_issues_verifies_with_openssl(
    authority: CertificateAuthority, tmp_path: Path
) -> None:
    authority.save(tmp_path)
    authority.issue_server(["juki.example", "10.0.0.1"], now=NOW).write(tmp_path, "server")
    authority.issue_client("T-1", now=NOW).write(tmp_path, "client")
    at = str(int(NOW.timestamp()))
    for stem, purpose, works in (
        ("server", "sslserver", True),
        ("server", "sslclient", False),
        ("client", "sslclient", True),
        ("client", "sslserver", False),
    ):
        command = ["openssl", "verify", "-x509_strict", "-attime", at, "-purpose", purpose]
        command += ["-CAfile", str(tmp_path / "ca.pem"), str(tmp_path / f"{stem}.pem")]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode == 0) is works, done.stderr


def test_a_server_is_named_by_dns_name_and_by_address(authority: CertificateAuthority) -> None:
    names = read(
        authority.issue_server(["juki.example", "10.0.0.1", "::1"], now=NOW).certificate_pem
    ).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["juki.example"]
    addresses = names.value.get_values_for_type(x509.IPAddress)
    assert [str(address) for address in addresses] == ["10.0.0.1", "::1"]


def test_a_server_without_a_name_is_refused(authority: CertificateAuthority) -> None:
    with pytest.raises(ValueError, match="at least one name"):
        authority.issue_server([], now=NOW)


def test_a_client_carries_its_uri_for_people_to_read(authority: CertificateAuthority) -> None:
    uri = "urn:juki:terminal:TERM-0001"
    certificate = read(authority.issue_client("窓口1", now=NOW, uri=uri).certificate_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert names.value.get_values_for_type(x509.UniformResourceIdentifier) == [uri]
    assert list(usage.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_it_is_valid_a_little_earlier_because_clocks_differ(
    authority: CertificateAuthority,
) -> None:
    peer = peer_from_pem(authority.issue_client("T-1", now=NOW, days=30).certificate_pem)
    assert peer.not_before == NOW - timedelta(minutes=5)
    assert peer.not_after == NOW + timedelta(days=30)


def test_every_certificate_has_its_own_key_and_number(authority: CertificateAuthority) -> None:
    first, second = (authority.issue_client("T-1", now=NOW) for _ in range(2))
    assert first.key_pem != second.key_pem
    one, other = read(first.certificate_pem), read(second.certificate_pem)
    assert one.serial_number != other.serial_number
    assert isinstance(one.public_key(), ec.EllipticCurvePublicKey)


def test_the_fingerprint_is_that_of_the_der_form(authority: CertificateAuthority) -> None:
    pem = authority.issue_client("T-1", now=NOW).certificate_pem
    der = ssl.PEM_cert_to_DER_cert(pem.decode())
    assert fingerprint(pem) == fingerprint(pem.decode()) == fingerprint(der)
    assert fingerprint(pem) == read(pem).fingerprint(SHA256()).hex()
    assert peer_from_der(der) == peer_from_pem(pem)


def test_key_files_are_for_their_owner_alone(
    authority: CertificateAuthority, tmp_path: Path
) -> None:
    (tmp_path / "t.key").write_text("was open to all")
    (tmp_path / "t.key").chmod(0o666)
    certificate, key = authority.issue_client("T-1", now=NOW).write(tmp_path, "t")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert load_pem_private_key(key.read_bytes(), None)
    assert certificate.read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")


def test_a_key_does_not_show_when_printed(authority: CertificateAuthority) -> None:
    assert "PRIVATE" not in repr(authority.issue_client("T-1", now=NOW))


def test_a_saved_authority_goes_on_issuing(authority: CertificateAuthority, tmp_path: Path) -> None:
    authority.save(tmp_path)
    again = CertificateAuthority.load(tmp_path)
    assert again.certificate_pem == authority.certificate_pem
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600
    leaf = read(again.issue_client("T-1", now=NOW).certificate_pem)
    leaf.verify_directly_issued_by(read(authority.certificate_pem))


def test_the_key_of_another_authority_is_noticed(
    authority: CertificateAuthority, tmp_path: Path
) -> None:
    authority.save(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    CertificateAuthority.create("another", NOW).save(other)
    (tmp_path / "ca.key").write_bytes((other / "ca.key").read_bytes())
    with pytest.raises(BadCertificate, match="does not belong"):
        CertificateAuthority.load(tmp_path)


@pytest.mark.parametrize("damage", ["garbage", "rsa"])
def test_a_key_that_is_none_of_ours_is_refused(
    authority: CertificateAuthority, tmp_path: Path, damage: str
) -> None:
    authority.save(tmp_path)
    content = b"garbage"
    if damage == "rsa":
        key = rsa.generate_private_key(65537, 2048)
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "ca.key").write_bytes(content)
    with pytest.raises(BadCertificate, match=r"ca\.key"):
        CertificateAuthority.load(tmp_path)


def test_exactly_one_certificate_is_taken_and_nothing_is_quoted(
    authority: CertificateAuthority,
) -> None:
    issued = authority.issue_client("T-1", now=NOW)
    wrong = {
        "a chain": issued.certificate_pem + authority.certificate_pem,
        "its key with it": issued.certificate_pem + issued.key_pem,
        "only a key": issued.key_pem,
        "cut": issued.certificate_pem[:200],
        "empty": b"",
        "text": "世帯主 山田".encode(),
        "der cut": ssl.PEM_cert_to_DER_cert(issued.certificate_pem.decode())[:-1],
    }
    for name, data in wrong.items():
        with pytest.raises(BadCertificate) as refused:
            fingerprint(data)
        assert "BEGIN" not in str(refused.value), name
        assert "山田" not in str(refused.value), name
