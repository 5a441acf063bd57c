"""Every primitive we use, computed again by another library or from its definition."""

import hashlib
import struct

import nacl.bindings
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_generichash_blake2b_salt_personal
from nacl.signing import SigningKey, VerifyKey

from storage import aead
from storage.derive import derive

keys = st.binary(min_size=32, max_size=32)
texts = st.binary(max_size=200)


@given(keys, st.binary(min_size=1, max_size=16), texts)
def test_derivation_is_libsodium_s_blake2b(key: bytes, person: bytes, data: bytes) -> None:
    theirs = crypto_generichash_blake2b_salt_personal(data, 32, key, person=person)
    assert derive(key, person, data) == theirs


@given(keys, texts, texts)
def test_cells_are_libsodium_s_chacha20_poly1305(key: bytes, plain: bytes, bound: bytes) -> None:
    ours = ChaCha20Poly1305(key).encrypt(bytes(12), plain, bound)
    theirs = nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plain, bound, bytes(12), key)
    assert ours == theirs


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """Return the subkey of XChaCha20, from the definition (draft-irtf-cfrg-xchacha §2.2)."""
    state = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    state += [*struct.unpack("<8I", key), *struct.unpack("<4I", nonce)]

    def add_and_turn(a: int, b: int, d: int, turn: int) -> None:
        state[a] = (state[a] + state[b]) % 2**32
        mixed = state[d] ^ state[a]
        state[d] = (mixed << turn | mixed >> (32 - turn)) % 2**32

    columns = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
    diagonals = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    for a, b, c, d in (columns + diagonals) * 10:
        add_and_turn(a, b, d, 16)
        add_and_turn(c, d, b, 12)
        add_and_turn(a, b, d, 8)
        add_and_turn(c, d, b, 7)
    return struct.pack("<8I", *state[:4], *state[12:])


def test_hchacha20_of_the_draft() -> None:
    nonce = bytes.fromhex("000000090000004a0000000031415927")
    subkey = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    assert hchacha20(bytes(range(32)), nonce).hex() == subkey


@settings(max_examples=30)
@given(keys, texts, texts)
def test_sealing_is_xchacha20_poly1305_by_its_definition(
    key: bytes, plain: bytes, bound: bytes
) -> None:
    sealed = aead.seal(plain, key, bound)
    nonce, ciphertext = sealed[:24], sealed[24:]
    inner = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
    assert inner.decrypt(bytes(4) + nonce[16:], ciphertext, bound) == plain


@settings(max_examples=30)
@given(keys, texts)
def test_signatures_are_openssl_s_ed25519(seed: bytes, text: bytes) -> None:
    ours, theirs = SigningKey(seed), Ed25519PrivateKey.from_private_bytes(seed)
    signature = ours.sign(text).signature
    assert signature == theirs.sign(text)
    theirs.public_key().verify(signature, text)
    VerifyKey(theirs.public_key().public_bytes_raw()).verify(text, signature)


@given(texts)
def test_hashes_are_openssl_s(data: bytes) -> None:
    for ours, algorithm in (
        (hashlib.sha256(data).digest(), hashes.SHA256()),
        (hashlib.shake_128(data).digest(2048), hashes.SHAKE128(2048)),
    ):
        theirs = hashes.Hash(algorithm)
        theirs.update(data)
        assert ours == theirs.finalize()
