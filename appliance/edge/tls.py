"""TLS as this appliance speaks it: version 1.3, both sides proven, every connection anew.

No session is resumed: a resumed session would carry a certificate that was checked earlier.
Renewing certificates means making a new context; one that cannot be made leaves the old in use.
"""

import ssl
from pathlib import Path

from appliance.certificates import peer_from_der
from appliance.errors import StartupError
from appliance.files import is_open_to_others
from appliance.model import Peer


def server_context(certificate: Path, key: Path, client_ca: Path) -> ssl.SSLContext:
    """Return how the server proves itself, and whose clients it lets in.

    Args:
        certificate: the server's certificate, PEM.
        key: its private key, PEM, a file nobody but its owner may read.
        client_ca: the authority every client's certificate must come from, PEM.

    Raises:
        StartupError: a file is missing, damaged, or the key is open to others.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    # Whoever cuts a connection on the way is not the other side saying that it has finished;
    # some builds of Python, Debian's 3.11.2 among them, take the one for the other unless told.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0
    _fill(context, certificate, key, client_ca)
    return context


def client_context(certificate: Path, key: Path, server_ca: Path) -> ssl.SSLContext:
    """Return how the appliance proves itself to a server, and whose servers it believes.

    Raises:
        StartupError: as ``server_context``.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    _fill(context, certificate, key, server_ca)
    return context


def peer_of(connection: ssl.SSLSocket) -> Peer:
    """Return what the handshake proved about the other side."""
    der = connection.getpeercert(binary_form=True)
    if der is None:
        raise ssl.SSLError("no certificate was given")
    return peer_from_der(der)


def _context(protocol: int) -> ssl.SSLContext:
    # Made bare: create_default_context would write session keys where SSLKEYLOGFILE says.
    context = ssl.SSLContext(protocol)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["http/1.1"])
    return context


def _fill(context: ssl.SSLContext, certificate: Path, key: Path, authority: Path) -> None:
    try:
        is_open = is_open_to_others(key)
    except OSError as problem:
        raise StartupError(f"{key}: {problem.strerror}") from None
    if is_open:
        raise StartupError(f"{key} is open to others; only its owner may read it (mode 0600)")
    for path in (certificate, authority):
        if not path.is_file():
            raise StartupError(f"{path}: there is no such file")
    try:
        context.load_cert_chain(certificate, key)
    except OSError as problem:
        if "KEY_VALUES_MISMATCH" in str(problem):
            raise StartupError(f"{key} is not the key of {certificate}") from None
        raise StartupError(
            f"{certificate} and {key} are not a certificate and its key in PEM form"
        ) from None
    try:
        context.load_verify_locations(cafile=authority)
    except OSError:
        raise StartupError(
            f"{authority} holds no certificate of an authority in PEM form"
        ) from None
