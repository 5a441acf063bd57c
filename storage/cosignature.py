"""Cosignatures: a witness says that a checkpoint follows from all it saw (C2SP tlog-cosignature).

    signed       "cosignature/v1" newline "time " seconds newline | the whole text of the checkpoint
    signature    as below any note; its bytes are u64 seconds big-endian | Ed25519 signature 64
    key id       SHA-256(name | newline | 0x04 | public key)[:4]
    vkey         name "+" key id in hex "+" base64(0x04 | public key)
    secret       "PRIVATE+KEY+" name "+" key id in hex "+" base64(0x04 | seed)

A witness says: at that time this was the largest tree of this ledger that I know, and it begins
with every smaller one that I have cosigned.  Type 0x06 (ML-DSA-44) is neither made nor read.
"""

from dataclasses import dataclass
from typing import Self

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from storage.errors import LedgerBroken
from storage.note import (
    PublicKey,
    Signature,
    is_name,
    parse_note,
    signature_line,
    to_base64,
    unbase64,
)

_START = "PRIVATE+KEY+"
_TIME_SIZE, _SIGNATURE_SIZE = 8, 64
_LAST_SECOND = 253_402_300_799
"""Of the year 9999: a later time could not be written down."""


@dataclass(frozen=True, slots=True)
class WitnessKey(PublicKey):
    """The Ed25519 key by which the cosignatures of a witness are verified."""

    KIND = b"\x04"
    IS = "the verifier key of a witness (cosignature/v1)"


@dataclass(frozen=True, slots=True)
class Cosignature:
    """What a witness says: it saw this checkpoint follow from those before, ``at`` seconds."""

    name: str
    key_id: bytes
    at: int
    signature: bytes


class Cosigner:
    """Cosigns checkpoints under a name.  Immutable; threads may share it."""

    def __init__(self, name: str, seed: bytes) -> None:
        """Take a name and the 32-byte seed of an Ed25519 key that signs nothing else.

        Raises:
            ValueError: the name is empty or has spaces or a plus sign in it.
        """
        if not is_name(name):
            raise ValueError("the name of a witness is not empty, without spaces and plus signs")
        self._key = SigningKey(seed)
        self.key = WitnessKey(name, bytes(self._key.verify_key))

    @classmethod
    def parse(cls, secret: str) -> Self:
        """Read a secret as ``secret`` writes it.

        Raises:
            ValueError: it is none; the text does not quote it.
        """
        name, _, rest = secret.strip().removeprefix(_START).partition("+")
        key_id, _, encoded = rest.partition("+")
        material = unbase64(encoded)
        if not secret.startswith(_START) or material[:1] != WitnessKey.KIND or len(material) != 33:
            raise ValueError("this is not the secret key of a witness")
        cosigner = cls(name, material[1:])
        if cosigner.key.key_id.hex() != key_id:
            raise ValueError("this is not the secret key of a witness")
        return cosigner

    @property
    def secret(self) -> str:
        """The key as its owner keeps it, in one line."""
        material = to_base64(WitnessKey.KIND + bytes(self._key))
        return f"{_START}{self.key.name}+{self.key.key_id.hex()}+{material}"

    def cosign(self, text: str, at: int) -> str:
        """Return the signature line, with its newline, under a checkpoint.

        Args:
            text: the whole text of the checkpoint, without signatures.
            at: the time in seconds since 1970.
        """
        made = self._key.sign(_signed(text, at)).signature
        line = signature_line(self.key.name, self.key.key_id, at.to_bytes(_TIME_SIZE, "big") + made)
        return f"{line}\n"


def parse_cosignature(signature: Signature) -> Cosignature:
    """Read a signature as an Ed25519 cosignature, without verifying it.

    Raises:
        LedgerBroken: it has not the size of one.
    """
    if len(signature.blob) != _TIME_SIZE + _SIGNATURE_SIZE:
        raise LedgerBroken("a cosignature has a time of 8 bytes and a signature of 64")
    at = int.from_bytes(signature.blob[:_TIME_SIZE], "big")
    return Cosignature(signature.name, signature.key_id, at, signature.blob[_TIME_SIZE:])


def cosigned_at(note: str, key: WitnessKey) -> int:
    """Return when this witness cosigned a checkpoint last, in seconds since 1970.

    Signatures of other keys are not looked at: neither the ledger's nor other witnesses'.

    Raises:
        LedgerBroken: it did not, or a cosignature that says it is of this key does not verify or
            says a time that no calendar has.
    """
    parsed = parse_note(note)
    mine = [parse_cosignature(each) for each in parsed.signatures if key.made(each)]
    if not mine:
        raise LedgerBroken(f"the checkpoint is not cosigned by {key.name} with this key")
    for each in mine:
        try:
            VerifyKey(key.public).verify(_signed(parsed.text, each.at), each.signature)
        except (BadSignatureError, ValueError):
            raise LedgerBroken(f"the cosignature of {key.name} does not verify") from None
        if each.at > _LAST_SECOND:
            raise LedgerBroken(f"the cosignature of {key.name} is of no time there is")
    return max(each.at for each in mine)


def with_cosignature(note: str, lines: str, key: WitnessKey) -> str:
    """Return a checkpoint with the cosignature that a witness answered.

    Lines of other keys are left out.

    Raises:
        LedgerBroken: there is none of this key among them, or it does not verify.
    """
    answered = parse_note(f"{parse_note(note).text}\n{lines}").signatures
    mine = [each for each in answered if key.made(each)]
    cosigned = note + "".join(
        f"{signature_line(each.name, each.key_id, each.blob)}\n" for each in mine
    )
    cosigned_at(cosigned, key)
    return cosigned


def _signed(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
