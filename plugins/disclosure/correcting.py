"""訂正、追加又は削除の申出 (R75, R76, R82): from the wish of the resident to a written result.

The prefecture corrects nothing itself: what it finds wrong it tells the mayor (通報, 住民基本台帳法
第12条の5), and the correction comes back as a notification, a new version of the record. Where
there is no record, there is nobody to send a message about: the 通報 is a letter then.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta, convert, to_builtins

from appliance.plugin_api import (
    AreaText,
    Arguments,
    Case,
    Conflict,
    DateText,
    Entry,
    ItemName,
    Operation,
    OperationName,
    Printed,
    inbox_of,
)
from plugins.disclosure.book import (
    CaseState,
    Channel,
    FreeText,
    Number,
    OneCase,
    Proofs,
    Representative,
    Subject,
    book,
    concern,
    must_be_open,
    not_now,
    opened,
    state_of,
)
from plugins.disclosure.letters import REPORT, RESULT, make, named
from plugins.disclosure.matching import matched
from plugins.disclosure.rules import broken, day_of, due_on
from plugins.disclosure.sheets import Paper, put_out

MUNICIPALITY, NOTIFIED_ON = ItemName("municipality_code"), ItemName("notified_on")
TEXT = (
    "都道府県知事から、住民基本台帳法第12条の5の規定により通報します。"
    "次の項目に誤り又は記載漏れの疑いがあります: {items}。"
    "住民票を確認し、誤りがあるときは職権修正等(33)の通知を送信してください。"
)
"""What the municipality reads in its inbox."""
Concerned = Literal[
    "resident_code",
    "name",
    "birth_date",
    "sex",
    "address",
    "my_number",
    "reason",
    "effective_date",
]


class Correct(Arguments, frozen=True, kw_only=True):
    """A 本人確認情報訂正(追加・削除)申出書, after a disclosure."""

    disclosure: Number
    """受付番号 of the disclosure."""
    method: Channel
    received_on: DateText | None = None
    identity: Proofs
    representative: Representative | None = None
    wish: Literal["correct", "add", "delete"]
    items: Annotated[tuple[Concerned, ...], Meta(min_length=1, max_length=8)]
    claim: FreeText
    """What the resident says is right, and why; no 個人番号."""


class Opened(CaseState, frozen=True, kw_only=True):
    """A case of correction as it stands."""

    disclosure: int


class Investigate(Arguments, frozen=True, kw_only=True):
    """What the investigation came to."""

    number: Number
    finding: Literal["error", "no-error"]
    account: FreeText
    """What was looked at, and what was found."""


class Report(Arguments, frozen=True, kw_only=True):
    """That the mayor is to be told; the municipality only where there is no record."""

    number: Number
    municipality_code: AreaText | None = None
    shapes_seen: bool = False
    """Of a letter: the clerk has looked at the shapes that the font lacks (D-39)."""


class Reported(Opened, frozen=True, kw_only=True):
    """To whom the 通報 went, and how."""

    municipality_code: str
    by: Literal["message", "letter"]
    message: int | None = None
    """Its number in the feed to that municipality's server."""
    paper: Paper | None = None
    """The 通報書, where it goes by letter."""


class Result(Arguments, frozen=True, kw_only=True):
    """What the resident is told in writing."""

    number: Number
    outcome: Literal["corrected", "partly", "not-corrected"]
    explanation: FreeText
    shapes_seen: bool = False
    """The clerk has looked at the shapes that the font lacks (D-39)."""


@dataclass(frozen=True, slots=True)
class Letter:
    """The result or the 通報書, printed, and of which state of the case."""

    entry: Entry
    made: Printed


def correct(case: Case, asked: Correct) -> Opened:
    """Open a case of correction."""
    today = case.request.today
    received = today if asked.received_on is None else day_of(asked.received_on, "D-25")
    disclosure = book(case).get(asked.disclosure)
    if not _is_disclosed(disclosure):
        raise broken("D-15")
    if received > today or received.isoformat() < disclosure["issued"]["on"]:
        raise broken("D-25")
    entry: Entry = {
        "kind": "correction",
        "state": "received",
        "method": asked.method,
        "received_on": received.isoformat(),
        "due_on": due_on(received).isoformat(),
        "subject": disclosure["subject"],
        "identity": list(asked.identity),
        "representative": to_builtins(asked.representative),
        "person": disclosure["person"],
        "disclosure": asked.disclosure,
        "wish": asked.wish,
        "items": list(asked.items),
        "claim": asked.claim,
    }
    number = book(case).add(entry)
    concern(case, entry)
    case.note.result = f"case {number}, of disclosure {asked.disclosure}"
    return _opened(case, number, entry)


