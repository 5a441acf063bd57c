"""提供状況: every provision of one person's data, as he may ask to be told (R52, R53, R54).

Read from the ledger, which nothing is ever deleted from. For each: date, 利用方法, 事務 and its
legal basis, 利用事由, 提供先, the items, whether 個人番号 was among them, and what it came to. Rows
of bulk inquiries are there from when they were answered; ``put_out`` says when they left.
"""

import re
from datetime import UTC, date, datetime
from itertools import islice
from typing import Annotated, NamedTuple

from msgspec import Meta

from appliance.plugin_api import (
    JST,
    Answer,
    Arguments,
    Case,
    Malformed,
    NotFound,
    Operation,
    OperationName,
    PurposeCode,
    Reading,
    ResidentCodeText,
)
from plugins.provision.kept import NOT_KEPT, Jobs
from plugins.provision.rows import MEANINGS, Code

STEP, VERIFY = "provision/bulk-step", "provision/verify"
MATCHING = re.compile(r", ([0-9]+) of ([0-9]+) match")
METHODS = {
    "provision/inquire": "即時提供",
    VERIFY: "照合",
    STEP: "一括提供",
}
KINDS = {"own": "利用", "transfer": "移転", "provision": "提供"}
"""By the kind of the 事務 (R62)."""
RESULTS = {
    "one": MEANINGS[Code.ONE],
    "none": MEANINGS[Code.NONE],
    "several": MEANINGS[Code.SEVERAL],
    "elsewhere": MEANINGS[Code.MOVED],
}
REFUSED = MEANINGS[Code.NOT_PERMITTED]
MOST = 1000


class Subject(Arguments, frozen=True, kw_only=True):
    """Whose data."""

    resident_code: ResidentCodeText


class Report(Arguments, frozen=True, kw_only=True):
    """Whose provisions, and of which days; both days are within."""

    by: Subject
    since: date | None = None
    until: date | None = None
    before: Annotated[int, Meta(ge=0)] | None = None
    """Only entries of the ledger below this number."""


class Provision(Answer, frozen=True, kw_only=True):
    """One provision."""

    index: int
    """Of the ledger entry."""
    at: datetime
    provision_id: str
    method: str
    kind: str
    """提供, 移転, or 利用 by the office of the register itself."""
    purpose: str
    label: str
    basis: str
    reason: str
    agency: str
    office: str
    """Of the operator who asked; of bulk inquiries, who submitted them."""
    case: str | None
    items: tuple[str, ...]
    my_number: bool
    result: str
    put_out: tuple[str, ...] = ()
    """Of a bulk inquiry: when the result was taken out."""


class Told(NamedTuple):
    """What an entry says of one person."""

    items: tuple[str, ...]
    office: str
    result: str
    put_out: tuple[str, ...] = ()


class Reported(Answer, frozen=True, kw_only=True):
    """Provisions, the newest first; ``next`` is the ``before`` of what follows, or null."""

    provisions: tuple[Provision, ...]
    next: int | None


def report(case: Case, asked: Report) -> Reported:
    """Tell a person, through the office, to whom his data was provided.

    Raises:
        NotFound: nobody has or had this 住民票コード.
        Malformed: the days are the wrong way round.
    """
    if asked.since and asked.until and asked.since > asked.until:
        raise Malformed("since is after until")
    person = case.registry.by_code(asked.by.resident_code)
    if person is None:
        raise NotFound("nobody has this resident_code")
    case.registry.concerns(person)
    readings = (each for each in case.ledger.about(person, asked.before) if _fits(each, asked))
    told = tuple(islice((_provision(case, each, person) for each in readings), MOST))
    case.note.hits = len(told)
    return Reported(provisions=told, next=told[-1].index if len(told) == MOST else None)


def _fits(reading: Reading, asked: Report) -> bool:
    day = _at(reading).astimezone(JST).date()
    if reading.operation not in METHODS or reading.note.endswith(NOT_KEPT):
        return False
    if reading.operation == STEP and reading.refusal is not None:
        return False  # looked up, and nothing of it was kept: the step is done again
    return (asked.since or day) <= day <= (asked.until or day)


def _provision(case: Case, reading: Reading, person: int) -> Provision:
    rule = case.policy.purposes.get(PurposeCode(reading.purpose or ""))
    told = _of_bulk(case, reading, person) if reading.operation == STEP else _at_once(reading)
    items, office, result, put_out = told
    return Provision(
        index=reading.index,
        at=_at(reading),
        provision_id=reading.request_id,
        method=METHODS[reading.operation],
        kind=KINDS[rule.kind] if rule else "",
        purpose=reading.purpose or "",
        label=rule.label if rule else "",
        basis=rule.basis if rule else "",
        reason=rule.reasons.get(reading.reason or "", "") if rule else "",
        agency=rule.agency if rule else "",
        office=office,
        case=reading.case_number,
        items=items,
        my_number="my_number" in items,
        result=result,
        put_out=put_out,
    )


def _at_once(reading: Reading) -> Told:
    result = RESULTS.get(reading.note.partition(" ")[0], REFUSED)
    if reading.operation == VERIFY and result == RESULTS["one"]:
        found = MATCHING.search(reading.note)
        told = "" if found is None else f"、{found[2]}項目中{found[1]}項目一致"
        result = f"本人特定{told}"
    return Told(tuple(map(str, reading.items)), reading.office or "", result)


def _of_bulk(case: Case, reading: Reading, person: int) -> Told:
    entry = Jobs(case.papers).book.get(int(reading.note.split(" ")[1].rstrip(":")))
    codes = [Code(code) for who, code, _ in reading.outcomes if who == person]
    code = codes[0] if codes else Code.NONE
    items = tuple(entry["items"]) if code is Code.ONE else ()
    put_out = tuple(entry.get("put_out", ()))
    return Told(items, entry["submitted"]["office"], MEANINGS[code], put_out)


def _at(reading: Reading) -> datetime:
    return datetime.fromtimestamp(reading.at_ms / 1000, UTC)


REPORT = Operation(
    name=OperationName("provision/report"),
    summary="List every provision of one person's data.",
    asks=Report,
    answers=Reported,
    handler=report,
    uses=frozenset({"ledger"}),
    records=("by.resident_code", "since", "until", "before"),
)
