"""機構への通知・照会: what the national server (全国サーバ) is told, asked, and what it reports.

Read it in this order::

    delivery.py     every change is told, in order (住民基本台帳法30条の7; R25 to R27, R189)
    cases.py        what 機構 reports as wrong (30条の8; R190) or refuses: a register, and the 通報
    inquiry.py      asking about one person, whatever his prefecture (30条の11; R83 to R86)
    book.py         that register
    upkeep.py       the line taken out of use on purpose
    screens/        the same at a terminal        templates/   how it looks

The courier that delivers (``appliance/machine/courier.py``) and the line that asks
(``appliance/machine/national.py``) belong to the appliance; here is what they may and what is kept.
"""

from collections.abc import Iterable

from appliance.plugin_api import AnyOperation, Change, ItemName, Message, Screen, hookimpl
from plugins.national_relay import book, cases, delivery, inquiry, upkeep
from plugins.national_relay.screens import SCREENS

RECORDED_AT = ItemName("recorded_at")


@hookimpl
def operations() -> list[AnyOperation]:
    return [*delivery.OPERATIONS, *inquiry.OPERATIONS, *cases.OPERATIONS, *upkeep.OPERATIONS]


@hookimpl
def messages(change: Change) -> Iterable[Message]:
    # When it was noted lies beside the message, so that its age is known without opening items.
    at = change.after.get(RECORDED_AT)
    return [Message(book.DESTINATION, book.KIND, {"at": str(at)} if at else {})]


@hookimpl
def screens() -> list[Screen]:
    return SCREENS
