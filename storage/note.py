"""Signed notes and checkpoints, in the formats that log witnesses and Go's ``sumdb`` read.

    note         text ending in a newline | empty line | signature lines     C2SP signed-note
    signature    "— " name " " base64(key id 4 | signature)
    key id       SHA-256(name | newline | type | public key)[:4]
    verifier key name "+" key id in hex "+" base64(type | public key)
    checkpoint   origin, size, base64(root), a line each                     C2SP tlog-checkpoint

Type 0x01 is Ed25519 over the text, RFC 8032.  Cosignatures of witnesses (type 0x04) are read, and
not verified: who trusts a witness holds its key and checks it there.

A checkpoint has no lines beyond the three: what nobody can recompute has no place in it.
"""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from storage.errors import LedgerBroken

ED25519 = b"\x01"
LARGEST_NOTE = 1 << 20
"""Characters a note may have before anybody looks at it."""

_KEY_ID_SIZE = 4
_HASH_SIZE = 32


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: whose it says it is, and its bytes."""

    name: str
    key_id: bytes
    blob: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart; nothing in it is to be believed yet."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Cosignature:
    """What a witness says: it saw this checkpoint follow from those before, ``at`` seconds."""

    name: str
    key_id: bytes
    at: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """An Ed25519 key by which notes are verified; as a string it is a vkey."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read ``name+id+key``.

        Raises:
            ValueError: this is not the verifier key of an Ed25519 signer.
        """
        parts = vkey.strip().split("+", 2)
        if len(parts) != 3:
            raise ValueError("a verifier key is name+id+key")
        name, key_id, encoded = parts
        material = unbase64(encoded)
        if material[:1] != ED25519 or len(material) != 33 or not _is_name(name):
            raise ValueError("this is not a verifier key for Ed25519")
        key = cls(name, material[1:])
        if key.key_id.hex() != key_id:
            raise ValueError("the id of the verifier key is not that of its key")
        return key

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before each signature of this key."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:_KEY_ID_SIZE]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{to_base64(ED25519 + self.public)}"


class Signer:
    """Signs notes under a name.  Immutable; threads may share it."""

    def __init__(self, name: str, seed: bytes) -> None:
        """Take a name and the 32-byte seed of an Ed25519 key.

        Raises:
            ValueError: the name is empty or has spaces or a plus sign in it.
        """
        if not _is_name(name):
            raise ValueError("a signer's name is not empty and has no spaces and no plus sign")
        self._key = SigningKey(seed)
        self.verifier = VerifierKey(name, bytes(self._key.verify_key))

    @property
    def vkey(self) -> str:
        """What verifiers need to know."""
        return str(self.verifier)

    def sign(self, text: str) -> str:
        """Return the text as a note with one signature.

        Raises:
            ValueError: the text cannot be the text of a note.
        """
        if not _is_text(text):
            raise ValueError("the text of a note is lines without control characters")
        blob = self.verifier.key_id + self._key.sign(text.encode()).signature
        return f"{text}\n— {self.verifier.name} {to_base64(blob)}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a ledger: its name, how many entries it has, the root of their tree."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the checkpoint as the text of a note."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a note as a checkpoint.

        Raises:
            LedgerBroken: it is none, or has further lines.
        """
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0] or not _is_decimal(lines[1]):
            raise LedgerBroken("this is not a checkpoint: origin, size and root, a line each")
        try:
            root = unbase64(lines[2])
        except ValueError:
            root = b""
        if len(root) != _HASH_SIZE:
            raise LedgerBroken("the root of a checkpoint is a hash of 32 bytes")
        return cls(lines[0], int(lines[1]), root)


def parse_note(note: str) -> Note:
    """Take a note apart.

    Raises:
        LedgerBroken: this is not a signed note.
    """
    text, blank, lines = note.rpartition("\n\n")
    text += "\n"
    if len(note) > LARGEST_NOTE or not blank or not _is_text(text) or not lines.endswith("\n"):
        raise LedgerBroken("this is not a signed note")
    return Note(text, tuple(_signature(line) for line in lines[:-1].split("\n")))


def open_note(note: str, key: VerifierKey) -> str:
    """Return the text of a note, once the key's signature was verified.

    Signatures of other keys are not looked at.

    Raises:
        LedgerBroken: this is not a note, or it is not signed by this key.
    """
    parsed = parse_note(note)
    mine = [
        signature.blob
        for signature in parsed.signatures
        if (signature.name, signature.key_id) == (key.name, key.key_id)
    ]
    if not mine:
        raise LedgerBroken(f"the note is not signed by {key.name} with this key")
    try:
        for blob in mine:
            VerifyKey(key.public).verify(parsed.text.encode(), blob)
    except (BadSignatureError, ValueError):
        raise LedgerBroken(f"the signature of {key.name} does not verify") from None
    return parsed.text


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Return a checkpoint, once the signature of the ledger it names was verified.

    Raises:
        LedgerBroken: it is no checkpoint, not signed by this key, or of another ledger.
    """
    checkpoint = Checkpoint.parse(open_note(note, key))
    if checkpoint.origin != key.name:
        raise LedgerBroken(f"this is a checkpoint of another ledger than {key.name}")
    return checkpoint


def sign_checkpoint(signer: Signer, size: int, root: bytes) -> str:
    """Return the checkpoint of a ledger, named as its signer, as a signed note."""
    return signer.sign(Checkpoint(signer.verifier.name, size, root).text())


def parse_cosignature(signature: Signature) -> Cosignature:
    """Read a signature as an Ed25519 cosignature, without verifying it (C2SP tlog-cosignature).

    Raises:
        LedgerBroken: it has not the size of one.
    """
    if len(signature.blob) != 8 + 64:
        raise LedgerBroken("a cosignature has a time of 8 bytes and a signature of 64")
    at = int.from_bytes(signature.blob[:8], "big")
    return Cosignature(signature.name, signature.key_id, at, signature.blob[8:])


def to_base64(raw: bytes) -> str:
    """Return bytes in standard base64 (RFC 4648 §4)."""
    return base64.b64encode(raw).decode("ascii")


def unbase64(encoded: str) -> bytes:
    """Return the bytes of a standard base64 string in its one spelling.

    Raises:
        ValueError: it is not base64, or not as ``to_base64`` writes it.
    """
    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("this is not base64") from None
    if to_base64(raw) != encoded:
        raise ValueError("this base64 is not in its one spelling")
    return raw


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        blob = unbase64(encoded)
    except ValueError:
        blob = b""
    if dash != "—" or not _is_name(name) or len(blob) <= _KEY_ID_SIZE:
        raise LedgerBroken("a line below the note is not a signature")
    return Signature(name, blob[:_KEY_ID_SIZE], blob[_KEY_ID_SIZE:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(map(str.isspace, name)) and _is_clean(name)


def _is_text(text: str) -> bool:
    return text.endswith("\n") and _is_clean(text)


def _is_clean(text: str) -> bool:
    return not any((c < " " and c != "\n") or "\ud800" <= c <= "\udfff" for c in text)


def _is_decimal(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and str(int(digits[:20])) == digits