def investigate(case: Case, asked: Investigate) -> Opened:
    """Enter what the investigation came to."""
    entry = opened(case, asked.number, "correction")
    if entry["state"] not in ("received", "investigated"):
        raise not_now(entry)
    found = {"finding": asked.finding, "account": asked.account}
    entry = book(case).amend(asked.number, state="investigated", investigated=found)
    case.note.result = f"case {asked.number}: {asked.finding}"
    return _opened(case, asked.number, entry)


def _reportable(case: Case, asked: Report) -> Entry:
    entry = opened(case, asked.number, "correction")
    if "investigated" not in entry:
        raise broken("D-16")
    if entry["state"] != "investigated":
        raise not_now(entry)
    if entry["investigated"]["finding"] != "error":
        raise broken("D-17")
    return entry


def make_report(case: Case, asked: Report) -> Letter | None:
    """Print the 通報書 about somebody of whom there is no record."""
    entry = _reportable(case, asked)
    if entry["person"] is not None:
        return None
    told = {**entry, "reported": _by_letter(case, asked)}
    on, seen = case.request.today, asked.shapes_seen
    return Letter(entry, make(case, REPORT, asked.number, told, on, shapes_seen=seen))


def report(case: Case, asked: Report) -> Reported:
    """Tell the mayor that a record may be wrong (12条の5)."""
    letter: Letter | None = case.prepared
    entry = _reportable(case, asked)
    if letter is None:
        told = _by_message(case, asked, entry)
    elif letter.entry != entry:
        raise Conflict("the case was changed in the meantime; report it again")
    else:
        told = _by_letter(case, asked)
    entry = book(case).amend(asked.number, state="reported", reported=told)
    case.note.result = f"case {asked.number}: {told['by']} to {told['to']}"
    paper = None
    if letter is not None:
        seen = asked.shapes_seen
        paper = put_out(case, asked.number, REPORT, letter.made, on=told["on"], shapes_seen=seen)
    return Reported(
        **to_builtins(_opened(case, asked.number, entry)),
        municipality_code=told["to"],
        by=told["by"],
        message=told.get("message"),
        paper=paper,
    )


def link(case: Case, asked: OneCase) -> Opened:
    """Link a case to the municipality's new notification: a later version of that person."""
    entry = opened(case, asked.number, "correction")
    if entry["state"] != "reported":
        raise not_now(entry) if "reported" in entry else broken("D-27")
    entry = _identified(case, entry)
    if not is_answered(case, entry):
        raise broken("D-18")
    person = entry["person"]
    version = case.registry.read(person, (NOTIFIED_ON,))
    linked = {"version": version.version, "notified_on": version.values.get(NOTIFIED_ON)}
    entry = book(case).amend(asked.number, state="linked", person=person, linked=linked)
    case.note.result = f"case {asked.number}: version {version.version}"
    return _opened(case, asked.number, entry)


def is_answered(case: Case, entry: Entry) -> bool:
    """Return whether the municipality has notified anything of the person since the 通報."""
    reported, person = entry.get("reported"), entry["person"]
    if reported is None or person is None:
        return False
    return bool(case.registry.latest(person) > reported["version"])


def make_result(case: Case, asked: Result) -> Letter:
    """Print the written result."""
    entry = opened(case, asked.number, "correction")
    must_be_open(case, entry)
    _allow(case, entry, asked.outcome)
    told, on, seen = {**entry, **_told_in(asked)}, case.request.today, asked.shapes_seen
    return Letter(entry, make(case, RESULT, asked.number, told, on, shapes_seen=seen))


def result(case: Case, asked: Result) -> Paper:
    """Put out the written result of the investigation."""
    letter: Letter = case.prepared
    if opened(case, asked.number, "correction") != letter.entry:
        raise Conflict("the case was changed in the meantime; ask for the result again")
    on = case.request.today.isoformat()
    issued = {"form": RESULT, "on": on, "sha256": letter.made.sha256}
    book(case).amend(asked.number, state="issued", issued=issued, **_told_in(asked))
    seen = asked.shapes_seen
    return put_out(case, asked.number, RESULT, letter.made, on=on, shapes_seen=seen)


