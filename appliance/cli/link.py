"""The two ways from a command to the server, and the file that keeps a session between commands.

The main port is spoken to as any terminal does: its certificate, an operator's session. The
loopback port needs no certificate, only to be on the machine. Where the connection was lost before
the answer came, a request is repeated once with the same Idempotency-Key, so that it is done once.
"""

import contextlib
import http.client
import json
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from appliance.cli.frame import Exit, Stop, must_be_private
from appliance.cli.proof import given_proof
from appliance.edge import tls
from appliance.errors import VerifyAgain
from appliance.files import replace_file

SECONDS = 60.0
ATTEMPTS = 2
VERIFY_AGAIN = VerifyAgain.code
SESSION = Path("~/.config/juki/session.json")
CODES = {
    400: Exit.NOT_UNDERSTOOD,
    500: Exit.HUMAN,
}
"""Exit codes of HTTP statuses that are not simply a refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where to ask, as which terminal, in which session."""

    url: str
    certificate: str
    key: str
    ca: str
    token: str = ""
    person: str = ""
    operator: str = ""
    authenticator: str = ""
    """The program by which a device proves him; empty: a PIN does."""
    expires_at: str = ""


def read_seat(path: Path, given: Mapping[str, str | None]) -> Seat:
    """Return the kept session, with what is given on the command line in place of what is kept.

    Raises:
        Stop: it is neither kept nor given.
    """
    kept = _kept(path)
    named = {name: value for name, value in given.items() if value is not None}
    # A token belongs to the server and the certificate it was opened with, and goes nowhere else.
    if any(kept.get(name, value) != value for name, value in named.items()):
        kept = {name: kept[name] for name in kept if name in given}
    values = {**kept, **named}
    if missing := [name for name in ("url", "certificate", "key", "ca") if name not in values]:
        raise Stop(
            Exit.NOT_UNDERSTOOD,
            "no-server",
            *(f"give --{name}, or log in first with it" for name in missing),
        )
    return Seat(**values)


def keep_seat(path: Path, seat: Seat) -> None:
    """Keep a session for the commands that follow; the file is its owner's alone."""
    path = path.expanduser()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(path, json.dumps(asdict(seat)).encode(), 0o600)


def drop_token(path: Path, seat: Seat) -> None:
    """Keep the connection, and forget the session."""
    gone = replace(seat, token="", person="", operator="", authenticator="", expires_at="")
    keep_seat(path, gone)


def ask(
    seat: Seat,
    operation: str,
    body: Mapping[str, Any],
    *,
    with_session: bool = True,
    approval: int | None = None,
) -> dict[str, Any]:
    """Return what an operation answers; whoever must prove himself again for it is asked to.

    ``approval`` is the number of a second person's agreement.

    Raises:
        Stop: it was refused, or the server cannot be reached.
    """
    whole = _proved(seat, operation, body, with_session=with_session, approval=approval)
    return dict(whole["data"])


def ask_for_receipt(
    seat: Seat, operation: str, body: Mapping[str, Any], *, approval: int | None = None
) -> tuple[dict[str, Any], int]:
    """Return what an operation answers, and the ledger entry that holds the request.

    Raises:
        Stop: as ``ask``.
    """
    whole = _proved(seat, operation, body, with_session=True, approval=approval)
    return dict(whole["data"]), int(whole["receipt"]["index"])


def proof_of(seat: Seat, person: str | None) -> dict[str, Any]:
    """Return a proof of whoever is at the terminal: of ``person``, or of whoever is logged in.

    Raises:
        Stop: there is none.
    """

    def asker(operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        key = secrets.token_urlsafe(24)
        return dict(_asked(seat, operation, body, key, with_session=person is None)["data"])

    return given_proof(seat.authenticator, person, asker)


def _proved(
    seat: Seat,
    operation: str,
    body: Mapping[str, Any],
    *,
    with_session: bool,
    approval: int | None,
) -> dict[str, Any]:
    """Return a whole answer; let whoever must prove himself again do so."""
    key = secrets.token_urlsafe(24)
    try:
        return _asked(seat, operation, body, key, with_session=with_session, approval=approval)
    except Stop as stop:
        if stop.code != VERIFY_AGAIN:
            raise
    _asked(seat, "session/verify", proof_of(seat, None), secrets.token_urlsafe(24))
    return _asked(seat, operation, body, key, approval=approval)


def _asked(
    seat: Seat,
    operation: str,
    body: Mapping[str, Any],
    key: str,
    *,
    with_session: bool = True,
    approval: int | None = None,
) -> dict[str, Any]:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Idempotency-Key": key,
    }
    if with_session:
        if not seat.token:
            raise Stop(Exit.REFUSED, "unidentified", "log in first: juki login PERSON")
        headers["Authorization"] = f"Bearer {seat.token}"
    if approval is not None:
        headers["X-Approval"] = str(approval)
    content = json.dumps(body, ensure_ascii=False).encode()
    status, raw = _reached(seat, "POST", f"/v1/{operation}", content, headers)
    return _answer(status, raw)


