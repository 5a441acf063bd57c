"""Evidence that an entry is in the ledger, as one text file (C2SP tlog-proof@v1).

    c2sp.org/tlog-proof@v1
    extra BASE64              only if there is any; nothing vouches for it
    index 73894
    BASE64                    the inclusion proof, a hash a line, from the leaf upwards
    ...
                              an empty line
    the signed checkpoint

Whoever has the entry and the verifier key of the ledger can check it, offline and for ever.  Ours
carry the entry, as it is sealed, in ``extra``: nothing vouches for that line, but only the true
entry has the hash that the proof begins with.  Cosignatures stand below the checkpoint.
"""

from dataclasses import dataclass
from typing import Self

from storage.errors import LedgerBroken
from storage.merkle import Tree, leaf_hash, verify_inclusion
from storage.note import Checkpoint, VerifierKey, open_checkpoint, parse_note, to_base64, unbase64

_FIRST_LINE = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Proof:
    """An inclusion proof beside the checkpoint it leads to; ``checkpoint`` is the whole note."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""

    def text(self) -> str:
        """Return the proof as a text, to be kept with the ending ``.tlog-proof``."""
        lines = [_FIRST_LINE]
        if self.extra:
            lines.append(f"extra {to_base64(self.extra)}")
        lines += f"index {self.index}", *map(to_base64, self.hashes), "", self.checkpoint
        return "\n".join(lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a proof, without checking what it says.

        Raises:
            LedgerBroken: this is not a proof.
        """
        head, _, checkpoint = text.partition("\n\n")
        _, *lines = head.split("\n")
        try:
            extra = unbase64(lines.pop(0)[6:]) if lines[0].startswith("extra ") else b""
            index = int(lines.pop(0).removeprefix("index "))
            proof = cls(index, tuple(map(unbase64, lines)), checkpoint, extra)
        except (ValueError, IndexError):
            raise LedgerBroken("this is not a proof of inclusion") from None
        if proof.text() != text:
            raise LedgerBroken("this is not a proof of inclusion in its one form")
        return proof

    def verify(self, entry: bytes, key: VerifierKey) -> Checkpoint:
        """Return the checkpoint, once it is shown that the ledger has this entry at ``index``.

        Raises:
            LedgerBroken: the checkpoint or the proof does not hold.
        """
        checkpoint = open_checkpoint(self.checkpoint, key)
        verify_inclusion(
            leaf_hash(entry), self.index, checkpoint.size, self.hashes, checkpoint.root
        )
        return checkpoint


def prove(tree: Tree, index: int, checkpoint: str, extra: bytes = b"") -> Proof:
    """Return the proof that entry ``index`` is in the ledger of this signed checkpoint.

    Args:
        tree: the ledger, at least as long as the checkpoint says.
        index: of the entry, from 0.
        checkpoint: the signed note.
        extra: what is handed over beside it; ours is the entry, so that nothing else is needed.

    Raises:
        ValueError: the checkpoint has no such entry.
        LedgerBroken: a tile is missing.
    """
    size = Checkpoint.parse(parse_note(checkpoint).text).size
    return Proof(index, tuple(tree.inclusion(index, size)), checkpoint, extra)
