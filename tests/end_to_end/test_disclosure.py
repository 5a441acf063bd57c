"""A resident is answered about himself by a whole appliance, over the wire."""

import base64
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import cbor2
import pytest

from tests.machine import PIN, Machine, accepted, running
from tests.plugins.update.making import SATO, wire
from tests.simulators.link import CBOR
from tests.simulators.terminal import Terminal

CS, CORRECTED = "CS-432024", "熊本県八代市松江城町１番２６号"
SUBJECT = {name: SATO[name] for name in ("name", "birth_date", "sex", "address")}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine.make(tmp_path_factory.mktemp("disclosing") / "machine")
    with running(machine):
        administrator = machine.administrator()
        machine.register(administrator, CS, "municipality", "432024")
        machine.appoint(administrator, "OP-0002", ["registrar"])
        administrator.close()
        yield machine


def notify(machine: Machine, notice: dict[str, Any]) -> None:
    body = json.dumps({"notifications": [notice]}).encode()
    key = {"Idempotency-Key": f"notice-{notice['sequence']:012}"}
    with machine.link(CS) as link:
        data = accepted(link.ask("/v1/update/notify", body, key))
    assert [result["outcome"] for result in data["results"]] == ["applied"]


class Desk:
    """A clerk who asks in JSON, each time under another key."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.keys = 0

    def ask(self, operation: str, **body: Any) -> dict[str, Any]:
        self.keys += 1
        key = f"disclosure-{self.keys:012}"
        asking = {"purpose": "disclosure", "reason": "01", "idempotency_key": key}
        return accepted(self.terminal.call(f"disclosure/{operation}", body, **asking))


@pytest.mark.requirement("R63", "R65", "R66", "R67", "R75")
def test_a_resident_is_answered_and_a_wrong_record_comes_right(machine: Machine) -> None:
    notify(machine, wire())
    terminal = machine.terminal()
    token = terminal.login("OP-0002", PIN)["token"]
    desk = Desk(terminal)
    asked = {"method": "counter", "subject": SUBJECT, "identity": ["passport"], "stamps_yen": 10}
    number = desk.ask("receive", **asked)["number"]
    assert desk.ask("match", number=number)["state"] == "matched"
    seen = desk.ask("preview", number=number)["sha256"]
    issued = desk.ask("issue", number=number, sha256=seen)
    pdf = base64.b64decode(issued["pdf"])
    assert pdf.startswith(b"%PDF-")
    assert sha256(pdf).hexdigest() == issued["sha256"]
    assert again_in_cbor(machine, token, issued["sheet"]) == pdf
    assert desk.ask("sheets", state="replaced")["sheets"][0]["replaced_by"] == 2
    desk.ask("deliver", sheet=2, method="counter")

    wish = {"wish": "correct", "items": ["address"], "claim": "番地が違う"}
    case = desk.ask("correct", disclosure=number, method="counter", identity=["passport"], **wish)[
        "number"
    ]
    desk.ask("investigate", number=case, finding="error", account="転記の誤り")
    assert desk.ask("report", number=case)["municipality_code"] == "432024"
    notify(machine, wire(sequence=2, update_number=2, reason="33", address=CORRECTED))
    assert desk.ask("link", number=case)["state"] == "linked"
    result = {"outcome": "corrected", "explanation": "通知を受けました。"}
    letter = desk.ask("result", number=case, **result)
    desk.ask("deliver", sheet=letter["sheet"], method="post")
    assert desk.ask("close", number=case, why="completed")["state"] == "closed"
    terminal.close()


def again_in_cbor(machine: Machine, token: str, sheet: int) -> bytes:
    """Have a paper put out once more; in CBOR it is a byte string."""
    headers = {
        "Authorization": f"Bearer {token}",
        "X-Purpose": "disclosure",
        "X-Reason": "01",
        "Idempotency-Key": "disclosure-again-1",
        "Content-Type": CBOR,
        "Accept": CBOR,
    }
    body = cbor2.dumps({"sheet": sheet, "why": "汚損"})
    with machine.link("TERM-0001") as link:
        pdf = accepted(link.ask("/v1/disclosure/reissue", body, headers))["pdf"]
    assert isinstance(pdf, bytes)
    return pdf


def test_nothing_of_it_lies_in_clear(machine: Machine) -> None:
    written = machine.written()
    for text in (*SUBJECT.values(), "番地が違う"):
        if len(text) > 6:
            assert not [path for path, raw in written.items() if text.encode() in raw]
    assert not [path for path, raw in written.items() if b"%PDF-" in raw]


def test_the_document_says_that_a_paper_is_bytes(machine: Machine) -> None:
    with machine.link("TERM-0001") as link:
        schemas = link.ask("/v1/openapi.json").body["components"]["schemas"]
    assert schemas["Paper"]["properties"]["pdf"] == {"type": "string", "contentEncoding": "base64"}
