"""Makes a store as schema version 1 did.  Frozen: it is never brought up to date.

It has SQL of its own and lays the rows down itself; of the package it uses only formats that carry
a version byte of their own and have golden vectors.  Each later release must open what it makes.
"""

from hashlib import blake2b
from pathlib import Path

import apsw

from storage.aead import seal
from storage.cells import FieldKeys, Place, seal_version
from storage.keyring import KeyRing
from storage.leaf import Header, body_key, seal_leaf, subject_token
from storage.lthash import State
from storage.merkle import Frontier, leaf_hash
from storage.note import Signer, sign_checkpoint

TABLES = """
CREATE TABLE ver (
    vid INTEGER PRIMARY KEY, hdr BLOB NOT NULL, wrap BLOB NOT NULL, rsc BLOB NOT NULL,
    seal BLOB NOT NULL, cells BLOB NOT NULL
) STRICT;
CREATE TABLE ident (
    idx INTEGER NOT NULL, token BLOB NOT NULL, person INTEGER NOT NULL,
    PRIMARY KEY (idx, token)
) STRICT, WITHOUT ROWID;
CREATE TABLE tok (
    token INTEGER NOT NULL, person INTEGER NOT NULL, PRIMARY KEY (token, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE doc (
    id INTEGER PRIMARY KEY, collection TEXT NOT NULL, key BLOB NOT NULL,
    revision INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX doc_place ON doc (collection, key, revision DESC);
CREATE TABLE parcel (
    destination TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL,
    vid INTEGER NOT NULL, note BLOB NOT NULL, PRIMARY KEY (destination, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE ack (
    destination TEXT PRIMARY KEY, through INTEGER NOT NULL, proof BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE leaf (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE tile_root (
    level INTEGER NOT NULL, n INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE subj (
    token BLOB NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (token, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE state (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""
PERSON, VID = 1, 4097


def make_v1(
    file: Path,
    ring: KeyRing,
    origin: str,
    fields: dict[int, bytes | None],
    identifiers: list[tuple[int, bytes]],
    postings: list[int],
) -> None:
    """Make a store with one person, one document, one parcel and one entry in it."""
    db = apsw.Connection(str(file))
    for pragma in (
        "cipher = 'aegis'",
        "algorithm = 'aegis-256'",
        f"key = 'raw:{ring.key('page/main/1').hex()}'",
        "page_size = 8192",
        "journal_mode = WAL",
        f"application_id = {0x4A554B49}",
        "user_version = 1",
    ):
        db.execute(f"PRAGMA {pragma}")
    db.execute(TABLES)
    state = State()

    place = Place(ring.installation, 1, PERSON, 1)
    kek = ring.kek("kek/active/2026")
    sealed = seal_version(place, fields, FieldKeys(ring.field_roots()), kek, ring.key("seal/1"))
    db.execute("INSERT INTO ver VALUES (?, ?, ?, ?, ?, ?)", (VID, *sealed))
    state = state.add(b"v" + VID.to_bytes(8, "little") + sealed.seal)
    db.executemany("INSERT INTO ident VALUES (?, ?, 1)", identifiers)
    db.executemany("INSERT INTO tok VALUES (?, 1)", [(posting,) for posting in postings])

    at = b"\x06\x00papers" + b"\x01\x00k" + (1).to_bytes(8, "little")
    body = seal(b"body", ring.key("docs/1"), b"jk1d" + ring.installation + at)
    db.execute("INSERT INTO doc VALUES (1, 'papers', X'6B', 1, ?)", (body,))
    state = state.add(b"d" + at + blake2b(body, digest_size=32).digest())

    to = b"\x08\x00national" + (1).to_bytes(8, "little") + b"\x06\x00update"
    to += VID.to_bytes(8, "little")
    note = seal(b"note", ring.key("parcels/1"), b"jk1p" + ring.installation + to)
    db.execute("INSERT INTO parcel VALUES ('national', 1, 'update', ?, ?)", (VID, note))
    state = state.add(b"p" + to + blake2b(note, digest_size=32).digest())
    told = ring.installation + b"\x08\x00national" + (1).to_bytes(8, "little")
    proof = blake2b(told, digest_size=32, key=ring.key("parcels/1"), person=b"jk1.ack").digest()
    db.execute("INSERT INTO ack VALUES ('national', 1, ?)", (proof,))

    entry = seal_leaf(
        Header(0, 1_775_000_000_000, 1, 0, 2026, state.digest()),
        b"\x01\x00" + PERSON.to_bytes(8, "little") + b"entry",
        body_key(ring.key("log-body/2026")),
        origin,
    )
    db.execute("INSERT INTO leaf VALUES (0, ?, ?)", (entry, leaf_hash(entry)))
    token = subject_token(ring.key("log-subj/2026"), PERSON)
    db.execute("INSERT INTO subj VALUES (?, 0)", (token,))
    root = Frontier().append(leaf_hash(entry)).root()
    checkpoint = sign_checkpoint(Signer(origin, ring.key("log-sign")), 1, root)
    for name, value in (
        ("checkpoint", checkpoint.encode()),
        ("digest", state.to_bytes()),
        ("made", (1_775_000_000_000).to_bytes(8, "little")),
    ):
        db.execute("INSERT INTO state VALUES (?, ?)", (name, value))
    db.close()
