"""Sealed records and an append-only ledger in one SQLite file.

This package knows bytes, not residents.  It never sees a name, a permission or an HTTP header, and
it imports nothing of ours.  What it promises stands in two files::

    engine.py     the seam: persons, tokens, documents, the outbox and the ledger, as Protocols
    errors.py     what can go wrong, as a tree

How bytes are sealed, each module owning one format and drawing it::

    derive.py     the one way in which a key comes from another
    aead.py       sealing under keys that last
    cells.py      a version of a record: one sealed cell a field, bound to where it lies
    tokens.py     what a search looks for instead of a value
    leaf.py       an entry of the ledger: clear header, sealed body
    merkle.py     the tree over the entries; proofs
    note.py       signed notes and checkpoints
    cosignature.py  what a witness adds to them; submission.py is what it is sent
    tiles.py      the ledger as a folder; tilecheck.py verifies it with the public key alone
    anchors.py    such a folder against checkpoints that were kept elsewhere
    proof.py      evidence that one entry is in the ledger
    lthash.py     a digest over the whole file that follows every change
    ringfile.py   the key ring as bytes; keyring.py in memory
    unseal.py     shares of custodians -> the root key

How they come to lie in a file, from the ground up::

    disk.py       getting bytes onto the disk
    lock.py       one process has the folder
    connection.py how a connection is opened
    schema.py     the tables, and how an older file becomes a newer one
    keys.py       what an open store takes from the key ring
    records.py    versions of persons; terms.py by what they are found; retention.py their end
    rewrapping.py the yearly change of the key they are under
    documents.py  sealed registers
    outbox.py     messages that must leave
    ledger.py     entries, added to and never changed
    view.py       reading: what was committed at one moment
    unit.py       writing: a unit of work
    writer.py     the one writer: group commit, and what a failing disk does to it
    vault.py      the engine: create, open, close
    bulk.py       very many persons at once, alone with the file (sealing.py: beside it)
    check.py      does everything open, follow and match? (recordcheck.py, ledgercheck.py)
    journal.py    what happened while the store was closed
"""

from storage.keyring import KeyRing
from storage.vault import Vault, create, open_vault

__all__ = ["KeyRing", "Vault", "create", "open_vault"]
