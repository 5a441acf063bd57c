from pathlib import Path

import apsw
import pytest

from storage import connection
from storage.connection import (
    AEGIS,
    CHACHA,
    ask,
    ask_many,
    cipher_of_choice,
    each_row,
    open_new,
    open_reader,
    open_writer,
)
from storage.errors import DiskFull, StorageError, Tampered, WrongKey

KEY = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return made(tmp_path / "file.db", AEGIS)


def made(path: Path, cipher: connection.Cipher) -> Path:
    new = open_new(path, KEY, cipher)
    ask(new, "CREATE TABLE thing (name TEXT)")
    ask_many(new, "INSERT INTO thing VALUES (?)", [("one",), ("two",)])
    new.close()
    return path


@pytest.mark.parametrize(
    ("cpuinfo", "cipher"),
    [
        ("flags\t\t: fpu aes sse2\n", AEGIS),
        ("Features\t: fp asimd aes pmull\n", AEGIS),
        ("flags\t\t: fpu sse2\nmodel name : aespecial\n", CHACHA),
        ("aes", CHACHA),
        ("", CHACHA),
    ],
)
def test_the_cipher_suits_the_processor(cpuinfo: str, cipher: connection.Cipher) -> None:
    assert cipher_of_choice(cpuinfo) == cipher


@pytest.mark.parametrize("cipher", [AEGIS, CHACHA])
def test_a_file_opens_whichever_cipher_it_was_made_with(
    tmp_path: Path, cipher: connection.Cipher
) -> None:
    path = made(tmp_path / "file.db", cipher)
    for opener in (open_writer, open_reader):
        opened = opener(path, KEY)
        assert ask(opened, "SELECT name FROM thing") == [("one",), ("two",)]
        opened.close()


def test_every_setting_is_in_force(path: Path) -> None:
    writer = open_writer(path, KEY)
    for name, _, expected in connection._SETTINGS:
        assert ask(writer, f"PRAGMA {name}") == [(expected,)]
    assert ask(writer, "PRAGMA cipher") == [("aegis",)]
    assert ask(writer, "PRAGMA page_size") == [(8192,)]
    assert ask(writer, "PRAGMA busy_timeout") == [(connection.BUSY_MS,)]
    with pytest.raises(StorageError):
        ask(writer, "UPDATE sqlite_schema SET sql = ''")
    with pytest.raises(StorageError):
        ask(writer, 'SELECT "no such column" FROM thing')
    writer.close()


def test_a_setting_that_sqlite_does_not_take_is_noticed(path: Path) -> None:
    writer = open_writer(path, KEY)
    with pytest.raises(StorageError, match="PRAGMA no_such_thing"):
        connection._set(writer, "no_such_thing", "1", 1)
    writer.close()


def test_a_switch_that_sqlite_does_not_take_is_noticed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_SWITCHES", ((apsw.SQLITE_DBCONFIG_DEFENSIVE, 7),))
    with pytest.raises(StorageError, match="switch"):
        open_writer(path, KEY)
    with pytest.raises(StorageError, match="switch"):
        open_new(path.with_name("other.db"), KEY, AEGIS)


def test_a_reader_cannot_write(path: Path) -> None:
    reader = open_reader(path, KEY)
    with pytest.raises(StorageError):
        ask(reader, "DELETE FROM thing")
    reader.close()


def test_another_key_does_not_open_the_file(path: Path) -> None:
    with pytest.raises(WrongKey):
        open_writer(path, bytes(32))


def test_a_plain_file_is_no_store(tmp_path: Path) -> None:
    plain = apsw.Connection(str(tmp_path / "plain.db"))
    plain.execute("CREATE TABLE thing (name TEXT)")
    plain.close()
    with pytest.raises(WrongKey):
        open_writer(tmp_path / "plain.db", KEY)


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        open_writer(tmp_path / "none.db", KEY)
    assert not list(tmp_path.iterdir())


def test_a_file_with_pages_of_another_size_is_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PAGE_SIZE", 4096)
    path = made(tmp_path / "small.db", AEGIS)
    monkeypatch.undo()
    with pytest.raises(Tampered, match="another size"):
        open_writer(path, KEY)


def test_a_page_that_was_changed_is_noticed(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[8192 + 4000] ^= 1
    path.write_bytes(raw)
    reader = open_reader(path, KEY)
    with pytest.raises(Tampered):
        ask(reader, "SELECT name FROM thing")
    with pytest.raises(Tampered):
        list(each_row(reader, "SELECT name FROM thing"))
    reader.close()


@pytest.mark.parametrize(
    ("problem", "ours"),
    [
        (apsw.FullError(), DiskFull),
        (apsw.CorruptError(), Tampered),
        (apsw.NotADBError(), Tampered),
        (apsw.IOError(), StorageError),
        (apsw.BusyError("database is locked"), StorageError),
    ],
)
def test_what_sqlite_says_is_put_into_our_words(
    problem: apsw.Error, ours: type[StorageError]
) -> None:
    assert type(connection.translated(problem)) is ours


def test_many_rows_fail_as_one_does(path: Path) -> None:
    writer = open_writer(path, KEY)
    with pytest.raises(StorageError):
        ask_many(writer, "INSERT INTO nothing VALUES (?)", [(1,)])
    writer.close()


def test_a_file_that_cannot_be_read_is_not_taken_for_one_with_another_key(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(StorageError) as caught:
        open_writer(tmp_path / "folder.db", KEY)
    assert type(caught.value) is StorageError
