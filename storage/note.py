"""Signed notes and checkpoints, in the formats that log witnesses and Go's ``sumdb`` read.

    note         text ending in a newline | empty line | signature lines     C2SP signed-note
    signature    "— " name " " base64(key id 4 | signature)
    key id       SHA-256(name | newline | type | public key)[:4]
    verifier key name "+" key id in hex "+" base64(type | public key)
    checkpoint   origin, size, base64(root), a line each                     C2SP tlog-checkpoint

Type 0x01 is Ed25519 over the text, RFC 8032.  What a witness adds (type 0x04) is in
``cosignature.py``.

A checkpoint has no lines beyond the three: what nobody can recompute has no place in it.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Self

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from storage.errors import LedgerBroken

ED25519 = b"\x01"
LARGEST_NOTE = 1 << 20
"""Characters a note may have before anybody looks at it."""

_DIRT = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")
"""Control characters other than the newline, and halves of characters."""

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
class PublicKey:
    """An Ed25519 key under a name, for one kind of signature; as a string it is a vkey."""

    name: str
    public: bytes

    KIND: ClassVar[bytes]
    """The byte by which the kinds are told apart."""
    IS: ClassVar[str]

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read ``name+id+key``.

        Raises:
            ValueError: this is not a key of this kind.
        """
        parts = vkey.strip().split("+", 2)
        if len(parts) != 3:
            raise ValueError("a verifier key is name+id+key")
        name, key_id, encoded = parts
        material = unbase64(encoded)
        if material[:1] != cls.KIND or len(material) != 33 or not is_name(name):
            raise ValueError(f"this is not {cls.IS}")
        key = cls(name, material[1:])
        if key.key_id.hex() != key_id:
            raise ValueError("the id of the verifier key is not that of its key")
        return key

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before each signature of this key."""
        return sha256(self.name.encode() + b"\n" + self.KIND + self.public).digest()[:_KEY_ID_SIZE]

    def made(self, signature: Signature) -> bool:
        """Return whether a signature says it is of this key."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{to_base64(self.KIND + self.public)}"


@dataclass(frozen=True, slots=True)
class VerifierKey(PublicKey):
    """An Ed25519 key by which notes are verified."""

    KIND = ED25519
    IS = "a verifier key for Ed25519"


class Signer:
    """Signs notes under a name.  Immutable; threads may share it."""

    def __init__(self, name: str, seed: bytes) -> None:
        """Take a name and the 32-byte seed of an Ed25519 key.

        Raises:
            ValueError: the name is empty or has spaces or a plus sign in it.
        """
        if not is_name(name):
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
        raw = self._key.sign(text.encode()).signature
        return f"{text}\n{signature_line(self.verifier.name, self.verifier.key_id, raw)}\n"


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
        if len(lines) != 4 or lines[3] or not lines[0] or not is_decimal(lines[1]):
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
    mine = [signature.blob for signature in parsed.signatures if key.made(signature)]
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


def signature_line(name: str, key_id: bytes, raw: bytes) -> str:
    """Return a signature as the line below a note, without its newline."""
    return f"— {name} {to_base64(key_id + raw)}"


def is_name(name: str) -> bool:
    """Return whether somebody may sign under this name."""
    return bool(name) and "+" not in name and not any(map(str.isspace, name)) and _is_clean(name)


def is_decimal(digits: str) -> bool:
    """Return whether these are the digits of a size or an index, in its one spelling."""
    return digits.isascii() and digits.isdigit() and str(int(digits[:20])) == digits


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        blob = unbase64(encoded)
    except ValueError:
        blob = b""
    if dash != "—" or not is_name(name) or len(blob) <= _KEY_ID_SIZE:
        raise LedgerBroken("a line below the note is not a signature")
    return Signature(name, blob[:_KEY_ID_SIZE], blob[_KEY_ID_SIZE:])


def _is_text(text: str) -> bool:
    return text.endswith("\n") and _is_clean(text)


def _is_clean(text: str) -> bool:
    return _DIRT.search(text) is None
