"""Sealing under keys that last: XChaCha20-Poly1305 with a random nonce, in libsodium.

    sealed   nonce 24 | ciphertext | tag 16

A random nonce of 192 bits does not repeat in practice, so no counter has to survive a crash or a
restored backup.  What the bytes are *bound* to is not stored: they open only where they belong.

Draft-irtf-cfrg-xchacha; ``crypto_aead_xchacha20poly1305_ietf`` of libsodium.
"""

import os

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

NONCE_SIZE = 24
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
    return drawn + sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, bound, drawn, key)


def unseal(sealed: bytes, key: bytes, bound: bytes) -> bytes:
    """Return what ``seal`` was given.

    Raises:
        DoesNotOpen: not under this key, or not at this place.
    """
    if len(sealed) < OVERHEAD:
        raise DoesNotOpen
    try:
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[NONCE_SIZE:], bound, sealed[:NONCE_SIZE], key
        )
    except CryptoError:
        raise DoesNotOpen from None
