"""An example for a JSON Schema, where the schema itself gives enough to make one that is valid."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

Schema = Mapping[str, Any]
NONE = msgspec.UNSET
"""There is no example: a text must match a pattern, and nobody gave one that does."""

SIMPLE: Mapping[str, Any] = {"boolean": False, "null": None, "number": 1.0, "string": "text"}


def example_of(schema: Schema, components: Mapping[str, Schema]) -> Any:
    """Return a value the schema allows, or ``NONE``.

    What ``examples``, ``const``, ``enum`` or ``default`` say goes first. Of an object, required
    fields are shown, and others that say how they look.
    """
    if "$ref" in schema:
        return example_of(components[str(schema["$ref"]).rpartition("/")[2]], components)
    told = _told(schema)
    if told is not NONE:
        return told
    if "anyOf" in schema:
        return _first(schema["anyOf"], components)
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, components)
    if kind == "array":
        return _array(schema, components)
    if kind == "integer":
        return schema.get("minimum", 1)
    if "pattern" in schema or "format" in schema:
        return NONE
    return SIMPLE.get(str(kind), NONE)


def _told(schema: Schema) -> Any:
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    return schema.get("const", schema.get("default", NONE))


def _first(schemas: Sequence[Schema], components: Mapping[str, Schema]) -> Any:
    # A value says more than null, which msgspec writes last only for some types.
    for schema in sorted(schemas, key=_is_null):
        example = example_of(schema, components)
        if example is not NONE:
            return example
    return NONE


def _is_null(schema: Schema) -> bool:
    return schema.get("type") == "null"


def _object(schema: Schema, components: Mapping[str, Schema]) -> Any:
    required = schema.get("required", ())
    shown: dict[str, Any] = {}
    for name, field in schema.get("properties", {}).items():
        if name in required:
            shown[name] = example_of(field, components)
        elif field.get("examples"):
            shown[name] = field["examples"][0]
    return NONE if NONE in shown.values() else shown


def _array(schema: Schema, components: Mapping[str, Schema]) -> Any:
    items = schema.get("items")
    example = NONE if items is None else example_of(items, components)
    if example is NONE:
        return NONE if schema.get("minItems") else []
    return [example]
