"""The appliance's own part of a bulk inquiry: answering its rows, and letting results expire.

``provision/bulk-step`` answers one chunk of the oldest job, within the 事務 as it is today and no
further than the rights of whoever submitted it. Looking people up is done off the writer; a job
that was cancelled meanwhile gets nothing. The ledger entry of a step is the provision record of
its rows: 事務, 利用事由, everybody who was found, and for each the result and the row.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from itertools import islice

from appliance.plugin_api import (
    AddConditions,
    Case,
    ItemName,
    Job,
    Malformed,
    Nothing,
    NotPermitted,
    Operation,
    OperationName,
    PurposeCode,
    Standing,
    Step,
    data_lines,
    rows_digest,
)
from plugins.provision.inquiry import match_of
from plugins.provision.kept import Entry, Jobs, Progress, has_work
from plugins.provision.match import Meant, key_of
from plugins.provision.rows import Code, meant_by, result_row
from plugins.provision.who import find_out

SUBMIT = OperationName("provision/bulk-submit")
DAYS_KEPT = 14
"""A result that nobody fetched by then is gone."""


@dataclass(slots=True)
class Worked:
    """What a step found out, to be written if the job still stands where it stood."""

    job: int
    total: int
    progress: Progress
    text: str = ""
    digest: str = ""
    """Of the whole result, once every row is answered."""
    rows: list[list[str]] = field(default_factory=list)


def look_up(case: Case, asked: Nothing) -> Worked | None:
    """Answer the next rows of the oldest job, or close it; nothing is written yet."""
    jobs = Jobs(case.papers)
    if (job := jobs.waiting()) is None:
        return None
    entry, progress = jobs.book.get(job), jobs.progress(job)
    worked = Worked(job, entry["rows"], progress)
    if progress.done == worked.total:
        worked.digest = rows_digest(jobs.result(job))
        return worked
    permitted = _acts_for(case, entry)
    for number, row in enumerate(jobs.rows(job, progress.chunk), start=progress.done + 1):
        worked.rows.append(_answer(case, entry, number, row, permitted=permitted))
    worked.text = data_lines(progress.done + 1, worked.rows)
    return worked


def step(case: Case, asked: Nothing) -> Step:
    """Write what was found out."""
    worked: Worked | None = case.prepared
    jobs = Jobs(case.papers)
    stands = worked is not None and jobs.waiting() == worked.job
    if worked is None or not stands or jobs.progress(worked.job) != worked.progress:
        case.note.result = "nothing to do"
        return Step(more=stands)
    now = case.request.now.isoformat()
    if worked.digest:
        expires = case.request.today + timedelta(days=DAYS_KEPT)
        jobs.close(worked.job, expires, digest=worked.digest, finished=now)
        case.note.result = f"bulk {worked.job}: finished, sha256 {worked.digest}"
        return Step(done=worked.total, total=worked.total, more=jobs.waiting() is not None)
    before, count = worked.progress, len(worked.rows)
    after = replace(
        before,
        chunk=before.chunk + 1,
        done=before.done + count,
        counts=dict(Counter(before.counts) + Counter(row[1] for row in worked.rows)),
        since=before.since or now,
        last=now,
    )
    jobs.answered(worked.job, worked.text, after)
    case.note.result = f"bulk {worked.job}: rows {before.done + 1} to {after.done}"
    return Step(done=after.done, total=worked.total, more=True)


def expire(case: Case, asked: Nothing) -> Step:
    """Let the oldest result go that nobody may fetch any more."""
    jobs = Jobs(case.papers)
    due = list(islice(jobs.expired(case.request.today), 2))
    if not due:
        return Step()
    jobs.forget(due[0], "expired")
    case.note.result = f"bulk {due[0]}: expired"
    return Step(done=1, more=len(due) > 1)


def _acts_for(case: Case, entry: Entry) -> bool:
    """Take on the 事務 of a job; return whether it still allows bulk inquiries."""
    case.note.case_number = entry["case_number"]
    try:
        case.act_for(PurposeCode(entry["purpose"]), entry["reason"], SUBMIT)
    except NotPermitted:
        return False
    return True


def _answer(case: Case, entry: Entry, number: int, row: list[str], *, permitted: bool) -> list[str]:
    """Return one row of the result."""
    reference = row[0]
    by, claimed = meant_by(row)
    key = key_of(by, claimed)
    if not permitted or key not in entry["keys"]:
        return result_row(reference, Code.NOT_PERMITTED)
    try:
        meant = find_out(case, by, key, claimed, removed=entry["removed"])
        values, code = _values(case, entry, meant)
    except NotPermitted:
        return result_row(reference, Code.NOT_PERMITTED)
    except AddConditions:
        return result_row(reference, Code.SEVERAL)
    except Malformed:
        # A name that is nothing but marks: nobody has it.
        return result_row(reference, Code.NONE)
    if meant.hit is not None:
        case.registry.concerns(meant.hit.person)
        case.note.outcomes.append((meant.hit.person, code, str(number)))
    return result_row(reference, code, match_of(meant) if code is Code.ONE else None, values)


def _values(case: Case, entry: Entry, meant: Meant) -> tuple[list[str | int | bool | None], Code]:
    code = _code(meant)
    if code is not Code.ONE or meant.hit is None:
        return [], code
    items = [ItemName(name) for name in entry["items"]]
    told = case.registry.read(meant.hit.person, items).values
    return [told.get(item) for item in items], code


def _code(meant: Meant) -> Code:
    match meant.result:
        case "several":
            return Code.SEVERAL
        case "none":
            return Code.NONE
        case "elsewhere":
            return Code.MOVED
        case "one":
            return STANDINGS[meant.standing]


STANDINGS = {
    Standing.HERE: Code.ONE,
    Standing.ELSEWHERE: Code.MOVED,
    Standing.DEAD: Code.DEAD,
    Standing.STRUCK_OFF: Code.STRUCK_OFF,
}

STEP = Operation(
    name=OperationName("provision/bulk-step"),
    summary="Answer the next rows of the oldest bulk inquiry.",
    asks=Nothing,
    answers=Step,
    handler=step,
    prepare=look_up,
    changes=True,
    purposed=False,
)
EXPIRE = Operation(
    name=OperationName("provision/bulk-expire"),
    summary="Let a bulk result go that nobody may fetch any more.",
    asks=Nothing,
    answers=Step,
    handler=expire,
    changes=True,
    purposed=False,
)
OPERATIONS = (STEP, EXPIRE)
JOBS = (
    Job(
        name="provision/bulk",
        summary="Answer bulk inquiries.",
        operation=STEP.name,
        due=lambda watch: has_work(watch.papers),
    ),
    Job(
        name="provision/expiry",
        summary="Let bulk results go that nobody may fetch any more.",
        operation=EXPIRE.name,
        at=time(1, 30),
    ),
)
