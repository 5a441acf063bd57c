"""Personal data in every place a request has, one after another; then everything is searched.

The places come from the served OpenAPI document, so that an operation that is added later is
attacked too. In refusals, log lines, figures, the boot journal and every file of the data folder
there must be nothing of it; in the ledger there must be every refusal, with its code.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from tests.attack.field import (
    ADMINISTRATOR,
    AUDITOR,
    CANARIES,
    CANARY,
    CBOR,
    CS,
    JSON,
    NATIONAL,
    REGISTRAR,
    TERMINAL,
    Field,
    Line,
    tells_nothing,
)
from tests.edge import HttpReply, post
from tests.machine import accepted

SECRET = f"{CANARY}カナリア金糸雀"
MISPLACED: tuple[Any, ...] = (SECRET, [SECRET], {SECRET: SECRET}, {"name": SECRET}, 9 * 10**14)
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "shift_jis", "euc-jp")
MACHINES = {"update/notify": CS, "update/held": CS, "relay/feed": NATIONAL}
PURPOSES = {"disclosure": "disclosure"}
"""事務 of the functions that have one of their own."""
Body = dict[str, Any]


def example(schema: Any, components: dict[str, Any]) -> Any:
    """Return something of the form of a schema, with a canary wherever a text can be."""
    if "$ref" in schema:
        return example(components[schema["$ref"].rpartition("/")[2]], components)
    for kind in ("anyOf", "oneOf"):
        if kind in schema:
            return example(schema[kind][0], components)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: example(field, components) for name, field in properties.items()}
        case "array":
            return [example(schema.get("items", {}), components)]
        case "integer" | "number":
            return 1
        case "boolean":
            return False
        case _:
            return SECRET


def places(plain: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to every place in a body, the outermost first."""
    inside = plain.items() if isinstance(plain, dict) else enumerate(plain)
    for step, value in inside:
        yield (*way, step)
        if isinstance(value, (dict, list)):
            yield from places(value, (*way, step))


def with_value(plain: Any, way: tuple[str | int, ...], value: Any) -> Any:
    """Return a body with another value at a place."""
    if not way:
        return value
    copy: Any = dict(plain) if isinstance(plain, dict) else list(plain)
    copy[way[0]] = with_value(plain[way[0]], way[1:], value)
    return copy


def attacks(plain: Body) -> Iterator[Body]:
    """Yield a body with the canary in one place after another, and as a field nobody knows."""
    yield plain
    yield {**plain, SECRET: SECRET}
    yield {**plain, "kanaria": SECRET}
    for way in places(plain):
        for value in MISPLACED:
            yield with_value(plain, way, value)


def described(field: Field) -> dict[str, Body]:
    """Return a body for every operation of the served document."""
    link = field.machine.link(TERMINAL)
    document = link.ask("/v1/openapi.json").body
    link.close()
    schemas = document["components"]["schemas"]
    return {
        path.removeprefix("/v1/"): example(
            methods["post"]["requestBody"]["content"][JSON]["schema"], schemas
        )
        for path, methods in document["paths"].items()
        if "post" in methods
    }


OPERATORS = {
    "roster": ADMINISTRATOR,
    "relay": ADMINISTRATOR,
    "ledger": AUDITOR,
    "search": REGISTRAR,
    "provision": REGISTRAR,
    "disclosure": REGISTRAR,
}


def attacker(operation: str) -> str:
    """Return whose machine asks for this."""
    return MACHINES.get(operation, TERMINAL)


def attack(
    field: Field, operation: str, plain: Body, number: int, line: Line | None = None
) -> HttpReply:
    """Send one body as somebody who may ask for this, in JSON and CBOR by turns."""
    media_type = CBOR if number % 2 else JSON
    body = cbor2.dumps(plain) if media_type == CBOR else json.dumps(plain).encode()
    headers = {"Idempotency-Key": f"{operation.replace('/', '-')}-{number:012}"}
    name = attacker(operation)
    function = operation.partition("/")[0]
    operator = OPERATORS.get(function)
    if name == TERMINAL and operator is not None:
        headers |= {
            "Authorization": f"Bearer {field.tokens[operator]}",
            "X-Purpose": PURPOSES.get(function, "register-administration"),
            "X-Reason": "04",
        }
    return field.ask(name, operation, body, headers, media_type=media_type, line=line)


