"""Bodies that two readers could take differently, or that cost too much: refused whole.

The edge's own tests do this against a double; here a whole appliance must refuse them, change
nothing, and have an entry in its ledger that says so.
"""

import json
import struct
from typing import Any

import cbor2
import pytest

from tests.attack.field import CANARY, CBOR, JSON, Field
from tests.plugins.update.making import SATO

NOTICE = {**SATO, "name": f"{CANARY}　太郎"}


def batch(**changes: Any) -> dict[str, Any]:
    return {"notifications": [{**NOTICE, **changes}]}


def in_json(name: str, raw: bytes) -> bytes:
    """Return a batch in JSON in which one field holds exactly these bytes."""
    marked = json.dumps(batch(**{name: "(here)"}), ensure_ascii=False).encode()
    return marked.replace(b'"(here)"', raw)


def in_cbor(name: str, raw: bytes) -> bytes:
    """Return a batch in CBOR in which one field holds exactly these bytes."""
    return cbor2.dumps(batch(**{name: "(here)"})).replace(cbor2.dumps("(here)"), raw)


GOOD = json.dumps(batch(), ensure_ascii=False).encode()
CANARY_BYTES = f'"{CANARY}"'.encode()

JSON_BODIES: dict[str, bytes] = {
    "a key twice": GOOD.replace(b'"sex"', b'"name": ' + CANARY_BYTES + b', "sex"'),
    "a key twice, once escaped": GOOD.replace(b'"sex"', b'"n\\u0061me": "a", "sex"'),
    "the outer key twice": GOOD[:-1] + b', "notifications": []}',
    "an unknown field": GOOD.replace(b'"sex"', b'"Kanaria": 1, "sex"'),
    "an unknown field outside": GOOD[:-1] + b', "Kanaria": 1}',
    "a field in other letters": GOOD.replace(b'"sex"', b'"Sex"'),
    "NaN": in_json("sequence", b"NaN"),
    "Infinity": in_json("sequence", b"-Infinity"),
    "beyond a double": in_json("sequence", b"1e999"),
    "5,000 digits": in_json("sequence", b"9" * 5000),
    "2 to the 64th": in_json("sequence", b"18446744073709551616"),
    "2 to the 53rd and 1": in_json("sequence", b"9007199254740993"),
    "a fraction for a number": in_json("sequence", b"1.5"),
    "a whole number as a fraction": in_json("sequence", b"1.0"),
    "a whole number as a power": in_json("sequence", b"1e0"),
    "a text for a number": in_json("sequence", b'"1"'),
    "true for a number": in_json("sequence", b"true"),
    "a number for a text": in_json("name", b"9123456"),
    "zero": in_json("sequence", b"0"),
    "below zero": in_json("update_number", b"-1"),
    "a leading zero": in_json("sequence", b"01"),
    "a plus sign": in_json("sequence", b"+1"),
    "a hexadecimal": in_json("sequence", b"0x1"),
    "half a character": in_json("name", b'"Kanaria\\ud800"'),
    "the other half": in_json("name", b'"Kanaria\\udc00"'),
    "the halves the wrong way round": in_json("name", b'"\\udc00\\ud800"'),
    "half a character as a key": GOOD.replace(b'"sex"', b'"\\ud800": 1, "sex"'),
    "NUL": in_json("name", b'"Kanaria\\u0000"'),
    "not UTF-8": in_json("name", b'"Kanaria\xff"'),
    "overlong UTF-8": in_json("name", b'"\xc0\xaf"'),
    "a surrogate in UTF-8": in_json("name", b'"\xed\xa0\x80"'),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "a control character": in_json("name", b'"a\x01b"'),
    "a comment": GOOD + b"// Kanaria",
    "a comma at the end": GOOD[:-1] + b",}",
    "single quotes": GOOD.replace(b'"', b"'"),
    "two documents": GOOD + GOOD,
    "garbage behind": GOOD + b"\0",
    "cut off": GOOD[:-1],
    "a list": b"[" + GOOD + b"]",
    "a text": CANARY_BYTES,
    "null": b"null",
    "nothing": b"",
    "blanks": b" " * 1000,
    "nine deep": in_json("name", b"[" * 7 + b"1" + b"]" * 7),
    "100,000 deep": in_json("name", b"[" * 100_000 + b"]" * 100_000),
    "100,000 objects deep": in_json("name", b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a list for an object": b'{"notifications": [[]]}',
    "an object for a list": b'{"notifications": {"0": {}}}',
    "1,001 notices": json.dumps({"notifications": [NOTICE] * 1001}).encode(),
    "a field missing": GOOD.replace(b'"sex": "1", ', b""),
    "CBOR": cbor2.dumps(batch()),
}

HUGE = b"\xc2\x58\x40" + b"\xff" * 64
CBOR_BODIES: dict[str, bytes] = {
    "a key twice": b"\xa2" + 2 * cbor2.dumps("notifications").join((b"", b"\x80")),
    "a key twice inside": cbor2.dumps(batch()).replace(cbor2.dumps("kana"), cbor2.dumps("name"), 1),
    "an unknown field": cbor2.dumps(batch(Kanaria=1)),
    "NaN": in_cbor("sequence", cbor2.dumps(float("nan"))),
    "NaN in half precision": in_cbor("sequence", b"\xf9\x7e\x00"),
    "Infinity": in_cbor("sequence", b"\xfb" + struct.pack(">d", float("inf"))),
    "a fraction": in_cbor("sequence", b"\xfb" + struct.pack(">d", 1.0)),
    "a big number": in_cbor("sequence", HUGE),
    "2 to the 64th less 1": in_cbor("sequence", b"\x1b" + b"\xff" * 8),
    "minus 2 to the 64th": in_cbor("sequence", b"\x3b" + b"\xff" * 8),
    "a decimal fraction": in_cbor("sequence", b"\xc4\x82\x01\x19\x6a\xb3"),
    "an exponent that fills the memory": in_cbor(
        "sequence", b"\xc4\x82\x1b" + b"\x7f" * 8 + b"\x01"
    ),
    "a date": in_cbor("birth_date", b"\xc1\x1a\x51\x4b\x67\xb0"),
    "a date as text": in_cbor("birth_date", b"\xc0" + cbor2.dumps("1980-05-17T00:00:00Z")),
    "a set": in_cbor("name", b"\xd9\x01\x02\x80"),
    "a shared value": in_cbor("name", b"\xd8\x1c" + cbor2.dumps(CANARY)),
    "a reference": in_cbor("name", b"\xd8\x1d\x00"),
    "a regular expression": in_cbor("name", b"\xd8\x23" + cbor2.dumps("(a+)+")),
    "a tag nobody knows": in_cbor("name", b"\xda\x7f\xff\xff\xff" + cbor2.dumps(CANARY)),
    "CBOR's own tag": b"\xd9\xd9\xf7" + cbor2.dumps(batch()),
    "bytes for a text": in_cbor("name", cbor2.dumps(CANARY.encode())),
    "half a character": in_cbor("name", b"\x63\xed\xa0\x80"),
    "not UTF-8": in_cbor("name", b"\x61\xff"),
    "NUL": in_cbor("name", cbor2.dumps("Kanaria\0")),
    "undefined": in_cbor("kana", b"\xf7"),
    "a simple value": in_cbor("kana", b"\xf8\xff"),
    "a text without a length": in_cbor("name", b"\x7f\x61a\xff"),
    "a list without a length": b"\xa1" + cbor2.dumps("notifications") + b"\x9f\xff",
    "a map without a length": b"\xbf\xff",
    "a break": b"\xff",
    "a length of 2 to the 63rd": in_cbor("name", b"\x7b\x7f" + b"\xff" * 7),
    "a list of 2 to the 32nd": b"\xa1" + cbor2.dumps("notifications") + b"\x9a\xff\xff\xff\xff",
    "a map of 2 to the 62nd": b"\xbb\x3f" + b"\xff" * 7,
    "a key that is a number": b"\xa1\x01\x80",
    "a key that is a list": b"\xa1\x80\x80",
    "a key that is bytes": b"\xa1" + cbor2.dumps(b"notifications") + b"\x80",
    "100,000 deep": in_cbor("name", b"\x81" * 100_000 + b"\x01"),
    "100,000 tags deep": in_cbor("name", b"\xc6" * 100_000 + b"\x01"),
    "two documents": 2 * cbor2.dumps(batch()),
    "one byte behind": cbor2.dumps(batch()) + b"\0",
    "cut off": cbor2.dumps(batch())[:-1],
    "a list": cbor2.dumps([batch()]),
    "nothing": b"",
    "JSON": GOOD,
}


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        *(pytest.param(JSON, body, id=f"JSON: {name}") for name, body in JSON_BODIES.items()),
        *(pytest.param(CBOR, body, id=f"CBOR: {name}") for name, body in CBOR_BODIES.items()),
    ],
)
def test_a_batch_that_is_not_clear_is_refused_whole(
    field: Field, media_type: str, body: bytes
) -> None:
    before = field.last_sequence()
    entry = field.refused(field.notify(body, media_type=media_type), 400, "malformed")
    assert (entry["event"], entry["subjects"]) == ("change", 0)
    assert field.last_sequence() == before


