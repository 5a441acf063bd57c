"""What a bulk job keeps between its steps: sealed papers, changed in the unit of each request.

===============  =======================  ====================================================
paper            key                      holds
===============  =======================  ====================================================
register bulk    number of the job        who asked for what; every state it has been in
bulk-queue       job                      jobs that have rows left, or are to be closed; failures
bulk-rows        job and chunk            rows of the inquiry, gone once they are answered
bulk-result      job and chunk            rows of the result and of whom, gone when it expires
bulk-progress    job                      how far it is
bulk-expiry      day and job              when a result expires
===============  =======================  ====================================================

A chunk's result, its progress, and the end of its rows are one commit: whoever is killed goes on
with the next chunk, and no row is answered twice or lost.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

import msgspec

from appliance.plugin_api import (
    Case,
    Entry,
    NotFound,
    Papers,
    PersonId,
    Register,
)

CHUNK = 500
"""Rows answered in one step: half a second."""
QUEUE, ROWS, RESULT = "bulk-queue", "bulk-rows", "bulk-result"
PROGRESS, EXPIRY = "bulk-progress", "bulk-expiry"

NOT_KEPT = "looked up, not kept"
"""Said of a step whose job was cancelled, or whose rights changed, while it looked people up."""


@dataclass(slots=True)
class Progress:
    """How far a job is: chunks and rows answered, rows by result code, and over what time."""

    chunk: int = 0
    done: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    since: str = ""
    last: str = ""


class Jobs:
    """The bulk jobs within reach of one request."""

    def __init__(self, papers: Papers) -> None:
        self.papers = papers
        self.book = Register(papers, "bulk")
        """申請から失効まで: every job, by number."""

    def submit(self, entry: Entry, chunks: Sequence[bytes]) -> int:
        """Enter a job with its rows, packed by ``packed``; return its number."""
        job = self.book.add({**entry, "chunks": len(chunks)})
        for chunk, rows in enumerate(chunks):
            self.papers.put(ROWS, _part(job, chunk), {"rows": rows})
        self.papers.put(QUEUE, _key(job), {"failures": 0})
        return job

    def of(self, case: Case, job: int) -> Entry:
        """Return a job under the 事務 of this request.

        Raises:
            NotFound: there is none of this number, or it belongs to another 事務.
        """
        entry = self.book.get(job)
        if entry["purpose"] != case.request.purpose:
            raise NotFound("this purpose has no such job")
        return entry

    def waiting(self) -> int | None:
        """Return the job that is next, or None: the oldest of those that failed least."""
        queued = [(paper["failures"], int(key)) for key, paper in self.papers.every(QUEUE)]
        return min(queued)[1] if queued else None

    def put_back(self, job: int) -> None:
        """Let a job whose step failed wait until no other has anything left to do."""
        paper = self.papers.get(QUEUE, _key(job))
        if paper is not None:
            self.papers.replace(QUEUE, _key(job), {"failures": paper["failures"] + 1})

    def failing(self) -> list[int]:
        """Return the jobs whose last step failed."""
        return [int(key) for key, paper in self.papers.every(QUEUE) if paper["failures"]]

    def progress(self, job: int) -> Progress:
        """Return how far a job is."""
        return Progress(**(self.papers.get(PROGRESS, _key(job)) or {}))

    def rows(self, job: int, chunk: int) -> list[list[str]]:
        """Return the rows of a chunk that is not answered yet.

        Raises:
            NotFound: it is, or the job was cancelled.
        """
        kept = self.papers.get(ROWS, _part(job, chunk))
        if kept is None:
            raise NotFound("these rows are not there any more")
        return msgspec.json.decode(kept["rows"], type=list[list[str]])

    def answered(
        self, job: int, text: str, progress: Progress, persons: Collection[PersonId]
    ) -> None:
        """Keep the result of the chunk before ``progress``, and whose, in place of its rows."""
        part = _part(job, progress.chunk - 1)
        self.papers.put(RESULT, part, {"text": text, "persons": sorted(persons)})
        self.papers.drop(ROWS, part)
        self._note(job, progress)

    def result(self, job: int) -> str:
        """Return the rows of a result that are there, in order."""
        kept = self.papers.every(RESULT, _key(job))
        return "".join(paper["text"] for _, paper in kept)

    def persons(self, job: int) -> Iterator[PersonId]:
        """Yield those of whom items stand in a result; one of an earlier version names nobody."""
        for _, paper in self.papers.every(RESULT, _key(job)):
            yield from paper.get("persons", ())

    def close(self, job: int, expires: date, **changed: Any) -> None:
        """Take a job out of the queue: every row is answered; the result expires on a day."""
        self.papers.drop(QUEUE, _key(job))
        self.papers.put(EXPIRY, f"{expires}-{_key(job)}", {})
        self.book.amend(job, state="done", expires=expires.isoformat(), **changed)

    def forget(self, job: int, state: str, **changed: Any) -> Entry:
        """End a job: nothing of its rows and results stays, nor how many came to what."""
        entry = self.book.amend(job, state=state, **changed)
        self._note(job, replace(self.progress(job), counts={}))
        self.papers.drop(QUEUE, _key(job))
        if "expires" in entry:
            self.papers.drop(EXPIRY, f"{entry['expires']}-{_key(job)}")
        for chunk in range(entry["chunks"]):
            self.papers.drop(ROWS, _part(job, chunk))
            self.papers.drop(RESULT, _part(job, chunk))
        return entry

    def _note(self, job: int, progress: Progress) -> None:
        self.papers.replace(PROGRESS, _key(job), asdict(progress))

    def expired(self, today: date) -> Iterator[int]:
        """Yield the jobs whose result is to be gone by this day, the oldest first."""
        for key, _ in self.papers.every(EXPIRY):
            day, _, job = key.rpartition("-")
            if day > today.isoformat():
                return
            yield int(job)


def state_on(entry: Entry, today: date) -> str:
    """Return the state of a job; who is to expire today has expired, erased yet or not."""
    kept = entry["state"] in ("done", "approved")
    return "expired" if kept and entry["expires"] <= today.isoformat() else str(entry["state"])


def packed(rows: Sequence[Sequence[str]]) -> list[bytes]:
    """Return rows in chunks, ready to be kept: the writer has nothing left to do but to seal."""
    return [msgspec.json.encode(rows[at : at + CHUNK]) for at in range(0, len(rows), CHUNK)]


def has_work(papers: Papers) -> bool:
    """Return whether a job has something left to do."""
    return Jobs(papers).waiting() is not None


def _key(job: int) -> str:
    return f"{job:012}"


def _part(job: int, chunk: int) -> str:
    return f"{job:012}-{chunk:06}"
