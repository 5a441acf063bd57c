"""Who looked at one person, for what and when; the same on paper, for the resident himself."""

from itertools import islice

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    NotFound,
    Operation,
    OperationName,
    ResidentCodeText,
    check_digits,
    printed_table,
)
from appliance.plugin_api import PersonId as Who
from plugins.ledger import wording
from plugins.ledger.entries import Entries, Limit, at, purpose, reason, told
from plugins.ledger.filters import SCANNED, Found, Period

TITLE = "本人確認情報利用記録"
COLUMNS = {
    "日時": (wording.time, 2.2),
    "所属": (wording.place, 2.4),
    "事務": (purpose, 4),
    "利用事由": (reason, 3),
    "機能": (wording.function, 1.8),
    "項目": (wording.answered, 5),
    "結果": (wording.result, 1),
}
OPERATORS = {"照合ID": (wording.person, 2)}
WORDS = (
    "「項目」は、回答した項目です。空欄のものは、項目を回答していません。"
    "「拒否」は、要求が認められず、情報を回答しなかったものです。"
)


class Subject(Arguments, frozen=True, kw_only=True):
    """Whom the entries must be about."""

    resident_code: ResidentCodeText


class Person(Period, frozen=True, kw_only=True):
    """About whom, of when."""

    by: Subject
    limit: Limit = 100


class Report(Period, frozen=True, kw_only=True):
    """About whom, of when, and whether 照合ID stand in it."""

    by: Subject
    operators: bool = False
    limit: Limit = 1000


class Reported(Answer, frozen=True, kw_only=True):
    """The paper; ``next`` is the ``before`` of the entries that did not fit on it, or null."""

    count: int
    pages: int
    sha256: str
    pdf: bytes
    """PDF/A-2u; base64 in JSON, a byte string in CBOR."""
    next: int | None


def person(case: Case, asked: Person) -> Entries:
    """List the entries about one person; that this was asked is about the person too.

    Raises:
        Malformed: the 住民票コード is mistyped.
        NotFound: nobody has or had this 住民票コード.
    """
    found = _about(case, _subject(case, asked.by), asked, asked.limit)
    return told(case, found.readings, found.after)


def report(case: Case, asked: Report) -> Reported:
    """Print the entries about one person.

    They are every request that listed, told, compared or changed him, alone or among others, and
    every one that was refused.

    Raises:
        Malformed, NotFound: as ``person``.
        Unavailable, Rejected: as ``printed_table``.
    """
    found = _about(case, _subject(case, asked.by), asked, asked.limit)
    columns = COLUMNS | (OPERATORS if asked.operators else {})
    made = printed_table(
        TITLE,
        {label: share for label, (_, share) in columns.items()},
        wording.rows(
            found.readings, {label: column for label, (column, _) in columns.items()}, case.policy
        ),
        _notes(case, asked, found),
        case.request.today,
        issuer=case.policy.office.issuer,
        footer=f"出力番号 {case.request.id}",
    )
    case.note.hits = len(found.readings)
    case.note.file = made.sha256
    case.note.result = f"pdf, {len(found.readings)} entries, sha256 {made.sha256}"
    return Reported(
        count=len(found.readings),
        pages=made.pages,
        sha256=made.sha256,
        pdf=made.pdf,
        next=found.after,
    )


def _notes(case: Case, asked: Report, found: Found) -> list[str]:
    office = case.policy.office
    older = "" if found.after is None else f"(番号{found.after}より前の記録は別葉)"
    return [
        f"住民票コードの末尾4桁が{asked.by.resident_code[-4:]}の方に係る記録です。"
        f"期間: {wording.period(asked.since, asked.until)}　件数: {len(found.readings)}件{older}",
        WORDS,
        f"問合せ先　{office.department}　電話 {office.phone}",
    ]


def _subject(case: Case, by: Subject) -> Who:
    check_digits(resident_code=by.resident_code)
    subject = case.registry.by_code(by.resident_code)
    if subject is None:
        raise NotFound("nobody has this resident_code")
    # Who asked about a protected person is what an auditor must see without opening him.
    case.registry.concerns(subject, opens=False)
    return subject


def _about(case: Case, subject: Who, asked: Period, limit: int) -> Found:
    found = []
    since, until = asked.since, asked.until
    for reading in islice(case.ledger.about(subject, asked.before), SCANNED):
        moment = at(reading)
        if (since is None or since <= moment) and (until is None or moment <= until):
            found.append(reading)
            if len(found) == limit:
                return Found(found, reading.index or None)
    return Found(found, None)


PERSON = Operation(
    name=OperationName("ledger/person"),
    summary="List who looked at one person, for what and when.",
    asks=Person,
    answers=Entries,
    handler=person,
    purposed=False,
    uses=frozenset({"ledger"}),
    records=Person.__struct_fields__,
)
REPORT = Operation(
    name=OperationName("ledger/report"),
    summary="Print who looked at one person, for what and when, for the person himself.",
    asks=Report,
    answers=Reported,
    handler=report,
    purposed=False,
    uses=frozenset({"ledger"}),
    records=Report.__struct_fields__,
)
OPERATIONS = (PERSON, REPORT)
