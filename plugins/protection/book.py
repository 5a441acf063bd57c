"""The book of protected persons: every mark, lifting and opening that was asked for, by number.

An entry::

    kind      mark, lift or opening
    state     asked; then agreed or refused; of a mark also lifted
    person    whom; never told
    asked     who asked: 照合ID, 操作者ID, 所属, 端末, session, when
    answered  the same of the second person
    …         of a mark form_number, until, reason; of a lifting which mark; of an opening why, 事務
              and 使用簿 number
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    Conditions,
    Conflict,
    DateText,
    Entry,
    Malformed,
    MyNumberText,
    NameText,
    NotFound,
    NotPermitted,
    PersonId,
    Register,
    ResidentCodeText,
    SexText,
    ShortText,
    check_digits,
)

BOOK = "requests"
LAPSES = timedelta(hours=1)
"""After this an opening that nobody agreed to is asked for anew."""
Kind = Literal["mark", "lift", "opening"]
Number = Annotated[int, Meta(ge=1, description="a whole number of 1 or more")]
FormNumber = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern="^[A-Za-z0-9._/-]+$",
        description="1 to 64 of A-Z a-z 0-9 . _ / -",
        examples=["S-2026-12"],
        title="申出書の番号",
    ),
]


class Who(Arguments, frozen=True, kw_only=True):
    """Which resident: from a list of a search, by a number, or by name, birth date and sex."""

    ref: ShortText | None = None
    resident_code: ResidentCodeText | None = None
    my_number: MyNumberText | None = None
    name: NameText | None = None
    birth_date: DateText | None = None
    sex: SexText | None = None


class Asked(Answer, frozen=True, kw_only=True):
    """Under which number a second person agrees, and since when that waits."""

    number: int
    kind: Kind
    asked_at: datetime


def requests(case: Case) -> Register:
    """Return the book."""
    return Register(case.papers, BOOK)


def meant(case: Case, who: Who) -> PersonId:
    """Return the resident meant; nothing of him is opened.

    Raises:
        Malformed: he is not named in exactly one way, or a check digit is wrong.
        NotPermitted: the rights do not allow to ask so.
        NotFound: it is nobody, not one only, or the reference is over.
    """
    four = (who.name, who.birth_date, who.sex)
    ways = [who.ref, who.resident_code, who.my_number, next(filter(None, four), None)]
    if sum(way is not None for way in ways) != 1:
        raise Malformed("who: give ref, or resident_code, or my_number, or name and birth_date")
    check_digits(resident_code=who.resident_code, my_number=who.my_number)
    person = _named(case, who)
    if person is None:
        raise NotFound("this is nobody, or not one person only")
    case.registry.concerns(person, opens=False)
    return person


def _named(case: Case, who: Who) -> PersonId | None:
    if who.ref is not None:
        return case.refs.resolve(who.ref, case.actor.session, case.request.now)
    if who.resident_code is not None:
        return case.registry.by_code(who.resident_code)
    if who.my_number is not None:
        return case.registry.by_number(who.my_number)
    if who.name is None or who.birth_date is None:
        raise Malformed("who: give ref, or resident_code, or my_number, or name and birth_date")
    sought = Conditions(
        name=who.name, birth_date=who.birth_date, sex=who.sex, today=case.request.today
    )
    return case.registry.only(sought)


def add(case: Case, kind: Kind, person: PersonId, **more: object) -> Asked:
    """Enter what somebody asks for; it waits for a second person."""
    asked = by(case)
    entry: Entry = {"kind": kind, "state": "asked", "person": person, "asked": asked, **more}
    number = requests(case).add(entry)
    case.note.result = f"{kind} {number}"
    return Asked(number=number, kind=kind, asked_at=case.request.now)


def waiting(case: Case, number: int) -> Entry:
    """Return a request that waits for a second person.

    Raises:
        NotFound: there is none of this number.
        Conflict: it was answered already.
    """
    entry = requests(case).get(number)
    case.registry.concerns(PersonId(entry["person"]), opens=False)
    if entry["state"] != "asked":
        raise Conflict("this request was answered already")
    return entry


def has_lapsed(entry: Entry, now: datetime) -> bool:
    """Return whether a request is an opening that nobody agreed to in time."""
    asked_at = datetime.fromisoformat(entry["asked"]["at"])
    return entry["kind"] == "opening" and now - asked_at > LAPSES


def must_be_second(case: Case, entry: Entry) -> None:
    """Refuse whoever asked himself, under whatever 操作者ID, and the terminal he asked from.

    Raises:
        NotPermitted: no second person, or not at a terminal of his own.
    """
    here = by(case)
    if here["person"] == entry["asked"]["person"]:
        raise NotPermitted("a second person must do this")
    if here["terminal"] == entry["asked"]["terminal"]:
        raise NotPermitted("agree at another terminal than the one this was asked from")


def by(case: Case) -> dict[str, str]:
    """Return who asks here, from where and when."""
    operator = case.actor.operator
    if operator is None:
        raise NotPermitted("a person must do this")
    return {
        "person": operator.person_id,
        "operator": operator.operator_id,
        "office": operator.office,
        "terminal": case.actor.terminal.terminal_id,
        "session": case.actor.session,
        "at": case.request.now.isoformat(),
    }


def a_year_after(day: date) -> date:
    """Return the last day up to which a mark that is asked for on ``day`` may hold."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 2, 28)
