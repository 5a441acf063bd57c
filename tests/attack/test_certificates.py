"""Who comes with the wrong certificate, or with the right one to the wrong door.

A certificate of the right authority is not enough: it must be registered, in force, not revoked,
and of the kind that an operation is for.
"""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from appliance.certificates import CertificateAuthority
from appliance.edge.tls import client_context
from tests.attack.field import (
    BUSINESS,
    CANARY,
    CS,
    NATIONAL,
    OTHER_CS,
    REVOKED,
    TERMINAL,
    UNREGISTERED,
    Field,
    say,
    tells_nothing,
)
from tests.edge import post, read_reply
from tests.machine import Machine, accepted, running
from tests.simulators.link import Credentials

NOW = datetime.now(UTC)
NOTIFY = post("/v1/update/notify", b'{"notifications": []}', Idempotency_Key="k" * 16)


def expired(machine: Machine) -> Credentials:
    since = NOW - timedelta(days=400)
    return machine.issue("expired", machine.authority.issue_client(CS, now=since, days=30))


def not_yet_valid(machine: Machine) -> Credentials:
    since = NOW + timedelta(days=1)
    return machine.issue("early", machine.authority.issue_client(CS, now=since))


def foreign(machine: Machine) -> Credentials:
    authority = CertificateAuthority.create("Another CA", NOW)
    return machine.issue("foreign", authority.issue_client(CS, now=NOW))


def forged(machine: Machine) -> Credentials:
    authority = CertificateAuthority.create("Test CA", NOW)
    return machine.issue("forged", authority.issue_client(CS, now=NOW))


def for_servers(machine: Machine) -> Credentials:
    return machine.issue_server("a-server")


@pytest.fixture(scope="module")
def unasked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """Start an appliance of its own: the journal of one that was attacked only counts by now."""
    machine = Machine.make(tmp_path_factory.mktemp("unasked") / "machine")
    with running(machine):
        field = Field.prepare(machine)
        yield field
        field.witness.close()


@pytest.mark.parametrize("papers", [expired, not_yet_valid, foreign, forged, for_servers])
def test_a_certificate_that_proves_nothing_is_not_answered(
    unasked: Field, papers: Callable[[Machine], Credentials]
) -> None:
    with pytest.raises((OSError, EOFError)):
        say(unasked.machine, papers(unasked.machine), NOTIFY)
    # It is noted by a thread of its own, after the connection is gone.
    until = time.monotonic() + 10
    while '"why":"tls: ' not in unasked.journal():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_nobody_is_answered_without_a_certificate(field: Field) -> None:
    machine = field.machine
    bare = ssl.create_default_context(cafile=str(machine.credentials(CS).ca))
    bare.minimum_version = ssl.TLSVersion.TLSv1_3
    with pytest.raises((OSError, EOFError)), machine.connect(bare) as sock:  # noqa: PT012
        sock.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n")
        read_reply(sock)


def test_older_tls_is_not_spoken(field: Field) -> None:
    machine = field.machine
    certificate, key, authority = machine.credentials(CS)
    old = ssl.create_default_context(cafile=str(authority))
    old.load_cert_chain(certificate, key)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(OSError), machine.connect(old):
        pass


@pytest.mark.parametrize("name", [UNREGISTERED, REVOKED])
def test_a_certificate_that_is_not_in_the_register_reaches_nothing(field: Field, name: str) -> None:
    before = field.last_sequence()
    for operation in ("update/notify", "search/find", "session/open", "relay/feed"):
        body = json.dumps({"operator": CANARY, "pin": CANARY}).encode()
        reply = field.ask(name, operation, body, {"Idempotency-Key": "k" * 16})
        assert (reply.status, reply.plain["code"]) == (401, "unidentified")
        tells_nothing(reply)
    assert field.last_sequence() == before


def test_who_is_not_registered_is_noted_in_the_boot_journal_and_fills_no_ledger(
    field: Field,
) -> None:
    reply = field.ask(UNREGISTERED, "session/open", b"{}")
    entries = accepted(field.witness.call("ledger/search", {"terminal": UNREGISTERED}))["entries"]
    assert entries == []
    found = field.witness.call("ledger/search", {"request_id": reply.plain["request_id"]})
    assert accepted(found)["entries"] == []


