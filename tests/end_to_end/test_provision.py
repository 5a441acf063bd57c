"""Provision over the wire: a bulk inquiry from file to file, a kill in between, and strangers."""

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.certificates import CertificateAuthority
from appliance.media import new_key, open_sealed, seal_for, unframed
from appliance.parts import utc_now
from tests.machine import PIN, Machine, accepted, running
from tests.plugins.people import number
from tests.plugins.provision.desks import TAX, by_number, inquiry
from tests.simulators.link import Lost
from tests.simulators.terminal import Terminal
from tests.waiting import until

ROWS = 4000
SECONDS = 60.0
PURPOSE = {"purpose": TAX["purpose"], "reason": TAX["reason"]}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with running(Machine.make(tmp_path / "machine")) as machine:
        yield machine


def changed(terminal: Terminal, operation: str, body: dict[str, Any], **more: Any) -> Any:
    key = f"{operation.replace('/', '-')}-{time.time_ns()}"
    return accepted(terminal.call(operation, body, idempotency_key=key, **more))


def at_their_desks(machine: Machine) -> tuple[Terminal, Terminal]:
    """Return the first terminal twice: with whoever submits, and with whoever approves."""
    desks = []
    for operator in ("OP-0002", "OP-0003"):
        terminal = machine.terminal()
        terminal.login(operator, PIN)
        desks.append(terminal)
    return desks[0], desks[1]


@pytest.mark.requirement("R44", "R45", "R55", "R56")
def test_a_bulk_inquiry_goes_on_after_a_kill_and_leaves_with_a_second_persons_consent(
    machine: Machine,
) -> None:
    administrator = machine.administrator()
    machine.appoint(administrator, "OP-0002", ["media-operator"])
    machine.appoint(administrator, "OP-0003", ["media-approver"])
    key, public = new_key()
    recipient = {"purpose": TAX["purpose"], "name": "test", "public_key": public}
    wanted = {"operation": "provision/add-recipient", "arguments": recipient}
    asked = changed(administrator, "approval/request", {**wanted, "form": "1", "reason": "new"})
    _, approver = at_their_desks(machine)
    changed(approver, "approval/give", {"number": asked["number"]})
    approved = {"approval": asked["number"]}
    entered = changed(administrator, "provision/add-recipient", recipient, **approved)
    media_key = accepted(administrator.call("provision/media-key", {}))["public_key"]
    rows = [by_number(which) for which in range(ROWS)]
    body = {
        "file": base64.b64encode(seal_for(media_key, inquiry(rows))).decode(),
        "media_id": "USB-1",
        "recipient": entered["number"],
        "items": ["name", "address"],
    }
    operator, _ = at_their_desks(machine)
    job = changed(operator, "provision/bulk-submit", body, **PURPOSE)["job"]
    waited(operator, job, lambda status: status["done"] > 0)
    machine.kill()
    machine.open()
    operator, approver = at_their_desks(machine)
    status = waited(operator, job, lambda status: status["state"] == "done")
    assert (status["done"], status["counts"]) == (ROWS, {})
    release = {"job": job, "media_id": "USB-2"}
    refused = operator.call(
        "provision/bulk-approve", release, idempotency_key="by-myself-000001", **PURPOSE
    )
    assert refused.status == 403
    approved = changed(approver, "provision/bulk-approve", release, **PURPOSE)
    assert approved["counts"] == {"20": ROWS}
    fetched = accepted(operator.call("provision/bulk-fetch", release, **PURPOSE))
    frame = unframed(open_sealed(key, base64.b64decode(fetched["file"])))
    assert frame.problems == ()
    assert [row[0] for row in frame.rows] == [row[0] for row in rows]
    (output,) = accepted(approver.call("provision/outputs", {}))["outputs"]
    assert (output["digest"], output["rows"]) == (frame.digest, ROWS)


def waited(terminal: Terminal, job: int, so_far: Callable[[dict[str, Any]], bool]) -> Any:
    """Return how far a job is once it is so far."""

    def reached() -> dict[str, Any] | None:
        answer = accepted(terminal.call("provision/bulk-status", {"job": job}, **PURPOSE))
        status: dict[str, Any] = answer["jobs"][0]
        return status if so_far(status) else None

    return until(reached, SECONDS, "the job does not go on", pause=0.05)


def test_r51_nothing_is_provided_to_who_cannot_be_authenticated(machine: Machine) -> None:
    body = {"by": {"my_number": number(1)}, "items": ["name"]}
    machine.issue("STRANGER")  # of our authority, and in nobody's register
    answer = machine.terminal("STRANGER").call("provision/inquire", body, **PURPOSE)
    assert (answer.status, "data" in answer.body) == (401, False)
    # A terminal of ours at which nobody is logged in is told to log in.
    answer = machine.terminal().call("provision/inquire", body, **PURPOSE)
    assert (answer.status, "data" in answer.body) == (401, False)
    foreign = CertificateAuthority.create("Elsewhere", utc_now())
    machine.issue("FOREIGNER", foreign.issue_client("TERM-0001", now=utc_now()))
    with pytest.raises((Lost, OSError)):
        machine.terminal("FOREIGNER").call("provision/inquire", body, **PURPOSE)
