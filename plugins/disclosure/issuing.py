"""開示 (R65 to R73): the 確認書, or the notice that there is nothing; and once more, byte for byte.

It is looked at first (``preview``), marked 見本 because it is in no register; what is issued is
what was looked at, or nothing. Where the font lacks a shape that is recorded, the clerk says that
he has looked at that too.

A paper is made before the unit of work begins (``prepare``), and entered in it: the case is looked
at again then, and what changed in between makes it a conflict. The same case gives the same bytes
whenever it is printed: all that stands on it is fixed by the day of issue and by the versions of
the record that were disclosed.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from msgspec import Meta, convert

from appliance.plugin_api import (
    Answer,
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
from plugins.disclosure.book import Number, OneCase, Subject, book, must_be_open, opened, opened_any
from plugins.disclosure.form import printed, shapes
from plugins.disclosure.letters import ABSENCE, CONFIRMATION, CONTENTS, EXTENSION, make
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


Digest = Annotated[
    str, Meta(min_length=64, max_length=64, pattern="^[0-9a-f]+$", description="64 of 0-9 a-f")
]


class Shape(Answer, frozen=True, kw_only=True):
    """A character that the paper shows in its plain shape, for want of the one that is recorded."""

    item: str
    character: str
    """Its code points: ``U+845B U+E0100``."""


class Preview(Answer, frozen=True, kw_only=True):
    """What would be issued now; nothing of it is kept."""

    number: int
    form: str
    pages: int
    sha256: str
    """Of the paper itself: what ``issue`` is told."""
    shapes: tuple[Shape, ...]
    """字形を確認: ``issue`` is told that the clerk has looked at these."""
    pdf: bytes
    """The paper, marked 見本; base64 in JSON, a byte string in CBOR."""


class Issue(OneCase, frozen=True, kw_only=True):
    """Which case, and what the clerk saw that is put out now."""

    sha256: Digest
    """Of the ``preview`` that was looked at (D-38)."""
    shapes_seen: bool = False
    """The clerk has looked at the ``shapes`` of the preview (D-39)."""


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
    shapes_seen: bool = False
    """The clerk has looked at the shapes that the font lacks (D-39)."""


def preview(case: Case, asked: OneCase) -> Preview:
    """Show what would be issued now, marked 見本."""
    entry, form = _issuable(case, asked.number)
    on = case.request.today
    data = CONTENTS[form](case, asked.number, entry, on)
    made = printed(form, data, on, shapes_seen=True)
    looked_at = printed(form, {**data, "specimen": True}, on, shapes_seen=True)
    case.note.result = f"case {asked.number}, {form}, {made.pages} pages, {made.sha256}"
    return Preview(
        number=asked.number,
        form=form,
        pages=made.pages,
        sha256=made.sha256,
        shapes=tuple(Shape(item=item, character=each) for item, each in shapes(data)),
        pdf=looked_at.pdf,
    )


def make_what_was_seen(case: Case, asked: Issue) -> Proof:
    """Print what is to be issued, if it is what was looked at."""
    entry, form = _issuable(case, asked.number)
    on, seen = case.request.today, asked.shapes_seen
    made = make(case, form, asked.number, entry, on, shapes_seen=seen)
    if made.sha256 != asked.sha256:
        raise broken("D-38")
    return Proof(entry, form, made)


def issue(case: Case, asked: Issue) -> Paper:
    """Put out the 確認書, or the notice of non-existence."""
    proof = _proof(case)
    if ready(case, asked.number) != proof.entry:
        raise Conflict("the case was changed in the meantime; issue it again")
    if proof.form == ABSENCE:
        _must_be_absent(case, proof.entry)
    on = case.request.today.isoformat()
    issued = {"form": proof.form, "on": on, "sha256": proof.made.sha256}
    book(case).amend(asked.number, state="issued", issued=issued)
    seen = asked.shapes_seen
    return put_out(case, asked.number, proof.form, proof.made, on=on, shapes_seen=seen)


def _issuable(case: Case, number: int) -> tuple[Entry, str]:
    """Return a case of which a paper may be issued, and which paper that is."""
    entry = ready(case, number)
    if entry["person"] is not None:
        return entry, CONFIRMATION
    _must_be_absent(case, entry)
    return entry, ABSENCE


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
    # Whoever issued it has looked at its shapes; should the font have changed, the bytes differ.
    made = make(case, form, number, shown_by(case, sheet), on, shapes_seen=True)
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
    on, seen = case.request.today, asked.shapes_seen
    made = make(case, EXTENSION, asked.number, changed, on, shapes_seen=seen)
    return Proof(entry, EXTENSION, made)


def extend(case: Case, asked: Extend) -> Paper:
    """Put off a disclosure, and put out the notice of it."""
    proof = _proof(case)
    if opened(case, asked.number, "disclosure") != proof.entry:
        raise Conflict("the case was changed in the meantime; extend it again")
    book(case).amend(asked.number, **_extended(case, asked))
    on = case.request.today.isoformat()
    seen = asked.shapes_seen
    return put_out(case, asked.number, EXTENSION, proof.made, on=on, shapes_seen=seen)


def _replaceable(case: Case, asked: Reissue) -> Entry:
    sheet = replaceable(case, asked.sheet)
    opened_any(case, sheet["number"])
    return sheet


def _extensible(case: Case, asked: Extend) -> Entry:
    entry = opened(case, asked.number, "disclosure")
    must_be_open(case, entry)
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


def _proof(case: Case) -> Proof:
    proof: Proof = case.prepared
    return proof


PREVIEW = Operation(
    name=OperationName("disclosure/preview"),
    summary="Show what would be issued, marked as a specimen; nothing of it is kept.",
    asks=OneCase,
    answers=Preview,
    handler=preview,
    records=("number",),
)
ISSUE = Operation(
    name=OperationName("disclosure/issue"),
    summary="Put out the confirmation of what is recorded, or the notice that nothing is, as seen.",
    asks=Issue,
    answers=Paper,
    prepare=make_what_was_seen,
    handler=issue,
    changes=True,
    records=("number", "sha256", "shapes_seen"),
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
    records=("number", "until", "why", "again", "shapes_seen"),
)
OPERATIONS = (PREVIEW, ISSUE, REISSUE, EXTEND)
