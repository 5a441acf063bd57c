"""Bytes to plain data and back, strictly: what two parsers could read differently is refused.

JSON: no duplicate keys, no NaN or Infinity, no lone surrogates, no deep nesting, no huge numbers.
CBOR: no tags, no duplicate keys, no indefinite lengths, no floats that JSON could not write, and
nothing behind the one item.
Error texts name the place, never the value.
"""

import io
import json
import math
import re
from collections import defaultdict
from typing import Any, NoReturn

import cbor2
import msgspec

from appliance.errors import Malformed
from appliance.forms import form_told
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


def decode_line(line: bytes) -> dict[str, Any]:
    """Return what one line of JSON holds, as ``decode`` does; quickly if it is flat and plain.

    Raises:
        Malformed: as ``decode``.
    """
    try:
        plain: object = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("the line is not JSON") from None
    if not isinstance(plain, dict) or not _is_plain(line, plain):
        return decode(JSON, line)
    return plain


def _is_plain(line: bytes, found: dict[str, Any]) -> bool:
    """Whether a line can hold nothing that ``decode`` would refuse."""
    return (
        line.count(b'":') == len(found)
        and b"\\" not in line
        and b"\0" not in line
        and _SIMPLE.issuperset(map(type, found.values()))
        and not any(type(value) is int and abs(value) > MOST_INTEGER for value in found.values())
    )


_SIMPLE = frozenset({str, int, bool, type(None)})


def encode(media_type: str, plain: Any) -> bytes:
    """Return plain data as a body; bytes are base64 in JSON, and themselves in CBOR."""
    if media_type == CBOR:
        return cbor2.dumps(msgspec.to_builtins(plain, builtin_types=(bytes,)))
    return msgspec.json.encode(plain)


def parse(asks: type[Arguments], plain: dict[str, Any]) -> Arguments:
    """Return the arguments of an operation.

    Raises:
        Malformed: a field is missing or of the wrong form; names it, not its value. A field that
            is unknown is not named, for it is the caller's text: the place it stands at is.
    """
    try:
        return msgspec.convert(plain, asks)
    except msgspec.ValidationError as problem:
        raise Malformed(_in_our_words(asks, str(problem))) from None


_MISSING = re.compile(r"Object missing required field `([a-z0-9_]+)`( - at `\$[a-z0-9_.\[\]]+`)?")
_UNKNOWN = "Object contains unknown field"
_PLACE = re.compile(r" - at `\$(\.[a-z0-9_]+|\[(\.\.\.|[0-9]+)\])+`\Z")


def _in_our_words(asks: type[Arguments], text: str) -> str:
    """Return what msgspec says, without what the caller said: a field not of ours, a value."""
    if _MISSING.fullmatch(text):
        return text
    if text.startswith(_UNKNOWN):
        return _UNKNOWN + (match[0] if (match := _PLACE.search(text)) else "")
    return form_told(asks, text) or "the arguments are not of the form they must have"


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
    stream = io.BytesIO(body)
    decoder = cbor2.CBORDecoder(
        stream,
        semantic_decoders=_NO_TAGS,
        max_depth=2 * MOST_DEPTH,
        allow_indefinite=False,
        allow_duplicate_keys=False,
        strict_hashable_types=True,
    )
    try:
        plain = decoder.decode()
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError):
        raise Malformed("the body is not plain CBOR, has a tag, or gives a key twice") from None
    if stream.read(1):
        raise Malformed("something follows the end of the body")
    return plain


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


def _refuse_tag(*_: Any) -> NoReturn:
    raise ValueError("CBOR tags are not accepted")


_NO_TAGS: dict[int, Any] = defaultdict(lambda: _refuse_tag)
"""Every tag, those cbor2 knows (dates, big numbers, shared references, ...) included."""


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
    # A file in base64 has millions of characters, all of them ASCII.
    if "\0" in text or (not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)):
        raise Malformed("text holds a character that is not one")
