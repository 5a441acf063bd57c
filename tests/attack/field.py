"""One real appliance under attack, and what its auditor finds afterwards.

Everybody here holds a certificate of the right authority unless a test says otherwise: a terminal
that was taken over is still a terminal. ``Field.ask`` sends bytes as they are given; ``refused``
checks what must hold of every refusal: its code, nothing of the request in it, and an entry in the
ledger that says the same.
"""

import json
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from appliance.edge.problems import PROBLEM_TYPE
from appliance.edge.tls import client_context
from tests.edge import HttpReply, post, read_reply
from tests.machine import PIN, Machine, accepted
from tests.simulators.link import Credentials
from tests.simulators.terminal import Terminal

YATSUSHIRO, HITOYOSHI = "432024", "432032"
CS, OTHER_CS = f"CS-{YATSUSHIRO}", f"CS-{HITOYOSHI}"
TERMINAL, OTHER_TERMINAL, BUSINESS = "TERM-0001", "TERM-0002", "TERM-0003"
NATIONAL, REVOKED, UNREGISTERED = "NATIONAL", "TERM-0009", "TERM-0666"
ADMINISTRATOR, REGISTRAR, CLERK = "OP-0001", "OP-0002", "OP-0003"
AUDITOR, WITNESS = "OP-0004", "OP-0005"
"""The second looks at the ledger for the tests, and is never attacked."""

JSON, CBOR = "application/json", "application/cbor"
CANARY = "Kanaria"
"""In the names and values that attackers send; it must come back in no refusal."""
CANARIES = (CANARY, "カナリア", "\\u30ab\\u30ca\\u30ea\\u30a2", "金糸雀")


@dataclass
class Field:
    """The appliance, unsealed, and everybody at their places."""

    machine: Machine
    witness: Terminal
    tokens: dict[str, str] = field(default_factory=dict)
    """The sessions that are open, by operator."""
    keys: int = 0

    @classmethod
    def prepare(cls, machine: Machine) -> "Field":
        """Let everybody in, through the front door; the machine must be unsealed."""
        administrator = machine.administrator()
        for name, code in ((CS, YATSUSHIRO), (OTHER_CS, HITOYOSHI)):
            machine.register(administrator, name, "municipality", code)
        machine.register(administrator, NATIONAL, "national")
        machine.register(administrator, OTHER_TERMINAL, "representative")
        for name in (BUSINESS, REVOKED):
            machine.register(administrator, name, "business")
        machine.issue(UNREGISTERED)
        for operator, roles in (
            (REGISTRAR, ["registrar"]),
            (CLERK, ["clerk"]),
            (AUDITOR, ["auditor"]),
            (WITNESS, ["auditor"]),
        ):
            machine.appoint(administrator, operator, roles)
        body = {"terminal_id": REVOKED, "reason": "lost"}
        accepted(administrator.call("roster/revoke-terminal", body, idempotency_key="k" * 16))
        administrator.close()
        witness = machine.terminal(BUSINESS)
        witness.login(WITNESS, PIN)
        field = cls(machine, witness)
        field.log_in(REGISTRAR, TERMINAL)
        return field

    def log_in(self, operator: str, terminal: str) -> str:
        """Open a session and return its token."""
        body = json.dumps(proof_of(operator)).encode()
        reply = self.ask(terminal, "session/open", body)
        assert reply.status == 200, reply.body
        self.tokens[operator] = reply.plain["data"]["token"]
        return self.tokens[operator]

    def say(self, name: str, data: bytes) -> HttpReply:
        """Send bytes as somebody, on a new connection; return the one answer."""
        return say(self.machine, self.machine.credentials(name), data)

    def ask(
        self,
        name: str,
        operation: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        media_type: str = JSON,
        line: "Line | None" = None,
    ) -> HttpReply:
        """Ask for an operation as somebody, with these header fields beside the usual ones.

        On this line of his, or else on a new connection.
        """
        fields = {"Content-Type": media_type, "Accept": JSON, **(headers or {})}
        fields = {key.replace("-", "_"): value for key, value in fields.items()}
        data = post(f"/v1/{operation}", body, **fields)
        return self.say(name, data) if line is None else line.say(data)

    @contextmanager
    def line(self, name: str) -> Iterator["Line"]:
        """Yield a line of somebody's."""
        line = Line(self.machine, client_context(*self.machine.credentials(name)))
        with line.kept:
            yield line

    def notify(self, body: bytes, name: str = CS, *, media_type: str = JSON) -> HttpReply:
        """Send notices as a municipality, under a key not used before."""
        self.keys += 1
        key = {"Idempotency-Key": f"attack-{self.keys:012}"}
        return self.ask(name, "update/notify", body, key, media_type=media_type)

    def staff(self, operation: str, body: bytes, *, media_type: str = JSON) -> HttpReply:
        """Ask as the registrar at the first terminal, for a purpose that allows everything."""
        headers = {
            "Authorization": f"Bearer {self.tokens[REGISTRAR]}",
            "X-Purpose": "register-administration",
            "X-Reason": "04",
        }
        return self.ask(TERMINAL, operation, body, headers, media_type=media_type)

    def entry(self, request_id: str) -> dict[str, Any]:
        """Return the one ledger entry of a request."""
        answer = self.witness.call("ledger/search", {"request_id": request_id})
        (entry,) = accepted(answer)["entries"]
        found: dict[str, Any] = entry
        return found

    def journal(self) -> str:
        """Return the boot journal, where those are noted whom nobody knows."""
        return self.machine.layout.journal.read_text("utf-8")

    def refused(self, reply: HttpReply, status: int, code: str) -> dict[str, Any]:
        """Check a refusal of somebody who is known; return its ledger entry."""
        assert (reply.status, reply.plain.get("code")) == (status, code), reply.body
        tells_nothing(reply)
        entry = self.entry(reply.plain["request_id"])
        assert (entry["result"], entry["refusal"]) == ("denied", code)
        return entry

    def last_sequence(self, name: str = CS) -> int:
        """Return the last sequence number that the appliance has of a municipality."""
        reply = self.ask(name, "update/held", b"{}")
        assert reply.status == 200, reply.body
        return int(reply.plain["data"]["last_sequence"])


@dataclass
class Line:
    """A connection that serves for one request after another, until the appliance ends it."""

    machine: Machine
    context: ssl.SSLContext
    kept: ExitStack = field(default_factory=ExitStack)
    sock: ssl.SSLSocket | None = None

    def say(self, data: bytes) -> HttpReply:
        """Send bytes; return the one answer."""
        if self.sock is None:
            self.sock = self.kept.enter_context(self.machine.connect(self.context))
        self.sock.sendall(data)
        reply = read_reply(self.sock)
        if reply.headers.get("connection") == "close":
            self.kept.close()
            self.sock = None
        return reply


def say(machine: Machine, credentials: Credentials, data: bytes) -> HttpReply:
    """Send bytes on a new connection with these papers; return the one answer."""
    with machine.connect(client_context(*credentials)) as sock:
        sock.sendall(data)
        return read_reply(sock)


def tells_nothing(reply: HttpReply) -> None:
    """Check that a refusal has its one form, and holds nothing a canary was in."""
    assert reply.headers["content-type"] == PROBLEM_TYPE
    assert re.fullmatch(r"[0-9a-f]{32}", reply.plain["request_id"])
    text = reply.body.decode() + json.dumps(reply.headers)
    assert not [canary for canary in CANARIES if canary in text], text


def proof_of(operator: str, pin: str = PIN) -> dict[str, str]:
    """Return what somebody logs in with."""
    return {"person": operator.replace("OP", "P"), "operator": operator, "pin": pin}
