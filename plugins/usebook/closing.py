"""Signing a month off, opening it again, and the figures of all months.

The セキュリティ責任者 of an office answers for a month once it is over, was matched since, and
every finding has a reason. Not somebody who used the system in that office in that month himself,
as long as the office has another セキュリティ責任者 who did not and may work: otherwise he may, and
the figures say so to the auditor.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import msgspec

from appliance.plugin_api import (
    JST,
    Alarm,
    Answer,
    Arguments,
    Case,
    Conflict,
    NotPermitted,
    Operation,
    OperationName,
    Problem,
    Rejected,
    ShortText,
    Watch,
)
from plugins.usebook.book import (
    Book,
    Month,
    MonthText,
    Reopened,
    Signed,
    first_day,
    last_day,
    month_after,
    open_months,
)
from plugins.usebook.entering import EVERY_OFFICE, own_office, who
from plugins.usebook.reviewing import MonthFigures, figures_of, unmarked

SIGNER = "security-officer"
"""The role that answers for an office (セキュリティ責任者)."""
DUE_DAY = 15
"""Of the next month: until then a month should be signed off."""


class SignOff(Arguments, frozen=True, kw_only=True):
    """Which month of one's office."""

    month: MonthText


class Reopen(Arguments, frozen=True, kw_only=True):
    """Which month of which office, and why."""

    office: ShortText
    month: MonthText
    why: ShortText


class AskFigures(Arguments, frozen=True, kw_only=True):
    """From which month to which, of which office: one's own, for the auditor all."""

    office: ShortText | None = None
    since: MonthText | None = None
    until: MonthText | None = None


class Figures(Answer, frozen=True, kw_only=True):
    """Months in order, and offices within them."""

    months: tuple[MonthFigures, ...]


def sign_off(case: Case, asked: SignOff) -> MonthFigures:
    """Close a month.

    Raises:
        Conflict: it is closed already.
        Rejected: something is still to be done; the problems say what.
    """
    book, office = Book(case.papers), own_office(case)
    month = book.month(office, asked.month)
    if month.signed is not None:
        raise Conflict("the month is signed off already")
    problems = list(_in_the_way(case, book, month))
    own = month.matched is not None and who(case)["person"] in month.matched.people
    if own and _others(case, office, month):
        told = (
            "この月に本人確認情報を利用した本人は確認できません。"
            "同じ所属の別のセキュリティ責任者が確認してください。"
        )
        problems.append(Problem("U-23", "month", told))
    if problems:
        raise Rejected("the month cannot be signed off yet", problems)
    signed = Signed(by=who(case), at=case.request.now, own_uses=own)
    month = msgspec.structs.replace(month, signed=signed)
    book.put_month(month)
    return figures_of(book, month)


def reopen(case: Case, asked: Reopen) -> MonthFigures:
    """Open a closed month again; what was signed stays on record.

    Raises:
        NotPermitted: by somebody of another office who is not the auditor.
        Conflict: it is open.
    """
    if EVERY_OFFICE not in case.actor.roles:
        raise NotPermitted("the auditor opens a month again")
    book = Book(case.papers)
    month = book.month(asked.office, asked.month)
    if month.signed is None:
        raise Conflict("the month is open")
    again = Reopened(by=who(case), at=case.request.now, why=asked.why, signed=month.signed)
    month = msgspec.structs.replace(month, signed=None, reopened=(*month.reopened, again))
    book.put_month(month)
    return figures_of(book, month)


def figures(case: Case, asked: AskFigures) -> Figures:
    """Show how months stand.

    Raises:
        NotPermitted: another office is asked for.
    """
    office = asked.office
    if EVERY_OFFICE not in case.actor.roles:
        if office not in (None, own_office(case)):
            raise NotPermitted("this is the book of another office")
        office = own_office(case)
    book = Book(case.papers)
    chosen = [
        figures_of(book, month)
        for month in book.months(office)
        if (asked.since or month.month) <= month.month <= (asked.until or month.month)
    ]
    case.note.hits = len(chosen)
    return Figures(months=tuple(chosen))


def alarms(watch: Watch) -> Iterator[Alarm]:
    """Say so while a month is not signed off in time."""
    late = [due for month, _ in open_months(watch.papers) if (due := due_on(month)) < watch.today]
    if late:
        text = (
            "使用簿の月次確認が期限を過ぎた所属があります。usebook/figures で所属と月を確認し、"
            "その所属のセキュリティ責任者に突合と確認を依頼してください。"
        )
        since = datetime.combine(min(late) + timedelta(days=1), time(0), JST)
        yield Alarm(name="usebook/not-signed-off", text=text, count=len(late), since=since)


def due_on(month: str) -> date:
    """Return until when a month should be signed off."""
    return first_day(month_after(month)).replace(day=DUE_DAY)


def _in_the_way(case: Case, book: Book, month: Month) -> Iterator[Problem]:
    last = last_day(month.month)
    if case.request.today <= last:
        told = "この月はまだ終わっていません。翌月になってから突合し、確認してください。"
        yield Problem("U-20", "month", told)
    over = datetime.combine(last + timedelta(days=1), time(0), JST)
    matched = month.matched
    if matched is None or matched.at < over or matched.changed != month.changed:
        told = (
            "この月の使用簿と操作履歴を、月が終わり、使用簿への記入が済んだ後に突合してください。"
        )
        yield Problem("U-21", "month", told)
    if left := unmarked(book, month.office, month.month):
        told = f"理由の記録がない不一致が{left}件あります。一つずつ確認し、理由を記録してください。"
        yield Problem("U-22", "month", told)


def _others(case: Case, office: str, month: Month) -> bool:
    """Return whether the office has somebody who could sign and did not use the system himself."""
    users = set(month.matched.people) if month.matched else set()
    return any(
        SIGNER in record.roles
        and record.office == office
        and record.may_work(case.request.today)
        and any(_may_sign(case, holder, users) for holder in record.holders)
        for record in case.roster.operators()
    )


def _may_sign(case: Case, person_id: str, users: set[str]) -> bool:
    """Return whether somebody may work, and did not use the system that month."""
    person = case.roster.person(person_id)
    return person is not None and person.may_work(case.request.today) and person_id not in users


SIGN_OFF = Operation(
    name=OperationName("usebook/sign-off"),
    summary="Close a month of the usage book of one's office.",
    asks=SignOff,
    answers=MonthFigures,
    handler=sign_off,
    changes=True,
    purposed=False,
    uses=frozenset({"roster"}),
    records=SignOff.__struct_fields__,
)
REOPEN = Operation(
    name=OperationName("usebook/reopen"),
    summary="Open a closed month of an office again; what was signed stays on record.",
    asks=Reopen,
    answers=MonthFigures,
    handler=reopen,
    changes=True,
    purposed=False,
    records=Reopen.__struct_fields__,
)
FIGURES = Operation(
    name=OperationName("usebook/figures"),
    summary="Show uses, lines, matched, leftovers and marks of months and offices.",
    asks=AskFigures,
    answers=Figures,
    handler=figures,
    purposed=False,
    records=AskFigures.__struct_fields__,
)
