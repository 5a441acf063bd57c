"""Ledger entries as bytes: a clear header that a mirror may see, and a sealed body.

    entry   CBOR [ header: bytes, nonce: 24 bytes, sealed body: bytes ]
    header  CBOR {0: 1, 1: index, 2: unix ms, 3: event, 4: result, 5: epoch, 6: state digest,
                  7: SHA-256 of a file}
            6 is what the store held once the unit was done; 7 the file that was handed out, so
            that whoever has it can show that it is what left; both may be left out
    body    body | 0x80 | 0x00 ... to a multiple of 64, XChaCha20-Poly1305
            key    BLAKE2b-256(key=log-body of the epoch, person="jk1.log.body")
            bound  u16 length of the origin | origin | header

CBOR is RFC 8949 core deterministic; with map keys of 0 to 23 only, the older length-first order is
the same.  Whoever reads encodes again and compares, so that every entry has one form.

The tree is over sealed bytes: destroying the log-body key of a year takes the personal data out of
the ledger and leaves every proof as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import cbor2

from storage import aead
from storage.derive import derive, prefixed
from storage.errors import LedgerBroken

LARGEST_ENTRY = 0xFFFF
"""Bytes an entry may have: its length is 16 bits in an entry bundle (C2SP tlog-tiles)."""

LARGEST_BODY = 65_200
"""Bytes a body may have before sealing."""

_VERSION = 1
_DIGEST_SIZE = 32
_BLOCK = 64
_KEYS = frozenset(range(8))


@dataclass(frozen=True, slots=True)
class Header:
    """What an entry shows to everybody.

    ``epoch`` is the year of the body's key; ``digest`` the state digest (32 bytes) after the
    unit, so that the last entry tells what the store must hold; ``file`` the SHA-256 of a file
    that was handed out, shown to everybody: only of one whose content nobody can guess.
    """

    index: int
    at_ms: int
    event: int
    result: int
    epoch: int
    digest: bytes | None = None
    file: bytes | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """An entry taken apart, its body still sealed."""

    header: Header
    header_bytes: bytes
    nonce: bytes
    sealed: bytes


def body_key(log_body: bytes) -> bytes:
    """Return the key that seals bodies, from the ``log-body`` key of a year."""
    return derive(log_body, b"jk1.log.body")


def subject_token(log_subj: bytes, person: int) -> bytes:
    """Return 16 bytes by which the entries about a person are found, one token a year.

    The token is in no entry, so that who holds a copy of the ledger learns no profile.
    """
    data = person.to_bytes(8, "little")
    return blake2b(data, digest_size=16, key=log_subj, person=b"jk1.log.subj").digest()


def seal_leaf(header: Header, body: bytes, key: bytes, origin: str) -> bytes:
    """Return the entry as bytes, the body sealed under a fresh nonce.

    Args:
        header: what stays clear.
        body: at most 65,200 bytes.
        key: from ``body_key``, of the header's epoch.
        origin: the name of the ledger.

    Raises:
        ValueError: the body is too long, or the header cannot be written.
    """
    if len(body) > LARGEST_BODY:
        raise ValueError(f"a ledger body has at most {LARGEST_BODY} bytes, not {len(body)}")
    clear = _encoded(header)
    padded = body + b"\x80" + bytes(-(len(body) + 1) % _BLOCK)
    sealed = aead.seal(padded, key, prefixed(origin.encode()) + clear)
    nonce, ciphertext = sealed[: aead.NONCE_SIZE], sealed[aead.NONCE_SIZE :]
    return cbor2.dumps([clear, nonce, ciphertext], canonical=True)


def parse_leaf(entry: bytes) -> Leaf:
    """Take an entry apart; every entry has exactly one form.

    Raises:
        LedgerBroken: these bytes are not an entry as ``seal_leaf`` writes it.
    """
    try:
        clear, nonce, sealed = _parts(cbor2.loads(entry))
        header = _decoded(cbor2.loads(clear))
        again = cbor2.dumps([_encoded(header), nonce, sealed], canonical=True)
    except (cbor2.CBORError, ValueError):
        raise LedgerBroken("an entry is not in the form of an entry") from None
    if again != entry:
        raise LedgerBroken("an entry is not in its one form")
    return Leaf(header, clear, nonce, sealed)


def open_leaf(entry: bytes, keys: Mapping[int, bytes], origin: str) -> tuple[Header, bytes]:
    """Return the header and the opened body of an entry.

    Args:
        entry: the bytes.
        keys: keys from ``body_key``, by epoch.
        origin: the name of the ledger.

    Raises:
        LedgerBroken: the entry has no proper form, belongs to another ledger, was changed, or
            the key of its epoch is not held.
    """
    leaf = parse_leaf(entry)
    index = leaf.header.index
    if leaf.header.epoch not in keys:
        raise LedgerBroken(f"entry {index} is of {leaf.header.epoch}, whose key is not held")
    try:
        bound = prefixed(origin.encode()) + leaf.header_bytes
        padded = aead.unseal(leaf.nonce + leaf.sealed, keys[leaf.header.epoch], bound)
    except aead.DoesNotOpen:
        raise LedgerBroken(f"entry {index} does not open") from None
    body = padded.rstrip(b"\x00")
    if not body.endswith(b"\x80"):
        raise LedgerBroken(f"entry {index} has a body without its padding")
    return leaf.header, body[:-1]


def _encoded(header: Header) -> bytes:
    numbers = (header.index, header.at_ms, header.event, header.result, header.epoch)
    if any(type(number) is not int or not 0 <= number < 1 << 64 for number in numbers):
        raise ValueError("a number of a ledger header is not in 0 to 2**64 - 1")
    clear: dict[int, int | bytes] = {0: _VERSION, **dict(enumerate(numbers, start=1))}
    for key, digest in ((6, header.digest), (7, header.file)):
        if digest is not None:
            if type(digest) is not bytes or len(digest) != _DIGEST_SIZE:
                raise ValueError("a digest in a ledger header has 32 bytes")
            clear[key] = digest
    # Keys were put in in their order, so this is the canonical form, in a quarter of the time.
    return cbor2.dumps(clear)


def _parts(entry: object) -> tuple[bytes, bytes, bytes]:
    if not isinstance(entry, list) or [type(part) for part in entry] != [bytes] * 3:
        raise ValueError("an entry is three byte strings")
    clear, nonce, sealed = entry
    if len(nonce) != aead.NONCE_SIZE or len(sealed) % _BLOCK != aead.TAG_SIZE:
        raise ValueError("an entry has a nonce of 24 bytes and a body of whole blocks")
    return clear, nonce, sealed


def _decoded(clear: object) -> Header:
    if not isinstance(clear, dict) or not set(clear) <= _KEYS or clear.get(0) != _VERSION:
        raise ValueError("a ledger header of no known version")
    fields: Sequence[Any] = [clear.get(key) for key in range(1, 8)]
    return Header(*fields)
