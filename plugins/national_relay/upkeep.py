"""保守: the line to the national server taken out of use on purpose, and back.

While it is on, messages wait in the outbox, and who inquires is told until when. It ends by itself
at the time given, so that nobody can forget it; the ledger has who switched it, and why.
"""

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta

from appliance.plugin_api import (
    Abroad,
    Answer,
    AnyOperation,
    Arguments,
    Case,
    Malformed,
    Operation,
    OperationName,
    Problem,
    Rejected,
    ShortText,
)

LONGEST = timedelta(days=3)
Moment = Annotated[datetime, Meta(tz=True)]


class Maintain(Arguments, frozen=True, kw_only=True):
    """On, why and until when (RFC 3339); or off."""

    on: bool
    reason: Annotated[ShortText, Meta(title="保守の理由")] | None = None
    until: Annotated[Moment, Meta(title="保守の終了日時")] | None = None


class Maintained(Answer, frozen=True, kw_only=True):
    """Whether it is on now, and until when."""

    on: bool
    until: datetime | None


def line(case: Case) -> Abroad:
    """Return the line to the national server.

    Raises:
        Rejected: the appliance is configured without one.
    """
    if case.national is None:
        advice = "全国サーバの接続先が設定されていません。システム管理者に連絡してください。"
        problem = Problem("not-configured", "national", advice)
        raise Rejected("no national server is configured", (problem,))
    return case.national


def maintain(case: Case, asked: Maintain) -> Maintained:
    """Switch.

    Raises:
        Malformed: on without a reason or a time.
        Rejected: the time is over or too far away, or there is no national server.
    """
    national = line(case)
    if not asked.on:
        national.resume()
        return Maintained(on=False, until=None)
    if asked.reason is None or asked.until is None:
        raise Malformed("reason and until are needed to switch maintenance on")
    if not timedelta(0) < asked.until - case.request.now <= LONGEST:
        text = f"終了日時は、現在より後で{LONGEST.days}日以内としてください。"
        raise Rejected("until is not acceptable", (Problem("E-01", "until", text),))
    national.pause(asked.until, asked.reason)
    return Maintained(on=True, until=asked.until)


MAINTENANCE = Operation(
    name=OperationName("relay/maintenance"),
    summary="Take the line to the national server out of use until a time, or back into use.",
    asks=Maintain,
    answers=Maintained,
    handler=maintain,
    changes=True,
    purposed=False,
    records=Maintain.__struct_fields__,
)
OPERATIONS: list[AnyOperation] = [MAINTENANCE]
