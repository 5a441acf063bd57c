"""One exchange with the witness: a checkpoint goes there, and a cosignature or a no comes back.

::

    POST {url}/add-checkpoint     storage/submission.py: a proof of consistency, the checkpoint
    200                           its cosignature
    409                           it has cosigned another size than we thought: proven from there
    409, 422                      or what it has cosigned is not our ledger

The ledger is read before anybody waits for the other side, and given back.
"""

import http.client
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Self

from appliance.machine.config import Witness
from appliance.machine.link import Answer, Link, TooLong
from storage.cosignature import WitnessKey, cosigned_at, with_cosignature
from storage.engine import View
from storage.errors import LedgerBroken
from storage.merkle import Tree
from storage.note import Checkpoint, VerifierKey, is_decimal, open_checkpoint, parse_note
from storage.submission import PATH, submit

CONNECT_SECONDS, EXCHANGE_SECONDS = 5.0, 10.0
LARGEST_ANSWER = 16 * 1024
TRIES = 3
"""How often a size that the witness names is proven from, in one go."""
HEADERS = {"Content-Type": "text/plain; charset=utf-8"}

Views = Callable[[], AbstractContextManager[View]]


class Kind(Enum):
    """In which way the witness contradicts our ledger."""

    ROLLBACK = "rollback"
    FORK = "fork"


class Contradicted(Exception):
    """The witness has cosigned what our ledger is not; the text says what and where."""

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Unwitnessed(Exception):
    """There is no cosignature, and it says nothing about the ledger; the text is ours."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint of ours that the witness has cosigned."""

    note: str
    checkpoint: Checkpoint
    at: datetime

    @classmethod
    def read(cls, note: str, ledger: VerifierKey, witness: WitnessKey) -> Self:
        """Read a note.

        Raises:
            LedgerBroken: it is not signed by the ledger and cosigned by the witness.
        """
        at = cosigned_at(note, witness)
        return cls(note, open_checkpoint(note, ledger), datetime.fromtimestamp(at, UTC))


class WitnessLine:
    """The way to the witness; one thread asks at a time, ``hang_up`` may be called by another.

    Args:
        witness: which, and where.
        context: how we prove ourselves, and whom we believe (``tls.client_context``).
        ledger: by which key the ledger signs.
    """

    def __init__(self, witness: Witness, context: ssl.SSLContext, ledger: VerifierKey) -> None:
        self.key = witness.vkey
        self.ledger = ledger
        self._link = Link(
            witness.url,
            context,
            connect=CONNECT_SECONDS,
            exchange=EXCHANGE_SECONDS,
            largest=LARGEST_ANSWER,
        )

    def close(self) -> None:
        """Close the connection; the next exchange opens a new one."""
        self._link.close()

    def hang_up(self) -> None:
        """Break off an exchange under way in another thread."""
        self._link.hang_up()

    def cosign(self, views: Views, checkpoint: str, known: Cosigned | None) -> Cosigned:
        """Return the checkpoint with the witness's cosignature.

        Args:
            views: the ledger, at least as long as the checkpoint says.
            checkpoint: the signed note.
            known: what it has cosigned before, as far as we know.

        Raises:
            Contradicted: the witness has cosigned what our ledger is not.
            Unwitnessed: it does not cosign, for another reason; or it is not reached.
        """
        size = Checkpoint.parse(parse_note(checkpoint).text).size
        old = known.checkpoint.size if known is not None and known.checkpoint.size <= size else 0
        for _ in range(TRIES):
            answer = self._posted(views, old, checkpoint)
            if answer.status == http.client.OK:
                return self._understood(checkpoint, answer)
            if answer.status == http.client.UNPROCESSABLE_ENTITY and old:
                raise self._another(views, old, known)
            if answer.status != http.client.CONFLICT:
                raise Unwitnessed(f"the witness answered {answer.status}")
            theirs = _size(answer)
            if theirs > size:
                raise self._behind(size, theirs)
            if theirs == old:
                raise self._another(views, old, known)
            old = theirs
        raise Unwitnessed("the witness names another size every time")

    def _posted(self, views: Views, old: int, checkpoint: str) -> Answer:
        with views() as view:
            body = submit(Tree(view.ledger_size(), view), old, checkpoint).text()
        try:
            return self._link.post_again(PATH, body.encode(), HEADERS)
        except TooLong:
            raise Unwitnessed("the witness answered more than is read") from None
        except (OSError, http.client.HTTPException) as problem:
            raise Unwitnessed(f"the witness is not reached: {type(problem).__name__}") from None

    def _understood(self, checkpoint: str, answer: Answer) -> Cosigned:
        try:
            note = with_cosignature(checkpoint, answer.body.decode(), self.key)
            return Cosigned.read(note, self.ledger, self.key)
        except (LedgerBroken, UnicodeDecodeError):
            raise Unwitnessed("the witness answered without its cosignature") from None

    def _behind(self, size: int, theirs: int) -> Contradicted:
        return Contradicted(
            Kind.ROLLBACK,
            f"the ledger ends at {size} entries, the witness {self.key.name} has cosigned "
            f"{theirs}: the data folder was put back to an older state, and entries {size} to "
            f"{theirs - 1} are missing",
        )

    def _another(self, views: Views, size: int, known: Cosigned | None) -> Contradicted:
        """Return that the first ``size`` entries are not those the witness knows.

        Raises:
            Unwitnessed: it has cosigned exactly these, and we hold that.
        """
        agreed = 0
        if known is not None and known.checkpoint.size <= size:
            with views() as view:
                root = Tree(view.ledger_size(), view).root(known.checkpoint.size)
            if root == known.checkpoint.root:
                agreed = known.checkpoint.size
        if agreed == size:
            raise Unwitnessed(f"the witness refuses the {size} entries that it cosigned itself")
        return Contradicted(
            Kind.FORK,
            f"the witness {self.key.name} has cosigned {size} entries of this ledger that are not "
            f"its first {size}: it was rewritten or forked; the first entry that differs lies from "
            f"{agreed} to {size - 1}",
        )


def _size(answer: Answer) -> int:
    try:
        told = answer.body.decode("ascii")
    except UnicodeDecodeError:
        told = ""
    if not told.endswith("\n") or not is_decimal(told[:-1]) or len(told) > 20:
        raise Unwitnessed("the witness does not say which size it has cosigned")
    return int(told)
