"""開示 (R65 to R73): the 確認書, or the notice that there is nothing; and once more, byte for byte.

A paper is made before the unit of work begins (``prepare``), and entered in it: the case is looked
at again then, and what changed in between makes it a conflict. The same case gives the same bytes
whenever it is printed: all that stands on it is fixed by the day of issue and by the versions of
the record that were disclosed.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from msgspec import convert

from appliance.plugin_api import (
    Arguments,
    Case,
    Conflict,
    DateText,
    Entry,
    Operation,
    OperationName,
    Printed,
    ShortText,
)
from plugins.disclosure.book import Number, OneCase, Subject, book, opened, opened_any
from plugins.disclosure.letters import ABSENCE, CONFIRMATION, EXTENSION, MAKERS
from plugins.disclosure.matching import matched
from plugins.disclosure.receiving import ready, received_on
from plugins.disclosure.rules import MOST_MORE_DAYS, broken, day_of, due_on
from plugins.disclosure.sheets import Paper, put_out, replace, replaceable, shown_by


@dataclass(frozen=True, slots=True)
class Proof:
    """What was made before the unit of work, and of which state of the case."""

    entry: Entry
    form: str
    made: Printed


class Reissue(Arguments, frozen=True, kw_only=True):
    """Which sheet is put out once more, and why (汚損, 紛失)."""

    sheet: Number
    why: ShortText


class Extend(Arguments, frozen=True, kw_only=True):
    """Until when the disclosure is put off, and why: both are told in writing."""

    number: Number
    until: DateText
    why: ShortText
    again: ShortText | None = None
    """Why it is put off once more; asked for from the second time on."""


def make(case: Case, asked: OneCase) -> Proof:
    """Print what is to be issued."""
    entry = ready(case, asked.number)
    if entry["person"] is not None:
        return _proof_of(case, CONFIRMATION, asked.number, entry)
    _must_be_absent(case, entry)
    return _proof_of(case, ABSENCE, asked.number, entry)


def issue(case: Case, asked: OneCase) -> Paper:
    """Put out the 確認書, or the notice of non-existence."""
    proof = _proof(case)
    if ready(case, asked.number) != proof.entry:
        raise Conflict("the case was changed in the meantime; issue it again")
    if proof.form == ABSENCE:
        _must_be_absent(case, proof.entry)
    on = case.request.today.isoformat()
    issued = {"form": proof.form, "on": on, "sha256": proof.made.sha256}
    book(case).amend(asked.number, state="issued", issued=issued)
    return put_out(case, asked.number, proof.form, proof.made, on=on)


def _must_be_absent(case: Case, entry: Entry) -> None:
    """Refuse to say that nobody is there of whom a record came in meanwhile (D-09)."""
    subject = convert(entry["subject"], Subject)
    if matched(case, subject, confirmed=entry["confirmed"]).outcome != "absent":
        raise broken("D-09")


def make_again(case: Case, asked: Reissue) -> Proof:
    """Print a sheet once more, as the case was when it was put out."""
    sheet = _replaceable(case, asked)
    form, number = sheet["form"], sheet["number"]
    on = date.fromisoformat(sheet["issued_on"])
    made = MAKERS[form](case, number, shown_by(case, sheet), on)
    if made.sha256 != sheet["sha256"]:
        raise broken("D-13")
    return Proof(sheet, form, made)


def reissue(case: Case, asked: Reissue) -> Paper:
    """Put out the same paper once more, as another sheet that replaces the one before."""
    proof = _proof(case)
    if _replaceable(case, asked) != proof.entry:
        raise Conflict("the sheet was changed in the meantime; reissue it again")
    return replace(case, asked.sheet, proof.made, why=asked.why)


def make_extension(case: Case, asked: Extend) -> Proof:
    """Print the notice that a disclosure is put off."""
    entry = _extensible(case, asked)
    changed = {**entry, **_extended(case, asked)}
    return Proof(
        entry, EXTENSION, MAKERS[EXTENSION](case, asked.number, changed, case.request.today)
    )


def extend(case: Case, asked: Extend) -> Paper:
    """Put off a disclosure, and put out the notice of it."""
    proof = _proof(case)
    if opened(case, asked.number, "disclosure") != proof.entry:
        raise Conflict("the case was changed in the meantime; extend it again")
    book(case).amend(asked.number, **_extended(case, asked))
    on = case.request.today.isoformat()
    return put_out(case, asked.number, EXTENSION, proof.made, on=on)


def _replaceable(case: Case, asked: Reissue) -> Entry:
    sheet = replaceable(case, asked.sheet)
    opened_any(case, sheet["number"])
    return sheet


def _extensible(case: Case, asked: Extend) -> Entry:
    entry = opened(case, asked.number, "disclosure")
    if "issued" in entry:
        raise broken("D-10")
    first, until = due_on(received_on(entry)), day_of(asked.until, "D-37")
    latest = first + timedelta(days=MOST_MORE_DAYS)
    later = date.fromisoformat(entry["due_on"]) < until <= latest
    if case.request.today > first or not later:
        raise broken("D-12")
    if "extended" in entry and asked.again is None:
        raise broken("D-36")
    return entry


def _extended(case: Case, asked: Extend) -> Entry:
    said = {"on": case.request.today.isoformat(), "why": asked.why}
    if asked.again is not None:
        said["again"] = asked.again
    return {"due_on": asked.until, "extended": said}


def _proof_of(case: Case, form: str, number: int, entry: Entry) -> Proof:
    return Proof(entry, form, MAKERS[form](case, number, entry, case.request.today))


def _proof(case: Case) -> Proof:
    proof: Proof = case.prepared
    return proof


ISSUE = Operation(
    name=OperationName("disclosure/issue"),
    summary="Put out the confirmation of what is recorded, or the notice that nothing is.",
    asks=OneCase,
    answers=Paper,
    prepare=make,
    handler=issue,
    changes=True,
    records=("number",),
)
REISSUE = Operation(
    name=OperationName("disclosure/reissue"),
    summary="Put out once more, byte for byte, what was issued.",
    asks=Reissue,
    answers=Paper,
    prepare=make_again,
    handler=reissue,
    changes=True,
    records=("sheet", "why"),
)
EXTEND = Operation(
    name=OperationName("disclosure/extend"),
    summary="Put off a disclosure, and put out the written notice of it.",
    asks=Extend,
    answers=Paper,
    prepare=make_extension,
    handler=extend,
    changes=True,
    records=("number", "until", "why", "again"),
)
OPERATIONS = (ISSUE, REISSUE, EXTEND)
