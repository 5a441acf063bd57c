"""機構への情報照会: ask the national server about one person (R83 to R86, 住民基本台帳法30条の11).

By 住民票コード, 個人番号 or four informations (R84), within the rights and the 事務 of the one who
asks. Nothing of the answer is kept (R85); the provision record is the ledger entry of the request:
who asked, for what, by which conditions (個人番号 is not one of them), what came of it and which
items were told. ``provision_id`` names it.
"""

from msgspec import structs

from appliance.plugin_api import (
    NATIONAL_BASIS,
    AddressText,
    Answer,
    AnyOperation,
    Arguments,
    Case,
    DateText,
    ItemName,
    Items,
    Malformed,
    MyNumberText,
    NameText,
    Operation,
    OperationName,
    ResidentCodeText,
    SexText,
    Told,
    check_digits,
    is_birth_date,
)
from plugins.national_relay.upkeep import line


class By(Arguments, frozen=True, kw_only=True):
    """How the person is named: by a number, or by the name and one more of the four."""

    resident_code: ResidentCodeText | None = None
    my_number: MyNumberText | None = None
    name: NameText | None = None
    birth_date: DateText | None = None
    sex: SexText | None = None
    address: AddressText | None = None


class Inquire(Arguments, frozen=True, kw_only=True):
    """Whom, and which of the eight items."""

    by: By
    items: Items


class Inquired(Answer, frozen=True, kw_only=True):
    """The items of the one person meant, or why there are none; on what ground, and the record."""

    result: str
    resident: Told | None
    withheld: tuple[str, ...]
    basis: str
    provision_id: str


def inquire(case: Case, asked: Inquire) -> Inquired:
    """Ask, and pass the answer on.

    Raises:
        Malformed: a number is mistyped, or the birth date is none; and as the next.
        Malformed, NotPermitted: as ``case.national.inquire``.
        Rejected: there is no national server.
        Unavailable: it is under maintenance, or too many wait already.
        BadGateway: it did not answer as it must; the problem says who is at fault.
    """
    check_digits(resident_code=asked.by.resident_code, my_number=asked.by.my_number)
    if asked.by.birth_date is not None and not is_birth_date(asked.by.birth_date):
        raise Malformed("birth_date is not in the calendar")
    by = {key: value for key, value in structs.asdict(asked.by).items() if value is not None}
    case.note.result = f"by {', '.join(by)}, {NATIONAL_BASIS}"
    found = line(case).inquire(by, [ItemName(item) for item in asked.items])
    return Inquired(
        result=found.result,
        resident={str(k): v for k, v in found.values.items()} or None,
        withheld=found.withheld,
        basis=NATIONAL_BASIS,
        provision_id=case.request.id,
    )


INQUIRE = Operation(
    name=OperationName("relay/inquire"),
    summary="Ask the national server about one person, of whatever prefecture.",
    asks=Inquire,
    answers=Inquired,
    handler=inquire,
    records=(
        *(f"by.{name}" for name in By.__struct_fields__ if name != "my_number"),
        "items",
    ),
    drops=("by.my_number",),
)
OPERATIONS: list[AnyOperation] = [INQUIRE]
