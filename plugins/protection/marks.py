"""Marking a resident 要注意: asked by one, agreed by another, for a year at most."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Literal

from appliance.plugin_api import (
    Alarm,
    Answer,
    Arguments,
    Case,
    Conflict,
    Entry,
    Malformed,
    PersonId,
    ProtectionMark,
    PurposeCode,
    ShortText,
    Watch,
)
from plugins.protection.book import (
    BOOK,
    Asked,
    FormNumber,
    Kind,
    Number,
    Who,
    a_year_after,
    add,
    by,
    has_lapsed,
    meant,
    requests,
)

WARNED = timedelta(days=31)
Reason = Literal["domestic-violence", "stalking", "child-abuse", "other"]
State = Literal["asked", "in-force", "over", "lifted", "refused"]


class Mark(Arguments, frozen=True, kw_only=True):
    """Whom, by which 申出書, up to and with which day, and why."""

    who: Who
    form_number: FormNumber
    until: date
    reason: Reason


class Extend(Arguments, frozen=True, kw_only=True):
    """Which mark, by which 申出書, and up to and with which day."""

    number: Number
    form_number: FormNumber
    until: date


class Lift(Arguments, frozen=True, kw_only=True):
    """Which mark, by which 申出書, and why."""

    number: Number
    form_number: FormNumber
    why: ShortText


class ListMarks(Arguments, frozen=True, kw_only=True):
    """Whether marks that were refused, lifted or are over are listed too."""

    ended: bool = False


class MarkState(Answer, frozen=True, kw_only=True):
    """One mark; whose it is stands on the 申出書 alone."""

    number: int
    state: State
    form_number: str
    reason: str
    until: date
    days_left: int
    """Negative once it is over."""
    asked_by: str
    """操作者ID."""
    agreed_by: str | None


class Waiting(Answer, frozen=True, kw_only=True):
    """What waits for a second person."""

    number: int
    kind: Kind
    asked_by: str
    office: str
    asked_at: datetime
    mark: int | None = None
    """Of a lifting: which mark is to be taken off."""
    form_number: str | None = None
    why: str | None = None
    purpose: str | None = None
    purpose_label: str | None = None
    reason_label: str | None = None
    """The 利用事由 in words."""
    case_number: str | None = None


class MarkList(Answer, frozen=True, kw_only=True):
    """Marks, those that end first above; and what waits and can still be agreed to."""

    marks: tuple[MarkState, ...]
    waiting: tuple[Waiting, ...]


def mark(case: Case, asked: Mark) -> Asked:
    """Ask for a mark; nothing changes before a second person agrees.

    Raises:
        Malformed, NotFound: nobody is meant; or the day is past, or later than in a year.
        Conflict: he is marked already.
    """
    _within_a_year(asked.until, case.request.today)
    person = meant(case, asked.who)
    if case.protections.is_protected(person, case.request.today):
        raise Conflict("this person is marked already; extend that mark")
    return add(
        case,
        "mark",
        person,
        form_number=asked.form_number,
        until=asked.until.isoformat(),
        reason=asked.reason,
    )


def put_in_force(case: Case, number: int, entry: Entry) -> None:
    """Do what a second person agreed to: from now on nobody opens him alone.

    Raises:
        Malformed: the day is past by now.
        Conflict: he was marked meanwhile.
    """
    person, until = PersonId(entry["person"]), date.fromisoformat(entry["until"])
    _within_a_year(until, case.request.today)
    if case.protections.is_protected(person, case.request.today):
        raise Conflict("this person is marked already; extend that mark")
    case.protections.protect(person, ProtectionMark(number=number, until=until))


def extend(case: Case, asked: Extend) -> MarkState:
    """Let a mark hold longer, or up to an earlier day that has not come.

    Protecting longer needs no second person; a mark that is over is asked for anew.

    Raises:
        NotFound, Conflict: no such mark is in force.
        Malformed: the day is past, or later than in a year, or earlier than the present one.
    """
    entry = _in_force(case, asked.number)
    _within_a_year(asked.until, case.request.today)
    if asked.until < date.fromisoformat(entry["until"]):
        raise Malformed("until is earlier than it is now: ask to lift the mark instead")
    person = PersonId(entry["person"])
    case.protections.protect(person, ProtectionMark(number=asked.number, until=asked.until))
    changed = {"until": asked.until.isoformat(), "form_number": asked.form_number}
    entry = requests(case).amend(asked.number, extended=by(case), **changed)
    case.note.result = f"mark {asked.number}"
    return _state(asked.number, entry, case.request.today)


def lift(case: Case, asked: Lift) -> Asked:
    """Ask that a mark be taken off; it holds until a second person agrees.

    Raises:
        NotFound, Conflict: no such mark is in force.
    """
    entry = _in_force(case, asked.number)
    person = PersonId(entry["person"])
    return add(
        case, "lift", person, mark=asked.number, form_number=asked.form_number, why=asked.why
    )


def take_off(case: Case, entry: Entry) -> None:
    """Do what a second person agreed to: the mark of a lifting is off.

    Raises:
        Conflict: it is no more in force.
    """
    _in_force(case, entry["mark"])
    case.protections.lift(PersonId(entry["person"]))
    requests(case).amend(entry["mark"], state="lifted")


def listed(case: Case, asked: ListMarks) -> MarkList:
    """List marks and what waits."""
    today = case.request.today
    every = list(requests(case).every())
    marks = [_state(number, entry, today) for number, entry in every if entry["kind"] == "mark"]
    shown = [each for each in marks if asked.ended or each.state in ("asked", "in-force")]
    waits = [
        _waiting(case, number, entry)
        for number, entry in every
        if entry["state"] == "asked" and not has_lapsed(entry, case.request.now)
    ]
    case.note.hits = len(shown)
    return MarkList(
        marks=tuple(sorted(shown, key=lambda each: (each.until, each.number))),
        waiting=tuple(waits),
    )


def alarms(watch: Watch) -> list[Alarm]:
    """Return marks that end within a month: whoever asked for one is to be asked."""
    ending = sorted(_ending(watch))
    if not ending:
        return []
    numbers = "、".join(f"{number}({until}まで)" for until, number in ending)
    text = f"1か月以内に終わる要注意の番号: {numbers}。本人に延長の意思を確認してください。"
    return [Alarm(name="protection/marks-ending", text=text, count=len(ending))]


def _ending(watch: Watch) -> Iterator[tuple[date, int]]:
    for number, entry in watch.register(BOOK).every():
        if entry["kind"] == "mark" and entry["state"] == "agreed":
            until = date.fromisoformat(entry["until"])
            if watch.today <= until <= watch.today + WARNED:
                yield until, number


def _in_force(case: Case, number: int) -> Entry:
    entry = requests(case).get(number)
    person = PersonId(entry["person"])
    case.registry.concerns(person, opens=False)
    if _state_of(entry, case.request.today) != "in-force":
        raise Conflict("no mark of this number is in force")
    return entry


def _state_of(entry: Entry, today: date) -> State:
    if entry["kind"] == "mark" and entry["state"] == "agreed":
        return "in-force" if today <= date.fromisoformat(entry["until"]) else "over"
    state: State = "refused" if entry["state"] == "agreed" else entry["state"]
    return state


def _state(number: int, entry: Entry, today: date) -> MarkState:
    until, second = date.fromisoformat(entry["until"]), entry.get("answered")
    return MarkState(
        number=number,
        state=_state_of(entry, today),
        form_number=entry["form_number"],
        reason=entry["reason"],
        until=until,
        days_left=(until - today).days,
        asked_by=entry["asked"]["operator"],
        agreed_by=second["operator"] if second and entry["state"] != "refused" else None,
    )


def _waiting(case: Case, number: int, entry: Entry) -> Waiting:
    # A policy may have lost the 事務 since.
    rule = case.policy.purposes.get(PurposeCode(entry.get("purpose") or ""))
    return Waiting(
        number=number,
        kind=entry["kind"],
        asked_by=entry["asked"]["operator"],
        office=entry["asked"]["office"],
        asked_at=datetime.fromisoformat(entry["asked"]["at"]),
        mark=entry.get("mark"),
        form_number=entry.get("form_number"),
        why=entry.get("why"),
        purpose=entry.get("purpose"),
        purpose_label=rule.label if rule else None,
        reason_label=rule.reasons.get(entry.get("use_reason") or "") if rule else None,
        case_number=entry.get("case_number"),
    )


def _within_a_year(until: date, today: date) -> None:
    if not today <= until <= a_year_after(today):
        raise Malformed("until must be a day from today on and within a year")
