"""Checkpoints that were kept elsewhere, held against an exported ledger.

A ledger that is sound by itself may still have been cut off, put back to an earlier day, or written
anew by somebody who has its key.  None of that agrees with what was signed before and lies out of
his reach: with an auditor, or cosigned by a witness.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from storage.cosignature import WitnessKey, cosigned_at
from storage.errors import LedgerBroken
from storage.merkle import EMPTY_ROOT, Tree
from storage.note import Checkpoint, VerifierKey, open_checkpoint
from storage.tiles import CHECKPOINT, WITNESSED, FolderReader, read_checkpoint


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What a witness has cosigned of a ledger: its first ``size`` entries, ``at`` seconds."""

    name: str
    size: int
    at: int


def hold(
    folder: Path,
    key: VerifierKey,
    anchors: Mapping[str, str],
    witnesses: Collection[WitnessKey] = (),
) -> tuple[Witnessed, ...]:
    """Check that an exported ledger begins with what was signed before, and was seen by others.

    What the folder says is cosigned is an anchor too.

    Args:
        folder: an exported ledger that is sound by itself (``tilecheck.verify_folder``).
        key: the verifier key of the ledger.
        anchors: signed checkpoints by the name under which they are told of.
        witnesses: whose cosignatures must be there, each on one of the checkpoints.

    Returns:
        For each witness, the most that it has cosigned.

    Raises:
        LedgerBroken: says what does not agree, and from which entry to which it lies.
    """
    ours = open_checkpoint(read_checkpoint(folder) or "", key)
    notes = {CHECKPOINT: read_checkpoint(folder) or "", **anchors}
    if (witnessed := read_checkpoint(folder, WITNESSED)) is not None:
        notes[WITNESSED] = witnessed
    _follows(Tree(ours.size, FolderReader(folder, ours.size)), _opened(notes, key))
    return tuple(_most(notes, key, witness) for witness in witnesses)


def _opened(notes: Mapping[str, str], key: VerifierKey) -> list[tuple[str, Checkpoint]]:
    opened = []
    for name, note in notes.items():
        try:
            opened.append((name, open_checkpoint(note, key)))
        except LedgerBroken as problem:
            raise LedgerBroken(f"{name}: {problem}") from None
    return sorted(opened, key=lambda each: each[1].size)


def _follows(tree: Tree, anchors: Collection[tuple[str, Checkpoint]]) -> None:
    agreed = 0
    for name, anchor in anchors:
        if anchor.size > tree.size:
            raise LedgerBroken(
                f"the ledger ends at {tree.size} entries, {name} has {anchor.size} of it: it was "
                f"cut off or put back to an earlier day; entries {tree.size} to {anchor.size - 1} "
                "are missing"
            )
        if (tree.root(anchor.size) if anchor.size else EMPTY_ROOT) != anchor.root:
            raise LedgerBroken(
                f"the ledger was rewritten or forked: its first {anchor.size} entries are not "
                f"those of {name}; the first that differs lies from {agreed} to {anchor.size - 1}"
            )
        agreed = anchor.size


def _most(notes: Mapping[str, str], key: VerifierKey, witness: WitnessKey) -> Witnessed:
    found = []
    for note in notes.values():
        try:
            at = cosigned_at(note, witness)
        except LedgerBroken:
            continue
        found.append(Witnessed(witness.name, open_checkpoint(note, key).size, at))
    if not found:
        raise LedgerBroken(f"no checkpoint of this ledger here is cosigned by {witness.name}")
    return max(found, key=lambda each: (each.size, each.at))
