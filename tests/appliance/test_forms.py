"""What does not fit is told in words that say what to write."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from appliance import wire
from appliance.errors import Malformed
from appliance.forms import OTHER_FORM, titles
from appliance.model import TerminalKind
from appliance.operation import Arguments
from appliance.vocabulary import DateText, Items, MyNumberText, SexText
from plugins.provision.inquiry import Inquire
from plugins.roster.authorities import AddOperator
from plugins.search import Find


class Part(Arguments, frozen=True, kw_only=True):
    born: DateText | None = None
    title: Annotated[str, Meta(title="題名")] = ""
    rank: Annotated[int, Meta(ge=1, description="a whole number from 1")] = 1
    plain: Literal["a", "b"] = "a"


class Asked(Arguments, frozen=True, kw_only=True):
    parts: tuple[Part, ...] = ()
    by_name: dict[str, MyNumberText] | None = None
    sexes: tuple[SexText, ...] = ()
    either: int | DateText = 1
    count: Annotated[int, Meta(ge=1, le=3)] = 1
    words: Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)] = ("a",)
    long: Annotated[str, Meta(max_length=2)] = ""
    day: date | None = None
    at: Annotated[datetime, Meta(tz=True)] | None = None
    yes: bool = True
    file: bytes = b""
    kind: TerminalKind = TerminalKind.SERVICE


class Needed(Arguments, frozen=True, kw_only=True):
    day: Annotated[date, Meta(title="届出の日")]
    parts: tuple[Part, ...] = ()


MOMENT = "a date and time with its offset, such as 2026-11-26T09:00:00+09:00"
DATE = "YYYY-MM-DD with 00 for unknown parts"


@pytest.mark.parametrize(
    ("asks", "plain", "told"),
    [
        (Find, {"birth_date": "1990/04/05"}, f"birth_date must be {DATE}"),
        (Find, {"birth_date": "平成2"}, f"birth_date must be {DATE}"),
        (Find, {"birth_date": 19900405}, f"birth_date must be {DATE}"),
        (Find, {"sex": "3"}, "sex must be 1 (男), 2 (女) or 0 (unknown)"),
        (Find, {"municipality_code": "43202"}, "municipality_code must be six digits"),
        (Find, {"name": ""}, "name must be text of 1 to 200 characters"),
        (
            Inquire,
            {"by": {"my_number": "12345"}, "items": ["name"]},
            "by.my_number must be twelve digits",
        ),
        (Inquire, {"by": {}, "items": []}, "items must be a list of 1 to 24 names of items"),
        (
            Inquire,
            {"by": {}, "items": [1]},
            "items[0] must be the name of one of the 24 items",
        ),
        (
            AddOperator,
            {"operator_id": "op 2"},
            "operator_id must be 1 to 16 of A-Z 0-9 -",
        ),
        (Asked, {"parts": [{"born": "x"}]}, f"parts[0].born must be {DATE}"),
        (Asked, {"parts": [{"rank": 0}]}, "parts[0].rank must be a whole number from 1"),
        (Asked, {"by_name": {"x": "1"}}, "by_name[...] must be twelve digits"),
        (Asked, {"sexes": ["9"]}, "sexes[0] must be 1 (男), 2 (女) or 0 (unknown)"),
        # Where no description says it, choices and bounds do.
        (Asked, {"parts": [{"plain": "c"}]}, "parts[0].plain must be one of a, b"),
        (Asked, {"parts": 1}, "parts must be a list"),
        (Asked, {"either": []}, f"either must be {OTHER_FORM}"),
        (Asked, {"count": 9}, "count must be a whole number of 1 to 3"),
        (Asked, {"count": "9"}, "count must be a whole number of 1 to 3"),
        (Asked, {"words": []}, "words must be a list of 1 or more"),
        (Asked, {"words": [""]}, "words[0] must be text of 1 or more characters"),
        (Asked, {"long": "abc"}, "long must be text of 2 or less characters"),
        (Asked, {"day": "2月"}, "day must be a date (YYYY-MM-DD)"),
        (Asked, {"at": "2026-11-26T09:00:00"}, f"at must be {MOMENT}"),
        (Asked, {"yes": "no"}, "yes must be true or false"),
        (Asked, {"file": "?"}, "file must be a file in base64"),
        (
            Asked,
            {"kind": "x"},
            "kind must be one of representative, business, municipality, national, service",
        ),
        (Asked, {"by_name": {1: "x"}}, "by_name must be an object"),
        (Asked, {"by_name": 1}, "by_name must be an object"),
        (Asked, {"other": 1}, "Object contains unknown field"),
        (Asked, {"parts": [{"other": 1}]}, "Object contains unknown field - at `$.parts[0]`"),
        (Needed, {}, "Object missing required field `day`"),
    ],
)
def test_what_does_not_fit_is_told_by_place_and_form(
    asks: type[Arguments], plain: dict[str, Any], told: str
) -> None:
    with pytest.raises(Malformed) as refused:
        wire.parse(asks, plain)
    assert refused.value.text == told


def test_the_title_of_a_type_is_what_staff_calls_the_field() -> None:
    assert titles(Needed) == {"day": "届出の日", "title": "題名"}


def test_a_form_of_our_vocabulary_stands_in_the_document_too() -> None:
    import msgspec

    schema = msgspec.json.schema(Items)
    assert schema["description"] == "a list of 1 to 24 names of items"
