"""媒体出力: how a bulk result leaves, and the register of it, one by one (R45, R55, R56, R58).

A second person approves a result for one medium, and whoever takes it out is not the one who
approved. Each time it is taken out, that stands in the register of media output (媒体出力の記録):
who, when, where, on which medium, for what, how many rows, their hash, who approved, who stood by.
The file is sealed to the key of the recipient; the appliance itself cannot open it again.
"""

from datetime import date

from appliance.plugin_api import (
    Answer,
    Arguments,
    Case,
    Conflict,
    Entry,
    ItemName,
    NotPermitted,
    Operation,
    OperationName,
    Papers,
    Problem,
    PurposeCode,
    Register,
    Rejected,
    ShortText,
    framed,
)
from plugins.provision.bulk import JobStatus, behalf_of, status_of, who
from plugins.provision.counts import tally_name
from plugins.provision.kept import Jobs, state_on
from plugins.provision.recipients import NoArguments, Number, name_of, recipient_of
from plugins.provision.rows import result_header


class Approve(Arguments, frozen=True, kw_only=True):
    """Which result may leave on which medium, and who stands by (R56)."""

    job: Number
    media_id: ShortText
    witness: ShortText | None = None
    """立会者 (照合ID)."""


class Fetch(Arguments, frozen=True, kw_only=True):
    """Which result is taken out on which medium."""

    job: Number
    media_id: ShortText


class Fetched(Answer, frozen=True, kw_only=True):
    """The result, sealed to the recipient."""

    job: int
    rows: int
    digest: str
    file: bytes
    provision_id: str


class Output(Answer, frozen=True, kw_only=True):
    """One time a result was taken out."""

    number: int
    job: int
    provision_id: str
    by: dict[str, str]
    approved: dict[str, str]
    witness: str | None
    media_id: str
    purpose: str
    label: str
    """What the 事務 is called; empty if it is not in the policy any more."""
    reason: str
    recipient: int
    recipient_name: str
    rows: int
    digest: str


class Outputs(Answer, frozen=True, kw_only=True):
    """The register of media output, the newest entry first."""

    outputs: tuple[Output, ...]


def approve(case: Case, asked: Approve) -> JobStatus:
    """Let a result leave on one medium.

    Raises:
        NotPermitted: by the one who submitted it, or whose rights to ask for it are over.
        Rejected: the witness is the one who submitted it, or who approves (B-33).
        Conflict: it is not whole yet, was approved already, or is gone.
    """
    jobs = Jobs(case.papers)
    entry = jobs.of(case, asked.job)
    if entry["submitted"]["person"] == who(case)["person"]:
        raise _same_person("申請した本人は承認できません。別の承認者が操作してください。")
    _expect(entry, "done", case.request.today)
    _still_asked(case, entry)
    if asked.witness is not None and _takes_part(asked.witness, entry["submitted"], who(case)):
        text = "立会者は、申請した者及び承認する者以外の職員でなければなりません。"
        raise Rejected("the witness takes part", [Problem("B-33", "witness", text)])
    entry = jobs.book.amend(
        asked.job,
        state="approved",
        approved=who(case),
        media_id=asked.media_id,
        witness=asked.witness,
    )
    for code, count in jobs.progress(asked.job).counts.items():
        case.tally(tally_name(case, case.request.purpose, "bulk", code), count)
    case.note.result = f"bulk {asked.job}: approved"
    return status_of(jobs, asked.job, entry, case.request.today)


def fetch(case: Case, asked: Fetch) -> Fetched:
    """Hand the sealed result out, and enter that in the register of media output.

    Raises:
        NotPermitted: to the one who approved it, or the rights of whoever asked for it are over,
            or a plugin withholds an item here.
        Rejected: it was approved for another medium, or the recipient was retired.
        Conflict: it is not approved, or is gone, even if only while this was done; or somebody in
            it was marked 要注意 since.
    """
    jobs = Jobs(case.papers)
    entry = jobs.of(case, asked.job)
    _expect(entry, "approved", case.request.today)
    _still_asked(case, entry)
    case.registry.require_told([ItemName(item) for item in entry["items"]])
    if entry["approved"]["person"] == who(case)["person"]:
        raise _same_person("承認した本人は出力できません。別の担当者が操作してください。")
    if entry["media_id"] != asked.media_id:
        text = "承認された媒体と番号が違います。承認された媒体を使ってください。"
        raise Rejected("approved for another medium", [Problem("B-32", "media_id", text)])
    recipient_of(case, entry["recipient"])
    _nobody_protected(case, jobs, asked.job)
    header = result_header(entry["purpose"], entry["request_no"], asked.job, entry["items"])
    content = framed(header, jobs.result(asked.job), entry["rows"]).encode()
    case.enter(lambda papers: _put_out(case, papers, asked.job))
    return Fetched(
        job=asked.job,
        rows=entry["rows"],
        digest=entry["digest"],
        file=case.media.seal_for(entry["recipient_key"], content),
        provision_id=case.request.id,
    )


