"""What several functions ask and answer in the same words: the items, and the four informations.

Lengths are limited here, so that what the ledger keeps of a request always fits into an entry.
"""

from typing import Annotated, Literal

from msgspec import Meta

from appliance.errors import Malformed
from appliance.items import AS_WRITTEN, ITEMS, Value
from appliance.model import Resident
from appliance.values.dates import PartialDate
from appliance.values.identifiers import is_my_number, is_resident_code

Item = Annotated[
    str,
    Meta(
        max_length=32,
        description="the name of one of the 24 items",
        extra_json_schema={"enum": [str(item.name) for item in ITEMS]},
    ),
]
"""The wire name of one of the 24 items."""
Items = Annotated[
    tuple[Item, ...],
    Meta(min_length=1, max_length=len(ITEMS), description="a list of 1 to 24 names of items"),
]

NameText = Annotated[
    str, Meta(min_length=1, max_length=200, description="text of 1 to 200 characters")
]
AddressText = Annotated[
    str, Meta(min_length=1, max_length=400, description="text of 1 to 400 characters")
]
DateText = Annotated[
    str,
    Meta(
        min_length=10,
        max_length=10,
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="YYYY-MM-DD with 00 for unknown parts",
    ),
]
YearText = Annotated[
    str,
    Meta(
        min_length=4,
        max_length=4,
        pattern="^[0-9]{4}$",
        description="four digits",
    ),
]
SexText = Annotated[Literal["0", "1", "2"], Meta(description="1 (男), 2 (女) or 0 (unknown)")]
ResidentCodeText = Annotated[
    str,
    Meta(min_length=11, max_length=11, pattern="^[0-9]{11}$", description="eleven digits"),
]
MyNumberText = Annotated[
    str,
    Meta(min_length=12, max_length=12, pattern="^[0-9]{12}$", description="twelve digits"),
]
AreaText = Annotated[
    str,
    Meta(
        min_length=6,
        max_length=6,
        pattern="^[0-9]{6}$",
        description="six digits",
    ),
]
"""市町村コード, or 大字・字コード."""
ShortText = Annotated[
    str, Meta(min_length=1, max_length=200, description="text of 1 to 200 characters")
]

Told = dict[str, Value]
"""Items of a resident as they are answered, by wire name."""


def check_digits(*, resident_code: str | None = None, my_number: str | None = None) -> None:
    """Hold a number that somebody typed against its check digit, so that a slip is not "none".

    Raises:
        Malformed: it is mistyped; names the item, not the number.
    """
    if resident_code is not None and not is_resident_code(resident_code):
        raise Malformed("resident_code: the check digit is wrong")
    if my_number is not None and not is_my_number(my_number):
        raise Malformed("my_number: the check digit is wrong")


def is_birth_date(text: str) -> bool:
    """Return whether this is a day of the calendar, or one of which parts are unknown (00)."""
    try:
        return PartialDate.parse(text).in_calendar
    except ValueError:
        return False


def told(resident: Resident) -> Told:
    """Return what was opened of a resident; a spelling of the birth date only if there is one."""
    return {
        name: value
        for name, value in resident.values.items()
        if name != AS_WRITTEN.name or value is not None
    }