def _allow(case: Case, entry: Entry, outcome: str) -> None:
    """Refuse a result that what was done contradicts."""
    if "issued" in entry:
        raise broken("D-10")
    if "investigated" not in entry:
        raise broken("D-16")
    is_corrected = outcome != "not-corrected"
    if entry["investigated"]["finding"] == "no-error":
        if is_corrected:
            raise broken("D-28")
    elif "reported" not in entry:
        raise broken("D-21")
    elif "linked" in entry:
        if not is_corrected:
            raise broken("D-23")
    elif is_corrected:
        raise broken("D-29" if is_answered(case, _identified(case, entry)) else "D-18")


def _told_in(asked: Result) -> Entry:
    return {"outcome": asked.outcome, "explanation": asked.explanation}


def _identified(case: Case, entry: Entry) -> Entry:
    """Return a case with the person, should there be a record of him by now."""
    if entry["person"] is not None:
        return entry
    return {**entry, "person": matched(case, convert(entry["subject"], Subject)).person}


def _by_letter(case: Case, asked: Report) -> Entry:
    on = case.request.today.isoformat()
    return {"on": on, "to": _addressee(case, asked), "by": "letter", "version": 0}


def _by_message(case: Case, asked: Report, entry: Entry) -> Entry:
    on, person = case.request.today.isoformat(), entry["person"]
    if asked.municipality_code is not None:
        raise broken("D-34")
    municipalities = case.registry.municipalities
    record = case.registry.read(person, (MUNICIPALITY,))
    to = municipalities.office_of(str(record.values[MUNICIPALITY]))
    note = {
        "case": str(asked.number),
        "wish": entry["wish"],
        "items": ",".join(entry["items"]),
        "reported_on": on,
        "basis": "住民基本台帳法第12条の5",
        "text": TEXT.format(items=named(entry["items"])),
        "at": case.request.now.isoformat(),
    }
    message = case.outgoing.send(inbox_of(to, municipalities), "report", person, note)
    return {"on": on, "to": to, "by": "message", "message": message, "version": record.version}


def _addressee(case: Case, asked: Report) -> str:
    """Return the municipality, or the city of a ward, that a letter goes to."""
    if asked.municipality_code is None:
        raise broken("D-20")
    municipalities = case.registry.municipalities
    place = municipalities.lookup(asked.municipality_code, case.request.today)
    if place is None or place.is_prefecture:
        raise broken("D-33")
    over = municipalities.prefecture_of(place)
    if over is None or over.name != case.policy.office.prefecture:
        raise broken("D-33")
    return municipalities.office_of(place.code)


def _is_disclosed(entry: Entry) -> bool:
    if entry["kind"] != "disclosure":
        raise broken("D-04")
    done: bool = entry.get("closed", {}).get("why") == "completed"
    return done or bool(entry["state"] == "delivered")


def _opened(case: Case, number: int, entry: Entry) -> Opened:
    state = to_builtins(state_of(number, entry, case.request.today))
    return Opened(**state, disclosure=entry["disclosure"])


CORRECT = Operation(
    name=OperationName("disclosure/correct"),
    summary="Enter a resident's wish to have the record corrected.",
    asks=Correct,
    answers=Opened,
    handler=correct,
    changes=True,
    records=("disclosure", "method", "received_on", "identity", "wish", "items"),
    drops=("representative", "claim"),
)
INVESTIGATE = Operation(
    name=OperationName("disclosure/investigate"),
    summary="Enter what the investigation of a wish came to.",
    asks=Investigate,
    answers=Opened,
    handler=investigate,
    changes=True,
    records=("number", "finding"),
    drops=("account",),
)
REPORTING = Operation(
    name=OperationName("disclosure/report"),
    summary="Tell the municipality that a record may be wrong.",
    asks=Report,
    answers=Reported,
    prepare=make_report,
    handler=report,
    changes=True,
    uses=frozenset({"outgoing"}),
    records=("number", "municipality_code", "shapes_seen"),
)
LINK = Operation(
    name=OperationName("disclosure/link"),
    summary="Link a case to the new notification of the municipality.",
    asks=OneCase,
    answers=Opened,
    handler=link,
    changes=True,
    records=("number",),
)
RESULTED = Operation(
    name=OperationName("disclosure/result"),
    summary="Put out the written result of an investigation.",
    asks=Result,
    answers=Paper,
    prepare=make_result,
    handler=result,
    changes=True,
    records=("number", "outcome", "shapes_seen"),
    drops=("explanation",),
)
OPERATIONS = (CORRECT, INVESTIGATE, REPORTING, LINK, RESULTED)
