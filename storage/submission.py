"""What a ledger hands to a witness: its checkpoint, and why it follows (C2SP tlog-witness).

    old 20852014              the size that the witness knows, 0 if none
    BASE64                    the consistency proof, a hash a line, 63 at most
    ...
                              an empty line
    the signed checkpoint

It is the body of ``POST /add-checkpoint``.  The answer is 200 and the cosignature, or

    400  not understood
    403  not signed by that ledger
    404  a ledger the witness knows nothing of
    409  the witness has cosigned another size, told in the body; or another root of this size
    422  the proof does not show that the new tree begins with the old one
"""

from dataclasses import dataclass
from typing import Self

from storage.errors import LedgerBroken
from storage.merkle import HASH_SIZE, Tree
from storage.note import Checkpoint, is_decimal, parse_note, to_base64, unbase64

PATH = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
"""Content-Type of a 409."""
LARGEST = 64 * 1024
"""Bytes of a submission that are read."""
MOST_HASHES = 63


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint beside the proof that it follows from one of ``old`` entries."""

    old: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    def text(self) -> str:
        """Return it as the body of a request."""
        lines = [f"old {self.old}", *map(to_base64, self.hashes), "", self.checkpoint]
        return "\n".join(lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a body, without checking what it says.

        Raises:
            LedgerBroken: this is not a submission.
        """
        head, _, checkpoint = text.partition("\n\n")
        first, *lines = head.split("\n")
        size = first.removeprefix("old ")
        try:
            hashes = tuple(map(unbase64, lines))
        except ValueError:
            raise LedgerBroken("a line of the proof is not base64") from None
        if not first.startswith("old ") or not is_decimal(size):
            raise LedgerBroken("the first line is not 'old' and a size")
        if len(hashes) > MOST_HASHES or any(len(each) != HASH_SIZE for each in hashes):
            raise LedgerBroken(f"a proof is of at most {MOST_HASHES} hashes of 32 bytes")
        return cls(int(size), hashes, checkpoint)


def submit(tree: Tree, old: int, checkpoint: str) -> Submission:
    """Return what makes a witness, who knows the first ``old`` entries, cosign a checkpoint.

    Args:
        tree: the ledger, at least as long as the checkpoint says.
        old: how many entries the witness has cosigned, 0 if none.
        checkpoint: the signed note.

    Raises:
        ValueError: the checkpoint has not so many entries.
        LedgerBroken: a tile is missing.
    """
    size = Checkpoint.parse(parse_note(checkpoint).text).size
    proof = tree.consistency(old, size) if old else []
    return Submission(old, tuple(proof), checkpoint)
