"""照合ID: grant it to somebody, register how he proves himself, shut him out, let him back (R122).

A paper comes first: the number of the 照合ID付与申請書 or 照合ID無効化依頼書 is kept with each
revision. What he may do stands elsewhere (``authorities.py``): here it is who he is.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from appliance.plugin_api import (
    About,
    Answer,
    Arguments,
    Case,
    Conflict,
    Malformed,
    Method,
    NotFound,
    NotPermitted,
    PersonRecord,
    PinGrant,
    Problem,
    Rejected,
    Roster,
    ShortText,
)
from plugins.roster.listing import People, PersonState, state_of

CODE_LIFETIME = timedelta(hours=24)
CHANGEABLE = ("name", "kana", "office", "expires_on")

PersonId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        pattern="^[A-Z0-9-]+$",
        description="1 to 32 of A-Z 0-9 -",
        examples=["P-0002"],
    ),
]
Form = Annotated[ShortText, Meta(title="申請書等の番号", examples=["照合付-2026-12"])]
Reason = Annotated[ShortText, Meta(title="理由")]
StaffName = Annotated[
    str, Meta(min_length=1, max_length=64, title="職員氏名", examples=["県税　花子"])
]


class ListPeople(Arguments, frozen=True, kw_only=True):
    """Nothing."""


class Grant(Arguments, frozen=True, kw_only=True):
    """Who gets a 照合ID, and by which 照合ID付与申請書."""

    person_id: PersonId
    name: StaffName
    kana: Annotated[str, Meta(max_length=64)] = ""
    office: ShortText
    contractor: bool = False
    """Of the 委託先."""
    expires_on: date
    form: Form


class ChangePerson(Arguments, frozen=True, kw_only=True):
    """Who, by which paper, and what becomes of it; what is left out stays."""

    person_id: PersonId
    name: StaffName | None = None
    kana: Annotated[str, Meta(max_length=64)] | None = None
    office: ShortText | None = None
    expires_on: date | None = None
    form: Form


class EnrolPerson(Arguments, frozen=True, kw_only=True):
    """Who is to register another device."""

    person_id: PersonId


class IssuePin(Arguments, frozen=True, kw_only=True):
    """Who cannot use his 照合情報, why, and until when he may log in by PIN (R124)."""

    person_id: PersonId
    reason: Reason
    until: date


class EnrolmentCode(Answer, frozen=True, kw_only=True):
    """A one-use code, what it is for, until when it is good, and whose it is."""

    person_id: str
    enrolment_code: str
    methods: tuple[str, ...]
    until: datetime


class RetireDevice(Arguments, frozen=True, kw_only=True):
    """Which device of whom, and why."""

    person_id: PersonId
    device_id: Annotated[str, Meta(pattern="^[0-9a-f]{16}$", max_length=16)]
    reason: Reason


class SuspendPerson(Arguments, frozen=True, kw_only=True):
    """Who, why, and by which 照合ID無効化依頼書."""

    person_id: PersonId
    reason: Reason
    form: Form


class ResumePerson(Arguments, frozen=True, kw_only=True):
    """Who may come back, why, and by which paper."""

    person_id: PersonId
    reason: Reason
    form: Form


def about_new(roster: Roster, asked: Grant) -> About:
    """Return whom a 照合ID is for, and where he is to work."""
    return About(persons=frozenset({asked.person_id}), offices=frozenset({asked.office}))


def about_known(
    roster: Roster, asked: EnrolPerson | IssuePin | ResumePerson | ChangePerson
) -> About:
    """Return whom it is about, and where he works."""
    person = roster.person(asked.person_id)
    offices = frozenset({person.office}) if person else frozenset[str]()
    return About(persons=frozenset({asked.person_id}), offices=offices)


def about_changed(roster: Roster, asked: ChangePerson) -> About:
    """Return whom it is about, where he works and is to work."""
    known = about_known(roster, asked)
    return About(
        persons=known.persons,
        offices=known.offices | frozenset({asked.office} if asked.office else ()),
    )


def listed(case: Case, asked: ListPeople) -> People:
    """List everybody."""
    # Read once: looking for each person's own would open every authority for every person.
    held: defaultdict[str, list[str]] = defaultdict(list)
    for authority in case.roster.operators():
        for person_id in authority.holders:
            held[person_id].append(authority.operator_id)
    return People(
        people=tuple(
            state_of(case, person, held[person.person_id]) for person in case.roster.persons()
        )
    )


def grant(case: Case, asked: Grant) -> EnrolmentCode:
    """Give somebody a 照合ID; answers the code with which he registers his 照合情報.

    Raises:
        NotPermitted: it is himself.
        Conflict: the 照合ID was given out before.
        Rejected: the last day is past.
    """
    not_himself(case, asked.person_id)
    if case.roster.person(asked.person_id) is not None:
        raise Conflict("this person_id was given out before: choose another, or resume that one")
    _must_not_be_over(case, asked.expires_on)
    record = PersonRecord(
        person_id=asked.person_id,
        name=asked.name,
        kana=asked.kana,
        office=asked.office,
        contractor=asked.contractor,
        expires_on=asked.expires_on,
    )
    case.roster.put_person(replace(record, **revised(case, asked.form)))
    return _code(case, asked.person_id, "device")


def change(case: Case, asked: ChangePerson) -> PersonState:
    """Change what stands of a person; how it was before stays on record (R125).

    Raises:
        NotPermitted: it is himself.
        NotFound: no such person.
        Malformed: nothing is to change.
        Rejected: the last day is past.
    """
    known(case, asked.person_id)
    not_himself(case, asked.person_id)
    given = {name: getattr(asked, name) for name in CHANGEABLE}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise Malformed(f"say what changes: {', '.join(CHANGEABLE)}")
    if asked.expires_on is not None:
        _must_not_be_over(case, asked.expires_on)
    changed = case.roster.change_person(asked.person_id, **changes, **revised(case, asked.form))
    return state_of(case, changed)


def enrol(case: Case, asked: EnrolPerson) -> EnrolmentCode:
    """Issue a code for another device; earlier codes are void.

    Raises:
        NotFound, Conflict: no such person, or he may not log in any more.
    """
    _must_be_here(case, known(case, asked.person_id))
    return _code(case, asked.person_id, "device")


def issue_pin(case: Case, asked: IssuePin) -> EnrolmentCode:
    """Let somebody log in by PIN for a time; answers the code with which he sets it (R124).

    A PIN that he had is void, and so is its lock.

    Raises:
        NotPermitted: it is himself.
        NotFound, Conflict: as ``enrol``.
        Rejected: it would be for longer than the policy allows.
    """
    person = known(case, asked.person_id)
    not_himself(case, asked.person_id)
    _must_be_here(case, person)
    latest = case.request.today + timedelta(days=case.policy.access.pin_days)
    if not case.request.today <= asked.until <= latest:
        text = f"暗証番号の有効期限には、本日から{latest}までの日を指定してください"
        raise Rejected("the PIN cannot be issued", [Problem("pin-period", "until", text)])
    granted = PinGrant(reason=asked.reason, until=asked.until)
    case.roster.change_person(asked.person_id, pin=granted, **revised(case, ""))
    case.roster.forget_pin(asked.person_id)
    case.roster.unlock(asked.person_id)
    return _code(case, asked.person_id, "pin")


def retire_device(case: Case, asked: RetireDevice) -> PersonState:
    """Let a device open nothing any more: it is lost, broken or handed on; sessions end.

    Raises:
        NotFound, Conflict: no such person or device, or it is retired already.
    """
    person = known(case, asked.person_id)
    device = next((d for d in person.devices if d.device_id == asked.device_id), None)
    if device is None:
        raise NotFound("this person has no such device")
    if device.retired:
        raise Conflict("this device is retired already; nothing needs to be done")
    devices = tuple(
        replace(each, retired=asked.reason) if each is device else each for each in person.devices
    )
    changed = case.roster.change_person(asked.person_id, devices=devices, **revised(case, ""))
    case.sessions.close_all_of(person_id=asked.person_id)
    return state_of(case, changed)


def suspend(case: Case, asked: SuspendPerson) -> PersonState:
    """Shut somebody out: sessions end at once, codes and PIN are void (R123, R129).

    Raises:
        NotPermitted: it is himself.
        NotFound, Conflict: no such person, or suspended already.
    """
    person = known(case, asked.person_id)
    not_himself(case, asked.person_id)
    if person.suspended:
        raise Conflict("this person is suspended already; nothing needs to be done")
    changed = case.roster.change_person(
        asked.person_id, suspended=asked.reason, pin=None, **revised(case, asked.form)
    )
    case.roster.forget_pin(asked.person_id)
    case.roster.void_enrolments(asked.person_id)
    case.sessions.close_all_of(person_id=asked.person_id)
    return state_of(case, changed)


def resume(case: Case, asked: ResumePerson) -> EnrolmentCode:
    """Let somebody who was suspended come back; his devices open again, another may be added.

    Raises:
        NotPermitted: it is himself.
        NotFound, Conflict: no such person, or he is not suspended.
        Rejected: his last day is past.
    """
    person = known(case, asked.person_id)
    not_himself(case, asked.person_id)
    if not person.suspended:
        raise Conflict("this person is not suspended; for another device, enrol him")
    _must_not_be_over(case, person.expires_on)
    case.roster.change_person(asked.person_id, suspended="", **revised(case, asked.form))
    case.roster.unlock(asked.person_id)
    return _code(case, asked.person_id, "device")


def known(case: Case, person_id: str) -> PersonRecord:
    """Return a person.

    Raises:
        NotFound: nobody has this 照合ID.
    """
    person = case.roster.person(person_id)
    if person is None:
        raise NotFound("there is no such person")
    return person


def not_himself(case: Case, *people: str, operator_id: str = "") -> None:
    """Refuse what the keeper of the roster does about himself, under whatever authority (R127).

    Raises:
        NotPermitted: it is himself.
    """
    keeper = case.actor.operator
    if keeper is None or keeper.person_id in people or keeper.operator_id == operator_id:
        raise NotPermitted("nobody appoints, suspends or resumes himself")


def revised(case: Case, form: str) -> dict[str, object]:
    """Return what a revision made now says of itself."""
    operator = case.actor.operator
    by = operator.operator_id if operator else case.actor.terminal.terminal_id
    return {"form": form, "revised_at": case.request.now, "revised_by": by}


def _must_be_here(case: Case, person: PersonRecord) -> None:
    if person.suspended:
        raise Conflict("this person is suspended: resume him, which gives a code too")
    if person.expires_on < case.request.today:
        raise Conflict("the term of this person is over: change expires_on first")


def _must_not_be_over(case: Case, expires_on: date) -> None:
    if expires_on < case.request.today:
        text = "任期の末日には本日以降の日を指定してください"
        raise Rejected("the term is over", [Problem("past", "expires_on", text)])


def _code(case: Case, person_id: str, *methods: Method) -> EnrolmentCode:
    until = case.request.now + CODE_LIFETIME
    code = case.roster.issue_enrolment(person_id, until, *methods)
    return EnrolmentCode(person_id=person_id, enrolment_code=code, methods=methods, until=until)
