"""The served OpenAPI document holds: whatever it allows or forbids is sent, and every answer is one
of those it lists, in the form it gives, and none is a fault of ours.

schemathesis makes the requests, each caller sends them over mutual TLS to a whole appliance.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import cbor2
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from requests import Session
from schemathesis.checks import not_a_server_error
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from appliance.edge import openapi
from appliance.machine.firmware import unsigned
from appliance.machine.opening import load
from tests.machine import PIN, SHIPPED, Machine, running

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES: Final = 8
CODES: Final = {"X-Purpose": "register-administration", "X-Reason": "04"}
DISCLOSURE: Final = "/v1/disclosure/"
"""Operations under a 事務 of their own."""


class Caller(NamedTuple):
    """Somebody who asks: for what he may, with which certificate, who is logged in there."""

    functions: frozenset[str]
    certificate: str
    operator: str | None = None

    def may(self, path: str) -> bool:
        """Return whether he is there for this, or everybody may look at it."""
        function = path.split("/")[2]
        return function in self.functions or function not in FUNCTIONS


FUNCTIONS: Final = frozenset(
    ("session", "update", "search", "provision", "disclosure", "ledger", "roster", "relay")
)
# Nobody has an ID that the document gives as an example: tried as a login, it would be locked.
CALLERS: Final = {
    # First, while the ledger that an auditor searches is short.
    "an auditor": Caller(frozenset(("ledger",)), "TERM-0001", "OP-7003"),
    "a registrar": Caller(
        frozenset(("session", "search", "provision", "disclosure")), "TERM-0001", "OP-7002"
    ),
    "the administrator": Caller(frozenset(("roster", "relay")), "TERM-0001", "OP-0001"),
    "a municipality": Caller(frozenset(("update",)), "CS-432024"),
    "the national server": Caller(frozenset(("relay",)), "NATIONAL"),
}


@schemathesis.serializer("application/cbor")
def cbor(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """Write a body that was made for the document as CBOR."""
    return cbor2.dumps(value)


@schemathesis.deserializer("application/cbor")
def plain(context: schemathesis.DeserializationContext, response: schemathesis.Response) -> Any:
    """Read an answer in CBOR; bytes in it are what the document says in terms of JSON, base64."""
    return msgspec.to_builtins(cbor2.loads(response.content))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine.make(tmp_path_factory.mktemp("described") / "machine")
    with running(machine):
        administrator = machine.administrator()
        machine.register(administrator, "CS-432024", "municipality", "432024")
        machine.register(administrator, "NATIONAL", "national")
        machine.appoint(administrator, "OP-7002", ["clerk", "registrar"])
        machine.appoint(administrator, "OP-7003", ["auditor"])
        administrator.close()
        yield machine


@pytest.fixture(scope="module", params=CALLERS.values(), ids=list(CALLERS))
def caller(request: pytest.FixtureRequest) -> Caller:
    found: Caller = request.param
    return found


@pytest.fixture(scope="module")
def session(machine: Machine, caller: Caller) -> Iterator[Session]:
    """Yield connections of one caller, logged in if it is a person."""
    certificate, key, authority = machine.credentials(caller.certificate)
    with Session() as session:
        session.trust_env = False
        session.cert, session.verify = (str(certificate), str(key)), str(authority)
        if caller.operator is not None:
            opened = session.post(
                f"{machine.url}/v1/session/open",
                json={"person": caller.operator.replace("OP", "P"), "pin": PIN},
            )
            session.headers["Authorization"] = f"Bearer {opened.json()['data']['token']}"
        yield session


OPERATIONS: Final = load(unsigned(SHIPPED)).operations.values()
DESCRIBED: Final = json.loads(
    msgspec.json.encode(openapi.document([operation for _, operation in OPERATIONS]))
)
"""What the shipped policy lets the appliance serve; the first test holds it against that."""


def test_the_document_is_the_one_that_is_served(machine: Machine) -> None:
    with machine.link("NATIONAL") as link:
        assert link.ask("/v1/openapi.json").body == DESCRIBED


def for_a_purpose(described: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the purpose and the reason that the callers have.

    The document allows any code; made at random, none would ever reach an operation.
    """
    told = copy.deepcopy(described)
    for path, methods in told["paths"].items():
        codes = CODES | ({"X-Purpose": "disclosure"} if path.startswith(DISCLOSURE) else {})
        for parameter in methods.get("post", {}).get("parameters", ()):
            if (code := codes.get(parameter["name"])) is not None:
                parameter["schema"] = {"type": "string", "enum": [code]}
    return told


def is_systematic(case: schemathesis.Case[Any]) -> bool:
    """Return whether this is one of the many that try every limit of the document."""
    return case.meta is not None and case.meta.phase.name is TestPhase.COVERAGE


document = schemathesis.openapi.from_dict(for_a_purpose(DESCRIBED))


@document.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
def test_every_answer_is_one_that_the_document_lists(
    machine: Machine, caller: Caller, session: Session, case: schemathesis.Case[Any]
) -> None:
    if not caller.may(case.path) and is_systematic(case):
        return  # refused before anybody reads it; a few at random are enough
    # Whoever logs out here would be nobody in all that follows.
    stays = {"Authorization": None} if case.path == "/v1/session/close" else None
    # What the session believes counts for nothing where schemathesis calls.
    case.call_and_validate(
        base_url=machine.url, session=session, verify=session.verify, checks=CHECKS, headers=stays
    )