def test_revoking_holds_for_a_connection_that_is_open(field: Field) -> None:
    administrator = field.machine.administrator()
    field.machine.register(administrator, "TERM-0008", "business")
    link = field.machine.link("TERM-0008")
    pin = {"person": "P-OP-0003", "pin": "00000000"}
    assert link.ask("/v1/session/open", json.dumps(pin).encode()).status == 401
    accepted(
        administrator.call(
            "roster/revoke-terminal",
            {"terminal_id": "TERM-0008", "reason": "stolen"},
            idempotency_key="revoked-now-00001",
        )
    )
    answer = link.ask("/v1/session/open", json.dumps(pin).encode())
    assert (answer.status, answer.body["code"]) == (401, "unidentified")
    administrator.close()
    link.close()


WRONG_DOORS = [
    (CS, "search/find"),
    (CS, "search/detail"),
    (CS, "provision/inquire"),
    (CS, "ledger/search"),
    (CS, "roster/operators"),
    (CS, "roster/enrol-terminal"),
    (CS, "relay/feed"),
    (CS, "relay/acknowledge"),
    (CS, "session/open"),
    (NATIONAL, "update/notify"),
    (NATIONAL, "update/held"),
    (NATIONAL, "search/find"),
    (NATIONAL, "relay/acknowledge"),
    (NATIONAL, "relay/outbox"),
    (NATIONAL, "session/open"),
    (TERMINAL, "update/notify"),
    (TERMINAL, "update/held"),
    (TERMINAL, "relay/feed"),
    (TERMINAL, "relay/acknowledge"),
    (BUSINESS, "roster/operators"),
]


@pytest.mark.parametrize(("name", "operation"), WRONG_DOORS)
def test_a_machine_reaches_only_what_its_kind_is_for(
    field: Field, name: str, operation: str
) -> None:
    body = json.dumps({"notifications": [], "name": CANARY}).encode()
    reply = field.ask(name, operation, body, {"Idempotency-Key": "k" * 16})
    entry = field.refused(reply, 403, "not-permitted")
    assert (entry["terminal"], entry["operation"]) == (name, operation)


@pytest.mark.parametrize(
    ("name", "operation"), [(TERMINAL, "search/find"), (BUSINESS, "ledger/person")]
)
def test_whoever_sits_at_a_terminal_must_log_in_first(
    field: Field, name: str, operation: str
) -> None:
    entry = field.refused(field.ask(name, operation, b"{}"), 401, "unidentified")
    assert (entry["terminal"], entry["operation"], entry["operator"]) == (name, operation, None)


def test_a_machine_that_asks_for_what_does_not_exist_is_entered_too(field: Field) -> None:
    entry = field.refused(field.ask(OTHER_CS, "update/delete", b"{}"), 404, "unknown-operation")
    assert entry["terminal"] == OTHER_CS


@pytest.mark.parametrize(
    "name", ["X-Client-Cert", "SSL-Client-Verify", "X-SSL-Client-S-DN", "X-Forwarded-Client-Cert"]
)
def test_no_header_makes_one_certificate_another(field: Field, name: str) -> None:
    pem = field.machine.credentials(CS).certificate.read_text("ascii").replace("\n", " ")
    reply = field.ask(TERMINAL, "update/held", b"{}", {name: pem[:2000]})
    assert field.refused(reply, 403, "not-permitted")["terminal"] == TERMINAL


def test_the_registered_certificate_is_of_no_use_without_its_key(field: Field) -> None:
    ours = field.machine.credentials(UNREGISTERED)
    theirs = field.machine.credentials(CS)
    context = ssl.create_default_context(cafile=str(ours.ca))
    with pytest.raises(ssl.SSLError):
        context.load_cert_chain(theirs.certificate, ours.key)
    reply = say(field.machine, ours, NOTIFY)
    assert reply.status == 401


def test_a_certificate_with_the_same_name_is_another_certificate(field: Field) -> None:
    twin = field.machine.authority.issue_client(CS, now=NOW)
    reply = say(field.machine, field.machine.issue("twin", twin), NOTIFY)
    assert (reply.status, reply.plain["code"]) == (401, "unidentified")


def test_no_session_of_tls_is_taken_up_again(field: Field) -> None:
    papers = field.machine.credentials(CS)
    context = client_context(papers.certificate, papers.key, papers.ca)
    with field.machine.connect(context) as sock:
        sock.sendall(NOTIFY)
        read_reply(sock)
        assert sock.session is None or not sock.session.has_ticket
