"""The part of the check that is about the ledger: entries, tiles, subjects, and the two heads."""

from collections import defaultdict
from collections.abc import Collection

import apsw

from storage import ledger
from storage.connection import ask, each_row
from storage.errors import LedgerBroken
from storage.findings import Findings
from storage.keys import StoreKeys
from storage.leaf import Header, open_leaf
from storage.lthash import State
from storage.merkle import Frontier, TileHash, leaf_hash
from storage.note import Checkpoint, open_checkpoint


class LedgerCheck:
    """Computes the ledger anew from its entries and compares."""

    def __init__(self, connection: apsw.Connection, keys: StoreKeys, findings: Findings) -> None:
        self.entries = 0
        self._connection = connection
        self._keys = keys
        self._findings = findings
        self._frontier = Frontier()
        self._unbroken = True
        self._subjects = self._tiles = 0
        self._logged: bytes | None = State().digest()

    def run(self, digest: State, anchors: Collection[str]) -> None:
        """Check entries, tiles and subjects; then the heads against them.

        Args:
            digest: over the file, computed anew.
            anchors: signed checkpoints of this ledger, kept elsewhere.
        """
        anchored = self._by_size(anchors)
        total = ledger.size(self._connection)
        rows = each_row(self._connection, "SELECT idx, entry, hash FROM leaf ORDER BY idx")
        for index, entry, hashed in rows:
            if index != self.entries:
                self._unbroken = False
                self._findings.add(f"entries {self.entries} to {index - 1}", "are missing")
            self.entries = index + 1
            self._grow(index, entry, hashed)
            self._check_entry(index, entry)
            self._check_anchors(anchored.pop(self.entries, ()))
            self._findings.tell("entries", self.entries, total)
        for later in anchored.values():
            self._check_anchors(later)
        self._check_counts()
        self._check_heads(digest)

    def _by_size(self, anchors: Collection[str]) -> dict[int, list[Checkpoint]]:
        by_size: dict[int, list[Checkpoint]] = defaultdict(list)
        for number, anchor in enumerate(anchors, start=1):
            with self._findings.noting(f"anchor {number}"):
                checkpoint = open_checkpoint(anchor, self._keys.signer.verifier)
                by_size[checkpoint.size].append(checkpoint)
        by_size.pop(0, None)
        return by_size

    def _check_anchors(self, anchors: Collection[Checkpoint]) -> None:
        for anchor in anchors:
            here = self._frontier.size == anchor.size and self._frontier.root() == anchor.root
            if not here:
                what = f"does not begin with the {anchor.size} entries that were attested elsewhere"
                self._findings.add("ledger", what)

    def _grow(self, index: int, entry: bytes, hashed: bytes) -> None:
        """Put an entry into the tree computed anew; compare what becomes complete by it."""
        computed = leaf_hash(entry)
        if computed != hashed:
            self._findings.add(f"entry {index}", "does not hash to its leaf")
        if self._unbroken:
            self._frontier, completed = self._frontier.grow(computed)
            for tile in completed:
                self._check_tile(tile)

    def _check_tile(self, tile: TileHash) -> None:
        self._tiles += 1
        level, n, computed = tile
        if ledger.tile_root(self._connection, level, n) != computed:
            self._findings.add(f"tile {n} of level {level - 1}", "does not match")

    def _check_entry(self, index: int, entry: bytes) -> None:
        """Open an entry; check that it is found by everybody it is about."""
        with self._findings.noting(f"entry {index}"):
            header, tokens = self._opened(entry)
            if header.index != index:
                self._findings.add(f"entry {index}", f"was written as entry {header.index}")
            self._logged = header.digest
            for token in tokens:
                if ledger.is_about(self._connection, token, index):
                    self._subjects += 1
                else:
                    self._findings.add(f"entry {index}", "is not found by one it is about")

    def _opened(self, entry: bytes) -> tuple[Header, list[bytes]]:
        header, body = open_leaf(entry, self._keys.bodies, self._keys.origin)
        persons, _ = ledger.unframed(body)
        return header, ledger.subject_tokens(self._keys, header.epoch, persons)

    def _check_counts(self) -> None:
        """Look for rows that nothing needs: what is needed was looked up and counted."""
        ((subjects, tiles),) = ask(
            self._connection,
            "SELECT (SELECT count(*) FROM subj), (SELECT count(*) FROM tile_root)",
        )
        if tiles != self._tiles and self._unbroken:
            self._findings.add("tiles", f"there are {tiles}, not {self._tiles}")
        if subjects != self._subjects:
            self._look_for_strays()

    def _look_for_strays(self) -> None:
        """Name entries that are found by somebody they are not about."""
        for token, index in each_row(self._connection, "SELECT token, idx FROM subj"):
            try:
                (entry,) = ledger.raw_entries(self._connection, index, index + 1)
                _, tokens = self._opened(entry)
            except ValueError:
                tokens = []
            except LedgerBroken:
                # It was named already, and nobody can say whom it is about.
                continue
            if token not in tokens:
                self._findings.add(f"entry {index}", "is found by one it is not about")

    def _check_heads(self, digest: State) -> None:
        connection, findings = self._connection, self._findings
        with findings.noting("checkpoint"):
            note = ledger.checkpoint(connection)
            checkpoint = open_checkpoint(note, self._keys.signer.verifier)
            if checkpoint.size != self.entries:
                what = f"is of {checkpoint.size} entries, there are {self.entries}"
                findings.add("checkpoint", what)
            elif self._unbroken and checkpoint.root != self._frontier.root():
                findings.add("checkpoint", "is not of these entries")
        with findings.noting("digest"):
            if ledger.digest(connection) != digest:
                findings.add("digest", "what the file holds is not what was written into it")
        if self._logged != digest.digest():
            findings.add("digest", "what the file holds is not what the last entry says")
