import json
import math
from contextlib import suppress
from typing import Any, Literal

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import wire
from appliance.errors import Malformed
from appliance.operation import Arguments

KINDS = [wire.JSON, wire.CBOR]

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
)
PLAIN = st.dictionaries(
    TEXT, st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3), max_leaves=8), max_size=5
)


class Inner(Arguments, frozen=True, kw_only=True):
    kind: Literal["exact", "prefix"] = "exact"


class Asked(Arguments, frozen=True, kw_only=True):
    name: str = ""
    limit: int = 1
    inner: Inner | None = None
    claims: dict[str, int] | None = None


def refused(media_type: str, body: bytes) -> str:
    with pytest.raises(Malformed) as refusal:
        wire.decode(media_type, body)
    return refusal.value.text


@pytest.mark.parametrize("media_type", KINDS)
@given(plain=PLAIN)
def test_what_is_written_is_read_again(media_type: str, plain: dict[str, Any]) -> None:
    assert wire.decode(media_type, wire.encode(media_type, plain)) == plain


@pytest.mark.parametrize("media_type", KINDS)
@given(body=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(media_type: str, body: bytes) -> None:
    with suppress(Malformed):
        assert isinstance(wire.decode(media_type, body), dict)


def test_another_media_type_is_refused() -> None:
    assert "application/json" in refused("text/plain", b"{}")


@pytest.mark.parametrize("body", [b"[]", b'"name"', b"1", b"null", b"true"])
def test_a_json_body_is_one_object(body: bytes) -> None:
    assert refused(wire.JSON, body) == "the body must be one object"


@pytest.mark.parametrize("plain", [[], "name", 1, None, True, b"name"])
def test_a_cbor_body_is_one_map(plain: Any) -> None:
    assert refused(wire.CBOR, cbor2.dumps(plain)) == "the body must be one object"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": 1} {"a": 1}',
        b'{"a": 01}',
        b'{"a": "\n"}',
        b"\xef\xbb\xbf{}",
        '{"a": "\ud800"}'.encode("utf-8", "surrogatepass"),
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\xc0\x80"}',
    ],
)
def test_what_is_not_json_in_utf_8_is_refused(body: bytes) -> None:
    assert refused(wire.JSON, body) in ("the body is not JSON", "the body is not UTF-8")


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"x": {"a": 1, "a": 2}}',
        b'{"x": [{"a": 1, "a": 2}]}',
    ],
)
def test_a_key_given_twice_is_refused(body: bytes) -> None:
    assert refused(wire.JSON, body) == "a key is given twice"


@pytest.mark.parametrize("body", ["a2616101616102", "a16178a2616101616102"])
def test_a_key_given_twice_is_refused_in_cbor(body: str) -> None:
    assert "twice" in refused(wire.CBOR, bytes.fromhex(body))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_not_a_number_is_refused(word: str) -> None:
    assert "not numbers" in refused(wire.JSON, f'{{"a": {word}}}'.encode())


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_refused_in_cbor(number: float) -> None:
    assert "not numbers" in refused(wire.CBOR, cbor2.dumps({"a": number}))


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 10**17])
def test_numbers_that_two_parsers_read_differently_are_refused(number: int) -> None:
    for media_type in KINDS:
        encoded = cbor2.dumps if media_type == wire.CBOR else lambda p: json.dumps(p).encode()
        assert refused(media_type, encoded({"a": number})) == "a number is too large"


def test_very_long_numbers_cost_nothing() -> None:
    assert refused(wire.JSON, b'{"a": ' + b"9" * 200_000 + b"}") == "a number is too large"


