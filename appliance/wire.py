"""Bytes to plain data and back, strictly: what two parsers could read differently is refused.

JSON: no duplicate keys, no NaN or Infinity, no lone surrogates, no deep nesting, no huge numbers.
CBOR: no tags, no duplicate keys, no indefinite lengths, no floats that JSON could not write.
Error texts name the place, never the value.
"""

import json
import math
import re
from typing import Any, NoReturn

import cbor2
import msgspec

from appliance.errors import Malformed
from appliance.operation import Arguments

JSON, CBOR = "application/json", "application/cbor"
MOST_DEPTH = 8
MOST_INTEGER = 2**53


def decode(media_type: str, body: bytes) -> dict[str, Any]:
    """Return the mapping a body holds.

    Raises:
        Malformed: anything else, or anything ambiguous.
    """
    if media_type not in (JSON, CBOR):
        raise Malformed("send application/json or application/cbor")
    try:
        plain = _from_json(body) if media_type == JSON else _from_cbor(body)
    except RecursionError:
        raise Malformed("nested too deeply") from None
    if not isinstance(plain, dict):
        raise Malformed("the body must be one object")
    _inspect(plain, 1)
    return plain


def encode(media_type: str, plain: Any) -> bytes:
    """Return plain data as a body."""
    if media_type == CBOR:
        return cbor2.dumps(msgspec.to_builtins(plain))
    return msgspec.json.encode(plain)


def parse(asks: type[Arguments], plain: dict[str, Any]) -> Arguments:
    """Return the arguments of an operation.

    Raises:
        Malformed: a field is unknown, missing or of the wrong form; names it, not its value.
    """
    try:
        return msgspec.convert(plain, asks)
    except msgspec.ValidationError as problem:
        raise Malformed(_without_foreign_words(str(problem))) from None


def _without_foreign_words(text: str) -> str:
    # A field name that is not of our own kind is the caller's text, and may be anything.
    return re.sub(r"unknown field `(?![a-z_]{1,40}`)[^`]*`?", "unknown field", text)


def _from_json(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_constant=_refuse_constant,
            parse_int=_small_integer,
        )
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None
    except ValueError:
        raise Malformed("the body is not JSON") from None


def _from_cbor(body: bytes) -> Any:
    try:
        return cbor2.loads(
            body,
            tag_hook=_refuse_tag,
            max_depth=2 * MOST_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
    except Malformed:
        raise
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError):
        raise Malformed("the body is not CBOR, or a key is given twice") from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) != len(pairs):
        raise Malformed("a key is given twice")
    return plain


def _refuse_constant(_: str) -> NoReturn:
    raise Malformed("NaN and Infinity are not numbers here")


def _small_integer(text: str) -> int:
    if len(text) > 17:
        raise Malformed("a number is too large")
    return int(text)


def _refuse_tag(_decoder: Any, _tag: Any) -> NoReturn:
    raise Malformed("CBOR tags are not accepted")


def _inspect(plain: Any, depth: int) -> None:
    if depth > MOST_DEPTH:
        raise Malformed(f"nested more than {MOST_DEPTH} deep")
    if isinstance(plain, dict):
        for key, value in plain.items():
            if not isinstance(key, str):
                raise Malformed("a key is not text")
            _inspect(key, depth)
            _inspect(value, depth + 1)
    elif isinstance(plain, list):
        for value in plain:
            _inspect(value, depth + 1)
    elif isinstance(plain, str):
        _inspect_text(plain)
    elif isinstance(plain, float) and not math.isfinite(plain):
        raise Malformed("NaN and Infinity are not numbers here")
    elif isinstance(plain, int) and abs(plain) > MOST_INTEGER:
        raise Malformed("a number is too large")
    elif not isinstance(plain, (int, float, type(None), bytes)):
        raise Malformed("a value is of a kind that is not accepted")


def _inspect_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise Malformed("text holds a character that is not one")
