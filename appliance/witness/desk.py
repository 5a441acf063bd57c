"""The witness at work: a checkpoint is cosigned if it follows from the last one that was.

The answers are those of C2SP tlog-witness (``storage.submission``). Two of them mean more than no,
when they are about a checkpoint that the ledger has signed: then it contradicts what it had signed
before, and both are kept as evidence::

    rollback   it signs fewer entries than were cosigned: an earlier state was put back
    fork       it signs as many and others, or more, and does not show that they begin with those

Nobody makes a checkpoint without the ledger's key. Whoever has true ones can send an old one once
more, though, or a newer one with a proof that is none: so the machines that may connect are known,
and a human looks.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import NamedTuple

from appliance.witness.shelf import Kind, Shelf
from storage.cosignature import Cosigner
from storage.errors import LedgerBroken
from storage.merkle import EMPTY_ROOT, verify_consistency
from storage.note import Checkpoint, Note, VerifierKey, open_checkpoint, parse_note
from storage.submission import SIZE_TYPE, Submission

TEXT = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """What is answered: a status, the type of the body, the body."""

    status: HTTPStatus
    media_type: str
    body: str


class Desk:
    """Takes submissions, from any thread; one is judged at a time.

    Args:
        cosigner: the key of this witness.
        ledgers: by which keys which ledgers sign; several keys of one name are one ledger.
        shelf: where the last cosigned checkpoints are.
        clock: the time in seconds since 1970.
    """

    def __init__(
        self,
        cosigner: Cosigner,
        ledgers: Iterable[VerifierKey],
        shelf: Shelf,
        clock: Callable[[], int],
    ) -> None:
        self._cosigner = cosigner
        self._keys: Mapping[str, list[VerifierKey]] = {}
        for key in ledgers:
            self._keys.setdefault(key.name, []).append(key)
        self._shelf = shelf
        self._clock = clock
        # Looking at the last checkpoint and keeping the next are one step.
        self._one_at_a_time = threading.Lock()

    def add_checkpoint(self, body: bytes) -> Answer:
        """Return the cosignature, once the checkpoint is kept; or no, and why.

        Raises:
            LedgerBroken: what was kept is damaged; nothing is cosigned.
            OSError: the disk; nothing is cosigned.
        """
        try:
            submission = Submission.parse(body.decode("utf-8"))
            note = parse_note(submission.checkpoint)
            claimed = Checkpoint.parse(note.text)
        except (UnicodeDecodeError, LedgerBroken) as problem:
            return _no(HTTPStatus.BAD_REQUEST, str(problem))
        keys = self._keys.get(claimed.origin)
        if keys is None:
            return _no(HTTPStatus.NOT_FOUND, "this witness knows nothing of such a ledger")
        if not _is_signed(submission.checkpoint, note, keys):
            return _no(HTTPStatus.FORBIDDEN, "the ledger has not signed this checkpoint")
        if submission.old > claimed.size:
            return _no(HTTPStatus.BAD_REQUEST, "the old size is larger than the checkpoint's")
        with self._one_at_a_time:
            return self._judged(submission, note.text, claimed)

    def _judged(self, submission: Submission, text: str, new: Checkpoint) -> Answer:
        """Return the answer about a checkpoint that the ledger has signed."""
        last = self._last(new.origin)
        if kind := _contradicts(last, new):
            self._evidence(kind, last, new, submission.checkpoint)
            return _size(last.size)
        if submission.old != last.size:
            return _size(last.size)
        if not _follows(last, submission, new):
            self._evidence(Kind.FORK, last, new, submission.checkpoint)
            return _no(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"it is not shown that the ledger of {new.size} entries begins with the "
                f"{last.size} that were cosigned",
            )
        line = self._cosigner.cosign(text, self._clock())
        self._shelf.keep(new.origin, submission.checkpoint + line)
        return Answer(HTTPStatus.OK, TEXT, line)

    def _last(self, origin: str) -> Checkpoint:
        note = self._shelf.last(origin)
        if note is None:
            return Checkpoint(origin, 0, EMPTY_ROOT)
        return Checkpoint.parse(parse_note(note).text)

    def _evidence(self, kind: Kind, last: Checkpoint, new: Checkpoint, note: str) -> None:
        what = (
            f"{last.size} entries were cosigned, root {last.root.hex()}; the ledger now signs "
            f"{new.size}, root {new.root.hex()}"
        )
        self._shelf.keep_evidence(kind, new.origin, what, note, self._clock())


def _is_signed(checkpoint: str, note: Note, keys: Iterable[VerifierKey]) -> bool:
    for key in keys:
        if any(key.made(signature) for signature in note.signatures):
            try:
                open_checkpoint(checkpoint, key)
            except LedgerBroken:
                return False
            return True
    return False


def _contradicts(last: Checkpoint, new: Checkpoint) -> Kind | None:
    """Return what a signed checkpoint is evidence of by itself, whatever is shown besides."""
    if new.size < last.size:
        return Kind.ROLLBACK
    if new.size == last.size and new.root != last.root:
        return Kind.FORK
    return None


def _follows(last: Checkpoint, submission: Submission, new: Checkpoint) -> bool:
    if last.size in (0, new.size):
        # Nothing has to be shown: everything begins with nothing, and the roots are the same.
        return not submission.hashes
    try:
        verify_consistency(last.size, new.size, submission.hashes, last.root, new.root)
    except LedgerBroken:
        return False
    return True


def _size(size: int) -> Answer:
    return Answer(HTTPStatus.CONFLICT, SIZE_TYPE, f"{size}\n")


def _no(status: HTTPStatus, why: str) -> Answer:
    return Answer(status, TEXT, f"{why}\n")
