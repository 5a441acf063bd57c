"""Sealing under keys that last: XChaCha20-Poly1305 with a random nonce, in libsodium.

    sealed   nonce 24 | ciphertext | tag 16

A random nonce of 192 bits does not repeat in practice, so no counter has to survive a crash or a
restored backup.  What the bytes are *bound* to is not stored: they open only where they belong.

Draft-irtf-cfrg-xchacha; ``crypto_aead_xchacha20poly1305_ietf`` of libsodium.
"""

import os
from collections.abc import Iterable

from nacl._sodium import ffi, lib  # what ``bindings`` itself calls

NONCE_SIZE = 24
_KEY_SIZE = 32
_NONE, _ZEROS = ffi.NULL, bytes(12)
TAG_SIZE = 16
OVERHEAD = NONCE_SIZE + TAG_SIZE


class DoesNotOpen(Exception):
    """The bytes were changed, or belong elsewhere, or the key is another."""


def seal(plain: bytes, key: bytes, bound: bytes, *, nonce: bytes | None = None) -> bytes:
    """Return ``plain`` sealed under a 32-byte key and bound to its place.

    Args:
        plain: what to seal; 40 bytes are added to its length.
        key: 32 bytes.
        bound: where it belongs.
        nonce: 24 bytes, given by test vectors alone; drawn here otherwise.
    """
    drawn = os.urandom(NONCE_SIZE) if nonce is None else nonce
    if len(drawn) != NONCE_SIZE or len(key) != _KEY_SIZE:
        raise ValueError("a nonce is 24 bytes, and a key 32")
    length = len(plain)
    sealed = ffi.new("unsigned char[]", length + TAG_SIZE)
    lib.crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed, _NONE, plain, length, bound, len(bound), _NONE, drawn, key
    )
    return drawn + bytes(ffi.buffer(sealed))


def seal_once(messages: Iterable[tuple[bytes, bytes, bytes]], size: int) -> bytes:
    """Return messages one after another, each sealed under a key that seals nothing else.

    ChaCha20-Poly1305 (RFC 8439) with a nonce of zeros: ciphertext and tag of each, ``size`` bytes
    in all. Straight into libsodium, for this is done by the million: 24 calls through the bindings
    that are made for single messages take twice as long as all of them here.

    Args:
        messages: key of 32 bytes, plain text, and what it is bound to.
        size: the sum of their lengths, and of a tag each.
    """
    sealed = ffi.new("unsigned char[]", size)
    at = 0
    for key, plain, bound in messages:
        length = len(plain)
        if len(key) != _KEY_SIZE or at + length + TAG_SIZE > size:
            raise ValueError("a key is not 32 bytes, or there is more to seal than was said")
        lib.crypto_aead_chacha20poly1305_ietf_encrypt(
            sealed + at, _NONE, plain, length, bound, len(bound), _NONE, _ZEROS, key
        )
        at += length + TAG_SIZE
    if at != size:
        raise ValueError("there is less to seal than was said")
    return bytes(ffi.buffer(sealed))


def unseal(sealed: bytes, key: bytes, bound: bytes) -> bytes:
    """Return what ``seal`` was given.

    Raises:
        DoesNotOpen: not under this key, or not at this place.
    """
    length = len(sealed) - NONCE_SIZE
    if length < TAG_SIZE:
        raise DoesNotOpen
    if len(key) != _KEY_SIZE:
        raise ValueError("a key is 32 bytes")
    plain = ffi.new("unsigned char[]", length - TAG_SIZE)
    body, nonce = sealed[NONCE_SIZE:], sealed[:NONCE_SIZE]
    failed = lib.crypto_aead_xchacha20poly1305_ietf_decrypt(
        plain, _NONE, _NONE, body, length, bound, len(bound), nonce, key
    )
    if failed:
        raise DoesNotOpen
    return bytes(ffi.buffer(plain))
