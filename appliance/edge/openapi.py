"""The OpenAPI 3.1 document, made from the operations themselves.

Arguments and answers are ``msgspec.Struct``s; their JSON Schemas are what the appliance checks by,
so the document cannot promise something else. Every status that can leave is listed.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from appliance import wire
from appliance.edge.examples import NONE, example_of
from appliance.edge.problems import PROBLEM_TYPE, ProblemDocument
from appliance.errors import StartupError
from appliance.operation import AnyOperation

Schema = dict[str, Any]

DISTRIBUTION = "juki-appliance"
SCHEMAS = "#/components/schemas/"
MEDIA_TYPES = (wire.JSON, wire.CBOR)

REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.EXPECTATION_FAILED,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
)
"""Every status, beside 200, that an operation can be answered with; all are problem+json."""

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and body again give the same answer, with no second effect.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,64}$"},
    "example": "notices-20261125-0001",
}
PURPOSE = {
    "name": "X-Purpose",
    "in": "header",
    "description": "Code of the 事務 this is for.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,32}$"},
}
REASON = {
    "name": "X-Reason",
    "in": "header",
    "description": "Code of the 利用事由.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,32}$"},
}
CASE = {
    "name": "X-Case",
    "in": "header",
    "required": False,
    "description": "Number in the 使用簿.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._/-]{1,64}$"},
}
APPROVAL = {
    "name": "X-Approval",
    "in": "header",
    "description": "Number of the approval/request that another person agreed to.",
    "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"},
}
SECURITY_SCHEMES = {
    "certificate": {
        "type": "mutualTLS",
        "description": "A certificate of the prefecture's authority, in the terminal register.",
    },
    "session": {
        "type": "http",
        "scheme": "bearer",
        "description": "An operator's session, from session/open; bound to the certificate.",
    },
}


def document(operations: Sequence[AnyOperation]) -> Schema:
    """Return the document.

    Raises:
        StartupError: an argument or answer type has no JSON Schema.
    """
    types = [kind for one in operations for kind in (one.asks, one.answers)]
    try:
        references, schemas = msgspec.json.schema_components(
            [ProblemDocument, *types], ref_template=SCHEMAS + "{name}"
        )
    except TypeError as problem:
        raise StartupError(f"an operation cannot be described: {problem}") from problem
    pairs = zip(references[1::2], references[2::2], strict=True)
    paths = {
        f"/v1/{one.name}": {"post": _operation(one, asks, answers, schemas)}
        for one, (asks, answers) in zip(operations, pairs, strict=True)
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "juki-appliance",
            "summary": "Prefectural server (都道府県サーバ) of the Resident Register Network",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "version": _version(),
        },
        "paths": {**_system_paths(), **paths},
        "security": [{"certificate": []}],
        "components": {
            "schemas": schemas,
            "responses": {"Problem": _problem(references[0])},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _operation(
    one: AnyOperation, asks: Schema, answers: Schema, schemas: Mapping[str, Schema]
) -> Schema:
    function, _, name = one.name.partition("/")
    body: Schema = {"schema": asks}
    example = example_of(asks, schemas) if one.example is None else dict(one.example)
    if example is not NONE:
        body["example"] = example
    return {
        "operationId": f"{function}-{name}",
        "tags": [function],
        "summary": one.summary,
        "security": [{"certificate": [], "session": []}, {"certificate": []}],
        "parameters": _parameters(one),
        "requestBody": {"required": True, "content": dict.fromkeys(MEDIA_TYPES, body)},
        "responses": {
            "200": {
                "description": "Carried out; the receipt is its place in the ledger.",
                "content": {kind: {"schema": _reply(answers)} for kind in MEDIA_TYPES},
            },
            **_refusals(REFUSALS),
        },
    }


def _parameters(one: AnyOperation) -> list[Schema]:
    parameters: list[Schema] = [{**IDEMPOTENCY_KEY, "required": one.changes}]
    if one.purposed:
        parameters += [{**PURPOSE, "required": True}, {**REASON, "required": True}]
    if one.seconded:
        parameters.append({**APPROVAL, "required": one.alone is None})
    return [*parameters, CASE]


def _reply(answers: Schema) -> Schema:
    receipt = {
        "type": "object",
        "properties": {"index": {"type": "integer", "minimum": 0}},
        "required": ["index"],
    }
    properties = {"request_id": {"type": "string"}, "receipt": receipt, "data": answers}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _system_paths() -> Schema:
    text: Schema = {"text/plain": {"schema": {"type": "string"}}}
    plain: Schema = {wire.JSON: {"schema": {"type": "object"}}}
    not_ready = {
        "501": {"description": "Not initialised.", "content": plain},
        "503": {"description": "Sealed, or degraded.", "content": plain},
    }
    return {
        "/v1/openapi.json": _get("openapi", "Return this document.", plain),
        "/v1/sys/health": _get("sys-health", "Return if the appliance can work.", plain, not_ready),
        "/v1/sys/seal-status": _get("sys-seal-status", "Return how far unsealing is.", plain),
        "/v1/sys/checkpoint": _get("sys-checkpoint", "Return the ledger's checkpoint.", text),
        "/v1/sys/witnessed": _get(
            "sys-witnessed", "Return the newest checkpoint that the witness has cosigned.", text
        ),
    }


def _get(name: str, summary: str, content: Schema, more: Schema | None = None) -> Schema:
    answered = {"200": {"description": "As asked.", "content": content}}
    responses = {**_refusals(REFUSALS), **answered, **(more or {})}
    return {
        "get": {"operationId": name, "tags": ["sys"], "summary": summary, "responses": responses}
    }


def _refusals(statuses: Sequence[HTTPStatus]) -> Schema:
    return {str(int(status)): {"$ref": "#/components/responses/Problem"} for status in statuses}


def _problem(reference: Schema) -> Schema:
    return {
        "description": "Refused (RFC 9457); `code` is stable, and no personal data is in it.",
        "content": {PROBLEM_TYPE: {"schema": reference}},
    }


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:  # run from the source tree
        return "0"
