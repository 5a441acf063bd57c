"""The cells of one version: what sealing and opening cost, beside the bare cipher."""

import os
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from scripts.bench_lib.rows import Row, Setting, told
from scripts.bench_lib.timing import in_turns
from storage.cells import RESIDENTS, Place, open_cells, seal_version
from storage.keyring import KeyRing
from storage.keys import StoreKeys

VERSIONS, ROUNDS = 2_000, 5
VALUE = b"24 items of 24 bytes ..."
ITEMS = range(1, 25)
NOTE = "a version, against as many calls of the cipher with one key"


def measure(setting: Setting) -> Iterator[Row]:
    """Seal 24 items, open 24 and 8 of them, and do the same with the cipher alone."""
    keys = StoreKeys.of(KeyRing.create(os.urandom(32), os.urandom(16), 20, 2026), "bench/1")
    place = Place(keys.installation, RESIDENTS, 1, 1)
    values = dict.fromkeys(ITEMS, VALUE)
    sealed = seal_version(place, values, keys.fields, keys.kek, keys.seal)
    cipher, nonce = ChaCha20Poly1305(os.urandom(32)), bytes(12)
    body = cipher.encrypt(nonce, VALUE, b"")

    def seal() -> None:
        for _ in range(VERSIONS):
            seal_version(place, values, keys.fields, keys.kek, keys.seal)

    def open_some(count: int) -> None:
        for _ in range(VERSIONS):
            open_cells(place, sealed, ITEMS[:count], keys.fields, keys.keks)

    def bare_seal() -> None:
        for _ in range(VERSIONS * len(ITEMS)):
            cipher.encrypt(nonce, VALUE, b"")

    def bare_open(count: int) -> None:
        for _ in range(VERSIONS * count):
            cipher.decrypt(nonce, body, b"")

    taken = in_turns(
        {
            "seal 24": seal,
            "bare seal 24": bare_seal,
            "open 24": lambda: open_some(24),
            "bare open 24": lambda: bare_open(24),
            "open 8": lambda: open_some(8),
            "bare open 8": lambda: bare_open(8),
        },
        ROUNDS,
    )
    for name in ("seal 24", "open 24", "open 8"):
        ours, bare = taken[name], taken[f"bare {name}"]
        each = 1e6 / VERSIONS
        yield told(
            f"crypto/{name}",
            ours.median * each,
            "µs",
            bare.median * each,
            spread=ours.spread,
            note="a version, against as many calls of the cipher with one key"
            * (name == "seal 24"),
        )
