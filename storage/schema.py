"""Tables, and how an older file becomes a newer one.

    ver        a version of a person, sealed (cells.py); vid = person * 4096 + number
    ident      who holds an identifier, or ever held it
    tok        which persons' latest version has a combination of attributes
    doc        revisions of sealed documents
    parcel     the outbox; numbers without gaps for each destination
    ack        up to which number a destination has everything
    leaf       entries of the ledger, and their hashes
    tile_root  hashes of complete tiles, level 1 and up
    subj       by which entries about a person are found
    term       from which day on a version may be erased
    tally      named counts
    mark       digests of persons, by which two files are compared
    state      the signed checkpoint, and the state of the digest over the whole file

``ver`` is a rowid table: its rows are large, and without a rowid each would spill onto a page of
its own.  The narrow tables are WITHOUT ROWID.

Each step of ``STEPS`` brings a file one version forward and is never changed once published; a
change of the tables is a new step at the end.  The version is SQLite's ``user_version``.
"""

import apsw

from storage.connection import ask
from storage.errors import StorageError, Tampered

APPLICATION_ID = 0x4A554B49
"""``JUKI``, as SQLite's ``application_id``."""

_TABLES = (
    """
    CREATE TABLE ver (
        vid INTEGER PRIMARY KEY, hdr BLOB NOT NULL, wrap BLOB NOT NULL, rsc BLOB NOT NULL,
        seal BLOB NOT NULL, cells BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE ident (
        idx INTEGER NOT NULL, token BLOB NOT NULL, person INTEGER NOT NULL,
        PRIMARY KEY (idx, token)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE tok (
        token INTEGER NOT NULL, person INTEGER NOT NULL, PRIMARY KEY (token, person)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE doc (
        id INTEGER PRIMARY KEY, collection TEXT NOT NULL, key BLOB NOT NULL,
        revision INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT
    """,
    # Revisions run backwards, so that one step along the index is the latest of the next document.
    "CREATE UNIQUE INDEX doc_place ON doc (collection, key, revision DESC)",
    """
    CREATE TABLE parcel (
        destination TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL,
        vid INTEGER NOT NULL, note BLOB NOT NULL, PRIMARY KEY (destination, number)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE ack (
        destination TEXT PRIMARY KEY, through INTEGER NOT NULL, proof BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE leaf (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL, hash BLOB NOT NULL) STRICT
    """,
    """
    CREATE TABLE tile_root (
        level INTEGER NOT NULL, n INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, n)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE subj (
        token BLOB NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (token, idx)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE state (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
)

_NOTHING_IS_REWRITTEN = tuple(
    f"CREATE TRIGGER {table}_no_{action.split()[0].lower()} BEFORE {action} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, '{table} keeps what was written'); END"
    for table, actions in (
        ("leaf", ("UPDATE", "DELETE")),
        ("tile_root", ("UPDATE", "DELETE")),
        ("subj", ("UPDATE", "DELETE")),
        ("ident", ("UPDATE", "DELETE")),
        ("parcel", ("UPDATE", "DELETE")),
        # A retention key may change, and the wrap with it; what is sealed may not.
        ("ver", ("UPDATE OF vid, rsc, seal, cells", "DELETE")),
        ("doc", ("UPDATE",)),
    )
    for action in actions
)

_TALLIES_AND_MARKS = (
    "CREATE TABLE tally (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    """
    CREATE TABLE mark (
        name TEXT NOT NULL, place BLOB NOT NULL, digest BLOB NOT NULL, person INTEGER NOT NULL,
        PRIMARY KEY (name, place)
    ) STRICT, WITHOUT ROWID
    """,
)

_TERMS_OF_RETENTION = (
    "CREATE TABLE term (vid INTEGER PRIMARY KEY, day INTEGER NOT NULL) STRICT",
    "CREATE INDEX term_day ON term (day)",
    # A version may be emptied, and only whole; then its person's identifiers may go.
    "DROP TRIGGER ver_no_update",
    """
    CREATE TRIGGER ver_no_update BEFORE UPDATE OF vid, rsc, seal, cells ON ver
    WHEN NOT (NEW.vid = OLD.vid AND NEW.rsc = OLD.rsc AND NEW.seal = OLD.seal
              AND NEW.cells = x'' AND NEW.wrap = x'')
    BEGIN SELECT RAISE(ABORT, 'ver keeps what was written'); END
    """,
    "DROP TRIGGER ident_no_delete",
    """
    CREATE TRIGGER ident_no_delete BEFORE DELETE ON ident
    WHEN NOT EXISTS (SELECT 1 FROM ver WHERE cells = x''
                     AND vid BETWEEN OLD.person * 4096 + 1 AND OLD.person * 4096 + 4095)
    BEGIN SELECT RAISE(ABORT, 'ident keeps what was written'); END
    """,
)

STEPS: tuple[tuple[str, ...], ...] = (
    _TABLES,
    _NOTHING_IS_REWRITTEN,
    _TALLIES_AND_MARKS,
    _TERMS_OF_RETENTION,
)
"""Step ``n`` brings a file from version ``n`` to ``n + 1``."""

CURRENT = len(STEPS)


def version_of(connection: apsw.Connection) -> int:
    """Return the schema version of the file; 0 if it is empty.

    Raises:
        Tampered: the file is of some other application.
        StorageError: the file was made by a newer release.
    """
    ((mark,),) = ask(connection, "PRAGMA application_id")
    ((version,),) = ask(connection, "PRAGMA user_version")
    if mark not in (0, APPLICATION_ID) or (mark == 0 and version != 0):
        raise Tampered("the file is of another application")
    if version > CURRENT:
        raise StorageError(f"the file has schema version {version}; this release knows {CURRENT}")
    return int(version)


def bring_forward(connection: apsw.Connection) -> None:
    """Take the file to the current version, in one transaction: all steps or none."""
    version = version_of(connection)
    if version == CURRENT:
        return
    ask(connection, "BEGIN IMMEDIATE")
    try:
        for step in STEPS[version:]:
            for statement in step:
                ask(connection, statement)
        ask(connection, f"PRAGMA application_id = {APPLICATION_ID}")
        ask(connection, f"PRAGMA user_version = {CURRENT}")
        ask(connection, "COMMIT")
    except BaseException:
        if connection.in_transaction:
            ask(connection, "ROLLBACK")
        raise


def begin_staging(connection: apsw.Connection) -> None:
    """Make the table in which a load keeps its postings until they are sorted (``bulk.py``).

    While it is there the store is not whole, and nobody but a load may open it.
    """
    ask(
        connection,
        "CREATE TABLE IF NOT EXISTS staged "
        "(slice INTEGER NOT NULL, part INTEGER NOT NULL, postings BLOB NOT NULL) STRICT",
    )


def end_staging(connection: apsw.Connection) -> None:
    """Take that table away: every posting is where it belongs."""
    ask(connection, "DROP TABLE staged")


def is_staging(connection: apsw.Connection) -> bool:
    """Return whether a load was begun and not ended."""
    return bool(ask(connection, "SELECT 1 FROM sqlite_schema WHERE name = 'staged'"))


def differences(connection: apsw.Connection) -> list[str]:
    """Return the names of tables, indexes and triggers that are not as this release makes them."""
    model = apsw.Connection(":memory:")
    try:
        for statement in [statement for step in STEPS for statement in step]:
            model.execute(statement)
        return sorted({name for name, _ in _made_as(model) ^ _made_as(connection)})
    finally:
        model.close()


def _made_as(connection: apsw.Connection) -> set[tuple[str, str]]:
    rows = ask(connection, "SELECT name, coalesce(sql, '') FROM sqlite_schema")
    return {(name, " ".join(sql.split())) for name, sql in rows}
