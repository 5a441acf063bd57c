"""What an argument must look like, in words: from the ``description`` of its type.

``msgspec`` says what it expected (a length, a pattern); a person needs to know what to write. The
types of ``vocabulary`` say it, and so can a vendor's: ``Meta(pattern=…, description="…")``. The
descriptions stand in the OpenAPI document too.
"""

import re
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

_PLACE = re.compile(r" - at `\$((?:\.[a-z_]+|\[(?:\.\.\.|[0-9]+)\])+)`\Z")
_STEP = re.compile(r"\.([a-z_]+)|\[[^\]]+\]")


def form_told(asks: type[msgspec.Struct], text: str) -> str | None:
    """Return where and what form a value must have, if its type says so.

    Args:
        asks: the arguments.
        text: what msgspec says of a value that did not fit.
    """
    place = _PLACE.search(text)
    if place is None:
        return None
    told = _description(_tree(asks), [match[1] for match in _STEP.finditer(place[1])])
    return None if told is None else f"{place[1].removeprefix('.')} must be {told}"


@lru_cache(maxsize=256)
def _tree(asks: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(asks)


def _description(kind: inspect.Type, steps: list[str | None]) -> str | None:
    """Return the description of what stands at the end of a way through the arguments."""
    told: str | None = None
    for step in [*steps, None]:
        kind, said = _bare(kind)
        told = said or told
        if not steps:
            break
        steps = steps[1:]
        inner = _inner(kind, step)
        if inner is None:
            return None
        kind, told = inner, None
    return told


def _bare(kind: inspect.Type) -> tuple[inspect.Type, str | None]:
    """Return a type without null and descriptions, and its description."""
    told: str | None = None
    while isinstance(kind, (inspect.Metadata, inspect.UnionType)):
        if isinstance(kind, inspect.Metadata):
            told = (kind.extra_json_schema or {}).get("description", told)
            kind = kind.type
            continue
        choices = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        if len(choices) != 1:
            break
        kind = choices[0]
    return kind, told


def _inner(kind: Any, step: str | None) -> inspect.Type | None:
    """Return the type of a field, or without a name of the members."""
    match kind:
        case inspect.StructType() if step is not None:
            return next((f.type for f in kind.fields if f.encode_name == step), None)
        case inspect.VarTupleType() | inspect.ListType() if step is None:
            return kind.item_type
        case inspect.DictType() if step is None:
            return kind.value_type
        case _:
            return None
