"""外部監査: one archive with all that an auditor from outside needs, by file and SHA-256 (R182).

::

    manifest.json      what it is about, and of each other file its name, length and SHA-256
    people.csv         照合ID         authorities.csv  操作者ID          terminals.csv    端末管理簿
    ledger.csv         how often each office did what, with which result
    figures.json       sums: entries, denied, persons concerned; what is overdue
    last.tlog-proof    the signed checkpoint, and that the last entry is below it
    books/NAME.json    the entries of a book with their history

The SHA-256 of the manifest stands in the ledger entry of the request, so that a pack that was
changed is told from the one that was given out. No resident is in it. The same content gives the
same bytes.
"""

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    Malformed,
    Operation,
    OperationName,
    PersonId,
    ShortText,
)
from plugins.compliance import reach
from plugins.compliance.looking import every_due
from plugins.compliance.shelf import BOOKS

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive: the first a ZIP can tell."""
BOM = "\ufeff"
"""Without it a spreadsheet takes UTF-8 for something else."""
Offices = Annotated[tuple[ShortText, ...], Meta(max_length=200, title="所属")]
RISKY = tuple("'=+-@\t\r＝＋－＠")
"""A spreadsheet takes what begins so for a formula, in either width; ``'`` can be read back."""


class Scope(Arguments, frozen=True, kw_only=True):
    """Which days, and which offices; all of them if none is named."""

    since: date
    until: date
    offices: Offices = ()


class PackedFile(Answer, frozen=True, kw_only=True):
    """One file of the archive."""

    name: str
    length: int
    sha256: str


class Pack(Answer, frozen=True, kw_only=True):
    """The archive, and what its manifest says."""

    files: tuple[PackedFile, ...]
    manifest_sha256: str
    """As the ledger has it."""
    archive: bytes
    """A ZIP; base64 in JSON, a byte string in CBOR."""


def pack(case: Case, asked: Scope) -> Pack:
    """Put the archive together.

    Raises:
        Malformed: the period ends before it begins.
        Rejected: the ledger has too many entries of the period.
    """
    if asked.since > asked.until:
        raise Malformed("since is after until")
    contents = dict(_files(case, asked))
    files = tuple(
        PackedFile(name=name, length=len(body), sha256=sha256(body).hexdigest())
        for name, body in sorted(contents.items())
    )
    manifest = _json(
        {
            "prefecture": case.policy.office.prefecture,
            "since": asked.since,
            "until": asked.until,
            "offices": asked.offices,
            "ledger_size": case.ledger.size,
            "files": files,
        }
    )
    digest = sha256(manifest).hexdigest()
    case.note.result = f"pack of {len(files)} files, manifest {digest}"
    archive = _zipped({"manifest.json": manifest, **contents})
    return Pack(files=files, manifest_sha256=digest, archive=archive)


def _files(case: Case, asked: Scope) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file but the manifest."""
    yield "people.csv", _people(case, asked)
    yield "authorities.csv", _authorities(case, asked)
    yield "terminals.csv", _terminals(case)
    counts, subjects = _ledger(case, asked)
    columns = ("office", "operation", "result", "entries")
    yield "ledger.csv", _csv(columns, [(*key, n) for key, n in sorted(counts.items())])
    yield "figures.json", _json(_figures(case, asked, counts, subjects))
    yield "last.tlog-proof", case.ledger.proof(case.ledger.size - 1).encode()
    for book in BOOKS.values():
        entries = [
            {"number": number, **entry}
            for number, entry in book.register(case.papers).every()
            if _is_asked_for(entry, asked)
        ]
        yield f"books/{book.name}.json", _json({"title": book.title, "entries": entries})


def _people(case: Case, asked: Scope) -> bytes:
    columns = (
        *("person_id", "office", "contractor", "trained_on", "expires_on", "suspended"),
        *("devices", "pin_until", "last_login"),
    )
    rows = [
        (
            *(person.person_id, person.office, person.contractor, person.trained_on or ""),
            *(person.expires_on, person.suspended),
            sum(not device.retired for device in person.devices),
            person.pin.until if person.pin else "",
            case.roster.login_state(person.person_id).last_login or "",
        )
        for person in case.roster.persons()
        if not asked.offices or person.office in asked.offices
    ]
    return _csv(columns, rows)


def _authorities(case: Case, asked: Scope) -> bytes:
    columns = ("operator_id", "office", "roles", "purposes", "holders", "expires_on", "suspended")
    rows = [
        (
            *(record.operator_id, record.office, " ".join(record.roles)),
            *(" ".join(record.purposes), " ".join(record.holders)),
            *(record.expires_on, record.suspended),
        )
        for record in case.roster.operators()
        if not asked.offices or record.office in asked.offices
    ]
    return _csv(columns, rows)


def _terminals(case: Case) -> bytes:
    columns = ("terminal_id", "kind", "place", "municipality_code", "fingerprint", "revoked")
    rows = [[getattr(record, name) or "" for name in columns] for record in case.roster.terminals()]
    return _csv(columns, sorted(rows))


def _ledger(case: Case, asked: Scope) -> tuple[Counter[tuple[str, str, str]], int]:
    """Return how often each office did what with which result, and about how many persons."""
    counts: Counter[tuple[str, str, str]] = Counter()
    subjects: set[PersonId] = set()
    for reading in reach.readings(case, asked.since, asked.until):
        if not asked.offices or reading.office in asked.offices:
            result = reading.result.name.lower()
            counts[reading.office or "", reading.operation, result] += 1
            subjects.update(reading.subjects)
    return counts, len(subjects)


def _figures(
    case: Case, asked: Scope, counts: Mapping[tuple[str, str, str], int], subjects: int
) -> dict[str, Any]:
    results = Counter[str]()
    for (_, _, result), count in counts.items():
        results[result] += count
    due = every_due(case.papers, case.request.today)
    late = [
        each
        for each in due
        if each.days_left < 0 and (not asked.offices or each.office in asked.offices)
    ]
    return {
        "entries": sum(results.values()),
        "results": dict(sorted(results.items())),
        "persons_concerned": subjects,
        "overdue": [f"{each.book} {each.number} {each.clock}" for each in late],
    }


def _is_asked_for(entry: Mapping[str, Any], asked: Scope) -> bool:
    """Return whether an entry is of one of the offices, and something was done with it then."""
    then = any(
        asked.since.isoformat() <= e["on"] <= asked.until.isoformat() for e in entry["steps"]
    )
    return then and (not asked.offices or entry["office"] in asked.offices)


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO(BOM)
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _safe(cell: Any) -> Any:
    return f"'{cell}" if str(cell).startswith(RISKY) else cell


def _json(plain: Mapping[str, Any]) -> bytes:
    built = msgspec.to_builtins(plain)
    return (json.dumps(built, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _zipped(contents: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, body in sorted(contents.items()):
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            file.writestr(entry, body)
    return archive.getvalue()


PACK = Operation(
    name=OperationName("compliance/pack"),
    summary="Put together the evidence for an audit from outside, its hash in the ledger.",
    asks=Scope,
    answers=Pack,
    handler=pack,
    purposed=False,
    uses=frozenset({"ledger", "roster"}),
    records=Scope.__struct_fields__,
)
OPERATIONS = (PACK,)
