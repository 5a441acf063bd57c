"""開示 (R65 to R73): the 確認書, or the notice that there is nothing; and once more, byte for byte.

A paper is made before the unit of work begins (``prepare``), and entered in it: the case is looked
at again then, and what changed in between makes it a conflict. The same case gives the same bytes
whenever it is printed: all that stands on it is fixed by the day of issue and by the versions of
the record that were disclosed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from msgspec import convert

from appliance.plugin_api import (
    PROVIDED,
    Arguments,
    Case,
    Conflict,
    DateText,
    NotPermitted,
    Operation,
    OperationName,
    Resident,
    ShortText,
)
from plugins.disclosure.book import Entry, Number, OneCase, Subject, book, opened
from plugins.disclosure.form import Data, blocks, paper, printable, written
from plugins.disclosure.matching import matched
from plugins.disclosure.press import Printed, printed
from plugins.disclosure.receiving import ready, received_on
from plugins.disclosure.rules import broken, day_of, due_on
from plugins.disclosure.sheets import Paper, put_out

CONFIRMATION, ABSENCE, EXTENSION = "confirmation", "absence", "extension"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was made before the unit of work, and of which state of the case."""

    entry: Entry
    form: str
    made: Printed


class Reissue(Arguments, frozen=True, kw_only=True):
    """Which case's paper is put out once more, and why (汚損, 紛失)."""

    number: Number
    why: ShortText


class Extend(Arguments, frozen=True, kw_only=True):
    """Until when the disclosure is put off, and why: both are told in writing."""

    number: Number
    until: DateText
    why: ShortText


def make(case: Case, asked: OneCase) -> Proof:
    """Print what is to be issued."""
    entry = ready(case, asked.number)
    on = case.request.today
    if entry["person"] is not None:
        return Proof(entry, CONFIRMATION, _confirmation(case, asked.number, entry, on))
    subject = convert(entry["subject"], Subject)
    if matched(case, subject, confirmed=entry["confirmed"]).outcome != "absent":
        raise broken("D-09")
    return Proof(entry, ABSENCE, _absence(case, asked.number, entry, on))


def issue(case: Case, asked: OneCase) -> Paper:
    """Put out the 確認書, or the notice of non-existence."""
    proof = _proof(case)
    if ready(case, asked.number) != proof.entry:
        raise Conflict("the case was changed in the meantime; issue it again")
    on = case.request.today.isoformat()
    issued = {"form": proof.form, "on": on, "sha256": proof.made.sha256}
    book(case).amend(asked.number, state="issued", issued=issued)
    return put_out(case, asked.number, proof.form, proof.made, on=on)


def make_again(case: Case, asked: Reissue) -> Proof:
    """Print once more what was issued."""
    entry = opened(case, asked.number, "disclosure")
    if (issued := entry.get("issued")) is None:
        raise broken("D-11")
    on = date.fromisoformat(issued["on"])
    again = _confirmation if issued["form"] == CONFIRMATION else _absence
    made = again(case, asked.number, entry, on)
    if made.sha256 != issued["sha256"]:
        raise broken("D-13")
    return Proof(entry, issued["form"], made)


def reissue(case: Case, asked: Reissue) -> Paper:
    """Put out the same paper once more; the 帳票管理簿 has it as another sheet."""
    proof = _proof(case)
    on = proof.entry["issued"]["on"]
    return put_out(case, asked.number, proof.form, proof.made, on=on, why=asked.why)


def make_extension(case: Case, asked: Extend) -> Proof:
    """Print the notice that a disclosure is put off."""
    entry = opened(case, asked.number, "disclosure")
    if "issued" in entry:
        raise broken("D-10")
    first, until = due_on(received_on(entry)), day_of(asked.until, "D-12")
    if case.request.today > first or until <= date.fromisoformat(entry["due_on"]):
        raise broken("D-12")
    on = case.request.today
    data = {
        **addressed(case, asked.number, entry, on),
        "due": written(first.isoformat()),
        "until": written(until.isoformat()),
        "why": asked.why,
    }
    return Proof(entry, EXTENSION, printed(EXTENSION, data, on))


def extend(case: Case, asked: Extend) -> Paper:
    """Put off a disclosure, and put out the notice of it."""
    proof = _proof(case)
    if opened(case, asked.number, "disclosure") != proof.entry:
        raise Conflict("the case was changed in the meantime; extend it again")
    on = case.request.today.isoformat()
    book(case).amend(asked.number, due_on=asked.until, extended={"on": on, "why": asked.why})
    return put_out(case, asked.number, EXTENSION, proof.made, on=on)


def addressed(case: Case, number: int, entry: Entry, on: date) -> Data:
    """Return what a letter about a case says: also to whom, the 法定代理人 if there is one."""
    to = entry["representative"] or entry["subject"]
    return {
        **paper(case, number, on),
        "name": printable(to["name"]),
        "address": printable(to["address"]),
        "received": written(entry["received_on"]),
    }


def _proof(case: Case) -> Proof:
    proof: Proof = case.prepared
    return proof


def _confirmation(case: Case, number: int, entry: Entry, on: date) -> Printed:
    versions = case.registry.history(entry["person"], PROVIDED, upto=entry["version"])
    if _is_withheld(versions):
        raise NotPermitted("an item is withheld here; a confirmation cannot be issued")
    return printed(CONFIRMATION, {**paper(case, number, on), **blocks(versions)}, on)


def _absence(case: Case, number: int, entry: Entry, on: date) -> Printed:
    return printed(ABSENCE, addressed(case, number, entry, on), on)


def _is_withheld(versions: Sequence[Resident]) -> bool:
    return any(version.withheld for version in versions)


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
    records=("number", "why"),
)
EXTEND = Operation(
    name=OperationName("disclosure/extend"),
    summary="Put off a disclosure, and put out the written notice of it.",
    asks=Extend,
    answers=Paper,
    prepare=make_extension,
    handler=extend,
    changes=True,
    records=("number", "until", "why"),
)
OPERATIONS = (ISSUE, REISSUE, EXTEND)
