"""What shows that a store, or its key ring, was put back to an earlier day.

The database proves itself by its last entry, and an older copy of it does too. So it is held
against what lies beside it: the checkpoint in ``tiles/``, signed by this ledger, the one that the
witness cosigned last, and where the ledger stood when the process last unsealed and ended
(``boot-journal.jsonl``). The key ring is held against the check values that the store keeps,
sealed. Evidence that is behind is normal.

Who puts back the whole folder is found by what is kept elsewhere: by the witness, who is asked
(``witnessing.py``), or by a checkpoint (``juki check --anchor``).
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from appliance.machine.store import Identity, Layout
from storage.engine import Unit, View
from storage.errors import LedgerBroken, WrongKey
from storage.journal import FIRST, digests, read_journal
from storage.keyring import KeyRing
from storage.merkle import Tree
from storage.note import Checkpoint, VerifierKey, open_checkpoint
from storage.tiles import CHECKPOINT, read_note

LEDGER_STOOD = "ledger"
"""Event of the boot journal that says where the ledger stood."""
COLLECTION, KEY = "core.installation", b"key-ring"


class RingBook(msgspec.Struct, frozen=True, kw_only=True):
    """The key ring as the store last knew it: its serial, and the check value of every key."""

    serial: int
    checks: dict[str, str]


def refuse_rolled_back(view: View, layout: Layout, identity: Identity) -> None:
    """Refuse a ledger that does not go on from what is known of it outside the store.

    Raises:
        LedgerBroken: says where which evidence lies, and the way out.
        Tampered: the boot journal was changed.
    """
    size = view.ledger_size()
    tree = Tree(size, view)
    for path, stood, root in _evidence(layout, identity):
        if stood > size:
            raise _rolled_back(layout, path, f"had {stood} entries, the store has {size}")
        if tree.root(stood) != root:
            raise _rolled_back(layout, path, f"began with {stood} other entries")


def where_it_stands(checkpoint: str) -> dict[str, str | int]:
    """Return of a checkpoint what the boot journal keeps."""
    _, size, root = checkpoint.splitlines()[:3]
    return {"size": int(size), "root": root}


def journal_head(layout: Layout) -> str:
    """Return for the ledger where the boot journal stands: its last line, and the hash of it.

    The journal needs no key; from here on nobody changes a line up to this one without being found
    (``juki journal verify --holds``).
    """
    lines = digests(layout.journal) if layout.journal.exists() else []
    return f"boot journal {len(lines)} {lines[-1] if lines else FIRST}"


def refuse_old_ring(view: View, ring: KeyRing, layout: Layout) -> None:
    """Refuse a key ring that is not the one the store was last opened with, or a later one.

    Raises:
        WrongKey: says what is wrong with it, and the way out.
    """
    book = read_book(view)
    if book is None:
        return
    there, wrong = _checks(ring), []
    if ring.header.serial < book.serial:
        wrong.append(f"it is save {ring.header.serial}, the store knows save {book.serial}")
    wrong += [
        f"the key {name} is {'another' if name in there else 'missing'}"
        for name, check in sorted(book.checks.items())
        if there.get(name) != check
    ]
    if wrong:
        raise WrongKey(
            f"{layout.ring}: an old key ring was put back: {'; '.join(wrong)}. Nothing was "
            f"written. Put back the ring with save {book.serial} or later (the saves before the "
            "present file lie beside it, and in the backups), then unseal again"
        )


def read_book(view: View) -> RingBook | None:
    """Return the key ring as the store last knew it; None before the first opening."""
    found = view.document(COLLECTION, KEY)
    return None if found is None else msgspec.json.decode(found.body, type=RingBook)


def new_keys(view: View, ring: KeyRing) -> list[str]:
    """Return the keys that the ring has and the store does not know yet."""
    book = read_book(view)
    return [] if book is None else [name for name in ring.names() if name not in book.checks]


def put_book(unit: Unit, ring: KeyRing) -> None:
    """Write what the key ring now is, if it has changed."""
    book = RingBook(serial=ring.header.serial, checks=_checks(ring))
    if book != read_book(unit):
        unit.put_document(COLLECTION, KEY, msgspec.json.encode(book))


def _evidence(layout: Layout, identity: Identity) -> Iterator[tuple[Path, int, bytes]]:
    """Yield where it is said that the ledger had so many entries with this root."""
    for path in (layout.tiles / CHECKPOINT, layout.witnessed):
        if (signed := _signed(path, layout, identity)) is not None:
            yield path, signed.size, signed.root
    for line in reversed(read_journal(layout.journal) if layout.journal.exists() else []):
        if line["event"] == LEDGER_STOOD:
            note = f"{identity.origin}\n{line['size']}\n{line['root']}\n"
            stood = Checkpoint.parse(note)
            yield layout.journal, stood.size, stood.root
            return


def _signed(path: Path, layout: Layout, identity: Identity) -> Checkpoint | None:
    try:
        note = read_note(path)
        key = VerifierKey.parse(identity.ledger_key)
        return None if note is None else open_checkpoint(note, key)
    except LedgerBroken:
        doubtful = path if path == layout.witnessed else layout.tiles
        raise LedgerBroken(
            f"{path}: is not a checkpoint that this ledger signed. "
            f"Move {doubtful} away and keep it as evidence, then unseal again: "
            "it is written anew"
        ) from None


def _rolled_back(layout: Layout, evidence: Path, what: str) -> LedgerBroken:
    return LedgerBroken(
        f"{layout.store}: an earlier or another ledger was put back: by {evidence} it {what}. "
        "Nothing was written. Put the newest juki.db back, together with its juki.db-wal, and "
        f"unseal again. If the newest one is lost for good: move {layout.tiles}, "
        f"{layout.witnessed} and {layout.journal} away, keep them as evidence of the entries that "
        "are missing, and unseal again; a witness will not let that pass"
    )


def _checks(ring: KeyRing) -> dict[str, str]:
    return {name: check.hex() for name, check in ring.checks().items()}
