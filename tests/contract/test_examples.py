"""The examples in the OpenAPI document are requests that can be sent."""

from pathlib import Path
from typing import Any

import pytest

from appliance import wire
from appliance.edge.openapi import document
from appliance.operation import AnyOperation
from appliance.testing import Bench
from tests.contract.test_operations import OPERATIONS, OURS, by_name

PATHS = document(OPERATIONS)["paths"]


def example(name: str) -> dict[str, Any] | None:
    body = PATHS[f"/v1/{name}"]["post"]["requestBody"]["content"]["application/json"]
    found: dict[str, Any] | None = body.get("example")
    return found


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
def test_an_example_is_understood(operation: AnyOperation) -> None:
    plain = example(operation.name)
    if plain is not None:
        wire.parse(operation.asks, plain)


@pytest.mark.parametrize("name", ["search/find", "provision/inquire", "provision/verify"])
def test_an_example_of_asking_for_somebody_is_answered(tmp_path: Path, name: str) -> None:
    plain = example(name)
    assert plain is not None
    with Bench.open(tmp_path, OURS) as bench:
        bench.clerk().ask(name, plain, purpose="all", reason="01")
