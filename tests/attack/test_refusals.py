"""What HTTP itself refuses of a registered machine is in the ledger before it is answered."""

import pytest

from tests.attack.field import CS, TERMINAL, UNREGISTERED, Field
from tests.edge import post
from tests.machine import accepted

FIND = "/v1/search/find"
REFUSED = {
    "a media type that is not ours": (
        post(FIND, b"<xml/>", Content_Type="text/xml"),
        415,
        "unsupported-media-type",
    ),
    "an answer nobody can write": (post(FIND, b"{}", Accept="text/html"), 406, "not-acceptable"),
    "a header of the wrong form": (post(FIND, b"{}", X_Purpose="a b"), 400, "malformed"),
    "a path where nothing is": (post("/v2/search/find", b"{}"), 404, "not-found"),
    "a method that is not offered": (
        post(FIND).replace(b"POST", b"PUT", 1),
        405,
        "method-not-allowed",
    ),
    "a head that two could read differently": (
        post(FIND).replace(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 3"),
        400,
        "malformed",
    ),
    "a body that is too large": (
        post(FIND, b"", Content_Length="99999999"),
        413,
        "too-large",
    ),
}


@pytest.mark.parametrize("machine", [CS, TERMINAL])
@pytest.mark.parametrize("name", REFUSED)
def test_what_http_refuses_is_in_the_ledger(field: Field, machine: str, name: str) -> None:
    data, status, code = REFUSED[name]
    entry = field.refused(field.say(machine, data), status, code)
    assert entry["terminal"] == machine
    assert entry["operator"] is None


def test_what_http_refuses_of_a_stranger_is_in_the_boot_journal_alone(field: Field) -> None:
    reply = field.say(UNREGISTERED, REFUSED["an answer nobody can write"][0])
    assert reply.status == 406
    found = field.witness.call("ledger/search", {"request_id": reply.plain["request_id"]})
    assert accepted(found)["entries"] == []
