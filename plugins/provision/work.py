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
    Alarm,
    Case,
    Entry,
    Grant,
    ItemName,
    Job,
    Malformed,
    Nothing,
    NotPermitted,
    Operation,
    OperationName,
    PersonId,
    Protected,
    Standing,
    Step,
    Watch,
    data_lines,
    rows_digest,
)
from plugins.provision.bulk import behalf_of
from plugins.provision.inquiry import match_of
from plugins.provision.kept import NOT_KEPT, Jobs, Progress, has_work
from plugins.provision.match import Meant, key_of
from plugins.provision.rows import Code, meant_by, result_row
from plugins.provision.who import find_out

DAYS_KEPT = 14
"""A result that nobody fetched by then is gone."""


@dataclass(slots=True)
class Worked:
    """What a step found out, to be written if the job still stands where it stood."""

    job: int
    total: int
    progress: Progress
    rights: Grant | None = None
    """Of the submitter, as they were when the rows were answered; None: they were over."""
    text: str = ""
    digest: str = ""
    """Of the whole result, once every row is answered."""
    rows: list[list[str]] = field(default_factory=list)


def look_up(case: Case, asked: Nothing) -> Worked | None:
    """Answer the next rows of the oldest job, or close it; nothing is written yet."""
    jobs = Jobs(case.papers)
    if (job := jobs.waiting()) is None:
        return None
    _mind(case, job)
    entry, progress = jobs.book.get(job), jobs.progress(job)
    worked = Worked(job, entry["rows"], progress)
    if progress.done == worked.total:
        worked.digest = rows_digest(jobs.result(job))
        return worked
    worked.rights = _rights(case, entry)
    rights = worked.rights if _acts_for(case, entry) else None
    for number, row in enumerate(jobs.rows(job, progress.chunk), start=progress.done + 1):
        worked.rows.append(_answer(case, entry, number, row, rights))
    worked.text = data_lines(progress.done + 1, worked.rows)
    return worked


def step(case: Case, asked: Nothing) -> Step:
    """Write what was found out."""
    worked: Worked | None = case.prepared
    jobs = Jobs(case.papers)
    if worked is None:
        case.note.result = "nothing to do"
        return Step()
    _mind(case, worked.job)
    if not _stands(case, jobs, worked):
        case.note.outcomes.clear()
        case.note.result = f"bulk {worked.job}: {NOT_KEPT}"
        return Step(more=jobs.waiting() is not None)
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
    told = {PersonId(person) for person, code, _ in case.note.outcomes if code == Code.ONE}
    jobs.answered(worked.job, worked.text, after, told)
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


def _mind(case: Case, job: int) -> None:
    """See to it that a job whose step fails does not keep the others waiting."""
    case.if_refused.append(lambda unit: Jobs(case.papers.within(unit)).put_back(job))


def _stands(case: Case, jobs: Jobs, worked: Worked) -> bool:
    """Return whether the job is where it was, and may still be answered as it was answered."""
    if jobs.waiting() != worked.job or jobs.progress(worked.job) != worked.progress:
        return False
    return bool(worked.digest) or worked.rights == _rights(case, jobs.book.get(worked.job))


def _rights(case: Case, entry: Entry) -> Grant | None:
    try:
        return case.rights_of(behalf_of(entry))
    except NotPermitted:
        return None


def _acts_for(case: Case, entry: Entry) -> bool:
    """Take on 事務 and rights of a job; return whether they still reach all its items today."""
    case.note.case_number = entry["case_number"]
    items = [ItemName(name) for name in entry["items"]]
    try:
        case.act_for(behalf_of(entry))
        case.registry.require(items)
        case.registry.require_told(items)
    except NotPermitted:
        return False
    return True


def _answer(
    case: Case, entry: Entry, number: int, row: list[str], rights: Grant | None
) -> list[str]:
    """Return one row of the result."""
    reference = row[0]
    by, claimed = meant_by(row)
    key = key_of(by, claimed)
    if rights is None or key not in entry["keys"]:
        return result_row(reference, Code.NOT_PERMITTED)
    try:
        removed = entry["removed"] and rights.removed
        meant = find_out(case, by, key, claimed, removed=removed)
        values, code = _values(case, entry, meant)
    except Protected:
        return result_row(reference, Code.PROTECTED)
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


def failing(watch: Watch) -> list[Alarm]:
    """Return an alarm about jobs whose last step failed; they are tried again behind the others."""
    if not (jobs := Jobs(watch.papers).failing()):
        return []
    numbers = ", ".join(map(str, jobs))
    text = (
        f"一括提供の申請 {numbers} の処理が失敗し、後回しにしています。juki job status "
        "provision/bulk で理由を確かめ、直らないときは bulk-cancel で取り消してください。"
    )
    return [Alarm(name="provision/bulk-failing", text=text, count=len(jobs))]


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
