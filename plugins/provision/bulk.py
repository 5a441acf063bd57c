"""一括提供: a sealed file of many inquiries is taken in, and answered as a job (R44, R45).

The file is opened and checked whole before anything is kept; every problem is told by its row. The
appliance then answers the rows by itself (``work.py``); how the result leaves is in ``release.py``.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from msgspec import Meta

from appliance.plugin_api import (
    Answer,
    Arguments,
    Behalf,
    Case,
    Conflict,
    Entry,
    ItemName,
    Items,
    Operation,
    OperationName,
    Problem,
    PurposeCode,
    Rejected,
    ShortText,
    unframed,
)
from plugins.provision.kept import CHUNK, Jobs, Progress, packed, state_on
from plugins.provision.recipients import Number, name_of, recipient_of
from plugins.provision.rows import header_problems, row_problems

MOST_PROBLEMS = 500
"""Told at a time."""
LARGEST = 32 * 1024 * 1024
ENDED = frozenset({"cancelled", "expired"})


class Submit(Arguments, frozen=True, kw_only=True):
    """A sealed inquiry file, where it came from, and to whom the result is to be sealed."""

    file: Annotated[bytes, Meta(min_length=1, max_length=LARGEST)]
    """Sealed for ``provision/media-key``; in base64 in JSON."""
    media_id: ShortText
    """媒体管理番号 of the medium it came on."""
    recipient: Number
    items: Items


class Submitted(Answer, frozen=True, kw_only=True):
    """The job that will answer it."""

    job: int
    rows: int
    digest: str
    """SHA-256 of the rows, as in the trailer."""
    provision_id: str


class OfJob(Arguments, frozen=True, kw_only=True):
    """Which job."""

    job: Number


class Status(Arguments, frozen=True, kw_only=True):
    """Which job; without one, every job of the 事務."""

    job: Number | None = None


class JobStatus(Answer, frozen=True, kw_only=True):
    """How far a job is."""

    job: int
    state: str
    """queued, running, done, approved, cancelled, expired."""
    request_no: str
    items: tuple[str, ...]
    """What is asked for of everybody; whoever approves agrees to these."""
    recipient: int
    recipient_name: str
    source_media_id: str
    """The medium the inquiry came on."""
    rows: int
    done: int
    rate: float | None
    """Rows a second, since the first step."""
    eta: float | None
    """Seconds until every row is answered, at this rate."""
    counts: dict[str, int]
    """Rows by result code; empty until it is approved: before, nobody may learn a result."""
    digest: str | None
    """SHA-256 of the rows of the result, once it is whole."""
    submitted_by: str
    submitted_at: datetime
    approved_by: str | None
    media_id: str | None
    """The medium the result was approved for."""
    expires_on: str | None
    put_out: tuple[datetime, ...]
    """When the result was taken out."""


class Statuses(Answer, frozen=True, kw_only=True):
    """Jobs, the newest first."""

    jobs: tuple[JobStatus, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """An inquiry file with nothing wrong in it."""

    request_no: str
    rows: int
    chunks: list[bytes]
    digest: str
    recipient_key: str
    seen: int
    """The last job that was there when the file was checked."""


def check(case: Case, asked: Submit) -> Checked:
    """Open the file and check it whole.

    Raises:
        NotPermitted: an item is beyond the 事務, or withheld.
        NotFound, Rejected: the recipient is none, or something is wrong with the file.
        Malformed: the file was not sealed for this appliance.
        Conflict: the recipient's request of this number was taken already.
    """
    items = [ItemName(name) for name in asked.items]
    case.registry.require(items)
    case.registry.require_told(items)
    recipient = recipient_of(case, asked.recipient)
    frame = unframed(case.media.open(asked.file))
    problems = [*frame.problems]
    problems += header_problems(frame.header, str(case.request.purpose))
    problems += row_problems(frame.rows)
    if problems:
        raise Rejected("nothing of the file was taken; see the problems", _told(problems))
    seen = Jobs(case.papers).book.last
    _expect_new(case, asked.recipient, frame.header[2], range(seen, 0, -1))
    return Checked(
        seen=seen,
        request_no=frame.header[2],
        rows=len(frame.rows),
        chunks=packed(frame.rows),
        digest=frame.digest,
        recipient_key=recipient.public_key,
    )


def _told(problems: list[Problem]) -> list[Problem]:
    shown = problems[:MOST_PROBLEMS]
    if more := len(problems) - len(shown):
        shown.append(Problem("B-99", "file", f"ほかに{more}件の誤りがあります。"))
    return shown


def _expect_new(case: Case, recipient: int, request_no: str, numbers: range) -> None:
    """Refuse a request that one of these jobs is about; one that has ended may be made anew."""
    book = Jobs(case.papers).book
    for job in numbers:
        entry = book.get(job)
        theirs = (entry["purpose"], entry["recipient"], entry["request_no"])
        same = theirs == (case.request.purpose, recipient, request_no)
        if same and entry["state"] not in ENDED:
            raise Conflict(f"this request of this office was taken already (job {job})")


def submit(case: Case, asked: Submit) -> Submitted:
    """Keep the rows; the appliance answers them by itself."""
    checked: Checked = case.prepared
    meanwhile = range(Jobs(case.papers).book.last, checked.seen, -1)
    _expect_new(case, asked.recipient, checked.request_no, meanwhile)
    entry = {
        "state": "queued",
        "purpose": case.request.purpose,
        "reason": case.request.reason,
        "case_number": case.request.case_number,
        "request_no": checked.request_no,
        "items": list(dict.fromkeys(asked.items)),
        "keys": sorted(case.grant.keys),
        "removed": case.grant.removed,
        "recipient": asked.recipient,
        "recipient_key": checked.recipient_key,
        "source_media": asked.media_id,
        "source_digest": checked.digest,
        "rows": checked.rows,
        "submitted": who(case),
    }
    job = Jobs(case.papers).submit(entry, checked.chunks)
    case.note.result = f"bulk {job}: {checked.rows} rows, sha256 {checked.digest}"
    return Submitted(
        job=job, rows=checked.rows, digest=checked.digest, provision_id=case.request.id
    )


def status(case: Case, asked: Status) -> Statuses:
    """Tell how far jobs are."""
    jobs = Jobs(case.papers)
    today = case.request.today
    if asked.job is not None:
        return Statuses(jobs=(status_of(jobs, asked.job, jobs.of(case, asked.job), today),))
    mine = [each for each in jobs.book.every() if each[1]["purpose"] == case.request.purpose]
    return Statuses(jobs=tuple(status_of(jobs, *each, today) for each in reversed(mine)))


def cancel(case: Case, asked: OfJob) -> JobStatus:
    """End a job; nothing of its rows and results stays.

    Raises:
        Conflict: it has ended already, or its result was taken out.
    """
    jobs = Jobs(case.papers)
    known = jobs.of(case, asked.job)
    if known["state"] in ENDED:
        text = "この申請は終了しています。"
        raise Conflict("the job has ended", [Problem("B-31", "job", text)])
    if known.get("put_out"):
        text = "結果を既に媒体に出力しているため、取り消せません。"
        raise Conflict("the result was put out already", [Problem("B-31", "job", text)])
    entry = jobs.forget(asked.job, "cancelled", cancelled=who(case))
    case.note.result = f"bulk {asked.job}: cancelled"
    return status_of(jobs, asked.job, entry, case.request.today)


def behalf_of(entry: Entry) -> Behalf:
    """Return what the submitter of a job must still be allowed to ask for."""
    submitted = entry["submitted"]
    return Behalf(
        person_id=submitted["person"],
        operator_id=submitted["operator"],
        purpose=PurposeCode(entry["purpose"]),
        reason=entry["reason"],
        operation=SUBMIT.name,
    )


def who(case: Case) -> dict[str, str]:
    """Return who does this, where and when, as the registers keep it."""
    operator = case.actor.operator
    return {
        "person": operator.person_id if operator else "",
        "operator": operator.operator_id if operator else "",
        "office": operator.office if operator else "",
        "terminal": case.actor.terminal.terminal_id,
        "at": case.request.now.isoformat(),
    }


def status_of(jobs: Jobs, job: int, entry: Entry, today: date) -> JobStatus:
    """Return how far a job is."""
    progress = jobs.progress(job)
    rate = _rate(progress)
    left = entry["rows"] - progress.done
    state = state_on(entry, today)
    return JobStatus(
        job=job,
        state="running" if state == "queued" and progress.done else state,
        request_no=entry["request_no"],
        items=tuple(entry["items"]),
        recipient=entry["recipient"],
        recipient_name=name_of(jobs.papers, entry["recipient"]),
        source_media_id=entry["source_media"],
        rows=entry["rows"],
        done=progress.done,
        rate=rate,
        eta=round(left / rate, 1) if rate and state == "queued" else None,
        counts=progress.counts if state == "approved" else {},
        digest=entry.get("digest"),
        submitted_by=entry["submitted"]["operator"],
        submitted_at=datetime.fromisoformat(entry["submitted"]["at"]),
        approved_by=entry.get("approved", {}).get("operator"),
        media_id=entry.get("media_id"),
        expires_on=entry.get("expires"),
        put_out=tuple(datetime.fromisoformat(at) for at in entry.get("put_out", ())),
    )


def _rate(progress: Progress) -> float | None:
    if not progress.since:
        return None
    took = datetime.fromisoformat(progress.last) - datetime.fromisoformat(progress.since)
    # The clock was first looked at when the first chunk was done.
    return round((progress.done - CHUNK) / took.total_seconds(), 1) if took else None


SUBMIT = Operation(
    name=OperationName("provision/bulk-submit"),
    summary="Hand in a sealed file of inquiries, to be answered as a job.",
    asks=Submit,
    answers=Submitted,
    handler=submit,
    prepare=check,
    changes=True,
    records=("media_id", "recipient", "items"),
    drops=("file",),
)
OPERATIONS = (
    SUBMIT,
    Operation(
        name=OperationName("provision/bulk-status"),
        summary="Tell how far the bulk inquiries of a purpose are.",
        asks=Status,
        answers=Statuses,
        handler=status,
        records=("job",),
    ),
    Operation(
        name=OperationName("provision/bulk-cancel"),
        summary="End a bulk inquiry; nothing of its rows and results stays.",
        asks=OfJob,
        answers=JobStatus,
        handler=cancel,
        changes=True,
        records=("job",),
    ),
)
