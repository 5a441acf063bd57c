"""訂正、追加又は削除の申出 (R75, R76, R82): from the wish of the resident to a written result.

The prefecture corrects nothing itself: what it finds wrong it tells the mayor (通報, 住民基本台帳法
第12条の5), and the correction comes back as a notification, a new version of the record. Where
there is no record, there is nobody to send a message about: the 通報 is a letter then.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta, convert, to_builtins

from appliance.plugin_api import (
    ITEMS,
    AreaText,
    Arguments,
    Case,
    Conflict,
    DateText,
    ItemName,
    Operation,
    OperationName,
)
from plugins.disclosure.book import (
    CaseState,
    Channel,
    Entry,
    FreeText,
    Number,
    OneCase,
    Proofs,
    Representative,
    Subject,
    book,
    concern,
    opened,
    state_of,
)
from plugins.disclosure.form import written
from plugins.disclosure.issuing import addressed
from plugins.disclosure.matching import matched
from plugins.disclosure.press import Printed, printed
from plugins.disclosure.rules import broken, day_of, due_on
from plugins.disclosure.sheets import Paper, put_out

MUNICIPALITY, NOTIFIED_ON = ItemName("municipality_code"), ItemName("notified_on")
RESULT = "result"
WISHES = {"correct": "訂正", "add": "追加", "delete": "削除"}
OUTCOMES = {
    "corrected": "申出のとおり、市町村長からの通知により記録を改めました。",
    "partly": "申出の一部について、市町村長からの通知により記録を改めました。",
    "not-corrected": "記録を改める事由は認められませんでした。",
}
LABELS = {str(item.name): item.label for item in ITEMS}
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


class Reported(Opened, frozen=True, kw_only=True):
    """To whom the 通報 went, and how."""

    municipality_code: str
    by: Literal["message", "letter"]
    message: int | None = None
    """Its number in the feed to that municipality's server."""


class Result(Arguments, frozen=True, kw_only=True):
    """What the resident is told in writing."""

    number: Number
    outcome: Literal["corrected", "partly", "not-corrected"]
    explanation: FreeText


@dataclass(frozen=True, slots=True)
class Letter:
    """The result, printed, and of which state of the case."""

    entry: Entry
    made: Printed


def correct(case: Case, asked: Correct) -> Opened:
    """Open a case of correction."""
    today = case.request.today
    received = today if asked.received_on is None else day_of(asked.received_on, "D-01")
    disclosure = book(case).get(asked.disclosure)
    if not _is_disclosed(disclosure):
        raise broken("D-15")
    if received > today or received.isoformat() < disclosure["issued"]["on"]:
        raise broken("D-01")
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
        raise broken("D-04")
    found = {"finding": asked.finding, "account": asked.account}
    entry = book(case).amend(asked.number, state="investigated", investigated=found)
    case.note.result = f"case {asked.number}: {asked.finding}"
    return _opened(case, asked.number, entry)


def report(case: Case, asked: Report) -> Reported:
    """Tell the mayor that a record may be wrong (12条の5)."""
    entry = opened(case, asked.number, "correction")
    if "investigated" not in entry:
        raise broken("D-16")
    if entry["state"] != "investigated":
        raise broken("D-04")
    if entry["investigated"]["finding"] != "error":
        raise broken("D-17")
    told: Entry = _told(case, asked, entry)
    entry = book(case).amend(asked.number, state="reported", reported=told)
    case.note.result = f"case {asked.number}: {told['by']} to {told['to']}"
    return Reported(
        **to_builtins(_opened(case, asked.number, entry)),
        municipality_code=told["to"],
        by=told["by"],
        message=told.get("message"),
    )


def link(case: Case, asked: OneCase) -> Opened:
    """Link a case to the municipality's new notification: a later version of that person."""
    entry = opened(case, asked.number, "correction")
    if entry["state"] != "reported":
        raise broken("D-04" if "reported" in entry else "D-21")
    person = entry["person"]
    if person is None:
        person = matched(case, convert(entry["subject"], Subject)).person
    if person is None or not is_answered(case, {**entry, "person": person}):
        raise broken("D-18")
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
    if "issued" in entry:
        raise broken("D-10")
    if "investigated" not in entry:
        raise broken("D-16")
    if entry["investigated"]["finding"] == "error" and "reported" not in entry:
        raise broken("D-21")
    if asked.outcome != "not-corrected" and "linked" not in entry:
        raise broken("D-18")
    on = case.request.today
    data = {
        **addressed(case, asked.number, entry, on),
        "wish": WISHES[entry["wish"]],
        "items": "、".join(LABELS[item] for item in entry["items"]),
        "outcome": OUTCOMES[asked.outcome],
        "reported": _day(entry, "reported", "on", "に通報しました。"),
        "corrected": _day(entry, "linked", "notified_on", "に通知を受けた記録"),
        "explanation": asked.explanation,
    }
    return Letter(entry, printed(RESULT, data, on))


def result(case: Case, asked: Result) -> Paper:
    """Put out the written result of the investigation."""
    letter: Letter = case.prepared
    if opened(case, asked.number, "correction") != letter.entry:
        raise Conflict("the case was changed in the meantime; ask for the result again")
    on = case.request.today.isoformat()
    issued = {"form": RESULT, "on": on, "sha256": letter.made.sha256, "outcome": asked.outcome}
    book(case).amend(asked.number, state="issued", issued=issued, explanation=asked.explanation)
    return put_out(case, asked.number, RESULT, letter.made, on=on)


def _told(case: Case, asked: Report, entry: Entry) -> Entry:
    on, person = case.request.today.isoformat(), entry["person"]
    if person is None:
        if asked.municipality_code is None:
            raise broken("D-20")
        return {"on": on, "to": asked.municipality_code, "by": "letter", "version": 0}
    record = case.registry.read(person, (MUNICIPALITY,))
    to = str(record.values[MUNICIPALITY])
    note = {
        "case": str(asked.number),
        "wish": entry["wish"],
        "items": ",".join(entry["items"]),
        "reported_on": on,
        "basis": "住民基本台帳法第12条の5",
    }
    message = case.outgoing.send(f"cs/{to}", "report", person, note)
    return {"on": on, "to": to, "by": "message", "message": message, "version": record.version}


def _is_disclosed(entry: Entry) -> bool:
    if entry["kind"] != "disclosure":
        raise broken("D-04")
    done: bool = entry.get("closed", {}).get("why") == "completed"
    return done or bool(entry["state"] == "delivered")


def _day(entry: Entry, step: str, name: str, words: str) -> str:
    day = entry.get(step, {}).get(name)
    return "なし" if day is None else written(day) + words


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
REPORT = Operation(
    name=OperationName("disclosure/report"),
    summary="Tell the municipality that a record may be wrong.",
    asks=Report,
    answers=Reported,
    handler=report,
    changes=True,
    uses=frozenset({"outgoing"}),
    records=("number", "municipality_code"),
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
    records=("number", "outcome"),
    drops=("explanation",),
)
OPERATIONS = (CORRECT, INVESTIGATE, REPORT, LINK, RESULTED)