def fetch_text(seat: Seat, path: str) -> str:
    """Return a text the main port gives to every registered certificate.

    Raises:
        Stop: as ``ask``.
    """
    status, raw = _reached(seat, "GET", path, b"", {})
    if status != http.client.OK:
        _answer(status, raw)
    return raw.decode()


def ask_machine(
    port: int,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    token: str = "",
    *,
    seconds: float = SECONDS,
) -> tuple[int, dict[str, Any]]:
    """Return status and answer of the loopback port.

    Raises:
        Stop: no server is there.
    """
    headers = {"X-Seal-Token": token} if token else {}
    content = b""
    if method == "POST":
        headers["Content-Type"] = "application/json"
        content = json.dumps(body or {}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        status, raw = _exchange(connection, method, path, content, headers)
    except (OSError, http.client.HTTPException):
        raise Stop(
            Exit.WRONG, "no-server", f"no server answers on 127.0.0.1:{port}; is it running?"
        ) from None
    return status, _plain(raw)


def answers(port: int) -> bool:
    """Return whether the loopback port answers."""
    try:
        return ask_machine(port, "GET", "/v1/sys/seal-status")[0] == http.client.OK
    except Stop:
        return False


def refuse(status: int, plain: Mapping[str, Any]) -> Stop:
    """Return how a refusal of the server ends a command: its own words, nothing added."""
    lines = [str(plain.get("detail") or f"the server answered {status}")]
    for problem in plain.get("problems") or ():
        lines.append(f"  {problem.get('rule')} {problem.get('item')}: {problem.get('text')}")
    if request_id := plain.get("request_id"):
        lines[0] += f" [{request_id}]"
    return Stop(CODES.get(status, Exit.REFUSED), str(plain.get("code", "refused")), *lines)


def _answer(status: int, raw: bytes) -> dict[str, Any]:
    plain = _plain(raw)
    if status != http.client.OK:
        raise refuse(status, plain)
    return plain


def _reached(
    seat: Seat, method: str, path: str, content: bytes, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    parts = urlsplit(seat.url)
    if parts.scheme != "https" or not parts.hostname:
        raise Stop(Exit.NOT_UNDERSTOOD, "no-server", "--url must be https://HOST:PORT")
    context = tls.client_context(Path(seat.certificate), Path(seat.key), Path(seat.ca))
    for _ in range(ATTEMPTS):
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=SECONDS, context=context
        )
        try:
            return _exchange(connection, method, path, content, headers)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            continue
        except ssl.SSLError as problem:
            # An alert of the other side, or a certificate of its that we do not believe.
            raise Stop(Exit.REFUSED, "tls", f"{seat.url}: TLS was refused: {problem}") from None
        except (OSError, http.client.HTTPException):
            continue
    raise Stop(Exit.WRONG, "no-server", f"{seat.url}: no answer; is it running?")


def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    content: bytes,
    headers: Mapping[str, str],
) -> tuple[int, bytes]:
    with contextlib.closing(connection):
        connection.request(method, path, content or None, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()


def _plain(raw: bytes) -> dict[str, Any]:
    try:
        plain = json.loads(raw)
    except ValueError:
        plain = None
    return plain if isinstance(plain, dict) else {}


def _kept(path: Path) -> dict[str, str]:
    path = path.expanduser()
    try:
        must_be_private(path, "open-session")
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or not kept.keys() <= set(Seat.__dataclass_fields__):
        raise Stop(Exit.NOT_UNDERSTOOD, "session", f"{path} is not a session file; remove it")
    return kept
