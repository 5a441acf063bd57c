"""Index tokens: what a search looks for instead of the value.

    index key   BLAKE2b-256(key=index root, person="jk1.idx.key", name of the index)
    token       top bits of BLAKE2b-128(key=index key, person="jk1.idx.tok", parts)
    parts       for each part: u16 length little-endian | bytes

Each index has its own key, so the same value in two indexes gives tokens that have nothing in
common.  What may be indexed at all, and in which combination, is not decided here.
"""

from collections.abc import Sequence
from hashlib import blake2b

from storage.derive import derive, prefixed

MAX_BITS = 62
"""A token is a non-negative SQLite integer with a spare bit."""

IDENTIFIER_SIZE = 12
"""Bytes of an identifier token: 96 bits, so that two of 10**8 identifiers never meet."""


def index_key(index_root: bytes, name: str) -> bytes:
    """Return the key of the index of this name."""
    return derive(index_root, b"jk1.idx.key", name.encode())


def token(key: bytes, parts: Sequence[bytes], bits: int) -> int:
    """Return the token of a combination of attributes.

    Args:
        key: from ``index_key``.
        parts: the normalised values, in the order of the index.
        bits: width of the token, 1 to 62; fixed for a store when it is made.

    Raises:
        ValueError: the width is out of range.
    """
    if not 1 <= bits <= MAX_BITS:
        raise ValueError(f"a token has 1 to {MAX_BITS} bits, not {bits}")
    return int.from_bytes(_digest(key, parts), "big") >> (128 - bits)


def identifier_token(key: bytes, parts: Sequence[bytes]) -> bytes:
    """Return the token of an identifier, 12 bytes, which one person has and no other."""
    return _digest(key, parts)[:IDENTIFIER_SIZE]


class Tokens:
    """The tokens of one index, made with a key that is taken in once."""

    __slots__ = ("_shift", "_state")

    def __init__(self, key: bytes, bits: int) -> None:
        """``bits`` is the width of its compound tokens, 1 to 62."""
        self._state = blake2b(digest_size=16, key=key, person=b"jk1.idx.tok")
        self._shift = 128 - bits

    def token(self, *parts: str) -> int:
        """Return ``token`` of these parts."""
        state = self._state.copy()
        for part in parts:
            encoded = part.encode()
            state.update(len(encoded).to_bytes(2, "little") + encoded)
        return int.from_bytes(state.digest(), "big") >> self._shift

    def identifier(self, part: str) -> bytes:
        """Return ``identifier_token`` of this part."""
        state = self._state.copy()
        state.update(prefixed(part.encode()))
        return state.digest()[:IDENTIFIER_SIZE]


def _digest(key: bytes, parts: Sequence[bytes]) -> bytes:
    data = b"".join(map(prefixed, parts))
    return blake2b(data, digest_size=16, key=key, person=b"jk1.idx.tok").digest()