@pytest.mark.parametrize("depth", [9, 16, 100, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    nested = b'{"a": ' + b"[" * depth + b"]" * depth + b"}"
    assert "nested" in refused(wire.JSON, nested)
    cbor = b"\xa1\x61a" + b"\x81" * depth + b"\x00"
    assert refused(wire.CBOR, cbor)


def test_eight_levels_are_enough_for_everybody() -> None:
    nested = b'{"a": ' + b"[" * 7 + b"]" * 7 + b"}"
    assert wire.decode(wire.JSON, nested)


@pytest.mark.parametrize("text", ["\\ud800", "\\udfff\\ud800", "a\\u0000b", "\\udc00"])
def test_text_that_is_none_is_refused(text: str) -> None:
    for body in (f'{{"a": "{text}"}}', f'{{"{text}": 1}}', f'{{"a": ["{text}"]}}'):
        assert "character" in refused(wire.JSON, body.encode())


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert wire.decode(wire.JSON, b'{"a": "\\ud842\\udfb7"}') == {"a": "𠮷"}


TAGGED = {
    "date": "c074323032362d30342d30315430303a30303a30305a",
    "epoch": "c101",
    "bignum": "c24105",
    "decimal": "c482011904d2",
    "shared": "d81c80",
    "reference": "d81c81d81d00",
    "regex": "d8236161",
    "uuid": "d8255000000000000000000000000000000000",
    "set": "d9010280",
    "strings": "d9010081f6",
    "unknown": "d9fffe01",
}


@pytest.mark.parametrize("tag", TAGGED)
def test_cbor_tags_are_refused(tag: str) -> None:
    assert "tag" in refused(wire.CBOR, bytes.fromhex("a16161" + TAGGED[tag]))


def test_a_body_that_says_it_is_cbor_is_refused_for_its_tag() -> None:
    assert "tag" in refused(wire.CBOR, bytes.fromhex("d9d9f7a0"))


@pytest.mark.parametrize("body", ["bfff", "a161619fff", "a161617f6161ff", "a161615f4161ff"])
def test_indefinite_lengths_are_refused(body: str) -> None:
    assert refused(wire.CBOR, bytes.fromhex(body))


@pytest.mark.parametrize("body", ["a000", "a0a0", "a0ff"])
def test_nothing_follows_a_cbor_body(body: str) -> None:
    assert refused(wire.CBOR, bytes.fromhex(body)) == "something follows the end of the body"


@pytest.mark.parametrize("body", ["", "a1", "a16161", "a1616163e381", "a10102", "a14161f6"])
def test_what_is_not_a_map_of_texts_is_refused(body: str) -> None:
    assert refused(wire.CBOR, bytes.fromhex(body))


@pytest.mark.parametrize("value", ["f7", "f0", "f8ff"])
def test_simple_values_that_json_has_not_are_refused(value: str) -> None:
    assert "kind" in refused(wire.CBOR, bytes.fromhex("a16161" + value))


def test_broken_utf_8_in_cbor_is_refused() -> None:
    assert refused(wire.CBOR, bytes.fromhex("a1616163eda080"))


def test_arguments_have_their_types() -> None:
    assert wire.parse(Asked, {"name": "a", "inner": {"kind": "prefix"}}) == Asked(
        name="a", inner=Inner(kind="prefix")
    )
    for plain in ({"limit": "1"}, {"limit": True}, {"limit": 1.5}, {"name": 1}, {"inner": []}):
        with pytest.raises(Malformed):
            wire.parse(Asked, plain)


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        ({"nme": 1}, "Object contains unknown field"),
        ({"inner": {"sort": 1}}, "Object contains unknown field - at `$.inner`"),
        ({"熊本花子": 1}, "Object contains unknown field"),
        ({"熊本` - at `$.熊本": 1}, "Object contains unknown field"),
        ({"inner": {"kind": "熊本花子"}}, "inner.kind must be one of exact, prefix"),
        ({"claims": {"熊本花子": "x"}}, "claims[...] must be a whole number"),
        ({"limit": "912345678901"}, "limit must be a whole number"),
    ],
)
def test_an_error_names_the_place_in_our_words(plain: dict[str, Any], told: str) -> None:
    with pytest.raises(Malformed) as refusal:
        wire.parse(Asked, plain)
    assert refusal.value.text == told


@given(name=TEXT, value=TEXT)
def test_no_error_repeats_what_was_sent(name: str, value: str) -> None:
    for plain in ({name: value}, {"inner": {name: value}}, {"inner": {"kind": value}}):
        try:
            wire.parse(Asked, plain)
        except Malformed as refusal:
            told = refusal.text.replace("$.inner.kind", "").replace("$.inner", "")
            assert not any(ord(character) > 126 for character in told)


def test_bytes_are_base64_in_json_and_themselves_in_cbor() -> None:
    plain = {"pdf": b"%PDF\xff"}
    assert json.loads(wire.encode(wire.JSON, plain)) == {"pdf": "JVBERv8="}
    assert cbor2.loads(wire.encode(wire.CBOR, plain)) == plain


LINES = [
    b'{"a": 1, "a": 2}',
    b'{"a": "b\\u0000"}',
    b'{"a": "\x00"}',
    b'{"a": "\\ud800"}',
    b'{"a": NaN}',
    b'{"a": 9007199254740993}',
    b'{"a": 123456789012345678901234567890}',
    b'{"a": {"b": 1, "b": 2}}',
    b"[1]",
    b"{",
    b'{"a": "\xff"}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_a_line_is_refused_as_a_body_is(line: bytes) -> None:
    for decode in (wire.decode_line, lambda body: wire.decode(wire.JSON, body)):
        with pytest.raises(Malformed):
            decode(line)


@given(PLAIN)
def test_a_line_holds_what_a_body_holds(plain: dict[str, Any]) -> None:
    for line in (json.dumps(plain).encode(), json.dumps(plain, ensure_ascii=False).encode()):
        assert wire.decode_line(line) == wire.decode(wire.JSON, line)
