"""The OpenAPI document: valid, complete, and true to the types it was made from."""

from collections.abc import Iterator
from typing import Annotated, Any

import jsonschema_rs
import msgspec
import pytest
import schemathesis

from appliance.edge.examples import NONE, example_of
from appliance.edge.openapi import document
from appliance.edge.refusals import CODES
from appliance.errors import StartupError
from appliance.model import OperationName
from appliance.operation import Answer, AnyOperation, Arguments, Operation
from tests.edge import OPERATIONS

Code = Annotated[str, msgspec.Meta(pattern="^[0-9]{11}$", examples=["91234567890"])]


class ByCode(Arguments, frozen=True, tag_field="kind", tag="code"):
    resident_code: Code


class Inquire(Arguments, frozen=True):
    by: ByCode
    items: tuple[str, ...]
    case: Annotated[str, msgspec.Meta(pattern="^[0-9]+$")] | None = None


class Answered(Answer, frozen=True):
    result: str
    resident: dict[str, str] | None


def operation(asks: type[Arguments] = Inquire, **more: Any) -> AnyOperation:
    return Operation(
        name=OperationName("provision/inquire"),
        summary="Answer another office.",
        asks=asks,
        answers=Answered,
        handler=lambda case, arguments: Answered(result="none", resident=None),
        **more,
    )


ALL = (*OPERATIONS, operation())


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(ALL)))
    return plain


def references(plain: Any) -> Iterator[str]:
    if isinstance(plain, dict):
        if isinstance(plain.get("$ref"), str):
            yield plain["$ref"]
        for value in plain.values():
            yield from references(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from references(value)


def test_schemathesis_reads_every_operation_of_it(described: dict[str, Any]) -> None:
    schema = schemathesis.openapi.from_dict(described)
    found = {f"{one.ok().method} {one.ok().path}" for one in schema.get_all_operations()}
    assert "post /v1/provision/inquire" in found
    assert len(found) == len(ALL) + 5


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    for reference in set(references(described)):
        target = described
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_every_schema_is_one(described: dict[str, Any]) -> None:
    for schema in described["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def body_of(described: dict[str, Any], path: str) -> dict[str, Any]:
    body: dict[str, Any] = described["paths"][path]["post"]["requestBody"]
    return body["content"]["application/json"]  # type: ignore[no-any-return]


def test_arguments_are_described_strictly(described: dict[str, Any]) -> None:
    schema = described["components"]["schemas"]["Inquire"]
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["by", "items"]
    content = described["paths"]["/v1/provision/inquire"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "application/cbor"}


def test_an_example_is_valid(described: dict[str, Any]) -> None:
    body = body_of(described, "/v1/provision/inquire")
    assert body["example"]["by"] == {"kind": "code", "resident_code": "91234567890"}
    whole = {**described["components"]["schemas"]["Inquire"], "components": described["components"]}
    jsonschema_rs.validate(whole, body["example"])


def header(described: dict[str, Any], path: str, name: str) -> dict[str, Any] | None:
    parameters = described["paths"][path]["post"]["parameters"]
    return next((one for one in parameters if one["name"] == name), None)


def test_headers_are_required_where_they_are_needed(described: dict[str, Any]) -> None:
    for path, changes, purposed in (
        ("/v1/update/notify", True, False),
        ("/v1/provision/inquire", False, True),
    ):
        key = header(described, path, "Idempotency-Key")
        purpose = header(described, path, "X-Purpose")
        case = header(described, path, "X-Case")
        assert key is not None
        assert key["required"] is changes
        assert (purpose is not None) is purposed
        assert case is not None
        assert case["required"] is False


def test_the_header_of_an_approval_stands_where_two_persons_are_needed(
    described: dict[str, Any],
) -> None:
    assert header(described, "/v1/update/notify", "X-Approval") is None
    seconded = document([operation(seconded=True)])
    approval = header(seconded, "/v1/provision/inquire", "X-Approval")
    assert approval is not None
    assert approval["required"] is True
    sometimes = document([operation(seconded=True, alone=lambda roster, asked: True)])
    approval = header(sometimes, "/v1/provision/inquire", "X-Approval")
    assert approval is not None
    assert approval["required"] is False


def test_every_status_that_can_leave_is_listed(described: dict[str, Any]) -> None:
    responses = described["paths"]["/v1/provision/inquire"]["post"]["responses"]
    assert {"200", "400", "401", "403", "404", "409", "413", "415", "422", "500", "503"} <= set(
        responses
    )
    assert {str(int(status)) for status in CODES.values()} <= set(responses)
    problem = described["components"]["responses"]["Problem"]["content"]
    assert set(problem) == {"application/problem+json"}
    health = described["paths"]["/v1/sys/health"]["get"]["responses"]
    assert "application/json" in health["503"]["content"]


def test_both_proofs_of_who_asks_are_described(described: dict[str, Any]) -> None:
    schemes = described["components"]["securitySchemes"]
    assert schemes["certificate"]["type"] == "mutualTLS"
    assert schemes["session"]["scheme"] == "bearer"


def test_an_answer_stands_in_its_envelope(described: dict[str, Any]) -> None:
    responses = described["paths"]["/v1/provision/inquire"]["post"]["responses"]
    schema = responses["200"]["content"]["application/json"]["schema"]
    assert set(schema["required"]) == {"request_id", "receipt", "data"}
    assert schema["properties"]["data"] == {"$ref": "#/components/schemas/Answered"}


def test_an_operation_that_cannot_be_described_stops_the_start() -> None:
    class Odd(Arguments, frozen=True):
        made: complex

    with pytest.raises(StartupError, match="cannot be described"):
        document([operation(Odd)])


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"examples": ["a", "b"], "type": "string"}, "a"),
        ({"enum": ["x", "y"]}, "x"),
        ({"const": 3}, 3),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "boolean", "default": True}, True),
        ({"type": "boolean"}, False),
        ({"type": "string"}, "text"),
        ({"type": "string", "pattern": "^[0-9]+$"}, NONE),
        ({"type": "string", "format": "date"}, NONE),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"anyOf": [{"type": "string", "pattern": "a"}]}, NONE),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"type": "array", "items": {"type": "string", "pattern": "a"}}, []),
        ({"type": "array", "items": {"type": "string", "pattern": "a"}, "minItems": 1}, NONE),
        ({"type": "array"}, []),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, {}),
        ({"type": "object", "properties": {"a": {"examples": [2]}}}, {"a": 2}),
        ({"type": "object", "properties": {"a": {"pattern": "x"}}, "required": ["a"]}, NONE),
        ({"$ref": "#/components/schemas/A"}, 9),
        ({"type": "unheard of"}, NONE),
        ({}, NONE),
    ],
)
def test_examples_are_made_where_the_schema_says_enough(schema: Any, example: Any) -> None:
    made = example_of(schema, {"A": {"const": 9}})
    assert made is NONE if example is NONE else made == example
