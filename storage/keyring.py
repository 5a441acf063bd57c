"""The key ring: all keys of a store but the root, and the small file they lie in.

Every key is 32 random bytes of its own and comes from no other, so that one can be destroyed, or
withheld, alone.  ``ringfile`` has the layout of the file.

    page/main/1          page encryption of the database file
    field-root/CLASS/1   cells, by class of field: basic, jukicode, mynumber, other
    idx-root/1           index tokens
    kek/active/YEAR      row secrets of versions sealed in a year; its id stands in each version
    kek/exp/YEAR         row secrets of versions that may be erased in a year (retention.py)
    seal/1               the chain of a person's versions
    docs/1, parcels/1    documents; notes in the outbox
    log-body/YEAR        bodies of ledger entries
    log-subj/YEAR        tokens by which entries about a person are found
    log-sign             Ed25519 seed that signs checkpoints
    mark-root/1          marks, by which a municipality's file and ours are compared
    media/1              X25519, by which others seal files for this appliance
"""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Self

from storage.cells import FIELD_CLASSES, Kek
from storage.derive import KEY_SIZE, check_value
from storage.disk import sync_folder, write_synced
from storage.errors import Tampered, WrongKey
from storage.ringfile import (
    Entry,
    RingHeader,
    decode_header,
    decode_names,
    decode_ring,
    encode_ring,
)
from storage.unseal import ShareSet

FILE_NAME = "keyring.cbor"
RETENTION_YEARS = 150
KEPT = 3
"""How many files are kept, the current one among them."""


class KeyRing:
    """The keys of one store, in memory.  Changes stay there until ``save``.

    One thread at a time changes a ring; ``key`` may be called from any thread.
    """

    def __init__(self, header: RingHeader, root: bytes, entries: Iterable[Entry]) -> None:
        self.header = header
        self._root = root
        self._entries = {entry.name: entry for entry in entries}
        self._forgets = False

    @classmethod
    def create(
        cls,
        root: bytes,
        installation: bytes,
        token_bits: int,
        year: int,
        share_set: ShareSet | None = None,
    ) -> Self:
        """Return a ring of fresh random keys for a new store.

        Args:
            root: 32 random bytes.
            installation: the store's id, 16 random bytes.
            token_bits: width of compound tokens, 1 to 62.
            year: the current year, for the keys that change yearly.
            share_set: the shares the root was split into, if it was.

        Raises:
            ValueError: a size is wrong, or the shares are of another root.
        """
        if len(root) != KEY_SIZE or len(installation) != 16 or not 1 <= token_bits <= 62:
            raise ValueError("a ring needs a root of 32 bytes, an id of 16 and 1 to 62 token bits")
        check = _root_check(root, share_set)
        ring = cls(RingHeader(installation, 0, token_bits, check, share_set), root, ())
        for name in _first_names(year):
            ring.ensure(name)
        return ring

    @classmethod
    def open(cls, path: Path, root: bytes) -> Self:
        """Read a ring with its root key.

        Raises:
            FileNotFoundError: there is none.
            WrongKey: the root is of another ring.
            Tampered: the file was changed or cut.
        """
        header, entries = decode_ring(path.read_bytes(), root)
        return cls(header, root, entries)

    @property
    def installation(self) -> bytes:
        """The store's id, 16 bytes."""
        return self.header.installation

    @property
    def token_bits(self) -> int:
        """The width of compound tokens."""
        return self.header.token_bits

    def names(self) -> list[str]:
        """Return the names of the keys that are there, oldest first."""
        return [name for name, entry in self._entries.items() if entry.key is not None]

    def checks(self) -> dict[str, bytes]:
        """Return the check value of every key by its name, destroyed ones too."""
        return {name: entry.check for name, entry in self._entries.items()}

    def key(self, name: str) -> bytes:
        """Return a key, 32 bytes.

        Raises:
            WrongKey: there is none of this name, or it was destroyed.
        """
        entry = self._entry(name)
        if entry.key is None:
            raise WrongKey(f"the key {name} was destroyed")
        return entry.key

    def ensure(self, name: str) -> bytes:
        """Return a key, drawing it if there is none of this name yet.

        Raises:
            WrongKey: it was destroyed; a name is never used twice.
        """
        if name not in self._entries:
            key, number = os.urandom(KEY_SIZE), len(self._entries) + 1
            born = self.header.serial + 1
            self._entries[name] = Entry(number, name, born, check_value(key), key)
        return self.key(name)

    def destroy(self, name: str) -> None:
        """Forget a key; its check value stays.

        Older files hold the key still: ``save`` removes those beside the ring, and copies
        elsewhere are dead only once the ring has a new root (``rerooted``).

        Raises:
            WrongKey: there is none of this name.
        """
        self._entries[name] = replace(self._entry(name), key=None)
        self._forgets = True

    def family(self, prefix: str) -> dict[str, bytes]:
        """Return the keys named ``prefix/...`` by the rest of their names."""
        start = prefix + "/"
        named = [name for name in self.names() if name.startswith(start)]
        return {name.removeprefix(start): self.key(name) for name in named}

    def field_roots(self, generation: int = 1) -> dict[str, bytes]:
        """Return the roots of field keys by class of field.

        Raises:
            WrongKey: there is no such generation.
        """
        classes = sorted(set(FIELD_CLASSES.values()))
        return {name: self.key(f"field-root/{name}/{generation}") for name in classes}

    def kek(self, name: str) -> Kek:
        """Return a retention key with its number, such as ``kek/active/2026``.

        Raises:
            WrongKey: there is none of this name, or it was destroyed.
        """
        return Kek(self._entry(name).id, self.key(name))

    def keks(self) -> dict[int, bytes]:
        """Return every retention key by number."""
        return dict(self.kek(f"kek/{name}") for name in self.family("kek"))

    def rerooted(self, root: bytes, share_set: ShareSet | None = None) -> Self:
        """Return the same keys under a new root; once saved, what was destroyed is gone for good.

        Raises:
            ValueError: the shares are of another root.
        """
        check = _root_check(root, share_set)
        header = replace(self.header, root_check=check, share_set=share_set)
        ring = type(self)(header, root, self._entries.values())
        ring._forgets = True
        return ring

    def save(self, path: Path) -> None:
        """Write the ring whole, in place of the file before.

        When this returns, the new file is on disk and survives a power cut; the one before is
        kept beside it.  If it raises, or the machine stops, the old file or the new one is
        there, never none and never half.

        Raises:
            OSError: the disk; the ring in memory is as before.
            Tampered: what was written does not read back.
        """
        header = replace(self.header, serial=self.header.serial + 1)
        written = path.with_name(path.name + ".new")
        write_synced(written, encode_ring(header, self._root, self._entries.values()), 0o600)
        # A ring that cannot be opened again must never take the place of one that can.
        if decode_ring(written.read_bytes(), self._root) != (header, list(self._entries.values())):
            raise Tampered("the key ring does not read back as it was written")
        if path.exists():
            _keep(path, self.header.serial)
        written.replace(path)
        sync_folder(path.parent)
        self.header = header
        _prune(path, 0 if self._forgets else KEPT - 1)
        self._forgets = False

    def __repr__(self) -> str:
        return f"<KeyRing of {len(self._entries)} keys, serial {self.header.serial}>"

    def _entry(self, name: str) -> Entry:
        try:
            return self._entries[name]
        except KeyError:
            raise WrongKey(f"the key ring has no key {name}") from None


