"""Representations: which of JSON and CBOR a body has and an answer gets."""

import pytest

from appliance.edge.negotiation import answer_type, body_type
from appliance.edge.problems import TurnedAway
from appliance.wire import CBOR, JSON


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/json", JSON),
        ("Application/JSON; charset=UTF-8", JSON),
        ('application/json;charset="utf-8"', JSON),
        ("application/cbor", CBOR),
    ],
)
def test_bodies_that_are_taken(content_type: str, kind: str) -> None:
    assert body_type(content_type) == kind


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/json",
        "application/json; charset=shift_jis",
        "application/json; charset=utf-8; x=1",
        "application/jsonp",
        "application/cbor; charset=utf-8",
        "application/json, application/cbor",
        "multipart/form-data; boundary=a",
        "application/x-www-form-urlencoded",
    ],
)
def test_bodies_that_are_not(content_type: str) -> None:
    with pytest.raises(TurnedAway) as away:
        body_type(content_type)
    assert away.value.status == 415


@pytest.mark.parametrize(
    ("accept", "asked_in", "kind"),
    [
        (None, JSON, JSON),
        (None, CBOR, CBOR),
        ("*/*", CBOR, CBOR),
        ("application/*", JSON, JSON),
        ("application/cbor", JSON, CBOR),
        ("application/json", CBOR, JSON),
        ("APPLICATION/CBOR", JSON, CBOR),
        ("application/json;q=0.5, application/cbor", JSON, CBOR),
        ("application/json;q=0, */*", JSON, CBOR),
        ("text/html, application/json ; q=0.1", CBOR, JSON),
        ("application/cbor;q=0.2, */*;q=0.3", JSON, JSON),
    ],
)
def test_the_best_of_what_is_accepted_is_answered(
    accept: str | None, asked_in: str, kind: str
) -> None:
    assert answer_type(accept, asked_in) == kind


@pytest.mark.parametrize(
    "accept",
    ["", "text/html", "application/json;q=0", "application/xml, text/*", "json", "a" * 5000],
)
def test_who_accepts_neither_is_told_so(accept: str) -> None:
    with pytest.raises(TurnedAway) as away:
        answer_type(accept, JSON)
    assert away.value.status == 406