@pytest.mark.parametrize(
    ("media_type", "body"), [(JSON, GOOD), (CBOR, cbor2.dumps(batch()))], ids=["JSON", "CBOR"]
)
def test_the_batch_without_a_fault_is_taken(field: Field, media_type: str, body: bytes) -> None:
    reply = field.notify(body, media_type=media_type)
    assert reply.status == 200, reply.body


STAFF_BODIES: dict[str, bytes] = {
    "a name twice": b'{"name": "Kanaria", "name": "b", "birth_date": "1980-05-17"}',
    "an unknown field": b'{"name": "a", "Kanaria": "b"}',
    "a list for a name": b'{"name": ["Kanaria"]}',
    "a name of 100,000 characters": b'{"name": "' + b"a" * 100_000 + b'"}',
    "an unknown kind of match": b'{"name": "a", "name_match": "Kanaria"}',
    "a date that is none": b'{"name": "a", "birth_date": "Kanaria"}',
    "a pattern for a date": b'{"name": "a", "birth_date": "1980-05-17\\n"}',
    "full width digits": '{"name": "a", "birth_date": "１９８０-05-17"}'.encode(),
    "an unknown sex": b'{"name": "a", "sex": "Kanaria"}',
    "deep": b'{"name": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    "a name of nothing": b'{"name": ""}',
    "a name of blanks": '{"name": " \u3000 "}'.encode(),
}


@pytest.mark.parametrize("name", STAFF_BODIES)
def test_a_search_that_is_not_clear_is_refused(field: Field, name: str) -> None:
    reply = field.staff("search/find", STAFF_BODIES[name])
    entry = field.refused(reply, 400, "malformed")
    assert entry["operator"] == "OP-0002"


def test_a_body_of_a_kind_that_is_not_taken_is_refused_before_anybody_reads_it(
    field: Field,
) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        reply = field.staff("search/find", f"name={CANARY}".encode(), media_type=media_type)
        assert (reply.status, reply.plain["code"]) == (415, "unsupported-media-type")
        assert CANARY not in reply.body.decode()


def test_a_body_larger_than_its_place_allows_is_not_read(field: Field) -> None:
    reply = field.staff("search/find", b'{"name": "' + b"a" * 300_000 + b'"}')
    assert (reply.status, reply.plain["code"]) == (413, "too-large")