def ledger(field: Field) -> dict[str, tuple[str, str | None]]:
    """Return result and code of every entry, by request."""
    found: dict[str, tuple[str, str | None]] = {}
    before = None
    while before != 0:
        asked: Body = {"limit": 1000} if before is None else {"limit": 1000, "before": before}
        entries = accepted(field.witness.call("ledger/search", asked))["entries"]
        found |= {each["request_id"]: (each["result"], each["refusal"]) for each in entries}
        before = entries[-1]["index"] if entries else 0
    return found


@pytest.fixture
def all_in(field: Field) -> Field:
    """Let everybody log in whose operations are attacked."""
    for operator in {*OPERATORS.values()}:
        field.log_in(operator, TERMINAL)
    return field


def test_no_value_of_a_body_comes_back_and_every_refusal_is_entered(all_in: Field) -> None:
    field = all_in
    refusals: dict[str, str] = {}
    for operation, plain in described(field).items():
        with field.line(attacker(operation)) as line:
            for number, body in enumerate(attacks(plain)):
                reply = attack(field, operation, body, number, line)
                assert reply.status < 500, (operation, body, reply.body)
                if reply.status != 200:
                    tells_nothing(reply)
                    refusals[reply.plain["request_id"]] = reply.plain["code"]
    assert len(refusals) > 300
    entered = ledger(field)
    missing = {
        request_id: code
        for request_id, code in refusals.items()
        if entered.get(request_id) != ("denied", code)
    }
    assert missing == {}


HEADERS = [
    "X-Purpose",
    "X-Reason",
    "X-Case",
    "X-Approval",
    "Idempotency-Key",
    "Authorization",
    "Cookie",
    "User-Agent",
    "Referer",
    "Accept",
    "Content-Type",
    "Expect",
    "Origin",
    "X-Kanaria",
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("form", ["{}", "Bearer {}{}{}", "{}/{}", "{} {}", "{};q=1", "a\x01{}"])
def test_no_value_of_a_header_comes_back(field: Field, header: str, form: str) -> None:
    value = form.replace("{}", CANARY)
    reply = field.ask(TERMINAL, "search/find", b'{"name": "a"}', {header: value})
    assert 400 <= reply.status < 500
    tells_nothing(reply)


def test_no_path_and_no_host_comes_back(field: Field) -> None:
    for path in (f"/{CANARY}", f"/v1/{CANARY}/find", "/v1/kanaria/find", f"/v1/search/{CANARY}"):
        tells_nothing(field.say(TERMINAL, post(path)))
    tells_nothing(field.say(TERMINAL, post(Host=f"{CANARY}:443")))


def test_nothing_that_leaves_or_lies_on_the_disk_holds_any_of_it(all_in: Field) -> None:
    field = all_in
    for operation, plain in described(field).items():
        attack(field, operation, plain, 900_000)
        attack(field, operation, {**plain, "kanaria": SECRET}, 900_001)
    issuer = field.machine.authority
    field.machine.issue("unknown", issuer.issue_client(SECRET, now=datetime.now(UTC)))
    field.say("unknown", post())
    known = field.notify(json.dumps({"notifications": [{"name": SECRET}]}).encode())
    assert known.status == 400
    outputs = field.machine.written()
    outputs[field.machine.folder / "metrics"] = field.machine.loopback("GET", "metrics")[1].encode()
    wanted = {canary.encode(code) for canary in CANARIES for code in ENCODINGS}
    found = [str(path) for path, raw in outputs.items() if any(each in raw for each in wanted)]
    assert found == []
    log = field.machine.log.read_text("utf-8")
    assert '"level": "error"' not in log
    assert '"level": "critical"' not in log
