import os
import stat
from pathlib import Path

import pytest

from storage.disk import sync_folder, write_synced


def test_a_file_is_written_in_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_synced(path, b"longer than what follows")
    write_synced(path, b"this")
    assert path.read_bytes() == b"this"


def test_the_mode_is_as_asked_from_the_first_moment(tmp_path: Path) -> None:
    write_synced(tmp_path / "file", b"secret", 0o600)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_bytes_and_names_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor)))
    write_synced(tmp_path / "file", b"bytes")
    sync_folder(tmp_path)
    file, folder = synced
    assert (file.st_ino, file.st_size) == ((tmp_path / "file").stat().st_ino, 5)
    assert folder.st_ino == tmp_path.stat().st_ino
