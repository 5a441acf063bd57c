"""The served OpenAPI document holds: whatever it allows or forbids is sent, and every answer is one
of those it lists, in the form it gives, and none is a fault of ours.

schemathesis makes the requests, each caller sends them over mutual TLS to a whole appliance.
"""

import copy
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any, Final, NamedTuple

import cbor2
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from requests import Session
from schemathesis.checks import not_a_server_error
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
NUMBERS: Final = itertools.count(7001)
CODES: Final = {"X-Purpose": "register-administration", "X-Reason": "04"}
DISCLOSURE: Final = "/v1/disclosure/"
"""Operations under a 事務 of their own."""
LEDGER: Final = "/v1/ledger/"
LOGGING_OUT: Final = "/v1/session/close"


class Caller(NamedTuple):
    """Somebody who asks: for what he may, with which certificate, in which roles."""

    functions: frozenset[str]
    certificate: str
    roles: tuple[str, ...] = ()


def there_for(*functions: str) -> frozenset[str]:
    return frozenset(functions)


CALLERS: Final = {
    "an auditor": Caller(there_for("ledger", "compliance", "watching"), "TERM-0001", ("auditor",)),
    "a registrar": Caller(
        there_for("session", "search", "provision", "disclosure", "usebook", "update"),
        "TERM-0001",
        ("clerk", "registrar"),
    ),
    "an officer": Caller(there_for("protection", "approval"), "TERM-0001", ("security-officer",)),
    "a statistician": Caller(there_for("statistics"), "TERM-0001", ("statistician",)),
    "the administrator": Caller(
        there_for("roster", "relay", "job", "retention", "keys", "system"),
        "TERM-0001",
        ("system-administrator",),
    ),
    "a municipality": Caller(there_for("update", "reconcile"), "CS-432024"),
    "the national server": Caller(there_for("relay", "sys", "openapi.json"), "NATIONAL"),
}


def asking(path: str) -> list[str]:
    """Return the callers who are there for this operation; what they may not is refused there."""
    return [name for name, caller in CALLERS.items() if path.split("/")[2] in caller.functions]


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
        administrator.close()
        yield machine


@pytest.fixture(scope="module")
def sessions(machine: Machine) -> Iterator[Callable[[str], Session]]:
    """Yield how to get the connections of a caller, logged in if it is a person."""
    with ExitStack() as stack:

        @cache
        def of(name: str) -> Session:
            return stack.enter_context(_session(machine, CALLERS[name]))

        yield of


def _session(machine: Machine, caller: Caller) -> Session:
    certificate, key, authority = machine.credentials(caller.certificate)
    session = Session()
    session.trust_env = False
    session.cert, session.verify = (str(certificate), str(key)), str(authority)
    if caller.roles:
        # A new person each time: PINs made at random lock whoever proves himself with them.
        number = next(NUMBERS)
        administrator = machine.administrator()
        machine.appoint(administrator, f"OP-{number}", list(caller.roles))
        administrator.close()
        opened = session.post(
            f"{machine.url}/v1/session/open", json={"person": f"P-{number}", "pin": PIN}
        )
        session.headers["Authorization"] = f"Bearer {opened.json()['data']['token']}"
    return session


OPERATIONS: Final = load(unsigned(SHIPPED)).operations.values()
DESCRIBED: Final = json.loads(
    msgspec.json.encode(openapi.document([operation for _, operation in OPERATIONS]))
)
"""What the shipped policy lets the appliance serve; the first test holds it against that."""


def test_the_document_is_the_one_that_is_served(machine: Machine) -> None:
    with machine.link("NATIONAL") as link:
        assert link.ask("/v1/openapi.json").body == DESCRIBED


def test_somebody_is_there_for_every_operation() -> None:
    assert [path for path in DESCRIBED["paths"] if not asking(path)] == []


def codes_for(path: str) -> dict[str, str]:
    """Return the purpose and the reason that the callers have.

    The document allows any code; made at random, none would ever reach an operation.
    """
    return CODES | ({"X-Purpose": "disclosure"} if path.startswith(DISCLOSURE) else {})


def to_be_tried(described: dict[str, Any]) -> dict[str, Any]:
    """Return the document with what is varied in each operation, and nothing else."""
    told, known = copy.deepcopy(described), set[tuple[str, ...]]()
    # The ledger is read while it is short: some conditions make it open every entry.
    told["paths"] = dict(sorted(told["paths"].items(), key=lambda each: LEDGER not in each[0]))
    turns = itertools.cycle(("application/json", "application/cbor"))
    for path, post in posts(told):
        body = post["requestBody"]
        body["content"] = {(turn := next(turns)): body["content"][turn]}
        fields = tuple(f"{each['name']} {each['required']}" for each in post["parameters"])
        if fields in known:
            post["parameters"] = []
        known.add(fields)
        for each in post["parameters"]:
            if (code := codes_for(path).get(each["name"])) is not None:
                each["schema"] = {"type": "string", "enum": [code]}
    return told


def posts(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        if "post" in methods:
            yield path, methods["post"]


TRIED: Final = to_be_tried(DESCRIBED)
REQUIRED: Final = {
    path: {each["name"] for each in post["parameters"] if each["required"]}
    for path, post in posts(DESCRIBED)
}
VARIED: Final = {path for path, post in posts(TRIED) if post["parameters"]}


def headers_of(path: str) -> dict[str, str | None]:
    """Return the header fields of a request that are not varied, as they must be."""
    # Whoever logs out here would be nobody in all that follows.
    headers: dict[str, str | None] = {"Authorization": None} if path == LOGGING_OUT else {}
    if path in VARIED:
        return headers
    key = {"Idempotency-Key": f"described-{next(NUMBERS):08}", "X-Approval": "1"}
    right = codes_for(path) | key
    return headers | {name: right[name] for name in REQUIRED.get(path, ())}


def test_every_field_is_tried_somewhere_and_so_are_both_forms() -> None:
    tried = {each["name"] for path, post in posts(TRIED) for each in post["parameters"]}
    assert tried == {each["name"] for _, post in posts(DESCRIBED) for each in post["parameters"]}
    forms = Counter(form for _, post in posts(TRIED) for form in post["requestBody"]["content"])
    assert min(forms["application/json"], forms["application/cbor"]) > 70


document = schemathesis.openapi.from_dict(TRIED)


@document.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
def test_every_answer_is_one_that_the_document_lists(
    machine: Machine, sessions: Callable[[str], Session], case: schemathesis.Case[Any]
) -> None:
    for name in asking(case.path):
        session = sessions(name)
        # What the session believes counts for nothing where schemathesis calls.
        case.call_and_validate(
            base_url=machine.url,
            session=session,
            verify=session.verify,
            checks=CHECKS,
            headers=headers_of(case.path),
        )
