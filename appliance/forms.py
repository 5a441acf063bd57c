"""What an argument must look like, in words: from the ``description`` of its type.

``msgspec`` says what it expected (a length, a pattern); a person needs to know what to write. The
types of ``vocabulary`` say it, and so can a vendor's: ``Meta(pattern=…, description="…")``. The
descriptions stand in the OpenAPI document too. Of a type without one the words are made here, from
its choices and bounds. What staff calls a field is the ``title`` of its type.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

_PLACE = re.compile(r" - at (?:`key` in )?`\$((?:\.[a-z0-9_]+|\[(?:\.\.\.|[0-9]+)\])+)`\Z")
_STEP = re.compile(r"\.([a-z0-9_]+)|\[[^\]]+\]")
OTHER_FORM = "of the form that the document of this interface gives"


def form_told(asks: type[msgspec.Struct], text: str) -> str | None:
    """Return where and what form a value must have; None of what has no place of its own.

    Args:
        asks: the arguments.
        text: what msgspec says of a value that did not fit.
    """
    place = _PLACE.search(text)
    if place is None:
        return None
    steps = [match[1] for match in _STEP.finditer(place[1])]
    kind, told = _standing_at(_tree(asks), steps)
    return f"{place[1].removeprefix('.')} must be {told or _made(kind)}"


def titles(asks: type[msgspec.Struct]) -> Mapping[str, str]:
    """Return what staff calls the fields of these arguments, by wire name, where a type says it."""
    return dict(_titles(_tree(asks)))


@lru_cache(maxsize=256)
def _tree(asks: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(asks)


def _standing_at(kind: inspect.Type, steps: list[str | None]) -> tuple[Any, str | None]:
    """Return the type of what stands at the end of a way through the arguments, and its form."""
    kind, told = _bare(kind)
    for step in steps:
        inner = _inner(kind, step)
        if inner is None:
            return None, None
        kind, told = _bare(inner)
    return kind, told


def _bare(kind: inspect.Type, key: str = "description") -> tuple[inspect.Type, str | None]:
    """Return a type without null and descriptions, and its description (or title)."""
    told: str | None = None
    while isinstance(kind, (inspect.Metadata, inspect.UnionType)):
        if isinstance(kind, inspect.Metadata):
            told = told or (kind.extra_json_schema or {}).get(key)
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


def _titles(kind: inspect.Type) -> Iterator[tuple[str, str]]:
    kind, _ = _bare(kind)
    if isinstance(kind, inspect.StructType):
        for field in kind.fields:
            if title := _bare(field.type, "title")[1]:
                yield field.encode_name, title
            yield from _titles(field.type)
    elif (inner := _inner(kind, None)) is not None:
        yield from _titles(inner)


def _made(kind: Any) -> str:
    """Return the form of a type that does not say it itself."""
    match kind:
        case inspect.LiteralType(values=choices):
            return f"one of {', '.join(map(str, choices))}"
        case inspect.EnumType():
            return f"one of {', '.join(str(each.value) for each in kind.cls)}"
        case inspect.IntType():
            return f"a whole number{_between(kind.ge, kind.le)}"
        case inspect.StrType(pattern=None):
            return f"text{_between(kind.min_length, kind.max_length, ' characters')}"
        case inspect.VarTupleType() | inspect.ListType():
            return f"a list{_between(kind.min_length, kind.max_length)}"
        case _:
            return _PLAIN.get(type(kind), OTHER_FORM)


_PLAIN: Mapping[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.BytesType: "a file in base64",
    inspect.DateType: "a date (YYYY-MM-DD)",
    inspect.DateTimeType: "a date and time with its offset, such as 2026-11-26T09:00:00+09:00",
    inspect.StructType: "an object",
    inspect.DictType: "an object",
}


def _between(least: int | None, most: int | None, of: str = "") -> str:
    if least is not None and most is not None:
        return f" of {least} to {most}{of}"
    if least is not None:
        return f" of {least} or more{of}"
    return "" if most is None else f" of {most} or less{of}"
