"""Opening a protected resident together: one asks, a second person agrees, for ten minutes."""

from datetime import datetime

from appliance.plugin_api import (
    OPEN_FOR,
    Answer,
    Arguments,
    Case,
    Conflict,
    Entry,
    NotPermitted,
    Opening,
    PersonId,
    ShortText,
)
from plugins.protection.book import (
    Asked,
    Kind,
    Number,
    Who,
    add,
    by,
    has_lapsed,
    meant,
    must_be_second,
    requests,
    waiting,
)
from plugins.protection.marks import put_in_force, take_off


class AskOpening(Arguments, frozen=True, kw_only=True):
    """Whom, and why; 事務, 利用事由 and 使用簿 number are those of the request."""

    who: Who
    why: ShortText


class Agree(Arguments, frozen=True, kw_only=True):
    """To what, by its number."""

    number: Number


class Agreed(Answer, frozen=True, kw_only=True):
    """What was agreed to; of an opening, until when the session that asked may open him."""

    number: int
    kind: Kind
    until: datetime | None


class Refuse(Arguments, frozen=True, kw_only=True):
    """What, by its number, and why."""

    number: Number
    why: ShortText


class Refused(Answer, frozen=True, kw_only=True):
    """What was refused."""

    number: int
    kind: Kind


def ask(case: Case, asked: AskOpening) -> Asked:
    """Ask that this session may open one protected resident.

    Raises:
        Malformed, NotFound, NotPermitted: nobody is meant, or not by this key.
        Conflict: he is not marked, and can be opened as anybody.
    """
    person = meant(case, asked.who)
    if not case.protections.is_protected(person, case.request.today):
        raise Conflict("this person is not marked: open him as anybody")
    return add(
        case,
        "opening",
        person,
        why=asked.why,
        purpose=case.request.purpose,
        use_reason=case.request.reason,
        case_number=case.request.case_number,
    )


def agree(case: Case, asked: Agree) -> Agreed:
    """Agree, as a second person, at another terminal.

    Raises:
        NotFound: there is no such request.
        Conflict: it was answered, is too old, or came to nothing meanwhile.
        NotPermitted: it is no second person, or the terminal it was asked from.
    """
    entry = waiting(case, asked.number)
    must_be_second(case, entry)
    kind: Kind = entry["kind"]
    case.note.result = f"{kind} {asked.number} of {entry['asked']['person']}"
    until = None
    if kind == "mark":
        put_in_force(case, asked.number, entry)
    elif kind == "lift":
        take_off(case, entry)
    else:
        until = _open(case, asked.number, entry)
    requests(case).amend(asked.number, state="agreed", answered=by(case))
    return Agreed(number=asked.number, kind=kind, until=until)


def refuse(case: Case, asked: Refuse) -> Refused:
    """Refuse a request, as anybody who might agree, or take back one's own.

    Raises:
        NotFound, Conflict: as ``agree``.
    """
    entry = waiting(case, asked.number)
    requests(case).amend(asked.number, state="refused", answered=by(case), refusal=asked.why)
    case.note.result = f"{entry['kind']} {asked.number} of {entry['asked']['person']}"
    return Refused(number=asked.number, kind=entry["kind"])


def _open(case: Case, number: int, entry: Entry) -> datetime:
    now = case.request.now
    if has_lapsed(entry, now):
        raise Conflict("this was asked more than an hour ago: ask again")
    if case.actor.operator is None:
        raise NotPermitted("a person must do this")
    second, until = case.actor.operator.person_id, now + OPEN_FOR
    opening = Opening(number=number, second=second, until=until)
    case.protections.open(PersonId(entry["person"]), entry["asked"]["session"], opening, now)
    return until
