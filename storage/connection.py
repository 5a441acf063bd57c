"""How a connection is opened, and how SQLite's troubles are put into our words.

Every page of the file and of the WAL is encrypted with the page key (SQLite3 Multiple Ciphers):
AEGIS-256 where the processor has AES instructions, ChaCha20-Poly1305 where it has not.  Which one
was taken is not written anywhere: the wrong one does not open the first page, so both are tried.

Pragmas are given one by one and read back, because SQLite passes over in silence what it does not
know.  Each thread has connections of its own; none is ever shared.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw

from storage.errors import DiskFull, StorageError, Tampered, WrongKey

PAGE_SIZE = 8192
BUSY_MS = 10_000
"""Milliseconds to wait for a lock before giving up."""

READER_CACHE_KIB = 1_024
WRITER_CACHE_KIB = 24_576

AEGIS = (("cipher", "aegis"), ("algorithm", "aegis-256"))
CHACHA = (("cipher", "chacha20"),)
Cipher = tuple[tuple[str, str], ...]

_SETTINGS: tuple[tuple[str, str, object], ...] = (
    # name, value as given, value as read back
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("secure_delete", "ON", 1),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
    ("temp_store", "MEMORY", 2),
    ("foreign_keys", "ON", 1),
    ("mmap_size", "0", 0),
    ("journal_size_limit", "67108864", 67_108_864),
    # The writer carries the WAL into the file itself, where it can see that doing so failed.
    ("wal_autocheckpoint", "0", 0),
)
_SWITCHES: tuple[tuple[int, int], ...] = (
    (apsw.SQLITE_DBCONFIG_DEFENSIVE, 1),
    (apsw.SQLITE_DBCONFIG_DQS_DDL, 0),
    (apsw.SQLITE_DBCONFIG_DQS_DML, 0),
    (apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
    (apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
    # Plans do not go by the values bound. Without it SQLite prepares most statements with ORDER BY
    # anew each time they are run, which takes up to ten times as long as running them.
    (apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1),
)


def cipher_of_choice(cpuinfo: str) -> Cipher:
    """Return the page cipher that suits a processor, from the text of ``/proc/cpuinfo``."""
    flags = {flag for line in cpuinfo.splitlines() if ":" in line for flag in line.split()}
    return AEGIS if "aes" in flags else CHACHA


def open_new(path: Path, page_key: bytes, cipher: Cipher) -> apsw.Connection:
    """Open a file that is still empty, for writing, with the cipher it shall have."""
    connection = apsw.Connection(str(path))
    try:
        _unlock(connection, page_key, cipher)
        _set(connection, "page_size", str(PAGE_SIZE), PAGE_SIZE)
        _prepare(connection, WRITER_CACHE_KIB)
    except BaseException:
        connection.close()
        raise
    return connection


def open_writer(path: Path, page_key: bytes, vfs: str | None = None) -> apsw.Connection:
    """Open an existing file for writing; one connection does so at a time.

    Args:
        path: the file.
        page_key: 32 bytes.
        vfs: the name of an SQLite VFS to go through; tests break the disk with it.

    Raises:
        WrongKey: the page key does not open the first page; it is of another file, or damaged.
        Tampered: the file has pages of another size.
    """
    return _opened(path, page_key, WRITER_CACHE_KIB, vfs)


def open_reader(path: Path, page_key: bytes, vfs: str | None = None) -> apsw.Connection:
    """Open an existing file for reading alone; otherwise as ``open_writer``."""
    connection = _opened(path, page_key, READER_CACHE_KIB, vfs)
    _set(connection, "query_only", "ON", 1)
    # Who only reads does not carry the WAL into the file either, not even as the last to leave.
    _switch(connection, apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    return connection


def abandon(connection: apsw.Connection) -> None:
    """Close a connection and leave the file and the WAL as they are, for the next opening."""
    _switch(connection, apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.close()


def carry_wal(connection: apsw.Connection) -> None:
    """Carry all of the WAL into the file, synced, and begin it anew; raises as ``ask`` does."""
    try:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.Error as problem:
        raise translated(problem) from problem


def ask(
    connection: apsw.Connection, statement: str, bindings: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Run one statement and return all its rows; nothing is left open behind it.

    Raises:
        Tampered, DiskFull, StorageError: as ``translated`` says.
    """
    try:
        return connection.execute(statement, bindings).fetchall()
    except apsw.Error as problem:
        raise translated(problem) from problem


def each_row(
    connection: apsw.Connection, statement: str, bindings: Sequence[Any] = ()
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of one reading statement as they come; raises as ``ask`` does."""
    try:
        yield from connection.execute(statement, bindings)
    except apsw.Error as problem:
        raise translated(problem) from problem


def ask_many(connection: apsw.Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """Run one changing statement for each of many rows; raises as ``ask`` does."""
    try:
        connection.executemany(statement, rows)
    except apsw.Error as problem:
        raise translated(problem) from problem


def translated(problem: apsw.Error) -> StorageError:
    """Return what SQLite says, as one of our errors; SQLite's texts hold no values."""
    match problem:
        case apsw.FullError():
            return DiskFull("the disk has no room")
        case apsw.CorruptError() | apsw.NotADBError():
            return Tampered("a page of the file does not open, or is not what it should be")
        case apsw.IOError():
            return StorageError("the disk failed")
        case _:
            return StorageError(f"{type(problem).__name__}: {problem}")


def _opened(path: Path, page_key: bytes, cache_kib: int, vfs: str | None) -> apsw.Connection:
    for cipher in (AEGIS, CHACHA):
        try:
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
        except apsw.Error as problem:
            raise translated(problem) from problem
        try:
            _unlock(connection, page_key, cipher)
            if _opens(connection):
                _prepare(connection, cache_kib)
                return connection
        except BaseException:
            abandon(connection)
            raise
        abandon(connection)
    raise WrongKey("the page key does not open this file")


def _unlock(connection: apsw.Connection, page_key: bytes, cipher: Cipher) -> None:
    connection.set_busy_timeout(BUSY_MS)
    for name, value in cipher:
        _set(connection, name, value, value)
    # A key cannot be bound as a parameter.  "raw:" takes the 32 bytes as they are, without the
    # stretching meant for passwords; the text is kept out of the cache of statements.
    connection.execute(f"PRAGMA key = 'raw:{page_key.hex()}'", can_cache=False)


def _opens(connection: apsw.Connection) -> bool:
    try:
        ask(connection, "SELECT count(*) FROM sqlite_schema")
    except Tampered:
        return False
    return True


def _prepare(connection: apsw.Connection, cache_kib: int) -> None:
    for name, given, expected in _SETTINGS:
        _set(connection, name, given, expected)
    _set(connection, "cache_size", str(-cache_kib), -cache_kib)
    if ask(connection, "PRAGMA page_size") != [(PAGE_SIZE,)]:
        raise Tampered("the file has pages of another size")
    for switch, value in _SWITCHES:
        _switch(connection, switch, value)


def _set(connection: apsw.Connection, name: str, value: str, expected: object) -> None:
    ask(connection, f"PRAGMA {name} = '{value}'")
    if (found := ask(connection, f"PRAGMA {name}")) != [(expected,)]:
        raise StorageError(f"PRAGMA {name} is {found}, not {expected}")


def _switch(connection: apsw.Connection, switch: int, value: int) -> None:
    if connection.config(switch, value) != value:
        raise StorageError(f"SQLite did not take switch {switch}")