def read_header(path: Path) -> RingHeader:
    """Return what the ring shows without its root key; not to be believed before ``open``.

    Raises:
        FileNotFoundError: there is no ring.
        Tampered: the file is not a key ring.
    """
    return decode_header(path.read_bytes())


def names_in_clear(path: Path) -> list[str]:
    """Return the names of all keys, destroyed ones too, without the root key; as ``read_header``.

    Raises:
        FileNotFoundError: there is no ring.
        Tampered: the file is not a key ring.
    """
    return decode_names(path.read_bytes())


def newest_year(names: Iterable[str]) -> int:
    """Return the year of the newest keys among these: they are in use.

    Raises:
        WrongKey: there are none.
    """
    start = "kek/active/"
    years = [int(name.removeprefix(start)) for name in names if name.startswith(start)]
    if not years:
        raise WrongKey("the key ring has no key of any year")
    return max(years)


def yearly_names(newest: int, year: int) -> list[str]:
    """Return what a store needs to go on in a year, with keys of an earlier or the same year.

    What may be erased in the years between has keys of its own too.
    """
    return [*_retention_names(newest, year), *_log_names(year)]


def _retention_names(newest: int, year: int) -> list[str]:
    # A term that begins in the night of the new year needs the key of one year more.
    ends = range(newest + RETENTION_YEARS, year + RETENTION_YEARS + 2)
    return [f"kek/active/{year}", *(f"kek/exp/{end}" for end in ends)]


def _log_names(year: int) -> list[str]:
    return [f"log-body/{year}", f"log-subj/{year}"]


def _first_names(year: int) -> list[str]:
    return [
        "page/main/1",
        *(f"field-root/{name}/1" for name in sorted(set(FIELD_CLASSES.values()))),
        "idx-root/1",
        *_retention_names(year, year),
        "seal/1",
        "docs/1",
        "parcels/1",
        *_log_names(year),
        "log-sign",
        "mark-root/1",
        "media/1",
    ]


def _root_check(root: bytes, share_set: ShareSet | None) -> bytes:
    check = check_value(root)
    if share_set is not None and share_set.root_check != check:
        raise ValueError("these are shares of another root")
    return check


def _keep(path: Path, serial: int) -> None:
    """Give the present file a second name, which stays when the first is taken."""
    kept = path.with_name(f"{path.name}.{serial:08d}")
    kept.unlink(missing_ok=True)
    kept.hardlink_to(path)


def _prune(path: Path, count: int) -> None:
    older = sorted(path.parent.glob(path.name + ".[0-9]*"))
    for kept in older[: max(0, len(older) - count)]:
        kept.unlink()
    sync_folder(path.parent)
