"""What a backup is: a folder with the files of the data folder as of one commit, and their digests.

::

    juki-43-20260401T021500Z-73894/     prefecture, when (UTC), entries of the ledger
      store/juki.db, store/juki.db-wal  encrypted as they are, together as of one commit
      keyring.cbor                      the keys, sealed under the root key
      identity.json                     which store this is
      boot-journal.jsonl
      witnessed.checkpoint              the newest that the witness had cosigned, if one had
      checkpoint                        of this very commit, signed by the ledger
      manifest.json                     what is above, with SHA-256

Nothing in it is in clear that was not (R141), and no key is needed to make one. Names and forms are
believed of nobody: a manifest may name the files above and no others.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from appliance.errors import StartupError
from appliance.machine.store import Identity, Layout, read_identity
from storage.copying import OnBytes, digest_of
from storage.disk import read_regular
from storage.errors import LedgerBroken, StorageError, Tampered
from storage.findings import Finding
from storage.journal import FILE_NAME as JOURNAL
from storage.journal import read_journal
from storage.keyring import FILE_NAME as RING
from storage.keyring import read_header
from storage.note import Checkpoint, VerifierKey, open_checkpoint
from storage.tiles import read_note
from storage.vault import FILE_NAME as DATABASE

FORMAT = "juki-backup/1"
MANIFEST = "manifest.json"
MOST_MANIFEST = 64 * 1024
STORE = f"store/{DATABASE}"
WAL = f"{STORE}-wal"
IDENTITY, WITNESSED, CHECKPOINT = "identity.json", "witnessed.checkpoint", "checkpoint"
NEEDED = frozenset({STORE, RING, IDENTITY, JOURNAL})
OPTIONAL = frozenset({WAL, WITNESSED, CHECKPOINT})
"""A store without WAL was closed in order; a stopped one does not tell its checkpoint."""


class FileSum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a file is, and its SHA-256 in hex."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup says of itself; vouched for by the entry of the ledger that has its digest."""

    format: str
    installation: str
    origin: str
    prefecture: str
    made_at: str
    ledger_size: int
    """Entries of the ledger that are in it; where it is not ``exact``, at least so many."""
    exact: bool
    files: dict[str, FileSum]

    @property
    def size(self) -> int:
        """How many bytes the files have together."""
        return sum(each.size for each in self.files.values())

    def encoded(self) -> bytes:
        """Return the bytes of the file."""
        return msgspec.json.format(msgspec.json.encode(self, order="deterministic")) + b"\n"


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Return what a backup says of itself, and the SHA-256 of that, in hex.

    Raises:
        StartupError: this folder is no backup, or of a later release.
        OSError: it cannot be read.
    """
    try:
        raw = read_regular(folder / MANIFEST, MOST_MANIFEST)
    except (FileNotFoundError, NotADirectoryError):
        raise StartupError(f"{folder}: is no backup: it has no {MANIFEST}") from None
    try:
        manifest = msgspec.json.decode(raw or b"", type=Manifest)
    except (ValueError, msgspec.ValidationError):
        raise StartupError(f"{folder / MANIFEST}: is not the manifest of a backup") from None
    if manifest.format != FORMAT:
        raise StartupError(f"{folder}: is a backup of another form, not {FORMAT}")
    named = frozenset(manifest.files)
    if not named >= NEEDED or not named <= NEEDED | OPTIONAL:
        raise StartupError(f"{folder / MANIFEST}: does not name the files of a backup")
    return manifest, sha256(raw or b"").hexdigest()


def differences(folder: Path, manifest: Manifest, on: OnBytes) -> Iterator[Finding]:
    """Yield every file that is missing, is too many, or is not as it was made."""
    there = {str(path.relative_to(folder)): path for path in folder.rglob("*") if not path.is_dir()}
    for name in sorted(there.keys() - manifest.files.keys() - {MANIFEST}):
        yield Finding(name, "does not belong to the backup")
    for name, wanted in sorted(manifest.files.items()):
        path = there.get(name)
        if path is None or path.is_symlink() or not path.is_file():
            yield Finding(name, "is missing")
            continue
        found = digest_of(path, on)
        if found.size != wanted.size:
            yield Finding(name, f"has {found.size} bytes, not {wanted.size}")
        elif found.sha256 != wanted.sha256:
            yield Finding(name, "was changed: it has another SHA-256")


def contradictions(folder: Path, manifest: Manifest, vkey: str | None) -> Iterator[Finding]:
    """Yield what does not agree between the files, as far as can be told without a key.

    Args:
        folder: of a backup whose files are as they were made.
        manifest: of it.
        vkey: the verifier key of the ledger, from elsewhere; None: the backup's own is taken.
    """
    layout = Layout(folder)
    try:
        identity = read_identity(layout)
        key = VerifierKey.parse(identity.ledger_key if vkey is None else vkey)
        installation = read_header(layout.ring).installation.hex()
    except (StartupError, StorageError, ValueError) as problem:
        yield Finding(IDENTITY, f"or {RING} is not one: {problem}")
        return
    if vkey not in (None, identity.ledger_key):
        yield Finding(IDENTITY, "names another ledger key than the one given")
    said = (manifest.installation, manifest.origin, manifest.prefecture)
    if said != (identity.installation, identity.origin, identity.prefecture):
        yield Finding(IDENTITY, "is of another store than the manifest says")
    if installation != identity.installation:
        yield Finding(RING, "is of another store")
    yield from _checkpoints(folder, manifest, key)
    try:
        read_journal(layout.journal)
    except Tampered as problem:
        yield Finding(JOURNAL, str(problem))


def stands_at_least(layout: Layout, identity: Identity) -> int:
    """Return how many entries the ledger of a stopped store has at least, by what lies beside it.

    Raises:
        LedgerBroken, Tampered: what lies beside it is not as it was written.
    """
    key = VerifierKey.parse(identity.ledger_key)
    notes = (read_note(path) for path in (layout.tiles / "checkpoint", layout.witnessed))
    sizes = [open_checkpoint(note, key).size for note in notes if note is not None]
    if layout.journal.exists():
        lines = read_journal(layout.journal)
        sizes += [int(line["size"]) for line in lines if line["event"] == "ledger"]
    return max(sizes, default=0)


def _checkpoints(folder: Path, manifest: Manifest, key: VerifierKey) -> Iterator[Finding]:
    for name in sorted({CHECKPOINT, WITNESSED} & manifest.files.keys()):
        try:
            signed: Checkpoint = open_checkpoint(read_note(folder / name) or "", key)
        except LedgerBroken as problem:
            yield Finding(name, str(problem))
            continue
        if signed.origin != manifest.origin:
            yield Finding(name, f"is of another ledger, {signed.origin}")
        if name == CHECKPOINT and signed.size != manifest.ledger_size:
            yield Finding(name, f"is of {signed.size} entries, not {manifest.ledger_size}")
        if name == WITNESSED and signed.size > manifest.ledger_size:
            yield Finding(name, "is of more entries than the backup has")
    if manifest.exact and CHECKPOINT not in manifest.files:
        yield Finding(CHECKPOINT, "is missing")
