"""Keyed BLAKE2b: the one way in which a key or a digest comes from another key.

Every derivation has its own ``person`` string (16 bytes at most, part of the BLAKE2b parameter
block, RFC 7693 §2.5), so that no two uses of one key can ever give the same bytes.  The data is
either of fixed width or length-prefixed, so that no two lists of parts look alike.
"""

from hashlib import blake2b

KEY_SIZE = 32


def derive(key: bytes, person: bytes, data: bytes = b"") -> bytes:
    """Return 32 bytes that only a holder of ``key`` can compute.

    Args:
        key: 16 to 64 bytes.
        person: what the result is for, 1 to 16 bytes.
        data: the message; its parts fixed in width or length-prefixed.
    """
    return blake2b(data, digest_size=KEY_SIZE, key=key, person=person).digest()


def check_value(key: bytes) -> bytes:
    """Return the key check value: 32 bytes that tell keys apart and tell nothing of the key.

    ChaCha20-Poly1305 does not commit to its key; this value does.  Compare it in constant time
    before the key is used.
    """
    return derive(key, b"jk1.kcv")


def prefixed(part: bytes) -> bytes:
    """Return ``part`` behind its length as 16 bits, little-endian.

    Raises:
        OverflowError: the part is longer than 65,535 bytes.
    """
    return len(part).to_bytes(2, "little") + part