def outputs(case: Case, asked: NoArguments) -> Outputs:
    """List what was taken out."""
    every = [_output(case, number, entry) for number, entry in _book(case.papers).every()]
    return Outputs(outputs=tuple(reversed(every)))


def _output(case: Case, number: int, entry: Entry) -> Output:
    rule = case.policy.purposes.get(PurposeCode(entry["purpose"]))
    return Output(
        number=number,
        label=rule.label if rule else "",
        recipient_name=name_of(case.papers, entry["recipient"]),
        **entry,
    )


def _put_out(case: Case, papers: Papers, job: int) -> None:
    """Enter one media output, unless the job was cancelled while it was made ready."""
    book, by = Jobs(papers).book, who(case)
    entry = book.get(job)
    _expect(entry, "approved", case.request.today)
    case.note.result = f"bulk {job}: {entry['rows']} rows put out, sha256 {entry['digest']}"
    _book(papers).add(
        {
            "job": job,
            "provision_id": case.request.id,
            "by": by,
            "approved": entry["approved"],
            "witness": entry["witness"],
            "media_id": entry["media_id"],
            "purpose": entry["purpose"],
            "reason": entry["reason"],
            "recipient": entry["recipient"],
            "rows": entry["rows"],
            "digest": entry["digest"],
        }
    )
    book.amend(job, put_out=[*entry.get("put_out", ()), by["at"]])


def _book(papers: Papers) -> Register:
    return Register(papers, "output")


def _takes_part(witness: str, *acting: dict[str, str]) -> bool:
    """Whether a witness is, by 照合ID or 操作者ID, one of those who act."""
    names = {each[key].casefold() for each in acting for key in ("person", "operator")}
    return witness.strip().casefold() in names


def _same_person(text: str) -> NotPermitted:
    return NotPermitted("a second person must do this", [Problem("B-30", "operator", text)])


STATES = {
    "queued": "処理が終わっていません。進行状況を確認してください。",
    "done": "まだ承認されていません。承認者に承認を依頼してください。",
    "approved": "既に承認されています。",
    "cancelled": "取り消されています。必要なら申請し直してください。",
    "expired": "保存期間が過ぎて消去されました。必要なら申請し直してください。",
}


def _still_asked(case: Case, entry: Entry) -> None:
    """Refuse a result whose submitter could not ask for it today."""
    try:
        case.rights_of(behalf_of(entry))
    except NotPermitted as over:
        text = "申請した人の権限が終わっています。取り消して、権限のある人が申請し直してください。"
        raise NotPermitted(over.text, [Problem("B-33", "job", text)]) from None


def _nobody_protected(case: Case, jobs: Jobs, job: int) -> None:
    """Refuse a result with somebody in it who was no protected person yet when it was made."""
    if [person for person in jobs.persons(job) if case.registry.is_guarded(person)]:
        text = "作成後に要注意とされた方が含まれています。取り消して、申請し直してください。"
        raise Conflict("somebody in it is protected now", [Problem("B-34", "job", text)])


def _expect(entry: Entry, state: str, today: date) -> None:
    if (now := state_on(entry, today)) != state:
        text = STATES[now]
        raise Conflict(f"the job is not {state}", [Problem("B-31", "job", text)])


OPERATIONS = (
    Operation(
        name=OperationName("provision/bulk-approve"),
        summary="Let a bulk result leave on one medium; never by whoever submitted it.",
        asks=Approve,
        answers=JobStatus,
        handler=approve,
        changes=True,
        records=("job", "media_id", "witness"),
    ),
    Operation(
        name=OperationName("provision/bulk-fetch"),
        summary="Take a bulk result out, sealed to its recipient.",
        asks=Fetch,
        answers=Fetched,
        handler=fetch,
        records=("job", "media_id"),
    ),
    Operation(
        name=OperationName("provision/outputs"),
        summary="List every media output.",
        asks=NoArguments,
        answers=Outputs,
        handler=outputs,
        purposed=False,
    ),
)
